"""Tensors on the memory of arrays, in eager runs and in recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from weft import _core, _watch
from weft._core import Tensor, dtype, dtype_of
from weft.ops.join import flip

if TYPE_CHECKING:
    from weft._watch._arrays import Arrays

#: The dtypes that numpy has too.
DTYPES = {np.dtype(kind.name): kind for kind in _core.dtypes() if kind is not dtype_of("bfloat16")}


def wrap(values: np.ndarray) -> Tensor:
    """A tensor on the memory of an array that nobody else has."""
    made = _core.from_buffer(_plain(values), DTYPES[values.dtype])
    return _core.reshape(made, ()) if values.ndim == 0 else made


def share(array: np.ndarray) -> Tensor:
    """A tensor on the memory of an array that can be shared; one buffer for all views of it."""
    return _window(array, None)


def _window(array: np.ndarray, arrays: Arrays | None) -> Tensor:
    kind, owner = DTYPES[array.dtype], _owner(array)
    whole = owner.dtype == array.dtype and owner.flags.forc and owner.flags.writeable
    plain, root = _plain(array), _plain(owner) if whole else None
    made = _core.share_buffer(plain, plain if root is None else root, owner, kind)
    if arrays is not None:
        arrays.adopt(made)
    return _core.reshape(made, ()) if array.ndim == 0 else made


def _owner(array: np.ndarray) -> np.ndarray:
    """The array that has the memory which another one is a view of."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _plain(array: np.ndarray) -> np.ndarray:
    """As the buffer protocol of the core takes it."""
    return array.reshape(1) if array.ndim == 0 else array


def is_shareable(array: np.ndarray) -> bool:
    """Whether a tensor can lie on the memory of an array of one of weft's dtypes."""
    plain = array.flags.writeable and array.flags.aligned and array.dtype.isnative
    return plain and all(s >= 0 and s % array.itemsize == 0 for s in array.strides)


def shared(array: np.ndarray) -> Tensor | None:
    """What ``from_numpy`` gives while a function is recorded, if the array is older than that."""
    arrays = _old(array)
    if arrays is None:
        return None
    if is_shareable(array):
        return _window(array, arrays)
    copy = _present(array, arrays)
    if copy is None or not array.astype(array.dtype.newbyteorder("=")).flags.c_contiguous:
        arrays.looks(array)
        return None
    return copy


def copied(data: Any, kind: dtype | None) -> Tensor | None:
    """What ``tensor`` gives while a function is recorded, if it copies an older array."""
    arrays = _old(data)
    if arrays is None:
        return None
    copy = None
    if data.dtype in DTYPES and (kind is None or kind.is_floating_point):
        copy = _present(data, arrays)
    if copy is None:
        arrays.looks(data)
        return None
    return copy if kind is None else _core.cast(copy, kind)


def _old(data: Any) -> Arrays | None:
    """The arrays of the recording, if ``data`` is one that is older than it."""
    watch = _watch.current()
    if watch is None or watch.quiet is not None:
        return None
    return watch.arrays if watch.arrays.becomes(data) else None


def _present(array: np.ndarray, arrays: Arrays) -> Tensor | None:
    """A copy that each run of the plan makes anew; ``None`` where it cannot."""
    if array.dtype not in DTYPES or not array.flags.aligned:
        return None
    back = tuple(d for d, step in enumerate(array.strides) if step < 0 and array.shape[d] > 1)
    turned = np.flip(array, back)
    steps = all(s % array.itemsize == 0 for s in array.strides)
    if not (steps and _owner(turned).flags.writeable) or not array.size:
        return None
    try:
        window = _window(turned, arrays)
    except TypeError:
        return None
    return flip(window, back) if back else _core.clone(window)
