"""Dtypes by name, and what arguments of public functions may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeAlias

from weft._core import Tensor, dtype, dtype_of

bool_ = dtype_of("bool")
uint8, uint16 = dtype_of("uint8"), dtype_of("uint16")
uint32, uint64 = dtype_of("uint32"), dtype_of("uint64")
int8, int16 = dtype_of("int8"), dtype_of("int16")
int32, int64 = dtype_of("int32"), dtype_of("int64")
float16, bfloat16 = dtype_of("float16"), dtype_of("bfloat16")
float32, float64 = dtype_of("float32"), dtype_of("float64")
complex64, complex128 = dtype_of("complex64"), dtype_of("complex128")

#: What new tensors of real numbers are.
default = float32

Number: TypeAlias = bool | int | float | complex
Operand: TypeAlias = Tensor | Number
Dims: TypeAlias = int | Sequence[int] | None


def is_number(value: Operand, number: Number) -> bool:
    """Whether ``value`` is this number. A tensor is not, since it may want a gradient."""
    return not isinstance(value, Tensor) and value == number


class finfo:
    """The limits of a dtype of real numbers, or of the parts of complex ones.

    Attributes:
        bits, eps, max, min, smallest_normal, tiny, dtype: as numpy's ``finfo``.

    Example:
        >>> weft.finfo(weft.float16).max
        65504.0
    """

    #: Bits of the exponent and of the fraction.
    _PARTS: ClassVar = {
        "float16": (5, 10),
        "bfloat16": (8, 7),
        "float32": (8, 23),
        "float64": (11, 52),
    }

    def __init__(self, type: dtype = default) -> None:
        """The limits of ``type``."""
        real = type.to_real()
        if not real.is_floating_point:
            raise TypeError(f"finfo: expected a floating-point dtype, got {type}")
        exponent, fraction = self._PARTS[real.name]
        top = 1 << (exponent - 1)
        self.dtype, self.bits = real.name, real.itemsize * 8
        self.eps = 2.0**-fraction
        self.max = (2.0 - self.eps) * 2.0 ** (top - 1)
        self.min = -self.max
        self.smallest_normal = self.tiny = 2.0 ** (2 - top)
        self.resolution = 10.0 ** -int(fraction * 0.30103)

    def __repr__(self) -> str:
        """The limits."""
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of a dtype of whole numbers.

    Attributes:
        bits, max, min, dtype: as numpy's ``iinfo``.

    Example:
        >>> weft.iinfo(weft.int8).max
        127
    """

    def __init__(self, type: dtype) -> None:
        """The limits of ``type``."""
        if type is bool_ or type.is_floating_point or type.is_complex:
            raise TypeError(f"iinfo: expected a dtype of whole numbers, got {type}")
        self.dtype, self.bits = type.name, type.itemsize * 8
        span = 1 << self.bits
        self.min = -(span >> 1) if type.is_signed else 0
        self.max = self.min + span - 1

    def __repr__(self) -> str:
        """The limits."""
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
