"""Every operation computes what numpy computes in float64.

Bounds. ``float64``: 1e-12 of the result. ``float32``: the stated ulps of the kernel, the
oracle being fed the same float32 numbers. Where terms cancel, both are in proportion to the
size of the terms (``SPREAD``), times the depth of the sum. Results below the normal range
may err by a few of the smallest numbers.
"""

import numpy as np
import pytest
from tests.ops.oracle import ORACLE, SPREAD
from tests.ops.table import CASES, EVERY, FLOATS, ROWS, each, tensor

import weft
from weft import _core

RANDOM = {"uniform", "normal", "bernoulli", "randint", "randperm", "multinomial"}
WHOLE_DTYPES = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64")
CHECKED = [case for case in CASES if case.name not in RANDOM]


def claimed(dtype):
    """The cases whose operation says that it takes a dtype."""
    return [case for case in CHECKED if dtype in case.row.dtypes]


def oracle(case, inputs):
    """Results in float64, and the size of the terms that went into them."""
    wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in inputs]
    with np.errstate(all="ignore"):
        want = ORACLE[case.name](wide, case.attrs)
        spread = SPREAD[case.name](wide, case.attrs) if case.name in SPREAD else 0.0
    want = want if isinstance(want, tuple) else (want,)
    return [np.asarray(w) for w in want], np.asarray(spread)


def check_float(case, got, want, spread):
    info = np.finfo(got.dtype)
    top, eps = float(info.max), float(info.eps)
    with np.errstate(all="ignore"):
        want = np.broadcast_to(want, got.shape)
        rounded = want.astype(got.dtype)
        ulps = max(case.row.ulps, 1)
        relative = 1e-12 if got.dtype == np.float64 else ulps * eps
        rough = case.row.ulps >= 1 or got.dtype == np.float64
        few = 4 * float(info.smallest_subnormal) if rough else 0.0
        if case.name == "silu":
            few = max(few, 1e-43)
        bound = relative * np.abs(want) + 8 * eps * spread + few
        close = np.abs(got.astype(np.float64) - want) <= bound
    same = (got == rounded) | (np.isnan(got) & np.isnan(want))
    good = np.where(np.isfinite(rounded), close, same)
    # On the brink of overflow either the largest number or infinity is right.
    brink = np.isinf(rounded) & np.isfinite(want) & (np.abs(want) / (1 + 4 * ulps * eps) < top)
    good |= brink
    where = np.argwhere(~good)
    assert good.all(), f"{case.name} at {where[0]}: got {got[~good][0]!r}, not {want[~good][0]!r}"
    if case.kind == "pointwise":
        zeros = (got == 0) & (rounded == 0)
        assert (np.signbit(got) == np.signbit(want))[zeros].all(), "sign of zero"


def check(case, arrays):
    inputs = [tensor(a) for a in arrays]
    results, dtypes = (
        case.call(inputs),
        case.row.result_dtypes(case.index, [x.dtype for x in inputs]),
    )
    wants, spread = oracle(case, arrays)
    assert len(results) == len(wants)
    for result, want, dtype in zip(results, wants, dtypes, strict=True):
        assert dtype == str(result.dtype).removeprefix("weft.")
        got = (result.float() if dtype == "bfloat16" else result).numpy()
        assert tuple(result.shape) == want.shape
        if got.dtype.kind == "f" and got.dtype.itemsize >= 4:
            check_float(case, got, want, spread)
        else:
            if want.dtype.kind == "b" and all(a.dtype.kind != "b" for a in arrays):
                assert dtype in ("bool", "uint8")
            np.testing.assert_array_equal(got, want.astype(got.dtype))


def test_every_row_has_an_oracle():
    missing = {case.name for case in CASES} - set(ORACLE) - RANDOM
    assert not missing


def test_every_row_has_a_sentence_and_samples():
    for row in ROWS:
        assert row.doc.endswith(".") and row.samples, row.name


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(**each(claimed("float64")))
def test_floats(case, dtype):
    check(case, case.arrays(dtype))


@pytest.mark.parametrize("dtype", WHOLE_DTYPES)
@pytest.mark.parametrize(**each(claimed("int64")))
def test_whole_numbers(case, dtype):
    arrays = case.arrays(dtype)
    if case.name in ("floor_divide", "trunc_divide", "remainder"):
        arrays[1] = np.where(arrays[1] == 0, 1, arrays[1]).astype(dtype)
    if case.name == "pow":
        arrays[1] = np.abs(arrays[1])
    with np.errstate(over="ignore"):
        check(case, arrays)


@pytest.mark.parametrize("name", ["floor_divide", "trunc_divide", "remainder"])
def test_whole_numbers_divided_by_zero(name):
    divide = _core.Pointwise(name)
    with pytest.raises(RuntimeError, match=f"^{name}: integer division by zero"):
        divide(weft.tensor([5, 6]), weft.tensor([1, 0]))


@pytest.mark.parametrize(**each(claimed("bool")))
def test_truth_values(case):
    check(case, case.arrays("bool"))


@pytest.mark.parametrize(**each([case for case in CASES if case.name in RANDOM]))
def test_random_values(case):
    """Equal states give equal bits, and the values lie where the distribution does."""
    state = case.tensors()
    first, again = case.call(state)[0], case.call(state)[0]
    values = first.numpy().astype(np.float64)
    np.testing.assert_array_equal(first.numpy(), again.numpy())
    if values.size:
        other = case.call([weft.tensor([43, 7]), *state[1:]])[0]
        assert (other.numpy() != first.numpy()).any()
    a = case.attrs
    if case.name == "uniform" or case.name == "randint":
        assert ((values >= a["low"]) & (values < a["high"])).all()
    elif case.name == "normal":
        assert (np.abs(values - a["mean"]) < 6 * a["std"]).all()
    elif case.name == "bernoulli":
        assert set(values.ravel()) == {0.0, a["scale"]}
    elif case.name == "multinomial":
        assert ((values >= 0) & (values < state[1].shape[1])).all()
        assert a["replacement"] or all(len(set(row)) == len(row) for row in values)
    else:
        assert sorted(values) == list(range(len(values)))


FUNCTIONS = [case for case in EVERY if case.kind == "function"]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(**each(FUNCTIONS))
def test_functions(case, dtype):
    """Within 1e-11 of the oracle in float64, and within 1e-5 in float32."""
    if case.oracle is None:
        return
    arrays = case.arrays(case.default(dtype))
    results, wants = case.call([tensor(a) for a in arrays]), case.expected(arrays)
    assert len(results) == len(wants)
    for got, want in zip(results, wants, strict=True):
        assert tuple(got.shape) == want.shape
        bound = 1e-5 if got.dtype is weft.float32 else 1e-11
        np.testing.assert_allclose(got.numpy(), want, rtol=bound, atol=bound)


DISTRIBUTIONS = {
    "uniform": (lambda: weft.rand(100_000), 0.5, np.sqrt(1 / 12)),
    "normal": (lambda: weft.randn(100_000), 0.0, 1.0),
    "integers": (lambda: weft.randint(0, 10, (100_000,)), 4.5, np.sqrt(99 / 12)),
    "dropout": (lambda: weft.nn.functional.dropout(weft.ones(100_000), 0.25), 1.0, np.sqrt(1 / 3)),
}


@pytest.mark.parametrize("make, mean, deviation", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_moments_of_many_random_values(make, mean, deviation):
    """Within five standard errors, and unlike the values drawn next."""
    values, following = make().numpy().astype(float), make().numpy().astype(float)
    error = 5 * deviation / np.sqrt(len(values))
    assert abs(values.mean() - mean) < error
    assert abs(values.std() - deviation) < 3 * error
    assert abs(np.corrcoef(values, following)[0, 1]) < 5 / np.sqrt(len(values))
