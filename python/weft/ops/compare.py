"""Comparisons and truth values, element by element; results are ``weft.bool``.

Operands broadcast and meet as in arithmetic. There are no gradients.
"""

from __future__ import annotations

from weft._check import flag, not_tensors, real
from weft._core import Pointwise, Tensor
from weft._public import alias, public
from weft._types import Operand
from weft.ops.reduce import all

__all__ = [
    "allclose", "eq", "equal", "ge", "greater", "greater_equal", "gt", "isfinite", "isinf",
    "isnan", "le", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "lt", "ne", "not_equal",
]  # fmt: skip


_eq = Pointwise("eq")


@public(method=True)
def eq(input: Operand, other: Operand) -> Tensor:
    """Whether both are equal; NaN equals nothing.

    Example:
        >>> weft.eq(weft.tensor([1.0, 2.0]), 2.0)
        tensor([False,  True])
    """
    return _eq(input, other)


_ne = Pointwise("ne")


@public(method=True)
def ne(input: Operand, other: Operand) -> Tensor:
    """Whether both differ; NaN differs from everything.

    Example:
        >>> weft.ne(weft.tensor([1.0, 2.0]), 2.0)
        tensor([ True, False])
    """
    return _ne(input, other)


not_equal = alias("not_equal", ne)


_lt = Pointwise("lt")


@public(method=True)
def lt(input: Operand, other: Operand) -> Tensor:
    """Whether ``input < other``.

    Example:
        >>> weft.lt(weft.tensor([1.0, 2.0]), 2.0)
        tensor([ True, False])
    """
    return _lt(input, other)


less = alias("less", lt)


_le = Pointwise("le")


@public(method=True)
def le(input: Operand, other: Operand) -> Tensor:
    """Whether ``input <= other``.

    Example:
        >>> weft.le(weft.tensor([1.0, 3.0]), 2.0)
        tensor([ True, False])
    """
    return _le(input, other)


less_equal = alias("less_equal", le)


_gt = Pointwise("gt")


@public(method=True)
def gt(input: Operand, other: Operand) -> Tensor:
    """Whether ``input > other``.

    Example:
        >>> weft.gt(weft.tensor([1.0, 3.0]), 2.0)
        tensor([False,  True])
    """
    return _gt(input, other)


greater = alias("greater", gt)


_ge = Pointwise("ge")


@public(method=True)
def ge(input: Operand, other: Operand) -> Tensor:
    """Whether ``input >= other``.

    Example:
        >>> weft.ge(weft.tensor([1.0, 2.0]), 2.0)
        tensor([False,  True])
    """
    return _ge(input, other)


greater_equal = alias("greater_equal", ge)


_isnan = Pointwise("isnan")


@public(method=True)
def isnan(input: Tensor) -> Tensor:
    """Whether each element is NaN, which is no number.

    Example:
        >>> weft.isnan(weft.tensor([1.0, float('nan')]))
        tensor([False,  True])
    """
    return _isnan(input)


_isinf = Pointwise("isinf")


@public(method=True)
def isinf(input: Tensor) -> Tensor:
    """Whether each element is infinite, of either sign.

    Example:
        >>> weft.isinf(weft.tensor([1.0, float('inf')]))
        tensor([False,  True])
    """
    return _isinf(input)


_isfinite = Pointwise("isfinite")


@public(method=True)
def isfinite(input: Tensor) -> Tensor:
    """Whether each element is neither infinite nor NaN.

    Example:
        >>> weft.isfinite(weft.tensor([1.0, float('inf')]))
        tensor([ True, False])
    """
    return _isfinite(input)


_logical_not = Pointwise("logical_not")


@public(method=True)
def logical_not(input: Tensor) -> Tensor:
    """Whether each element is zero.

    Example:
        >>> weft.logical_not(weft.tensor([1.0, 0.0]))
        tensor([False,  True])
    """
    return _logical_not(input)


_logical_and = Pointwise("logical_and")


@public(method=True)
def logical_and(input: Operand, other: Operand) -> Tensor:
    """Whether both are nonzero.

    Example:
        >>> weft.logical_and(weft.tensor([1.0, 0.0]), 1.0)
        tensor([ True, False])
    """
    return _logical_and(input, other)


_logical_or = Pointwise("logical_or")


@public(method=True)
def logical_or(input: Operand, other: Operand) -> Tensor:
    """Whether one or both are nonzero.

    Example:
        >>> weft.logical_or(weft.tensor([1.0, 0.0]), 0.0)
        tensor([ True, False])
    """
    return _logical_or(input, other)


_logical_xor = Pointwise("logical_xor")


@public(method=True)
def logical_xor(input: Operand, other: Operand) -> Tensor:
    """Whether exactly one is nonzero.

    Example:
        >>> weft.logical_xor(weft.tensor([1.0, 0.0]), 1.0)
        tensor([False,  True])
    """
    return _logical_xor(input, other)


@public(method=True)
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both tensors have one shape and equal elements, as one truth value.

    Example:
        >>> weft.equal(weft.ones(2), weft.ones(2))
        True
    """
    if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
        raise not_tensors("equal", input=input, other=other)
    return input.shape == other.shape and bool(all(_eq(input, other)))


@public(method=True)
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` everywhere, as one truth value.

    Args:
        input: floating-point or whole numbers.
        other: of a shape that broadcasts with that of ``input``.
        rtol: the difference allowed in proportion to ``other``, 0 or more.
        atol: the difference allowed anyway, 0 or more.
        equal_nan: whether NaN counts as close to NaN.

    Example:
        >>> weft.allclose(weft.ones(2), weft.ones(2) + 1e-7)
        True
    """
    import numpy as np

    if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
        raise not_tensors("allclose", input=input, other=other)
    for name, most in (("rtol", rtol), ("atol", atol)):
        if not real("allclose", name, most) >= 0:
            raise ValueError(f"allclose: {name} expected to be 0 or more, got {most}")
    flag("allclose", "equal_nan", equal_nan)
    a, b = input.detach().numpy(), other.detach().numpy()
    return bool(np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan))
