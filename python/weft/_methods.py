"""Attaches the methods of ``weft.Tensor`` that are functions of this package."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from weft import (
    _core,
    _creation,
    _indexing,
    _inplace,
    _linalg,
    _pointwise,
    _reduce,
    _repr,
    _shape,
    autograd,
)
from weft._check import in_range, kind_or
from weft._core import Tensor, dtype

_POINTWISE = [
    "neg",
    "abs",
    "sign",
    "square",
    "floor",
    "ceil",
    "round",
    "trunc",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "rsqrt",
    "reciprocal",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "erf",
    "relu",
    "isnan",
    "isinf",
    "isfinite",
    "logical_not",
    "mul",
    "pow",
    "maximum",
    "minimum",
    "remainder",
    "floor_divide",
    "atan2",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "logical_and",
    "logical_or",
    "logical_xor",
    "add",
    "sub",
    "div",
    "clamp",
]
_REDUCE = [
    "sum",
    "mean",
    "prod",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "any",
    "all",
    "max",
    "min",
    "var",
    "std",
    "norm",
    "cumsum",
    "logsumexp",
    "softmax",
    "log_softmax",
    "equal",
    "allclose",
]
_SHAPE = [
    "reshape",
    "view",
    "view_as",
    "permute",
    "transpose",
    "t",
    "expand",
    "expand_as",
    "broadcast_to",
    "squeeze",
    "unsqueeze",
    "flatten",
    "unflatten",
    "contiguous",
    "narrow",
    "select",
    "split",
    "chunk",
    "unbind",
    "repeat",
    "flip",
    "tril",
    "triu",
]
_INDEX = [
    "index_select",
    "index_add",
    "gather",
    "scatter",
    "scatter_add",
    "masked_fill",
    "masked_select",
    "nonzero",
    "take_along_dim",
]
_LINALG = ["matmul", "mm", "bmm", "mv", "dot", "outer", "addmm"]


def size(self: Tensor, dim: int | None = None) -> Any:
    """The shape, or the size of one dimension."""
    return self.shape if dim is None else self.shape[in_range("size", dim, self.ndim)]


def numpy(self: Tensor) -> np.ndarray:
    """The elements as a numpy array that shares the memory."""
    return _repr.array(self)


def array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """What ``numpy.asarray`` calls."""
    values = _repr.array(self)
    if dtype is not None and np.dtype(dtype) != values.dtype:
        return values.astype(dtype)
    return values.copy() if copy else values


def tolist(self: Tensor) -> Any:
    """The elements as nested lists, or a number."""
    _core.forbid_read(".tolist()")
    return _repr.array(self.detach()).tolist()


def to(self: Tensor, *args: Any, dtype: dtype | None = None, **kwargs: Any) -> Tensor:
    """Another dtype, or that of another tensor; ``"cpu"`` and ``non_blocking`` change nothing."""
    for arg in args:
        if isinstance(arg, _core.dtype):
            dtype = arg
        elif isinstance(arg, Tensor):
            dtype = arg.dtype
        elif not isinstance(arg, bool):
            _creation.check_device(arg)
    _creation.check_device(kwargs.get("device"))
    return self if dtype is None else _core.cast(self, dtype)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """In the dtype of another tensor."""
    return _core.cast(self, other.dtype)


def clone(self: Tensor) -> Tensor:
    """A contiguous copy, through which gradients flow."""
    return _core.clone(self)


def requires_grad_(self: Tensor, requires_grad: bool = True) -> Tensor:
    """Switches gradients of a leaf on or off."""
    self.requires_grad = requires_grad
    return self


def new_zeros(self: Tensor, *size: Any, dtype: dtype | None = None) -> Tensor:
    """Zeros in this dtype."""
    return _creation.zeros(*size, dtype=kind_or("new_zeros", dtype, self.dtype))


def new_ones(self: Tensor, *size: Any, dtype: dtype | None = None) -> Tensor:
    """Ones in this dtype."""
    return _creation.ones(*size, dtype=kind_or("new_ones", dtype, self.dtype))


def new_full(self: Tensor, size: Any, fill_value: float, *, dtype: dtype | None = None) -> Tensor:
    """One number everywhere, in this dtype."""
    kind = kind_or("new_full", dtype, self.dtype)
    return _creation.full(size, fill_value, dtype=kind)


def new_tensor(self: Tensor, data: Any, *, dtype: dtype | None = None) -> Tensor:
    """``data`` in this dtype."""
    return _creation.tensor(data, dtype=kind_or("new_tensor", dtype, self.dtype))


def where(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """This tensor where the condition holds, else ``other``."""
    return _pointwise.where(condition, self, other)


def _iterate(self: Tensor) -> Any:
    return iter(_shape.unbind(self))


def _format(self: Tensor, spec: str) -> str:
    return format(self.item(), spec) if self.numel() == 1 and spec else format(repr(self), spec)


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


def _restore(values: np.ndarray, requires_grad: bool, kind: type = Tensor) -> Tensor:
    made = _creation.tensor(values)
    return made.requires_grad_(requires_grad) if kind is Tensor else kind(made, requires_grad)


def _reduce_pickle(self: Tensor) -> Any:
    if not self.is_leaf:
        raise RuntimeError("pickle: expected a leaf, got the result of an operation. Use .detach()")
    return _restore, (_repr.array(self.detach()).copy(), self.requires_grad, type(self))


def _cast_to(name: str) -> Any:
    kind = _core.dtype_of(name)

    def method(self: Tensor) -> Tensor:
        return _core.cast(self, kind)

    method.__doc__ = f"In dtype {name}."
    return method


def attach() -> None:
    """Give ``Tensor`` its methods."""
    for module, names in (
        (_pointwise, _POINTWISE),
        (_reduce, _REDUCE),
        (_shape, _SHAPE),
        (_indexing, _INDEX),
        (_linalg, _LINALG),
    ):
        for name in names:
            setattr(Tensor, name, getattr(module, name))
    for name, method in _inplace.METHODS.items():
        setattr(Tensor, name, method)
    for method in (
        size, numpy, tolist, to, type_as, clone, requires_grad_, new_zeros, new_ones, new_full,
        new_tensor, where,
    ):  # fmt: skip
        setattr(Tensor, method.__name__, method)
    casts = {
        "float": "float32", "double": "float64", "long": "int64", "int": "int32", "bool": "bool",
        "byte": "uint8",
    }  # fmt: skip
    for name, kind in casts.items():
        setattr(Tensor, name, _cast_to(kind))
    extra: dict[str, Any] = {
        "backward": autograd.tensor_backward,
        "dim": lambda self: self.ndim,
        "nelement": Tensor.numel,
        "element_size": lambda self: self.dtype.itemsize,
        "cpu": lambda self: self,
        "multiply": _pointwise.mul,
        "subtract": _pointwise.sub,
        "divide": _pointwise.div,
        "is_floating_point": lambda self: self.dtype.is_floating_point,
        "clamp_min": lambda self, min: _pointwise.clamp(self, min=min),
        "clamp_max": lambda self, max: _pointwise.clamp(self, max=max),
        "T": property(lambda self: _core.permute(self, tuple(range(self.ndim))[::-1])),
        "mT": property(lambda self: _core.transpose(self, -2, -1)),
        "data": property(Tensor.detach, lambda self, value: self.detach().copy_(value) and None),
        "device": property(lambda self: "cpu"),
        "is_cuda": False,
        "is_sparse": False,
        "itemsize": property(lambda self: self.dtype.itemsize),
        "__array__": array,
        "__array_priority__": 1000,
        "__repr__": _repr.text,
        "__str__": _repr.text,
        "__iter__": _iterate,
        "__format__": _format,
        "__deepcopy__": _deepcopy,
        "__reduce_ex__": lambda self, protocol: _reduce_pickle(self),
    }
    for name, method in extra.items():
        setattr(Tensor, name, method)
