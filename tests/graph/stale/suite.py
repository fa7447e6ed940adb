"""All scenarios: the table of places x changes, and those that stand for themselves."""

from tests.graph.stale import (
    cases_aliases,
    cases_arguments,
    cases_arrays,
    cases_effects,
    cases_library,
    cases_live,
    cases_memory,
    cases_modules,
    cases_more,
    cases_names,
    cases_optim,
    cases_returned,
    cases_sources,
    places,
)
from tests.graph.stale.scene import Case

SINGLE = (
    cases_arguments,
    cases_aliases,
    cases_returned,
    cases_library,
    cases_modules,
    cases_names,
    cases_arrays,
    cases_live,
    cases_memory,
    cases_optim,
    cases_effects,
    cases_sources,
    cases_more,
)


def cases(every: bool) -> list[Case]:
    """The table (all pairs, or the core of it), then the single scenarios."""
    found = places.cases(every)
    for module in SINGLE:
        found += module.CASES
    names = [one.name for one in found]
    assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
    return found
