"""What is a view and what a copy, as in torch: view(), tensor indices, pieces, deepcopy."""

import copy

import numpy as np
import pytest

import weft


def test_view_never_copies():
    x = weft.arange(6.0).view(2, 3)
    assert x.view(-1).shares_memory(x) and x.view(3, 2).shares_memory(x)
    assert x.t().view(3, 2, 1).shares_memory(x) and x[:, :2].view(2, 1, 2).shares_memory(x)
    for bad in (lambda: x.t().view(6), lambda: x.t().view(-1), lambda: x.t().view_as(x),
                lambda: x[:, :2].view(4), lambda: x.expand(2, 2, 3).view(12)):  # fmt: skip
        with pytest.raises(RuntimeError, match=r"view: expected elements .* Use .reshape\(\)"):
            bad()
    assert x.t().reshape(6).tolist() == [0, 3, 1, 4, 2, 5]
    with pytest.raises(RuntimeError, match="view: shape"):
        x.view(4, 2)


@pytest.mark.parametrize("dtype", [weft.int32, weft.int64], ids=str)
def test_a_single_integer_tensor_names_a_view(dtype):
    x = weft.arange(12.0).view(3, 4)
    i, last = weft.tensor(1, dtype=dtype), weft.tensor(-1, dtype=dtype)
    for got, want in ((x[i], x[1]), (x[last], x[-1]), (x[:, i], x[:, 1]), (x[i, last], x[1, -1]),
                      (x[i, 1:], x[1, 1:]), (x[..., last], x[..., -1])):  # fmt: skip
        assert got.tolist() == want.tolist() and got.shares_memory(x)
    x[i].fill_(7)
    x[last, i] = 9
    assert x[1].tolist() == [7] * 4 and x[2, 1].item() == 9
    with pytest.raises(IndexError):
        x[weft.tensor(3, dtype=dtype)]
    for key in (weft.tensor([1]), weft.tensor(True), [1]):
        assert not x[key].shares_memory(x)


@pytest.mark.parametrize("where", [0, 2, -1])
def test_a_single_integer_tensor_in_both_modes(where):
    def step(x, i):
        y = x[i] * x[:, i][:, None] + x[i, i]
        y.backward(weft.full(y.shape, -0.0))
        return y.detach()

    compiled = weft.compile(step)
    results = []
    for run in (step, compiled, compiled, compiled, compiled):
        x = weft.tensor(np.arange(9.0).reshape(3, 3), dtype=weft.float32, requires_grad=True)
        y = run(x, weft.tensor(where))
        results.append((y.numpy().tobytes(), x.grad.numpy().tobytes()))
    assert len(set(results)) == 1
    with pytest.raises(IndexError):
        compiled(x, weft.tensor(5))


def test_what_stands_for_a_view_is_not_changed_while_recording():
    @weft.compile
    def step(x, i):
        x[i].add_(1)

    @weft.compile
    def part(x, i):
        x[i][:1].fill_(0)

    @weft.compile
    def good(x, i):
        x[i] = x[i] + 1

    x, i = weft.zeros(3, 2), weft.tensor(1)
    for bad in (step, part):
        with pytest.raises(weft.CompileError, match=r"Write x\[i\] = "):
            bad(x, i)
    for count in range(1, 5):
        good(x, i)
        assert x.tolist() == [[0, 0], [count, count], [0, 0]]


def test_pieces_of_one_call_are_not_changed_with_gradients_on():
    w, x = weft.ones(2, requires_grad=True), weft.zeros(4, 2)
    pieces = [*x.chunk(2), *x.split(3), *x.unbind(1), next(iter(x)), x.chunk(2)[0][:1]]
    for piece in pieces:
        with pytest.raises(RuntimeError, match="one of several views"):
            piece.copy_(w.sum())
    pieces[0].add_(1)
    with weft.no_grad():
        x.chunk(2)[1].add_(w)
    assert x.tolist() == [[1, 1]] * 4 and not x.requires_grad
    x.narrow(0, 0, 2).mul_(w)
    assert x.requires_grad
    with pytest.raises(RuntimeError, match="one of several results"):
        pieces[1] * 2


def test_deepcopy_keeps_gradients_and_sharing():
    x = weft.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    base = weft.arange(6.0)
    view, turned = base[1:3], base.view(2, 3).t()
    y, grad, b, v, t, again = copy.deepcopy([x, x.grad, base, view, turned, view])
    assert y.requires_grad and y.grad.tolist() == [2, 4] and y.grad.shares_memory(grad)
    assert not y.grad.shares_memory(x.grad) and not y.shares_memory(x)
    v.fill_(9)
    assert b.tolist() == [0, 9, 9, 3, 4, 5] and again is v
    assert t.tolist() == [[0, 3], [9, 4], [9, 5]] and t.stride() == (1, 3)
    assert base.tolist() == [0, 1, 2, 3, 4, 5]
    alone = copy.deepcopy(view)
    assert alone.tolist() == [1, 2] and alone.storage_offset() == 1
    assert copy.deepcopy(weft.ones(1).expand(3)).stride() == (0,)
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(x[:1])


def test_deepcopy_inside_a_compiled_function():
    @weft.compile
    def step(x):
        a, b = copy.deepcopy((x, x[1:]))
        b.mul_(3)
        return a

    for start in range(4):
        x = weft.tensor([1.0, 2.0]) + start
        assert step(x).tolist() == [1 + start, 3 * (2 + start)]
        assert x.tolist() == [1 + start, 2 + start]
