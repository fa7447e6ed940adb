"""Wrong inputs give exceptions that start with the operation's name, and change nothing.

A panic would come as ``PanicException``, which is no ``Exception``, and fail the test.
"""

import pytest
from tests.ops.table import CASES, bits, each

import weft

FITTING = (RuntimeError, TypeError, ValueError, IndexError)
DTYPES = [weft.bool, weft.uint8, weft.int32, weft.int64, weft.float32, weft.float64]


def attempt(case, inputs):
    """The error, if any, after checking its form and that no input was changed."""
    before = [bits(x) for x in inputs]
    found = None
    try:
        case.call(inputs)
    except FITTING as error:
        found = error
        assert str(error).startswith(f"{case.name}: "), repr(error)
        assert type(error) in FITTING
    assert [bits(x) for x in inputs] == before
    return found


def with_input(inputs, i, x):
    return [*inputs[:i], x, *inputs[i + 1 :]]


@pytest.mark.parametrize(**each(CASES))
def test_wrong_number_of_inputs(case):
    inputs = case.tensors(case.default())
    if case.name != "cat":
        assert attempt(case, [*inputs, weft.ones(2)]) is not None
    if inputs and case.name != "cat":
        assert attempt(case, inputs[:-1]) is not None
    if inputs:
        assert attempt(case, []) is not None


@pytest.mark.parametrize(**each([case for case in CASES if case.inputs]))
def test_wrong_dtypes(case):
    inputs = case.tensors(case.default())
    for i, x in enumerate(inputs):
        for dtype in DTYPES:
            error = attempt(case, with_input(inputs, i, weft.ones(*x.shape).to(dtype)))
            if error is not None and case.kind == "pointwise":
                assert isinstance(error, TypeError), error
    for dtype in DTYPES:
        attempt(case, [weft.ones(*x.shape).to(dtype) for x in inputs])


@pytest.mark.parametrize(**each([case for case in CASES if case.inputs]))
def test_wrong_shapes(case):
    inputs = case.tensors(case.default())
    for i, x in enumerate(inputs):
        shapes = [(), (0,), (1,), (7,), (2, 3, 4, 5), (*x.shape, 2), tuple(x.shape)[:-1]]
        if x.ndim:
            shapes += [(*x.shape[:-1], x.shape[-1] + 1), (x.shape[0] + 1, *x.shape[1:])]
        for shape in shapes:
            attempt(case, with_input(inputs, i, weft.zeros(*shape, dtype=x.dtype)))
            attempt(case, with_input(inputs, i, weft.ones(*shape, dtype=x.dtype)))


INDEXED = [
    case
    for case in CASES
    if case.name in ("index_select", "index_add", "gather", "scatter", "scatter_add")
]
CLASSED = [case for case in CASES if case.name.startswith(("nll_loss", "cross_entropy"))]


@pytest.mark.parametrize("index", [-1, 5, 10**6, -(2**63), 2**63 - 1], ids=str)
@pytest.mark.parametrize(**each(INDEXED))
def test_index_out_of_range(case, index):
    inputs = case.tensors()
    if inputs[1].numel() == 0:
        return
    wrong = inputs[1].clone()
    wrong[(-1,) * wrong.ndim] = index
    error = attempt(case, with_input(inputs, 1, wrong))
    torchs = IndexError if case.name in ("index_select", "index_add") else RuntimeError
    assert isinstance(error, torchs), error
    assert str(index) in str(error)


@pytest.mark.parametrize("target", [-1, 5, -(2**63), 2**63 - 1], ids=str)
@pytest.mark.parametrize(**each(CLASSED))
def test_class_out_of_range(case, target):
    inputs = case.tensors()
    place = 2 if case.name == "cross_entropy_backward" else 1
    wrong = inputs[place].clone()
    wrong[0] = target
    error = attempt(case, with_input(inputs, place, wrong))
    assert isinstance(error, IndexError), error


@pytest.mark.parametrize("value", [-1, 9, 2**63 - 1, -(2**63)], ids=str)
@pytest.mark.parametrize(**each([case for case in CASES if case.name in ("spmm", "sddmm")]))
def test_corrupt_sparse_structure(case, value):
    """Whatever the six index tensors hold, memory is safe and an error names the operation."""
    inputs = case.tensors()
    for place in range(6):
        for at in (0, 1, -1):
            wrong = inputs[place].clone()
            wrong[at] = value
            error = attempt(case, with_input(inputs, place, wrong))
            if place < 2:
                assert error is not None, (place, at)


@pytest.mark.parametrize(**each(CASES))
def test_wrong_targets(case):
    """Targets of another shape, dtype or number are refused before anything is written."""
    inputs = case.tensors(case.default())
    outputs = case.call(inputs)
    shapes = [weft.zeros(*y.shape, 2, dtype=y.dtype) for y in outputs]
    other = weft.int32 if outputs[0].dtype != weft.int32 else weft.float32
    kinds = [weft.zeros(*y.shape, dtype=other) for y in outputs]
    for targets in (shapes, kinds, []):
        with pytest.raises(FITTING, match=f"^{case.name}: "):
            case.call_into(inputs, targets)
        assert all(int((t != 0).sum()) == 0 for t in targets)
