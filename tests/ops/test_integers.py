"""Whole numbers: ranges, rounding, and Python numbers that a dtype cannot hold.

A number that is stored must fit, except that a negative one wraps among unsigned, as in torch.
As an operand it wraps where arithmetic does, and is exact in comparisons and as a limit.
"""

import math

import numpy as np
import pytest
from tests.ops.table import bits

import weft
import weft.nn.functional as F

nan, inf = math.nan, math.inf
u8, i32, i64, f64 = weft.uint8, weft.int32, weft.int64, weft.float64
BIG = 2**63


def same(got, values, dtype):
    assert got.dtype is dtype
    assert got.tolist() == values


REFUSED = {
    "tensor": (ValueError, lambda: weft.tensor(BIG)),
    "list": (ValueError, lambda: weft.tensor([1, BIG])),
    "both signs": (ValueError, lambda: weft.tensor([BIG, -1])),
    "65 bits": (ValueError, lambda: weft.tensor([2**64, 1])),
    "below": (ValueError, lambda: weft.tensor(-BIG - 1)),
    "uint8": (RuntimeError, lambda: weft.tensor(300, dtype=u8)),
    "below uint8": (RuntimeError, lambda: weft.tensor([-256], dtype=u8)),
    "int32": (RuntimeError, lambda: weft.tensor([2**31], dtype=i32)),
    "nan": (RuntimeError, lambda: weft.tensor([nan], dtype=i64)),
    "infinity": (RuntimeError, lambda: weft.tensor(inf, dtype=i64)),
    "float": (RuntimeError, lambda: weft.tensor(2.0**63, dtype=i64)),
    "full": (RuntimeError, lambda: weft.full((2,), 300, dtype=u8)),
    "full of nan": (RuntimeError, lambda: weft.full((2,), nan, dtype=i64)),
    "full beyond": (RuntimeError, lambda: weft.full((2,), BIG)),
    "fill_": (RuntimeError, lambda: weft.zeros(2, dtype=i64).fill_(nan)),
    "setitem": (RuntimeError, lambda: weft.zeros(2, dtype=i64).__setitem__(0, nan)),
    "setitem of indices": (RuntimeError, lambda: weft.zeros(2, dtype=i64).__setitem__([0], nan)),
    "setitem of a mask": (
        RuntimeError, lambda: weft.zeros(1, dtype=u8).__setitem__(weft.tensor([True]), 300),
    ),
    "masked_fill": (
        RuntimeError, lambda: weft.zeros(1, dtype=i64).masked_fill(weft.tensor([True]), nan),
    ),
    "scatter": (RuntimeError, lambda: weft.zeros(1, dtype=i32).scatter(0, weft.tensor([0]), inf)),
    "where": (
        RuntimeError, lambda: weft.where(weft.tensor([True]), weft.zeros(1, dtype=u8), 300),
    ),
    "clamp from below": (RuntimeError, lambda: weft.zeros(1, dtype=u8).clamp(min=300)),
    "clamp from above": (RuntimeError, lambda: weft.zeros(1, dtype=u8).clamp(max=-1)),
    "clamp": (RuntimeError, lambda: weft.zeros(1, dtype=u8).clamp(-2, -1)),
    "clamp_": (RuntimeError, lambda: weft.zeros(1, dtype=u8).clamp_(min=300)),
    "maximum": (RuntimeError, lambda: weft.maximum(weft.zeros(1, dtype=u8), -1)),
    "quotient": (RuntimeError, lambda: weft.ones(1, dtype=u8) // -1),
    "remainder": (RuntimeError, lambda: weft.ones(1, dtype=u8) % 300),
    "negative power": (RuntimeError, lambda: weft.tensor([2]) ** -1),
    "negative power of bool": (RuntimeError, lambda: weft.tensor([True]) ** -1),
    "negative power in place": (RuntimeError, lambda: weft.tensor([2]).pow_(-1)),
    "linspace": (RuntimeError, lambda: weft.linspace(0, 300, 3, dtype=u8)),
    "linspace of nan": (RuntimeError, lambda: weft.linspace(nan, 1, 3, dtype=i64)),
    "steps": (RuntimeError, lambda: weft.linspace(0, 1, -1)),
    "arange": (RuntimeError, lambda: weft.arange(0, 600, 100, dtype=u8)),
    "randint": (RuntimeError, lambda: weft.randint(0, 300, (2,), dtype=u8)),
    "randint from below": (RuntimeError, lambda: weft.randint(-5, 3, (2,), dtype=u8)),
    "randint beyond": (RuntimeError, lambda: weft.randint(0, BIG, (2,))),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(case):
    error, call = case
    with pytest.raises(error, match=r"out of range|do not fit|not whole|0 or more"):
        call()


def test_refusing_leaves_the_target():
    x = weft.tensor([1, 2])
    for change in (
        lambda: x.fill_(nan), lambda: x.__setitem__(0, nan), lambda: x.clamp_(min=2.0**70),
        lambda: x.pow_(-1),
    ):  # fmt: skip
        with pytest.raises((RuntimeError, TypeError)):
            change()
    assert x.tolist() == [1, 2]


def test_what_fits_is_stored():
    same(weft.tensor(BIG - 1), BIG - 1, i64)
    same(weft.tensor([-BIG]), [-BIG], i64)
    same(weft.tensor([255, -1, -255], dtype=u8), [255, 255, 1], u8)
    same(weft.tensor(1.9, dtype=i64), 1, i64)
    same(weft.tensor([-1.9, True], dtype=i32), [-1, 1], i32)
    same(weft.tensor(BIG, dtype=f64), float(BIG), f64)
    same(weft.tensor([2**64, 1], dtype=f64), [2.0**64, 1.0], f64)
    assert weft.tensor([inf, 1.0]).dtype is weft.float32
    same(weft.full((1,), -1, dtype=u8), [255], u8)
    same(weft.zeros(1, dtype=i64).fill_(1.7), [1], i64)
    x = weft.zeros(3, dtype=i64)
    x[0], x[[1]], x[x == 0] = 1.5, 2.5, -3.5
    same(x, [1, 2, -3], i64)


def test_arithmetic_wraps():
    x = weft.tensor([5], dtype=u8)
    same(x + 300, [(5 + 300) % 256], u8)
    same(x - 6, [255], u8)
    same(x * -1, [251], u8)
    same(x & -2, [4], u8)


def test_comparisons_are_those_of_the_numbers():
    x = weft.tensor([0, 44, 255], dtype=u8)
    for number in (-1, 300, 255, 2**40, -(2**40)):
        for name in ("eq", "ne", "lt", "le", "gt", "ge"):
            want = getattr(x.numpy().astype(np.int64), f"__{name}__")(number)
            assert getattr(x, name)(number).tolist() == want.tolist(), (name, number)
    assert weft.logical_and(x, 256).tolist() == [False, True, True]
    assert (weft.tensor([5], dtype=i32) < 2**40).tolist() == [True]


def test_limits_beyond_the_range_limit_nothing():
    x = weft.tensor([0, 200], dtype=u8)
    same(x.clamp(min=-1), [0, 200], u8)
    same(x.clamp(max=300), [0, 200], u8)
    same(x.clamp(-1, 300), [0, 200], u8)
    same(x.clamp(min=-1, max=100), [0, 100], u8)
    same(weft.tensor([5], dtype=i32).clamp(max=2**40), [5], i32)
    same(x.clone().clamp_(min=-1), [0, 200], u8)


def test_quotients_round_to_zero():
    a, b = weft.tensor([7, -7, 7, -7, 2**62 + 1]), weft.tensor([2, 2, -2, -2, 1])
    same(weft.div(a, b, rounding_mode="trunc"), [3, -3, -3, 3, 2**62 + 1], i64)
    same(a.div(2, rounding_mode="trunc"), [3, -3, 3, -3, 2**61], i64)
    same(weft.div(weft.tensor([-7]), 2.0, rounding_mode="trunc"), [-3.0], weft.float32)
    same(weft.div(weft.tensor([-BIG]), -1, rounding_mode="trunc"), [-BIG], i64)
    same(weft.div(weft.tensor([7.0]), 0.0, rounding_mode="trunc"), [inf], weft.float32)
    divide = weft.compile(lambda a, b: weft.div(a, b, rounding_mode="trunc"))
    for _ in range(3):
        assert bits(divide(a, b)) == bits(weft.div(a, b, rounding_mode="trunc"))
    for call in (divide, lambda a, b: weft.div(a, b, rounding_mode="trunc")):
        with pytest.raises(RuntimeError, match="division by zero"):
            call(a, b * 0)


def test_powers_of_whole_numbers():
    same(weft.tensor([2, 1, -1, 0]) ** weft.tensor(-1), [0, 1, -1, 0], i64)
    same(2 ** weft.tensor([-1, 3]), [0, 8], i64)
    same(weft.tensor([2]) ** -1.0, [0.5], weft.float32)


#: Each number is computed from the nearer end and truncated.
SPACED = [
    ((0, 10, 4), [0, 3, 6, 10]), ((0, 9, 4), [0, 3, 6, 9]), ((10, 0, 4), [10, 6, 3, 0]),
    ((-3, 3, 5), [-3, -1, 0, 1, 3]), ((0.5, 9.7, 4), [0, 3, 6, 9]), ((3, 7, 1), [3]),
    ((-2.0, 0, 5), [-2, -1, -1, 0, 0]), ((2**53 + 1, 2**53 + 3, 2), [2**53 + 1, 2**53 + 3]),
]  # fmt: skip


@pytest.mark.parametrize("case", SPACED, ids=str)
def test_even_spacing_of_whole_numbers(case):
    given, want = case
    same(weft.linspace(*given, dtype=i64), want, i64)
    same(weft.linspace(*map(weft.tensor, given[:2]), given[2], dtype=i64), want, i64)


def test_even_spacing_in_double_precision():
    start, end = weft.tensor(0.1, dtype=f64), weft.tensor(0.7, dtype=f64)
    want = [0.1, 0.2, 0.3, 0.39999999999999997, 0.5, 0.6, 0.7]
    for ends in ((0.1, 0.7), (start, end), (0.1, end)):
        np.testing.assert_allclose(weft.linspace(*ends, 7, dtype=f64).numpy(), want, rtol=2e-16)
        assert weft.linspace(*ends, 7, dtype=f64)[-1].item() == 0.7
    assert weft.linspace(0, 1, 0).shape == (0,)
    with pytest.raises(RuntimeError, match=r"^linspace: expected numbers"):
        weft.linspace(weft.zeros(1), 1, 3)


def test_ranges_are_exact():
    same(weft.arange(2**53, 2**53 + 3), [2**53, 2**53 + 1, 2**53 + 2], i64)
    same(weft.arange(-BIG, -BIG + 2), [-BIG, -BIG + 1], i64)
    same(weft.arange(2**62, 2**62 + 2**61, 2**60), [2**62, 2**62 + 2**60], i64)
    same(weft.arange(0, 2, 0.5, dtype=i64), [0, 0, 0, 0], i64)
    same(weft.arange(weft.tensor(3)), [0, 1, 2], i64)
    same(weft.randint(2**62 + 1, 2**62 + 2, (2,)), [2**62 + 1] * 2, i64)
    same(weft.randint(-BIG, -BIG + 1, (1,)), [-BIG], i64)


def test_reductions_of_bytes():
    x = weft.tensor([[0, 2], [3, 4]], dtype=u8)
    same(weft.any(x), 1, u8)
    same(x.all(0), [0, 1], u8)
    same(weft.any(x.int()), True, weft.bool)
    fast = weft.compile(lambda x: x.all(0))
    for _ in range(3):
        same(fast(x), [0, 1], u8)


def test_indices_of_what_has_no_dimensions():
    (index,) = weft.nonzero(weft.tensor(5), as_tuple=True)
    same(index, [0], i64)
    (index,) = weft.nonzero(weft.tensor(0), as_tuple=True)
    same(index, [], i64)
    assert weft.nonzero(weft.tensor(5)).shape == (1, 0)
    assert weft.nonzero(weft.zeros(0, 3)).shape == (0, 2)


def test_one_hot_keeps_its_shape():
    assert F.one_hot(weft.zeros(0, dtype=i64), 2).shape == (0, 2)
    assert F.one_hot(weft.tensor(1), 3).tolist() == [0, 1, 0]
