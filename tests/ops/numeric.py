"""Central finite differences in float64."""

from collections.abc import Callable

import numpy as np
from tests.ops.table import Case, tensor

import weft


def leaves(case: Case, arrays: list[np.ndarray], wanted: list[int]) -> list[weft.Tensor]:
    """Inputs as tensors, of which those at ``wanted`` require gradients."""
    inputs = [tensor(a) for a in arrays]
    for i in wanted:
        inputs[i].requires_grad = True
    return inputs


def weights(outputs: list[weft.Tensor], seed: int = 1) -> list[weft.Tensor]:
    """Random gradients for the outputs."""
    rng = np.random.default_rng(seed)
    return [tensor(np.asarray(rng.uniform(0.5, 1.5, y.shape))).to(y.dtype) for y in outputs]


def weigh(outputs: list[weft.Tensor], seed: int = 1) -> weft.Tensor:
    """One number: all floating-point outputs, randomly weighted."""
    floats = [y for y in outputs if y.dtype.is_floating_point]
    sums = [(y * w).sum() for y, w in zip(floats, weights(floats, seed), strict=True)]
    total = sums[0]
    for one in sums[1:]:
        total = total + one
    return total


def slope(f: Callable[[list[np.ndarray]], float], arrays: list[np.ndarray], i: int) -> np.ndarray:
    """The gradient of ``f`` with respect to array ``i``, with an error of about 1e-9."""
    step = 1e-5
    out = np.empty(arrays[i].shape)
    for at in np.ndindex(out.shape):
        sides = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[i][at] += sign * step
            sides.append(f(moved))
        out[at] = (sides[0] - sides[1]) / (2 * step)
    return out
