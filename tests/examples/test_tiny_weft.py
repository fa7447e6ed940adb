"""``examples/tiny_weft.py`` says what weft says: values, gradients, both modes bit for bit."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import weft

PATH = Path(__file__).resolve().parents[2] / "examples/tiny_weft.py"
SHAPES = ((16, 1), (16,), (1, 16), (1,))


@pytest.fixture
def tiny():
    spec = importlib.util.spec_from_file_location("tiny_weft", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in SHAPES]


def error_of(x, y, w1, b1, w2, b2):
    error = (x @ w1.t() + b1).tanh() @ w2.t() + b2 - y
    return (error * error).sum() * (1 / 64)


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


def test_it_is_short():
    assert len(PATH.read_text(encoding="utf-8").splitlines()) <= 300


def test_training_is_that_of_weft(tiny):
    losses, params, _ = tiny.train(lambda step: step, steps=20)
    x = np.linspace(-2, 2, 64).reshape(64, 1)
    data = weft.tensor(x), weft.tensor(np.sin(2 * x))
    theirs = [weft.tensor(a, requires_grad=True) for a in arrays()]
    opt = weft.optim.SGD(theirs, lr=0.05, momentum=0.9)
    for loss in losses:
        opt.zero_grad()
        expected = error_of(*data, *theirs)
        expected.backward()
        opt.step()
        close(loss, expected.item())
    for ours, other in zip(params, theirs, strict=True):
        close(ours.data, other.detach().numpy())
        close(ours.grad.data, other.grad.numpy())


def test_static_training_is_eager_training_bit_for_bit(tiny):
    eager, static = tiny.train(lambda step: step, 50), tiny.train(tiny.compile, 50)
    assert eager[0] == static[0]
    for a, b in zip(eager[1], static[1], strict=True):
        assert a.data.tobytes() == b.data.tobytes()
        assert a.grad.data.tobytes() == b.grad.data.tobytes()


def test_tidying_and_planning_make_less(tiny):
    [(plan, recorded, _)] = tiny.train(tiny.compile, 1)[2].recorded.values()
    calls = [node for node in recorded.nodes.values() if node.op.name in tiny.ROWS]
    assert len(plan.steps) < len(calls)
    assert plan.in_place > 0
    assert plan.size < sum(np.prod(node.shape, dtype=int) for node in calls)
    plain = tiny.Plan(recorded)
    assert len(plain.steps) == len(calls)


def gradients(tensors):
    """First and second derivatives of a function of two matrices."""
    a, b = tensors
    y = ((a @ b.t()).tanh() * a - b).tanh().sum()
    y.backward(create_graph=True)
    first = [a.grad, b.grad]
    a.grad = b.grad = None
    (first[0] * first[0] + first[1]).sum().backward()
    return [*first, a.grad, b.grad]


def test_second_derivatives_are_those_of_weft(tiny):
    values = [np.random.default_rng(i).normal(size=(3, 3)) for i in range(2)]
    ours = gradients([tiny.Tensor(a, True) for a in values])
    theirs = gradients([weft.tensor(a, requires_grad=True) for a in values])
    for a, b in zip(ours, theirs, strict=True):
        close(a.data, b.detach().numpy())


def test_the_rules_speak_to_a_static_graph_too(tiny):
    """Backward appended to a recorded forward is eager backward, bit for bit."""
    x, w = (tiny.Tensor(np.random.default_rng(i).normal(size=(4, 4)), i == 1) for i in range(2))
    recorder = tiny.Recorder([x, w])
    tiny.Mode.listener = recorder
    y = ((x @ w.t()).tanh() * w).sum()
    tiny.Mode.listener = None
    graph = recorder.graph
    calls = [(v, node) for v, node in graph.nodes.items() if node.op.name in tiny.ROWS]
    grads = {recorder.value(y): graph.full(value=1.0)}
    tiny.walk(graph, [(n.op, n.inputs, v, [True, True]) for v, n in calls], grads)
    graph.outputs = [("return", 0, grads[recorder.value(w)])]
    y.backward()
    for each in (graph, tiny.tidy(graph)):
        assert tiny.Plan(each).run([x, w]).data.tobytes() == w.grad.data.tobytes()


def test_one_tensor_as_two_arguments_is_a_recording_of_its_own(tiny):
    def step(a, b):
        with tiny.no_grad():
            tiny.call_into(tiny.Op("add"), [a, b], a)
        return a * b

    fast = tiny.compile(step)
    one, two = (tiny.Tensor(np.full(3, float(i))) for i in (1, 2))
    for a, b in ((one, two), (two, two), (two, one), (one, one)):
        copies = {id(t): tiny.Tensor(t.data.copy()) for t in (a, b)}
        expected = step(copies[id(a)], copies[id(b)])
        assert fast(a, b).data.tobytes() == expected.data.tobytes()
        assert a.data.tobytes() == copies[id(a)].data.tobytes()
    assert len(fast.recorded) == 2


def test_what_it_cannot_follow_is_an_error(tiny):
    x = tiny.Tensor(np.ones(2), True)
    with pytest.raises(RuntimeError, match="item: a graph cannot follow"):
        tiny.compile(lambda x: x * x.sum().item())(x)
    with pytest.raises(RuntimeError, match="Make it outside"):
        tiny.compile(lambda x: x + tiny.Tensor(np.ones(2)))(x)
    with pytest.raises(RuntimeError, match="Call zero_grad"):
        tiny.compile(lambda x: (x.sum().backward(), x.sum())[1])(x)
    with pytest.raises(RuntimeError, match="Use no_grad"):
        tiny.call_into(tiny.Op("add"), [x, x], x)
    y = (x * x).sum()
    with tiny.no_grad():
        tiny.call_into(tiny.Op("add"), [x, x], x)
    with pytest.raises(RuntimeError, match="saved by mul was changed in place"):
        y.backward()
