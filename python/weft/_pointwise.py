"""Pointwise operations: one Python signature for each row of the operation table.

Operands broadcast by numpy's rule; dtypes meet by torch's promotion; integers become
float32 where only real numbers make sense. Shapes that do not broadcast raise
RuntimeError, dtypes that an operation does not know TypeError.
"""

from __future__ import annotations

from typing import TypeAlias

from weft._core import Pointwise, Tensor

Number: TypeAlias = bool | int | float
Operand: TypeAlias = Tensor | Number


_neg = Pointwise("neg")
_abs = Pointwise("abs")
_sign = Pointwise("sign")
_square = Pointwise("square")
_floor = Pointwise("floor")
_ceil = Pointwise("ceil")
_round = Pointwise("round")
_trunc = Pointwise("trunc")
_exp = Pointwise("exp")
_expm1 = Pointwise("expm1")
_log = Pointwise("log")
_log1p = Pointwise("log1p")
_sqrt = Pointwise("sqrt")
_rsqrt = Pointwise("rsqrt")
_reciprocal = Pointwise("reciprocal")
_sin = Pointwise("sin")
_cos = Pointwise("cos")
_tanh = Pointwise("tanh")
_sigmoid = Pointwise("sigmoid")
_erf = Pointwise("erf")
_relu = Pointwise("relu")
_isnan = Pointwise("isnan")
_isinf = Pointwise("isinf")
_isfinite = Pointwise("isfinite")
_logical_not = Pointwise("logical_not")
_mul = Pointwise("mul")
_pow = Pointwise("pow")
_maximum = Pointwise("maximum")
_minimum = Pointwise("minimum")
_remainder = Pointwise("remainder")
_floor_divide = Pointwise("floor_divide")
_atan2 = Pointwise("atan2")
_eq = Pointwise("eq")
_ne = Pointwise("ne")
_lt = Pointwise("lt")
_le = Pointwise("le")
_gt = Pointwise("gt")
_ge = Pointwise("ge")
_bitwise_and = Pointwise("bitwise_and")
_bitwise_or = Pointwise("bitwise_or")
_bitwise_xor = Pointwise("bitwise_xor")
_logical_and = Pointwise("logical_and")
_logical_or = Pointwise("logical_or")
_logical_xor = Pointwise("logical_xor")
_add = Pointwise("add")
_sub = Pointwise("sub")
_div = Pointwise("div")
_where = Pointwise("where")
_clamp = Pointwise("clamp")
_clamp_min = Pointwise("clamp_min")
_clamp_max = Pointwise("clamp_max")
_trunc_divide = Pointwise("trunc_divide")


def is_number(value: Operand, number: Number) -> bool:
    """Whether ``value`` is this number. A tensor is not, since it may want a gradient."""
    return not isinstance(value, Tensor) and value == number


def neg(input: Tensor) -> Tensor:
    """-x.

    Example:
        >>> weft.neg(weft.tensor([1.0, -2.0]))
        tensor([-1.,  2.])
    """
    return _neg(input)


def abs(input: Tensor) -> Tensor:
    """Absolute value.

    Example:
        >>> weft.abs(weft.tensor([1.0, -2.0]))
        tensor([1., 2.])
    """
    return _abs(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1; 0 of NaN.

    Example:
        >>> weft.sign(weft.tensor([1.5, -2.0, 0.0]))
        tensor([ 1., -1.,  0.])
    """
    return _sign(input)


def square(input: Tensor) -> Tensor:
    """X * x.

    Example:
        >>> weft.square(weft.tensor([1.0, -2.0]))
        tensor([1., 4.])
    """
    return _square(input)


def floor(input: Tensor) -> Tensor:
    """Largest whole number not above x.

    Example:
        >>> weft.floor(weft.tensor([1.5, -1.5]))
        tensor([ 1., -2.])
    """
    return _floor(input)


def ceil(input: Tensor) -> Tensor:
    """Smallest whole number not below x.

    Example:
        >>> weft.ceil(weft.tensor([1.5, -1.5]))
        tensor([ 2., -1.])
    """
    return _ceil(input)


def round(input: Tensor) -> Tensor:
    """Nearest whole number, halves to even.

    Example:
        >>> weft.round(weft.tensor([0.5, 1.5]))
        tensor([0., 2.])
    """
    return _round(input)


def trunc(input: Tensor) -> Tensor:
    """Whole part of x.

    Example:
        >>> weft.trunc(weft.tensor([1.5, -1.5]))
        tensor([ 1., -1.])
    """
    return _trunc(input)


def exp(input: Tensor) -> Tensor:
    """E to the power x (at most 1 ulp off in float32).

    Example:
        >>> weft.exp(weft.tensor([0.0, 1.0]))
        tensor([1.0000, 2.7183])
    """
    return _exp(input)


def expm1(input: Tensor) -> Tensor:
    """exp(x) - 1 without cancellation near 0.

    Example:
        >>> weft.expm1(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 1.7183])
    """
    return _expm1(input)


def log(input: Tensor) -> Tensor:
    """Natural logarithm; -inf at 0, NaN below.

    Example:
        >>> weft.log(weft.tensor([1.0, 2.0]))
        tensor([0.0000, 0.6931])
    """
    return _log(input)


def log1p(input: Tensor) -> Tensor:
    """log(1 + x) without cancellation near 0.

    Example:
        >>> weft.log1p(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.6931])
    """
    return _log1p(input)


def sqrt(input: Tensor) -> Tensor:
    """Square root, correctly rounded.

    Example:
        >>> weft.sqrt(weft.tensor([4.0, 2.0]))
        tensor([2.0000, 1.4142])
    """
    return _sqrt(input)


def rsqrt(input: Tensor) -> Tensor:
    """1 / sqrt(x).

    Example:
        >>> weft.rsqrt(weft.tensor([4.0, 1.0]))
        tensor([0.5, 1.0])
    """
    return _rsqrt(input)


def reciprocal(input: Tensor) -> Tensor:
    """1 / x.

    Example:
        >>> weft.reciprocal(weft.tensor([4.0, 2.0]))
        tensor([0.25, 0.50])
    """
    return _reciprocal(input)


def sin(input: Tensor) -> Tensor:
    """Sine of x radians.

    Example:
        >>> weft.sin(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8415])
    """
    return _sin(input)


def cos(input: Tensor) -> Tensor:
    """Cosine of x radians.

    Example:
        >>> weft.cos(weft.tensor([0.0, 1.0]))
        tensor([1.0000, 0.5403])
    """
    return _cos(input)


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent.

    Example:
        >>> weft.tanh(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7616])
    """
    return _tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)).

    Example:
        >>> weft.sigmoid(weft.tensor([0.0, 1.0]))
        tensor([0.5000, 0.7311])
    """
    return _sigmoid(input)


def erf(input: Tensor) -> Tensor:
    """The error function.

    Example:
        >>> weft.erf(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8427])
    """
    return _erf(input)


def relu(input: Tensor) -> Tensor:
    """max(x, 0).

    Example:
        >>> weft.relu(weft.tensor([1.0, -2.0]))
        tensor([1., 0.])
    """
    return _relu(input)


def isnan(input: Tensor) -> Tensor:
    """Whether an element is not a number.

    Example:
        >>> weft.isnan(weft.tensor([1.0, float('nan')]))
        tensor([False,  True])
    """
    return _isnan(input)


def isinf(input: Tensor) -> Tensor:
    """Whether an element is infinite.

    Example:
        >>> weft.isinf(weft.tensor([1.0, float('inf')]))
        tensor([False,  True])
    """
    return _isinf(input)


def isfinite(input: Tensor) -> Tensor:
    """Whether an element is neither infinite nor NaN.

    Example:
        >>> weft.isfinite(weft.tensor([1.0, float('inf')]))
        tensor([ True, False])
    """
    return _isfinite(input)


def logical_not(input: Tensor) -> Tensor:
    """Whether an element is zero.

    Example:
        >>> weft.logical_not(weft.tensor([1.0, 0.0]))
        tensor([False,  True])
    """
    return _logical_not(input)


def mul(input: Operand, other: Operand) -> Tensor:
    """Input * other.

    Example:
        >>> weft.mul(weft.tensor([1.0, 2.0]), 3.0)
        tensor([3., 6.])
    """
    return _mul(input, other)


def pow(input: Operand, other: Operand) -> Tensor:
    """Input to the power other.

    Whole numbers to a negative power are an error if the power is a Python number, and are
    truncated (to 0, 1 or -1) if it is a tensor.

    Example:
        >>> weft.pow(weft.tensor([1.0, 2.0]), 3)
        tensor([1., 8.])
    """
    return _pow(input, other)


def maximum(input: Operand, other: Operand) -> Tensor:
    """The larger of both; NaN if either is.

    Example:
        >>> weft.maximum(weft.tensor([1.0, 2.0]), weft.tensor([2.0, 1.0]))
        tensor([2., 2.])
    """
    return _maximum(input, other)


def minimum(input: Operand, other: Operand) -> Tensor:
    """The smaller of both; NaN if either is.

    Example:
        >>> weft.minimum(weft.tensor([1.0, 2.0]), weft.tensor([2.0, 1.0]))
        tensor([1., 1.])
    """
    return _minimum(input, other)


def remainder(input: Operand, other: Operand) -> Tensor:
    """Python's %: the remainder with the sign of other.

    Example:
        >>> weft.remainder(weft.tensor([5.0, -5.0]), 3.0)
        tensor([2., 1.])
    """
    return _remainder(input, other)


def floor_divide(input: Operand, other: Operand) -> Tensor:
    """Python's //: the quotient rounded down.

    Example:
        >>> weft.floor_divide(weft.tensor([5.0, -5.0]), 3.0)
        tensor([ 1., -2.])
    """
    return _floor_divide(input, other)


def atan2(input: Operand, other: Operand) -> Tensor:
    """The angle of the point (other, input), in radians.

    Example:
        >>> weft.atan2(weft.tensor([1.0, 0.0]), weft.tensor([1.0, -1.0]))
        tensor([0.7854, 3.1416])
    """
    return _atan2(input, other)


def eq(input: Operand, other: Operand) -> Tensor:
    """Whether both are equal.

    Example:
        >>> weft.eq(weft.tensor([1.0, 2.0]), 2.0)
        tensor([False,  True])
    """
    return _eq(input, other)


def ne(input: Operand, other: Operand) -> Tensor:
    """Whether both differ.

    Example:
        >>> weft.ne(weft.tensor([1.0, 2.0]), 2.0)
        tensor([ True, False])
    """
    return _ne(input, other)


def lt(input: Operand, other: Operand) -> Tensor:
    """Whether input is less.

    Example:
        >>> weft.lt(weft.tensor([1.0, 2.0]), 2.0)
        tensor([ True, False])
    """
    return _lt(input, other)


def le(input: Operand, other: Operand) -> Tensor:
    """Whether input is at most other.

    Example:
        >>> weft.le(weft.tensor([1.0, 3.0]), 2.0)
        tensor([ True, False])
    """
    return _le(input, other)


def gt(input: Operand, other: Operand) -> Tensor:
    """Whether input is greater.

    Example:
        >>> weft.gt(weft.tensor([1.0, 3.0]), 2.0)
        tensor([False,  True])
    """
    return _gt(input, other)


def ge(input: Operand, other: Operand) -> Tensor:
    """Whether input is at least other.

    Example:
        >>> weft.ge(weft.tensor([1.0, 2.0]), 2.0)
        tensor([False,  True])
    """
    return _ge(input, other)


def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """The bits set in both; on bool, and.

    Example:
        >>> weft.bitwise_and(weft.tensor([5, 4]), 1)
        tensor([1, 0])
    """
    return _bitwise_and(input, other)


def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """The bits set in either; on bool, or.

    Example:
        >>> weft.bitwise_or(weft.tensor([5, 4]), 1)
        tensor([5, 5])
    """
    return _bitwise_or(input, other)


def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """The bits set in exactly one; on bool, exclusive or.

    Example:
        >>> weft.bitwise_xor(weft.tensor([5, 4]), 1)
        tensor([4, 5])
    """
    return _bitwise_xor(input, other)


def logical_and(input: Operand, other: Operand) -> Tensor:
    """Whether both are nonzero.

    Example:
        >>> weft.logical_and(weft.tensor([1.0, 0.0]), 1.0)
        tensor([ True, False])
    """
    return _logical_and(input, other)


def logical_or(input: Operand, other: Operand) -> Tensor:
    """Whether either is nonzero.

    Example:
        >>> weft.logical_or(weft.tensor([1.0, 0.0]), 0.0)
        tensor([ True, False])
    """
    return _logical_or(input, other)


def logical_xor(input: Operand, other: Operand) -> Tensor:
    """Whether exactly one is nonzero.

    Example:
        >>> weft.logical_xor(weft.tensor([1.0, 0.0]), 1.0)
        tensor([False,  True])
    """
    return _logical_xor(input, other)


def add(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``input + alpha * other``.

    Example:
        >>> weft.add(weft.tensor([1.0, 2.0]), 3.0)
        tensor([4., 5.])
    """
    return _add(input, other if is_number(alpha, 1) else _mul(other, alpha))


def sub(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """``input - alpha * other``.

    Example:
        >>> weft.sub(weft.tensor([1.0, 2.0]), 3.0)
        tensor([-2., -1.])
    """
    return _sub(input, other if is_number(alpha, 1) else _mul(other, alpha))


def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``; ``rounding_mode`` rounds the quotient: ``"floor"`` or ``"trunc"``.

    Rounded quotients of whole numbers are whole.

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


def where(condition: Tensor, input: Operand, other: Operand) -> Tensor:
    """``input`` where the boolean condition holds, else ``other``.

    Example:
        >>> weft.where(weft.tensor([True, False]), 1.0, weft.tensor([5.0, 6.0]))
        tensor([1., 6.])
    """
    return _where(condition, input, other)


def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Limits to ``[min, max]``; a missing limit limits nothing. NaN stays NaN.

    Of limits that are numbers the gradient passes strictly between them. A number beyond the
    range of an integer dtype limits nothing. Limits that are tensors have gradients too.

    Example:
        >>> weft.clamp(weft.tensor([-2.0, 0.5, 3.0]), min=0.0, max=1.0)
        tensor([0.0, 0.5, 1.0])
    """
    if min is not None and max is not None:
        return _clamp(input, min, max)
    if min is not None:
        return _clamp_min(input, min)
    if max is not None:
        return _clamp_max(input, max)
    raise ValueError("clamp: expected min, max or both, got neither")
