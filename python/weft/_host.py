"""Elements that come as Python numbers, nested lists or arrays of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft._core import Tensor, dtype
from weft._live import DTYPES
from weft._public import blame
from weft._types import bool_, complex64, complex128, default, float64, int64


def host(data: Any, kind: dtype | None) -> np.ndarray:
    """A fresh, contiguous array of a supported dtype."""
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        data = [x.tolist() if isinstance(x, Tensor) else x for x in data]
    real = not isinstance(data, np.ndarray) and not hasattr(data, "__array_interface__")
    try:
        values = np.array(data, order="C")
    except ValueError as error:
        raise ValueError(f"tensor: expected numbers in a regular shape, {error}") from None
    if kind is None:
        if values.dtype.kind == "O":
            _refuse_huge(values)
        if real and values.dtype == np.float64:
            if values.size and np.abs(values).max() >= 2.0**63:
                # Whole numbers of both signs beyond 64 bits come as floats.
                _refuse_huge(np.array(data, dtype=object))
            kind = default
        elif real and values.dtype == np.uint64:
            _check_range(values, np.dtype(np.int64), real)
            kind = int64
        elif real and values.dtype == np.complex128:
            kind = complex64
        elif values.dtype not in DTYPES:
            kind = _nearest(values)
    if kind is not None and kind.name == "bfloat16":
        raise TypeError("tensor: bfloat16 has no array of numpy")
    wanted = values.dtype if kind is None else np.dtype(kind.name)
    if real and wanted == np.uint64 and values.dtype == np.float64:
        exact = np.array(data, dtype=object)
        if all(isinstance(x, int) and abs(x) < 2**64 for x in exact.flat):
            # Some of them are no floats.
            return (exact % 2**64).astype(np.uint64)
    if values.dtype.kind == "O" and all(isinstance(x, (int, float)) for x in values.flat):
        if wanted.kind not in "fc":
            _refuse_huge(values)
        return values.astype(np.float64).astype(wanted)
    if values.dtype.kind not in "biufc":
        got = f"{type(data).__name__} of dtype {values.dtype}"
        raise TypeError(blame("tensor", data, "numbers", got))
    if wanted.kind in "iu" and (real or values.dtype.kind == "u") and values.dtype != wanted:
        _check_range(values, wanted, real)
    return values.astype(wanted, copy=False)


def _refuse_huge(values: np.ndarray) -> None:
    """Refuse Python numbers that are all whole, of which some are beyond the range of 64 bits."""
    if values.size and all(isinstance(x, int) for x in values.flat):
        largest = max(values.flat, key=abs)
        raise ValueError(f"tensor: number out of range, expected one of 64 bits, got {largest}")


def _check_range(values: np.ndarray, wanted: np.dtype[Any], python: bool) -> None:
    """Python numbers must fit, but for negative ones among unsigned, which wrap as in torch."""
    limits = np.iinfo(wanted)
    low = -limits.max if wanted.kind == "u" else limits.min
    whole = np.trunc(values) if values.dtype.kind == "f" else values
    top = whole < float(limits.max) + 1 if values.dtype.kind == "f" else whole <= limits.max
    wrong = values[~((whole >= low) & top)]
    if wrong.size and (python or values.dtype.itemsize == 8):
        kind = ValueError if values.dtype.kind == "u" else RuntimeError
        raise kind(
            f"tensor: number out of range, expected {low} to {limits.max} for {wanted}, "
            f"got {wrong.flat[0]}"
        )


def _nearest(values: np.ndarray) -> dtype:
    """The supported dtype that holds every value of an unsupported one."""
    if values.dtype.kind == "f":
        return float64
    return complex128 if values.dtype.kind == "c" else default


def kind_of(value: Any) -> dtype:
    """The dtype that a number of its own gives a tensor."""
    if isinstance(value, (bool, np.bool_)) or getattr(value, "dtype", None) is bool_:
        return bool_
    if isinstance(value, complex) or getattr(getattr(value, "dtype", None), "kind", "") == "c":
        return complex64
    return int64 if is_whole(value) else default


def is_whole(value: Any) -> bool:
    if isinstance(value, Tensor):
        return not (value.dtype.is_floating_point or value.dtype.is_complex)
    return isinstance(value, (int, np.integer))


def number(name: str, value: Any) -> Any:
    """A Python number, or what a tensor or array without dimensions holds now."""
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"{name}: expected numbers, got a tensor of shape {value.shape}")
    return value.item() if isinstance(value, (Tensor, np.generic)) else value
