"""Large arrays: pointwise chains, layer-norm, products of matrices."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benches.models import function_sides
from benches.peers import jax
from benches.timing import Row, Side


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, np.float32)


def gelu_norm(lib: Any, x: Any, scale: Any, shift: Any) -> Any:
    functional = lib.nn.functional
    y = functional.gelu(x) * 1.5 + x.tanh()
    return functional.layer_norm(y, (y.shape[-1],), scale, shift)


def jax_gelu_norm(x: Any, scale: Any, shift: Any) -> Any:
    y = jax.nn.gelu(x, approximate=False) * 1.5 + jax.numpy.tanh(x)
    y = y - y.mean(-1, keepdims=True)
    return y * jax.lax.rsqrt((y * y).mean(-1, keepdims=True) + 1e-5) * scale + shift


def six(lib: Any, x: Any, y: Any) -> Any:
    return ((x * y + 1.5).sigmoid() * x - y) * 0.5


def jax_six(x: Any, y: Any) -> Any:
    return (jax.nn.sigmoid(x * y + 1.5) * x - y) * 0.5


def product(size: int) -> dict[str, Side]:
    data = [normal(size, size), normal(size, size)]
    return function_sides(lambda lib, a, b: a @ b, lambda a, b: a @ b, data)


def gelu_norm_sides() -> dict[str, Side]:
    data = [normal(4096, 1024), normal(1024), normal(1024)]
    return function_sides(gelu_norm, jax_gelu_norm, data)


def rows() -> Iterator[Row]:
    yield Row("gelu(x)*1.5 + tanh(x), layer-norm, 4096x1024", gelu_norm_sides)
    for label, size in (("10 M", 10_000_000), ("64 K", 65_536)):
        yield Row(
            f"6 pointwise ops with a sigmoid, {label}",
            lambda n=size: function_sides(six, jax_six, [normal(n), normal(n)[::-1].copy()]),
        )
    for size in (64, 256, 1024, 2048):
        yield Row(f"matmul {size}", lambda n=size: product(n), checked=3)
