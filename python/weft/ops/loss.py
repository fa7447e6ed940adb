"""Losses of ``weft.nn.functional`` on numbers and probabilities.

Each takes ``input``, the prediction, and ``target``, floating-point and mostly of the same shape.
``reduction`` is ``"mean"``, ``"sum"`` or ``"none"``. Names, arguments and defaults are torch's.
"""

from __future__ import annotations

import warnings

from weft import _core
from weft._check import flag, not_tensors, real, same_shape
from weft._core import Pointwise, Tensor
from weft._public import public
from weft.ops.reduce import mean, sum
from weft.ops.select import where

__all__: list[str] = []

_softplus, _binary_cross_entropy = Pointwise("softplus"), Pointwise("binary_cross_entropy")


def reduced(loss: Tensor, reduction: str, name: str) -> Tensor:
    if reduction == "mean":
        return mean(loss)
    if reduction == "sum":
        return sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"{name}: reduction expected to be none, mean or sum, got {reduction}")


def _warn_broadcast(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"{name}: target has another shape than input, got {target.shape} and {input.shape}. "
            "Both broadcast, which is rarely meant",
            stacklevel=3,
        )


@public(where=("nn.functional",))
def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Squared difference.

    Example:
        >>> F.mse_loss(weft.tensor([1.0, 3.0]), weft.zeros(2))
        tensor(5.)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("mse_loss", input=input, target=target)
    _warn_broadcast("mse_loss", input, target)
    difference = input - target
    return reduced(difference.square(), reduction, "mse_loss")


@public(where=("nn.functional",))
def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Absolute difference.

    Example:
        >>> F.l1_loss(weft.tensor([1.0, -3.0]), weft.zeros(2))
        tensor(2.)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("l1_loss", input=input, target=target)
    _warn_broadcast("l1_loss", input, target)
    return reduced((input - target).abs(), reduction, "l1_loss")


@public(where=("nn.functional",))
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """Half the squared difference up to ``delta``, then linear (Huber 1964).

    Example:
        >>> F.huber_loss(weft.tensor([1.0, 3.0]), weft.zeros(2))
        tensor(1.5)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("huber_loss", input=input, target=target)
    if not real("huber_loss", "delta", delta) > 0:
        raise RuntimeError(f"huber_loss: expected delta > 0, got {delta}")
    _warn_broadcast("huber_loss", input, target)
    return reduced(_huber(input, target, delta), reduction, "huber_loss")


def _huber(input: Tensor, target: Tensor, delta: float) -> Tensor:
    difference = input - target
    size = difference.abs()
    near = (size >= delta).logical_not()  # NaN too, whose gradient is NaN
    # The square of what is far may overflow, and its second derivative at 0 is not that of |x|.
    squared = where(near, difference, 0.0).square()
    return where(near, 0.5 * squared, delta * (size - 0.5 * delta))


@public(where=("nn.functional",))
def smooth_l1_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """:func:`huber_loss` divided by ``beta``; with ``beta=0`` the absolute difference.

    Example:
        >>> F.smooth_l1_loss(weft.tensor([1.0, 3.0]), weft.zeros(2))
        tensor(1.5)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("smooth_l1_loss", input=input, target=target)
    if not real("smooth_l1_loss", "beta", beta) >= 0:
        raise RuntimeError(f"smooth_l1_loss: expected beta >= 0, got {beta}")
    _warn_broadcast("smooth_l1_loss", input, target)
    loss = (input - target).abs() if beta == 0 else _huber(input, target, beta) / beta
    return reduced(loss, reduction, "smooth_l1_loss")


def _weighted(name: str, loss: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return loss
    out = loss * weight
    if out.shape != loss.shape:
        raise RuntimeError(
            f"{name}: weight expected to broadcast to {loss.shape}, got {weight.shape}"
        )
    return out


@public(where=("nn.functional",))
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean"
) -> Tensor:
    """Cross entropy of probabilities with targets in [0, 1]; logarithms are at least -100.

    The gradient divides by ``input * (1 - input)``, or by 1e-12 where that is less.

    Raises:
        RuntimeError: an element of ``input`` or ``target`` lies outside [0, 1].
        ValueError: their shapes differ.

    Example:
        >>> F.binary_cross_entropy(weft.tensor([0.5]), weft.tensor([1.0]))
        tensor(0.6931)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("binary_cross_entropy", input=input, target=target)
    name = "binary_cross_entropy"
    same_shape(name, input, target)
    for label, values in (("input", input), ("target", target)):
        if not values.dtype.is_floating_point:
            raise TypeError(f"{name}: {label} expected to be floating-point, got {values.dtype}")
        _core.within(name, label, values)
    loss = _binary_cross_entropy(input, target)
    return reduced(_weighted(name, loss, weight), reduction, name)


@public(where=("nn.functional",))
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, computed so that it cannot overflow.

    Example:
        >>> F.binary_cross_entropy_with_logits(weft.zeros(1), weft.ones(1))
        tensor(0.6931)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("binary_cross_entropy_with_logits", input=input, target=target)
    name = "binary_cross_entropy_with_logits"
    same_shape(name, input, target)
    if pos_weight is None:
        loss = (1 - target) * input + _softplus(-input)
    else:
        loss = (1 - target) * input + (1 + (pos_weight - 1) * target) * _softplus(-input)
    if loss.shape != input.shape:
        raise RuntimeError(f"{name}: pos_weight expected to broadcast to {input.shape}")
    return reduced(_weighted(name, loss, weight), reduction, name)


@public(where=("nn.functional",))
def kl_div(
    input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """Kullback-Leibler divergence of log-probabilities ``input`` from ``target``.

    A target of 0 counts 0, a negative one NaN.

    Example:
        >>> F.kl_div(weft.tensor([-0.5]), weft.tensor([1.0]), reduction="sum")
        tensor(0.5)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("kl_div", input=input, target=target)
    if flag("kl_div", "log_target", log_target):
        loss = target.exp() * (target - input)
    else:
        gone = target == 0
        safe = where(gone, 1.0, target)
        loss = where(gone, 0.0, target * safe.log()) - target * input
    if reduction == "batchmean":
        return sum(loss) / input.shape[0]
    return reduced(loss, reduction, "kl_div")
