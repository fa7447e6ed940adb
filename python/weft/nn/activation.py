"""Elementwise functions, and softmax, as modules."""

from __future__ import annotations

from weft import functional as F
from weft._core import Tensor
from weft.nn.module import Module


class _Activation(Module):
    """An elementwise function; ``inplace`` is accepted, the result is always a new tensor."""

    def __init__(self, inplace: bool = False) -> None:
        """Keep the option for ``repr``."""
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Show the option if it is set."""
        return "inplace=True" if self.inplace else ""


class ReLU(_Activation):
    """``max(x, 0)``, elementwise.

    Example:
        >>> import weft
        >>> weft.nn.ReLU()(weft.tensor([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.relu(input)


class SiLU(_Activation):
    """``x * sigmoid(x)``, elementwise (Elfwing et al., 2017).

    Example:
        >>> import weft
        >>> weft.nn.SiLU()(weft.zeros(2)).tolist()
        [0.0, 0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.silu(input)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))``, elementwise.

    Example:
        >>> import weft
        >>> weft.nn.Sigmoid()(weft.zeros(1)).tolist()
        [0.5]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.sigmoid(input)


class Tanh(Module):
    """Hyperbolic tangent, elementwise.

    Example:
        >>> import weft
        >>> weft.nn.Tanh()(weft.zeros(1)).tolist()
        [0.0]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.tanh(input)


class GELU(Module):
    """``x * Phi(x)`` with the normal distribution's Phi (Hendrycks, Gimpel, 2016).

    Args:
        approximate: ``"none"`` (by erf) or ``"tanh"`` (the paper's approximation).

    Example:
        >>> import weft
        >>> weft.nn.GELU()(weft.zeros(1)).tolist()
        [0.0]
    """

    def __init__(self, approximate: str = "none") -> None:
        """Choose the formula."""
        super().__init__()
        if approximate not in ("none", "tanh"):
            raise ValueError(f"GELU: approximate must be 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """The formula."""
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """``log(1 + exp(beta x)) / beta``, and ``x`` itself where ``beta x > threshold``.

    Example:
        >>> import weft
        >>> round(weft.nn.Softplus()(weft.zeros(1)).item(), 4)
        0.6931
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        """Set steepness and the point where the function is taken as linear."""
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Options."""
        return f"beta={self.beta}, threshold={self.threshold}"


class LeakyReLU(_Activation):
    """``x`` where positive, else ``negative_slope * x``.

    Example:
        >>> import weft
        >>> weft.nn.LeakyReLU(0.5)(weft.tensor([-2.0, 2.0])).tolist()
        [-1.0, 2.0]
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        """Set the slope."""
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.leaky_relu(input, self.negative_slope)

    def extra_repr(self) -> str:
        """Options."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class ELU(_Activation):
    """``x`` where positive, else ``alpha (exp(x) - 1)`` (Clevert et al., 2015).

    Example:
        >>> import weft
        >>> weft.nn.ELU()(weft.tensor([0.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        """Set the limit at minus infinity, ``-alpha``."""
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Apply to any shape."""
        return F.elu(input, self.alpha)

    def extra_repr(self) -> str:
        """Options."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class _OverDim(Module):
    def __init__(self, dim: int = -1) -> None:
        """Choose the dimension that sums to one."""
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """The dimension."""
        return f"dim={self.dim}"


class Softmax(_OverDim):
    """``exp(x) / sum(exp(x))`` along ``dim`` (the last by default).

    Example:
        >>> import weft
        >>> weft.nn.Softmax(dim=1)(weft.zeros(1, 4)).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply; the shape stays."""
        return F.softmax(input, dim=self.dim)


class LogSoftmax(_OverDim):
    """``x - log(sum(exp(x)))`` along ``dim`` (the last by default).

    Example:
        >>> import weft
        >>> round(weft.nn.LogSoftmax(dim=0)(weft.zeros(2)).tolist()[0], 4)
        -0.6931
    """

    def forward(self, input: Tensor) -> Tensor:
        """Apply; the shape stays."""
        return F.log_softmax(input, dim=self.dim)
