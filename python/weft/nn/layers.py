"""Layers with weights, and the few without that are no activation."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

import weft
from weft import functional as F
from weft._check import whole
from weft._core import Tensor
from weft.nn import init
from weft.nn.module import Module
from weft.nn.parameter import Parameter

if TYPE_CHECKING:
    from weft import SparseTensor


class Identity(Module):
    """Returns its input; arguments of the constructor are ignored.

    Example:
        >>> import weft
        >>> weft.nn.Identity(54)(3)
        3
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ignore everything."""
        super().__init__()

    def forward(self, input: Any) -> Any:
        """Return ``input``."""
        return input


class Linear(Module):
    """``y = x W^T + b``: shapes ``[*, in_features]`` to ``[*, out_features]``.

    ``weight`` has shape ``[out_features, in_features]``. Weight and bias start uniform in
    ``±1/sqrt(in_features)``. The input may be a sparse CSR matrix.

    Example:
        >>> import weft
        >>> layer = weft.nn.Linear(3, 5)
        >>> tuple(layer(weft.ones(2, 3)).shape)
        (2, 5)
    """

    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: weft.dtype | None = None,
    ) -> None:
        """Make the parameters. ``device`` is accepted for torch's sake and must be the CPU."""
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(weft.empty(out_features, in_features, dtype=dtype))
        self.bias = Parameter(weft.empty(out_features, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values."""
        init.kaiming_uniform_(self.weight, a=sqrt(5))
        if self.bias is not None:
            bound = 1 / sqrt(self.in_features) if self.in_features > 0 else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor | SparseTensor) -> Tensor:
        """Map ``[*, in_features]`` to ``[*, out_features]``."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """A table of vectors looked up by integer: ``[*]`` to ``[*, embedding_dim]``.

    ``weight`` has shape ``[num_embeddings, embedding_dim]`` and starts standard normal. The row
    ``padding_idx``, if given, starts at zero and gets no gradient.

    Raises:
        IndexError: on a call, an index is outside ``0 .. num_embeddings - 1``.
        ValueError: ``padding_idx`` is outside the table.

    Example:
        >>> import weft
        >>> table = weft.nn.Embedding(10, 3)
        >>> tuple(table(weft.tensor([[1, 2], [4, 9]])).shape)
        (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: weft.dtype | None = None,
    ) -> None:
        """Make the table."""
        super().__init__()
        if padding_idx is not None:
            padding_idx = whole("Embedding", "padding_idx", padding_idx)
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding: padding_idx is outside the table, expected below "
                    f"{num_embeddings}, got {padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(weft.empty(num_embeddings, embedding_dim, dtype=dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """A layer around the 2-d tensor ``embeddings``, whose storage it shares."""
        if embeddings.dim() != 2:
            raise ValueError(
                f"from_pretrained: needs a matrix, expected 2 dims, got {embeddings.dim()}"
            )
        rows, width = embeddings.shape
        layer = cls(rows, width, padding_idx, dtype=embeddings.dtype)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draw new values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with weft.no_grad():
                self.weight[self.padding_idx].zero_()

    def forward(self, input: Tensor) -> Tensor:
        """Look up int64 indices of any shape."""
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class LayerNorm(Module):
    """Zero mean and unit variance over the last dimensions, then scale and shift.

    Ba, Kiros, Hinton, "Layer Normalization", 2016. The variance is the biased one.

    Args:
        normalized_shape: the sizes of the trailing dimensions that are normalised together.
        eps: added to the variance.
        elementwise_affine: whether ``weight`` (ones) and ``bias`` (zeros) exist.
        bias: whether ``bias`` exists.
        device: accepted for torch's sake.
        dtype: float32 by default.

    Example:
        >>> import weft
        >>> y = weft.nn.LayerNorm(4)(weft.tensor([[1.0, 2.0, 3.0, 4.0]]))
        >>> round(y.sum().item(), 5)
        0.0
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: weft.dtype | None = None,
    ) -> None:
        """Make the parameters."""
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape, self.eps = tuple(shape), eps
        self.elementwise_affine = elementwise_affine
        make = elementwise_affine
        self.weight = Parameter(weft.ones(self.normalized_shape, dtype=dtype)) if make else None
        make = elementwise_affine and bias
        self.bias = Parameter(weft.zeros(self.normalized_shape, dtype=dtype)) if make else None

    def reset_parameters(self) -> None:
        """Set scale to one and shift to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise ``[*, *normalized_shape]``; the shape stays."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Sizes and options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class Dropout(Module):
    """In training, zero each element with probability ``p`` and scale the rest by ``1/(1-p)``.

    Srivastava et al., "Dropout", JMLR 2014. In evaluation the input is returned as it is.

    Raises:
        ValueError: ``p`` is outside 0 .. 1.

    Example:
        >>> import weft
        >>> layer = weft.nn.Dropout(0.5).eval()
        >>> layer(weft.ones(3)).tolist()
        [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        """Set the probability. ``inplace`` is accepted; the result is always a new tensor."""
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is no probability, expected 0 to 1, got {p}")
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        """Drop elements of a tensor of any shape."""
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}, inplace={self.inplace}"


class Flatten(Module):
    """Merge the dimensions ``start_dim .. end_dim`` into one.

    Example:
        >>> import weft
        >>> tuple(weft.nn.Flatten()(weft.ones(2, 3, 4)).shape)
        (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        """Say which dimensions."""
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Return a view where possible."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The dimensions."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
