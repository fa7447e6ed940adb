"""Making tensors.

``device`` is accepted where torch accepts it and must name the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from weft import _core
from weft._check import kind_or, not_tensors, real, whole
from weft._core import Tensor, dtype
from weft._host import host, is_whole, kind_of, number
from weft._live import DTYPES, copied, is_shareable, share, shared, wrap
from weft._public import blame, public
from weft._types import bfloat16, default, float32, int64

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like",
    "get_default_dtype", "linspace", "ones", "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


@public()
def get_default_dtype() -> dtype:
    """The dtype of new tensors of real numbers: always ``weft.float32``.

    Example:
        >>> weft.get_default_dtype()
        weft.float32
    """
    return default


def check_device(device: object) -> None:
    """Accept ``None``, ``"cpu"`` and objects whose text is ``cpu``.

    Raises:
        RuntimeError: another device is asked for.
    """
    if device is not None and str(device).split(":")[0] != "cpu":
        raise RuntimeError(blame("device", device, "cpu", device))


def finish(out: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        out.requires_grad = True
    return out


def size_of(size: tuple[Any, ...]) -> Sequence[int]:
    return size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


@public()
def tensor(
    data: Any, *, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """A tensor with a copy of ``data``: numbers, nested lists, numpy arrays, tensors.

    Python floats become float32, whole numbers int64; numpy arrays keep their dtype.

    Raises:
        ValueError: nested lists of unequal length, or whole numbers of more than 64 bits.
        RuntimeError: numbers that a whole dtype cannot hold, such as NaN.
        TypeError: something else than numbers.

    Example:
        >>> weft.tensor([[1.0, 2.0], [3.0, 4.0]]).shape
        (2, 2)
    """
    check_device(device)
    if isinstance(data, Tensor):
        copy = _core.clone(data.detach())
        return finish(copy if dtype is None else _core.cast(copy, dtype), requires_grad)
    made = copied(data, dtype) if _core.is_recording() else None
    if made is None and dtype is bfloat16:
        made = _core.cast(wrap(host(data, float32)), dtype)
    return finish(wrap(host(data, dtype)) if made is None else made, requires_grad)


@public()
def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the array's memory.

    Tensors on one array, or on views of it, share one storage: that of the array which has the
    memory, so a tensor on ``a[1:]`` starts at a ``storage_offset`` of its own.

    An array that cannot be shared (read-only, reversed, misaligned, another byte order) is
    copied.

    Example:
        >>> import numpy as np
        >>> a = np.zeros(2, dtype=np.float32)
        >>> t = weft.from_numpy(a)
        >>> a[0] = 5
        >>> t
        tensor([5., 0.])
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a numpy array, got {type(array).__name__}")
    if array.dtype.newbyteorder("=") not in DTYPES:
        names = ", ".join(d.name for d in DTYPES.values())
        raise TypeError(f"from_numpy: expected one of {names}, got {array.dtype}")
    made = shared(array) if _core.is_recording() else None
    if made is not None:
        return made
    return (
        share(array) if is_shareable(array) else wrap(array.astype(array.dtype.newbyteorder("=")))
    )


@public()
def as_tensor(data: Any, *, dtype: dtype | None = None, device: object = None) -> Tensor:
    """``data`` as a tensor, without a copy where possible.

    Example:
        >>> t = weft.tensor([1.0])
        >>> weft.as_tensor(t) is t
        True
    """
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else _core.cast(data, dtype)
    if isinstance(data, np.ndarray) and data.dtype in DTYPES:
        shared = from_numpy(data)
        return shared if dtype is None else _core.cast(shared, dtype)
    return tensor(data, dtype=dtype)


@public()
def full(
    size: Sequence[int] | int,
    fill_value: bool | int | float | Tensor,
    *,
    dtype: dtype | None = None,
    device: object = None,
    requires_grad: bool = False,
) -> Tensor:
    """The same number everywhere; its kind decides the dtype if none is given.

    Example:
        >>> weft.full((2,), 7)
        tensor([7, 7])
    """
    check_device(device)
    if dtype is None:
        dtype = kind_of(fill_value)
    if isinstance(fill_value, Tensor):
        if fill_value.ndim:
            raise TypeError(f"full: expected a number, got a tensor of shape {fill_value.shape}")
        spread = _core.expand(_core.cast(fill_value.detach(), dtype), size)
        return finish(_core.clone(spread), requires_grad)
    return finish(_core.full(size, fill_value, dtype), requires_grad)


@public()
def zeros(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Zeros, float32 unless said otherwise.

    Example:
        >>> weft.zeros(2, 3).shape
        (2, 3)
    """
    kind = kind_or("zeros", dtype, default)
    return full(size_of(size), 0, dtype=kind, device=device, requires_grad=requires_grad)


@public()
def ones(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Ones, float32 unless said otherwise.

    Example:
        >>> weft.ones(2)
        tensor([1., 1.])
    """
    kind = kind_or("ones", dtype, default)
    return full(size_of(size), 1, dtype=kind, device=device, requires_grad=requires_grad)


@public()
def empty(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """A tensor to be written: zeros, since weft has no undefined values.

    Example:
        >>> weft.empty(2, 3).shape
        (2, 3)
    """
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


@public()
def full_like(
    input: Tensor,
    fill_value: bool | int | float,
    *,
    dtype: dtype | None = None,
    device: object = None,
    requires_grad: bool = False,
) -> Tensor:
    """The same number everywhere, in the shape and dtype of ``input``.

    Example:
        >>> weft.full_like(weft.zeros(2), 3)
        tensor([3., 3.])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("full_like", input=input)
    kind = kind_or("full_like", dtype, input.dtype)
    return full(input.shape, fill_value, dtype=kind, device=device, requires_grad=requires_grad)


@public()
def zeros_like(
    input: Tensor, *, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of ``input``.

    Example:
        >>> weft.zeros_like(weft.ones(2))
        tensor([0., 0.])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("zeros_like", input=input)
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


@public()
def ones_like(
    input: Tensor, *, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and dtype of ``input``.

    Example:
        >>> weft.ones_like(weft.zeros(2))
        tensor([1., 1.])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("ones_like", input=input)
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


@public()
def empty_like(
    input: Tensor, *, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of ``input``.

    Example:
        >>> weft.empty_like(weft.ones(2)).shape
        (2,)
    """
    if not isinstance(input, Tensor):
        raise not_tensors("empty_like", input=input)
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


@public()
def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: dtype | None = None,
    device: object = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from ``start`` up to, not including, ``end``. With one argument, from 0.

    Whole numbers are exact up to the range of int64. A whole dtype truncates ``start`` and
    ``step``.

    Example:
        >>> weft.arange(3)
        tensor([0, 1, 2])
    """
    check_device(device)
    if end is None:
        start, end = 0, start
    start, end, step = (number("arange", x) for x in (start, end, step))
    for name, value in (("start", start), ("end", end), ("step", step)):
        if not math.isfinite(real("arange", name, value)):
            raise RuntimeError(f"arange: {name} expected to be finite, got {value}")
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(
            f"arange: step expected to lead from start to end, got {start}, {end} and step {step}"
        )
    steps = all(map(is_whole, (start, end, step)))
    count = int(-((start - end) // step)) if steps else math.ceil((end - start) / step)
    out = _core.arange(start, step, count, kind_or("arange", dtype, int64 if steps else default))
    return finish(out, requires_grad)


@public()
def linspace(
    start: float, end: float, steps: int, *, dtype: dtype | None = None, requires_grad: bool = False
) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both included, evenly spaced.

    They are computed in double precision; whole dtypes truncate the ends and each number.

    Example:
        >>> weft.linspace(0, 1, 3)
        tensor([0.0, 0.5, 1.0])
    """
    steps = whole("linspace", "steps", steps)
    if steps < 0:
        raise RuntimeError(f"linspace: expected steps of 0 or more, got {steps}")
    ends = number("linspace", start), number("linspace", end)
    out = _core.linspace(*ends, steps, kind_or("linspace", dtype, default))
    return finish(out, requires_grad)


@public()
def eye(
    n: int, m: int | None = None, *, dtype: dtype | None = None, device: object = None
) -> Tensor:
    """Ones on the diagonal of an ``[n, m]`` matrix.

    Example:
        >>> weft.eye(2)
        tensor([[1., 0.],
                [0., 1.]])
    """
    check_device(device)
    count, width = whole("eye", "n", n), whole("eye", "m", n if m is None else m)
    if count < 0 or width < 0:
        raise RuntimeError(f"eye: expected sizes of 0 or more, got {count} and {width}")
    rows, columns = arange(count), arange(width)
    return _core.cast(rows[:, None] == columns, kind_or("eye", dtype, default))
