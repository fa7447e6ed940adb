"""Benchmarks of overhead, train steps and compile time: ``pytest benches``."""

from functools import partial

import numpy as np
import pytest

import weft
from benches import gcn, gpt, mlp, overhead
from benches.models import filled, training
from benches.timing import EAGER, STATIC

WRAPS = {EAGER: lambda f: f, STATIC: weft.compile}
STEPS = {
    "tiny MLP": (lambda lib: mlp.model(lib, mlp.TINY), mlp.loss_of, mlp.weights(mlp.TINY),
                 mlp.data(mlp.TINY, 8)),
    "MNIST MLP": (lambda lib: mlp.model(lib, mlp.MNIST), mlp.loss_of, mlp.weights(mlp.MNIST),
                  mlp.data(mlp.MNIST, 128)),
    "GPT": (gpt.model, gpt.loss_of, gpt.weights(), gpt.data(8)),
}  # fmt: skip


def make_step(name):
    make, loss_of, weights, data = STEPS[name]
    step = training(weft, filled(weft, make(weft), weights), partial(loss_of, weft), 1e-3)
    return step, [weft.from_numpy(d) for d in data]


@pytest.mark.benchmark(group="overhead")
@pytest.mark.parametrize("grad", (False, True), ids=("no grad", "with grad"))
def test_add(benchmark, grad):
    a, b = (weft.from_numpy(overhead.START.copy()) for _ in range(2))
    a.requires_grad = b.requires_grad = grad
    benchmark(lambda: a + b)


@pytest.mark.benchmark(group="overhead")
@pytest.mark.parametrize("mode", WRAPS)
def test_twenty_ops_forward_and_backward(benchmark, mode):
    x, w, b = (weft.from_numpy(overhead.START * f) for f in (1.0, 0.5, 0.1))
    w.requires_grad = b.requires_grad = True

    def run():
        w.grad = b.grad = None
        overhead.twenty(x, w, b).backward()
        return w.grad

    fast = WRAPS[mode](run)
    for _ in range(3):
        fast()
    benchmark(fast)


@pytest.mark.benchmark(group="train step")
@pytest.mark.parametrize("mode", WRAPS)
@pytest.mark.parametrize("name", STEPS)
def test_train_step(benchmark, name, mode):
    step, data = make_step(name)
    fast = WRAPS[mode](step)
    losses = [fast(*data).item() for _ in range(3)]
    assert np.isfinite(losses).all()
    benchmark(fast, *data)


@pytest.mark.benchmark(group="train step")
@pytest.mark.parametrize("sparse", (False, True), ids=("dense features", "sparse features"))
@pytest.mark.parametrize("mode", WRAPS)
def test_graph_train_step(benchmark, mode, sparse):
    step = gcn.side(mode, weft, WRAPS[mode], sparse).run
    for _ in range(3):
        step()
    benchmark(step)


@pytest.mark.benchmark(group="compile, with both recording calls")
@pytest.mark.parametrize("name", STEPS)
def test_compile(benchmark, name):
    step, data = make_step(name)
    step(*data)

    def two_calls():
        fast = weft.compile(step)
        fast(*data), fast(*data)
        return fast

    fast = benchmark(two_calls)
    benchmark.extra_info["compile_ms"] = fast.explain().compile_ms
