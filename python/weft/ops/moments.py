"""Variance, standard deviation and norms."""

from __future__ import annotations

from typing import Any

from weft import _core
from weft._check import flag, not_tensors, real
from weft._core import Pointwise, Tensor
from weft._public import public
from weft._types import Dims
from weft.ops.reduce import mean, sum
from weft.ops.select import where

__all__ = ["norm", "std", "var"]

_root = Pointwise("root")


def _correction(
    name: str, dim: Any, unbiased: bool | None, correction: float | None
) -> tuple[Dims, float]:
    """Torch's two ways of saying what is taken from the count: a bool in place of ``dim`` or
    after it, or a number by keyword.
    """
    if isinstance(dim, bool):
        if unbiased is not None:
            raise TypeError(f"{name}: dim expected to be integers, got bool")
        dim, unbiased = None, dim
    if unbiased is None:
        return dim, 1 if correction is None else real(name, "correction", correction)
    if correction is not None:
        raise TypeError(f"{name}: expected unbiased or correction, got both")
    return dim, int(flag(name, "unbiased", unbiased))


def _variance(name: str, input: Tensor, dim: Dims, keepdim: bool, correction: float) -> Tensor:
    if not isinstance(input, Tensor):
        raise not_tensors(name, input=input)
    if not input.dtype.is_floating_point:
        raise TypeError(f"{name}: expected a floating-point input, got {input.dtype}")
    centred = input - mean(input, dim, True)
    total = sum(centred * centred, dim, flag(name, "keepdim", keepdim))
    count = input.numel() // (total.numel() or 1)
    return total / (count - correction if count > correction else 0.0)


@public(method=True)
def var(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance: squared distances from the mean over (number of elements - ``correction``).

    Args:
        input: floating-point.
        dim: along which dimensions; None for all. A truth value here is ``unbiased``.
        unbiased: the older form of ``correction``: False for 0, True for 1.
        keepdim: whether the dimensions stay, with size 1.
        correction: what is taken from the number of elements, 1 by default.

    Example:
        >>> weft.var(weft.tensor([1.0, 3.0]))
        tensor(2.)
    """
    dims, taken = _correction("var", dim, unbiased, correction)
    return _variance("var", input, dims, keepdim, taken)


@public(method=True)
def std(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation: the square root of :func:`var`, with its arguments.

    Its gradient at 0 is 0.

    Example:
        >>> weft.std(weft.tensor([1.0, 3.0]))
        tensor(1.4142)
    """
    dims, taken = _correction("std", dim, unbiased, correction)
    return _root(_variance("std", input, dims, keepdim, taken))


@public(method=True)
def norm(input: Tensor, p: float | str = 2, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The ``p``-norm: the sum of ``|x| ** p``, to the power ``1 / p``. Its gradient at 0 is 0.

    Args:
        input: floating-point.
        p: a positive number; ``inf`` for the largest absolute value, ``"fro"`` for 2.
        dim: along which dimensions; None for all.
        keepdim: whether these stay, with size 1.

    Example:
        >>> weft.norm(weft.tensor([3.0, 4.0]))
        tensor(5.)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("norm", input=input)
    if p in (2, "fro"):
        return _root(sum(input * input, dim, keepdim))
    if not isinstance(p, (int, float)) or p <= 0:
        raise ValueError(f"norm: expected a positive p or 'fro', got {p!r}")
    size = input.abs()
    if p == 1:
        return sum(size, dim, keepdim)
    if p == float("inf"):
        return _core.reduce("amax", size, dim, keepdim)
    return _power(sum(_power(size, p), dim, keepdim), 1 / p)


def _power(size: Tensor, p: float) -> Tensor:
    """``size ** p`` of numbers of at least 0, with gradient 0 at 0."""
    gone = size == 0
    return where(gone, size, where(gone, 1.0, size) ** p)
