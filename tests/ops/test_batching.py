"""The batching rule of an operation gives what the operation gives place by place."""

import zlib

import numpy as np
import pytest
from tests.ops.fill import elements
from tests.ops.table import CASES, each, tensor

import weft

SIZES = (3, 1, 0)


def array(tensor):
    """The elements; bfloat16 is no dtype of numpy."""
    return (tensor.float() if tensor.dtype is weft.bfloat16 else tensor).numpy()


def many(case, size, which):
    """Inputs of which those in ``which`` are ``size`` different ones, stacked."""
    dtype = case.default("float32")
    one = case.arrays(dtype)
    rng = np.random.default_rng(zlib.crc32(case.id.encode()))
    out = []
    for i, (a, (shape, domain)) in enumerate(zip(one, case.inputs, strict=True)):
        if i not in which:
            out.append(a)
        elif domain["kind"] == "exact":
            out.append(np.stack([a] * size) if size else np.empty((0, *a.shape), a.dtype))
        else:
            rows = [elements(domain, shape, dtype, rng) for _ in range(size)]
            out.append(np.stack(rows) if size else np.empty((0, *a.shape), a.dtype))
    return out


def choices(case):
    """Which inputs have the batch: each alone, and all that vary."""
    n = len(case.inputs)
    vary = [i for i in range(n) if case.inputs[i][1]["kind"] != "exact"]
    alone = [(i,) for i in vary]
    return [*alone, tuple(vary)] if len(vary) > 1 else alone


def each_alone(case, inputs, which, k):
    return case.call([tensor(a[k] if i in which else a) for i, a in enumerate(inputs)])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(**each([case for case in CASES if case.inputs]))
def test_batch_equals_place_by_place(case, size):
    for which in choices(case):
        inputs = many(case, size, which)
        flags = [i in which for i in range(len(inputs))]
        try:
            made = case.row.batch(case.index, [tensor(a) for a in inputs], flags, size)
        except RuntimeError as error:
            assert str(error).startswith(f"{case.name}: no batching rule: "), error
            continue
        single = case.call(case.tensors(case.default("float32")))
        assert [tuple(y.shape) for y in made] == [(size, *y.shape) for y in single]
        assert [y.dtype for y in made] == [y.dtype for y in single]
        for k in range(size):
            for got, want in zip(made, each_alone(case, inputs, which, k), strict=True):
                np.testing.assert_allclose(
                    array(got)[k], array(want), rtol=3e-6, atol=1e-6, err_msg=f"{which} {k}"
                )
