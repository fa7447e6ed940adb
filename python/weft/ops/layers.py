"""What layers of ``weft.nn`` compute. Names, arguments and defaults are torch's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from weft import _core
from weft._check import chance, flag, not_tensors, real, sequence, whole
from weft._core import Pointwise, Tensor
from weft._public import public
from weft._types import int64
from weft.ops.create import arange
from weft.ops.moments import norm
from weft.ops.select import where
from weft.sparse import SparseTensor

__all__: list[str] = []

_mul, _add = Pointwise("mul"), Pointwise("add")


@public(where=("nn.functional",))
def linear(input: Tensor | SparseTensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``input @ weight.T + bias``; ``input`` [*, in] (or sparse), ``weight`` [out, in].

    Example:
        >>> F.linear(weft.ones(1, 2), weft.ones(3, 2), weft.zeros(3))
        tensor([[2., 2., 2.]])
    """
    if isinstance(input, SparseTensor):
        out = input @ weight.t()
        return out if bias is None else _add(out, bias)
    return _core.linear(input, weight, bias)


@public(where=("nn.functional",))
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeros with probability ``p``, the rest divided by ``1 - p`` (Srivastava et al. 2014).

    Example:
        >>> F.dropout(weft.ones(2), 0.5, training=False)
        tensor([1., 1.])
    """
    chance("dropout", "p", p)
    if not isinstance(input, Tensor) or not input.dtype.is_floating_point:
        got = input.dtype if isinstance(input, Tensor) else type(input).__name__
        raise TypeError(f"dropout: input expected to be a floating-point tensor, got {got}")
    flag("dropout", "inplace", inplace)
    if not flag("dropout", "training", training) or p == 0:
        return input
    scale = 0.0 if p == 1 else 1 / (1 - p)
    mask = _core.draw("bernoulli", 1 - p, scale, input.shape, input.dtype)
    return input.mul_(mask) if inplace else _mul(input, mask)


@public(where=("nn.functional",))
def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Rows of ``weight`` [n, d] at the indices in ``input``; shape ``[*, d]``.

    The row ``padding_idx`` gets no gradient.

    Raises:
        IndexError: an index lies outside ``0..n``.
        RuntimeError: ``weight`` is no matrix.
        AssertionError: ``padding_idx`` does, as in torch.

    Example:
        >>> F.embedding(weft.tensor([1, 0]), weft.tensor([[1.0], [2.0]]))
        tensor([[2.],
                [1.]])
    """
    if not (isinstance(input, Tensor) and isinstance(weight, Tensor)):
        raise not_tensors("embedding", input=input, weight=weight)
    if weight.ndim != 2:
        raise RuntimeError(f"embedding: weight expected to be a matrix, got shape {weight.shape}")
    if padding_idx is not None and not (
        -len(weight) <= whole("embedding", "padding_idx", padding_idx) < len(weight)
    ):
        raise AssertionError(
            f"embedding: padding_idx out of range, expected {-len(weight)} <= padding_idx < "
            f"{len(weight)}, got {padding_idx}"
        )
    flat = input if input.ndim == 1 else _core.reshape(input, (-1,))
    out = _core.index("index_select", weight, 0, flat)
    if padding_idx is not None:
        padding = (flat == padding_idx % len(weight))[:, None]
        out = where(padding, out.detach(), out)
    return out if input.ndim == 1 else _core.reshape(out, (*input.shape, weight.shape[1]))


@public(where=("nn.functional",))
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Mean 0 and variance 1 over the last dimensions, then ``* weight + bias`` (Ba et al. 2016).

    Example:
        >>> F.layer_norm(weft.tensor([[1.0, 3.0]]), (2,))
        tensor([[-1.,  1.]])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("layer_norm", input=input)
    shape = tuple(sequence("layer_norm", "normalized_shape", normalized_shape))
    if not shape or input.shape[-len(shape) :] != shape:
        raise RuntimeError(
            f"layer_norm: expected the input to end in {shape}, got shape {input.shape}"
        )
    for name, factor in (("weight", weight), ("bias", bias)):
        if factor is not None and factor.shape != shape:
            raise RuntimeError(
                f"layer_norm: {name} expected to have shape {shape}, got {factor.shape}"
            )
    out = _core.standardize(input, len(shape), eps)
    out = out if weight is None else _mul(out, weight)
    return out if bias is None else _add(out, bias)


@public(where=("nn.functional",))
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """``softmax(query @ key.T * scale + mask) @ value`` (Vaswani et al. 2017).

    Shapes ``[*, L, E]``, ``[*, S, E]``, ``[*, S, V]``; a boolean mask keeps where it holds. The
    result is 0 where nothing is kept.

    Example:
        >>> q = weft.zeros(1, 2, 4)
        >>> F.scaled_dot_product_attention(q, q, weft.ones(1, 2, 3)).shape
        (1, 2, 3)
    """
    if not (isinstance(query, Tensor) and isinstance(key, Tensor) and isinstance(value, Tensor)):
        raise not_tensors("scaled_dot_product_attention", query=query, key=key, value=value)
    name = "scaled_dot_product_attention"
    if flag(name, "is_causal", is_causal) and attn_mask is not None:
        raise RuntimeError(f"{name}: expected attn_mask or is_causal, got both")
    kinds = ("bool", "float32", query.dtype.name)
    if attn_mask is not None and attn_mask.dtype.name not in kinds:
        raise RuntimeError(
            f"{name}: attn_mask expected to be bool or {query.dtype}, got {attn_mask.dtype}"
        )
    factor = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else real(name, "scale", scale)
    scores = _core.matmul(query, _core.transpose(key, -2, -1)) * factor
    if is_causal:
        rows, columns = arange(query.shape[-2])[:, None], arange(key.shape[-2])
        scores = where(columns <= rows, scores, -math.inf)
    if attn_mask is not None:
        is_bool = attn_mask.dtype.name == "bool"
        scores = where(attn_mask, scores, -math.inf) if is_bool else scores + attn_mask
    kind = "softmax" if attn_mask is None else "masked_softmax"
    weights = dropout(_core.softmax(kind, scores, -1), dropout_p, dropout_p > 0)
    return _core.matmul(weights, value)


@public(where=("nn.functional",))
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 ``[*, num_classes]`` with a one at each index.

    Raises:
        RuntimeError: an index lies outside ``0..num_classes``.

    Example:
        >>> F.one_hot(weft.tensor([1, 0]), 2)
        tensor([[0, 1],
                [1, 0]])
    """
    if not isinstance(tensor, Tensor):
        raise not_tensors("one_hot", tensor=tensor)
    if tensor.is_floating_point():
        raise TypeError(f"one_hot: expected whole numbers, got {tensor.dtype}")
    if num_classes == -1:
        num_classes = int(tensor.max().item()) + 1
    shape = (*tensor.shape, num_classes)
    index = _core.reshape(tensor, (*tensor.shape, 1))
    one = _core.full(index.shape, 1, int64)
    return _core.index("scatter", _core.full(shape, 0, int64), len(shape) - 1, index, one)


@public(where=("nn.functional",))
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """``input`` divided by its ``p``-norm along ``dim``, which counts as at least ``eps``.

    Example:
        >>> F.normalize(weft.tensor([[3.0, 4.0]]))
        tensor([[0.6, 0.8]])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("normalize", input=input)
    return input / norm(input, p, dim, True).clamp(min=real("normalize", "eps", eps))


@public(where=("nn.functional",))
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: Any = 0) -> Tensor:
    """A number before and after the last dimensions: ``(left, right, top, bottom, ...)``.

    Example:
        >>> F.pad(weft.ones(2), (1, 0))
        tensor([0., 1., 1.])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("pad", input=input)
    if mode != "constant":
        raise ValueError(f"pad: mode expected to be constant, got {mode}")
    widths = [whole("pad", "pad", width) for width in sequence("pad", "pad", pad)]
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(
            f"pad: expected pairs for at most {input.ndim} dimensions, got {len(pad)} numbers"
        )
    out = input
    for i in range(len(pad) // 2):
        dim = input.ndim - 1 - i
        before, after = widths[2 * i], widths[2 * i + 1]
        parts = [out]
        for count, at in ((before, 0), (after, 1)):
            if count < 0:
                raise ValueError(f"pad: expected widths of at least 0, got {count}")
            shape = list(out.shape)
            shape[dim] = count
            if count:
                parts.insert(at * len(parts), _core.full(shape, value, out.dtype))
        out = _core.cat(parts, dim) if len(parts) > 1 else out
    return out
