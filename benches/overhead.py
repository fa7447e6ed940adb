"""What one small operation costs, and a chain of them with gradients."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import weft
from benches.models import libraries
from benches.peers import jax, torch
from benches.timing import EAGER, JAX, NUMPY, TORCH, Row, Side

START = np.array([[0.5, -1.0], [2.0, 0.25]], np.float32)


def add(grad: bool) -> dict[str, Side]:
    """``a + b`` without any call around it."""
    sides = {}
    for column, lib in ((EAGER, weft), (TORCH, torch)):
        if lib is None:
            continue
        a, b = (lib.from_numpy(START.copy()) for _ in range(2))
        if grad:
            a.requires_grad = b.requires_grad = True
        sides[column] = Side(
            lambda a=a, b=b: a + b, lib.enable_grad if grad else lib.no_grad,
            "a + b", {"a": a, "b": b},
        )  # fmt: skip
    if not grad:
        sides[NUMPY] = Side(
            lambda: START + START, statement="a + b", scope={"a": START, "b": START.copy()}
        )
    return sides


def twenty(x: Any, w: Any, b: Any) -> Any:
    """Twenty operations and a sum."""
    y = x
    for _ in range(5):
        y = (y * w + b).tanh() - x
    return y.sum()


def chain() -> dict[str, Side]:
    """Forward, backward, and the gradient as result."""
    sides = {}
    for column, lib, wrap in libraries():
        if column == "torch.compile":
            continue
        x, w, b = (lib.from_numpy(START * f) for f in (1.0, 0.5, 0.1))
        w.requires_grad = b.requires_grad = True

        def run(x: Any = x, w: Any = w, b: Any = b) -> Any:
            w.grad = b.grad = None
            twenty(x, w, b).backward()
            return w.grad

        sides[column] = Side(wrap(run))
    if jax is not None:
        x, w, b = (jax.numpy.array(START * f) for f in (1.0, 0.5, 0.1))

        def loss(w: Any, b: Any, x: Any) -> Any:
            y = x
            for _ in range(5):
                y = jax.numpy.tanh(y * w + b) - x
            return y.sum()

        fast = jax.jit(jax.grad(loss, (0, 1)))
        sides[JAX] = Side(lambda: fast(w, b, x)[0].block_until_ready())
    return sides


def rows() -> Iterator[Row]:
    yield Row("a + b, 2x2, no grad", lambda: add(False))
    yield Row("a + b, 2x2, with grad", lambda: add(True))
    yield Row("20 ops, 2x2, forward and backward", chain)
