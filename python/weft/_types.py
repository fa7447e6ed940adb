"""Dtypes by name, and what arguments of public functions may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from weft._core import Tensor, dtype_of

float32, float64 = dtype_of("float32"), dtype_of("float64")
int32, int64 = dtype_of("int32"), dtype_of("int64")
uint8, bool_ = dtype_of("uint8"), dtype_of("bool")

#: What new tensors of real numbers are.
default = float32

Number: TypeAlias = bool | int | float
Operand: TypeAlias = Tensor | Number
Dims: TypeAlias = int | Sequence[int] | None


def is_number(value: Operand, number: Number) -> bool:
    """Whether ``value`` is this number. A tensor is not, since it may want a gradient."""
    return not isinstance(value, Tensor) and value == number
