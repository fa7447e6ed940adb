"""Making one batch of many samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import weft
from weft._core import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Join samples along a new first dimension.

    Tensors, arrays and numbers become one tensor (Python floats float64, as in torch); tuples,
    lists and dicts are joined element by element; strings stay a list.

    Raises:
        TypeError: samples of a type that cannot be joined.
        ValueError: tuples or lists of unequal length.

    Example:
        >>> from weft.utils.data import default_collate
        >>> x, label = default_collate([(1, "a"), (2, "b")])
        >>> x.tolist(), label
        ([1, 2], ['a', 'b'])
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return weft.stack(list(batch))
    if isinstance(first, (np.ndarray, np.generic)):
        return weft.tensor(np.stack([np.asarray(sample) for sample in batch]))
    if isinstance(first, (bool, int, float)):
        return weft.tensor(np.asarray(batch))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        return _collate_sequences(first, batch)
    raise TypeError(
        f"default_collate: expected tensors, arrays, numbers, strings, dicts or sequences, "
        f"got {type(first).__name__}"
    )


def _collate_sequences(first: Sequence[Any], batch: Sequence[Any]) -> Any:
    lengths = {len(sample) for sample in batch}
    if len(lengths) > 1:
        raise ValueError(f"default_collate: samples differ in length, got {sorted(lengths)}")
    joined = [default_collate(column) for column in zip(*batch, strict=True)]
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*joined)
    return joined
