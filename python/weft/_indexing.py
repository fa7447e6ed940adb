"""``x[...]`` with index tensors, masks or lists; the door turns plain keys into views itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft import _core
from weft._core import Tensor
from weft._types import bool_, int32, int64
from weft.ops.create import arange, tensor
from weft.ops.select import where


def _as_index(part: Any) -> Any:
    """Lists and numpy arrays as tensors."""
    if isinstance(part, Tensor):
        return part
    if isinstance(part, (list, np.ndarray)):
        made = tensor(part)
        return _core.cast(made, int64) if made.numel() == 0 else made
    if isinstance(part, (bool, np.bool_)):
        return tensor(bool(part))
    if isinstance(part, np.integer):
        return int(part)
    if part is None or part is Ellipsis or isinstance(part, (int, slice)):
        return part
    kind = type(part).__name__
    raise TypeError(f"index: expected integers, slices, None, ... or index tensors, got {kind}")


def _spread_ellipsis(parts: list[Any], ndim: int) -> list[Any]:
    def width(part: Any) -> int:
        if part is None or part is Ellipsis:
            return 0
        is_mask = isinstance(part, Tensor) and part.dtype in (bool_,)
        return part.ndim if is_mask else 1

    used = sum(width(p) for p in parts)
    if used > ndim:
        raise IndexError(f"index: too many indices, expected at most {ndim}, got {used}")
    at = [i for i, p in enumerate(parts) if p is Ellipsis]
    if len(at) > 1:
        raise IndexError("index: only one ellipsis is allowed")
    fill = [slice(None)] * (ndim - used)
    if at:
        return [*parts[: at[0]], *fill, *parts[at[0] + 1 :]]
    return [*parts, *fill]


def _split_key(input: Tensor, key: Any) -> tuple[Tensor, list[tuple[int, Tensor]]]:
    """The view that the plain parts of a key name, and the index tensors with their dimensions."""
    parts = [_as_index(p) for p in (key if isinstance(key, tuple) else (key,))]
    parts = _spread_ellipsis(parts, input.ndim)
    plain: list[Any] = []
    tensors: list[tuple[int, Tensor]] = []
    out, dim, kept = input, 0, 0
    for part in parts:
        if isinstance(part, Tensor) and part.dtype is bool_:
            covered = out.shape[dim : dim + part.ndim]
            if part.shape != covered:
                raise IndexError(
                    f"index: mask does not fit, expected shape {covered}, got {part.shape}"
                )
            shape = out.shape
            merged = 1
            for size in covered:
                merged *= size
            out = _core.reshape(out, (*shape[:dim], merged, *shape[dim + part.ndim :]))
            part = _core.nonzero_flat(part)
        if isinstance(part, Tensor):
            if part.dtype not in (int64, int32):
                part = _core.cast(part, int64) if not part.dtype.is_floating_point else part
            tensors.append((kept, part))
            plain.append(slice(None))
        else:
            plain.append(part)
        if part is not None:
            dim += 1
        if not isinstance(part, int):
            kept += 1
    return out[tuple(plain)], tensors


def _checked(index: Tensor, size: int) -> Tensor:
    """Indices counted from 0, after checking that each lies in ``-size..size``."""
    every = arange(size)
    flat = _core.index("index_select", every, 0, _core.reshape(index, (-1,)), None, True)
    return _core.reshape(flat, index.shape)


def get(input: Tensor, key: Any) -> Tensor:
    """``input[key]`` for keys with index tensors, masks or lists."""
    view, tensors = _split_key(input, key)
    if not tensors:
        return view
    if all(index.ndim == 0 and index.dtype in (int32, int64) for _, index in tensors):
        return _get_numbers(view, tensors)
    if len(tensors) == 1:
        return _get_one(view, *tensors[0])
    return _get_many(view, tensors)


def _get_numbers(view: Tensor, tensors: list[tuple[int, Tensor]]) -> Tensor:
    """What a recording has for the view that single integers name: a copy, not to be changed."""
    for dim, index in reversed(tensors):
        size = view.shape[dim]
        place = _core.reshape(where(index < 0, index + size, index), (1,))
        view = _core.index("index_select", view, dim, place)
        view = _core.reshape(view, (*view.shape[:dim], *view.shape[dim + 1 :]))
    _core.forbid_writes(view)
    return view


def _get_one(view: Tensor, dim: int, index: Tensor) -> Tensor:
    flat = index if index.ndim == 1 else _core.reshape(index, (-1,))
    out = _core.index("index_select", view, dim, flat, None, True)
    if index.ndim == 1:
        return out
    shape = view.shape
    return _core.reshape(out, (*shape[:dim], *index.shape, *shape[dim + 1 :]))


def _get_many(view: Tensor, tensors: list[tuple[int, Tensor]]) -> Tensor:
    dims = [dim for dim, _ in tensors]
    try:
        shape = np.broadcast_shapes(*(index.shape for _, index in tensors))
    except ValueError:
        shapes = [index.shape for _, index in tensors]
        raise IndexError(f"index: index tensors do not broadcast, got shapes {shapes}") from None
    sizes = [view.shape[dim] for dim in dims]
    position = None
    for (_, index), size in zip(tensors, sizes, strict=True):
        part = _core.expand(_checked(index, size), shape)
        position = part if position is None else position * size + part
    rest = [d for d in range(view.ndim) if d not in dims]
    front = _core.permute(view, (*dims, *rest))
    others = [view.shape[d] for d in rest]
    merged = _core.reshape(front, (int(np.prod(sizes)), *others))
    assert position is not None
    out = _core.index("index_select", merged, 0, _core.reshape(position, (-1,)))
    out = _core.reshape(out, (*shape, *others))
    if dims == list(range(dims[0], dims[0] + len(dims))) and dims[0] > 0:
        count, lead = len(shape), dims[0]
        order = [*range(count, count + lead), *range(count), *range(count + lead, out.ndim)]
        out = _core.permute(out, order)
    return out


def set(input: Tensor, key: Any, value: Any) -> None:
    """``input[key] = value`` for keys with index tensors, masks or lists."""
    places = get(_core.reshape(arange(input.numel()), input.shape), key)
    value = value if isinstance(value, Tensor) else tensor(value, dtype=input.dtype)
    value = _core.expand(_core.cast(value, input.dtype), places.shape)
    flat = _core.reshape(input, (-1,))
    source = _core.reshape(value, (-1,))
    changed = _core.index("scatter", flat, 0, _core.reshape(places, (-1,)), source)
    input.copy_(_core.reshape(changed, input.shape))
