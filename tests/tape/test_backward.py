"""What backward leaves behind: gradients that grow in place, and nothing changed by an error."""

import pytest

import weft


def leaf(*values):
    return weft.tensor(values, requires_grad=True)


def test_a_held_gradient_grows():
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    held = x.grad
    (x * 3).sum().backward()
    assert held.tolist() == x.grad.tolist() == [5, 5] and held.shares_memory(x.grad)


def test_a_gradient_that_the_user_set_grows_where_it_lies():
    x = weft.ones(2, 3, requires_grad=True)
    mine = weft.zeros(6, 4)
    x.grad = mine[::2, 1:3].t()
    x.sum().backward()
    x.sum().backward()
    assert x.grad.tolist() == [[2] * 3] * 2
    assert mine.tolist() == [[0, 2, 2, 0], [0] * 4] * 3


def test_a_gradient_that_is_its_own_seed_grows():
    x = weft.ones(2, 2, requires_grad=True)
    seed = weft.tensor([[1.0, 2.0], [3.0, 4.0]])
    x.grad = seed.t()
    x.backward(seed)
    assert x.grad.tolist() == [[2, 5], [5, 8]] and seed.tolist() == [[2, 5], [5, 8]]


def test_gradients_that_are_differentiated_are_replaced():
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    held = x.grad
    (x * x).sum().backward(create_graph=True)
    assert held.tolist() == [2, 2] and x.grad.tolist() == [4, 6] and x.grad.requires_grad


def test_a_compiled_step_grows_a_held_gradient():
    x = leaf(1.0, 2.0)
    held = x.grad = weft.zeros(2)

    @weft.compile
    def step():
        (x * x).sum().backward()

    for i in range(1, 6):
        step()
        assert held.tolist() == [2 * i, 4 * i] and x.grad.shares_memory(held)


def test_a_gradient_on_repeated_memory_is_refused_before_any_other_changes():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    x.grad, y.grad = weft.zeros(2), weft.zeros(1).expand(2)
    with pytest.raises(RuntimeError, match=r"several elements of a \.grad share one place"):
        (x * y).sum().backward()
    assert x.grad.tolist() == y.grad.tolist() == [0, 0]


def test_an_input_named_twice_gets_its_gradient_twice():
    x = leaf(1.0, 2.0)
    h = x * 2
    y = (h * h).sum()
    got = weft.autograd.grad(y, [h, x, h, x], retain_graph=True, allow_unused=True)
    assert [g.tolist() for g in got] == [[4, 8], [8, 16]] * 2
    assert [g.tolist() for g in weft.autograd.grad(y, [h, h])] == [[4, 8]] * 2


def test_an_error_on_the_way_changes_no_gradient():
    """torch accumulates those leaves that it came to before the error; here none changes."""
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    a.grad = weft.ones(2)
    z = b.exp()
    loss = (a * 3).sum() + (z * 1).sum()
    with weft.no_grad():
        z.mul_(2)
    for message in ("was changed in place", "was walked before|was changed in place"):
        with pytest.raises(RuntimeError, match=message):
            loss.backward()
        assert a.grad.tolist() == [1, 1] and b.grad is None
    (a * 3).sum().backward()
    assert a.grad.tolist() == [4, 4]


def test_a_second_walk_through_what_saved_nothing():
    x = leaf(1.0, 2.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2, 2]
    z = (x * x).sum()
    z.backward()
    with pytest.raises(RuntimeError, match="walked before"):
        z.backward()
    assert x.grad.tolist() == [4, 6]
