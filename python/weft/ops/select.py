"""Choosing between values, and limiting them."""

from __future__ import annotations

from typing import Any

from weft import _core
from weft._check import not_tensors
from weft._core import Pointwise, Tensor
from weft._public import method, public
from weft._types import Operand

__all__ = ["clamp", "clamp_max", "clamp_min", "masked_fill", "where"]

_where = Pointwise("where")
_clamp, _clamp_min, _clamp_max = map(Pointwise, ("clamp", "clamp_min", "clamp_max"))
_clamp_into, _clamp_min_into, _clamp_max_into = _clamp.into, _clamp_min.into, _clamp_max.into


@public()
def where(condition: Tensor, input: Operand, other: Operand) -> Tensor:
    """``input`` where the condition holds, else ``other``. All three broadcast.

    Args:
        condition: truth values.
        input: a tensor or a number; it gets the gradient where the condition holds.
        other: the same, for the other places.

    Raises:
        TypeError: the condition is not ``weft.bool``.

    Example:
        >>> weft.where(weft.tensor([True, False]), 1.0, weft.tensor([5.0, 6.0]))
        tensor([1., 6.])
    """
    return _where(condition, input, other)


@method("where")
def _where_method(self: Tensor, condition: Tensor, other: Operand) -> Tensor:
    """This tensor where the condition holds, else ``other``."""
    return _where(condition, self, other)


@public(method=True)
def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Each element, or the limit that it lies beyond. NaN stays NaN.

    Of limits that are numbers the gradient passes strictly between them. Limits that are tensors
    broadcast, and have gradients too.

    Args:
        input: any numbers.
        min: the lower limit; None is no limit. A number beyond the range of a whole dtype limits
            nothing.
        max: the upper limit, the same; where it lies below ``min`` it counts alone.

    Raises:
        ValueError: neither limit is given.

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


@public(method=True)
def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """Each element, but at least ``min``; :func:`clamp` with one limit.

    Example:
        >>> weft.clamp_min(weft.tensor([-2.0, 3.0]), 0.0)
        tensor([0., 3.])
    """
    return _clamp_min(input, min)


@public(method=True)
def clamp_max(input: Tensor, max: Operand) -> Tensor:
    """Each element, but at most ``max``; :func:`clamp` with one limit.

    Example:
        >>> weft.clamp_max(weft.tensor([-2.0, 3.0]), 0.0)
        tensor([-2.,  0.])
    """
    return _clamp_max(input, max)


@method()
def clamp_(self: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """``weft.clamp`` in place."""
    if min is not None and max is not None:
        return _clamp_into(self, min, max)
    if min is not None:
        return _clamp_min_into(self, min)
    if max is not None:
        return _clamp_max_into(self, max)
    raise ValueError("clamp_: expected min, max or both, got neither")


def fill_of(op: str, input: Tensor, value: Any) -> Tensor:
    """``value`` without dimensions and in the dtype of ``input``, to be chosen beside it."""
    if not isinstance(value, Tensor):
        return _core.full((), value, input.dtype)
    if value.ndim:
        raise RuntimeError(
            f"{op}: expected a number or a tensor without dimensions, got {value.shape}"
        )
    return _core.cast(value, input.dtype)


@public(method=True)
def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """``value`` where the mask holds, else ``input``, in the dtype of ``input``.

    Args:
        input: any tensor.
        mask: ``weft.bool``; it broadcasts with ``input``.
        value: a number, or a tensor without dimensions.

    Example:
        >>> weft.masked_fill(weft.ones(2), weft.tensor([True, False]), 0.0)
        tensor([0., 1.])
    """
    if not (isinstance(input, Tensor) and isinstance(mask, Tensor)):
        raise not_tensors("masked_fill", input=input, mask=mask)
    return _where(mask, fill_of("masked_fill", input, value), input)


@method()
def masked_fill_(self: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """``value`` where the mask holds."""
    if not isinstance(mask, Tensor):
        raise not_tensors("masked_fill_", mask=mask)
    return self.copy_(_where(mask, fill_of("masked_fill_", self, value), self))
