"""The cases of ``weft.nn.functional``."""

import math

import numpy as np
from tests.ops.cases import nplog_softmax, npnorm, npsoftmax
from tests.ops.functions import at, case, exact, u

erf = np.vectorize(math.erf, otypes=[np.float64])


def reduced(loss, reduction):
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](loss)


def huber(x, y, delta):
    d = np.abs(x - y)
    return np.where(d < delta, d * d / 2, delta * (d - delta / 2))


def bce(x, y):
    return -(y * np.log(x) + (1 - y) * np.log(1 - x))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x, beta=1.0):
    return np.log1p(np.exp(beta * x)) / beta


case("gelu", u(3, 4), oracle=lambda x: x * (1 + erf(x / math.sqrt(2))) / 2)
case(
    "gelu",
    u(3, 4),
    approximate="tanh",
    oracle=lambda x, approximate: x * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)),
)
case("silu", u(3, 4), oracle=lambda x: x * sigmoid(x))
case("softplus", u(3, 4), oracle=softplus)
case("softplus", u(3, 4), beta=2.5, oracle=softplus)
case(
    "leaky_relu",
    u(3, 4),
    negative_slope=0.2,
    oracle=lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
)
case("elu", u(3, 4), alpha=1.5, oracle=lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)))
case("dropout", u(3, 4), p=0.5, training=False, oracle=lambda x, p, training: x)
case("dropout", u(3, 4), p=0.5, facts={"draws": True})
case("embedding", at(2, 3, below=5), u(5, 4), oracle=lambda i, w: w[i])
case(
    "embedding",
    at(3, below=5),
    u(5, 4),
    padding_idx=1,
    facts={"smooth": False},
    oracle=lambda i, w, padding_idx: w[i],
)


def nplayer_norm(x, shape, weight=1.0, bias=0.0, eps=1e-5):
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    centred = x - x.mean(axis=dims, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=dims, keepdims=True) + eps) * weight + bias


case("layer_norm", u(2, 3, 4), (3, 4), oracle=nplayer_norm)
case("layer_norm", u(3, 4), (4,), u(4), u(4), eps=1e-3, oracle=nplayer_norm)


def attention(q, k, v, mask=None, is_causal=False, scale=None):
    scores = (
        q @ np.swapaxes(k, -1, -2) * (1 / math.sqrt(q.shape[-1] or 1) if scale is None else scale)
    )
    if is_causal:
        mask = np.tri(q.shape[-2], k.shape[-2], dtype=bool)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    return npsoftmax(scores, -1) @ v


case("scaled_dot_product_attention", u(2, 3, 4), u(2, 5, 4), u(2, 5, 2), oracle=attention)
case(
    "scaled_dot_product_attention",
    u(2, 3, 4),
    u(2, 3, 4),
    u(2, 3, 2),
    is_causal=True,
    scale=0.3,
    oracle=attention,
)
case("scaled_dot_product_attention", u(3, 4), u(3, 4), u(3, 2), u(3, 3), oracle=attention)
case(
    "normalize",
    u(3, 4),
    dim=1,
    oracle=lambda x, dim: x / np.maximum(npnorm(x, 2, dim, True), 1e-12),
)
case(
    "pad",
    u(2, 3),
    (1, 2, 0, 1),
    value=0.5,
    oracle=lambda x, pad, value: np.pad(x, ((0, 1), (1, 2)), constant_values=value),
)

for _reduction in ("mean", "sum", "none"):
    case(
        "mse_loss",
        u(3, 4),
        u(3, 4),
        reduction=_reduction,
        oracle=lambda x, y, reduction: reduced((x - y) ** 2, reduction),
    )
case("l1_loss", u(3, 4), u(3, 4), oracle=lambda x, y: np.abs(x - y).mean())
case(
    "huber_loss", u(3, 4), u(3, 4), delta=1.5, oracle=lambda x, y, delta: huber(x, y, delta).mean()
)
case(
    "smooth_l1_loss",
    u(3, 4),
    u(3, 4),
    beta=0.5,
    oracle=lambda x, y, beta: (huber(x, y, beta) / beta).mean(),
)
case("smooth_l1_loss", u(3, 4), u(3, 4), beta=0, oracle=lambda x, y, beta: np.abs(x - y).mean())
P = {"low": 0.1, "high": 0.9}
case("binary_cross_entropy", u(3, 4, **P), u(3, 4, **P), oracle=lambda x, y: bce(x, y).mean())
case(
    "binary_cross_entropy",
    u(3, 4, **P),
    u(3, 4, **P),
    weight=u(4),
    reduction="sum",
    oracle=lambda x, y, weight, reduction: (bce(x, y) * weight).sum(),
)
case(
    "binary_cross_entropy_with_logits",
    u(3, 4),
    u(3, 4, **P),
    oracle=lambda x, y: bce(sigmoid(x), y).mean(),
)
case(
    "binary_cross_entropy_with_logits",
    u(3, 4),
    u(3, 4, **P),
    pos_weight=u(4, **P),
    weight=u(3, 4),
    reduction="none",
    oracle=lambda x, y, pos_weight, weight, reduction: (
        weight * -(pos_weight * y * np.log(sigmoid(x)) + (1 - y) * np.log(1 - sigmoid(x)))
    ),
)
case("kl_div", u(3, 4), u(3, 4, **P), oracle=lambda x, y: (y * (np.log(y) - x)).mean())
case(
    "kl_div",
    u(3, 4),
    u(3, 4),
    log_target=True,
    facts={"fixed": True},
    reduction="batchmean",
    oracle=lambda x, y, log_target, reduction: (np.exp(y) * (y - x)).sum() / 3,
)


def picked(x, classes, weight=None, reduction="mean", smoothing=0.0):
    logp, rows = nplog_softmax(x, 1), np.arange(len(x))
    share = np.ones(len(x)) if weight is None else weight[classes]
    spread = -(logp * (1 if weight is None else weight)).sum(1) / x.shape[1]
    loss = (1 - smoothing) * -logp[rows, classes] * share + smoothing * spread
    return loss.sum() / share.sum() if reduction == "mean" else reduced(loss, reduction)


case("cross_entropy", u(3, 4), at(3, below=4), oracle=picked)
case(
    "cross_entropy",
    u(3, 4),
    at(3, below=4),
    weight=u(4, **P),
    label_smoothing=0.2,
    oracle=lambda x, y, weight, label_smoothing: picked(x, y, weight, smoothing=label_smoothing),
)
case(
    "cross_entropy",
    u(3, 4),
    at(3, below=4),
    reduction="none",
    oracle=lambda x, y, reduction: picked(x, y, None, reduction),
)
case(
    "cross_entropy",
    u(2, 4, 3),
    at(2, 3, below=4),
    reduction="sum",
    oracle=lambda x, y, reduction: picked(
        x.transpose(0, 2, 1).reshape(6, 4), y.ravel(), None, reduction
    ),
)
case(
    "cross_entropy",
    u(3, 4),
    u(3, 4, **P),
    label_smoothing=0.1,
    oracle=lambda x, y, label_smoothing: -(nplog_softmax(x, 1) * (0.9 * y + 0.1 / 4)).sum(1).mean(),
)
case("nll_loss", u(3, 4), at(3, below=4), oracle=lambda x, y: -x[np.arange(3), y].mean())
case(
    "nll_loss",
    u(3, 4),
    exact([1, -100, 2]),
    weight=u(4, **P),
    oracle=lambda x, y, weight: (
        -((x[[0, 2], [1, 2]] * weight[[1, 2]]).sum() / weight[[1, 2]].sum())
    ),
)
