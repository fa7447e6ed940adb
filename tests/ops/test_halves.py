"""Every operation on floats of sixteen bits is the one in single precision, rounded once.

The oracle gets the stored inputs in float64. Bound: half a unit in the last place of the sixteen-
bit dtype, and what the same operation may err by in float32.
"""

import numpy as np
import pytest
from tests.ops.table import each
from tests.ops.test_values import CHECKED, oracle

import weft

HALVES = (weft.float16, weft.bfloat16)
#: Inputs that are accumulated values and stay float32.
WIDE = {"nll_loss_backward": {2}, "cross_entropy_backward": {3}, "standardize_backward": {1}}
#: The loss is picked from log-probabilities that are results, and rounded, themselves.
TWICE = {"cross_entropy"}
FIXED = {"full", "arange", "linspace", "to"}
OFFERED = [c for c in CHECKED if "float32" in c.row.dtypes and c.name not in FIXED]


def inputs_of(case, dtype):
    wide = WIDE.get(case.name, ())
    chosen = {i for i, (_, domain) in enumerate(case.inputs) if domain["kind"] != "exact"}
    return [
        x.to(dtype) if x.dtype is weft.float32 and i in chosen and i not in wide else x
        for i, x in enumerate(case.tensors("float32"))
    ]


def stored(x):
    return (x.float() if x.dtype in HALVES else x).numpy()


def rounded(values, dtype):
    with np.errstate(over="ignore"):
        return weft.tensor(values.astype(np.float32)).to(dtype).float().numpy()


@pytest.mark.parametrize("dtype", HALVES, ids=lambda d: d.name)
@pytest.mark.parametrize(**each(OFFERED))
def test_halves(case, dtype):
    inputs = inputs_of(case, dtype)
    results = case.call(inputs)
    wants, spread = oracle(case, [stored(x) for x in inputs])
    info, single = weft.finfo(dtype), np.finfo(np.float32).eps
    assert any(y.dtype is dtype or not y.dtype.is_floating_point for y in results)
    for result, want in zip(results, wants, strict=True):
        assert tuple(result.shape) == want.shape
        got = stored(result)
        if not result.dtype.is_floating_point:
            np.testing.assert_array_equal(got, want.astype(got.dtype))
            continue
        kind, eps = (dtype, info.eps) if result.dtype is dtype else (weft.float32, 0.0)
        with np.errstate(all="ignore"):
            want = np.broadcast_to(want, got.shape)
            near = rounded(want, kind)
            roundings = 2 if case.name in TWICE else 1
            bound = (roundings * eps / 2 + 2 * case.row.ulps * single) * np.abs(want)
            bound = bound * (1 + eps) + 8 * single * spread + info.tiny * max(eps, single)
            close = np.abs(got.astype(np.float64) - want) <= bound
            same = (got == near) | (np.isnan(got) & np.isnan(want))
            brink = np.isinf(near) & (np.abs(want) / (1 + 2 * info.eps) < info.max)
        good = np.where(np.isfinite(near), close, same) | brink
        where = np.argwhere(~good)
        assert good.all(), f"{case.name} at {where[0]}: {got[~good][0]!r}, not {want[~good][0]!r}"


def bits(x):
    """Dtype, shape and bytes, by way of a dtype that holds every element."""
    return x.dtype, tuple(x.shape), stored(x.detach()).tobytes()


@pytest.mark.parametrize("dtype", HALVES, ids=lambda d: d.name)
@pytest.mark.parametrize(**each(OFFERED))
def test_static_equals_eager(case, dtype):
    """The same bits, alone and fused with what follows."""

    def run(*inputs):
        results = case.call(list(inputs))
        more = [y * 3 - 1 if y.dtype in HALVES else y for y in results]
        return [*results, *more]

    inputs = inputs_of(case, dtype)
    eager, compiled = run(*inputs), weft.compile(run)
    for _ in range(3):
        static = compiled(*inputs)
    assert [bits(y) for y in static] == [bits(y) for y in eager]
