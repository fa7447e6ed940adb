"""An operation of a container that raises leaves the container as it was."""

import pytest

import weft
import weft.nn as nn


def shaky():
    yield nn.ReLU()
    raise OSError("the source ran dry")


@pytest.mark.parametrize("make", [nn.ModuleList, lambda items: nn.Sequential(*items)])
def test_lists_of_modules(make):
    layers = make([nn.Linear(1, 1), nn.Tanh()])
    before = list(layers)
    for change, error in (
        (lambda: layers.extend([nn.ReLU(), 3]), TypeError),
        (lambda: layers.extend(shaky()), OSError),
        (lambda: layers.extend(3), TypeError),
        (lambda: layers.append(None), TypeError),
        (lambda: layers.insert(0, "x"), TypeError),
        (lambda: layers.insert("x", nn.ReLU()), TypeError),
        (lambda: layers.__setitem__(0, 3), TypeError),
        (lambda: layers.__setitem__(5, nn.ReLU()), IndexError),
        (lambda: layers.__delitem__(5), IndexError),
    ):
        with pytest.raises(error):
            change()
        assert list(layers) == before
        assert [name for name, _ in layers.named_children()] == ["0", "1"]


def test_a_list_can_be_extended_by_itself():
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    assert len(layers.extend(layers)) == 4


def test_names_of_a_sequence_stay_distinct():
    model = nn.Sequential({"a": nn.ReLU(), "2": nn.Tanh()})
    model.extend([nn.ReLU(), nn.Tanh()])
    assert [name for name, _ in model.named_children()] == ["a", "2", "3", "4"]
    with pytest.raises(TypeError):
        model.extend([nn.ReLU(), 3])
    assert len(model) == len(list(model.named_children())) == 4


def test_dicts_of_modules():
    heads = nn.ModuleDict({"a": nn.ReLU()})
    before = dict(heads.items())
    for change, error in (
        (lambda: heads.update({"b": nn.Tanh(), "c": 3}), TypeError),
        (lambda: heads.update({"b": nn.Tanh(), "c.d": nn.Tanh()}), KeyError),
        (lambda: heads.update([("b", nn.Tanh()), ("c", 3)]), TypeError),
        (lambda: heads.update({"b": nn.Tanh(), 3: nn.Tanh()}), TypeError),
        (lambda: heads.update(3), TypeError),
        (lambda: heads.pop("z"), KeyError),
    ):
        with pytest.raises(error):
            change()
        assert dict(heads.items()) == before
    heads.update([("b", nn.Tanh())])
    heads.update(nn.ModuleDict({"c": nn.Tanh()}))
    assert list(heads) == ["a", "b", "c"]


def test_a_state_that_cannot_be_written_is_refused_as_a_whole():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Parameter(weft.zeros(2))
            self.second = nn.Parameter(weft.zeros(1).expand(3))

    model = Two()
    with pytest.raises(RuntimeError, match="second: its elements share memory"):
        model.load_state_dict({"first": weft.ones(2), "second": weft.ones(3)})
    assert model.first.tolist() == [0.0, 0.0]
    with pytest.raises(TypeError, match="strict expected to be a bool"):
        nn.ReLU().load_state_dict({}, strict="no")


def test_lists_of_parameters():
    values = nn.ParameterList([weft.ones(1)])
    for change in (lambda: values.extend([weft.ones(2), "x"]), lambda: values.append(None)):
        with pytest.raises(TypeError, match="needs tensors"):
            change()
        assert len(values) == 1
