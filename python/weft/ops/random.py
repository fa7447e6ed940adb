"""Random numbers, from the stream that ``weft.manual_seed`` starts (Philox 4x32-10).

``device`` is accepted where torch accepts it and must name the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from weft import _core
from weft._check import flag, kind_or, not_tensors, whole
from weft._core import Tensor, dtype
from weft._public import method, public
from weft._types import default, int64
from weft.ops.create import check_device, finish, size_of

__all__ = ["multinomial", "rand", "rand_like", "randint", "randn", "randn_like", "randperm"]


@public()
def rand(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, uniform in [0, 1).

    Example:
        >>> weft.rand(2, 3).shape
        (2, 3)
    """
    check_device(device)
    kind = kind_or("rand", dtype, default)
    return finish(_core.draw("uniform", 0.0, 1.0, size_of(size), kind), requires_grad)


@public()
def randn(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, normal with mean 0 and variance 1.

    Example:
        >>> weft.randn(2, 3).shape
        (2, 3)
    """
    check_device(device)
    kind = kind_or("randn", dtype, default)
    return finish(_core.draw("normal", 0.0, 1.0, size_of(size), kind), requires_grad)


@public()
def rand_like(input: Tensor, *, dtype: dtype | None = None) -> Tensor:
    """Uniform random numbers in the shape and dtype of ``input``.

    Example:
        >>> weft.rand_like(weft.zeros(2)).shape
        (2,)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("rand_like", input=input)
    return rand(input.shape, dtype=kind_or("rand_like", dtype, input.dtype))


@public()
def randn_like(input: Tensor, *, dtype: dtype | None = None) -> Tensor:
    """Normal random numbers in the shape and dtype of ``input``.

    Example:
        >>> weft.randn_like(weft.zeros(2)).shape
        (2,)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("randn_like", input=input)
    return randn(input.shape, dtype=dtype or input.dtype)


@public()
def randint(
    low: int,
    high: int | Sequence[int],
    size: Sequence[int] | None = None,
    *,
    dtype: dtype | None = None,
    device: object = None,
) -> Tensor:
    """Random whole numbers in ``low..high``; with two arguments, in ``0..low``.

    Raises:
        RuntimeError: the dtype does not hold them all.

    Example:
        >>> bool((weft.randint(5, (100,)) < 5).all())
        True
    """
    check_device(device)
    if size is None:
        if not isinstance(high, (tuple, list)):
            raise TypeError(f"randint: expected a size, got {type(high).__name__}")
        return randint(0, low, high, dtype=dtype)
    kind = kind_or("randint", dtype, int64)
    first, last = whole("randint", "low", low), whole("randint", "high", high)
    return _core.draw("randint", first, last, size, kind)


@public()
def randperm(n: int, *, dtype: dtype | None = None, device: object = None) -> Tensor:
    """The numbers ``0..n`` in random order.

    Example:
        >>> sorted(weft.randperm(3).tolist())
        [0, 1, 2]
    """
    check_device(device)
    size = whole("randperm", "n", n)
    if size < 0:
        raise RuntimeError(f"randperm: expected n of 0 or more, got {size}")
    order = _core.draw("randperm", 0, 0, (size,), int64)
    return order if dtype is None else _core.cast(order, dtype)


@public(method=True)
def multinomial(input: Tensor, num_samples: int, replacement: bool = False) -> Tensor:
    """Indices drawn with the probabilities (or weights) in the last dimension.

    Without replacement the draws are those of the exponential race (Efraimidis and
    Spirakis 2006). Shape ``[*, num_samples]``, int64. A category of weight 0 is never drawn.

    Raises:
        RuntimeError: a weight is negative, infinite or NaN, a row has too few positive ones
            (one, or ``num_samples`` without replacement), or a size does not fit.
        TypeError: weights that are not floating-point.

    Example:
        >>> weft.multinomial(weft.tensor([0.0, 1.0, 0.0]), 1)
        tensor([1])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("multinomial", input=input)
    count = whole("multinomial", "num_samples", num_samples)
    flag("multinomial", "replacement", replacement)
    if input.ndim == 0 or count < 1:
        raise RuntimeError(
            "multinomial: expected 1 dimension or more and 1 sample or more, "
            f"got {input.ndim} and {count}"
        )
    rows = _core.reshape(input.detach(), (math.prod(input.shape[:-1]), input.shape[-1]))
    out = _core.multinomial(rows, count, replacement)
    return _core.reshape(out, (*input.shape[:-1], count))


@method()
def uniform_(self: Tensor, from_: float = 0.0, to: float = 1.0) -> Tensor:
    """Random numbers, uniform in ``[from_, to)``."""
    _core.draw_into("uniform", from_, to, self)
    return self


@method()
def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Random numbers, normal with this mean and standard deviation."""
    _core.draw_into("normal", mean, std, self)
    return self


@method()
def bernoulli_(self: Tensor, p: float = 0.5) -> Tensor:
    """1 with probability ``p``, else 0."""
    _core.draw_into("bernoulli", p, 1.0, self)
    return self
