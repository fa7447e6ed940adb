"""Indexing with tensors: gathering, scattering, and the keys that are no plain views."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft import _core
from weft._check import flag, in_range
from weft._core import Tensor
from weft._creation import arange, bool_, int32, int64, tensor
from weft._pointwise import where
from weft._shape import fill_of


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of ``input`` at the indices (1-D, int64 or int32) along ``dim``.

    Raises:
        IndexError: an index lies outside ``0..input.shape[dim]``.

    Example:
        >>> weft.index_select(weft.tensor([1.0, 2.0, 3.0]), 0, weft.tensor([2, 0]))
        tensor([3., 1.])
    """
    return _core.index("index_select", input, dim, index)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``input`` with the slices of ``source`` added at the indices along ``dim``, in order.

    Example:
        >>> weft.index_add(weft.zeros(2), 0, weft.tensor([1, 1]), weft.tensor([1.0, 2.0]))
        tensor([0., 3.])
    """
    return _core.index("index_add", input, dim, index, source)


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """One element per index: ``out[i][j] = input[index[i][j]][j]`` for ``dim=0``.

    Example:
        >>> weft.gather(weft.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, weft.tensor([[1], [0]]))
        tensor([[2.],
                [3.]])
    """
    return _core.index("gather", input, dim, index)


def _source(input: Tensor, index: Tensor, src: Tensor | float) -> Tensor:
    if not isinstance(src, Tensor):
        return _core.full(index.shape, src, input.dtype)
    if src.shape != index.shape:
        for dim, size in enumerate(index.shape):
            src = _core.narrow(src, dim, 0, size)
    return src


def scatter(input: Tensor, dim: int, index: Tensor, src: Tensor | float) -> Tensor:
    """``input`` with ``out[index[i][j]][j] = src[i][j]`` for ``dim=0``; of several the last stays.

    Example:
        >>> weft.scatter(weft.zeros(3), 0, weft.tensor([1]), 5.0)
        tensor([0., 5., 0.])
    """
    return _core.index("scatter", input, dim, index, _source(input, index, src))


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``input`` with ``out[index[i][j]][j] += src[i][j]`` for ``dim=0``.

    Example:
        >>> weft.scatter_add(weft.zeros(2), 0, weft.tensor([1, 1]), weft.tensor([1.0, 2.0]))
        tensor([0., 3.])
    """
    return _core.index("scatter_add", input, dim, index, _source(input, index, src))


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | float) -> Tensor:
    """``value``, in the dtype of ``input``, where the mask holds, else ``input``.

    Example:
        >>> weft.masked_fill(weft.ones(2), weft.tensor([True, False]), 0.0)
        tensor([0., 1.])
    """
    return where(mask, fill_of(input, value), input)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements at which the mask holds, 1-D. Its length depends on values, so it cannot be
    compiled.

    Raises:
        TypeError: the mask is not bool.

    Example:
        >>> weft.masked_select(weft.tensor([1.0, 2.0]), weft.tensor([False, True]))
        tensor([2.])
    """
    if mask.dtype is not bool_:
        raise TypeError(f"masked_select: mask expected to be bool, got {mask.dtype}")
    return _core.expand(input, mask.shape)[mask]


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


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """One element per index along ``dim``; the other dimensions of both broadcast.

    Negative indices count from the end. Without ``dim`` both count as flat.

    Example:
        >>> weft.take_along_dim(weft.tensor([[5.0, 6.0], [7.0, 8.0]]), weft.tensor([[1]]), 1)
        tensor([[6.],
                [8.]])
    """
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
