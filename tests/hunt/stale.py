"""Staleness: random histories of what a compiled function reads, at several places at once.

A program takes one to three places of the suite's table, reads them in one function (one of them
perhaps through a helper, a method or a hook), and changes some of them between calls, with one to
four calls in between. Every call must equal the same history run eagerly, or be refused with the
line where the place allows it.
"""

import random
from collections import Counter
from typing import Any

from tests.graph.stale import suite
from tests.graph.stale.places import PLACES, Place
from tests.graph.stale.scene import Case, Scene, check
from tests.graph.stale.values import CHANGES, Change

import weft

NAME = "stale"
SHORT = 60


def _wrapped(rng: random.Random, function: Any) -> Any:
    """The function behind one more kind of call."""

    class Worker:
        def work(self, x: Any) -> Any:
            return function(x)

        __call__ = work

    class Net(weft.nn.Module):
        def forward(self, x: Any) -> Any:
            return function(x)

    kind = rng.randrange(6)
    worker, net, inner = Worker(), Net(), [function]
    return (
        function,
        worker.work,
        worker,
        net,
        lambda x: inner[0](x),
        weft.compile(function) if rng.random() < 0.3 else lambda x: function(x),
    )[kind]


def _program(seed: str, chosen: list[tuple[Place, Change]]) -> Case:
    def play(scene: Scene) -> Any:
        rng = random.Random(seed)
        readers, scripts = [], []
        for where, change in chosen:
            value = change.first()
            function, put = where.make(scene, value)
            readers.append(_wrapped(rng, function))
            scripts.append(change.happens(put, value))
        x = weft.tensor([1.0, -2.0, 0.5])

        def together(x: Any) -> Any:
            return [read(x) for read in readers]

        yield (together if len(readers) > 1 else readers[0]), x
        while scripts:
            script = rng.choice(scripts)
            try:
                next(script)
            except StopIteration:
                scripts.remove(script)
            yield (x * rng.choice([1.0, 2.0]) if rng.random() < 0.5 else x,)

    names = " + ".join(f"{where.name}: {change.name}" for where, change in chosen)
    rng = random.Random(seed + "calls")
    return Case(
        names,
        play,
        may_refuse=any(where.may_refuse for where, _ in chosen),
        may_warn=any(where.may_warn for where, _ in chosen),
        unknown=any(where.may_warn for where, _ in chosen),
        compiles=False,
        before=rng.randrange(1, 5),
        after=rng.randrange(1, 4),
    )


def run(seed: int, count: int) -> dict[str, int]:
    """``count`` programs; how many were the same, refused or warned."""
    suite.cases(every=False)  # fills the table
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    for i in range(count):
        chosen = []
        for where in rng.sample(PLACES, rng.choice([1, 1, 2, 3])):
            change = rng.choice([c for c in CHANGES if c.kind in where.kinds])
            chosen.append((where, change))
        case = _program(f"{seed}.{i}", chosen)
        try:
            counts[check(case)] += 1
        except AssertionError as error:
            raise AssertionError(
                f"{error}\nagain: python -m tests.hunt.run {NAME} --seed {seed} --count {i + 1}"
            ) from None
    return dict(counts)
