"""Shapes: the same elements seen otherwise, mostly without a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from weft import _core
from weft._check import in_range, not_tensors, sequence, whole
from weft._core import Tensor, dtype
from weft._public import alias, method, public

__all__ = [
    "broadcast_to", "flatten", "narrow", "permute", "reshape", "select", "squeeze", "swapaxes",
    "swapdims", "t", "transpose", "unflatten", "unsqueeze",
]  # fmt: skip


def sizes_of(size: tuple[Any, ...]) -> Any:
    """Sizes or dimensions that were given one by one, or as one sequence."""
    return size[0] if len(size) == 1 and not isinstance(size[0], int) else size


@public(method=True)
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in the same order under another shape; one size may be -1.

    A view where the memory allows it, else a copy.

    Example:
        >>> weft.reshape(weft.arange(4), (2, -1)).shape
        (2, 2)
    """
    return _core.reshape(input, sizes_of(shape))


@method()
def view(input: Tensor, *shape: Any) -> Tensor:
    """As :func:`reshape`, but never a copy; ``view(dtype)`` is not supported.

    Raises:
        RuntimeError: the elements do not lie in memory so that the shape can be seen in them.

    Example:
        >>> weft.arange(4).view(2, 2).shape
        (2, 2)
    """
    if len(shape) == 1 and isinstance(shape[0], dtype):
        raise TypeError("view: reading memory as another dtype is not supported. Use .to(dtype)")
    return _core.view(input, sizes_of(shape))


@method()
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.view(other.shape)``."""
    if not isinstance(other, Tensor):
        raise not_tensors("view_as", other=other)
    return _core.view(input, other.shape)


@public(method=True)
def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimensions reordered, without a copy.

    Example:
        >>> weft.permute(weft.zeros(2, 3, 4), (2, 0, 1)).shape
        (4, 2, 3)
    """
    return _core.permute(input, sizes_of(dims))


@public(method=True)
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged, without a copy.

    Example:
        >>> weft.transpose(weft.zeros(2, 3), 0, 1).shape
        (3, 2)
    """
    return _core.transpose(input, dim0, dim1)


swapaxes = alias("swapaxes", transpose)
swapdims = alias("swapdims", transpose)


@public(method=True)
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or number is returned as it is.

    Example:
        >>> weft.t(weft.zeros(2, 3)).shape
        (3, 2)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("t", input=input)
    if input.ndim > 2:
        raise RuntimeError(f"t: expected at most 2 dimensions, got {input.ndim}")
    return input if input.ndim < 2 else _core.transpose(input, 0, 1)


@method()
def expand(input: Tensor, *size: Any) -> Tensor:
    """Repeated along dimensions of size 1 and new leading ones, without a copy.

    Example:
        >>> weft.ones(3, 1).expand(-1, 2).shape
        (3, 2)
    """
    return _core.expand(input, sizes_of(size))


@public(method=True)
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """As :func:`expand`.

    Example:
        >>> weft.broadcast_to(weft.ones(3), (2, 3)).shape
        (2, 3)
    """
    return _core.expand(input, size)


@method()
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.expand(other.shape)``."""
    if not isinstance(other, Tensor):
        raise not_tensors("expand_as", other=other)
    return _core.expand(input, other.shape)


@public(method=True)
def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without dimensions of size 1: all of them, or those in ``dim``.

    Example:
        >>> weft.squeeze(weft.zeros(1, 3, 1)).shape
        (3,)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("squeeze", input=input)
    shape = input.shape
    if dim is None:
        return _core.reshape(input, [s for s in shape if s != 1])
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    gone = {in_range("squeeze", d, max(len(shape), 1)) for d in dims}
    return _core.reshape(input, [s for d, s in enumerate(shape) if not (d in gone and s == 1)])


@public(method=True)
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new dimension of size 1 at ``dim``.

    Example:
        >>> weft.unsqueeze(weft.zeros(3), 0).shape
        (1, 3)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("unsqueeze", input=input)
    shape = list(input.shape)
    shape.insert(in_range("unsqueeze", dim, len(shape) + 1), 1)
    return _core.reshape(input, shape)


@public(method=True)
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` merged into one.

    Example:
        >>> weft.flatten(weft.zeros(2, 3, 4), 1).shape
        (2, 12)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("flatten", input=input)
    shape = input.shape or (1,)
    first, last = (
        in_range("flatten", start_dim, len(shape), "start_dim"),
        in_range("flatten", end_dim, len(shape), "end_dim"),
    )
    if first > last:
        raise RuntimeError("flatten: expected start_dim <= end_dim")
    merged = 1
    for size in shape[first : last + 1]:
        merged *= size
    return _core.reshape(input, (*shape[:first], merged, *shape[last + 1 :]))


@public(method=True)
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` split into ``sizes``.

    Example:
        >>> weft.unflatten(weft.zeros(2, 12), 1, (3, 4)).shape
        (2, 3, 4)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("unflatten", input=input)
    at = in_range("unflatten", dim, input.ndim)
    parts = [whole("unflatten", "sizes", size) for size in sequence("unflatten", "sizes", sizes)]
    return _core.reshape(input, (*input.shape[:at], *parts, *input.shape[at + 1 :]))


@method()
def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if it is contiguous, else a contiguous copy."""
    return input if input.is_contiguous() else _core.clone(input)


@public(method=True)
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``length`` indices from ``start`` along ``dim``, without a copy.

    Example:
        >>> weft.narrow(weft.arange(5), 0, 1, 3)
        tensor([1, 2, 3])
    """
    return _core.narrow(input, dim, start, length)


@public(method=True)
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Index ``index`` of dimension ``dim``, without a copy.

    Example:
        >>> weft.select(weft.tensor([[1, 2], [3, 4]]), 1, 0)
        tensor([1, 3])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("select", input=input)
    at = in_range("select", dim, input.ndim)
    return input[(*(slice(None),) * at, whole("select", "index", index))]
