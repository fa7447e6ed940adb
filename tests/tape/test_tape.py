"""The dynamic graph: what is recorded, walked, kept and given back."""

import gc
import os

import numpy as np
import pytest

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft import _core


def leaf(*values, dtype=weft.float64):
    return weft.tensor(values, dtype=dtype, requires_grad=True)


def slope(function, x, step=1e-6):
    """Central finite differences of a function of one float64 tensor."""
    base = x.detach().numpy().copy()
    out = np.empty_like(base)
    for at in np.ndindex(base.shape):
        ends = []
        for sign in (1, -1):
            moved = base.copy()
            moved[at] += sign * step
            with weft.no_grad():
                ends.append(function(weft.tensor(moved)).item())
        out[at] = (ends[0] - ends[1]) / (2 * step)
    return out


def check_gradient(function, x):
    x.grad = None
    function(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), slope(function, x), rtol=1e-6, atol=1e-8)


# Memory and depth


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


# Errors


def test_backward_twice():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"^backward: .*walked before.*retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [2, 4]


def test_backward_of_several_numbers():
    y = leaf(1.0, 2.0) * 2
    with pytest.raises(RuntimeError, match=r"^backward: needs a single number, got shape \[2\]"):
        y.backward()


def test_backward_without_a_graph():
    with pytest.raises(RuntimeError, match=r"^backward: .*does not require a gradient"):
        weft.ones(1).backward()
    with pytest.raises(RuntimeError, match=r"^backward: gradient does not fit"):
        (leaf(1.0, 2.0) * 2).backward(weft.ones(3, dtype=weft.float64))


def test_saved_value_changed_in_place_names_both_operations():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = y.exp() * y
    y.add_(1)
    with pytest.raises(RuntimeError) as caught:
        z.sum().backward()
    message = str(caught.value)
    assert "saved by mul" in message and "changed in place by add" in message
    assert "expected version" in message


def test_saved_value_changed_through_a_view_or_numpy_sharing():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1
    z = (y * y).sum()
    y[1:].mul_(2)
    with pytest.raises(RuntimeError, match="changed in place"):
        z.backward()


def test_change_of_a_value_that_was_not_saved_is_fine():
    x = leaf(1.0, 2.0)
    y = x * 2
    z = y + 1
    y.add_(5)
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_leaf_cannot_be_changed_in_place():
    x = leaf(1.0, 2.0)
    for change in (lambda: x.add_(1), lambda: x.mul_(2), lambda: x[0].add_(1), lambda: x.zero_()):
        with pytest.raises(RuntimeError, match="leaf that requires a gradient"):
            change()
    assert x.tolist() == [1, 2]
    with weft.no_grad():
        x.add_(1)
    assert x.tolist() == [2, 3] and x.requires_grad


def test_requires_grad_only_for_floats_and_leaves():
    with pytest.raises((RuntimeError, TypeError)):
        weft.tensor([1, 2]).requires_grad = True
    with pytest.raises(RuntimeError):
        (leaf(1.0) * 2).requires_grad = False


# Modes


def test_retain_graph():
    x = leaf(3.0)
    y = (x * x).sum()
    for k in range(1, 4):
        y.backward(retain_graph=True)
        assert x.grad.item() == 6 * k


def test_create_graph():
    x = leaf(2.0)
    (first,) = weft.autograd.grad(x**4, x, create_graph=True)
    (second,) = weft.autograd.grad(first, x, create_graph=True)
    (third,) = weft.autograd.grad(second, x)
    assert [first.item(), second.item(), third.item()] == [32, 48, 48]
    y = (x**3).sum()
    y.backward(create_graph=True)
    assert x.grad.requires_grad


def test_no_grad_and_enable_grad():
    x = leaf(1.0)
    with weft.no_grad():
        assert not (x * 2).requires_grad
        with weft.enable_grad():
            assert (x * 2).requires_grad
        assert not weft.is_grad_enabled()
    assert (x * 2).requires_grad

    @weft.no_grad()
    def quiet():
        return x * 2

    assert not quiet().requires_grad
    with pytest.raises(KeyError), weft.no_grad():
        raise KeyError
    assert weft.is_grad_enabled()
    weft.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    weft.set_grad_enabled(True)


def test_detach_shares_memory_and_stops_gradients():
    x = leaf(1.0, 2.0)
    y = x * 2
    cut = y.detach()
    assert cut.shares_memory(y) and not cut.requires_grad and cut.grad_fn is None
    (y * cut).sum().backward()
    assert x.grad.tolist() == [4, 8]


# Accumulation


def test_gradients_accumulate_and_uses_add_up():
    x = leaf(1.0, 2.0)
    for k in range(1, 4):
        (x * 3 + x * x).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), [5 * k, 7 * k])
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_gradient_is_the_callers_own_memory():
    x = leaf(1.0, 2.0)
    given = weft.ones(2, dtype=weft.float64)
    (x + 0).backward(given)
    given.mul_(7)
    assert x.grad.tolist() == [1, 1]
    a, b = leaf(1.0), leaf(2.0)
    (a + b).backward()
    a.grad.add_(5)
    assert b.grad.item() == 1


def test_autograd_grad():
    x, w, other = leaf(2.0), leaf(3.0), leaf(4.0)
    middle = x * w
    y = middle * middle
    gx, gw, gm = weft.autograd.grad(y, [x, w, middle], retain_graph=True)
    assert [gx.item(), gw.item(), gm.item()] == [36, 24, 12]
    assert x.grad is None and w.grad is None
    with pytest.raises(RuntimeError, match=r"^grad: .*input 1.*allow_unused"):
        weft.autograd.grad(y, [x, other], retain_graph=True)
    assert weft.autograd.grad(y, [x, other], allow_unused=True)[1] is None


def test_autograd_of_several_outputs_and_given_gradients():
    x = leaf(1.0, 2.0)
    outputs = [x * 2, x * x]
    given = [weft.tensor([1.0, 10.0], dtype=weft.float64), weft.ones(2, dtype=weft.float64)]
    (g,) = weft.autograd.grad(outputs, x, given)
    assert g.tolist() == [4, 24]


def test_gradients_reach_only_those_who_ask():
    x, w = leaf(1.0), weft.ones(1, dtype=weft.float64)
    y = (x * w + w.exp()).sum()
    y.backward()
    assert w.grad is None and x.grad.item() == 1


# Views and in-place changes


def test_views_share_memory():
    x = weft.arange(12.0).view(3, 4)
    views = [x[1], x[:, ::2], x.T, x.view(4, 3), x.unsqueeze(0), x.expand(2, 3, 4), x.detach()]
    for view in [*views, x.narrow(1, 1, 2), *x.chunk(3), *x.split(2, dim=1), x.flatten()]:
        assert view.shares_memory(x)
    x[1, 2] = 50
    assert views[0][2].item() == 50 and views[2][2, 1].item() == 50
    assert not x.T.reshape(12).shares_memory(x) and not x.clone().shares_memory(x)


def change_row(x):
    y = x * 2
    y[1].mul_(3).sub_(x[0])
    return (y * y).sum()


def change_block(x):
    y = x * 1
    y[:, 1:] = x[:, :2].exp()
    return (y.sin() * x).sum()


def change_transposed(x):
    y = x + 0
    y.T.add_(x.T * 3)
    return y.square().sum()


def change_base_after_view(x):
    y = x * 2
    view = y[0]
    y.mul_(5).add_(x)
    return (view * view).sum() + y.sum()


def change_view_of_view(x):
    y = x.sin()
    y.view(9)[2:7].view(5, 1)[1:3].mul_(4)
    return (y * x).sum()


def fill_part(x):
    y = x * x
    y[0].zero_()
    y[2, 1].fill_(3)
    return (y * y).sum()


def copy_into(x):
    y = weft.zeros(3, 3, dtype=weft.float64)
    y[1].copy_(x[0] * x[2])
    y += x
    return (y**3).sum()


def chain_in_place(x):
    return (x * 0.5).add_(1).neg_().sub_(x.T).div_(2).exp_().sum()


def masked(x):
    y = x * 2
    y[x.detach() > 0.5] = 0.25
    return (y * x).sum()


@pytest.mark.parametrize(
    "function",
    [
        change_row, change_block, change_transposed, change_base_after_view, change_view_of_view,
        fill_part, copy_into, chain_in_place, masked,
    ],
)  # fmt: skip
def test_in_place_changes_propagate(function):
    rng = np.random.default_rng(4)
    check_gradient(function, weft.tensor(rng.uniform(0.2, 0.9, (3, 3)), requires_grad=True))


@pytest.mark.parametrize("static", [False, True], ids=["eager", "static"])
def test_writing_into_a_plain_buffer(static):
    """The buffer has no history of its own; what is written into it brings one."""

    def function(x):
        out = weft.zeros(3, dtype=weft.float64)
        for i in range(2):
            out[i] = x[i] * x[i + 1]
        row = out[2:]
        row.add_(x[0])
        out.square().sum().backward()

    run = weft.compile(function) if static else function
    for _ in range(4):
        x = leaf(2.0, 3.0, 5.0)
        run(x)
        assert x.grad.tolist() == [2 * 6 * 3 + 2 * 2, 2 * 6 * 2 + 2 * 15 * 5, 2 * 15 * 3]


def test_in_place_product_saves_what_it_overwrites():
    x, w = leaf(2.0, 3.0), leaf(5.0, 7.0)
    y = x * 1
    y.mul_(w)
    y.sum().backward()
    assert w.grad.tolist() == [2, 3] and x.grad.tolist() == [5, 7]


# Walking the graph


def test_graph_can_be_walked():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = (x * w).exp().sum()
    total = y.grad_fn
    assert total.name() == "SumBackward" and total.op == "sum"
    ((exp, at),) = total.next_functions
    assert exp.op == "exp" and at == 0
    ((mul, _),) = exp.next_functions
    (left, _), (right, _) = mul.next_functions
    assert left.data_ptr() == x.data_ptr() and right.data_ptr() == w.data_ptr()
    assert [tensor.tolist() for _, tensor in mul.saved] == [[1, 2], [3, 4]]
    assert len(exp.saved) == 1 and exp.saved[0][1].tolist() == (x * w).exp().tolist()
    assert mul.sequence_nr < exp.sequence_nr < total.sequence_nr
    assert exp == total.next_functions[0][0] and exp != mul and len({exp, mul, total}) == 3
    text = weft.autograd.graph_text(y).splitlines()
    assert text == ["mul [leaf, leaf] -> f64[2]", "exp [mul] -> f64[2]", "sum [exp] -> f64[]"]
    assert x.grad_fn is None and x.is_leaf and not y.is_leaf
    y.backward()
    assert total.name() == "SumBackward"


def test_constants_lead_nowhere():
    y = leaf(1.0) * weft.ones(1, dtype=weft.float64)
    assert y.grad_fn.next_functions[1] == (None, 0)
    assert (weft.ones(1) * 2).grad_fn is None
