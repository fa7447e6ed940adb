"""Sides of a comparison, timed in turns so that the machine's moods hit all of them alike."""

import statistics
import timeit
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

EAGER, STATIC, NUMPY = "weft eager", "weft static", "numpy"
TORCH, COMPILED, JAX = "torch eager", "torch.compile", "jax jit"
COLUMNS = (EAGER, STATIC, NUMPY, TORCH, COMPILED, JAX)


def array(value: Any) -> np.ndarray:
    """The result of any framework as a numpy array."""
    value = value.detach() if hasattr(value, "detach") else value
    return np.array(value.numpy() if hasattr(value, "numpy") else value)


@dataclass
class Side:
    """One framework's way of doing the work.

    Attributes:
        run: does the work once, to its end, and returns the result.
        context: made for each turn and entered around it (no_grad, say).
        statement: what to time instead of ``run``, with the names in ``scope``.
        scope: names for ``statement``.
        note: shown below the table.
    """

    run: Callable[[], Any]
    context: Callable[[], Any] = nullcontext
    statement: str | None = None
    scope: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    def results(self, calls: int) -> list[np.ndarray]:
        """Of the first ``calls`` runs, which also warm up."""
        with self.context():
            return [array(self.run()) for _ in range(calls)]

    def seconds(self, calls: int) -> float:
        """Of ``calls`` runs, after one that is not counted."""
        timer = timeit.Timer(self.statement or self.run, globals=self.scope)
        with self.context():
            timer.timeit(1)
            return timer.timeit(calls)


@dataclass
class Row:
    """One workload.

    Attributes:
        name: shown in the table, and searched by ``--only``.
        build: makes the sides, all from the same weights and data.
        tolerance: for comparing results, relative to their largest absolute value.
        checked: how many runs are compared.
    """

    name: str
    build: Callable[[], dict[str, Side]]
    tolerance: float = 1e-4
    checked: int = 4


@dataclass
class Timed:
    """What a row gave: medians by column, in ``unit``; ``agree`` is None with one side only."""

    name: str
    values: dict[str, float]
    agree: bool | None = None
    unit: str = "µs"
    notes: list[str] = field(default_factory=list)


def disagreement(results: dict[str, list[np.ndarray]], tolerance: float) -> str | None:
    """Which two sides differ, or None."""
    (first, expected), *others = results.items()
    for name, found in others:
        for step, (a, b) in enumerate(zip(expected, found, strict=True)):
            scale = max(float(np.abs(a).max(initial=0.0)), 1e-3)
            error = float(np.abs(a.astype(np.float64) - b).max(initial=0.0)) / scale
            if a.shape != b.shape or not error <= tolerance:
                return f"{first} and {name} differ by {error:.1e} in run {step + 1}"
    return None


def spread(times: list[float]) -> float:
    """Width of the middle half over the median: large when something else was running."""
    low, middle, high = statistics.quantiles(times, n=4)
    return (high - low) / middle


def measure(row: Row, budget: float) -> Timed:
    """Check that all sides agree, then time them in turns for about ``budget`` seconds."""
    sides = row.build()
    results = {name: side.results(row.checked) for name, side in sides.items()}
    trouble = disagreement(results, row.tolerance)
    notes = [f"{name}: {side.note}" for name, side in sides.items() if side.note]
    calls = {}
    for name, side in sides.items():
        once = min(side.seconds(1) for _ in range(3))
        calls[name] = max(1, min(int(0.01 / max(once, 1e-9)), 20_000))
    first = sum(side.seconds(calls[name]) for name, side in sides.items())
    rounds = max(5, min(int(budget / max(first, 1e-6)), 101))
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            times[name].append(side.seconds(calls[name]) / calls[name])
    values = {name: statistics.median(found) * 1e6 for name, found in times.items()}
    if trouble:
        notes.append(trouble)
    noisy = [f"{name} {spread(found):.0%}" for name, found in times.items() if spread(found) > 0.25]
    if noisy:
        notes.append(f"noisy (middle half of the times over their median): {', '.join(noisy)}")
    return Timed(row.name, values, trouble is None if len(sides) > 1 else None, notes=notes)
