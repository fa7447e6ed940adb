"""Oracles of the operations that are not pointwise. See ``oracle.py``."""

from typing import Any

import numpy as np

Arrays = list[np.ndarray]
SHORT = {
    "bool": "bool", "u8": "uint8", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u16": "uint16", "u32": "uint32", "u64": "uint64", "f16": "float16", "bf16": "bfloat16",
    "f32": "float32", "f64": "float64", "c64": "complex64", "c128": "complex128",
}  # fmt: skip


def axes(attrs: dict[str, Any]) -> tuple[int, ...]:
    return tuple(attrs["dim"])


def reduce(function: Any) -> Any:
    def oracle(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
        return np.asarray(function(x[0], axis=axes(attrs), keepdims=attrs["keepdim"]))

    return oracle


def total(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    dtype = np.float64 if x.dtype.kind == "f" else np.int64
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=dtype)


def product(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    dtype = np.float64 if x.dtype.kind == "f" else np.int64
    return np.prod(x, axis=axis, keepdims=keepdims, dtype=dtype)


def average(x: np.ndarray, axis: tuple[int, ...], keepdims: bool) -> np.ndarray:
    count = np.prod([x.shape[d] for d in axis])
    return np.asarray(total(x, axis, keepdims)) / count


def arg(function: Any) -> Any:
    """The index counts along one dimension, or through the whole array."""

    def oracle(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
        dims = axes(attrs)
        one = dims[0] if len(dims) == 1 else None
        if x[0].ndim == 0:
            return np.zeros((), np.int64)
        return np.asarray(function(x[0], axis=one, keepdims=attrs["keepdim"]))

    return oracle


def _largest(x: np.ndarray, dim: int) -> np.ndarray:
    top = np.max(x, axis=dim, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, 0)


def logsumexp(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    dim, top = attrs["dim"], _largest(x[0], attrs["dim"])
    return top + np.log(np.exp(x[0] - top).sum(axis=dim, keepdims=True))


def softmax(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    top = np.max(x[0], axis=attrs["dim"], keepdims=True)
    e = np.exp(x[0] - top)
    return e / e.sum(axis=attrs["dim"], keepdims=True)


def masked_softmax(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    nothing = (x[0] == -np.inf).all(axis=attrs["dim"], keepdims=True)
    return np.where(nothing, 0.0, softmax(x, attrs))


def cumsum(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    if not attrs["reverse"]:
        return np.cumsum(x[0], axis=attrs["dim"])
    return np.flip(np.cumsum(np.flip(x[0], attrs["dim"]), axis=attrs["dim"]), attrs["dim"])


def log_softmax(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    top = np.max(x[0], axis=attrs["dim"], keepdims=True)
    return x[0] - top - np.log(np.exp(x[0] - top).sum(axis=attrs["dim"], keepdims=True))


def softmax_backward(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    y, g = x
    return y * (g - (g * y).sum(axis=attrs["dim"], keepdims=True))


def log_softmax_backward(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    y, g = x
    return g - np.exp(y) * g.sum(axis=attrs["dim"], keepdims=True)


def matmul(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    a = np.swapaxes(x[0], -1, -2) if attrs.get("a_transposed") else x[0]
    b = np.swapaxes(x[1], -1, -2) if attrs.get("b_transposed") else x[1]
    return a @ b


def slice_(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    places = attrs["start"] + np.arange(attrs["length"]) * attrs["step"]
    return np.take(x[0], places, axis=attrs["dim"])


def _region(attrs: dict[str, Any]) -> np.ndarray:
    """Places of a strided region in the flat array."""
    grid = np.indices(attrs["size"])
    strides = np.reshape(attrs["stride"], (-1,) + (1,) * len(attrs["size"]))
    return attrs["offset"] + (grid * strides).sum(axis=0)


def as_strided(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    return x[0].ravel()[_region(attrs)]


def as_strided_scatter(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    flat = x[0].flatten()
    flat[_region(attrs)] = x[1]
    return flat.reshape(x[0].shape)


def index_add(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    out = x[0].copy()
    rows, source = np.moveaxis(out, attrs["dim"], 0), np.moveaxis(x[2], attrs["dim"], 0)
    for i, place in enumerate(x[1]):
        rows[place] += source[i]
    return out


def _scatter(add: bool) -> Any:
    def oracle(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
        out = x[0].copy()
        for at in np.ndindex(*x[1].shape):
            to = list(at)
            to[attrs["dim"]] = x[1][at]
            out[tuple(to)] = out[tuple(to)] + x[2][at] if add else x[2][at]
        return out

    return oracle


def gather(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    at = list(np.indices(x[1].shape))
    at[attrs["dim"]] = x[1]
    return x[0][tuple(at)]


def standardize(x: Arrays, attrs: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    dims = tuple(range(x[0].ndim - attrs["dims"], x[0].ndim))
    mean = x[0].mean(axis=dims, keepdims=True)
    rstd = 1 / np.sqrt(x[0].var(axis=dims, keepdims=True) + attrs["eps"])
    return (x[0] - mean) * rstd, rstd.reshape(x[0].shape[: x[0].ndim - attrs["dims"]])


def standardize_backward(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    xhat, rstd, g = x
    dims = tuple(range(xhat.ndim - attrs["dims"], xhat.ndim))
    r = rstd.reshape(rstd.shape + (1,) * len(dims))
    slope = (g * xhat).mean(axis=dims, keepdims=True)
    return r * (g - g.mean(axis=dims, keepdims=True) - xhat * slope)


def _losses(logp: np.ndarray, target: np.ndarray, attrs: dict[str, Any]) -> tuple[Any, Any]:
    counts = target != attrs["ignore_index"]
    safe = np.where(counts, target, 0)
    rows = np.where(counts, -logp[np.arange(len(target)), safe], 0.0)
    if attrs["reduction"] == "none":
        return rows, np.float64(counts.sum())
    total = rows.sum()
    return total / counts.sum() if attrs["reduction"] == "mean" else total, float(counts.sum())


def nll_loss(x: Arrays, attrs: dict[str, Any]) -> tuple[Any, Any]:
    return _losses(x[0], x[1], attrs)


def cross_entropy(x: Arrays, attrs: dict[str, Any]) -> tuple[Any, Any, Any]:
    logp = log_softmax([x[0]], {"dim": 1})
    loss, count = _losses(logp, x[1], attrs)
    return loss, logp, count


def _row_scale(g: np.ndarray, target: np.ndarray, count: Any, attrs: Any) -> np.ndarray:
    scale = np.where(target != attrs["ignore_index"], g, 0.0)
    return (scale / count if attrs["reduction"] == "mean" else scale)[:, None]


def nll_loss_backward(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    g, target, count = x
    return -np.eye(5)[target] * _row_scale(g, target, count, attrs)


def cross_entropy_backward(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    g, logp, target, count = x
    return (np.exp(logp) - np.eye(logp.shape[1])[target]) * _row_scale(g, target, count, attrs)


def _dense(x: Arrays, attrs: dict[str, Any], values: np.ndarray) -> np.ndarray:
    out = np.zeros((attrs["rows"], attrs["cols"]))
    for row in range(attrs["rows"]):
        for at in range(x[0][row], x[0][row + 1]):
            out[row, x[1][at]] += values[at]
    return out


def spmm(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    return _dense(x, attrs, x[6]) @ x[7]


def sddmm(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    rows = np.repeat(np.arange(attrs["rows"]), np.diff(x[0]))
    return (x[6] @ x[7].T)[rows, x[1]]


def sgd(x: Arrays, attrs: dict[str, Any]) -> tuple[Any, ...]:
    lr, momentum, dampening, decay, nesterov, maximize = x[0]
    out: list[Any] = []
    per = 4 if attrs["momentum"] else 3
    for start in range(1, len(x), per):
        p, g, *buffers, step = x[start : start + per]
        g = (-g if maximize else g) + decay * p
        if buffers:
            buffer = momentum * buffers[0] + (1 - dampening) * g
            g = g + momentum * buffer if nesterov else buffer
            buffers = [buffer]
        out += [p - lr * g, *buffers, step + 1]
    return tuple(out)


def adam(x: Arrays, attrs: dict[str, Any]) -> tuple[Any, ...]:
    lr, beta1, beta2, eps, decay, decoupled, maximize = x[0]
    out: list[Any] = []
    per = 6 if attrs["amsgrad"] else 5
    for start in range(1, len(x), per):
        p, g, m, v, *largest, step = x[start : start + per]
        step = step + 1
        g = -g if maximize else g
        p, g = (p * (1 - lr * decay), g) if decoupled else (p, g + decay * p)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        largest = [np.maximum(largest[0], v)] if largest else []
        spread = np.sqrt((largest or [v])[0] / (1 - beta2**step)) + eps
        out += [p - lr / (1 - beta1**step) * m / spread, m, v, *largest, step]
    return tuple(out)


def to(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    """Truncated and saturated, NaN to 0; whole numbers drop bits."""
    name = attrs["dtype"]
    if name == "bool":
        return x[0] != 0
    if name == "bf16":
        return brief(x[0].astype(np.float32))
    kind = np.dtype(SHORT[name])
    if kind.kind not in "iu" or x[0].dtype.kind != "f":
        wide = x[0].astype(np.float32) if name == "f16" else x[0]
        return wide.astype(kind)
    low, high = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    whole = [0 if v != v else low if v <= low else high if v >= high else int(v) for v in x[0].flat]
    return np.array(whole, dtype=kind).reshape(x[0].shape)


def brief(x: np.ndarray) -> np.ndarray:
    """Singles rounded to bfloat16: the upper half of their bits, to nearest even."""
    word = np.ascontiguousarray(x).view(np.uint32)
    upper = (word + (0x7FFF + (word >> 16 & 1)).astype(np.uint32)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(x), np.float32(np.nan), upper.view(np.float32))


def full(_: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    name, value = attrs["dtype"], attrs["value"]
    value = complex(value.replace("+-", "-")) if isinstance(value, str) else value
    return np.full(attrs["shape"], value, "float32" if name == "bf16" else SHORT[name])


def arange(_: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    return attrs["start"] + np.arange(7) * attrs["step"]


def linspace(_: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    """In halves, each from its end; whole numbers between whole ends, truncated."""
    dtype, last = np.dtype(SHORT[attrs["dtype"]]), attrs["len"] - 1
    start, end = attrs["start"], attrs["end"]
    if dtype.kind != "f":
        start, end = int(start), int(end)
    i = np.arange(last + 1)
    step = (end - start) / max(last, 1)
    first = (i < (last + 1) // 2) | (last == 0)
    exact = np.where(first, start + step * i, end - step * (last - i))
    return exact if dtype.kind == "f" else np.trunc(exact)


ROWS = {
    "to": to,
    "sum": reduce(total),
    "mean": reduce(average),
    "prod": reduce(product),
    "amax": reduce(np.max),
    "amin": reduce(np.min),
    "any": reduce(np.any),
    "all": reduce(np.all),
    "argmax": arg(np.argmax),
    "argmin": arg(np.argmin),
    "softmax": softmax,
    "masked_softmax": masked_softmax,
    "log_softmax": log_softmax,
    "softmax_backward": softmax_backward,
    "log_softmax_backward": log_softmax_backward,
    "logsumexp": logsumexp,
    "matmul": matmul,
    "reshape": lambda x, a: x[0].reshape(a["shape"]),
    "permute": lambda x, a: x[0].transpose(a["dims"]),
    "expand": lambda x, a: np.broadcast_to(x[0], a["shape"]),
    "slice": slice_,
    "as_strided": as_strided,
    "as_strided_scatter": as_strided_scatter,
    "cat": lambda x, a: np.concatenate(x, axis=a["dim"]),
    "index_select": lambda x, a: np.take(x[0], x[1], axis=a["dim"]),
    "index_add": index_add,
    "gather": gather,
    "scatter": _scatter(add=False),
    "scatter_add": _scatter(add=True),
    "cumsum": cumsum,
    "within": lambda x, _: np.asarray(((x[0] >= 0) & (x[0] <= 1)).all()),
    "standardize": standardize,
    "standardize_backward": standardize_backward,
    "nll_loss": nll_loss,
    "nll_loss_backward": nll_loss_backward,
    "cross_entropy": cross_entropy,
    "cross_entropy_backward": cross_entropy_backward,
    "spmm": spmm,
    "sddmm": sddmm,
    "sgd": sgd,
    "adam": adam,
    "full": full,
    "arange": arange,
    "linspace": linspace,
}


def _sum_of_sizes(x: Arrays, attrs: dict[str, Any]) -> np.ndarray:
    return np.abs(x[0]).sum(axis=axes(attrs), keepdims=attrs["keepdim"])


def _largest_size(x: Arrays, _: Any) -> np.ndarray:
    return np.abs(np.where(np.isfinite(x[0]), x[0], 0)).max(initial=1.0)


#: Terms of order 1 with a bounded number of them: losses, norms, optimisers on small samples.
def _few(*_: Any) -> float:
    return 16.0


SPREAD = {
    "sum": _sum_of_sizes,
    "mean": lambda x, a: average(np.abs(x[0]), axes(a), a["keepdim"]),
    "matmul": lambda x, a: matmul([np.abs(x[0]), np.abs(x[1])], a),
    "spmm": lambda x, a: spmm([*x[:6], np.abs(x[6]), np.abs(x[7])], a),
    "sddmm": lambda x, a: sddmm([*x[:6], np.abs(x[6]), np.abs(x[7])], a),
    # The sums are those of double precision, of which the float32 result is one rounding.
    "cumsum": lambda x, a: cumsum([np.abs(x[0])], a) * 1e-7,
    "log_softmax": _largest_size,
    "logsumexp": _largest_size,
    "softmax_backward": _few,
    "log_softmax_backward": _few,
    "index_add": _few,
    "scatter_add": _few,
    "standardize": _few,
    "standardize_backward": _few,
    "nll_loss": _few,
    "nll_loss_backward": _few,
    "cross_entropy": _few,
    "cross_entropy_backward": _few,
    "sgd": _few,
    "adam": _few,
    "arange": _few,
    "linspace": _few,
}
