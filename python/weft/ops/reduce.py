"""Reductions along dimensions, and running sums.

``dim`` is a dimension, a tuple of them, or ``None`` for all; ``keepdim`` keeps them with size
1. Sums follow a tree that depends on the length alone, so that results have the same bits for
any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple, overload

from weft import _core
from weft._check import flag, not_tensors, whole
from weft._core import Tensor, dtype
from weft._public import public
from weft._types import Dims
from weft.ops.binary import maximum, minimum

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "cumsum", "log_softmax", "logsumexp", "max",
    "mean", "min", "prod", "softmax", "sum",
]  # fmt: skip


class Extreme(NamedTuple):
    """Extreme values along a dimension, and where they are."""

    values: Tensor
    indices: Tensor


@public(method=True)
def sum(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """The sum of elements; whole numbers and truth values add up to int64.

    Args:
        input: any tensor; ``dtype``, if given, is what it becomes first.
        dim: along which dimensions; None for all.
        keepdim: whether these stay, with size 1.
        dtype: of the terms and of the sum.

    Example:
        >>> weft.sum(weft.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
        tensor([3., 7.])
    """
    return _core.reduce("sum", input if dtype is None else _core.cast(input, dtype), dim, keepdim)


@public(method=True)
def mean(
    input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: dtype | None = None
) -> Tensor:
    """The mean of elements; of none NaN.

    Args:
        input: floating-point, or ``dtype`` is given, which it becomes first.
        dim: along which dimensions; None for all.
        keepdim: whether these stay, with size 1.
        dtype: of the terms and of the mean.

    Raises:
        TypeError: whole numbers, which have no mean of their own dtype.

    Example:
        >>> weft.mean(weft.tensor([1.0, 2.0]))
        tensor(1.5)
    """
    return _core.reduce("mean", input if dtype is None else _core.cast(input, dtype), dim, keepdim)


@public(method=True)
def prod(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The product of elements; of whole numbers and truth values int64, which wraps.

    Example:
        >>> weft.prod(weft.tensor([2.0, 3.0]))
        tensor(6.)
    """
    return _core.reduce("prod", input, dim, keepdim)


@public(method=True)
def amax(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The largest elements; NaN if any is. Equal ones share the gradient.

    Raises:
        RuntimeError: along a dimension of size 0.

    Example:
        >>> weft.amax(weft.tensor([2.0, 3.0]))
        tensor(3.)
    """
    return _core.reduce("amax", input, dim, keepdim)


@public(method=True)
def amin(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The smallest elements; NaN if any is. Equal ones share the gradient.

    Raises:
        RuntimeError: along a dimension of size 0.

    Example:
        >>> weft.amin(weft.tensor([2.0, 3.0]))
        tensor(2.)
    """
    return _core.reduce("amin", input, dim, keepdim)


def _one(name: str, dim: int | None) -> int | None:
    return None if dim is None else whole(name, "dim", dim)


@public(method=True)
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index, int64, of the first largest element along ``dim``; NaN counts as largest.

    Without ``dim`` the tensor counts as flat.

    Example:
        >>> weft.argmax(weft.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
        tensor([1, 0])
    """
    return _core.reduce("argmax", input, _one("argmax", dim), keepdim)


@public(method=True)
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index, int64, of the first smallest element along ``dim``; NaN counts as smallest.

    Without ``dim`` the tensor counts as flat.

    Example:
        >>> weft.argmin(weft.tensor([4.0, 2.0]))
        tensor(1)
    """
    return _core.reduce("argmin", input, _one("argmin", dim), keepdim)


@public(method=True)
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element is nonzero: bool, or uint8 of uint8. Of none, False.

    Example:
        >>> weft.any(weft.tensor([False, True]))
        tensor(True)
    """
    return _core.reduce("any", input, dim, keepdim)


@public(method=True)
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are nonzero: bool, or uint8 of uint8. Of none, True.

    Example:
        >>> weft.all(weft.tensor([False, True]))
        tensor(False)
    """
    return _core.reduce("all", input, dim, keepdim)


def _extreme(kind: str, input: Tensor, dim: int, keepdim: bool) -> Extreme:
    if not isinstance(input, Tensor):
        raise not_tensors(kind, input=input)
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
@public(method=True)
def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The largest element; NaN if any is.

    Args:
        input: any tensor with elements.
        dim: a dimension: the result is the pair ``values, indices`` of the largest elements
            along it. Or a second tensor: the result is :func:`maximum` of both.
        keepdim: whether the dimension stays, with size 1.

    Example:
        >>> weft.max(weft.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).indices
        tensor([1, 0])
    """
    if dim is None:
        return _core.reduce("amax", input, None, False)
    if isinstance(dim, Tensor):
        return maximum(input, dim)
    return _extreme("max", input, dim, keepdim)


@overload
def min(input: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, dim: Tensor) -> Tensor: ...
@overload
def min(input: Tensor, dim: int, keepdim: bool = False) -> Extreme: ...
@public(method=True)
def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The smallest element; NaN if any is.

    Args:
        input: any tensor with elements.
        dim: a dimension: the result is the pair ``values, indices`` of the smallest elements
            along it. Or a second tensor: the result is :func:`minimum` of both.
        keepdim: whether the dimension stays, with size 1.

    Example:
        >>> weft.min(weft.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1).values
        tensor([1., 2.])
    """
    if dim is None:
        return _core.reduce("amin", input, None, False)
    if isinstance(dim, Tensor):
        return minimum(input, dim)
    return _extreme("min", input, dim, keepdim)


@public(method=True)
def cumsum(input: Tensor, dim: int) -> Tensor:
    """The running sum along ``dim``, added up in double precision and in order.

    Whole numbers and truth values give int64.

    Example:
        >>> weft.cumsum(weft.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """
    return _core.cumsum(input, dim)


@public(method=True)
def logsumexp(input: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(input)))`` along ``dim``, without overflow: the largest element is taken out.

    Example:
        >>> weft.logsumexp(weft.tensor([1000.0, 1000.0]), dim=0)
        tensor(1000.6932)
    """
    out = _core.softmax("logsumexp", input, dim)
    return out if flag("logsumexp", "keepdim", keepdim) else out.squeeze(dim)


@public(where=("weft", "nn.functional"), method=True)
def softmax(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """``exp(input) / sum(exp(input))`` along ``dim``, without overflow.

    Args:
        input: floating-point, or ``dtype`` is given.
        dim: the dimension along which results add up to 1.
        dtype: what ``input`` becomes first.

    Example:
        >>> weft.softmax(weft.tensor([0.0, 0.0]), dim=0)
        tensor([0.5, 0.5])
    """
    return _core.softmax("softmax", input if dtype is None else _core.cast(input, dtype), dim)


@public(where=("weft", "nn.functional"), method=True)
def log_softmax(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """The logarithm of :func:`softmax`, exact also where that is close to 0.

    Example:
        >>> weft.log_softmax(weft.tensor([0.0, 0.0]), dim=0)
        tensor([-0.6931, -0.6931])
    """
    return _core.softmax("log_softmax", input if dtype is None else _core.cast(input, dtype), dim)
