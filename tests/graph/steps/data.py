"""Small data of real shapes."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import weft


def digits(n: int = 24, size: int = 64, classes: int = 10) -> tuple[Any, Any]:
    """Images as rows and their classes."""
    rng = np.random.default_rng(5)
    images = rng.random((n, size), dtype=np.float32)
    return weft.tensor(images), weft.tensor(rng.integers(0, classes, n))


def text(n: int = 12, length: int = 8, vocabulary: int = 20) -> tuple[Any, Any]:
    """Sequences of tokens and the tokens that follow."""
    rng = np.random.default_rng(6)
    tokens = weft.tensor(rng.integers(0, vocabulary, (n, length + 1)))
    return tokens[:, :-1].clone(), tokens[:, 1:].clone()


def table(n: int = 24, columns: int = 6) -> tuple[Any, Any]:
    """Rows of numbers and a number for each."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    return weft.tensor(x), weft.tensor((x.sum(1, keepdims=True) > 0).astype(np.float32))


@dataclass
class Batch:
    """A batch as a data class."""

    images: Any
    labels: Any
    weight: float = 1.0


class Sample(NamedTuple):
    """A batch as a named tuple."""

    inputs: Any
    targets: Any
