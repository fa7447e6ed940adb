"""The gradient of every operation equals central finite differences."""

import numpy as np
import pytest
from tests.ops.numeric import leaves, slope, weigh
from tests.ops.table import CASES, EVERY, differentiable, each, on_reals

import weft

SMOOTH = [case for case in EVERY if case.smooth and on_reals(case) and case.free()]


def refused(case):
    """Whether the operation has no gradient; it must say why."""
    outputs = case.call(leaves(case, case.arrays(), case.free()))
    if not any(y.dtype.is_floating_point for y in outputs):
        assert not any(y.requires_grad for y in outputs)
        return True
    if getattr(case, "constant", False):
        assert not any(y.requires_grad for y in outputs)
        return True
    if differentiable(case):
        return False
    with pytest.raises(RuntimeError, match=rf"^{case.name}: no gradient: \w+"):
        weft.autograd.backward(outputs, [weft.ones_like(y) for y in outputs])
    return True


@pytest.mark.parametrize(**each(SMOOTH))
def test_gradient_equals_finite_differences(case):
    if refused(case):
        return
    arrays, free = case.arrays(), case.free()
    inputs = leaves(case, arrays, free)
    weigh(case.call(inputs)).backward()
    for i in free:
        want = slope(lambda moved: weigh(case.call(leaves(case, moved, []))).item(), arrays, i)
        grad = inputs[i].grad
        got = np.zeros_like(want) if grad is None else grad.numpy()
        assert got.shape == want.shape and got.dtype == np.float64
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7, err_msg=f"input {i}")


@pytest.mark.parametrize(**each(SMOOTH))
def test_gradient_of_one_input_alone_has_the_same_bits(case):
    """What is saved and computed depends on what is asked for, the numbers do not."""
    if refused(case):
        return
    arrays, free = case.arrays("float32"), case.free()
    every = leaves(case, arrays, free)
    weigh(case.call(every)).backward()
    for i in free:
        alone = leaves(case, arrays, [i])
        result = weigh(case.call(alone))
        if every[i].grad is None:
            continue
        result.backward()
        np.testing.assert_array_equal(alone[i].grad.numpy(), every[i].grad.numpy())
        others = [x.grad for k, x in enumerate(alone) if k != i]
        assert others == [None] * len(others)


@pytest.mark.parametrize(**each([c for c in CASES if c.name in ("sgd", "adam")]))
def test_updates_refuse_gradients(case):
    outputs = case.call(leaves(case, case.arrays(), case.free()))
    with pytest.raises(RuntimeError, match=f"{case.name}: no gradient"):
        outputs[0].sum().backward()


KINKS = {
    "abs": (lambda x: x.abs(), 0.0),
    "relu": (lambda x: x.relu(), 0.0),
    "sign": (lambda x: x.sign(), 0.0),
    "maximum": (lambda x: weft.maximum(x, weft.zeros_like(x)), 0.5),
    "minimum": (lambda x: weft.minimum(x, weft.zeros_like(x)), 0.5),
    "clamp": (lambda x: x.clamp(0.0, 1.0), 0.0),
    "pow": (lambda x: x**2, 0.0),
    "leaky_relu": (lambda x: weft.nn.functional.leaky_relu(x, 0.1), 0.1),
}


@pytest.mark.parametrize("function, want", KINKS.values(), ids=KINKS)
def test_gradient_at_kinks_is_what_torch_has(function, want):
    x = weft.zeros(3, dtype=weft.float64, requires_grad=True)
    function(x).sum().backward()
    assert x.grad.tolist() == [want] * 3


def test_gradient_of_extreme_is_shared_by_ties():
    x = weft.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], requires_grad=True)
    x.amax(dim=1).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0, 0.5, 0.5], [1 / 3] * 3], rtol=1e-6)
