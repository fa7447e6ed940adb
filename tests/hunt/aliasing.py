"""Random in-place and aliasing programs, compiled against eager on identical copies.

Every program is called five times in each world; all that a call can change must have the same
bits: results, arguments, captured tensors and those that share their memory, ``.grad`` fields,
optimiser state, the random stream, and whether a value saved before the call is still good.
An error in a plan must change nothing. Refusals are counted.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.hunt.aliasing_source import Case, World

import weft

NAME = "aliasing"
#: Programs for the tests.
SHORT = 400
CALLS = 5


def outcome(step: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    """The bits of what a call returns, or the class of what it raises."""
    try:
        results = step(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)
    results = results if isinstance(results, tuple) else (results,)
    return "", [
        None if t is None else (str(t.dtype), tuple(t.shape), t.numpy().tobytes()) for t in results
    ]


def saved(world: World) -> Callable[[], bool]:
    """A value saved for backward before a call; whether its backward still works after it."""
    products = [(p * p).sum() for p in world.params] if world.case.probe else []

    def works() -> bool:
        try:
            weft.autograd.grad(products, world.params)
        except RuntimeError:
            return False
        return True

    return works if products else lambda: True


def differ(case: Case, what: str, call: int, detail: object = "") -> AssertionError:
    """A finding, with the line that replays it."""
    replay = f"from tests.hunt import aliasing; aliasing.check(aliasing.Case({case.seed!r}))"
    return AssertionError(f"call {call}: {what} {detail}\n{case.text}\nreplay: {replay}")


def places(a: list[Any], b: list[Any]) -> list[int]:
    """Where two lists differ."""
    return [i for i, (p, q) in enumerate(zip(a, b, strict=True)) if p != q]


def check(case: Case) -> str:
    """Run one case in both worlds; what became of it, or AssertionError."""
    eager, static = case.world(), case.world()
    run = weft.compile(static.step)
    for call in range(CALLS):
        arguments = [world.arguments(call == CALLS - 1) for world in (eager, static)]
        probes = [saved(world) for world in (eager, static)]
        before, plans = static.look(arguments[1]), run.explain()
        weft._core.set_random_state(7, 100 * call)
        want, after = outcome(eager.step, arguments[0]), eager.look(arguments[0])
        weft._core.set_random_state(7, 100 * call)
        before[-1] = repr(weft._core.random_state()).encode()
        got, now = outcome(run, arguments[1]), static.look(arguments[1])
        if got[0] == "CompileError":
            return "refused: " + got[1].split(" (at ")[0][:60]
        if want[0] != got[0]:
            raise differ(case, "eager and static end differently:", call, (want, got))
        if want[0]:
            planned = plans.steps > 0 and run.explain().recordings == plans.recordings
            if planned and now != before:
                raise differ(case, "an error in a plan changed", call, places(now, before))
            if not planned and now != after:
                raise differ(case, "an error while recording left", call, places(now, after))
            return "raised in a plan" if planned else f"raised {want[0]}"
        if want[1] != got[1]:
            raise differ(case, "results differ:", call, places(want[1], got[1]))
        if now != after:
            raise differ(case, "contents differ:", call, places(now, after))
        works = [probe() for probe in probes]
        if works[0] != works[1]:
            raise differ(case, "a saved value is good in (eager, static):", call, works)
    return "ran a plan" if run.explain().steps > 0 else "ran without a plan"


def run(seed: int, count: int) -> dict[str, int]:
    """Check ``count`` programs that follow from ``seed``; how often each outcome came."""
    counts: Counter[str] = Counter()
    weft._core.verify_plans(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(count):
            counts[check(Case(f"{seed}:{k}"))] += 1
    return dict(counts)
