"""Views share memory, and changes in place carry gradients (against finite differences)."""

import numpy as np
import pytest

import weft


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
