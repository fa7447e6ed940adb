"""Arithmetic of two operands, element by element.

Operands are tensors or numbers and broadcast by numpy's rule; their dtypes meet by torch's
promotion, in which a number counts less than a tensor. Shapes that do not broadcast raise
RuntimeError, dtypes that an operation does not know TypeError.
"""

from __future__ import annotations

from typing import Any

from weft._check import not_tensors, real
from weft._core import Pointwise, Tensor
from weft._public import alias, method, public
from weft._types import Number, Operand, is_number

__all__ = [
    "add", "arctan2", "atan2", "bitwise_and", "bitwise_or", "bitwise_xor", "div", "divide",
    "floor_divide", "maximum", "minimum", "mul", "multiply", "pow", "remainder", "sub",
    "subtract",
]  # fmt: skip


_add = Pointwise("add")


@public(method=True)
def add(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``input + alpha * other``; whole numbers wrap.

    Example:
        >>> weft.add(weft.tensor([1.0, 2.0]), 3.0)
        tensor([4., 5.])
    """
    return _add(input, other if is_number(alpha, 1) else _mul(other, alpha))


_add_into = _add.into


@method()
def add_(self: Tensor, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``self += alpha * other``."""
    return _add_into(self, other if is_number(alpha, 1) else other * alpha)


_sub = Pointwise("sub")


@public(method=True)
def sub(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``input - alpha * other``; whole numbers wrap.

    Example:
        >>> weft.sub(weft.tensor([1.0, 2.0]), 3.0)
        tensor([-2., -1.])
    """
    return _sub(input, other if is_number(alpha, 1) else _mul(other, alpha))


subtract = alias("subtract", sub)


_sub_into = _sub.into


@method()
def sub_(self: Tensor, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``self -= alpha * other``."""
    return _sub_into(self, other if is_number(alpha, 1) else other * alpha)


_mul = Pointwise("mul")


@public(method=True, inplace=True)
def mul(input: Operand, other: Operand) -> Tensor:
    """``input * other``; whole numbers wrap.

    Example:
        >>> weft.mul(weft.tensor([1.0, 2.0]), 3.0)
        tensor([3., 6.])
    """
    return _mul(input, other)


multiply = alias("multiply", mul)


_div, _trunc_divide = Pointwise("div"), Pointwise("trunc_divide")


@public(method=True, inplace=True)
def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``, in real numbers also where both are whole.

    Args:
        input: the dividend.
        other: the divisor; of real numbers 0 gives infinity or NaN.
        rounding_mode: ``"floor"`` rounds the quotient down, ``"trunc"`` towards 0; then the
            quotient of whole numbers is whole, and 0 as a divisor of them a RuntimeError.

    Raises:
        ValueError: another ``rounding_mode``.

    Example:
        >>> weft.div(weft.tensor([1.0, 3.0]), 2.0)
        tensor([0.5, 1.5])
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return _floor_divide(input, other)
    if rounding_mode == "trunc":
        return _trunc_divide(input, other)
    raise ValueError(f"div: rounding_mode expected to be floor or trunc, got {rounding_mode}")


divide = alias("divide", div)


_pow = Pointwise("pow")


@public(method=True, inplace=True)
def pow(input: Operand, other: Operand) -> Tensor:
    """``input`` to the power ``other``.

    Whole numbers to a negative power are an error if the power is a Python number, and are
    truncated (to 0, 1 or -1) if it is a tensor.

    Example:
        >>> weft.pow(weft.tensor([1.0, 2.0]), 3)
        tensor([1., 8.])
    """
    return _pow(input, other)


_maximum = Pointwise("maximum")


@public(method=True)
def maximum(input: Operand, other: Operand) -> Tensor:
    """The larger of both at each place; NaN if either is. Of equals each gets half the gradient.

    Example:
        >>> weft.maximum(weft.tensor([1.0, 2.0]), weft.tensor([2.0, 1.0]))
        tensor([2., 2.])
    """
    return _maximum(input, other)


_minimum = Pointwise("minimum")


@public(method=True)
def minimum(input: Operand, other: Operand) -> Tensor:
    """The smaller of both at each place; NaN if either is. Of equals each gets half the gradient.

    Example:
        >>> weft.minimum(weft.tensor([1.0, 2.0]), weft.tensor([2.0, 1.0]))
        tensor([1., 1.])
    """
    return _minimum(input, other)


_remainder = Pointwise("remainder")


@public(method=True, inplace=True)
def remainder(input: Operand, other: Operand) -> Tensor:
    """Python's ``%``: the remainder of the quotient rounded down, with the sign of ``other``.

    Raises:
        RuntimeError: a whole number is divided by 0.

    Example:
        >>> weft.remainder(weft.tensor([5.0, -5.0]), 3.0)
        tensor([2., 1.])
    """
    return _remainder(input, other)


_floor_divide = Pointwise("floor_divide")


@public(method=True, inplace=True)
def floor_divide(input: Operand, other: Operand) -> Tensor:
    """Python's ``//``: the quotient rounded down.

    Raises:
        RuntimeError: a whole number is divided by 0.

    Example:
        >>> weft.floor_divide(weft.tensor([5.0, -5.0]), 3.0)
        tensor([ 1., -2.])
    """
    return _floor_divide(input, other)


_atan2 = Pointwise("atan2")


@public(method=True)
def atan2(input: Operand, other: Operand) -> Tensor:
    """The angle, in radians from -pi to pi, of the point with x ``other`` and y ``input``.

    Example:
        >>> weft.atan2(weft.tensor([1.0, 0.0]), weft.tensor([1.0, -1.0]))
        tensor([0.7854, 3.1416])
    """
    return _atan2(input, other)


arctan2 = alias("arctan2", atan2)


_bitwise_and = Pointwise("bitwise_and")


@public(method=True)
def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """The bits that are set in both whole numbers; of truth values, whether both hold.

    Example:
        >>> weft.bitwise_and(weft.tensor([5, 4]), 1)
        tensor([1, 0])
    """
    return _bitwise_and(input, other)


_bitwise_or = Pointwise("bitwise_or")


@public(method=True)
def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """The bits that are set in either whole number; of truth values, whether either holds.

    Example:
        >>> weft.bitwise_or(weft.tensor([5, 4]), 1)
        tensor([5, 5])
    """
    return _bitwise_or(input, other)


_bitwise_xor = Pointwise("bitwise_xor")


@public(method=True)
def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """The bits that are set in one whole number only; of truth values, whether they differ.

    Example:
        >>> weft.bitwise_xor(weft.tensor([5, 4]), 1)
        tensor([4, 5])
    """
    return _bitwise_xor(input, other)


@method()
def addcmul_(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``self += value * tensor1 * tensor2``."""
    _expect_tensors("addcmul_", tensor1=tensor1, tensor2=tensor2)
    return add_(self, _mul(tensor1, tensor2), alpha=_factor("addcmul_", "value", value))


@method()
def addcdiv_(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``self += value * tensor1 / tensor2``."""
    _expect_tensors("addcdiv_", tensor1=tensor1, tensor2=tensor2)
    return add_(self, _div(tensor1, tensor2), alpha=_factor("addcdiv_", "value", value))


def _expect_tensors(op: str, **given: object) -> None:
    if not all(isinstance(value, Tensor) for value in given.values()):
        raise not_tensors(op, **given)


def _factor(op: str, name: str, value: Operand) -> Any:
    return value if isinstance(value, Tensor) else real(op, name, value)


@method()
def lerp_(self: Tensor, end: Tensor, weight: Number) -> Tensor:
    """``self += weight * (end - self)``: a part of the way to ``end``."""
    _expect_tensors("lerp_", end=end)
    return add_(self, _sub(end, self), alpha=_factor("lerp_", "weight", weight))
