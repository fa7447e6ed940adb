"""Methods that change a tensor in place and return it.

A leaf that requires a gradient cannot be changed while gradients are recorded; a value that
was saved for ``backward`` and then changed is an error when ``backward`` comes to it.
"""

from __future__ import annotations

from typing import Any

from weft import _core
from weft._core import Pointwise, Tensor
from weft._pointwise import is_number, where
from weft._shape import fill_of

_into = {
    name: Pointwise(name).into
    for name in (
        "add", "sub", "mul", "div", "pow", "clamp", "neg", "abs", "exp", "log", "sqrt", "rsqrt",
        "tanh", "sigmoid", "relu", "floor", "ceil", "round", "reciprocal", "maximum", "minimum",
        "remainder", "floor_divide", "sin", "cos", "square", "clamp_min", "clamp_max",
    )
}  # fmt: skip


def _unary(name: str) -> Any:
    into = _into[name]

    def method(self: Tensor) -> Tensor:
        return into(self)

    method.__name__ = name + "_"
    method.__doc__ = f"``weft.{name}`` in place."
    return method


def _binary(name: str) -> Any:
    into = _into[name]

    def method(self: Tensor, other: Any) -> Tensor:
        return into(self, other)

    method.__name__ = name + "_"
    method.__doc__ = f"``weft.{name}`` in place."
    return method


def add_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """``self += alpha * other``."""
    return _into["add"](self, other if is_number(alpha, 1) else other * alpha)


def sub_(self: Tensor, other: Any, *, alpha: float = 1) -> Tensor:
    """``self -= alpha * other``."""
    return _into["sub"](self, other if is_number(alpha, 1) else other * alpha)


def _tensors(op: str, *given: Any) -> None:
    for value in given:
        if not isinstance(value, Tensor):
            raise TypeError(f"{op}: expected tensors, got {type(value).__name__}")


def addcmul_(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """``self += value * tensor1 * tensor2``."""
    _tensors("addcmul_", tensor1, tensor2)
    return add_(self, tensor1 * tensor2, alpha=value)


def addcdiv_(self: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """``self += value * tensor1 / tensor2``."""
    _tensors("addcdiv_", tensor1, tensor2)
    return add_(self, tensor1 / tensor2, alpha=value)


def lerp_(self: Tensor, end: Tensor, weight: float) -> Tensor:
    """``self += weight * (end - self)``."""
    return add_(self, end - self, alpha=weight)


def clamp_(self: Tensor, min: float | None = None, max: float | None = None) -> Tensor:
    """``weft.clamp`` in place."""
    if min is not None and max is not None:
        return _into["clamp"](self, min, max)
    if min is not None:
        return _into["clamp_min"](self, min)
    if max is not None:
        return _into["clamp_max"](self, max)
    raise ValueError("clamp_: expected min, max or both, got neither")


def zero_(self: Tensor) -> Tensor:
    """Zeros everywhere."""
    return self.fill_(0)


def masked_fill_(self: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value`` where the mask holds."""
    return self.copy_(where(mask, fill_of(self, value), self))


def scatter_(self: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """``weft.scatter`` in place."""
    from weft._indexing import scatter

    return self.copy_(scatter(self, dim, index, src))


def scatter_add_(self: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``weft.scatter_add`` in place."""
    from weft._indexing import scatter_add

    return self.copy_(scatter_add(self, dim, index, src))


def index_add_(self: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``weft.index_add`` in place."""
    return self.copy_(_core.index("index_add", self, dim, index, source))


def uniform_(self: Tensor, from_: float = 0.0, to: float = 1.0) -> Tensor:
    """Random numbers, uniform in ``[from_, to)``."""
    _core.draw_into("uniform", from_, to, self)
    return self


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Random numbers, normal with this mean and standard deviation."""
    _core.draw_into("normal", mean, std, self)
    return self


def bernoulli_(self: Tensor, p: float = 0.5) -> Tensor:
    """1 with probability ``p``, else 0."""
    _core.draw_into("bernoulli", p, 1.0, self)
    return self


METHODS: dict[str, Any] = {
    **{
        name + "_": _unary(name)
        for name in (
            "neg", "abs", "exp", "log", "sqrt", "rsqrt", "tanh", "sigmoid", "relu", "floor",
            "ceil", "round", "reciprocal", "sin", "cos", "square",
        )
    },
    **{name + "_": _binary(name) for name in ("mul", "div", "pow", "remainder", "floor_divide")},
    **{
        f.__name__: f
        for f in (
            add_, sub_, addcmul_, addcdiv_, lerp_, clamp_, zero_, masked_fill_, scatter_,
            scatter_add_, index_add_, uniform_, normal_, bernoulli_,
        )
    },
}  # fmt: skip
