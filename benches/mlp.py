"""Multi-layer perceptrons: a tiny one, where overhead is all, and one for MNIST."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from benches.models import inference_sides, train_sides
from benches.peers import jax
from benches.timing import Row

TINY, MNIST = (4, 16, 2), (784, 512, 512, 10)


def weights(sizes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    found = []
    for n_in, n_out in pairwise(sizes):
        found.append((rng.standard_normal((n_out, n_in)) / n_in**0.5).astype(np.float32))
        found.append(np.zeros(n_out, np.float32))
    return found


def data(sizes: tuple[int, ...], batch: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((batch, sizes[0])).astype(np.float32)
    return x, rng.integers(0, sizes[-1], batch)


def model(lib: Any, sizes: tuple[int, ...]) -> Any:
    layers: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        layers += [lib.nn.Linear(n_in, n_out), lib.nn.ReLU()]
    return lib.nn.Sequential(*layers[:-1])


def loss_of(lib: Any, model: Any, x: Any, y: Any) -> Any:
    return lib.nn.functional.cross_entropy(model(x), y)


def jax_forward(params: Any, x: Any) -> Any:
    for i in range(0, len(params), 2):
        x = x @ params[i].T + params[i + 1]
        x = jax.nn.relu(x) if i + 2 < len(params) else x
    return x


def jax_loss(params: Any, x: Any, y: Any) -> Any:
    logp = jax.nn.log_softmax(jax_forward(params, x))
    return -jax.numpy.take_along_axis(logp, y[:, None], 1).mean()


def train(sizes: tuple[int, ...], batch: int) -> Any:
    return train_sides(
        lambda lib: model(lib, sizes), loss_of, jax_loss, weights(sizes), data(sizes, batch)
    )


def infer(sizes: tuple[int, ...], batch: int) -> Any:
    x, _ = data(sizes, batch)
    return inference_sides(lambda lib: model(lib, sizes), jax_forward, weights(sizes), [x])


def rows() -> Iterator[Row]:
    for label, sizes, batch in (("tiny MLP 4-16-2", TINY, 8), ("MLP 784-512-512-10", MNIST, 128)):
        yield Row(f"{label}, b {batch}, train step", lambda s=sizes, b=batch: train(s, b))
        yield Row(f"{label}, b 1, inference", lambda s=sizes: infer(s, 1))
