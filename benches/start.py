"""What one waits for once: compiling, importing, downloading."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import weft
from benches import gpt, mlp
from benches.models import filled, jax_training, training
from benches.peers import jax, torch
from benches.timing import EAGER, JAX, NUMPY, STATIC, TORCH, Timed


def compile_time(label: str, parts: tuple[Any, ...], repeats: int) -> Timed:
    """From the first call to a plan; without what the work itself takes."""
    make, loss_of, _, weights, data = parts
    plans, records = [], []
    for _ in range(repeats):
        model = filled(weft, make(weft), weights)
        step = training(weft, model, partial(loss_of, weft), 1e-3)
        given = [weft.from_numpy(d) for d in data]
        for _ in range(2):
            step(*given)
        begun = perf_counter()
        step(*given)
        eager = perf_counter() - begun
        fast = weft.compile(step)
        begun = perf_counter()
        fast(*given), fast(*given)
        records.append(perf_counter() - begun - 2 * eager)
        plans.append(fast.explain().compile_ms)
    values = {STATIC: statistics.median(plans)}
    recorded = max(0.0, statistics.median(records) * 1e3)
    notes = [f"weft: {recorded:.2f} ms for recording twice and compiling, less the work"]
    if jax is not None:
        values[JAX] = _first_call(parts, max(1, repeats // 5))
    return Timed(f"compile: {label} train step", values, unit="ms", notes=notes)


def _first_call(parts: tuple[Any, ...], repeats: int) -> float:
    times = []
    _, _, jax_loss, weights, data = parts
    given = [jax.numpy.array(d) for d in data]
    for _ in range(repeats):
        side = jax_training(jax_loss, weights, 1e-3, given)
        begun = perf_counter()
        side.run()
        times.append(perf_counter() - begun)
    return statistics.median(times) * 1e3


def compile_times(quick: bool) -> Iterator[Timed]:
    repeats = 3 if quick else 15
    for label, sizes, batch in (("tiny MLP", mlp.TINY, 8), ("MLP 784-512-512-10", mlp.MNIST, 128)):
        make = lambda lib, s=sizes: mlp.model(lib, s)  # noqa: E731
        data = mlp.data(sizes, batch)
        parts = (make, mlp.loss_of, mlp.jax_loss, mlp.weights(sizes), data)
        yield compile_time(label, parts, repeats)
    parts = (gpt.model, gpt.loss_of, gpt.jax_loss, gpt.weights(), gpt.data(8))
    yield compile_time("GPT", parts, 1 if quick else 5)


def imports(quick: bool) -> Timed:
    """Median wall time of a fresh interpreter that imports, less one that does not.

    numpy's own time is subtracted from weft's, torch's and jax's: all of them import it.
    """
    names = {NUMPY: "numpy", EAGER: "numpy, weft"}
    if torch is not None:
        names[TORCH] = "numpy, torch"
    if jax is not None:
        names[JAX] = "numpy, jax"
    times: dict[str, list[float]] = {name: [] for name in ["", *names]}
    for _ in range(3 if quick else 15):
        for name in times:
            code = f"import {names[name]}" if name else "pass"
            begun = perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times[name].append(perf_counter() - begun)
    found = {name: statistics.median(values) * 1e3 for name, values in times.items()}
    nothing = found.pop("")
    values = {name: value - found[NUMPY] for name, value in found.items()}
    values[NUMPY] = found[NUMPY] - nothing
    return Timed("import, beyond numpy", values, unit="ms")


def wheel() -> Timed | None:
    """Size of the newest wheel in dist/."""
    wheels = Path(__file__).resolve().parents[1].glob("dist/*.whl")
    newest = max(wheels, key=lambda p: p.stat().st_mtime, default=None)
    if newest is None:
        return None
    return Timed("wheel", {EAGER: newest.stat().st_size / 1e6}, unit="MB", notes=[newest.name])
