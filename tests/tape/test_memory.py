"""Nodes come back: deep and wide graphs, long training, in constant memory."""

import gc
import os

import pytest

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft import _core


def leaf(*values, dtype=weft.float64):
    return weft.tensor(values, dtype=dtype, requires_grad=True)


@pytest.fixture
def nodes_return():
    """All nodes that the test makes are gone at its end."""
    gc.collect()
    before = _core.live_nodes()
    yield
    gc.collect()
    assert _core.live_nodes() == before


def test_chain_of_a_million_nodes(nodes_return):
    before = _core.live_nodes()
    x = leaf(0.5)
    y = x
    for _ in range(1_000_000):
        y = y + x
    assert _core.live_nodes() == before + 1_000_000
    y.sum().backward()
    assert x.grad.tolist() == [1_000_001.0]
    del y


def test_chain_of_a_million_nodes_dropped_without_backward(nodes_return):
    y = leaf(0.5)
    for _ in range(1_000_000):
        y = -y
    del y


def test_chain_with_saved_values_differentiated_twice(nodes_return):
    x = leaf(0.5)
    y = x
    for _ in range(100_000):
        y = y * 1.00001
    y.backward(retain_graph=True)
    first = x.grad.item()
    y.backward()
    assert x.grad.item() == 2 * first == pytest.approx(2 * 1.00001**100_000)
    del y


def test_wide_graph(nodes_return):
    x = leaf(1.0)
    total = sum((x * k for k in range(20_000)), weft.zeros(1, dtype=weft.float64))
    total.backward()
    assert x.grad.item() == sum(range(20_000))
    del total


def test_diamond_chain_is_walked_once_per_node(nodes_return):
    """Every step doubles the number of paths."""
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y * 0.5 + y * 0.5
    y.backward()
    assert x.grad.item() == 1.0
    del y


def resident():
    """Bytes of memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
@pytest.mark.parametrize("static", [False, True], ids=["eager", "static"])
def test_training_runs_in_constant_memory(static, nodes_return):
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
    opt = weft.optim.AdamW(model.parameters(), lr=1e-3)
    x, y = weft.randn(16, 32), weft.randint(0, 10, (16,))

    def step():
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss

    run = weft.compile(step) if static else step
    for _ in range(500):
        loss = run()
    gc.collect()
    memory, nodes = resident(), _core.live_nodes()
    for _ in range(3000):
        loss = run()
    assert _core.live_nodes() == nodes
    gc.collect()
    assert resident() - memory < 2 * 2**20
    del loss


def test_results_kept_without_their_graph(nodes_return):
    x = leaf(1.0, 2.0)
    kept = [(x * k).sum().detach() for k in range(100)]
    assert kept[-1].item() == 297


def test_memory_is_freed_when_an_error_is_raised(nodes_return):
    x = leaf(1.0, 2.0)
    y = (x * x).exp()
    with pytest.raises(RuntimeError):
        y.backward()
    del y
