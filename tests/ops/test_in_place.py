"""Results written over memory that the caller names have the bits of fresh results."""

import pytest
from tests.ops.functions import SEED
from tests.ops.table import CASES, EVERY, bits, each

import weft

DTYPE = "float32"


def results(case):
    return case.call(case.tensors(case.default(DTYPE)))


def strided(tensor):
    """The same elements, with gaps between them and the dimensions in reverse order."""
    shape = [2 * size for size in reversed(tensor.shape)]
    wide = weft.zeros(shape, dtype=tensor.dtype)
    view = wide.permute(*range(tensor.ndim - 1, -1, -1)) if tensor.ndim else wide
    for dim, size in enumerate(tensor.shape):
        index = [slice(None)] * tensor.ndim
        index[dim] = slice(0, 2 * size, 2)
        view = view[tuple(index)]
    view.copy_(tensor)
    return wide, view


def fits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape


def places(case):
    """The inputs that the one result fits over, with what it is."""
    wants = results(case)
    if len(wants) == 1:
        for i, x in enumerate(case.tensors(case.default(DTYPE))):
            if fits(x, wants[0]):
                yield i, wants


@pytest.mark.parametrize(**each(CASES))
def test_into_other_memory(case):
    inputs, wants = case.tensors(case.default(DTYPE)), results(case)
    targets = [weft.ones_like(y) for y in wants]
    before = [bits(x) for x in inputs]
    case.call_into(inputs, targets)
    assert [bits(t) for t in targets] == [bits(y) for y in wants]
    assert [bits(x) for x in inputs] == before


@pytest.mark.parametrize(**each(CASES))
def test_over_an_input(case):
    for place, wants in places(case):
        inputs = case.tensors(case.default(DTYPE))
        version = inputs[place]._version
        case.call_into(inputs, [inputs[place]])
        assert bits(inputs[place]) == bits(wants[0])
        assert inputs[place]._version > version


@pytest.mark.parametrize(**each(CASES))
def test_over_a_strided_input(case):
    for place, wants in places(case):
        inputs = case.tensors(case.default(DTYPE))
        wide, view = strided(inputs[place])
        inputs[place] = view
        case.call_into(inputs, [view])
        assert bits(view) == bits(wants[0])
        gaps = wide.numel() - view.numel()
        assert int((wide == 0).sum()) >= gaps, "wrote between the elements"


FORMS = [case for case in EVERY if case.kind == "function" and case.name.endswith("_")]


@pytest.mark.parametrize(**each(FORMS))
def test_methods_in_place(case):
    """They return the tensor that they changed, also where it lies with gaps."""
    want = bits(case.call(case.tensors(DTYPE))[0])
    for lay in (lambda x: x, lambda x: strided(x)[1]):
        x, *rest = case.tensors(DTYPE)
        x = lay(x)
        version = x._version
        args, kwargs = case.filled([x, *rest])
        if case.draws:
            weft.manual_seed(SEED)
        assert case.function(*args, **kwargs) is x
        assert bits(x) == want and x._version > version


@pytest.mark.parametrize(**each([c for c in CASES if c.kind == "pointwise" and len(c.inputs) > 1]))
def test_over_all_inputs_at_once(case):
    """The same memory is every input and the target."""
    inputs = case.tensors(case.default(DTYPE))
    x = inputs[-1]
    same = [x if fits(x, i) else i for i in inputs]
    try:
        (want,) = case.call([i.clone() for i in same])
    except RuntimeError:
        return
    if fits(want, x):
        case.call_into(same, [x])
        assert bits(x) == bits(want)


@pytest.mark.parametrize(**each([c for c in CASES if c.name in ("sgd", "adam")]))
def test_updates_over_their_states(case):
    inputs, wants = case.tensors(DTYPE), results(case)
    states = sum(case.attrs.values()) + (2 if case.name == "adam" else 0)
    per = states + 3
    places = []
    for start in range(1, len(inputs), per):
        places += [start, *range(start + 2, start + per)]
    case.call_into(inputs, [inputs[i] for i in places])
    assert [bits(inputs[i]) for i in places] == [bits(y) for y in wants]


def test_overlapping_but_shifted_memory():
    """An input that overlaps the target without being it is read before it is written."""
    x = weft.arange(10, dtype=weft.float32)
    x[1:].copy_(x[:-1])
    assert x.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    y = weft.arange(9, dtype=weft.float32).view(3, 3)
    y.add_(y.T)
    assert y.tolist() == [[0, 4, 8], [4, 8, 12], [8, 12, 16]]


def test_target_of_wrong_kind_is_refused():
    x = weft.ones(3)
    for change in (lambda: x.add_(weft.ones(2, 3)), lambda: x.expand(2, 3).add_(1)):
        with pytest.raises(RuntimeError, match=r"^add: "):
            change()
    assert x.tolist() == [1, 1, 1]
