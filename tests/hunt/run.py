"""Runs the hunters: programs made at random that look for wrong answers, crashes and hangs.

A hunter is a module of this folder with ``NAME`` and ``run(seed, count)``, which does ``count``
things that depend on ``seed`` alone, returns counts, and raises AssertionError when it found
something. ``SHORT`` is the count for the tests (some three seconds).

    python -m tests.hunt.run [NAME ...] [--seconds S] [--seed N] [--count N]

With ``--seed`` one batch runs here, in this process: the replay of a finding. Otherwise batches
run in child processes, by turns, until the seconds are over; seeds go on where the last run
stopped, and counts add up in ``hunt.json``.
"""

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "hunt.json"
#: Seeds below are those of the tests.
FIRST_SEED = 1000
#: A batch should take this long; a child that takes ten times as long hangs.
BATCH_SECONDS = 10.0
LIMIT_SECONDS = 120.0


def hunters() -> dict[str, ModuleType]:
    """The hunters by name."""
    found = {}
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if info.name != "run" and not info.name.startswith("test_"):
            module = importlib.import_module(f"tests.hunt.{info.name}")
            if hasattr(module, "NAME") and hasattr(module, "run"):
                found[module.NAME] = module
    return found


def replay(name: str, seed: int, count: int) -> str:
    """The command that does a batch again."""
    return f"python -m tests.hunt.run {name} --seed {seed} --count {count}"


@dataclass
class Outcome:
    """What a child found: counts, or what went wrong."""

    counts: dict[str, int]
    failure: str | None
    seconds: float


def in_child(name: str, seed: int, count: int, limit: float = LIMIT_SECONDS) -> Outcome:
    """One batch in a process of its own, which may crash or hang."""
    command = [sys.executable, "-m", "tests.hunt.run", name, "--seed", str(seed)]
    command += ["--count", str(count), "--json"]
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return Outcome({}, f"hangs (more than {limit:.0f} s)", time.monotonic() - start)
    seconds = time.monotonic() - start
    lines = done.stdout.splitlines()
    if done.returncode == 0 and lines:
        return Outcome(json.loads(lines[-1]), None, seconds)
    told = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
    return Outcome({}, f"exit code {done.returncode}\n{told}", seconds)


def _load() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}


def _save(book: dict[str, Any]) -> None:
    fresh = FILE.with_suffix(".tmp")
    fresh.write_text(json.dumps(book, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(FILE)


def _turn(name: str, page: dict[str, Any]) -> bool:
    """One batch of one hunter, written into its page; whether all is well."""
    seed, count = page.setdefault("next_seed", FIRST_SEED), page.setdefault("batch", 20)
    outcome = in_child(name, seed, count)
    page["next_seed"] = seed + 1
    page["seconds"] = round(page.get("seconds", 0.0) + outcome.seconds, 1)
    if outcome.failure is not None:
        page.setdefault("findings", []).append(replay(name, seed, count))
        print(f"{name}: {outcome.failure}\n  again: {replay(name, seed, count)}", flush=True)
        return False
    counts = page.setdefault("counts", {})
    for key, value in outcome.counts.items():
        counts[key] = counts.get(key, 0) + value
    if outcome.seconds < BATCH_SECONDS / 2:
        page["batch"] = count * 2
    elif outcome.seconds > BATCH_SECONDS * 2:
        page["batch"] = max(count // 2, 1)
    return True


def hunt(names: list[str], seconds: float) -> bool:
    """Let the hunters take turns until the time is over; whether nothing was found."""
    end, well = time.monotonic() + seconds, True
    while time.monotonic() < end:
        for name in names:
            if time.monotonic() >= end:
                break
            book = _load()
            well &= _turn(name, book.setdefault(name, {}))
            _save(book)
    book = _load()
    for name in names:
        page = book.get(name, {})
        told = ", ".join(f"{v:,} {k}" for k, v in sorted(page.get("counts", {}).items()))
        print(f"{name:12} {told or 'nothing yet'}; {len(page.get('findings', []))} findings")
    return well


def main() -> int:
    """See the top of this file."""
    parser = argparse.ArgumentParser(prog="tests.hunt.run")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print the counts as the last line")
    given = parser.parse_args()
    known = hunters()
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"no hunter {unknown[0]!r}, expected some of {', '.join(known)}")
    names = given.names or list(known)
    if given.seed is None:
        return 0 if hunt(names, given.seconds) else 1
    for name in names:
        try:
            counts = known[name].run(given.seed, given.count)
        except Exception:
            traceback.print_exc()
            print(f"again: {replay(name, given.seed, given.count)}", file=sys.stderr)
            return 1
        print(json.dumps(counts) if given.json else f"{name}: {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
