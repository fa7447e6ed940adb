"""The gradient of every gradient equals finite differences of the first."""

import numpy as np
import pytest
from tests.ops.numeric import leaves, slope, weigh, weights
from tests.ops.table import EVERY, differentiable, each, on_reals

import weft

SMOOTH = [case for case in EVERY if case.smooth and on_reals(case) and case.free()]


def first(case, arrays):
    """All inputs that vary, and one number made of their gradients."""
    free = case.free()
    inputs = leaves(case, arrays, free)
    wanted = [inputs[i] for i in free]
    loss = weigh(case.call(inputs))
    grads = weft.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
    grads = [g if g is not None else weft.zeros_like(x) for g, x in zip(grads, wanted, strict=True)]
    sums = [(g * w).sum() for g, w in zip(grads, weights(grads, seed=2), strict=True)]
    return wanted, sum(sums[1:], sums[0])


@pytest.mark.parametrize(**each(SMOOTH))
def test_second_gradient_equals_finite_differences(case):
    if not differentiable(case):
        return
    arrays = case.arrays()
    wanted, number = first(case, arrays)
    got = [None] * len(wanted)
    if number.requires_grad:
        got = weft.autograd.grad(number, wanted, allow_unused=True)
    for i, grad in zip(case.free(), got, strict=True):
        want = slope(lambda moved: first(case, moved)[1].item(), arrays, i)
        found = np.zeros_like(want) if grad is None else grad.numpy()
        np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-6, err_msg=f"input {i}")


def test_third_derivative():
    x = weft.tensor([0.3, -0.7], dtype=weft.float64, requires_grad=True)
    y = x.sin()
    for _ in range(3):
        (y,) = weft.autograd.grad(y.sum(), x, create_graph=True)
    np.testing.assert_allclose(y.detach().numpy(), -np.cos(x.detach().numpy()), rtol=1e-14)
