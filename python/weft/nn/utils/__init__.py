"""Helpers over the parameters of a model: gradient clipping, one flat vector."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import weft
from weft._check import flag, real
from weft._core import Tensor

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "get_total_norm",
    "parameters_to_vector",
    "vector_to_parameters",
]


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    params = [parameters] if isinstance(parameters, Tensor) else parameters
    grads = (param.grad for param in params)
    return [grad for grad in grads if grad is not None]


def get_total_norm(tensors: Iterable[Tensor], norm_type: float = 2.0) -> Tensor:
    """The p-norm of all elements of all tensors together, as a 0-dim tensor.

    Example:
        >>> import weft
        >>> weft.nn.utils.get_total_norm([weft.tensor([3.0]), weft.tensor([[4.0]])]).item()
        5.0
    """
    real("get_total_norm", "norm_type", norm_type)
    tensors = list(tensors)
    if not tensors:
        return weft.tensor(0.0)
    kind = tensors[0].dtype
    if norm_type == inf:
        return weft.stack([t.abs().max().to(kind) for t in tensors]).max()
    if norm_type == 2.0:
        return weft.stack([(t * t).sum().to(kind) for t in tensors]).sum().sqrt()
    if not norm_type > 0:
        raise ValueError(f"get_total_norm: norm_type must be positive, got {norm_type}")
    powers = [t.abs().pow(norm_type).sum().to(kind) for t in tensors]
    return weft.stack(powers).sum().pow(1.0 / norm_type)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients so that their common norm is at most ``max_norm``; returns the old norm.

    Pascanu et al., ICML 2013. No value is read, so it works inside a compiled function
    (not with ``error_if_nonfinite``, which has to look).

    Raises:
        RuntimeError: with ``error_if_nonfinite``, the norm is infinite or NaN.

    Example:
        >>> import weft
        >>> p = weft.nn.Parameter(weft.zeros(2)); p.grad = weft.tensor([3.0, 4.0])
        >>> weft.nn.utils.clip_grad_norm_(p, 1.0).item()
        5.0
        >>> [round(g, 3) for g in p.grad.tolist()]
        [0.6, 0.8]
    """
    real("clip_grad_norm_", "max_norm", max_norm)
    flag("clip_grad_norm_", "error_if_nonfinite", error_if_nonfinite)
    grads = _grads(parameters)
    with weft.no_grad():
        total = get_total_norm(grads, norm_type)
        if error_if_nonfinite and not total.item() < inf:
            raise RuntimeError(f"clip_grad_norm_: the norm is not finite, got {total.item()}")
        factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor.to(grad.dtype))
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Clamp every element of every gradient to ``±clip_value``.

    Example:
        >>> import weft
        >>> p = weft.nn.Parameter(weft.zeros(2)); p.grad = weft.tensor([3.0, -0.5])
        >>> weft.nn.utils.clip_grad_value_(p, 1.0); p.grad.tolist()
        [1.0, -0.5]
    """
    real("clip_grad_value_", "clip_value", clip_value)
    with weft.no_grad():
        for grad in _grads(parameters):
            grad.copy_(grad.clamp(-clip_value, clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters in one 1-d tensor.

    Example:
        >>> import weft
        >>> tuple(weft.nn.utils.parameters_to_vector(weft.nn.Linear(2, 3).parameters()).shape)
        (9,)
    """
    return weft.cat([param.reshape(-1) for param in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of ``vec`` into the parameters, in order.

    Raises:
        ValueError: the sizes differ. Nothing is changed then.
    """
    params = list(parameters)
    total = sum(param.numel() for param in params)
    if vec.dim() != 1 or vec.numel() != total:
        raise ValueError(f"vector_to_parameters: expected shape [{total}], got {list(vec.shape)}")
    start = 0
    with weft.no_grad():
        for param in params:
            stop = start + param.numel()
            param.copy_(vec[start:stop].reshape(param.shape))
            start = stop
