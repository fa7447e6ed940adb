"""The arithmetic that operations report."""

import math

import numpy as np
import pytest
from tests.ops.table import CASES, each, on_reals

#: These compute nothing.
FREE = {"view", "create", "move"}


def numel(case):
    return sum(math.prod(shape) for shape, _ in case.inputs)


@pytest.mark.parametrize(**each([case for case in CASES if on_reals(case)]))
def test_positive_for_arithmetic(case):
    flops = case.row.flops(case.index)
    if case.kind in FREE:
        assert flops == 0
    elif all(math.prod(shape) for shape, _ in case.inputs):
        assert flops > 0 or case.call(case.tensors())[0].numel() == 0
    elif case.kind == "pointwise":
        assert flops == 0


@pytest.mark.parametrize(**each([case for case in CASES if case.name == "matmul"]))
def test_matmul_counts_a_product_and_a_sum_per_pair(case):
    (a, _), (b, _) = case.inputs
    k, m = (a[-2], a[-1]) if case.attrs.get("a_transposed") else (a[-1], a[-2])
    n = b[-2] if case.attrs.get("b_transposed") else b[-1]
    batches = math.prod(np.broadcast_shapes(a[:-2], b[:-2]))
    assert case.row.flops(case.index) == 2 * batches * m * n * k


@pytest.mark.parametrize(**each([case for case in CASES if case.name == "spmm"]))
def test_sparse_product_counts_its_entries(case):
    entries, width = case.inputs[6][0][0], case.inputs[7][0][1]
    assert case.row.flops(case.index) == 2 * entries * width


@pytest.mark.parametrize(**each([c for c in CASES if c.name in ("add", "mul", "sub", "neg")]))
def test_one_per_element(case):
    outputs = case.call(case.tensors())
    assert case.row.flops(case.index) == outputs[0].numel()
