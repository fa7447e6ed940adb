"""``weft.compile``: what changes is seen, what cannot be seen is an error that names the line."""

import inspect
import itertools
import random
from collections import namedtuple

import pytest

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft import CompileError

SCALE = 2.0


def settled(run, *args, **kwargs):
    """Two recordings and a run of the plan; returns the last result."""
    for _ in range(3):
        result = run(*args, **kwargs)
    return result


def line_of(text):
    """``file:line`` of the only line of the calling test that contains ``text``."""
    caller = inspect.currentframe().f_back
    lines, start = inspect.getsourcelines(caller.f_code)
    (at,) = [i for i, line in enumerate(lines) if text in line and "line_of" not in line]
    return f"test_compile.py:{start + at}"


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


def test_results_are_new_tensors():
    fast = weft.compile(lambda x: x + 1)
    first = settled(fast, weft.zeros(2))
    second = fast(weft.ones(2))
    assert first.tolist() == [1, 1] and second.tolist() == [2, 2]
    assert not first.shares_memory(second)


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


def test_counter_is_reported():
    count = itertools.count(1)

    @weft.compile
    def fast(x):
        return x * next(count)

    assert fast(weft.ones(1)).item() == 1
    with pytest.raises(CompileError) as caught:
        fast(weft.ones(1))
    message = str(caught.value)
    assert line_of("x * next(count)") in message
    assert "1" in message and "2" in message and "argument" in message


def test_random_of_python_is_reported():
    @weft.compile
    def fast(x):
        return x + random.random()

    fast(weft.ones(1))
    with pytest.raises(CompileError) as caught:
        fast(weft.ones(1))
    assert line_of("x + random.random()") in str(caught.value)


def test_number_that_comes_back_changed_is_reported():
    count = itertools.count()
    fast = weft.compile(lambda x: (x, next(count)))
    fast(weft.ones(1))
    with pytest.raises(CompileError, match="the return value"):
        fast(weft.ones(1))


READERS = {
    ".item()": lambda x: x.sum().item(),
    "if": lambda x: 1 if x.sum() > 3 else 2,
    ".tolist()": lambda x: x.tolist(),
    "float()": lambda x: float(x.sum()),
    "int()": lambda x: int(x.sum()),
    "numpy": lambda x: x.numpy(),
    "equal": lambda x: weft.equal(x, x + 1),
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_reading_a_value_names_the_line(read):
    fast = weft.compile(lambda x: read(x + 1))
    with pytest.raises(CompileError) as caught:
        fast(weft.ones(2))
    line = inspect.getsourcelines(read)[1]
    assert f"test_compile.py:{line}" in str(caught.value)


def test_printing_while_recording_is_allowed(capsys):
    def function(x):
        print(x * 2)
        return x + 1

    assert settled(weft.compile(function), weft.ones(1)).item() == 2
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.startswith("tensor(") for line in lines)


def test_grad_is_set_by_the_plan():
    w = weft.ones(3, requires_grad=True)

    @weft.compile
    def fast(x):
        w.grad = None
        loss = (w * x).square().sum()
        loss.backward()
        return loss

    for k in range(1, 6):
        assert fast(weft.full((3,), float(k))).item() == 3 * k * k
        assert w.grad.tolist() == [2 * k * k] * 3


def test_gradients_accumulate():
    w = weft.ones(2, requires_grad=True)
    fast = weft.compile(lambda: (w * 3).sum().backward())
    for k in range(1, 7):
        fast()
        assert w.grad.tolist() == [3 * k] * 2
    w.grad = None
    fast()
    assert w.grad.tolist() == [3, 3]
    w.grad.zero_()
    fast()
    assert w.grad.tolist() == [3, 3]


def test_gradient_of_an_argument():
    fast = weft.compile(lambda x: x.square().sum().backward())
    for k in range(5):
        x = weft.full((2,), float(k), requires_grad=True)
        fast(x)
        assert x.grad.tolist() == [2 * k] * 2


def test_dropout_has_the_same_stream():
    def draw(run, calls=6):
        weft.manual_seed(7)
        return [run(weft.ones(50)).tolist() for _ in range(calls)] + [weft.rand(3).tolist()]

    def function(x):
        return F.dropout(x, 0.5) + F.dropout(x, 0.1)

    eager = draw(function)
    assert draw(weft.compile(function)) == eager
    assert len(set(map(str, eager))) == 7


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


Pair = namedtuple("Pair", "left right")


def test_structures_in_and_out():
    @weft.compile
    def fast(pair, *rest, scale, names=("a", "b")):
        total = pair.left + pair.right["x"] + sum(rest[1:], rest[0])
        return {names[0]: [total * scale, None, 5], names[1]: Pair(total, "word")}

    for k in range(4):
        one = weft.full((2,), float(k))
        result = fast(Pair(one, {"x": one}), one, one, scale=2)
        assert result["a"][0].tolist() == [8 * k] * 2
        assert result["a"][1:] == [None, 5]
        assert isinstance(result["b"], Pair) and result["b"].right == "word"
    other = fast(Pair(one, {"x": one}), one, one, scale=3, names=("c", "d"))
    assert list(other) == ["c", "d"] and other["c"][0].tolist() == [36, 36]


def test_same_tensor_twice_and_given_back():
    fast = weft.compile(lambda x: (x, x, x + 1))
    for _ in range(4):
        x = weft.zeros(2)
        a, b, c = fast(x)
        assert a.tolist() == b.tolist() == [0, 0] and c.tolist() == [1, 1]
        a.add_(1)
        assert x.tolist() == [1, 1], "the argument itself comes back"


def test_python_arguments_are_compared_by_value():
    fast = weft.compile(lambda x, k: x * k)
    for k in (1, 2, 1, True, 1.0, -0.0, 0.0):
        assert settled(fast, weft.ones(1), k).item() == k
    assert fast.explain().recordings == 6
    with pytest.raises(CompileError, match="argument of type"):
        fast(weft.ones(1), object.__new__(type("Odd", (), {"__hash__": None})))


def test_minibatches_as_arguments():
    data = weft.arange(40.0).view(10, 4)
    fast = weft.compile(lambda batch: batch.sum(dim=1))
    for start in (0, 2, 4, 6, 8, 1):
        batch = data[start : start + 2]
        assert fast(batch).tolist() == batch.sum(dim=1).tolist()
    assert fast.explain().recordings == 1


def test_arguments_changed_in_place():
    def function(x):
        x.mul_(2)
        x[0] = 1

    fast = weft.compile(function)
    for _ in range(4):
        x = weft.arange(3.0)
        fast(x)
        assert x.tolist() == [1, 2, 4]


def test_verify_accepts_the_honest_and_changes_nothing_twice():
    w = weft.ones(2, requires_grad=True)
    opt = weft.optim.Adam([w], lr=0.1)
    plain = weft.ones(2, requires_grad=True)
    other = weft.optim.Adam([plain], lr=0.1)

    def step(w, opt):
        opt.zero_grad()
        loss = F.dropout(w * 3, 0.5).square().sum()
        loss.backward()
        opt.step()
        return loss

    fast = weft.compile(lambda: step(w, opt), verify=2)
    weft.manual_seed(1)
    losses = [fast().item() for _ in range(9)]
    weft.manual_seed(1)
    assert [step(plain, other).item() for _ in range(9)] == losses
    assert weft.equal(w, plain)


def test_verify_finds_what_no_guard_sees():
    hidden = {"factor": 2.0}
    fast = weft.compile(lambda x: x * hidden["factor"], verify=1)
    settled(fast, weft.ones(1))
    hidden["factor"] = 3.0
    with pytest.raises(CompileError, match="verify"):
        fast(weft.ones(1))


def test_result_that_needs_a_gradient_is_refused():
    w = weft.ones(2, requires_grad=True)
    with pytest.raises(CompileError, match="still needs its gradient"):
        weft.compile(lambda: w * 2)()


def test_explain_and_text():
    w = weft.ones(4, requires_grad=True)

    def step(x):
        w.grad = None
        loss = (x * w).tanh().sum()
        loss.backward()
        return loss

    fast = weft.compile(step)
    with pytest.raises(CompileError, match="nothing recorded"):
        fast.graph  # noqa: B018
    assert fast.explain().recordings == 0
    fast(weft.ones(4))
    assert "no plan yet" in str(fast.explain())
    settled(fast, weft.ones(4))
    report = fast.explain()
    assert report.recordings == 1 and report.causes == ("first call with these arguments",)
    assert report.nodes_recorded > report.steps > 0 and report.flops > 0
    assert report.fused_nodes >= report.fused_groups >= 1
    assert 0 < report.compile_ms < 1000
    assert "kernel calls" in str(report)
    line = inspect.getsourcelines(step)[1] + 2
    tanh = [text for text in fast.graph.splitlines() if "tanh(" in text]
    assert tanh and tanh[0].endswith(f"test_compile.py:{line}")
    assert fast.program.inputs()[:2] == ["arg 0 f32[4]", "captured f32[4]"]


def test_compiled_inside_compiled():
    inner = weft.compile(lambda x: x * 2)
    outer = weft.compile(lambda x: inner(x) + 1)
    assert settled(outer, weft.ones(2)).tolist() == [3, 3]
    assert settled(inner, weft.ones(2)).tolist() == [2, 2]
    assert outer.explain().recordings == inner.explain().recordings == 1


def test_exceptions_leave_everything_usable():
    fail = True

    def function(x):
        if fail:
            raise KeyError("mine")
        return x + 1

    fast = weft.compile(function)
    for _ in range(3):
        with pytest.raises(KeyError, match="mine"):
            fast(weft.ones(1))
    assert weft.is_grad_enabled()
    assert weft.ones(1).item() == 1
    fail = False
    assert settled(fast, weft.ones(1)).item() == 2
    with pytest.raises(RuntimeError, match="broadcast"):
        weft.compile(lambda x: x + weft.ones(3))(weft.ones(2))
    assert settled(weft.compile(lambda x: x + 1), weft.ones(1)).item() == 2


def test_decorator_forms_and_what_is_no_function():
    @weft.compile(verify=1)
    def named(x):
        """Sentence."""
        return x + 1

    assert named.__name__ == "named" and named.__doc__ == "Sentence."
    assert settled(named, weft.ones(1)).item() == 2
    with pytest.raises(TypeError, match="expected a function"):
        weft.compile(3)


def test_index_errors_come_from_plans_too():
    table = weft.arange(3.0)
    fast = weft.compile(lambda i: table[i])
    assert settled(fast, weft.tensor([2, 0])).tolist() == [2, 0]
    with pytest.raises(IndexError, match="3"):
        fast(weft.tensor([1, 3]))
    assert fast(weft.tensor([1, 1])).tolist() == [1, 1]
