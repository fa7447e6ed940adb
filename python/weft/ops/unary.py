"""Functions of one tensor, element by element.

Those of real numbers turn whole numbers into float32; the others keep the dtype.
"""

from __future__ import annotations

from weft._core import Pointwise, Tensor
from weft._public import alias, public

__all__ = [
    "abs", "absolute", "ceil", "conj", "cos", "erf", "exp", "expm1", "fix", "floor", "log",
    "log1p", "neg", "negative", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sqrt",
    "square", "tanh", "trunc",
]  # fmt: skip


_neg = Pointwise("neg")


@public(method=True, inplace=True)
def neg(input: Tensor) -> Tensor:
    """Each element with the other sign; unsigned numbers and truth values have none.

    Example:
        >>> weft.neg(weft.tensor([1.0, -2.0]))
        tensor([-1.,  2.])
    """
    return _neg(input)


negative = alias("negative", neg)


_abs = Pointwise("abs")


@public(method=True, inplace=True)
def abs(input: Tensor) -> Tensor:
    """The absolute value of each element. The gradient at 0 is 0.

    Example:
        >>> weft.abs(weft.tensor([1.0, -2.0]))
        tensor([1., 2.])
    """
    return _abs(input)


absolute = alias("absolute", abs)


_sign = Pointwise("sign")


@public(method=True)
def sign(input: Tensor) -> Tensor:
    """-1 for elements below 0, 1 for those above, and 0 for 0 and NaN.

    Example:
        >>> weft.sign(weft.tensor([1.5, -2.0, 0.0]))
        tensor([ 1., -1.,  0.])
    """
    return _sign(input)


_conj = Pointwise("conj")


@public(method=True)
def conj(input: Tensor) -> Tensor:
    """The complex conjugate of each element; of real numbers the tensor itself.

    Example:
        >>> weft.conj(weft.tensor([1 + 2j])).tolist()
        [(1-2j)]
    """
    real = isinstance(input, Tensor) and not input.dtype.is_complex
    return input if real else _conj(input)


_square = Pointwise("square")


@public(method=True, inplace=True)
def square(input: Tensor) -> Tensor:
    """The square of each element; whole numbers wrap.

    Example:
        >>> weft.square(weft.tensor([1.0, -2.0]))
        tensor([1., 4.])
    """
    return _square(input)


_floor = Pointwise("floor")


@public(method=True, inplace=True)
def floor(input: Tensor) -> Tensor:
    """The largest whole number that is not above each element. The gradient is 0.

    Example:
        >>> weft.floor(weft.tensor([1.5, -1.5]))
        tensor([ 1., -2.])
    """
    return _floor(input)


_ceil = Pointwise("ceil")


@public(method=True, inplace=True)
def ceil(input: Tensor) -> Tensor:
    """The smallest whole number that is not below each element. The gradient is 0.

    Example:
        >>> weft.ceil(weft.tensor([1.5, -1.5]))
        tensor([ 2., -1.])
    """
    return _ceil(input)


_round = Pointwise("round")


@public(method=True, inplace=True)
def round(input: Tensor) -> Tensor:
    """The whole number nearest to each element, the even one of two. The gradient is 0.

    Example:
        >>> weft.round(weft.tensor([0.5, 1.5]))
        tensor([0., 2.])
    """
    return _round(input)


_trunc = Pointwise("trunc")


@public(method=True)
def trunc(input: Tensor) -> Tensor:
    """Each element without its fraction, that is rounded towards 0. The gradient is 0.

    Example:
        >>> weft.trunc(weft.tensor([1.5, -1.5]))
        tensor([ 1., -1.])
    """
    return _trunc(input)


fix = alias("fix", trunc)


_exp = Pointwise("exp")


@public(method=True, inplace=True)
def exp(input: Tensor) -> Tensor:
    """The number e to the power of each element; beyond the range of the dtype infinity.

    Example:
        >>> weft.exp(weft.tensor([0.0, 1.0]))
        tensor([1.0000, 2.7183])
    """
    return _exp(input)


_expm1 = Pointwise("expm1")


@public(method=True)
def expm1(input: Tensor) -> Tensor:
    """``exp(input) - 1``, exact also where the result is close to 0.

    Example:
        >>> weft.expm1(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 1.7183])
    """
    return _expm1(input)


_log = Pointwise("log")


@public(method=True, inplace=True)
def log(input: Tensor) -> Tensor:
    """The natural logarithm of each element: -inf of 0, NaN of negative numbers.

    Example:
        >>> weft.log(weft.tensor([1.0, 2.0]))
        tensor([0.0000, 0.6931])
    """
    return _log(input)


_log1p = Pointwise("log1p")


@public(method=True)
def log1p(input: Tensor) -> Tensor:
    """``log(1 + input)``, exact also for elements close to 0: -inf of -1, NaN below.

    Example:
        >>> weft.log1p(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.6931])
    """
    return _log1p(input)


_sqrt = Pointwise("sqrt")


@public(method=True, inplace=True)
def sqrt(input: Tensor) -> Tensor:
    """The square root of each element, correctly rounded; NaN of negative numbers.

    Example:
        >>> weft.sqrt(weft.tensor([4.0, 2.0]))
        tensor([2.0000, 1.4142])
    """
    return _sqrt(input)


_rsqrt = Pointwise("rsqrt")


@public(method=True, inplace=True)
def rsqrt(input: Tensor) -> Tensor:
    """``1 / sqrt(input)``: infinity of 0, NaN of negative numbers.

    Example:
        >>> weft.rsqrt(weft.tensor([4.0, 1.0]))
        tensor([0.5, 1.0])
    """
    return _rsqrt(input)


_reciprocal = Pointwise("reciprocal")


@public(method=True, inplace=True)
def reciprocal(input: Tensor) -> Tensor:
    """``1 / input``; infinity, with the sign of the zero, of 0.

    Example:
        >>> weft.reciprocal(weft.tensor([4.0, 2.0]))
        tensor([0.25, 0.50])
    """
    return _reciprocal(input)


_sin = Pointwise("sin")


@public(method=True, inplace=True)
def sin(input: Tensor) -> Tensor:
    """The sine of each element, an angle in radians; NaN of infinity.

    Example:
        >>> weft.sin(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8415])
    """
    return _sin(input)


_cos = Pointwise("cos")


@public(method=True, inplace=True)
def cos(input: Tensor) -> Tensor:
    """The cosine of each element, an angle in radians; NaN of infinity.

    Example:
        >>> weft.cos(weft.tensor([0.0, 1.0]))
        tensor([1.0000, 0.5403])
    """
    return _cos(input)


_tanh = Pointwise("tanh")


@public(where=("weft", "nn.functional"), method=True, inplace=True)
def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent of each element, between -1 and 1.

    Example:
        >>> weft.tanh(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7616])
    """
    return _tanh(input)


_sigmoid = Pointwise("sigmoid")


@public(where=("weft", "nn.functional"), method=True, inplace=True)
def sigmoid(input: Tensor) -> Tensor:
    """The logistic function ``1 / (1 + exp(-input))``, between 0 and 1; it never overflows.

    Example:
        >>> weft.sigmoid(weft.tensor([0.0, 1.0]))
        tensor([0.5000, 0.7311])
    """
    return _sigmoid(input)


_erf = Pointwise("erf")


@public(method=True)
def erf(input: Tensor) -> Tensor:
    """The error function: ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0.

    Example:
        >>> weft.erf(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8427])
    """
    return _erf(input)
