"""One change between calls, at every kind of place: equal to eager, or refused with the line."""

import pytest
from tests.graph.stale.scene import check
from tests.graph.stale.suite import cases

CASES = {case.name: case for case in cases(every=False)}


@pytest.mark.parametrize("name", CASES)
def test_one_change(name):
    check(CASES[name])


def test_there_are_enough():
    assert len(CASES) >= 200
