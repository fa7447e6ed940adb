"""The dynamic graph: what is recorded, refused, accumulated, and how it is walked."""

import numpy as np
import pytest

import weft


def leaf(*values, dtype=weft.float64):
    return weft.tensor(values, dtype=dtype, requires_grad=True)


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
