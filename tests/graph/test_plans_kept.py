"""How many plans a compiled function keeps, and which go first."""

import gc

import weft
from weft._compile._compiled import MOST_PLANS
from weft._core import Entry


def entries() -> int:
    gc.collect()
    return sum(isinstance(thing, Entry) for thing in gc.get_objects())


def test_plans_that_ran_longest_ago_go_first():
    before = entries()
    fast = weft.compile(lambda x: (x * 2.0).sum())

    def planned(n: int) -> bool:
        """Whether a call with ``n`` numbers runs a plan; otherwise it records."""
        known = list(fast._recorded)
        assert fast(weft.ones(n)).item() == 2.0 * n
        return all(a is b for a, b in zip(known, fast._recorded, strict=False)) and len(
            known
        ) == len(fast._recorded)

    for n in range(1, MOST_PLANS + 1):
        assert [planned(n) for _ in range(2)] == [False, False]
    assert entries() - before == fast.explain().recordings == MOST_PLANS
    assert planned(1)
    for n in (101, 102):
        assert [planned(n) for _ in range(3)] == [False, False, True]
    assert entries() - before == fast.explain().recordings == MOST_PLANS
    assert planned(1) and planned(4) and planned(MOST_PLANS)
    assert not planned(2) and not planned(3)
