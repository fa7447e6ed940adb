"""Compiled functions follow what they depend on: captured tensors, names, attributes, arguments."""

import pytest

import weft
import weft.nn as nn


def settled(run, *args, **kwargs):
    """Two recordings and a run of the plan; returns the last result."""
    for _ in range(3):
        result = run(*args, **kwargs)
    return result


SCALE = 2.0


def test_captured_tensors_are_live():
    w = weft.ones(3)
    fast = weft.compile(lambda x: x * w)
    assert settled(fast, weft.ones(3)).tolist() == [1, 1, 1]
    w.mul_(5)
    assert fast(weft.ones(3)).tolist() == [5, 5, 5]
    w[1] = 7
    assert fast(weft.ones(3)).tolist() == [5, 7, 5]
    assert fast.explain().recordings == 1


def test_captured_numpy_memory_is_live():
    import numpy as np

    memory = np.ones(3, np.float32)
    w = weft.from_numpy(memory)
    fast = weft.compile(lambda: w + 1)
    settled(fast)
    memory[:] = 4
    assert fast().tolist() == [5, 5, 5]


def test_changes_by_an_optimiser_are_seen():
    w = weft.ones(2, requires_grad=True)
    opt = weft.optim.SGD([w], lr=1.0)
    fast = weft.compile(lambda: (w * 2).detach())
    settled(fast)
    w.grad = weft.ones(2)
    opt.step()
    assert fast().tolist() == [0, 0]


def test_train_and_eval():
    layer = nn.Dropout(0.5)
    fast = weft.compile(lambda x: layer(x))
    assert (settled(fast, weft.ones(200)) == 0).any().item()
    layer.eval()
    for _ in range(4):
        assert (fast(weft.ones(200)) == 1).all().item()
    layer.train()
    assert (fast(weft.ones(200)) == 0).any().item()
    assert fast.explain().recordings == 2
    assert "training" in fast.explain().causes[1]


def test_learning_rate_feeds_the_plan():
    w = weft.zeros(1, requires_grad=True)
    opt = weft.optim.SGD([w], lr=1.0)
    scheduler = weft.optim.lr_scheduler.StepLR(opt, 1, gamma=0.5)

    @weft.compile
    def step():
        opt.zero_grad()
        w.sum().backward()
        opt.step()

    want, rate = 0.0, 1.0
    for _ in range(6):
        step()
        scheduler.step()
        want, rate = want - rate, rate / 2
        assert w.item() == want
    assert step.explain().recordings <= 2


def test_global_changes_lead_to_a_recording():
    global SCALE
    SCALE = 2.0
    fast = weft.compile(lambda x: x * SCALE)
    assert settled(fast, weft.ones(1)).item() == 2
    SCALE = 3.0
    assert settled(fast, weft.ones(1)).item() == 3
    SCALE = 2.0
    assert fast(weft.ones(1)).item() == 2
    explained = fast.explain()
    assert explained.recordings == 2 and "SCALE: 2.0 -> 3.0" in explained.causes[1]


def test_global_of_a_called_function():
    def inner(x):
        return x * SCALE

    global SCALE
    SCALE = 2.0
    fast = weft.compile(lambda x: inner(x) + 1)
    assert settled(fast, weft.ones(1)).item() == 3
    SCALE = 5.0
    assert fast(weft.ones(1)).item() == 6
    SCALE = 2.0


def test_closure_changes_lead_to_a_recording():
    factor = 2
    fast = weft.compile(lambda x: x * factor)
    assert settled(fast, weft.ones(1)).item() == 2
    factor = 4
    assert fast(weft.ones(1)).item() == 4
    assert "factor: 2 -> 4" in fast.explain().causes[1]


def test_attribute_changes_lead_to_a_recording():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = 2.0

        def forward(self, x):
            return x * self.factor

    module = Scaled()
    fast = weft.compile(lambda x: module(x))
    assert settled(fast, weft.ones(1)).item() == 2
    module.factor = 3.0
    assert fast(weft.ones(1)).item() == 3
    assert "factor" in fast.explain().causes[1]


def test_replaced_parameter_is_seen():
    layer = nn.Linear(2, 1, bias=False)
    fast = weft.compile(lambda x: layer(x).detach())
    settled(fast, weft.ones(1, 2))
    layer.weight = nn.Parameter(weft.full((1, 2), 3.0))
    assert fast(weft.ones(1, 2)).item() == 6


def test_new_shapes_and_dtypes_are_new_recordings():
    fast = weft.compile(lambda x: x.sum())
    for shape in ((2,), (3,), (2, 2), (0,), ()):
        assert settled(fast, weft.ones(*shape)).item() == weft.ones(*shape).sum().item()
    assert settled(fast, weft.ones(2, dtype=weft.int64)).dtype == weft.int64
    assert fast.explain().recordings == 6
    assert fast(weft.full((3,), 2.0)).item() == 6


def test_strides_do_not_matter():
    fast = weft.compile(lambda x: x @ x.T)
    x = weft.arange(6.0).view(2, 3)
    want = settled(fast, x).tolist()
    assert fast(x.T.clone().T).tolist() == want
    assert fast(weft.stack([x, x], dim=2)[:, :, 0]).tolist() == want


def test_grad_mode_is_part_of_the_signature():
    w = weft.ones(2, requires_grad=True)
    fast = weft.compile(lambda: w.detach() * (2 if weft.is_grad_enabled() else 3))
    assert settled(fast).tolist() == [2, 2]
    with weft.no_grad():
        assert settled(fast).tolist() == [3, 3]
    assert fast().tolist() == [2, 2]


def test_python_arguments_are_compared_by_value():
    fast = weft.compile(lambda x, k: x * k)
    for k in (1, 2, 1, True, 1.0, -0.0, 0.0):
        assert settled(fast, weft.ones(1), k).item() == k
    assert fast.explain().recordings == 6


def test_other_arguments_are_compared_by_identity():
    class Odd:
        __hash__ = None
        factor = 2.0

    fast = weft.compile(lambda x, odd: x * odd.factor)
    one, other = Odd(), Odd()
    other.factor = 5.0
    assert settled(fast, weft.ones(1), one).item() == 2
    assert settled(fast, weft.ones(1), other).item() == 5
    one.factor = 3.0
    assert fast(weft.ones(1), one).item() == 3


def test_beyond_so_many_numbers_it_runs_eagerly():
    fast = weft.compile(lambda x, k: x * k)
    with pytest.warns(weft.CompileWarning, match="more than 32 values") as caught:
        for k in range(100):
            assert fast(weft.ones(1), k).item() == k
    assert len(caught) == 1 and fast.explain().recordings == 32


def test_minibatches_as_arguments():
    data = weft.arange(40.0).view(10, 4)
    fast = weft.compile(lambda batch: batch.sum(dim=1))
    for start in (0, 2, 4, 6, 8, 1):
        batch = data[start : start + 2]
        assert fast(batch).tolist() == batch.sum(dim=1).tolist()
    assert fast.explain().recordings == 1
