"""Elements of the inputs of test cases."""

from typing import Any, TypeAlias

import numpy as np

#: ``kind``: uniform, special, index, bool or exact, with what belongs to it.
Domain: TypeAlias = dict[str, Any]
FLOATS = ("float32", "float64")


def elements(domain: Domain, shape: Any, dtype: str, rng: Any) -> np.ndarray:
    """Elements of one input; ``dtype`` is that of inputs whose dtype the test may choose."""
    kind = domain["kind"]
    if kind == "exact":
        return np.array(domain["values"], domain["dtype"]).reshape(shape)
    if kind == "index":
        return rng.integers(*domain["range"], size=shape)
    if kind == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if dtype not in FLOATS:
        low = 0 if dtype.startswith("u") else -9
        return np.asarray(rng.integers(low, 10, size=shape)).astype(dtype)
    if kind == "special":
        with np.errstate(over="ignore"):
            return np.resize(np.array(domain["values"]), shape).astype(dtype)
    return np.asarray(rng.uniform(*domain["range"], size=shape)).astype(dtype)
