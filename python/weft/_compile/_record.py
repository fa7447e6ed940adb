"""Running a function eagerly while everything that it does and reads is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft import _core
from weft._compile._names import Names
from weft._compile._tree import Results, same_tree, tree_text
from weft._core import CompileError, Entry, Guards, Tensor
from weft._watch._place import Place
from weft._watch._watch import Watch


class Recorded:
    """One recording of one signature, and its plan once it is believed."""

    def __init__(self, entry: Entry, watch: Watch, cause: str) -> None:
        """``watch`` has seen the function run."""
        self.entry, self.cause = entry, cause
        places, self.own = watch.finish()
        #: By owner, whose dictionary is then looked up once.
        self.places = sorted(places, key=lambda place: id(place.owner))
        self.feeds = watch.feeds
        effects = watch.effects
        self.reported = bool(effects.seen)
        self.effects, self.unknown = [*effects.seen, *effects.changes], list(effects.unknown)
        self.executable: Any = None
        self.recording: Any = None
        self.tree: Any = None
        self.guards = Guards([])

    def attach(self, recording: Any, tree: Any) -> None:
        """Add what was recorded and the structure of the result."""
        self.recording, self.tree = recording, tree
        self.guards = Guards([place.guard() for place in self.places])

    def broken(self) -> Place | None:
        """The first place that is not as it was, once what feeds a plan is up to date."""
        for guards, refresh in self.feeds:
            if not guards.hold():
                refresh()
        at = self.guards.broken()
        return None if at is None else self.places[at]

    def changed_itself(self) -> set[tuple[str, int, Any]]:
        """Places that the function read and, in the same run, changed."""
        return {place.where() for place in self.own}

    def difference(self, other: Recorded) -> str | None:
        """How another recording of the same call differs, in words."""
        found = self.recording.difference(other.recording)
        if found is None and not same_tree(self.tree, other.tree):
            found = ("the return value", tree_text(self.tree), tree_text(other.tree))
        if found is None:
            return None
        line, first, now = found
        return (
            f"the function did not do the same thing twice (at {line}): first {first}, then {now}. "
            "Pass what changes as an argument"
        )

    def settle(self, names: Names) -> None:
        """Make the plan, and give the entry what it needs to run."""
        recording = self.recording
        inputs, leaves = names.inputs(recording.sources()), names.leaves(recording.leaves())
        self.executable = recording.compile(inputs, leaves)
        self.entry.settle(self.guards, self.feeds, self.executable, self.tree)


def record(
    function: Callable[..., Any],
    entry: Entry,
    tensors: list[Tensor],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    cause: str,
) -> tuple[Recorded, Any]:
    """Run ``function`` eagerly; what it did and what it returned."""
    _core.record_start(tensors)
    try:
        watch = Watch(function)
        watch.open(args, kwargs)
        value = watch.run(args, kwargs)
        results = Results(value, tensors, watch.knows)
        recorded = Recorded(entry, watch, cause)
        recording = _core.record_finish(results.made, watch.doors.tensors)
    except BaseException:
        _core.record_abort()
        raise
    recorded.attach(recording, results.tree)
    return recorded, value


def refusal(places: list[Place]) -> CompileError:
    """The function changes what it reads, on every call."""
    place = places[0]
    return CompileError(
        f"compile: {place.change()} is read and changed by the function itself (at {place.line}), "
        "which a plan cannot repeat. Keep it in a tensor that is changed in place, or change it "
        "outside and pass it as an argument"
    )
