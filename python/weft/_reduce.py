"""Reductions and running sums.

``dim`` is a dimension, a tuple of them, or ``None`` for all; ``keepdim`` keeps them with size
1. Sums follow a tree that depends on the length alone, so that results have the same bits for
any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from weft import _core
from weft._check import flag, real, whole
from weft._core import Pointwise, Tensor, dtype
from weft._pointwise import eq, maximum, minimum, where

_root = Pointwise("root")

Dims = int | Sequence[int] | None


class Extreme(NamedTuple):
    """Extreme values along a dimension, and where they are."""

    values: Tensor
    indices: Tensor


def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Sum of elements; integers and bool sum to int64.

    Example:
        >>> weft.sum(weft.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
        tensor([3., 7.])
    """
    return _core.reduce("sum", input if dtype is None else _core.cast(input, dtype), dim, keepdim)


def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """Mean of elements (floating-point only).

    Example:
        >>> weft.mean(weft.tensor([1.0, 2.0]))
        tensor(1.5)
    """
    return _core.reduce("mean", input if dtype is None else _core.cast(input, dtype), dim, keepdim)


def prod(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Product of elements.

    Example:
        >>> weft.prod(weft.tensor([2.0, 3.0]))
        tensor(6.)
    """
    return _core.reduce("prod", input, dim, keepdim)


def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Largest elements; NaN if any is.

    Example:
        >>> weft.amax(weft.tensor([2.0, 3.0]))
        tensor(3.)
    """
    return _core.reduce("amax", input, dim, keepdim)


def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Smallest elements; NaN if any is.

    Example:
        >>> weft.amin(weft.tensor([2.0, 3.0]))
        tensor(2.)
    """
    return _core.reduce("amin", input, dim, keepdim)


def _one(name: str, dim: int | None) -> int | None:
    return None if dim is None else whole(name, "dim", dim)


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the first largest element along ``dim``, or in the flattened tensor.

    Example:
        >>> weft.argmax(weft.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
        tensor([1, 0])
    """
    return _core.reduce("argmax", input, _one("argmax", dim), keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the first smallest element along ``dim``, or in the flattened tensor.

    Example:
        >>> weft.argmin(weft.tensor([4.0, 2.0]))
        tensor(1)
    """
    return _core.reduce("argmin", input, _one("argmin", dim), keepdim)


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element is nonzero: bool, or uint8 for uint8.

    Example:
        >>> weft.any(weft.tensor([False, True]))
        tensor(True)
    """
    return _core.reduce("any", input, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are nonzero: bool, or uint8 for uint8.

    Example:
        >>> weft.all(weft.tensor([False, True]))
        tensor(False)
    """
    return _core.reduce("all", input, dim, keepdim)


def _extreme(kind: str, input: Tensor, dim: int, keepdim: bool) -> Extreme:
    flag(kind, "keepdim", keepdim)
    index = _core.reduce("arg" + kind, input, whole(kind, "dim", dim), True)
    if input.ndim == 0:
        return Extreme(_core.clone(input), index)
    values = _core.index("gather", input, dim, index)
    if keepdim:
        return Extreme(values, index)
    return Extreme(values.squeeze(dim), index.squeeze(dim))


@overload
def max(input: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def max(input: Tensor, dim: int, keepdim: bool = False) -> Extreme: ...
def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The largest element; with ``dim`` also where it is; with a tensor, the elementwise larger.

    Example:
        >>> weft.max(weft.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).indices
        tensor([1, 0])
    """
    if dim is None:
        return amax(input)
    if isinstance(dim, Tensor):
        return maximum(input, dim)
    return _extreme("max", input, dim, keepdim)


@overload
def min(input: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> Extreme: ...
def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The smallest element; with ``dim`` also where it is; with a tensor, the elementwise smaller.

    Example:
        >>> weft.min(weft.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).values
        tensor([1., 2.])
    """
    if dim is None:
        return amin(input)
    if isinstance(dim, Tensor):
        return minimum(input, dim)
    return _extreme("min", input, dim, keepdim)


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
    if not input.dtype.is_floating_point:
        raise TypeError(f"{name}: expected a floating-point input, got {input.dtype}")
    centred = input - mean(input, dim, True)
    total = sum(centred * centred, dim, flag(name, "keepdim", keepdim))
    count = input.numel() // (total.numel() or 1)
    return total / (count - correction if count > correction else 0.0)


def var(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Variance: squared distances from the mean over (number of elements - ``correction``).

    ``correction`` is 1 by default; ``unbiased`` is its older form: False for 0, True for 1.
    It comes after ``dim``, or in its place: ``x.var(0, False)``, ``x.var(False)``.

    Example:
        >>> weft.var(weft.tensor([1.0, 3.0]))
        tensor(2.)
    """
    dims, taken = _correction("var", dim, unbiased, correction)
    return _variance("var", input, dims, keepdim, taken)


def std(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """Standard deviation: the square root of :func:`var`, with its arguments;
    its gradient at 0 is 0.

    Example:
        >>> weft.std(weft.tensor([1.0, 3.0]))
        tensor(1.4142)
    """
    dims, taken = _correction("std", dim, unbiased, correction)
    return _root(_variance("std", input, dims, keepdim, taken))


def norm(input: Tensor, p: float | str = 2, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The ``p``-norm of the elements (2, 1, ``inf`` or any positive number; ``"fro"`` is 2).

    The gradient at 0 is 0.

    Example:
        >>> weft.norm(weft.tensor([3.0, 4.0]))
        tensor(5.)
    """
    if p in (2, "fro"):
        return _root(sum(input * input, dim, keepdim))
    if not isinstance(p, (int, float)) or p <= 0:
        raise ValueError(f"norm: expected a positive p or 'fro', got {p!r}")
    size = input.abs()
    if p == 1:
        return sum(size, dim, keepdim)
    if p == float("inf"):
        return amax(size, dim, keepdim)
    return _power(sum(_power(size, p), dim, keepdim), 1 / p)


def _power(size: Tensor, p: float) -> Tensor:
    """``size ** p`` of numbers of at least 0, with gradient 0 at 0."""
    gone = size == 0
    return where(gone, size, where(gone, 1.0, size) ** p)


def cumsum(input: Tensor, dim: int) -> Tensor:
    """Running sum along ``dim``, added up in double precision; integers and bool give int64.

    Example:
        >>> weft.cumsum(weft.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """
    return _core.cumsum(input, dim)


def logsumexp(input: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(input)))`` along ``dim``, without overflow.

    Example:
        >>> weft.logsumexp(weft.tensor([1000.0, 1000.0]), dim=0)
        tensor(1000.6932)
    """
    out = _core.softmax("logsumexp", input, dim)
    return out if flag("logsumexp", "keepdim", keepdim) else out.squeeze(dim)


def softmax(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """``exp(input) / sum(exp(input))`` along ``dim``.

    Example:
        >>> weft.softmax(weft.tensor([0.0, 0.0]), dim=0)
        tensor([0.5, 0.5])
    """
    return _core.softmax("softmax", input if dtype is None else _core.cast(input, dtype), dim)


def log_softmax(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """The logarithm of :func:`softmax`, without underflow.

    Example:
        >>> weft.log_softmax(weft.tensor([0.0, 0.0]), dim=0)
        tensor([-0.6931, -0.6931])
    """
    return _core.softmax("log_softmax", input if dtype is None else _core.cast(input, dtype), dim)


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have one shape and equal elements.

    Example:
        >>> weft.equal(weft.ones(2), weft.ones(2))
        True
    """
    same = input.shape == other.shape
    return same and bool(all(eq(input, other)))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` everywhere.

    Example:
        >>> weft.allclose(weft.ones(2), weft.ones(2) + 1e-7)
        True
    """
    import numpy as np

    for name, most in (("rtol", rtol), ("atol", atol)):
        if not real("allclose", name, most) >= 0:
            raise ValueError(f"allclose: {name} expected to be 0 or more, got {most}")
    flag("allclose", "equal_nan", equal_nan)
    a, b = input.detach().numpy(), other.detach().numpy()
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan))
