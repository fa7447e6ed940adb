"""``a **= b`` and its kin write in place: same tensor, dtype and shape, or an error as torch's."""

import operator

import pytest

import weft

NUMBERS = {
    operator.ipow: (operator.pow, 3), operator.ifloordiv: (operator.floordiv, 2),
    operator.imod: (operator.mod, 2), operator.iadd: (operator.add, 2),
    operator.isub: (operator.sub, 2), operator.imul: (operator.mul, 2),
}  # fmt: skip
BITS = {
    operator.iand: (operator.and_, 6), operator.ior: (operator.or_, 6),
    operator.ixor: (operator.xor, 6),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [weft.int32, weft.int64, weft.float32, weft.float64], ids=str)
@pytest.mark.parametrize("change", [*NUMBERS, *BITS], ids=lambda f: f.__name__)
def test_the_tensor_itself_changes(change, dtype):
    if change in BITS and dtype.is_floating_point:
        pytest.skip("whole numbers only")
    plain, number = (NUMBERS | BITS)[change]
    x = weft.tensor([[5, 7, 9]], dtype=dtype)
    for other in (number, weft.tensor(number), weft.tensor([number] * 3, dtype=dtype)):
        a = x.clone()
        view = a.t()
        want = plain(a, other)
        got = change(a, other)
        assert got is a and a.dtype == dtype == want.dtype and a.shape == (1, 3)
        assert a.tolist() == want.tolist() and view.t().tolist() == want.tolist()
        assert a._version == 1


@pytest.mark.parametrize("change", NUMBERS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("static", [False, True], ids=["eager", "static"])
def test_gradients_flow_through(change, static):
    plain, number = NUMBERS[change]

    def function(w):
        y = w * 1.5
        part = y[1:]
        part = change(part, number)
        (y * y).sum().backward()

    run = weft.compile(function) if static else function
    for _ in range(4):
        w = weft.tensor([2.0, 3.25, 5.5], requires_grad=True)
        run(w)
        v = weft.tensor([2.0, 3.25, 5.5], requires_grad=True)
        y = v * 1.5
        y = weft.cat([y[:1], plain(y[1:], number)])
        (y * y).sum().backward()
        assert w.grad.tolist() == v.grad.tolist()


def test_square_and_root_in_place():
    x = weft.tensor([4.0, 9.0], requires_grad=True)
    y = x * 1
    y **= 2
    y **= 0.5
    y.sum().backward()
    assert y.tolist() == [4, 9] and x.grad.tolist() == [1, 1]


ints, bools, floats = weft.tensor([1, 2]), weft.tensor([True, False]), weft.tensor([1.0, 2.0])


@pytest.mark.parametrize("change", [*NUMBERS, *BITS], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    "target, other",
    [(ints, 2.5), (bools, 2), (ints, floats), (bools, ints), (ints, weft.ones(3, 2).long()),
     (floats, weft.ones(3, 2))],
    ids=["int-float", "bool-int", "int-floats", "bool-ints", "int-shape", "float-shape"],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_changes_nothing(change, target, other):
    a = target.clone()
    with pytest.raises((RuntimeError, TypeError)) as caught:
        change(a, other)
    if not (change in BITS and "float" in str(caught.value)):
        assert caught.type is RuntimeError, caught.value
    assert a.tolist() == target.tolist() and a._version == 0


def test_truth_values():
    a = weft.tensor([True, True, False])
    a &= weft.tensor([True, False, True])
    a |= weft.tensor([False, False, True])
    a ^= True
    assert a.tolist() == [False, True, False] and a.dtype == weft.bool


@pytest.mark.parametrize("change", [*NUMBERS, *BITS], ids=lambda f: f.__name__)
def test_a_leaf_and_a_stranger_are_refused(change):
    a = weft.ones(2, requires_grad=True)
    if change in NUMBERS:
        with pytest.raises(RuntimeError, match="leaf"):
            change(a, 2)
    with pytest.raises(TypeError):
        change(weft.tensor([1, 2]), "2")
