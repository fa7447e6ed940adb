"""Multi-head attention as a module."""

from __future__ import annotations

from math import sqrt

import weft
from weft import functional as F
from weft._check import chance
from weft._core import Tensor
from weft.nn import init
from weft.nn.layers import Linear
from weft.nn.module import Module
from weft.nn.parameter import Parameter


class MultiheadAttention(Module):
    """Attention over ``num_heads`` slices of the embedding (Vaswani et al., NeurIPS 2017).

    Queries are ``[L, N, E]``, keys and values ``[S, N, E]``, or batch first ``[N, L, E]``; without
    a batch ``[L, E]``. Names of the parameters are torch's.

    Args:
        embed_dim: the size E, a multiple of ``num_heads``.
        num_heads: how many heads.
        dropout: probability of dropping an attention weight in training.
        bias: whether the projections have a bias.
        batch_first: whether the batch is the first dimension.
        dtype: float32 by default.

    Raises:
        ValueError: the heads do not divide the embedding; on a call, shapes do not fit.

    Example:
        >>> import weft
        >>> layer = weft.nn.MultiheadAttention(8, 2, batch_first=True)
        >>> x = weft.ones(3, 5, 8)
        >>> y, weights = layer(x, x, x)
        >>> tuple(y.shape), tuple(weights.shape)
        ((3, 5, 8), (3, 5, 5))
    """

    in_proj_bias: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
        dtype: weft.dtype | None = None,
    ) -> None:
        """Make the projections."""
        super().__init__()
        chance("MultiheadAttention", "dropout", dropout)
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: num_heads must divide embed_dim, "
                f"got embed_dim {embed_dim} and num_heads {num_heads}"
            )
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.dropout, self.batch_first = dropout, batch_first
        self.in_proj_weight = Parameter(weft.empty(3 * embed_dim, embed_dim, dtype=dtype))
        self.in_proj_bias = Parameter(weft.zeros(3 * embed_dim, dtype=dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values: Xavier-uniform weights, zero biases."""
        init.xavier_uniform_(self.in_proj_weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the result, shaped like ``query``, and the weights ``[N, L, S]`` (or None).

        Masks are torch's: boolean True, or minus infinity, means "do not look here".
        ``key_padding_mask`` is ``[N, S]``; ``attn_mask`` is ``[L, S]`` or ``[N * heads, L, S]``.
        """
        batched = query.dim() == 3
        if not batched:
            query, key, value = query.unsqueeze(0), key.unsqueeze(0), value.unsqueeze(0)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif not self.batch_first:
            query, key, value = (t.transpose(0, 1) for t in (query, key, value))
        self._check(query, key, value)
        self._check_masks(query, key, key_padding_mask, attn_mask)
        q, k, v = self._project(query, key, value)
        mask = self._mask(q, k, key_padding_mask, attn_mask, is_causal)
        heads, weights = self._attend(q, k, v, mask, need_weights)
        n, length, _ = query.shape
        result = self.out_proj(heads.transpose(1, 2).reshape(n, length, self.embed_dim))
        if weights is not None:
            weights = weights.mean(dim=1) if average_attn_weights else weights
            weights = weights if batched else weights.squeeze(0)
        if not batched:
            return result.squeeze(0), weights
        return (result if self.batch_first else result.transpose(0, 1)), weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        shapes = [list(t.shape) for t in (query, key, value)]
        (n, _, e), k, v = shapes
        if e != self.embed_dim or k != v or len(k) != 3 or (k[0], k[2]) != (n, e):
            raise ValueError(
                "MultiheadAttention: shapes do not fit, expected (batch first) "
                f"[N, L, {self.embed_dim}] and twice [N, S, {self.embed_dim}], "
                f"got {shapes[0]}, {shapes[1]}, {shapes[2]}"
            )

    def _check_masks(
        self, query: Tensor, key: Tensor, padding: Tensor | None, mask: Tensor | None
    ) -> None:
        (n, rows, _), columns = query.shape, key.shape[1]
        each = (n * self.num_heads, rows, columns)
        for name, given, shapes in (
            ("key_padding_mask", padding, [(n, columns)]),
            ("attn_mask", mask, [each[1:], each]),
        ):
            if given is None:
                continue
            if given.dtype is not weft.bool and not given.dtype.is_floating_point:
                raise TypeError(
                    f"MultiheadAttention: {name} expected to be bool or floating-point, "
                    f"got {given.dtype}"
                )
            if given.shape not in shapes:
                expected = " or ".join(map(str, shapes))
                raise RuntimeError(
                    f"MultiheadAttention: {name} expected to have shape {expected}, "
                    f"got {given.shape}"
                )

    def _project(self, *inputs: Tensor) -> list[Tensor]:
        """Apply the three thirds of the input projection and split into heads."""
        size, found = self.embed_dim, []
        for third, x in enumerate(inputs):
            rows = slice(third * size, (third + 1) * size)
            bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
            y = F.linear(x, self.in_proj_weight[rows], bias)
            y = y.reshape(x.shape[0], x.shape[1], self.num_heads, size // self.num_heads)
            found.append(y.transpose(1, 2))
        return found

    def _mask(
        self, q: Tensor, k: Tensor, padding: Tensor | None, mask: Tensor | None, causal: bool
    ) -> Tensor | None:
        """All masks as one additive tensor that broadcasts to ``[N, heads, L, S]``."""
        total: Tensor | None = None
        if mask is not None:
            total = self._additive(mask, q)
            if total.dim() == 3:
                total = total.reshape(q.shape[0], self.num_heads, q.shape[2], k.shape[2])
        elif causal:
            rows, columns = weft.arange(q.shape[2]), weft.arange(k.shape[2])
            total = self._additive(columns.unsqueeze(0) > rows.unsqueeze(1), q)
        if padding is not None:
            hidden = self._additive(padding, q).unsqueeze(1).unsqueeze(1)
            total = hidden if total is None else total + hidden
        return total

    @staticmethod
    def _additive(mask: Tensor, like: Tensor) -> Tensor:
        if mask.dtype != weft.bool:
            return mask.to(like.dtype)
        return weft.zeros(mask.shape, dtype=like.dtype).masked_fill(mask, float("-inf"))

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, need_weights: bool
    ) -> tuple[Tensor, Tensor | None]:
        drop = self.dropout if self.training else 0.0
        if not need_weights:
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=drop), None
        scores = (q * (1.0 / sqrt(q.shape[-1]))) @ k.transpose(-2, -1)
        weights = F.softmax(scores if mask is None else scores + mask, dim=-1)
        if drop:
            weights = F.dropout(weights, drop, True)
        return weights @ v, weights

    def extra_repr(self) -> str:
        """Sizes."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"
