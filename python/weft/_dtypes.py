"""The dtypes by name, and which of them new tensors have."""

from __future__ import annotations

from weft._core import dtype_of

float32, float64 = dtype_of("float32"), dtype_of("float64")
int32, int64 = dtype_of("int32"), dtype_of("int64")
uint8, bool_ = dtype_of("uint8"), dtype_of("bool")

#: What new tensors of real numbers are.
default = float32
