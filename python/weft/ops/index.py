"""Gathering and scattering by index."""

from __future__ import annotations

from weft import _core
from weft._check import flag, in_range, not_tensors
from weft._core import Tensor
from weft._public import method, public
from weft._types import Operand, bool_, int32, int64
from weft.ops.select import where

__all__ = [
    "gather", "index_add", "index_select", "masked_select", "nonzero", "scatter", "scatter_add",
    "take_along_dim",
]  # fmt: skip


@public(method=True)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of ``input`` at the indices (1-D, int64 or int32) along ``dim``.

    Raises:
        IndexError: an index lies outside ``0..input.shape[dim]``.

    Example:
        >>> weft.index_select(weft.tensor([1.0, 2.0, 3.0]), 0, weft.tensor([2, 0]))
        tensor([3., 1.])
    """
    return _core.index("index_select", input, dim, index)


@public(method=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``input`` with the slices of ``source`` added at the indices along ``dim``, in order.

    Example:
        >>> weft.index_add(weft.zeros(2), 0, weft.tensor([1, 1]), weft.tensor([1.0, 2.0]))
        tensor([0., 3.])
    """
    if not isinstance(source, Tensor):
        raise not_tensors("index_add", source=source)
    return _core.index("index_add", input, dim, index, source)


@public(method=True)
def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """One element per index: ``out[i][j] = input[index[i][j]][j]`` for ``dim=0``.

    Example:
        >>> weft.gather(weft.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, weft.tensor([[1], [0]]))
        tensor([[2.],
                [3.]])
    """
    return _core.index("gather", input, dim, index)


def _source(input: Tensor, index: Tensor, src: Operand) -> Tensor:
    if not isinstance(src, Tensor):
        return _core.full(index.shape, src, input.dtype)
    if src.shape != index.shape:
        for dim, size in enumerate(index.shape):
            src = _core.narrow(src, dim, 0, size)
    return src


@public(method=True)
def scatter(input: Tensor, dim: int, index: Tensor, src: Operand) -> Tensor:
    """``input`` with ``out[index[i][j]][j] = src[i][j]`` for ``dim=0``; of several the last stays.

    Example:
        >>> weft.scatter(weft.zeros(3), 0, weft.tensor([1]), 5.0)
        tensor([0., 5., 0.])
    """
    if not isinstance(index, Tensor):
        raise not_tensors("scatter", index=index)
    return _core.index("scatter", input, dim, index, _source(input, index, src))


@public(method=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``input`` with ``out[index[i][j]][j] += src[i][j]`` for ``dim=0``.

    Example:
        >>> weft.scatter_add(weft.zeros(2), 0, weft.tensor([1, 1]), weft.tensor([1.0, 2.0]))
        tensor([0., 3.])
    """
    if not isinstance(index, Tensor):
        raise not_tensors("scatter_add", index=index)
    return _core.index("scatter_add", input, dim, index, _source(input, index, src))


@public(method=True)
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements at which the mask holds, 1-D. Its length depends on values, so it cannot be
    compiled.

    Raises:
        TypeError: the mask is not bool.

    Example:
        >>> weft.masked_select(weft.tensor([1.0, 2.0]), weft.tensor([False, True]))
        tensor([2.])
    """
    if not (isinstance(input, Tensor) and isinstance(mask, Tensor)):
        raise not_tensors("masked_select", input=input, mask=mask)
    if mask.dtype is not bool_:
        raise TypeError(f"masked_select: mask expected to be bool, got {mask.dtype}")
    return _core.expand(input, mask.shape)[mask]


@public(method=True)
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """Indices of the nonzero elements: ``[n, ndim]``, or one vector per dimension.

    A tensor without dimensions counts as a vector of one element with ``as_tuple``.

    Example:
        >>> weft.nonzero(weft.tensor([0.0, 3.0]))
        tensor([[1]])
    """
    flag("nonzero", "as_tuple", as_tuple)
    flat = _core.nonzero_flat(input)
    if as_tuple and input.ndim == 0:
        return (flat,)
    columns = []
    for size in reversed(input.shape):
        columns.append(flat % max(size, 1))
        flat = flat // max(size, 1)
    columns.reverse()
    if as_tuple:
        return tuple(columns)
    if not columns:
        return _core.full((len(flat), 0), 0, int64)
    return _core.cat([_core.reshape(c, (-1, 1)) for c in columns], 1)


@public(method=True)
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """One element per index along ``dim``; the other dimensions of both broadcast.

    Negative indices count from the end. Without ``dim`` both count as flat.

    Example:
        >>> weft.take_along_dim(weft.tensor([[5.0, 6.0], [7.0, 8.0]]), weft.tensor([[1]]), 1)
        tensor([[6.],
                [8.]])
    """
    if not (isinstance(input, Tensor) and isinstance(indices, Tensor)):
        raise not_tensors("take_along_dim", input=input, indices=indices)
    if dim is None:
        input, indices, dim = _core.reshape(input, (-1,)), _core.reshape(indices, (-1,)), 0
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "take_along_dim: expected indices with as many dimensions as the input, "
            f"got {indices.ndim} and {input.ndim}"
        )
    at = in_range("take_along_dim", dim, input.ndim)
    if indices.dtype is not int64 and indices.dtype is not int32:
        raise RuntimeError(f"take_along_dim: expected int64 or int32 indices, got {indices.dtype}")
    pairs = list(zip(input.shape, indices.shape, strict=True))
    if any(1 not in pair and pair[0] != pair[1] for d, pair in enumerate(pairs) if d != at):
        raise RuntimeError(
            f"take_along_dim: shapes do not broadcast apart from dimension {at}, "
            f"got {input.shape} and {indices.shape}"
        )
    common = [b if a == 1 else a for a, b in pairs]
    common[at] = input.shape[at]
    source = _core.expand(input, common)
    common[at] = indices.shape[at]
    places = _core.expand(indices, common)
    return _core.index("gather", source, at, where(places < 0, places + input.shape[at], places))


@method()
def scatter_(self: Tensor, dim: int, index: Tensor, src: Operand) -> Tensor:
    """``weft.scatter`` in place."""
    return self.copy_(scatter(self, dim, index, src))


@method()
def scatter_add_(self: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``weft.scatter_add`` in place."""
    return self.copy_(scatter_add(self, dim, index, src))


@method()
def index_add_(self: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``weft.index_add`` in place."""
    if not isinstance(source, Tensor):
        raise not_tensors("index_add_", source=source)
    return self.copy_(_core.index("index_add", self, dim, index, source))
