"""Joining, splitting, repeating and reversing tensors."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from weft import _core
from weft._check import in_range, not_tensors, sequence, whole
from weft._core import Tensor
from weft._public import alias, method, public
from weft._types import int64
from weft.ops.shape import select, sizes_of, unsqueeze

__all__ = ["cat", "chunk", "concat", "concatenate", "flip", "split", "stack", "unbind"]


def _promoted(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    for x in sequence(name, "tensors", tensors):
        if not isinstance(x, Tensor):
            raise not_tensors(name, tensors=x)
    if not tensors:
        raise RuntimeError(f"{name}: expected at least one tensor, got none")
    kinds = [x.dtype for x in tensors]
    if all(kind is kinds[0] for kind in kinds):
        return list(tensors)
    kind = functools.reduce(_core.promote_types, kinds)
    return [_core.cast(x, kind) for x in tensors]


@public()
def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after the other along ``dim``.

    Example:
        >>> weft.cat([weft.zeros(2), weft.ones(1)])
        tensor([0., 0., 1.])
    """
    return _core.cat(_promoted("cat", tensors), dim)


concat = alias("concat", cat)
concatenate = alias("concatenate", cat)


@public()
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape along a new dimension.

    Example:
        >>> weft.stack([weft.zeros(2), weft.ones(2)]).shape
        (2, 2)
    """
    alike = _promoted("stack", tensors)
    shapes = {x.shape for x in alike}
    if len(shapes) > 1:
        raise RuntimeError(f"stack: expected tensors of one shape, got {sorted(shapes)}")
    at = in_range("stack", dim, alike[0].ndim + 1)
    return _core.cat([unsqueeze(x, at) for x in alike], at)


def _few(op: str, count: int) -> None:
    """Raise MemoryError before more tensors are made than memory is likely to hold."""
    most = 1 << 22
    if count > most:
        raise MemoryError(f"{op}: expected at most {most} parts, got {count}")


@public(method=True)
def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Consecutive pieces along ``dim``: of one size (the last may be smaller), or of given sizes.

    While gradients are recorded the pieces cannot be changed in place.

    Example:
        >>> [len(part) for part in weft.split(weft.arange(5), 2)]
        [2, 2, 1]
    """
    if not isinstance(tensor, Tensor):
        raise not_tensors("split", tensor=tensor)
    at = in_range("split", dim, tensor.ndim)
    size = tensor.shape[at]
    if isinstance(split_size_or_sections, int):
        step = whole("split", "split_size", split_size_or_sections)
        if step <= 0:
            raise RuntimeError(f"split: expected a positive size, got {step}")
        _few("split", -(-size // step))
        sizes = [min(step, size - start) for start in range(0, size, step)] or [0]
    else:
        name = "split_size_or_sections"
        sizes = [whole("split", name, n) for n in sequence("split", name, split_size_or_sections)]
        if sum(sizes) != size or min(sizes, default=0) < 0:
            raise RuntimeError(f"split: expected sizes that add up to {size}, got {sizes}")
    parts, start = [], 0
    for part in sizes:
        parts.append(_core.narrow(tensor, at, start, part))
        start += part
    _core.several(parts)
    return tuple(parts)


@public(method=True)
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` consecutive pieces of equal size (the last may be smaller).

    Example:
        >>> [len(part) for part in weft.chunk(weft.arange(5), 3)]
        [2, 2, 1]
    """
    if not isinstance(input, Tensor):
        raise not_tensors("chunk", input=input)
    count = whole("chunk", "chunks", chunks)
    if count < 1:
        raise RuntimeError(f"chunk: expected at least 1 chunk, got {chunks}")
    size = input.shape[in_range("chunk", dim, input.ndim)]
    return split(input, max(1, -(-size // count)), dim)


@public(method=True)
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along ``dim``, without that dimension.

    Example:
        >>> weft.unbind(weft.tensor([1, 2]))
        (tensor(1), tensor(2))
    """
    if not isinstance(input, Tensor):
        raise not_tensors("unbind", input=input)
    at = in_range("unbind", dim, input.ndim)
    _few("unbind", input.shape[at])
    parts = [select(input, at, i) for i in range(input.shape[at])]
    _core.several(parts)
    return tuple(parts)


@method()
def repeat(input: Tensor, *sizes: Any) -> Tensor:
    """A copy with the whole tensor repeated ``sizes`` times along each dimension.

    Example:
        >>> weft.tensor([1, 2]).repeat(2)
        tensor([1, 2, 1, 2])
    """
    given = sizes_of(sizes)
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


@public(method=True)
def flip(input: Tensor, *dims: Any) -> Tensor:
    """A copy with the order reversed along ``dims``.

    Example:
        >>> weft.flip(weft.arange(3), (0,))
        tensor([2, 1, 0])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("flip", input=input)
    named = sizes_of(dims)
    out = input
    for dim in named if isinstance(named, (tuple, list)) else (named,):
        size = input.shape[in_range("flip", dim, input.ndim, "dims")]
        out = _core.index("index_select", out, dim, _core.arange(size - 1, -1, size, int64))
    return out
