"""Making tensors.

``device`` is accepted where torch accepts it and must name the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from weft import _core
from weft._check import flag, kind_or, real, whole
from weft._core import Tensor, dtype, dtype_of
from weft._live import DTYPES, copied, is_shareable, share, shared, wrap

float32, float64 = dtype_of("float32"), dtype_of("float64")
int32, int64 = dtype_of("int32"), dtype_of("int64")
uint8, bool_ = dtype_of("uint8"), dtype_of("bool")

_default = float32


def get_default_dtype() -> dtype:
    """The dtype of new tensors of real numbers: always ``weft.float32``.

    Example:
        >>> weft.get_default_dtype()
        weft.float32
    """
    return _default


def check_device(device: object) -> None:
    """Accept ``None``, ``"cpu"`` and objects whose text is ``cpu``.

    Raises:
        RuntimeError: another device is asked for.
    """
    if device is not None and str(device).split(":")[0] != "cpu":
        raise RuntimeError(f"device: expected cpu, got {device}")


def _finish(out: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        out.requires_grad = True
    return out


def _size(size: tuple[Any, ...]) -> Sequence[int]:
    return size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


def _host(data: Any, kind: dtype | None) -> np.ndarray:
    """A fresh, contiguous array of a supported dtype."""
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        data = [x.tolist() if isinstance(x, Tensor) else x for x in data]
    real = not isinstance(data, np.ndarray) and not hasattr(data, "__array_interface__")
    try:
        values = np.array(data, order="C")
    except ValueError as error:
        raise ValueError(f"tensor: expected numbers in a regular shape, {error}") from None
    if kind is None:
        if values.dtype.kind == "O":
            _refuse_huge(values)
        if real and values.dtype == np.float64:
            if values.size and np.abs(values).max() >= 2.0**63:
                # Whole numbers of both signs beyond 64 bits come as floats.
                _refuse_huge(np.array(data, dtype=object))
            kind = _default
        elif values.dtype not in DTYPES:
            kind = _nearest(values)
    wanted = values.dtype if kind is None else np.dtype(kind.name)
    if values.dtype.kind == "O" and all(isinstance(x, (int, float)) for x in values.flat):
        if wanted.kind != "f":
            _refuse_huge(values)
        return values.astype(np.float64).astype(wanted)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"tensor: expected numbers, got dtype {values.dtype}")
    if wanted.kind in "iu" and (real or values.dtype.kind == "u") and values.dtype != wanted:
        _check_range(values, wanted, real)
    return values.astype(wanted, copy=False)


def _refuse_huge(values: np.ndarray) -> None:
    """Refuse Python numbers that are all whole, of which some are beyond the range of 64 bits."""
    if values.size and all(isinstance(x, int) for x in values.flat):
        largest = max(values.flat, key=abs)
        raise ValueError(f"tensor: number out of range, expected one of 64 bits, got {largest}")


def _check_range(values: np.ndarray, wanted: np.dtype[Any], python: bool) -> None:
    """Python numbers must fit, but for negative ones among unsigned, which wrap as in torch."""
    limits = np.iinfo(wanted)
    low = -limits.max if wanted.kind == "u" else limits.min
    whole = np.trunc(values) if values.dtype.kind == "f" else values
    top = whole < float(limits.max) + 1 if values.dtype.kind == "f" else whole <= limits.max
    wrong = values[~((whole >= low) & top)]
    if wrong.size and (python or values.dtype.itemsize == 8):
        kind = ValueError if values.dtype.kind == "u" else RuntimeError
        raise kind(
            f"tensor: number out of range, expected {low} to {limits.max} for {wanted}, "
            f"got {wrong.flat[0]}"
        )


def _nearest(values: np.ndarray) -> dtype:
    """The supported dtype that holds every value of an unsupported one."""
    if values.dtype.kind == "f":
        return float32 if values.dtype.itemsize < 4 else float64
    if values.dtype.kind in "iu":
        return int32 if values.dtype.itemsize <= 2 else int64
    return _default


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
        return _finish(copy if dtype is None else _core.cast(copy, dtype), requires_grad)
    made = copied(data, dtype) if _core.is_recording() else None
    return _finish(wrap(_host(data, dtype)) if made is None else made, requires_grad)


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
        dtype = _kind_of(fill_value)
    if isinstance(fill_value, Tensor):
        if fill_value.ndim:
            raise TypeError(f"full: expected a number, got a tensor of shape {fill_value.shape}")
        spread = _core.expand(_core.cast(fill_value.detach(), dtype), size)
        return _finish(_core.clone(spread), requires_grad)
    return _finish(_core.full(size, fill_value, dtype), requires_grad)


def zeros(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Zeros, float32 unless said otherwise.

    Example:
        >>> weft.zeros(2, 3).shape
        (2, 3)
    """
    kind = kind_or("zeros", dtype, _default)
    return full(_size(size), 0, dtype=kind, device=device, requires_grad=requires_grad)


def ones(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Ones, float32 unless said otherwise.

    Example:
        >>> weft.ones(2)
        tensor([1., 1.])
    """
    kind = kind_or("ones", dtype, _default)
    return full(_size(size), 1, dtype=kind, device=device, requires_grad=requires_grad)


def empty(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """A tensor to be written: zeros, since weft has no undefined values.

    Example:
        >>> weft.empty(2, 3).shape
        (2, 3)
    """
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


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
    kind = kind_or("full_like", dtype, input.dtype)
    return full(input.shape, fill_value, dtype=kind, device=device, requires_grad=requires_grad)


def zeros_like(
    input: Tensor, *, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of ``input``.

    Example:
        >>> weft.zeros_like(weft.ones(2))
        tensor([0., 0.])
    """
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Tensor, *, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and dtype of ``input``.

    Example:
        >>> weft.ones_like(weft.zeros(2))
        tensor([1., 1.])
    """
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(
    input: Tensor, *, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and dtype of ``input``.

    Example:
        >>> weft.empty_like(weft.ones(2)).shape
        (2,)
    """
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


def _kind_of(value: Any) -> dtype:
    """The dtype that a number of its own gives a tensor."""
    if isinstance(value, (bool, np.bool_)) or getattr(value, "dtype", None) is bool_:
        return bool_
    return int64 if _is_whole(value) else _default


def _is_whole(value: Any) -> bool:
    if isinstance(value, Tensor):
        return not value.dtype.is_floating_point
    return isinstance(value, (int, np.integer))


def _number(name: str, value: Any) -> Any:
    """A Python number, or what a tensor or array without dimensions holds now."""
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"{name}: expected numbers, got a tensor of shape {value.shape}")
    return value.item() if isinstance(value, (Tensor, np.generic)) else value


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
    start, end, step = (_number("arange", x) for x in (start, end, step))
    for name, value in (("start", start), ("end", end), ("step", step)):
        if not math.isfinite(real("arange", name, value)):
            raise RuntimeError(f"arange: {name} expected to be finite, got {value}")
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(
            f"arange: step expected to lead from start to end, got {start}, {end} and step {step}"
        )
    steps = all(map(_is_whole, (start, end, step)))
    count = int(-((start - end) // step)) if steps else math.ceil((end - start) / step)
    out = _core.arange(start, step, count, kind_or("arange", dtype, int64 if steps else _default))
    return _finish(out, requires_grad)


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
    ends = _number("linspace", start), _number("linspace", end)
    out = _core.linspace(*ends, steps, kind_or("linspace", dtype, _default))
    return _finish(out, requires_grad)


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
    return _core.cast(rows[:, None] == columns, kind_or("eye", dtype, _default))


def rand(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, uniform in [0, 1).

    Example:
        >>> weft.rand(2, 3).shape
        (2, 3)
    """
    check_device(device)
    kind = kind_or("rand", dtype, _default)
    return _finish(_core.draw("uniform", 0.0, 1.0, _size(size), kind), requires_grad)


def randn(
    *size: Any, dtype: dtype | None = None, device: object = None, requires_grad: bool = False
) -> Tensor:
    """Random numbers, normal with mean 0 and variance 1.

    Example:
        >>> weft.randn(2, 3).shape
        (2, 3)
    """
    check_device(device)
    kind = kind_or("randn", dtype, _default)
    return _finish(_core.draw("normal", 0.0, 1.0, _size(size), kind), requires_grad)


def rand_like(input: Tensor, *, dtype: dtype | None = None) -> Tensor:
    """Uniform random numbers in the shape and dtype of ``input``.

    Example:
        >>> weft.rand_like(weft.zeros(2)).shape
        (2,)
    """
    return rand(input.shape, dtype=kind_or("rand_like", dtype, input.dtype))


def randn_like(input: Tensor, *, dtype: dtype | None = None) -> Tensor:
    """Normal random numbers in the shape and dtype of ``input``.

    Example:
        >>> weft.randn_like(weft.zeros(2)).shape
        (2,)
    """
    return randn(input.shape, dtype=dtype or input.dtype)


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
