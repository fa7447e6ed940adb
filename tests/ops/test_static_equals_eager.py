"""Every operation, forward and backward, has the same bits eager and static, on any threads."""

import numpy as np
import pytest
from tests.ops.functions import SEED
from tests.ops.numeric import weights
from tests.ops.table import CASES, EVERY, bits, differentiable, each

import weft
import weft.nn.functional as F

THREADS = (1, 2, 4)


def program(case):
    """A function that returns the results of the sample, and all gradients it has."""
    free = case.free() if case.free() and differentiable(case) else []

    def run(*inputs):
        inputs = [x.detach() for x in inputs]
        for i in free:
            inputs[i].requires_grad = True
        outputs = case.call(inputs)
        roots = [y for y in outputs if y.requires_grad]
        grads = ()
        if roots:
            wanted = [inputs[i] for i in free]
            grads = weft.autograd.grad(roots, wanted, weights(roots), allow_unused=True)
        return [y.detach() for y in outputs], grads

    return run


def all_bits(result):
    outputs, grads = result
    return [bits(t) for t in (*outputs, *grads)]


def is_planned(case):
    """Whether the case can be compiled; if not, the error must say why."""
    why = getattr(case, "unplanned", "")
    if why:
        with pytest.raises(weft.CompileError, match=why):
            weft.compile(lambda *x: case.call(list(x)))(*case.tensors())
    return not why


@pytest.mark.parametrize(**each(EVERY))
def test_sample(case):
    if not is_planned(case):
        return
    run, inputs = program(case), case.tensors(case.default("float32"))
    fast = weft.compile(run)
    want = all_bits(run(*inputs))
    for threads in THREADS:
        weft.set_num_threads(threads)
        assert all_bits(run(*inputs)) == want
        for _ in range(4):
            weft.manual_seed(SEED)
            assert all_bits(fast(*inputs)) == want
    assert fast.explain().recordings == 1 and fast.executable is not None


def same_on_all_threads(run, *inputs):
    fast = weft.compile(run)
    want = None
    for threads in THREADS:
        weft.set_num_threads(threads)
        for call in (run, fast, fast, fast, fast):
            got = [bits(t) for t in call(*inputs)]
            want = want or got
            assert got == want


LARGE = [case for case in CASES if case.kind == "pointwise" and case.index == 0]


@pytest.mark.parametrize(**each(LARGE))
def test_many_elements(case):
    """Enough for several threads to share the work."""
    rng = np.random.default_rng(5)
    inputs = []
    for _, domain in case.inputs:
        if domain["kind"] == "bool":
            inputs.append(weft.tensor(rng.random((300, 257)) < 0.5))
        elif case.default() == "int64":
            inputs.append(weft.tensor(rng.integers(-9, 9, (300, 257))))
        else:
            low, high = domain["range"]
            inputs.append(weft.tensor(rng.uniform(low, high, (300, 257)).astype(np.float32)))
    same_on_all_threads(lambda *x: case.call(list(x)), *inputs)


ROWWISE = {
    "sum of all": lambda x: x.sum(),
    "sum of rows": lambda x: x.sum(dim=1),
    "sum of columns": lambda x: x.sum(dim=0),
    "mean": lambda x: x.mean(),
    "prod": lambda x: x.prod(dim=1),
    "amax": lambda x: x.amax(dim=0),
    "argmax": lambda x: x.argmax(),
    "softmax": lambda x: x.softmax(dim=1),
    "softmax of columns": lambda x: x.softmax(dim=0),
    "log_softmax": lambda x: x.log_softmax(dim=1),
    "logsumexp": lambda x: x.logsumexp(dim=0),
    "matmul": lambda x: x.T @ x,
    "thin matmul": lambda x: x[:3] @ x.T,
    "vector": lambda x: x @ x[0],
    "layer_norm": lambda x: F.layer_norm(x, (257,)),
    "cumsum": lambda x: x.cumsum(dim=0),
    "index_select": lambda x: x.index_select(0, weft.arange(299, -1, -1)),
    "index_add": lambda x: x.index_add(0, weft.arange(300) % 7, x),
    "scatter_add": lambda x: weft.zeros(300, 5).scatter_add(
        1, weft.arange(77100).view(300, 257) % 5, x
    ),
    "cat": lambda x: weft.cat([x, x * 2], dim=1),
    "transpose": lambda x: x.T.contiguous(),
    "std": lambda x: x.std(dim=0),
}


@pytest.mark.parametrize("function", ROWWISE.values(), ids=ROWWISE)
def test_many_rows(function):
    x = weft.tensor(np.random.default_rng(6).uniform(-2, 2, (300, 257)).astype(np.float32))

    def run(x):
        leaf = x.detach()
        leaf.requires_grad = True
        y = function(leaf)
        if not y.requires_grad:
            return [y]
        y.square().sum().backward()
        return [y.detach(), leaf.grad]

    same_on_all_threads(run, x)


@pytest.mark.parametrize("draw", [weft.rand, weft.randn], ids=["rand", "randn"])
def test_many_random_values(draw):
    def run():
        return [draw(300, 257)]

    fast = weft.compile(run)
    runs = []
    for threads in THREADS:
        weft.set_num_threads(threads)
        for call in (run, fast):
            weft.manual_seed(3)
            runs.append([bits(t) for _ in range(4) for t in call()])
    assert all(r == runs[0] for r in runs)
    assert len(set(map(str, runs[0]))) == 4
