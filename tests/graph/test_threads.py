"""Compiled and eager functions called from several Python threads give the right results."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import weft
import weft.nn.functional as F

WORKERS = 4


def everywhere(work):
    """``work(k)`` on four threads that start together."""
    barrier = Barrier(WORKERS)

    def start(k):
        barrier.wait()
        return work(k)

    with ThreadPoolExecutor(WORKERS) as pool:
        return [f.result() for f in [pool.submit(start, k) for k in range(WORKERS)]]


def loss_and_grad(x, w):
    leaf = w.detach()
    leaf.requires_grad = True
    loss = F.gelu(x @ leaf).softmax(dim=1).square().sum()
    loss.backward()
    return loss.detach(), leaf.grad


def inputs(k, rows=40):
    rng = np.random.default_rng(k)
    x, w = rng.normal(size=(rows, 30)), rng.normal(size=(30, 20))
    return weft.tensor(x.astype(np.float32)), weft.tensor(w.astype(np.float32))


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("rows", [4, 3000])
def test_eager(threads, rows):
    weft.set_num_threads(threads)
    want = [[t.tolist() for t in loss_and_grad(*inputs(k, rows))] for k in range(WORKERS)]
    repeat = 20 if rows < 100 else 3

    def work(k):
        return [[t.tolist() for t in loss_and_grad(*inputs(k, rows))] for _ in range(repeat)]

    assert everywhere(work) == [[w] * repeat for w in want]


def test_one_compiled_function():
    """A plan is shared; each caller has its own memory."""
    fast = weft.compile(loss_and_grad)
    want = [[t.tolist() for t in loss_and_grad(*inputs(k))] for k in range(WORKERS)]
    for _ in range(3):
        fast(*inputs(0))
    got = everywhere(lambda k: [[t.tolist() for t in fast(*inputs(k))] for _ in range(50)])
    assert got == [[w] * 50 for w in want]
    assert fast.explain().recordings == 1


def test_recordings_on_several_threads_do_not_mix():
    def work(k):
        fast = weft.compile(lambda x: (x * k).sum() + k)
        return [fast(weft.ones(3)).item() for _ in range(30)]

    assert everywhere(work) == [[4.0 * k] * 30 for k in range(WORKERS)]


def test_grad_mode_belongs_to_a_thread():
    w = weft.ones(2, requires_grad=True)

    def work(k):
        seen = []
        for _ in range(200):
            with weft.set_grad_enabled(k % 2 == 0):
                seen.append((w * 2).requires_grad)
        return set(seen)

    assert everywhere(work) == [{True}, {False}] * 2


def test_backward_through_a_graph_that_another_thread_made():
    def make(k):
        w = weft.full((3,), float(k), requires_grad=True)
        return w, (w * w).sum()

    made = everywhere(make)
    for _, loss in reversed(made):
        loss.backward()
    assert [w.grad.tolist() for w, _ in made] == [[2.0 * k] * 3 for k in range(WORKERS)]


def test_tensors_dropped_on_another_thread():
    for _ in range(20):
        made = everywhere(lambda k: (weft.ones(3, requires_grad=True) * k).exp())
        everywhere(made.__getitem__)
        del made
