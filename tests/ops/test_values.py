"""Every operation computes what numpy computes in float64.

Bounds. ``float64``: 1e-12 of the result. ``float32``: the stated ulps of the kernel, the
oracle being fed the same float32 numbers. Where terms cancel, both are in proportion to the
size of the terms (``SPREAD``), times the depth of the sum. Results below the normal range
may err by a few of the smallest numbers.
"""

import numpy as np
import pytest
from tests.ops.oracle import ORACLE, SPREAD
from tests.ops.oracle_rows import SHORT
from tests.ops.table import CASES, FLOATS, ROWS, WHOLE, each, tensor

import weft
from weft import _core


def words(*lines):
    return {word for line in lines for word in line.split()}


RANDOM = {"uniform", "normal", "bernoulli", "randint", "randperm", "multinomial"}
POINTWISE_ON_INTEGERS = words(
    "neg abs sign square floor ceil round trunc relu logical_not add sub mul maximum minimum",
    "remainder floor_divide trunc_divide eq ne lt le gt ge bitwise_and bitwise_or bitwise_xor",
    "logical_and logical_or logical_xor where clamp clamp_min clamp_max clamp_tensor",
)
INTEGERS = POINTWISE_ON_INTEGERS | words(
    "sum prod amax amin any all argmax argmin matmul reshape permute expand slice as_strided",
    "as_strided_scatter cat index_select index_add gather scatter scatter_add cumsum",
)
BOOLS = words(
    "logical_not eq ne lt le gt ge bitwise_and bitwise_or bitwise_xor logical_and logical_or",
    "logical_xor where sum any all reshape permute expand slice as_strided cat index_select",
    "gather scatter cumsum",
)
ULPS = {
    "exp": 1, "expm1": 2, "log": 1, "log1p": 2, "sin": 2, "cos": 2, "tanh": 3, "sigmoid": 3,
    "erf": 2, "gelu": 4, "gelu_tanh": 40, "silu": 4, "softplus": 3, "rsqrt": 1.5, "pow": 1.1,
    "elu": 3, "prod": 24, "softmax": 16, "masked_softmax": 16, "log_softmax": 4, "logsumexp": 4,
}  # fmt: skip
BOOL_RESULTS = {
    "isnan", "isinf", "isfinite", "logical_not", "eq", "ne", "lt", "le", "gt", "ge", "logical_and",
    "logical_or", "logical_xor", "any", "all", "within",
}  # fmt: skip
CHECKED = [case for case in CASES if case.name not in RANDOM]
OFFERED = [case for case in CHECKED if case.name not in WHOLE]


def expected_dtypes(case, inputs):
    """The dtype of each result."""
    name, dtypes = case.name, [str(a.dtype) for a in inputs]
    if name in ("any", "all") and dtypes[0] == "uint8":
        return ["uint8"]
    if name in BOOL_RESULTS:
        return ["bool"]
    if name in ("to", "full", "arange", "linspace"):
        return [SHORT[case.attrs["dtype"]]]
    if name in ("argmax", "argmin"):
        return ["int64"]
    if name in ("sum", "prod", "cumsum"):
        return [dtypes[0] if dtypes[0] in FLOATS else "int64"]
    if name == "where":
        return [dtypes[1]]
    if name in ("spmm", "sddmm"):
        return [dtypes[6]]
    if name in ("sgd", "adam"):
        states = int(case.attrs.get("momentum", 2 + case.attrs.get("amsgrad", 0)))
        return ([dtypes[1]] * (1 + states) + ["float32"]) * 2
    return [dtypes[0]] * 3


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
        ulps = ULPS.get(case.name, 1)
        relative = 1e-12 if got.dtype == np.float64 else ulps * eps
        rough = case.name in ULPS or got.dtype == np.float64
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
    results = case.call([tensor(a) for a in arrays])
    wants, spread = oracle(case, arrays)
    assert len(results) == len(wants)
    for result, want, dtype in zip(results, wants, expected_dtypes(case, arrays), strict=False):
        got = result.numpy()
        assert str(got.dtype) == dtype == str(result.dtype).removeprefix("weft.")
        assert tuple(result.shape) == want.shape
        if got.dtype.kind == "f":
            check_float(case, got, want, spread)
        else:
            np.testing.assert_array_equal(got, want.astype(got.dtype))


def test_every_row_has_an_oracle():
    missing = {case.name for case in CASES} - set(ORACLE) - RANDOM
    assert not missing


def test_every_row_has_a_sentence_and_samples():
    for row in ROWS:
        assert row.doc.endswith(".") and row.samples, row.name


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(**each(OFFERED))
def test_floats(case, dtype):
    check(case, case.arrays(dtype))


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
@pytest.mark.parametrize(**each([case for case in CASES if case.name in INTEGERS]))
def test_whole_numbers(case, dtype):
    arrays = case.arrays(dtype)
    if case.name in ("floor_divide", "trunc_divide", "remainder"):
        arrays[1] = np.where(arrays[1] == 0, 1, arrays[1]).astype(dtype)
    with np.errstate(over="ignore"):
        check(case, arrays)


@pytest.mark.parametrize("name", ["floor_divide", "trunc_divide", "remainder"])
def test_whole_numbers_divided_by_zero(name):
    divide = _core.Pointwise(name)
    with pytest.raises(RuntimeError, match=f"^{name}: integer division by zero"):
        divide(weft.tensor([5, 6]), weft.tensor([1, 0]))


@pytest.mark.parametrize(**each([case for case in CASES if case.name in BOOLS]))
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
