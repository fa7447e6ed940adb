"""Forward mode and backward mode are transposes of each other: u . J t = (J' u) . t."""

import numpy as np
import pytest
from tests.ops.numeric import leaves, slope, weigh, weights
from tests.ops.table import CASES, each, on_reals, tensor

import weft

FLOATING = [case for case in CASES if case.free() and case.smooth and on_reals(case)]


def tangents(case, arrays, seed):
    """A random tangent for each input that varies."""
    rng = np.random.default_rng(seed)
    free = [i for i in case.free() if arrays[i].dtype.kind == "f"]
    return [
        tensor(rng.standard_normal(a.shape)) if i in free else None for i, a in enumerate(arrays)
    ]


def jvp(case, inputs, moving):
    """Results and their tangents; ``None`` if forward mode is refused, which must say why."""
    outputs = case.call(inputs)
    try:
        return outputs, case.row.jvp(case.index, inputs, outputs, moving)
    except RuntimeError as error:
        assert str(error).startswith(f"{case.name}: no gradient: "), error
        return outputs, None


@pytest.mark.parametrize(**each(FLOATING))
def test_forward_mode_is_the_transpose_of_backward_mode(case):
    arrays = case.arrays("float64")
    moving = tangents(case, arrays, seed=1)
    outputs, made = jvp(case, case.tensors("float64"), moving)
    floats = [y for y in outputs if y.dtype.is_floating_point]
    if made is None or not floats:
        return
    free = [i for i, t in enumerate(moving) if t is not None]
    inputs = leaves(case, arrays, free)
    results = [y for y in case.call(inputs) if y.dtype.is_floating_point]
    units = weights(results, seed=3)
    grads = [None] * len(free)
    if any(y.requires_grad for y in results):
        loss = sum((y * u).sum() for y, u in zip(results, units, strict=True))
        grads = weft.autograd.grad(loss, [inputs[i] for i in free], allow_unused=True)
    made = [t for t, y in zip(made, outputs, strict=True) if y.dtype.is_floating_point]
    for t, y in zip(made, floats, strict=True):
        assert t is None or (t.shape == y.shape and t.dtype == y.dtype)
    forward = sum((t * u).sum().item() for t, u in zip(made, units, strict=True) if t is not None)
    backward = sum(
        (g * moving[i]).sum().item() for i, g in zip(free, grads, strict=True) if g is not None
    )
    np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(**each(FLOATING))
def test_a_zero_tangent_is_none_or_zeros(case):
    arrays = case.arrays("float64")
    moving = tangents(case, arrays, seed=1)
    _, made = jvp(case, case.tensors("float64"), [None] * len(moving))
    assert made is None or made == [None] * len(made)
    zeros = [None if t is None else weft.zeros_like(t) for t in moving]
    _, made = jvp(case, case.tensors("float64"), zeros)
    for t in made or []:
        assert t is None or not t.numpy().any()


@pytest.mark.parametrize("name", ["log_softmax", "mul", "matmul", "prod", "standardize", "sum"])
def test_a_tangent_follows_finite_differences(name):
    case = next(case for case in FLOATING if case.name == name)
    arrays = case.arrays("float64")
    moving = tangents(case, arrays, seed=1)
    outputs, made = jvp(case, case.tensors("float64"), moving)
    units = weights(outputs, seed=1)
    got = sum((t * u).sum().item() for t, u in zip(made, units, strict=True) if t is not None)
    want = 0.0
    for i in case.free():
        by = slope(lambda moved: weigh(case.call(leaves(case, moved, []))).item(), arrays, i)
        want += (by * moving[i].numpy()).sum()
    np.testing.assert_allclose(got, want, rtol=1e-7)
