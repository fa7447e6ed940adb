"""Shapes: views, joining, splitting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from weft import _core
from weft._check import in_range, whole
from weft._core import Tensor, dtype
from weft._pointwise import where


def _sizes(size: tuple[Any, ...]) -> Any:
    return size[0] if len(size) == 1 and not isinstance(size[0], int) else size


def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same elements in the same order under another shape; one size may be -1.

    A view where the memory allows it, else a copy.

    Example:
        >>> weft.reshape(weft.arange(4), (2, -1)).shape
        (2, 2)
    """
    return _core.reshape(input, _sizes(shape))


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
    return _core.view(input, _sizes(shape))


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.view(other.shape)``."""
    return _core.view(input, other.shape)


def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimensions reordered, without a copy.

    Example:
        >>> weft.permute(weft.zeros(2, 3, 4), (2, 0, 1)).shape
        (4, 2, 3)
    """
    return _core.permute(input, _sizes(dims))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged, without a copy.

    Example:
        >>> weft.transpose(weft.zeros(2, 3), 0, 1).shape
        (3, 2)
    """
    return _core.transpose(input, dim0, dim1)


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; a vector or number is returned as it is.

    Example:
        >>> weft.t(weft.zeros(2, 3)).shape
        (3, 2)
    """
    if input.ndim > 2:
        raise RuntimeError(f"t: expected at most 2 dimensions, got {input.ndim}")
    return input if input.ndim < 2 else _core.transpose(input, 0, 1)


def expand(input: Tensor, *size: Any) -> Tensor:
    """Repeated along dimensions of size 1 and new leading ones, without a copy.

    Example:
        >>> weft.ones(3, 1).expand(-1, 2).shape
        (3, 2)
    """
    return _core.expand(input, _sizes(size))


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """As :func:`expand`.

    Example:
        >>> weft.broadcast_to(weft.ones(3), (2, 3)).shape
        (2, 3)
    """
    return _core.expand(input, size)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.expand(other.shape)``."""
    return _core.expand(input, other.shape)


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Without dimensions of size 1: all of them, or those in ``dim``.

    Example:
        >>> weft.squeeze(weft.zeros(1, 3, 1)).shape
        (3,)
    """
    shape = input.shape
    if dim is None:
        return _core.reshape(input, [s for s in shape if s != 1])
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    gone = {in_range("squeeze", d, max(len(shape), 1)) for d in dims}
    return _core.reshape(input, [s for d, s in enumerate(shape) if not (d in gone and s == 1)])


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new dimension of size 1 at ``dim``.

    Example:
        >>> weft.unsqueeze(weft.zeros(3), 0).shape
        (1, 3)
    """
    shape = list(input.shape)
    shape.insert(in_range("unsqueeze", dim, len(shape) + 1), 1)
    return _core.reshape(input, shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions ``start_dim`` to ``end_dim`` merged into one.

    Example:
        >>> weft.flatten(weft.zeros(2, 3, 4), 1).shape
        (2, 12)
    """
    shape = input.shape or (1,)
    first, last = (
        in_range("flatten", start_dim, len(shape)),
        in_range("flatten", end_dim, len(shape)),
    )
    if first > last:
        raise RuntimeError("flatten: expected start_dim <= end_dim")
    merged = 1
    for size in shape[first : last + 1]:
        merged *= size
    return _core.reshape(input, (*shape[:first], merged, *shape[last + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension ``dim`` split into ``sizes``.

    Example:
        >>> weft.unflatten(weft.zeros(2, 12), 1, (3, 4)).shape
        (2, 3, 4)
    """
    at = in_range("unflatten", dim, input.ndim)
    return _core.reshape(input, (*input.shape[:at], *sizes, *input.shape[at + 1 :]))


def contiguous(input: Tensor) -> Tensor:
    """The tensor itself if it is contiguous, else a contiguous copy."""
    return input if input.is_contiguous() else _core.clone(input)


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``length`` indices from ``start`` along ``dim``, without a copy.

    Example:
        >>> weft.narrow(weft.arange(5), 0, 1, 3)
        tensor([1, 2, 3])
    """
    return _core.narrow(input, dim, start, length)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Index ``index`` of dimension ``dim``, without a copy.

    Example:
        >>> weft.select(weft.tensor([[1, 2], [3, 4]]), 1, 0)
        tensor([1, 3])
    """
    at = in_range("select", dim, input.ndim)
    return input[(*(slice(None),) * at, whole("select", "index", index))]


def _promoted(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    if not tensors:
        raise RuntimeError(f"{name}: expected at least one tensor, got none")
    kinds = [x.dtype for x in tensors]
    if all(kind is kinds[0] for kind in kinds):
        return list(tensors)
    order = ["bool", "uint8", "int32", "int64", "float32", "float64"]
    kind = max(kinds, key=lambda k: order.index(k.name))
    return [_core.cast(x, kind) for x in tensors]


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after the other along ``dim``.

    Example:
        >>> weft.cat([weft.zeros(2), weft.ones(1)])
        tensor([0., 0., 1.])
    """
    return _core.cat(_promoted("cat", tensors), dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape along a new dimension.

    Example:
        >>> weft.stack([weft.zeros(2), weft.ones(2)]).shape
        (2, 2)
    """
    shapes = {x.shape for x in tensors}
    if len(shapes) > 1:
        raise RuntimeError(f"stack: expected tensors of one shape, got {sorted(shapes)}")
    return _core.cat([unsqueeze(x, dim) for x in _promoted("stack", tensors)], dim)


def _few(op: str, count: int) -> None:
    """Raise MemoryError before more tensors are made than memory is likely to hold."""
    most = 1 << 22
    if count > most:
        raise MemoryError(f"{op}: expected at most {most} parts, got {count}")


def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Consecutive pieces along ``dim``: of one size (the last may be smaller), or of given sizes.

    While gradients are recorded the pieces cannot be changed in place.

    Example:
        >>> [len(part) for part in weft.split(weft.arange(5), 2)]
        [2, 2, 1]
    """
    at = in_range("split", dim, tensor.ndim)
    size = tensor.shape[at]
    if isinstance(split_size_or_sections, int):
        step = whole("split", "split_size", split_size_or_sections)
        if step <= 0:
            raise RuntimeError(f"split: expected a positive size, got {step}")
        _few("split", -(-size // step))
        sizes = [min(step, size - start) for start in range(0, size, step)] or [0]
    else:
        sizes = [whole("split", "sizes", size) for size in split_size_or_sections]
        if sum(sizes) != size or min(sizes, default=0) < 0:
            raise RuntimeError(f"split: expected sizes that add up to {size}, got {sizes}")
    parts, start = [], 0
    for part in sizes:
        parts.append(_core.narrow(tensor, at, start, part))
        start += part
    _core.several(parts)
    return tuple(parts)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` consecutive pieces of equal size (the last may be smaller).

    Example:
        >>> [len(part) for part in weft.chunk(weft.arange(5), 3)]
        [2, 2, 1]
    """
    count = whole("chunk", "chunks", chunks)
    if count < 1:
        raise RuntimeError(f"chunk: expected at least 1 chunk, got {chunks}")
    size = input.shape[in_range("chunk", dim, input.ndim)]
    return split(input, max(1, -(-size // count)), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along ``dim``, without that dimension.

    Example:
        >>> weft.unbind(weft.tensor([1, 2]))
        (tensor(1), tensor(2))
    """
    at = in_range("unbind", dim, input.ndim)
    _few("unbind", input.shape[at])
    parts = [select(input, at, i) for i in range(input.shape[at])]
    _core.several(parts)
    return tuple(parts)


def repeat(input: Tensor, *sizes: Any) -> Tensor:
    """A copy with the whole tensor repeated ``sizes`` times along each dimension.

    Example:
        >>> weft.tensor([1, 2]).repeat(2)
        tensor([1, 2, 1, 2])
    """
    given = _sizes(sizes)
    times = [whole("repeat", "sizes", n) for n in (given if isinstance(given, Sequence) else sizes)]
    if len(times) < input.ndim or min(times, default=0) < 0:
        raise RuntimeError(
            f"repeat: expected at least {input.ndim} numbers of 0 or more, got {times}"
        )
    shape = [1] * (len(times) - input.ndim) + list(input.shape)
    out = _core.clone(_core.reshape(input, shape))
    for dim, count in enumerate(times):
        if count != 1:
            outer, inner = math.prod(shape[:dim]), math.prod(shape[dim:])
            rows = _core.expand(_core.reshape(out, (outer, 1, inner)), (outer, count, inner))
            shape[dim] *= count
            out = _core.reshape(rows, shape)
    return out


def flip(input: Tensor, *dims: Any) -> Tensor:
    """A copy with the order reversed along ``dims``.

    Example:
        >>> weft.flip(weft.arange(3), (0,))
        tensor([2, 1, 0])
    """
    from weft._creation import int64

    named = _sizes(dims)
    out = input
    for dim in named if isinstance(named, (tuple, list)) else (named,):
        size = input.shape[in_range("flip", dim, input.ndim)]
        out = _core.index("index_select", out, dim, _core.arange(size - 1, -1, size, int64))
    return out


def fill_of(input: Tensor, value: Any) -> Tensor:
    """``value`` without dimensions and in the dtype of ``input``, to be chosen beside it."""
    if not isinstance(value, Tensor):
        return _core.full((), value, input.dtype)
    if value.ndim:
        raise RuntimeError(
            f"masked_fill: expected a number or a tensor without dimensions, got {value.shape}"
        )
    return _core.cast(value, input.dtype)


def _triangle(name: str, input: Tensor, diagonal: int, lower: bool) -> Tensor:
    from weft._creation import arange

    diagonal = whole(name, "diagonal", diagonal)
    if input.ndim < 2:
        raise RuntimeError(f"{name}: expected at least 2 dimensions, got {input.ndim}")
    rows, columns = arange(input.shape[-2])[:, None] + diagonal, arange(input.shape[-1])
    keep = columns <= rows if lower else columns >= rows
    return where(keep, input, fill_of(input, 0))


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices; zeros above ``diagonal``.

    Example:
        >>> weft.tril(weft.ones(2, 2))
        tensor([[1., 0.],
                [1., 1.]])
    """
    return _triangle("tril", input, diagonal, True)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices; zeros below ``diagonal``.

    Example:
        >>> weft.triu(weft.ones(2, 2))
        tensor([[1., 1.],
                [0., 1.]])
    """
    return _triangle("triu", input, diagonal, False)
