"""Activations of ``weft.nn.functional``: element by element, floating-point.

Names, arguments and defaults are torch's.
"""

from __future__ import annotations

from weft._check import real
from weft._core import Pointwise, Tensor
from weft._public import public
from weft._types import is_number
from weft.ops.select import where

__all__ = ["relu"]

_relu = Pointwise("relu")
_gelu, _gelu_tanh = Pointwise("gelu"), Pointwise("gelu_tanh")
_silu, _softplus = Pointwise("silu"), Pointwise("softplus")
_leaky_relu, _elu = Pointwise("leaky_relu"), Pointwise("elu")


@public(where=("weft", "nn.functional"), method=True, inplace=True)
def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``; the gradient at 0 is 0.

    Example:
        >>> weft.relu(weft.tensor([1.0, -2.0]))
        tensor([1., 0.])
    """
    return _relu(input)


@public(where=("nn.functional",))
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x * (1 + erf(x / sqrt(2))) / 2``, or with ``approximate="tanh"`` its tanh form.

    Example:
        >>> F.gelu(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate expected to be none or tanh, got {approximate}")
    return _gelu(input) if approximate == "none" else _gelu_tanh(input)


@public(where=("nn.functional",))
def silu(input: Tensor) -> Tensor:
    """``x * sigmoid(x)``.

    Example:
        >>> F.silu(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7311])
    """
    return _silu(input)


@public(where=("nn.functional",))
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``, and ``x`` where ``beta * x > threshold``.

    Example:
        >>> F.softplus(weft.tensor([0.0, 100.0]))
        tensor([  0.6931, 100.0000])
    """
    real("softplus", "beta", beta), real("softplus", "threshold", threshold)
    plain = is_number(beta, 1)
    scaled = input if plain else input * beta
    out = _softplus(scaled)
    out = out if plain else out / beta
    return where(scaled > threshold, input, out)


@public(where=("nn.functional",))
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``x`` where ``x > 0``, else ``negative_slope * x``.

    Example:
        >>> F.leaky_relu(weft.tensor([1.0, -1.0]))
        tensor([ 1.00, -0.01])
    """
    return _leaky_relu(input, real("leaky_relu", "negative_slope", negative_slope))


@public(where=("nn.functional",))
def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where ``x > 0``, else ``alpha * (exp(x) - 1)``.

    Example:
        >>> F.elu(weft.tensor([1.0, -1.0]))
        tensor([ 1.0000, -0.6321])
    """
    return _elu(input, real("elu", "alpha", alpha))
