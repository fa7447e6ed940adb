"""Dtypes, numbers, numpy, copies and texts, as programs written for torch expect them."""

import copy
import itertools
import pickle

import numpy as np
import pytest

import weft

B, U, I, L, F, D = weft.bool, weft.uint8, weft.int32, weft.int64, weft.float32, weft.float64  # noqa: E741
ORDER = [B, U, I, L, F, D]
PAIRS = list(itertools.product(ORDER, ORDER))
RANK = {B: 0, U: 1, I: 1, L: 1, F: 2, D: 2}


@pytest.mark.parametrize("a, b", PAIRS, ids=str)
def test_tensors_promote_to_the_larger(a, b):
    want = max(a, b, key=ORDER.index)
    x, y = weft.ones(2, dtype=a), weft.ones(2, dtype=b)
    assert (x + y).dtype == (y * x).dtype == weft.maximum(x, y).dtype == want
    assert weft.cat([x, y]).dtype == want
    assert weft.where(weft.tensor([True, False]), x, y).dtype == want
    assert (x < y).dtype == B


@pytest.mark.parametrize("a, b", PAIRS, ids=str)
def test_zero_dim_tensors_promote_only_across_kinds(a, b):
    want = b if RANK[b] > RANK[a] else a
    assert (weft.ones(2, dtype=a) + weft.ones((), dtype=b)).dtype == want


@pytest.mark.parametrize("number, rank, alone", [(True, 0, B), (2, 1, L), (2.5, 2, F)], ids=str)
@pytest.mark.parametrize("dtype", ORDER, ids=str)
def test_python_numbers_promote_least(dtype, number, rank, alone):
    want = alone if rank > RANK[dtype] else dtype
    x = weft.ones(2, dtype=dtype)
    assert (x + number).dtype == (number + x).dtype == want


def test_division_of_integers_is_real():
    x = weft.tensor([7, -7])
    assert (x / 2).tolist() == [3.5, -3.5] and (x / x).dtype == F
    assert (x // 2).tolist() == [3, -4] and (x // 2).dtype == L
    assert (x % 3).tolist() == [1, 2]
    with pytest.raises((RuntimeError, ZeroDivisionError), match="division by zero"):
        x // 0
    assert (x.float() // 0).tolist() == [float("inf"), float("-inf")]
    assert weft.div(x, 2, rounding_mode="trunc").tolist() == [3, -3]
    assert weft.div(x, 2, rounding_mode="floor").tolist() == [3, -4]


def test_real_functions_of_integers_are_real():
    x = weft.tensor([0, 1])
    for function in (weft.exp, weft.sqrt, weft.sin, weft.tanh, weft.sigmoid, weft.log1p):
        assert function(x).dtype == F
    assert x.sum().dtype == weft.tensor([True]).sum().dtype == L
    with pytest.raises(TypeError, match="mean"):
        x.mean()


def test_in_place_results_must_fit():
    x = weft.ones(2, dtype=L)
    for change in (lambda: x.add_(0.5), lambda: x.mul_(weft.ones(2)), lambda: x.div_(2)):
        with pytest.raises((TypeError, RuntimeError)):
            change()
    assert x.tolist() == [1, 1]
    y = weft.ones(2)
    y += weft.ones(2, dtype=D)
    y.add_(weft.ones(2, dtype=L))
    assert y.dtype == F and y.tolist() == [3, 3]
    z = y
    z += 1
    assert z is y


def test_powers():
    x = weft.tensor([2.0, -3.0])
    assert (x**2).tolist() == [4, 9] and (2**x).tolist() == [4, 0.125]
    assert (weft.tensor([2, 3]) ** 2).dtype == L
    assert (x**0).tolist() == [1, 1]


def test_single_numbers():
    assert weft.tensor(3).item() == 3 and type(weft.tensor([[3]]).item()) is int
    assert type(weft.tensor(2.0).item()) is float and weft.tensor(True).item() is True
    assert float(weft.tensor([2.5])) == 2.5 and int(weft.tensor(7.9)) == 7
    assert list(range(5))[weft.tensor(2)] == 2
    assert bool(weft.tensor([0.0])) is False and bool(weft.tensor(float("nan"))) is True
    assert f"{weft.tensor(1.23456):.2f}" == "1.23"
    for function in (lambda x: x.item(), bool, float, int):
        with pytest.raises((RuntimeError, ValueError), match=r"\[2\]"):
            function(weft.ones(2))
    with pytest.raises((RuntimeError, ValueError)):
        bool(weft.ones(0))
    with pytest.raises(TypeError):
        range(5)[weft.tensor(2.0)]


def test_len():
    assert len(weft.ones(3, 2)) == 3 and len(weft.ones(0)) == 0
    with pytest.raises(TypeError, match="got 0"):
        len(weft.tensor(1.0))


def test_comparison_and_hash():
    x = weft.tensor([1, 2])
    assert (x == 1).tolist() == [True, False] and (x != x).any().item() is False
    assert {x: 1}[x] == 1 and hash(x) == hash(x)
    assert (x == weft.tensor([1.0, 3.0])).tolist() == [True, False]


def test_shapes_that_do_not_fit():
    with pytest.raises(RuntimeError, match="add: shapes do not broadcast"):
        weft.ones(2) + weft.ones(3)
    with pytest.raises(RuntimeError, match="matmul: inner dimensions differ"):
        weft.ones(2, 4) @ weft.ones(3, 5)
    with pytest.raises(TypeError):
        weft.ones(2) + "a"
    with pytest.raises(RuntimeError, match="view"):
        weft.ones(6).view(4, 2)
    with pytest.raises(IndexError):
        weft.ones(2).sum(dim=1)


# numpy


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
def test_numpy_shares_memory_both_ways(dtype):
    a = np.ones((2, 3), dtype)
    x = weft.from_numpy(a)
    assert str(x.dtype) == f"weft.{dtype}"
    a[0, 0] = 0
    assert x[0, 0].item() == 0
    x[1, 1] = 0
    assert a[1, 1] == 0
    b = x.numpy()
    b[0, 1] = 0
    assert a[0, 1] == 0 and x[0, 1].item() == 0
    assert b.dtype == dtype and np.asarray(x).dtype == dtype


def test_views_come_as_numpy_views():
    x = weft.arange(12.0).view(3, 4)
    view = x.T[1:, ::2]
    a = view.numpy()
    np.testing.assert_array_equal(a, np.arange(12.0).reshape(3, 4).T[1:, ::2])
    a[0, 0] = 50
    assert x[0, 1].item() == 50
    b = np.arange(12.0).reshape(3, 4)
    y = weft.from_numpy(b.T[:, 1:])
    b[1, 2] = 70
    assert y[2, 0].item() == 70


def test_numpy_outlives_the_tensor():
    a = weft.arange(5.0).numpy()
    x = weft.from_numpy(np.arange(5.0))
    assert a.sum() == 10 and x.sum().item() == 10


def test_arrays_that_cannot_be_shared_are_copied():
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    swapped = np.arange(3.0).astype(">f8")
    for array in (frozen, np.arange(3.0)[::-1], swapped):
        x = weft.from_numpy(array)
        np.testing.assert_array_equal(x.numpy(), array)
        x[0] = 9
        assert array[0] != 9
    with pytest.raises(TypeError):
        weft.from_numpy(np.array(["a"]))
    with pytest.raises(TypeError):
        weft.from_numpy(np.ones(2, np.longdouble))


def test_tensor_copies():
    a = np.ones(3)
    x = weft.tensor(a)
    a[0] = 5
    assert x.tolist() == [1, 1, 1]
    with pytest.raises(RuntimeError, match="detach"):
        weft.ones(1, requires_grad=True).numpy()


@pytest.mark.parametrize("data", [3.5, 2, True, [], [1, 2], [[1.0], [2.0]], np.float32(2)])
def test_tensor_of_anything(data):
    want = np.asarray(data)
    if want.dtype == np.float64:
        want = want.astype(np.float32)
    x = weft.tensor(data)
    assert tuple(x.shape) == want.shape
    np.testing.assert_array_equal(x.numpy(), want)
    assert x.tolist() == want.tolist()


def test_zero_dim_arrays():
    for array in (np.array(3.0), np.float64(3), np.array(3, np.int32)):
        assert weft.tensor(array).shape == () and weft.tensor(array).item() == 3
        assert str(weft.tensor(array).dtype) == f"weft.{array.dtype}"


@pytest.mark.parametrize("data", [[[1], [1, 2]], [1, "a"], "text", None, [None], {}], ids=str)
def test_what_is_no_tensor(data):
    with pytest.raises((TypeError, ValueError)):
        weft.tensor(data)


# Copies


def test_pickle_and_deepcopy():
    x = weft.tensor([[1.0, 2.0]], requires_grad=True)
    y = weft.arange(6).view(2, 3).T
    for twin in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert weft.equal(twin, x) and twin.requires_grad and not twin.shares_memory(x)
    for twin in (pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        assert weft.equal(twin, y) and twin.dtype == y.dtype
    shared = copy.deepcopy([x, x])
    assert shared[0] is shared[1]
    for function in (pickle.dumps, copy.deepcopy):
        with pytest.raises(RuntimeError, match="detach"):
            function(x * 2)


TEXTS = {
    "tensor([1., 2.])": lambda: weft.tensor([1.0, 2.0]),
    "tensor([1, 2])": lambda: weft.tensor([1, 2]),
    "tensor([ True, False])": lambda: weft.tensor([True, False]),
    "tensor(3.)": lambda: weft.tensor(3.0),
    "tensor([])": lambda: weft.tensor([]),
    "tensor([], size=(0, 3))": lambda: weft.zeros(0, 3),
    "tensor([1.], dtype=weft.float64)": lambda: weft.ones(1, dtype=D),
    "tensor([1.], requires_grad=True)": lambda: weft.ones(1, requires_grad=True),
    "tensor([2.], grad_fn=<MulBackward>)": lambda: weft.ones(1, requires_grad=True) * 2,
    "tensor([0.3333, 0.6667])": lambda: weft.tensor([1 / 3, 2 / 3]),
    "tensor([[1., 0.],\n        [0., 1.]])": lambda: weft.eye(2),
    "tensor([inf, nan])": lambda: weft.tensor([float("inf"), float("nan")]),
}


@pytest.mark.parametrize("text, make", list(TEXTS.items()), ids=range(len(TEXTS)))
def test_repr(text, make):
    assert repr(make()) == text == str(make())


def test_long_tensors_are_shortened():
    assert "..." in repr(weft.zeros(2000)) and len(repr(weft.zeros(2000))) < 200
