"""Reading and writing by keys, against numpy."""

import numpy as np
import pytest

import weft

BASE = np.arange(60, dtype=np.float64).reshape(3, 4, 5) / 7 + 0.1
SIDE = np.array([2, 0, 2])
MASK = BASE[:, :, 0] % 1 > 0.5
FULL_MASK = BASE % 1 > 0.5

KEYS = {
    "int": 1,
    "negative int": -1,
    "ints": (1, -2),
    "all ints": (2, 3, 4),
    "slice": slice(1, 3),
    "open slice": (slice(None), slice(2, None)),
    "stepped": (slice(None, None, 2), slice(1, None, 3)),
    "negative bounds": (slice(-2, None), slice(None, -1)),
    "beyond the end": slice(1, 100),
    "empty slice": slice(2, 2),
    "crossed slice": slice(2, 1),
    "none": None,
    "nones": (None, 1, None),
    "ellipsis": Ellipsis,
    "ellipsis first": (Ellipsis, 2),
    "ellipsis middle": (1, Ellipsis, slice(0, 2)),
    "everything": (slice(None), None, Ellipsis, -1),
    "list": [2, 0, 0],
    "negative list": [-1, 0],
    "array": SIDE,
    "column of places": (slice(None), SIDE),
    "last places": (Ellipsis, np.array([4, 0])),
    "two arrays": (SIDE, np.array([3, 0, 1])),
    "broadcast arrays": (np.array([[0], [2]]), np.array([1, 3])),
    "three arrays": (SIDE, np.array([3, 0, 1]), np.array([0, 0, 4])),
    "array and slice": (SIDE, slice(1, 3)),
    "array and step": (slice(None, None, 2), SIDE),
    "int and array": (1, SIDE),
    "array and int": (SIDE, 1),
    "array, slice, array": (SIDE, slice(None), np.array([4, 4, 0])),
    "array and none": (None, SIDE),
    "2-d array": np.array([[0, 1], [2, 2]]),
    "empty list": np.array([], dtype=np.int64),
    "mask": MASK,
    "full mask": FULL_MASK,
    "first mask": np.array([True, False, True]),
    "later mask": (slice(None), np.array([True, False, False, True])),
    "mask and int": (np.array([True, False, True]), 1),
    "int and mask": (1, np.array([True, False, False, True])),
    "mask of nothing": np.zeros((3, 4), bool),
    "bool list": [True, False, True],
    "int32": SIDE.astype(np.int32),
}


def to_weft(key):
    if isinstance(key, tuple):
        return tuple(map(to_weft, key))
    return weft.tensor(key) if isinstance(key, np.ndarray) else key


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_get(key):
    want = BASE[key]
    got = weft.tensor(BASE)[to_weft(key)]
    assert tuple(got.shape) == want.shape
    np.testing.assert_array_equal(got.numpy(), want)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_gradient_of_get(key):
    x = weft.tensor(BASE, requires_grad=True)
    weights = np.random.default_rng(1).uniform(1, 2, BASE[key].shape)
    (x[to_weft(key)] * weft.tensor(weights)).sum().backward()
    want = np.zeros_like(BASE)
    np.add.at(want, key, weights)
    np.testing.assert_allclose(x.grad.numpy(), want, rtol=1e-14)


def without_duplicates(key):
    parts = key if isinstance(key, tuple) else (key,)
    places = np.arange(BASE.size).reshape(BASE.shape)[key]
    return len(set(places.ravel())) == places.size and parts


WRITABLE = {name: key for name, key in KEYS.items() if without_duplicates(key)}


@pytest.mark.parametrize("key", WRITABLE.values(), ids=WRITABLE)
def test_set(key):
    """A tensor of the region's shape, a broadcast one, and a number."""
    shape = BASE[key].shape
    values = [np.random.default_rng(2).normal(size=shape), 7.5]
    if shape:
        values.append(np.random.default_rng(3).normal(size=shape[-1:]))
    for value in values:
        want = BASE.copy()
        want[key] = value
        x = weft.tensor(BASE)
        x[to_weft(key)] = to_weft(value) if isinstance(value, np.ndarray) else value
        np.testing.assert_array_equal(x.numpy(), want)


@pytest.mark.parametrize("key", WRITABLE.values(), ids=WRITABLE)
def test_gradient_of_set(key):
    """Overwritten places get none, and the value gets theirs."""
    shape = BASE[key].shape
    weights = np.random.default_rng(4).uniform(1, 2, BASE.shape)
    x = weft.tensor(BASE, requires_grad=True)
    value = weft.ones(*shape, dtype=weft.float64, requires_grad=True)
    y = x * 2
    y[to_weft(key)] = value
    (y * weft.tensor(weights)).sum().backward()
    want = 2 * weights
    want[key] = 0
    np.testing.assert_allclose(x.grad.numpy(), want)
    np.testing.assert_allclose(value.grad.numpy(), weights[key])


def test_set_with_repeated_places_keeps_the_last():
    x = weft.zeros(3)
    x[weft.tensor([1, 1, 2])] = weft.tensor([5.0, 6.0, 7.0])
    assert x.tolist() == [0, 6, 7]


def test_in_place_arithmetic_through_a_key():
    x = weft.tensor(BASE)
    want = BASE.copy()
    x[1:, ::2] += 3
    want[1:, ::2] += 3
    x[weft.tensor([0, 2])] *= 2
    want[[0, 2]] *= 2
    np.testing.assert_array_equal(x.numpy(), want)


ERRORS = {
    "int": (3, IndexError),
    "negative int": (-4, IndexError),
    "second int": ((0, 4), IndexError),
    "too many": ((0, 0, 0, 0), IndexError),
    "list": ([0, 3], IndexError),
    "tensor": (weft.tensor([0, -4]), IndexError),
    "second tensor": ((slice(None), weft.tensor([4])), IndexError),
    "mask of other length": (weft.tensor([True, False]), IndexError),
    "mask of other shape": (weft.zeros(3, 5, dtype=weft.bool), IndexError),
    "two ellipses": ((Ellipsis, Ellipsis), IndexError),
    "float": (1.5, (TypeError, IndexError)),
    "text": ("a", (TypeError, IndexError)),
    "float tensor": (weft.tensor([1.0]), (TypeError, IndexError)),
    "backwards": (slice(None, None, -1), ValueError),
    "step 0": (slice(None, None, 0), ValueError),
    "arrays that do not broadcast": (
        (weft.tensor([0, 1]), weft.tensor([0, 1, 2])), (IndexError, RuntimeError)
    ),
}  # fmt: skip


@pytest.mark.parametrize("key, kind", ERRORS.values(), ids=ERRORS)
def test_wrong_keys(key, kind):
    x = weft.tensor(BASE)
    with pytest.raises(kind):
        x[key]
    with pytest.raises(kind):
        x[key] = 0
    np.testing.assert_array_equal(x.numpy(), BASE)


def test_values_that_do_not_fit():
    x = weft.tensor(BASE)
    for key, shape in ((0, (3, 5)), (slice(None), (2, 3, 4, 5)), ([0, 1], (3, 4, 5))):
        with pytest.raises(RuntimeError):
            x[key] = weft.zeros(*shape, dtype=weft.float64)
    np.testing.assert_array_equal(x.numpy(), BASE)


def test_zero_dim_tensor():
    x = weft.tensor(3.0)
    assert x[()].item() == x[...].item() == 3
    assert x[None].shape == (1,)
    x[()] = 4
    assert x.item() == 4
    with pytest.raises(IndexError):
        x[0]


def test_zero_dim_index_tensor():
    x = weft.tensor(BASE)
    np.testing.assert_array_equal(x[weft.tensor(1)].numpy(), BASE[1])


def test_iteration_and_membership():
    x = weft.tensor(BASE)
    assert [row.shape for row in x] == [(4, 5)] * 3
    assert len(x) == 3
    for row, want in zip(x, BASE, strict=True):
        np.testing.assert_array_equal(row.numpy(), want)
