"""What every operation must compute, in numpy and float64.

``ORACLE[name](inputs, attrs)`` returns one array or a tuple of arrays. ``SPREAD[name]`` gives
the size of the terms that are added up to one result, where it may exceed the result itself:
rounding errors are in proportion to it.
"""

import math
from typing import Any

import numpy as np
from tests.ops.oracle_rows import ROWS as _ROW_ORACLES
from tests.ops.oracle_rows import SPREAD as _ROW_SPREAD

Arrays = list[np.ndarray]


def elementwise(function: Any) -> Any:
    """A function of Python floats as an oracle of arrays."""
    apply = np.vectorize(function, otypes=[np.float64])
    return lambda x, _: apply(*x)


def sign(x: float) -> float:
    return 0.0 if math.isnan(x) or x == 0 else math.copysign(1.0, x)


def log(x: float) -> float:
    if math.isnan(x) or x < 0:
        return math.nan
    return -math.inf if x == 0 else math.log(x)


def log1p(x: float) -> float:
    if math.isnan(x) or x < -1:
        return math.nan
    return -math.inf if x == -1 else math.log1p(x)


def exp(x: float) -> float:
    return math.inf if x > 709.78 else math.exp(x)


def expm1(x: float) -> float:
    return math.inf if x > 709.78 else math.expm1(x)


def sigmoid(x: float) -> float:
    z = exp(-abs(x))
    return (z if x < 0 else 1.0) / (1.0 + z)


def gelu(x: float) -> float:
    return -0.0 if x == -math.inf else 0.5 * x * math.erfc(-x / math.sqrt(2))


def gelu_tanh(x: float) -> float:
    if math.isinf(x):
        return max(x, -0.0) if x > 0 else -0.0
    return x * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))


def silu(x: float) -> float:
    return -0.0 if x == -math.inf else x * sigmoid(x)


def softplus(x: float) -> float:
    if math.isnan(x):
        return x
    return max(x, 0.0) + math.log1p(exp(-abs(x)))


def circular(function: Any) -> Any:
    return elementwise(lambda x: function(x) if math.isfinite(x) else math.nan)


def power(x: Arrays, _: Any) -> np.ndarray:
    """C's ``pow``; whole numbers to a negative power are truncated as torch does."""
    return np.power(*x)


def remainder(x: Arrays, _: Any) -> np.ndarray:
    if x[0].dtype.kind in "iu":
        return np.where(x[1] == 0, 0, np.mod(x[0], np.where(x[1] == 0, 1, x[1])))
    return np.vectorize(_float_remainder, otypes=[np.float64])(*x)


def _float_remainder(a: float, b: float) -> float:
    """C's ``fmod``, moved to the sign of the divisor."""
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or b == 0:
        return math.nan
    m = math.fmod(a, b)
    return m + b if m != 0 and (m < 0) != (b < 0) else m


def floor_divide(x: Arrays, _: Any) -> np.ndarray:
    if x[0].dtype.kind in "iu":
        return np.where(x[1] == 0, 0, np.floor_divide(x[0], np.where(x[1] == 0, 1, x[1])))
    return np.vectorize(_float_floor_divide, otypes=[np.float64])(*x)


def _float_floor_divide(a: float, b: float) -> float:
    """Python's ``//`` where it is defined, as torch has it elsewhere."""
    if b == 0:
        return float(np.float64(a) / np.float64(b))
    if math.isnan(a) or math.isnan(b) or math.isinf(a):
        return math.nan
    return a // b


def maximum(x: Arrays, _: Any) -> np.ndarray:
    """The larger, where +0 is larger than -0 and NaN wins."""
    if x[0].dtype.kind != "f":
        return np.maximum(*x)
    tie = np.where(np.signbit(x[0]), x[1], x[0])
    return np.where(x[0] == x[1], tie, np.maximum(*x))


def minimum(x: Arrays, _: Any) -> np.ndarray:
    if x[0].dtype.kind != "f":
        return np.minimum(*x)
    tie = np.where(np.signbit(x[0]), x[0], x[1])
    return np.where(x[0] == x[1], tie, np.minimum(*x))


def leaky_relu(x: Arrays, _: Any) -> np.ndarray:
    return np.where(x[0] > 0, x[0], x[0] * x[1])


def elu(x: Arrays, _: Any) -> np.ndarray:
    return np.where(x[0] > 0, x[0], np.expm1(np.where(x[0] > 0, 0, x[0])) * x[1])


def clamp(x: Arrays, _: Any) -> np.ndarray:
    """NaN in any operand is the result, as torch has it."""
    value, low, high = np.broadcast_arrays(*x)
    value = np.where((value < low) | np.isnan(low), low, value) if low.dtype.kind == "f" else (
        np.maximum(value, low)
    )  # fmt: skip
    if high.dtype.kind != "f":
        return np.minimum(value, high)
    return np.where((value > high) | (np.isnan(high) & ~np.isnan(value)), high, value)


def clamp_min(x: Arrays, _: Any) -> np.ndarray:
    if x[0].dtype.kind != "f":
        return np.maximum(*x)
    return np.where((x[0] < x[1]) | np.isnan(x[1]), x[1], x[0])


def clamp_max(x: Arrays, _: Any) -> np.ndarray:
    if x[0].dtype.kind != "f":
        return np.minimum(*x)
    return np.where((x[0] > x[1]) | np.isnan(x[1]) & ~np.isnan(x[0]), x[1], x[0])


def trunc_divide(x: Arrays, _: Any) -> np.ndarray:
    """Whole numbers without a detour through floats."""
    if x[0].dtype.kind == "f":
        return np.trunc(x[0] / x[1])
    low = np.abs(x[0].astype(np.int64)) // np.abs(x[1].astype(np.int64))
    return low * np.where((x[0] < 0) != (x[1] < 0), -1, 1)


def binary_cross_entropy(x: Arrays, _: Any) -> np.ndarray:
    def low(f: Any) -> Any:
        return lambda p: max(f(p), -100.0) if not math.isnan(p) else p

    yes = np.vectorize(low(log), otypes=[np.float64])(x[0])
    no = np.vectorize(low(log1p), otypes=[np.float64])(-x[0])
    return (x[1] - 1) * no - x[1] * yes


def relu(x: Arrays, _: Any) -> np.ndarray:
    return np.where(x[0] <= 0, 0, x[0])


def plain(function: Any) -> Any:
    return lambda x, _: function(*x)


ORACLE = {
    "neg": plain(np.negative),
    "abs": plain(np.abs),
    "sign": lambda x, a: elementwise(sign)(x, a) if x[0].dtype.kind == "f" else np.sign(x[0]),
    "square": plain(np.square),
    "conj": plain(np.conj),
    "floor": plain(np.floor),
    "ceil": plain(np.ceil),
    "round": plain(np.rint),
    "trunc": plain(np.trunc),
    "exp": elementwise(exp),
    "expm1": elementwise(expm1),
    "log": elementwise(log),
    "log1p": elementwise(log1p),
    "sqrt": plain(np.sqrt),
    "root": plain(np.sqrt),
    "rsqrt": lambda x, _: 1 / np.sqrt(x[0]),
    "reciprocal": lambda x, _: 1 / x[0],
    "sin": circular(math.sin),
    "cos": circular(math.cos),
    "tanh": elementwise(math.tanh),
    "sigmoid": elementwise(sigmoid),
    "erf": elementwise(math.erf),
    "relu": relu,
    "gelu": elementwise(gelu),
    "gelu_tanh": elementwise(gelu_tanh),
    "silu": elementwise(silu),
    "softplus": elementwise(softplus),
    "isnan": plain(np.isnan),
    "isinf": plain(np.isinf),
    "isfinite": plain(np.isfinite),
    "logical_not": plain(np.logical_not),
    "add": plain(np.add),
    "sub": plain(np.subtract),
    "mul": plain(np.multiply),
    "div": plain(np.divide),
    "pow": power,
    "maximum": maximum,
    "minimum": minimum,
    "remainder": remainder,
    "floor_divide": floor_divide,
    "trunc_divide": trunc_divide,
    "binary_cross_entropy": binary_cross_entropy,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "atan2": elementwise(math.atan2),
    "eq": plain(np.equal),
    "ne": plain(np.not_equal),
    "lt": plain(np.less),
    "le": plain(np.less_equal),
    "gt": plain(np.greater),
    "ge": plain(np.greater_equal),
    "bitwise_and": plain(np.bitwise_and),
    "bitwise_or": plain(np.bitwise_or),
    "bitwise_xor": plain(np.bitwise_xor),
    "logical_and": plain(np.logical_and),
    "logical_or": plain(np.logical_or),
    "logical_xor": plain(np.logical_xor),
    "where": plain(np.where),
    "clamp": clamp,
    "clamp_min": clamp_min,
    "clamp_max": clamp_max,
    "clamp_tensor": clamp,
    **_ROW_ORACLES,
}

SPREAD = {
    "gelu": lambda x, _: np.abs(np.maximum(x[0], -1e30)),
    **_ROW_SPREAD,
}
