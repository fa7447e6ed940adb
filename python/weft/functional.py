"""Functions of ``weft.nn.functional``: activations, losses, and what layers compute.

Names, arguments and defaults are torch's.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from weft import _core
from weft._check import chance, flag, real, same_shape, whole
from weft._core import Pointwise, Tensor
from weft._pointwise import is_number, relu, sigmoid, tanh, where
from weft._reduce import log_softmax, softmax
from weft._reduce import mean as _mean
from weft._reduce import sum as _sum
from weft.sparse import SparseTensor

_gelu, _gelu_tanh = Pointwise("gelu"), Pointwise("gelu_tanh")
_silu, _softplus = Pointwise("silu"), Pointwise("softplus")
_leaky_relu, _elu = Pointwise("leaky_relu"), Pointwise("elu")
_mul, _add = Pointwise("mul"), Pointwise("add")
_binary_cross_entropy = Pointwise("binary_cross_entropy")

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "dropout", "elu",
    "embedding", "gelu", "huber_loss", "kl_div", "l1_loss", "layer_norm", "leaky_relu", "linear",
    "log_softmax", "mse_loss", "nll_loss", "normalize", "one_hot", "pad", "relu",
    "scaled_dot_product_attention", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softplus",
    "tanh",
]  # fmt: skip


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x * (1 + erf(x / sqrt(2))) / 2``, or with ``approximate="tanh"`` its tanh form.

    Example:
        >>> F.gelu(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate expected to be none or tanh, got {approximate}")
    return _gelu(input) if approximate == "none" else _gelu_tanh(input)


def silu(input: Tensor) -> Tensor:
    """``x * sigmoid(x)``.

    Example:
        >>> F.silu(weft.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7311])
    """
    return _silu(input)


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


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``x`` where ``x > 0``, else ``negative_slope * x``.

    Example:
        >>> F.leaky_relu(weft.tensor([1.0, -1.0]))
        tensor([ 1.00, -0.01])
    """
    return _leaky_relu(input, real("leaky_relu", "negative_slope", negative_slope))


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where ``x > 0``, else ``alpha * (exp(x) - 1)``.

    Example:
        >>> F.elu(weft.tensor([1.0, -1.0]))
        tensor([ 1.0000, -0.6321])
    """
    return _elu(input, real("elu", "alpha", alpha))


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeros with probability ``p``, the rest divided by ``1 - p`` (Srivastava et al. 2014).

    Example:
        >>> F.dropout(weft.ones(2), 0.5, training=False)
        tensor([1., 1.])
    """
    chance("dropout", "p", p)
    if not isinstance(input, Tensor) or not input.dtype.is_floating_point:
        got = input.dtype if isinstance(input, Tensor) else type(input).__name__
        raise TypeError(f"dropout: expected a floating-point tensor, got {got}")
    flag("dropout", "inplace", inplace)
    if not flag("dropout", "training", training) or p == 0:
        return input
    scale = 0.0 if p == 1 else 1 / (1 - p)
    mask = _core.draw("bernoulli", 1 - p, scale, input.shape, input.dtype)
    return input.mul_(mask) if inplace else _mul(input, mask)


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
    shape = tuple(normalized_shape)
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


def _reduce(loss: Tensor, reduction: str, name: str) -> Tensor:
    if reduction == "mean":
        return _mean(loss)
    if reduction == "sum":
        return _sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"{name}: reduction expected to be none, mean or sum, got {reduction}")


def _rows(input: Tensor, target: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Scores as [N, C] and classes as [N]."""
    if input.ndim == 1 and target.ndim < 2:
        return _core.reshape(input, (1, -1)), _core.reshape(target, (-1,))
    if input.ndim == 2:
        return input, target
    if target.shape != (input.shape[0], *input.shape[2:]):
        raise RuntimeError(
            f"{name}: expected scores [N, C, *] and classes [N, *], "
            f"got {input.shape} and {target.shape}"
        )
    order = (0, *range(2, input.ndim), 1)
    return _core.reshape(_core.permute(input, order), (-1, input.shape[1])), _core.reshape(
        target, (-1,)
    )


def _check_weight(name: str, weight: Tensor, classes: int) -> None:
    if weight.shape != (classes,):
        raise RuntimeError(
            f"{name}: weight expected to have one number for each of {classes} classes, "
            f"got shape {weight.shape}"
        )


def _class_loss(
    name: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    scores, classes = _rows(input, target, name)
    if weight is None:
        out = _core.class_loss(name, scores, classes, ignore_index, reduction)
    else:
        _check_weight(name, weight, scores.shape[-1])
        rows = _core.class_loss(name, scores, classes, ignore_index, "none")
        counts = classes != ignore_index
        share = where(
            counts, _core.index("index_select", weight, 0, where(counts, classes, 0)), 0.0
        )
        rows = rows * share
        out = _sum(rows) / _sum(share) if reduction == "mean" else _reduce(rows, reduction, name)
    if reduction == "none" and target.ndim != 1:
        return _core.reshape(out, target.shape)
    return out


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of scores ``[N, C, *]`` with classes (int64 ``[N, *]``) or probabilities.

    Raises:
        IndexError: a class lies outside ``0..C`` and is not ``ignore_index``.

    Example:
        >>> F.cross_entropy(weft.zeros(1, 2), weft.tensor([1]))
        tensor(0.6931)
    """
    if (
        label_smoothing != 0.0
        and not 0 <= real("cross_entropy", "label_smoothing", label_smoothing) <= 1
    ):
        raise RuntimeError(
            f"cross_entropy: expected 0 <= label_smoothing <= 1, got {label_smoothing}"
        )
    if target.dtype.is_floating_point:
        if whole("cross_entropy", "ignore_index", ignore_index) >= 0:
            raise RuntimeError(
                f"cross_entropy: probabilities have no class to ignore, got {ignore_index}"
            )
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    hard = _class_loss("cross_entropy", input, target, weight, ignore_index, reduction)
    if label_smoothing == 0.0:
        return hard
    scores, classes = _rows(input, target, "cross_entropy")
    logp = log_softmax(scores, 1)
    spread = -_sum(logp if weight is None else logp * weight, 1) / scores.shape[1]
    counts = classes != ignore_index
    spread = where(counts, spread, 0.0)
    if reduction == "mean":
        if weight is None:
            total = _sum(counts.to(scores.dtype))
        else:
            safe = where(counts, classes, 0)
            total = _sum(where(counts, _core.index("index_select", weight, 0, safe), 0.0))
        smooth = _sum(spread) / total
    else:
        smooth = _reduce(spread, reduction, "cross_entropy")
        smooth = smooth if reduction == "sum" else _core.reshape(smooth, hard.shape)
    return (1 - label_smoothing) * hard + label_smoothing * smooth


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    same_shape("cross_entropy", input, target)
    aim = target if smoothing == 0.0 else target * (1 - smoothing) + smoothing / classes
    logp = log_softmax(input, dim)
    if weight is not None:
        _check_weight("cross_entropy", weight, classes)
        logp = logp * _core.reshape(weight, [-1 if d == dim else 1 for d in range(input.ndim)])
    rows = -_sum(logp * aim, dim)
    if reduction == "mean":
        return _sum(rows) / max(rows.numel(), 1)
    return _reduce(rows, reduction, "cross_entropy")


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability, ``[N, C, *]``, of each class in ``target``.

    Example:
        >>> F.nll_loss(weft.tensor([[-1.0, -2.0]]), weft.tensor([1]))
        tensor(2.)
    """
    return _class_loss("nll_loss", input, target, weight, ignore_index, reduction)


def _warn_broadcast(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"{name}: target has another shape than input, got {target.shape} and {input.shape}. "
            "Both broadcast, which is rarely meant",
            stacklevel=3,
        )


def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Squared difference.

    Example:
        >>> F.mse_loss(weft.tensor([1.0, 3.0]), weft.zeros(2))
        tensor(5.)
    """
    _warn_broadcast("mse_loss", input, target)
    difference = input - target
    return _reduce(difference.square(), reduction, "mse_loss")


def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """Absolute difference.

    Example:
        >>> F.l1_loss(weft.tensor([1.0, -3.0]), weft.zeros(2))
        tensor(2.)
    """
    _warn_broadcast("l1_loss", input, target)
    return _reduce((input - target).abs(), reduction, "l1_loss")


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """Half the squared difference up to ``delta``, then linear (Huber 1964).

    Example:
        >>> F.huber_loss(weft.tensor([1.0, 3.0]), weft.zeros(2))
        tensor(1.5)
    """
    if not real("huber_loss", "delta", delta) > 0:
        raise RuntimeError(f"huber_loss: expected delta > 0, got {delta}")
    _warn_broadcast("huber_loss", input, target)
    return _reduce(_huber(input, target, delta), reduction, "huber_loss")


def _huber(input: Tensor, target: Tensor, delta: float) -> Tensor:
    difference = input - target
    size = difference.abs()
    near = (size >= delta).logical_not()  # NaN too, whose gradient is NaN
    # The square of what is far may overflow, and its second derivative at 0 is not that of |x|.
    squared = where(near, difference, 0.0).square()
    return where(near, 0.5 * squared, delta * (size - 0.5 * delta))


def smooth_l1_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """:func:`huber_loss` divided by ``beta``; with ``beta=0`` the absolute difference.

    Example:
        >>> F.smooth_l1_loss(weft.tensor([1.0, 3.0]), weft.zeros(2))
        tensor(1.5)
    """
    if not real("smooth_l1_loss", "beta", beta) >= 0:
        raise RuntimeError(f"smooth_l1_loss: expected beta >= 0, got {beta}")
    _warn_broadcast("smooth_l1_loss", input, target)
    loss = (input - target).abs() if beta == 0 else _huber(input, target, beta) / beta
    return _reduce(loss, reduction, "smooth_l1_loss")


def _weighted(name: str, loss: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return loss
    out = loss * weight
    if out.shape != loss.shape:
        raise RuntimeError(
            f"{name}: weight expected to broadcast to {loss.shape}, got {weight.shape}"
        )
    return out


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
    name = "binary_cross_entropy"
    same_shape(name, input, target)
    for label, values in (("input", input), ("target", target)):
        if not values.dtype.is_floating_point:
            raise TypeError(f"{name}: {label} expected to be floating-point, got {values.dtype}")
        _core.within(name, label, values)
    loss = _binary_cross_entropy(input, target)
    return _reduce(_weighted(name, loss, weight), reduction, name)


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
    name = "binary_cross_entropy_with_logits"
    same_shape(name, input, target)
    if pos_weight is None:
        loss = (1 - target) * input + _softplus(-input)
    else:
        loss = (1 - target) * input + (1 + (pos_weight - 1) * target) * _softplus(-input)
    if loss.shape != input.shape:
        raise RuntimeError(f"{name}: pos_weight expected to broadcast to {input.shape}")
    return _reduce(_weighted(name, loss, weight), reduction, name)


def kl_div(
    input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """Kullback-Leibler divergence of log-probabilities ``input`` from ``target``.

    A target of 0 counts 0, a negative one NaN.

    Example:
        >>> F.kl_div(weft.tensor([-0.5]), weft.tensor([1.0]), reduction="sum")
        tensor(0.5)
    """
    if flag("kl_div", "log_target", log_target):
        loss = target.exp() * (target - input)
    else:
        gone = target == 0
        safe = where(gone, 1.0, target)
        loss = where(gone, 0.0, target * safe.log()) - target * input
    if reduction == "batchmean":
        return _sum(loss) / input.shape[0]
    return _reduce(loss, reduction, "kl_div")


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
    from weft._creation import arange

    name = "scaled_dot_product_attention"
    if flag(name, "is_causal", is_causal) and attn_mask is not None:
        raise RuntimeError(f"{name}: expected attn_mask or is_causal, got both")
    kinds = ("bool", "float32", query.dtype.name)
    if attn_mask is not None and attn_mask.dtype.name not in kinds:
        raise RuntimeError(
            f"{name}: attn_mask expected to be bool or {query.dtype}, got {attn_mask.dtype}"
        )
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else real(name, "scale", scale)
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


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 ``[*, num_classes]`` with a one at each index.

    Raises:
        RuntimeError: an index lies outside ``0..num_classes``.

    Example:
        >>> F.one_hot(weft.tensor([1, 0]), 2)
        tensor([[0, 1],
                [1, 0]])
    """
    from weft._creation import int64

    if tensor.is_floating_point():
        raise TypeError(f"one_hot: expected whole numbers, got {tensor.dtype}")
    if num_classes == -1:
        num_classes = int(tensor.max().item()) + 1
    shape = (*tensor.shape, num_classes)
    index = _core.reshape(tensor, (*tensor.shape, 1))
    one = _core.full(index.shape, 1, int64)
    return _core.index("scatter", _core.full(shape, 0, int64), len(shape) - 1, index, one)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """``input`` divided by its ``p``-norm along ``dim``, which counts as at least ``eps``.

    Example:
        >>> F.normalize(weft.tensor([[3.0, 4.0]]))
        tensor([[0.6, 0.8]])
    """
    from weft._reduce import norm

    return input / norm(input, p, dim, True).clamp(min=real("normalize", "eps", eps))


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: Any = 0) -> Tensor:
    """A number before and after the last dimensions: ``(left, right, top, bottom, ...)``.

    Example:
        >>> F.pad(weft.ones(2), (1, 0))
        tensor([0., 1., 1.])
    """
    if mode != "constant":
        raise ValueError(f"pad: mode expected to be constant, got {mode}")
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(
            f"pad: expected pairs for at most {input.ndim} dimensions, got {len(pad)} numbers"
        )
    out = input
    for i in range(len(pad) // 2):
        dim = input.ndim - 1 - i
        before, after = pad[2 * i], pad[2 * i + 1]
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
