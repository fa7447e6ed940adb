"""Starting values for parameters. Every function fills its tensor in place and returns it."""

from __future__ import annotations

from math import prod, sqrt

import numpy as np

import weft
from weft._check import real
from weft._core import Tensor

_FIXED_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps a layer's variance through a nonlinearity.

    Args:
        nonlinearity: linear, conv1d .. conv3d, sigmoid, tanh, relu, leaky_relu or selu.
        param: the negative slope of leaky_relu (0.01 if not given).

    Raises:
        ValueError: an unknown name.

    Example:
        >>> import weft
        >>> round(weft.nn.init.calculate_gain("relu"), 4)
        1.4142
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _FIXED_GAINS:
        known = ", ".join([*_FIXED_GAINS, "leaky_relu"])
        raise ValueError(
            f"calculate_gain: unknown nonlinearity, expected one of {known}, got {nonlinearity!r}"
        )
    return _FIXED_GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Draw from the uniform distribution on ``[a, b)``.

    Example:
        >>> import weft
        >>> bool((weft.nn.init.uniform_(weft.empty(9), 2.0, 3.0) >= 2).all().item())
        True
    """
    with weft.no_grad():
        return tensor.uniform_(a, b)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Draw from the normal distribution.

    Example:
        >>> import weft
        >>> weft.nn.init.normal_(weft.empty(2), mean=5.0, std=0.0).tolist()
        [5.0, 5.0]
    """
    with weft.no_grad():
        return tensor.normal_(mean, std)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with ``val``.

    Example:
        >>> import weft
        >>> weft.nn.init.constant_(weft.empty(2), 0.5).tolist()
        [0.5, 0.5]
    """
    with weft.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity (as far as it is square).

    Raises:
        ValueError: the tensor is no matrix.

    Example:
        >>> import weft
        >>> weft.nn.init.eye_(weft.empty(2, 3)).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if tensor.dim() != 2:
        raise ValueError(f"eye_: needs a matrix, expected 2 dims, got {tensor.dim()}")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def _fill(tensor: Tensor, values: np.ndarray) -> Tensor:
    with weft.no_grad():
        return tensor.copy_(weft.tensor(values, dtype=tensor.dtype))


def _fans(op: str, tensor: Tensor) -> tuple[int, int]:
    """Fan-in and fan-out of a weight ``[out, in, *kernel]``."""
    if tensor.dim() < 2:
        raise ValueError(
            f"{op}: needs fan-in and fan-out, expected 2 dims or more, got {tensor.dim()}"
        )
    out_features, in_features, *kernel = tensor.shape
    return in_features * prod(kernel), out_features * prod(kernel)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform in ``±gain sqrt(6 / (fan_in + fan_out))`` (Glorot, Bengio, AISTATS 2010).

    Raises:
        ValueError: the tensor has fewer than two dimensions.
    """
    bound = gain * sqrt(6.0 / max(1, sum(_fans("xavier_uniform_", tensor))))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normal with std ``gain sqrt(2 / (fan_in + fan_out))`` (Glorot, Bengio, AISTATS 2010).

    Raises:
        ValueError: the tensor has fewer than two dimensions.
    """
    std = gain * sqrt(2.0 / max(1, sum(_fans("xavier_normal_", tensor))))
    return normal_(tensor, 0.0, std)


def _kaiming_std(op: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{op}: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan = _fans(op, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / sqrt(max(1, fan))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Uniform with std ``gain / sqrt(fan)`` (He et al., ICCV 2015); ``a`` is the negative slope.

    Raises:
        ValueError: fewer than two dimensions, an unknown mode or nonlinearity.

    Example:
        >>> import weft
        >>> w = weft.nn.init.kaiming_uniform_(weft.empty(5, 24), nonlinearity="relu")
        >>> bool((w.abs() <= 0.5).all().item())
        True
    """
    bound = sqrt(3.0) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Normal with std ``gain / sqrt(fan)`` (He et al., ICCV 2015); ``a`` is the negative slope.

    Raises:
        ValueError: fewer than two dimensions, an unknown mode or nonlinearity.
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std)


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Make rows (or columns, if there are fewer) orthonormal, times ``gain``.

    The QR decomposition of a normal matrix, signs fixed so that the result is uniform over
    orthogonal matrices (Saxe et al., ICLR 2014). Dimensions past the first count as columns.

    Raises:
        ValueError: the tensor has fewer than two dimensions.

    Example:
        >>> import weft
        >>> w = weft.nn.init.orthogonal_(weft.empty(3, 5))
        >>> [round((w[0] * w[i]).sum().item(), 4) + 0 for i in range(2)]
        [1.0, 0.0]
    """
    real("orthogonal_", "gain", gain)
    if not tensor.dtype.is_floating_point:
        raise TypeError(f"orthogonal_: expected a floating-point tensor, got {tensor.dtype}")
    if tensor.dim() < 2:
        raise ValueError(f"orthogonal_: expected 2 dims or more, got {tensor.dim()}")
    if tensor.numel() == 0:
        return tensor
    rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = weft.randn(max(rows, columns), min(rows, columns), dtype=weft.float64).numpy()
    q, r = np.linalg.qr(drawn)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))
