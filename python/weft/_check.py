"""Checks of arguments that are no tensors. Each message names the operation and the argument."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from weft._core import Tensor, dtype
from weft._public import blame

_LARGEST = int(sys.float_info.max)


def _kind(value: Any) -> str:
    return type(value).__name__


def not_tensors(op: str, **given: object) -> TypeError:
    """The error for arguments of which one or more are no tensors; it names the first.

    Callers test ``isinstance`` themselves, which costs next to nothing.

    Example:
        >>> from weft._check import not_tensors
        >>> not_tensors("mm", input=weft.ones(1), mat2="a")
        TypeError('mm: mat2 expected to be a tensor, got str')
    """
    name, value = next((n, v) for n, v in given.items() if not isinstance(v, Tensor))
    return TypeError(blame(op, value, "a tensor", argument=name))


def whole(op: str, name: str, value: Any) -> int:
    """``value`` as an int; a truth value is none.

    Raises:
        TypeError: it is no whole number.

    Example:
        >>> from weft._check import whole
        >>> whole("split", "dim", 3)
        3
    """
    if type(value) is int:
        return value
    if not isinstance(value, bool) and hasattr(value, "__index__"):
        found: int = index(value)
        return found
    raise TypeError(f"{op}: {name} expected to be an int, got {_kind(value)}")


def in_range(op: str, dim: Any, ndim: int, name: str = "dim") -> int:
    """The dimension ``dim`` of ``ndim``, counted from 0.

    Raises:
        TypeError: it is no whole number.
        IndexError: there is no such dimension.

    Example:
        >>> from weft._check import in_range
        >>> in_range("select", -1, 3)
        2
    """
    at = whole(op, name, dim)
    if not -ndim <= at < ndim:
        raise IndexError(
            f"{op}: dimension out of range, expected {-ndim} <= dim < {ndim}, got {dim}"
        )
    return at % ndim


def sequence(op: str, name: str, value: Any) -> Sequence[Any]:
    """``value``, which must be a tuple, a list or the like; a text is none.

    Raises:
        TypeError: it is something else.

    Example:
        >>> from weft._check import sequence
        >>> sequence("pad", "pad", (1, 2))
        (1, 2)
    """
    if isinstance(value, (tuple, list)) or (isinstance(value, Sequence) and not _is_text(value)):
        return value
    raise TypeError(f"{op}: {name} expected to be a sequence, got {_kind(value)}")


def _is_text(value: object) -> bool:
    return isinstance(value, (str, bytes))


def kind_or(op: str, value: dtype | None, default: dtype) -> dtype:
    """``value``, which must be a dtype, or ``default`` for None.

    Raises:
        TypeError: it is something else.

    Example:
        >>> from weft._check import kind_or
        >>> kind_or("zeros", None, weft.int64)
        weft.int64
    """
    if value is None:
        return default
    if isinstance(value, dtype):
        return value
    raise TypeError(f"{op}: dtype expected to be a dtype, got {_kind(value)}")


def flag(op: str, name: str, value: object) -> bool:
    """``value``, which must be True or False.

    Raises:
        TypeError: it is something else.

    Example:
        >>> from weft._check import flag
        >>> flag("dropout", "training", False)
        False
    """
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise TypeError(f"{op}: {name} expected to be a bool, got {_kind(value)}")


def real(op: str, name: str, value: Any) -> float:
    """``value``, which must be a number: no text, no list, no tensor with dimensions.

    Raises:
        TypeError: it is something else.
        ValueError: it is a whole number beyond every float.

    Example:
        >>> from weft._check import real
        >>> real("huber_loss", "delta", 2)
        2
    """
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        if not -_LARGEST <= value <= _LARGEST:
            raise ValueError(f"{op}: {name} expected to fit a float, got a larger whole number")
        return value
    if hasattr(value, "__float__") and getattr(value, "shape", ()) == ():
        number: float = value
        return number
    raise TypeError(f"{op}: {name} expected to be a number, got {_kind(value)}")


def chance(op: str, name: str, value: Any) -> float:
    """``value``, which must be a probability.

    Raises:
        TypeError: it is no number.
        ValueError: it lies outside 0 .. 1.

    Example:
        >>> from weft._check import chance
        >>> chance("dropout", "p", 0.5)
        0.5
    """
    p = real(op, name, value)
    if not 0 <= p <= 1:
        raise ValueError(f"{op}: expected 0 <= {name} <= 1, got {value}")
    return p


def same_shape(op: str, input: Tensor, target: Tensor) -> None:
    """Refuse a target of another shape than the input.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> from weft._check import same_shape
        >>> same_shape("kl_div", weft.ones(2), weft.ones(2))
    """
    if input.shape != target.shape:
        raise ValueError(
            f"{op}: target expected to have the input's shape {input.shape}, got {target.shape}"
        )
