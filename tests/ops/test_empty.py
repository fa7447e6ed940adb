"""Functions of tensors without elements give what numpy gives, or a clear error."""

import dataclasses
import warnings

import numpy as np
import pytest
from tests.ops.functions import Input, is_input
from tests.ops.table import EVERY, each, tensor

import weft

CASES = [
    case
    for case in EVERY
    if case.kind == "function"
    and case.inputs
    and all(domain["kind"] != "exact" for _, domain in case.inputs)
]


def without(case, size):
    """The case with 0 for every ``size`` in the shapes of its inputs."""

    def put(value):
        if isinstance(value, list):
            return [put(v) for v in value]
        if not is_input(value):
            return value
        return Input(tuple(0 if n == size else n for n in value.shape), value.domain)

    kwargs = {name: put(value) for name, value in case.kwargs.items()}
    return dataclasses.replace(case, args=[put(v) for v in case.args], kwargs=kwargs)


def sizes(case):
    return sorted({n for shape, _ in case.inputs for n in shape})


@pytest.mark.parametrize(**each(CASES))
def test_without_elements(case):
    for size in sizes(case):
        empty = without(case, size)
        arrays = empty.arrays(case.default())
        inputs = [tensor(a) for a in arrays]
        for i in empty.free():
            inputs[i].requires_grad = inputs[i].dtype.is_floating_point
        try:
            results = empty.call(inputs)
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            assert ": " in str(error), error
            continue
        for y in results:
            if y.requires_grad:
                y.sum().backward(retain_graph=True)
        for i in empty.free():
            grad = inputs[i].grad
            assert grad is None or grad.shape == inputs[i].shape
        same_as_oracle(empty, arrays, results)


def same_as_oracle(case, arrays, results):
    """Compare where numpy has an answer."""
    if case.oracle is None or case.fixed:
        return
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            wants = case.expected(arrays)
        except (ValueError, IndexError):
            return
    for got, want in zip(results, wants, strict=True):
        assert tuple(got.shape) == want.shape
        bound = 1e-5 if got.dtype is weft.float32 else 1e-11
        np.testing.assert_allclose(got.detach().numpy(), want, rtol=bound, atol=bound)
