"""``weft.compile``: gradients, random numbers, structures, in-place changes, reports."""

import inspect
from collections import namedtuple

import pytest

import weft
import weft.nn.functional as F
from weft import CompileError


def settled(run, *args, **kwargs):
    """Two recordings and a run of the plan; returns the last result."""
    for _ in range(3):
        result = run(*args, **kwargs)
    return result


def test_results_are_new_tensors():
    fast = weft.compile(lambda x: x + 1)
    first = settled(fast, weft.zeros(2))
    second = fast(weft.ones(2))
    assert first.tolist() == [1, 1] and second.tolist() == [2, 2]
    assert not first.shares_memory(second)


def test_printing_while_recording_is_allowed(capsys):
    def function(x):
        print(x * 2)
        return x + 1

    fast = weft.compile(function)
    with pytest.warns(weft.CompileWarning, match=r"print is called \(at test_compile.py:\d+\)"):
        assert settled(fast, weft.ones(1)).item() == 2
    assert len(fast.explain().effects) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.startswith("tensor(") for line in lines)


def test_strict_refuses_effects():
    def function(x):
        print("x")
        return x + 1

    with pytest.raises(CompileError, match="strict"):
        weft.compile(function, strict=True)(weft.ones(1))


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
    assert report.chain_nodes >= report.chains >= 1
    assert 0 < report.compile_ms < 1000
    assert "kernel calls" in str(report)
    line = inspect.getsourcelines(step)[1] + 2
    tanh = [text for text in fast.graph.splitlines() if "tanh(" in text]
    assert tanh and tanh[0].endswith(f"test_compile.py:{line}")
    assert fast.executable.inputs()[:2] == ["arg 0 f32[4]", "captured f32[4]"]


def test_compiled_inside_compiled():
    inner = weft.compile(lambda x: x * 2)
    outer = weft.compile(lambda x: inner(x) + 1)
    assert settled(outer, weft.ones(2)).tolist() == [3, 3]
    assert settled(inner, weft.ones(2)).tolist() == [2, 2]
    assert outer.explain().recordings == inner.explain().recordings == 1


def test_decorator_forms_and_what_is_no_function():
    @weft.compile(verify=1)
    def named(x):
        """Sentence."""
        return x + 1

    assert named.__name__ == "named" and named.__doc__ == "Sentence."
    assert settled(named, weft.ones(1)).item() == 2
    with pytest.raises(TypeError, match="expected a function"):
        weft.compile(3)
