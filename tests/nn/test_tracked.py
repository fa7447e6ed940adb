"""What a recording sees of modules."""

import contextlib

import pytest

import weft
import weft.nn as nn
from weft.nn._tracked import Tracked


@contextlib.contextmanager
def watched():
    seen = []
    Tracked._watch(lambda owner, name, value: seen.append((owner, name, value)))
    try:
        yield seen
    finally:
        Tracked._unwatch()


def test_instance_attributes_are_seen_and_methods_are_not():
    layer = nn.Linear(2, 2)
    with watched() as seen:
        layer.forward  # noqa: B018
        layer.weight  # noqa: B018
        layer.training  # noqa: B018
    assert [(owner is layer, name) for owner, name, _ in seen] == [
        (True, "weight"),
        (True, "training"),
    ]
    assert seen[0][2] is layer.weight


def test_a_call_reports_all_it_depends_on():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    with watched() as seen:
        model(weft.ones(1, 2))
    reads = {(type(owner).__name__, name) for owner, name, _ in seen}
    assert {("Sequential", "_items"), ("Sequential", "_hooks"), ("Linear", "bias")} <= reads
    assert {("Dropout", "p"), ("Dropout", "training")} <= reads


def test_walking_reports_what_was_walked():
    model = nn.Sequential(nn.Linear(2, 2))
    with watched() as seen:
        list(model.parameters())
    assert any(name == "weight" and value is model[0].weight for _, name, value in seen)


def test_nothing_remains_afterwards():
    with watched():
        assert "__getattribute__" in vars(Tracked)
    assert "__getattribute__" not in vars(Tracked)
    Tracked._unwatch()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.append(nn.ReLU()),
        lambda m: m.__setitem__(0, nn.ReLU()),
        lambda m: m.__delitem__(0),
    ],
)
def test_a_changed_container_shows_by_identity(change):
    model = nn.Sequential(nn.Linear(2, 2))
    before = model._items
    change(model)
    assert model._items is not before
