"""Strides change no bits: every operation reads inputs however they lie in memory."""

import numpy as np
import pytest
from tests.ops.table import CASES, EVERY, bits, each

import weft

DTYPE = "float32"


def reversed_order(x):
    """Stored with the dimensions in reverse order."""
    order = tuple(range(x.ndim - 1, -1, -1))
    return x.permute(*order).clone().permute(*order) if x.ndim > 1 else x


def every_second(x):
    """Every second element of a longer last dimension."""
    if x.ndim == 0:
        return x
    wide = weft.stack([x, weft.ones_like(x)], dim=-1).flatten(-2)
    return wide[..., ::2]


def inner(x):
    """In the middle of a larger tensor."""
    if x.ndim == 0:
        return weft.stack([weft.ones_like(x), x])[1]
    edge = weft.ones_like(x[:1]) if x.shape[0] else weft.ones((1, *x.shape[1:]), dtype=x.dtype)
    return weft.cat([edge, x, edge], dim=0).narrow(0, 1, x.shape[0])


LAYOUTS = {"reversed": reversed_order, "every second": every_second, "inner": inner}


STRIDED = [case for case in EVERY if case.inputs and not getattr(case, "dense", False)]


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize(**each(STRIDED))
def test_values(case, layout):
    dense = case.tensors(case.default(DTYPE))
    loose = [layout(x) for x in dense]
    assert [bits(x) for x in loose] == [bits(x) for x in dense]
    want = [bits(y) for y in case.call(dense)]
    assert [bits(y) for y in case.call(loose)] == want
    for i, x in enumerate(loose):
        mixed = [*dense[:i], x, *dense[i + 1 :]]
        assert [bits(y) for y in case.call(mixed)] == want


@pytest.mark.parametrize(**each([case for case in STRIDED if case.free()]))
def test_repeated_elements(case):
    """Inputs that were expanded: strides of 0."""
    dense = case.tensors(case.default(DTYPE))
    for i in case.free():
        x = dense[i]
        for dim in range(x.ndim):
            if x.shape[dim]:
                inputs = [*dense[:i], x.narrow(dim, 0, 1).expand(*x.shape), *dense[i + 1 :]]
                want = case.call([y.clone().contiguous() for y in inputs])
                assert [bits(y) for y in case.call(inputs)] == [bits(y) for y in want]


POINTWISE = [case for case in CASES if case.kind == "pointwise" and case.index == 0]


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (2, 0, 1), (1,), (1, 1, 1)], ids=str)
@pytest.mark.parametrize(**each(POINTWISE))
def test_empty_and_zero_dim(case, shape):
    kind = case.default(DTYPE)
    inputs = []
    for _, domain in case.inputs:
        dtype = "bool" if domain["kind"] == "bool" else kind
        inputs.append(weft.full(shape, 1, dtype=getattr(weft, dtype)))
    (y,) = case.call(inputs)
    assert tuple(y.shape) == shape
    (line,) = case.call([weft.full((5,), 1, dtype=x.dtype) for x in inputs])
    assert (y.numpy() == line.numpy()[0]).all()


@pytest.mark.parametrize(**each([c for c in POINTWISE if len(c.inputs) > 1]))
def test_broadcasting_equals_expanding(case):
    shapes = [(4, 1, 3), (5, 1), (1, 1, 1)]
    rng = np.random.default_rng(3)
    inputs = []
    for (_, domain), shape in zip(case.inputs, shapes, strict=False):
        values = rng.integers(0, 2 if domain["kind"] == "bool" else 9, shape)
        dtype = "bool" if domain["kind"] == "bool" else case.default(DTYPE)
        inputs.append(weft.tensor(values.astype(dtype)))
    (y,) = case.call(inputs)
    full = tuple(np.broadcast_shapes(*(x.shape for x in inputs)))
    (want,) = case.call([x.expand(*full).clone() for x in inputs])
    assert tuple(y.shape) == full and bits(y) == bits(want)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)], ids=str)
def test_reductions_of_nothing(shape):
    x = weft.zeros(*shape)
    assert x.sum().item() == 0 and x.prod().item() == 1
    assert np.isnan(x.mean().item())
    assert x.all().item() is True and x.any().item() is False
    for extreme in (x.amax, x.amin, x.argmax, x.argmin, x.max, x.min):
        with pytest.raises((IndexError, RuntimeError), match="no elements"):
            extreme()


def test_more_products_of_nothing():
    assert (weft.ones(2, 0) @ weft.ones(0, 3)).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert (weft.ones(0, 2) @ weft.ones(2, 3)).shape == (0, 3)
    assert (weft.ones(4, 2, 0) @ weft.ones(0, 3)).abs().sum().item() == 0
