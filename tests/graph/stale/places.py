"""Kinds of places that a compiled function may read: the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.graph.stale.scene import Case, Scene
from tests.graph.stale.values import CHANGES, CORE, Change

import weft

Put = Callable[[Any], None]
Make = Callable[[Scene, Any], tuple[Callable[..., Any], Put]]


@dataclass(frozen=True)
class Place:
    """``make(scene, value)`` gives a function that reads the place, and how to put a value there.

    ``kinds`` are the kinds of values that the place can hold.
    """

    name: str
    make: Make
    kinds: tuple[str, ...]
    may_refuse: bool
    may_warn: bool


PLACES: list[Place] = []


def place(
    name: str,
    *,
    kinds: str = "number any function",
    may_refuse: bool = False,
    may_warn: bool = False,
) -> Callable[[Make], Make]:
    """Add a place to the table."""

    def add(make: Make) -> Make:
        PLACES.append(Place(name, make, tuple(kinds.split()), may_refuse, may_warn))
        return make

    return add


def case_of(where: Place, change: Change) -> Case:
    """The scenario in which ``change`` happens at ``where``."""

    def play(scene: Scene) -> Any:
        value = change.first()
        function, put = where.make(scene, value)
        x = weft.tensor([1.0, -2.0, 0.5])
        yield function, x
        for _ in change.happens(put, value):
            yield None

    return Case(
        f"{where.name}: {change.name}",
        play,
        may_refuse=where.may_refuse,
        may_warn=where.may_warn,
        unknown=where.may_warn,
        compiles=not where.may_refuse,
    )


def cases(every: bool) -> list[Case]:
    """The table's scenarios: all pairs, or the core changes and some of the others by turns."""
    from tests.graph.stale import (  # noqa: F401
        places_classes,
        places_containers,
        places_functions,
        places_objects,
        places_readers,
    )

    found = []
    for i, where in enumerate(PLACES):
        fits = [c for c in CHANGES if c.kind in where.kinds]
        rest = [c for c in fits if c.name not in CORE]
        turn = {rest[(i + k) % len(rest)].name for k in range(2)} if rest else set()
        found += [case_of(where, c) for c in fits if every or c.name in CORE or c.name in turn]
    return found
