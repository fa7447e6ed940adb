"""What arguments of public functions may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from weft._core import Tensor

Number: TypeAlias = bool | int | float
Operand: TypeAlias = Tensor | Number
Dims: TypeAlias = int | Sequence[int] | None


def is_number(value: Operand, number: Number) -> bool:
    """Whether ``value`` is this number. A tensor is not, since it may want a gradient."""
    return not isinstance(value, Tensor) and value == number
