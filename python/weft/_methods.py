"""Methods of ``Tensor`` that are no public functions."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from weft import _core, _repr, autograd
from weft._check import in_range, kind_or, not_tensors
from weft._core import Tensor, dtype
from weft._public import METHODS, method
from weft._types import (
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from weft.ops.create import check_device, full, ones, tensor, zeros
from weft.ops.join import unbind


@method()
def size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    return self.shape if dim is None else self.shape[in_range("size", dim, self.ndim)]


@method()
def dim(self: Tensor) -> int:
    """The number of dimensions."""
    return self.ndim


@method()
def element_size(self: Tensor) -> int:
    """Bytes of one element."""
    return self.dtype.itemsize


@method()
def is_floating_point(self: Tensor) -> bool:
    """Whether elements are real numbers."""
    return self.dtype.is_floating_point


@method()
def is_complex(self: Tensor) -> bool:
    """Whether elements are complex numbers."""
    return self.dtype.is_complex


@method()
def is_signed(self: Tensor) -> bool:
    """Whether elements can be negative."""
    return self.dtype.is_signed


@method()
def numpy(self: Tensor) -> np.ndarray:
    """The elements as a numpy array that shares the memory."""
    return _repr.array(self)


@method()
def tolist(self: Tensor) -> Any:
    """The elements as nested lists, or a number."""
    _core.forbid_read(".tolist()")
    held = self.detach()
    return _repr.array(_core.cast(held, float32) if self.dtype is bfloat16 else held).tolist()


@method()
def to(self: Tensor, *args: Any, dtype: dtype | None = None, **kwargs: Any) -> Tensor:
    """Another dtype, or that of another tensor; ``"cpu"`` and ``non_blocking`` change nothing."""
    for arg in args:
        if isinstance(arg, _core.dtype):
            dtype = arg
        elif isinstance(arg, Tensor):
            dtype = arg.dtype
        elif not isinstance(arg, bool):
            check_device(arg)
    check_device(kwargs.get("device"))
    return self if dtype is None else _core.cast(self, dtype)


@method("float")
def _to_float32(self: Tensor) -> Tensor:
    """In dtype ``weft.float32``; the tensor itself if that is its dtype."""
    return _core.cast(self, float32)


@method("double")
def _to_float64(self: Tensor) -> Tensor:
    """In dtype ``weft.float64``; the tensor itself if that is its dtype."""
    return _core.cast(self, float64)


@method("half")
def _to_float16(self: Tensor) -> Tensor:
    """In dtype ``weft.float16``; the tensor itself if that is its dtype."""
    return _core.cast(self, float16)


@method("bfloat16")
def _to_bfloat16(self: Tensor) -> Tensor:
    """In dtype ``weft.bfloat16``; the tensor itself if that is its dtype."""
    return _core.cast(self, bfloat16)


@method("long")
def _to_int64(self: Tensor) -> Tensor:
    """In dtype ``weft.int64``; the tensor itself if that is its dtype."""
    return _core.cast(self, int64)


@method("int")
def _to_int32(self: Tensor) -> Tensor:
    """In dtype ``weft.int32``; the tensor itself if that is its dtype."""
    return _core.cast(self, int32)


@method("short")
def _to_int16(self: Tensor) -> Tensor:
    """In dtype ``weft.int16``; the tensor itself if that is its dtype."""
    return _core.cast(self, int16)


@method("char")
def _to_int8(self: Tensor) -> Tensor:
    """In dtype ``weft.int8``; the tensor itself if that is its dtype."""
    return _core.cast(self, int8)


@method("byte")
def _to_uint8(self: Tensor) -> Tensor:
    """In dtype ``weft.uint8``; the tensor itself if that is its dtype."""
    return _core.cast(self, uint8)


@method("bool")
def _to_bool(self: Tensor) -> Tensor:
    """In dtype ``weft.bool``; the tensor itself if that is its dtype."""
    return _core.cast(self, bool_)


@method("cfloat")
def _to_complex64(self: Tensor) -> Tensor:
    """In dtype ``weft.complex64``; the tensor itself if that is its dtype."""
    return _core.cast(self, complex64)


@method("cdouble")
def _to_complex128(self: Tensor) -> Tensor:
    """In dtype ``weft.complex128``; the tensor itself if that is its dtype."""
    return _core.cast(self, complex128)


@method()
def cpu(self: Tensor) -> Tensor:
    """The tensor itself, which lies in the memory of the CPU."""
    return self


@method()
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """In the dtype of another tensor."""
    if not isinstance(other, Tensor):
        raise not_tensors("type_as", other=other)
    return _core.cast(self, other.dtype)


@method()
def clone(self: Tensor) -> Tensor:
    """A contiguous copy, through which gradients flow."""
    return _core.clone(self)


@method()
def zero_(self: Tensor) -> Tensor:
    """Zeros everywhere."""
    return self.fill_(0)


@method()
def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Switches gradients of a leaf on or off."""
    self.requires_grad = requires_grad
    return self


@method()
def new_zeros(self: Tensor, *size: Any, dtype: dtype | None = None) -> Tensor:
    """Zeros in this dtype."""
    return zeros(*size, dtype=kind_or("new_zeros", dtype, self.dtype))


@method()
def new_ones(self: Tensor, *size: Any, dtype: dtype | None = None) -> Tensor:
    """Ones in this dtype."""
    return ones(*size, dtype=kind_or("new_ones", dtype, self.dtype))


@method()
def new_full(self: Tensor, size: Any, fill_value: float, *, dtype: dtype | None = None) -> Tensor:
    """One number everywhere, in this dtype."""
    kind = kind_or("new_full", dtype, self.dtype)
    return full(size, fill_value, dtype=kind)


@method()
def new_tensor(self: Tensor, data: Any, *, dtype: dtype | None = None) -> Tensor:
    """``data`` in this dtype."""
    return tensor(data, dtype=kind_or("new_tensor", dtype, self.dtype))


@method("__array__")
def array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """What ``numpy.asarray`` calls."""
    values = _repr.array(self)
    if dtype is not None and np.dtype(dtype) != values.dtype:
        return values.astype(dtype)
    return values.copy() if copy else values


@method("__iter__")
def _iterate(self: Tensor) -> Iterator[Tensor]:
    return iter(unbind(self))


@method("__format__")
def _format(self: Tensor, spec: str) -> str:
    return format(self.item(), spec) if self.numel() == 1 and spec else format(repr(self), spec)


@method("__deepcopy__")
def _deepcopy(self: Tensor, memo: dict[Any, Any]) -> Tensor:
    """A copy of the memory, which copies of views share, and of ``.grad``."""
    if not self.is_leaf:
        raise RuntimeError(
            "deepcopy: expected a leaf, got the result of an operation. Use .detach()"
        )
    key = "weft memory", _core.memory_id(self), self.dtype
    if key not in memo:
        memo[key] = _core.copy_memory(self)
    copied = _core.placed_as(memo[key], self)
    memo[id(self)] = copied
    copied.requires_grad = self.requires_grad
    if self.grad is not None:
        copied.grad = copy.deepcopy(self.grad, memo)
    return copied


def _restore(
    values: np.ndarray, requires_grad: bool, kind: type = Tensor, held: dtype | None = None
) -> Tensor:
    made = tensor(values, dtype=held)
    return made.requires_grad_(requires_grad) if kind is Tensor else kind(made, requires_grad)


@method("__reduce_ex__")
def _reduce_pickle(self: Tensor, protocol: object) -> Any:
    if not self.is_leaf:
        raise RuntimeError("pickle: expected a leaf, got the result of an operation. Use .detach()")
    held, brief = self.detach(), self.dtype is bfloat16
    values = _repr.array(_core.cast(held, float32) if brief else held).copy()
    told = values, self.requires_grad, type(self)
    return _restore, (*told, bfloat16) if brief else told


METHODS.update(
    backward=autograd.tensor_backward,
    nelement=Tensor.numel,
    T=property(lambda self: _core.permute(self, tuple(range(self.ndim))[::-1])),
    mT=property(lambda self: _core.transpose(self, -2, -1)),
    data=property(Tensor.detach, lambda self, value: self.detach().copy_(value) and None),
    device=property(lambda self: "cpu"),
    is_cuda=False,
    is_sparse=False,
    itemsize=property(lambda self: self.dtype.itemsize),
    __array_priority__=1000,
    __repr__=_repr.text,
    __str__=_repr.text,
)
