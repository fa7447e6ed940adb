"""One change between calls, at every kind of place: equal to eager, or refused with the line."""

import pytest
from tests.graph.stale.not_yet import NOT_YET
from tests.graph.stale.places import cases
from tests.graph.stale.scene import check

CASES = {case.name: case for case in cases(every=False)}


@pytest.mark.parametrize("name", [n for n in CASES if n not in NOT_YET])
def test_one_change(name):
    check(CASES[name])


@pytest.mark.parametrize("name", sorted(NOT_YET))
def test_known_failures_still_fail(name):
    """Fails when something was mended: take it out of the list."""
    with pytest.raises(AssertionError):
        check(CASES[name])


def test_there_are_enough():
    assert len(CASES) >= 200
