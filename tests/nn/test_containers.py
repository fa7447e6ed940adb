"""Sequential, ModuleList, ModuleDict, ParameterList."""

import pytest

import weft
import weft.nn as nn


def sizes(modules):
    return [module.out_features for module in modules]


def linear(n):
    return nn.Linear(1, n)


def test_list_behaves_like_a_list():
    layers = nn.ModuleList([linear(1), linear(2), linear(3)])
    assert sizes(layers[1:]) == [2, 3]
    assert layers[-1].out_features == 3
    layers.append(linear(4)).extend([linear(5)])
    layers.insert(0, linear(9))
    layers[1] = linear(8)
    del layers[2]
    del layers[-1:]
    assert sizes(layers) == [9, 8, 3, 4]
    assert len(layers) == 4
    with pytest.raises(IndexError, match="index 4 is out of range for 4"):
        layers[4]
    with pytest.raises(TypeError, match="needs modules, got int"):
        layers.append(3)


def test_elements_have_numbered_names():
    layers = nn.ModuleList([linear(1), linear(2)])
    assert list(layers.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert layers.get_submodule("1") is layers[1]


def test_sequential_applies_in_order():
    model = nn.Sequential(nn.Flatten(), nn.ReLU())
    assert model(weft.tensor([[[-1.0], [2.0]]])).tolist() == [[0.0, 2.0]]
    assert isinstance(model[:1], nn.Sequential)
    assert repr(model) == ("Sequential(\n  (0): Flatten(start_dim=1, end_dim=-1)\n  (1): ReLU()\n)")


def test_sequential_with_names():
    model = nn.Sequential({"in": linear(2), "act": nn.ReLU()})
    assert list(model.state_dict()) == ["in.weight", "in.bias"]
    assert model.act is model[1]
    model.act = nn.Tanh()
    assert isinstance(model[1], nn.Tanh)
    model.append(nn.Identity())
    assert [name for name, _ in model.named_children()] == ["in", "act", "2"]
    del model[0]
    assert [name for name, _ in model.named_children()] == ["act", "2"]
    with pytest.raises(AttributeError, match="nothing"):
        _ = model.nothing


def test_dict():
    heads = nn.ModuleDict({"a": linear(1)})
    heads["b"] = linear(2)
    assert list(heads) == ["a", "b"] == list(heads.keys())
    assert sizes(heads.values()) == [1, 2]
    assert "b" in heads
    assert heads.pop("a").out_features == 1
    assert len(heads) == 1
    assert [name for name, _ in heads.named_parameters()] == ["b.weight", "b.bias"]
    with pytest.raises(TypeError, match="'c' is a int"):
        heads.update({"c": 3})
    with pytest.raises(KeyError):
        heads["a.b"] = linear(1)
    with pytest.raises(KeyError):
        del heads["zz"]
    heads.clear()
    assert not list(heads.parameters())


def test_parameter_list():
    values = nn.ParameterList([weft.zeros(2), nn.Parameter(weft.ones(1))])
    assert all(isinstance(p, nn.Parameter) for p in values)
    values[0] = weft.ones(3)
    assert [tuple(p.shape) for p in values.parameters()] == [(3,), (1,)]
    with pytest.raises(TypeError, match="needs tensors"):
        values.append("x")
