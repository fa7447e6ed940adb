"""Every dtype is made, converted, printed, stored and read back."""

import itertools
import pickle

import numpy as np
import pytest

import weft
from weft import _core

DTYPES = _core.dtypes()
SHARED = [kind for kind in DTYPES if kind is not weft.bfloat16]
ALIASES = {
    "half": "float16", "float": "float32", "double": "float64", "short": "int16", "int": "int32",
    "long": "int64", "cfloat": "complex64", "cdouble": "complex128",
}  # fmt: skip
VALUES = [0.0, 1.0, 2.5, 3.0, 100.0]


def dtype(kind):
    return kind.name


def test_names_and_aliases():
    assert len(DTYPES) == 15
    for kind in DTYPES:
        assert getattr(weft, kind.name) is kind
        assert pickle.loads(pickle.dumps(kind)) is kind
    for alias, name in ALIASES.items():
        assert getattr(weft, alias) is getattr(weft, name)
    assert [k.name for k in DTYPES if k.is_complex] == ["complex64", "complex128"]
    assert not weft.uint16.is_signed and weft.int8.is_signed and weft.float16.is_signed
    assert weft.complex128.to_real() is weft.float64 and weft.float32.to_complex() is weft.complex64


@pytest.mark.parametrize("kind", SHARED, ids=dtype)
def test_arrays_come_and_go(kind):
    array = np.array(VALUES).astype(kind.name)
    shared = weft.from_numpy(array)
    assert shared.dtype is kind and shared.itemsize == array.itemsize
    array[0] = 1
    assert shared.tolist() == array.tolist()
    assert shared.numpy().dtype == array.dtype
    assert weft.tensor(array).dtype is kind
    np.testing.assert_array_equal(weft.tensor(array[::-1]).numpy(), array[::-1])


@pytest.mark.parametrize("kind", DTYPES, ids=dtype)
def test_tensors_are_made_stored_and_read(kind):
    made = weft.tensor([0, 1, 1], dtype=kind)
    assert made.dtype is kind and made.tolist() == [0, 1, 1]
    back = pickle.loads(pickle.dumps(made))
    assert back.dtype is kind and weft.equal(back, made)
    assert weft.ones(3, dtype=kind).tolist() == weft.full((3,), 1, dtype=kind).tolist() == [1, 1, 1]
    assert made[1].item() == 1 and type(made[1].item()) is type(made.tolist()[1])
    assert weft.cat([made, made]).dtype is made.reshape(3, 1).dtype is kind
    assert weft.where(weft.tensor([True, False, True]), made, made[[1, 0, 2]]).dtype is kind
    usual = (weft.float32, weft.int64, weft.bool, weft.complex64)
    assert (f"dtype={kind}" in repr(made)) == (kind not in usual)


def test_bfloat16_has_no_array():
    with pytest.raises(TypeError, match=r"bfloat16.*\.float\(\)"):
        weft.ones(2, dtype=weft.bfloat16).numpy()
    with pytest.raises(BufferError, match="bfloat16"):
        memoryview(weft.ones(2, dtype=weft.bfloat16))


@pytest.mark.parametrize("a, b", list(itertools.product(SHARED, SHARED)), ids=dtype)
def test_every_dtype_becomes_every_other(a, b):
    array = np.array(VALUES).astype(a.name)
    with np.errstate(all="ignore"):
        real = array.real if a.is_complex and not b.is_complex and b is not weft.bool else array
        np.testing.assert_array_equal(weft.tensor(array).to(b).numpy(), real.astype(b.name))


def test_limits():
    for kind in SHARED:
        if kind.is_floating_point or kind.is_complex:
            ours, theirs = weft.finfo(kind), np.finfo(kind.name)
            for name in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution"):
                assert getattr(ours, name) == pytest.approx(float(getattr(theirs, name)), rel=1e-3)
        elif kind is not weft.bool:
            ours, theirs = weft.iinfo(kind), np.iinfo(kind.name)
            assert (ours.bits, ours.min, ours.max) == (theirs.bits, theirs.min, theirs.max)
    assert weft.finfo(weft.bfloat16).max == 3.3895313892515355e38
    with pytest.raises(TypeError, match="finfo"):
        weft.finfo(weft.int8)
    with pytest.raises(TypeError, match="iinfo"):
        weft.iinfo(weft.float16)


def test_conversion_methods_say_what_they_make():
    x = weft.tensor([1.5, 2.0])
    names = {"half": 1, "bfloat16": 1, "short": 0, "char": 0, "cfloat": 2, "cdouble": 2}
    for name, kind in names.items():
        made = getattr(x, name)().dtype
        assert (made.is_floating_point, made.is_complex) == (kind == 1, kind == 2)
    assert x.is_signed() and not x.is_complex() and x.cfloat().is_complex()


def test_complex_arithmetic():
    rng = np.random.default_rng(5)
    a, b = (rng.normal(size=(2, 3, 4)) + 1j * rng.normal(size=(2, 3, 4)) for _ in range(2))
    x, y = weft.tensor(a), weft.tensor(b)
    for got, want in [
        (x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b), (-x, -a), (abs(x), abs(a)),
        (x * 2j, a * 2j), (1 / x, 1 / a), (x.conj(), a.conj()), (x.sum(0), a.sum(0)),
        (x.square(), a**2), (x == x, a == a), (x + 1, a + 1), (x.to(weft.float64), a.real),
    ]:  # fmt: skip
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-14)
        assert got.numpy().dtype == np.asarray(want).dtype
    for refused in (weft.exp, weft.cumsum, weft.argmax, lambda z: z < z, lambda z: z @ z):
        with pytest.raises(TypeError):
            refused(x) if refused is not weft.cumsum else refused(x, 0)


def test_complex_gradients_are_of_the_conjugate():
    """Against differences along both parts, whose gradients torch puts together as one number."""
    rng = np.random.default_rng(6)
    a, b, c = (rng.normal(size=3) + 1j * rng.normal(size=3) for _ in range(3))

    def f(z, w):
        return (z * w - w / z + (-z).conj() * z) * weft.tensor(c)

    def real(z, w):
        return f(weft.tensor(z), weft.tensor(w)).to(weft.float64).sum().item()

    z, w = (weft.tensor(v, requires_grad=True) for v in (a, b))
    f(z, w).to(weft.float64).sum().backward()
    h = 1e-6
    for at, got in ((0, z.grad), (1, w.grad)):
        for i in range(3):
            slopes = []
            for step in (h, h * 1j):
                up, down = [a.copy(), b.copy()], [a.copy(), b.copy()]
                up[at][i] += step
                down[at][i] -= step
                slopes.append((real(*up) - real(*down)) / (2 * h))
            np.testing.assert_allclose(got.numpy()[i], slopes[0] + 1j * slopes[1], rtol=1e-6)
    with pytest.raises(RuntimeError, match="no gradient"):
        abs(z).sum().backward()
    with pytest.raises(RuntimeError, match="needs a real number"):
        z.sum().backward()


def test_numbers_above_int64():
    big = 2**64 - 1
    x = weft.tensor([big, 1], dtype=weft.uint64)
    assert x.tolist() == [big, 1] and int(x[0]) == big
    assert weft.full((1,), big, dtype=weft.uint64).item() == big
    assert (x == big).tolist() == [True, False]
    assert (x > 1).tolist() == [True, False] and weft.amax(x).item() == big
    with pytest.raises(RuntimeError, match="out of range"):
        weft.ones(2, dtype=weft.int64) * big
