"""A small GPT: 4 layers, 4 heads, 128 wide, 128 letters of context."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benches.models import inference_sides, train_sides
from benches.peers import jax
from benches.timing import Row

LETTERS, WIDTH, LAYERS, HEADS, CONTEXT = 65, 128, 4, 4, 128


def model(lib: Any) -> Any:
    nn, functional = lib.nn, lib.nn.functional

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
            self.out = nn.Linear(WIDTH, WIDTH, bias=False)

        def forward(self, x: Any) -> Any:
            batch, length, width = x.shape
            parts = self.qkv(x).reshape(batch, length, 3 * HEADS, width // HEADS)
            q, k, v = parts.transpose(1, 2).split(HEADS, dim=1)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(y.transpose(1, 2).reshape(batch, length, width))

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.attention = nn.LayerNorm(WIDTH), Attention()
            self.norm2 = nn.LayerNorm(WIDTH)
            self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
            self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norm1(x))
            return x + self.down(functional.gelu(self.up(self.norm2(x))))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.letter, self.place = nn.Embedding(LETTERS, WIDTH), nn.Embedding(CONTEXT, WIDTH)
            self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
            self.norm = nn.LayerNorm(WIDTH)

        def forward(self, tokens: Any) -> Any:
            x = self.letter(tokens) + self.place(lib.arange(tokens.shape[1]))
            return functional.linear(self.norm(self.blocks(x)), self.letter.weight)

    return GPT()


def weights() -> list[np.ndarray]:
    """In the order of the model's parameters."""
    rng = np.random.default_rng(0)

    def matrix(*shape: int) -> np.ndarray:
        return (0.02 * rng.standard_normal(shape)).astype(np.float32)

    def norm() -> list[np.ndarray]:
        return [np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)]

    found = [matrix(LETTERS, WIDTH), matrix(CONTEXT, WIDTH)]
    for _ in range(LAYERS):
        found += [*norm(), matrix(3 * WIDTH, WIDTH), matrix(WIDTH, WIDTH)]
        found += [*norm(), matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)]
    return found + norm()


def data(batch: int) -> tuple[np.ndarray, np.ndarray]:
    tokens = np.random.default_rng(1).integers(0, LETTERS, (batch, CONTEXT + 1))
    return tokens[:, :-1].copy(), tokens[:, 1:].copy()


def loss_of(lib: Any, model: Any, x: Any, y: Any) -> Any:
    logits = model(x)
    return lib.nn.functional.cross_entropy(logits.reshape(-1, LETTERS), y.reshape(-1))


def _norm(x: Any, scale: Any, shift: Any) -> Any:
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * scale + shift


def _attention(x: Any, qkv: Any, out: Any) -> Any:
    jnp = jax.numpy
    batch, length, width = x.shape
    parts = (x @ qkv.T).reshape(batch, length, 3, HEADS, width // HEADS)
    q, k, v = parts.transpose(2, 0, 3, 1, 4)
    scores = (q @ k.swapaxes(-1, -2)) / (width // HEADS) ** 0.5
    scores = jnp.where(jnp.tri(length, dtype=bool), scores, -jnp.inf)
    y = jax.nn.softmax(scores) @ v
    return y.swapaxes(1, 2).reshape(batch, length, width) @ out.T


def jax_forward(params: Any, tokens: Any) -> Any:
    x = params[0][tokens] + params[1][: tokens.shape[1]]
    for i in range(2, 2 + 8 * LAYERS, 8):
        scale1, shift1, qkv, out, scale2, shift2, up, down = params[i : i + 8]
        x = x + _attention(_norm(x, scale1, shift1), qkv, out)
        x = x + jax.nn.gelu(_norm(x, scale2, shift2) @ up.T, approximate=False) @ down.T
    return _norm(x, *params[-2:]) @ params[0].T


def jax_loss(params: Any, x: Any, y: Any) -> Any:
    logp = jax.nn.log_softmax(jax_forward(params, x))
    return -jax.numpy.take_along_axis(logp, y[..., None], -1).mean()


def train() -> Any:
    return train_sides(model, loss_of, jax_loss, weights(), data(8))


def rows() -> Iterator[Row]:
    label = "GPT 4 layers, 128 wide, T 128"
    yield Row(f"{label}, b 8, train step", train, tolerance=1e-3, checked=3)
    infer = lambda: inference_sides(model, jax_forward, weights(), data(1)[:1])  # noqa: E731
    yield Row(f"{label}, b 1, inference", infer, tolerance=1e-3)
