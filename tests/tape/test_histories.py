"""Views see the history of their base, whatever was done through whichever view, in both modes."""

import numpy as np
import pytest

import weft


def both(function):
    """Runs a function of one leaf eagerly and compiled; the gradients must have equal bits."""
    run = weft.compile(function)
    grads = []
    for step in (function, run, run, run, run):
        w = weft.tensor([2.0, 3.0, 5.0], requires_grad=True)
        step(w)
        grads.append(None if w.grad is None else w.grad.numpy().copy())
    for grad in grads[1:]:
        np.testing.assert_array_equal(grad, grads[0])
    return grads[0].tolist()


def reshaped(w):
    x = weft.zeros(6).reshape(2, 3)
    x[0] = w
    x.sum().backward()


def transposed(w):
    x = weft.zeros(2, 3).t()
    x[:, 1] = w
    (x * x).sum().backward()


def unsqueezed(w):
    x = weft.zeros(3).unsqueeze(0)
    x.copy_(w)
    (x * x).sum().backward()


def sliced(w):
    x = weft.eye(3)[:2]
    x[1].mul_(w)
    (x * x).sum().backward()


def row_of_a_cache(w):
    cache = weft.zeros(3, 3)
    k = cache[0]
    k[1] = w[1]
    cache[2] = w
    (cache.sum() + (k * k).sum()).backward()


def two_views(w):
    a = weft.zeros(4)
    v1, v2 = a[:3], a[:3]
    v1.add_(w)
    v2.mul_(3)
    a.sum().backward()


def other_view_of_a_changed_base(w):
    a = weft.zeros(2, 3)
    view, column = a[0], a.t()[1]
    a.add_(w)
    view.mul_(2)
    (column * column).sum().backward()


def fortran(w):
    x = weft.from_numpy(np.asfortranarray(np.zeros((3, 2), np.float32)))
    assert not x.is_contiguous()
    view = x[:, 1]
    view.add_(w)
    x[1].mul_(10)
    ((x * x).sum() + view.sum()).backward()


def detached_transpose(w):
    x = weft.zeros(2, 3).t().detach()
    x[:, 0].add_(w)
    view = x[1:]
    x[:2, 0].mul_(2)
    (view * view).sum().backward()


def with_gaps(w):
    x = weft.zeros(4, 6)[1:3, ::2].detach()
    x[0].add_(w)
    x.t()[1].mul_(7)
    (x * x).sum().backward()


def repeated(w):
    x = weft.zeros(3).expand(2, 3).detach()
    x[0].add_(w)
    (x * x).sum().backward()


def repeated_view_of_a_changed_base(w):
    x = weft.zeros(2, 3)
    view = x[:, 1:2].expand(2, 4)
    x.add_(w)
    (view * view).sum().backward()


CASES = {
    reshaped: [1, 1, 1],
    transposed: [4, 6, 10],
    unsqueezed: [4, 6, 10],
    sliced: [0, 6, 0],
    row_of_a_cache: [1, 1 + 1 + 6, 1],
    two_views: [3, 3, 3],
    other_view_of_a_changed_base: [0, 2 * 2 * 2 * 3 + 2 * 3, 0],
    fortran: [2 * 2 + 1, 2 * 100 * 3 + 10, 2 * 5 + 1],
    detached_transpose: [0, 2 * 4 * 3, 2 * 5],
    with_gaps: [4, 2 * 49 * 3, 10],
    repeated: [8, 12, 20],
    repeated_view_of_a_changed_base: [0, 8 * 2 * 3, 0],
}


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_a_write_through_any_view_reaches_base_and_views(function):
    assert both(function) == CASES[function]


def leaf(*values):
    return weft.tensor(values, requires_grad=True)


def test_flag_leaf_and_maker_follow_the_base():
    w, a = leaf(1.0, 2.0), weft.zeros(4)
    view, other = a[:2], a[1:3]
    assert not view.requires_grad and view.is_leaf and view.grad_fn is None
    other.add_(w)
    assert a.requires_grad and view.requires_grad and other.requires_grad
    assert not view.is_leaf and not a.is_leaf and view.grad_fn is not None
    assert (view * 1).requires_grad and not view.detach().requires_grad
    (got,) = weft.autograd.grad(view.sum(), w)
    assert got.tolist() == [1, 0]


def test_writes_through_a_detached_alias_are_not_tracked():
    w, a = leaf(1.0, 2.0), weft.zeros(2)
    alias = a.detach()
    alias.add_(w)
    assert alias.requires_grad and not a.requires_grad and a.tolist() == [1, 2]
    assert a._version == alias._version == 1


def test_views_made_without_the_tape_are_refused_when_changed_with_it():
    x = leaf(1.0, 2.0, 3.0)
    y = x * 1
    with weft.no_grad():
        view = y[:2]
    for target in (view, view[:1], view.t()):
        with pytest.raises(RuntimeError, match="mul: a view that was made under no_grad"):
            target.mul_(2)
    assert y.tolist() == [1, 2, 3] and y._version == 0
    with weft.no_grad():
        view.mul_(2)
    assert y.tolist() == [2, 4, 3]


def test_views_made_without_the_tape_are_refused_after_a_change():
    w, y = leaf(1.0, 2.0), weft.zeros(2)
    with weft.no_grad():
        view = y[:1]
    assert not (view * 2).requires_grad
    y.add_(w)
    assert view.requires_grad
    for use in (lambda: view * 2, lambda: view.is_leaf, lambda: view.grad_fn):
        with pytest.raises(RuntimeError, match="made under no_grad is used with gradients on"):
            use()
    assert "Invalid" in repr(view)
    with weft.no_grad():
        assert (view * 2).tolist() == [2]
    assert view.detach().tolist() == [1]


def test_a_view_of_a_leaf_made_without_the_tape_takes_no_gradient():
    x = leaf(1.0, 2.0)
    with weft.no_grad():
        view = x[:1]
    assert view.requires_grad and view.is_leaf
    (view * x[1]).sum().backward()
    assert x.grad.tolist() == [0, 1] and view.grad is None
    with weft.no_grad():
        assert view.numpy().tolist() == [1]
    with pytest.raises(RuntimeError, match="requires a gradient"):
        view.numpy()


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.mul_(2), lambda x: x[0].mul_(2), lambda x: x.t().add_(1),
        lambda x: x[0][:1].fill_(1), lambda x: x.__setitem__(0, 1.0),
        lambda x: x.view(4)[::2].copy_(x.detach().view(4)[1::2]),
    ],
)  # fmt: skip
def test_a_leaf_is_not_changed_through_any_view(change):
    x = weft.ones(2, 2, requires_grad=True)
    before = x.tolist()
    with pytest.raises(RuntimeError, match="leaf that requires a gradient cannot be changed"):
        change(x)
    assert x.tolist() == before and x._version == 0 and x.is_leaf and x.grad_fn is None


def test_views_of_a_leaf_follow_changes_without_the_tape():
    x = weft.ones(2, 2, requires_grad=True)
    view = x[0]
    with weft.no_grad():
        x.mul_(3)
        view.add_(1)
    (view * view).sum().backward()
    assert x.grad.tolist() == [[8, 8], [0, 0]]


def test_a_view_cannot_forget_its_history_in_place():
    y = leaf(1.0, 2.0) * 1
    with pytest.raises(RuntimeError, match="detach_: a view"):
        y[:1].detach_()
    view = y[:1]
    view.mul_(3)
    y.detach_()
    assert not y.requires_grad and view.requires_grad and not view.is_leaf


def test_histories_of_changed_tensors_do_not_keep_themselves_alive():
    before = weft._core.live_nodes()
    for _ in range(3):
        w, y = leaf(1.0, 2.0), weft.zeros(2, 2)
        y[0].add_(w)
        y[1].add_((y[0] * w).exp())
        y.t().mul_(y.detach())
        h, plain = w * 1, weft.ones(2)
        h.add_(h * h)
        plain.add_(w * plain)
    del w, y, h, plain
    assert weft._core.live_nodes() == before


def test_gradients_of_gradients_through_changed_views():
    def slope(w, create_graph=False):
        x = weft.zeros(3, 2, dtype=weft.float64).t().detach()
        x[0] = w * w
        x.t()[1].mul_(w.sum())
        x[1, :2].copy_((x[0, 1:] * 0.25).sin())
        (g,) = weft.autograd.grad((x * x * x).sum(), w, create_graph=create_graph)
        return (g * weft.tensor([1.0, -2.0, 0.5], dtype=weft.float64)).sum()

    def at(values):
        return weft.tensor(values, dtype=weft.float64, requires_grad=True)

    start, step = np.array([0.3, 0.5, 0.7]), 1e-5
    w = at(start)
    (got,) = weft.autograd.grad(slope(w, create_graph=True), w)
    ends = [[slope(at(start + s * step * row)).item() for s in (1, -1)] for row in np.eye(3)]
    want = [(up - down) / (2 * step) for up, down in ends]
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-7)


def test_overlapping_windows_add_their_gradients():
    x = leaf(1.0, 2.0, 3.0)
    windows = weft._core.as_strided(x, (2, 2), (1, 1), 0)
    (windows * weft.tensor([[1.0, 10.0], [100.0, 1000.0]])).sum().backward()
    assert x.grad.tolist() == [1, 110, 1000]


def test_a_failed_change_changes_nothing():
    w, y = leaf(1.0, 2.0), weft.zeros(2, 2)
    y[0].add_(w)
    maker, values, version = y.grad_fn, y.tolist(), y._version
    for change in (
        lambda: y.add_(weft.ones(3)),
        lambda: y[0].copy_(weft.ones(3)),
        lambda: y.add_(weft.ones(2, 2, 2)),
        lambda: y.expand(3, 2, 2).add_(w),
        lambda: y.masked_fill_(weft.tensor([True, False, True]), 1.0),
        lambda: y.__setitem__((0, 5), 1.0),
    ):
        with pytest.raises((RuntimeError, IndexError)):
            change()
    assert y.grad_fn == maker and y.tolist() == values and y._version == version


def test_a_failed_integer_division_changes_nothing():
    x = weft.tensor([7, 9])
    for change in (x.remainder_, x.floor_divide_, x.__ifloordiv__, x.__imod__):
        with pytest.raises(RuntimeError, match="division by zero"):
            change(weft.tensor([2, 0]))
    assert x.tolist() == [7, 9] and x._version == 0


@pytest.mark.parametrize("look", [False, True])
def test_a_base_that_forgot_its_history_may_get_one_again(look):
    """Whether somebody looked at the view in between makes no difference."""
    w = weft.ones(3, 2, requires_grad=True)
    base = w * w
    view = base[:, 0:1]
    base.detach_()
    with weft.no_grad():
        view.mul_(3.0)
    if look:
        assert view.is_leaf
    base.requires_grad_()
    assert not view.is_leaf
    view.sum().backward()
    assert base.grad.tolist() == [[1, 0]] * 3
    assert w.grad is None and view.grad is None
