"""Results written over memory that the caller names have the bits of fresh results."""

import pytest
from tests.ops.table import CASES, bits, each

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


OVER = []
for _case in CASES:
    _inputs, _outputs = _case.tensors(_case.default(DTYPE)), results(_case)
    if len(_outputs) == 1:
        _places = [i for i, x in enumerate(_inputs) if fits(x, _outputs[0])]
        OVER += [pytest.param(_case, i, id=f"{_case.id}-over-{i}") for i in _places]


@pytest.mark.parametrize(**each(CASES))
def test_into_other_memory(case):
    inputs, wants = case.tensors(case.default(DTYPE)), results(case)
    targets = [weft.ones_like(y) for y in wants]
    before = [bits(x) for x in inputs]
    case.call_into(inputs, targets)
    assert [bits(t) for t in targets] == [bits(y) for y in wants]
    assert [bits(x) for x in inputs] == before


@pytest.mark.parametrize("case, place", OVER)
def test_over_an_input(case, place):
    inputs, wants = case.tensors(case.default(DTYPE)), results(case)
    version = inputs[place]._version
    case.call_into(inputs, [inputs[place]])
    assert bits(inputs[place]) == bits(wants[0])
    assert inputs[place]._version > version


@pytest.mark.parametrize("case, place", OVER)
def test_over_a_strided_input(case, place):
    inputs, wants = case.tensors(case.default(DTYPE)), results(case)
    wide, view = strided(inputs[place])
    inputs[place] = view
    case.call_into(inputs, [view])
    assert bits(view) == bits(wants[0])
    gaps = wide.numel() - view.numel()
    assert int((wide == 0).sum()) >= gaps, "wrote between the elements"


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
