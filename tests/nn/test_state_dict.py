"""Saving and loading modules."""

import numpy as np
import pytest

import weft
import weft.nn as nn


def model():
    found = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    found.register_buffer("seen", weft.zeros(1))
    found.register_buffer("scratch", weft.zeros(1), persistent=False)
    return found


def values(module):
    return [p.tolist() for p in module.parameters()]


def test_names_and_sharing():
    state = (source := model()).state_dict()
    assert list(state) == ["seen", "0.weight", "0.bias", "1.weight", "1.bias"]
    assert list(source.state_dict(prefix="net."))[1] == "net.0.weight"
    assert not state["0.weight"].requires_grad
    assert source.state_dict(keep_vars=True)["0.weight"] is source[0].weight
    with weft.no_grad():
        source[0].bias.fill_(5.0)
    assert state["0.bias"].tolist() == [5.0, 5.0, 5.0]


def test_round_trip():
    source, target = model(), model()
    kept = target[0].weight
    keys = target.load_state_dict(source.state_dict())
    assert keys.missing_keys == keys.unexpected_keys == []
    assert values(target) == values(source)
    assert target[0].weight is kept


def test_arrays_are_taken():
    target = model()
    state = {name: np.full(tuple(t.shape), 2.0) for name, t in target.state_dict().items()}
    target.load_state_dict(state)
    assert target[0].bias.tolist() == [2.0, 2.0, 2.0]
    with pytest.raises(TypeError, match=r"'0.bias' needs a tensor or an array, got list"):
        target.load_state_dict({**state, "0.bias": [1.0]})


def test_nothing_changes_when_it_does_not_fit():
    target = model()
    before = values(target)
    state = {name: t.detach() + 1 for name, t in target.state_dict().items()}
    state["0.bias"] = weft.zeros(4)
    del state["1.weight"]
    state["extra"] = weft.zeros(1)
    with pytest.raises(RuntimeError) as caught:
        target.load_state_dict(state)
    text = str(caught.value)
    assert "missing keys: 1.weight" in text
    assert "unexpected keys: extra" in text
    assert "0.bias: shapes differ, expected [3], got [4]" in text
    assert values(target) == before
    with pytest.raises(RuntimeError, match="shapes differ"):
        target.load_state_dict(state, strict=False)
    assert values(target) == before


def test_not_strict():
    target = model()
    keys = target.load_state_dict({"0.bias": weft.ones(3), "extra": weft.ones(1)}, strict=False)
    assert keys.unexpected_keys == ["extra"]
    assert "0.weight" in keys.missing_keys
    assert target[0].bias.tolist() == [1.0, 1.0, 1.0]


def test_a_mapping_is_needed():
    with pytest.raises(TypeError, match="needs a mapping"):
        model().load_state_dict([1])
