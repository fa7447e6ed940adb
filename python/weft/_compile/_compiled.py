"""The callable that ``weft.compile`` returns."""

from __future__ import annotations

import functools
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from weft import _core
from weft._compile import CompileWarning
from weft._compile._explain import Explanation
from weft._compile._names import Names
from weft._compile._record import Recorded, record, refusal
from weft._compile._tree import Results
from weft._core import CompileError, Dispatch, Entry, Tensor
from weft._watch._known import line_of_user, origin

#: Recordings of one signature before a function that never settles is reported.
MOST_RECORDINGS = 32
#: Values that plain arguments may take before the function runs eagerly.
MOST_VALUES = 32
#: Plans that are kept; those that ran longest ago go first.
MOST_PLANS = 64


class Compiled(Dispatch):
    """A function that runs as a static graph; made by :func:`compile`."""

    def __init__(
        self, function: Callable[..., Any], verify: int | None = None, strict: bool = False
    ) -> None:
        """See :func:`compile`."""
        functools.update_wrapper(self, function, updated=())
        self._function = function
        self._verify = verify or 0
        self._strict = strict
        self._recorded: list[Recorded] = []
        self._last: Recorded | None = None
        self._warned: set[str] = set()

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """As a method: the owner is the first argument."""
        return self if owner is None else types.MethodType(self, owner)

    def _slow(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that no plan answers: record, believe, or run eagerly."""
        if _core.is_recording():
            return self._function(*args, **kwargs)
        alike: list[Recorded] = []
        tensors: list[Tensor] | None = None
        for recorded in self._recorded:
            found = recorded.entry.answers(args, kwargs)
            if found is not None:
                alike.append(recorded)
                tensors = found
        if tensors is None:
            return self._first(args, kwargs)
        if self._verify:
            for recorded in alike:
                if recorded.executable is not None and recorded.broken() is None:
                    return self._verified(recorded, tensors, args, kwargs)
        return self._again(alike, tensors, args, kwargs)

    def _first(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        entry = Entry(args, kwargs)
        if entry.has_values():
            values = sum(recorded.entry.has_values() for recorded in self._recorded)
            if values >= MOST_VALUES:
                self._warn(
                    f"plain arguments had more than {MOST_VALUES} values; with others the function "
                    f"runs eagerly (called at {line_of_user()}). Pass what changes as a tensor"
                )
                return self._function(*args, **kwargs)
        return self._new(entry, args, kwargs, "first call with these arguments")

    def _again(
        self, alike: list[Recorded], tensors: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record a second time, or for a new reason."""
        why, suspect = "a .grad, requires_grad or shared memory changed", None
        for recorded in alike:
            place = recorded.broken()
            if place is not None:
                why = place.change()
                if recorded.executable is None and place.where() in recorded.changed_itself():
                    suspect = recorded
            elif recorded.own:
                # What it made on the first call has been taken away: a first call again.
                self._recorded.remove(recorded)
                return self._new(recorded.entry, args, kwargs, recorded.cause)
            elif recorded.executable is None and recorded.recording.fits(tensors):
                second, value = self._run(recorded.entry, args, kwargs, recorded.cause)
                names = Names(self._function, args, kwargs, tensors)
                return self._believe(recorded, second, names, value)
        if len(alike) >= MOST_RECORDINGS:
            raise CompileError(
                f"compile: recorded {len(alike)} times for the same arguments, and something "
                f"changes every time ({why}). Pass it as an argument"
            )
        before = suspect.changed_itself() if suspect is not None else set()
        return self._new(Entry(args, kwargs), args, kwargs, why, before)

    def _new(
        self,
        entry: Entry,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        cause: str,
        changed_before: set[Any] = frozenset(),  # type: ignore[assignment]
    ) -> Any:
        """Record for the first time; ``changed_before``: what the last recording changed."""
        recorded, value = self._run(entry, args, kwargs, cause)
        again = [place for place in recorded.own if place.where() in changed_before]
        if again:
            raise refusal(again)
        if self._strict and recorded.reported:
            self._report(recorded)
        self._recorded.append(recorded)
        self._last = recorded
        return value

    def _run(
        self, entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any], cause: str
    ) -> tuple[Recorded, Any]:
        found = entry.answers(args, kwargs)
        if found is None:
            raise CompileError("compile: an argument changed while it was looked at")
        return record(self._function, entry, found, args, kwargs, cause)

    def _report(self, recorded: Recorded) -> None:
        """Say what a plan of this recording will not do, and what nobody can vouch for."""
        told = [
            f"{text}: it happens while recording, not when the plan runs"
            for text in recorded.effects
        ]
        told += [
            f"{text}: whether it always gives the same is not known" for text in recorded.unknown
        ]
        for sentence in told:
            if self._strict:
                raise CompileError(f"compile: {sentence} (strict=True refuses it)")
            self._warn(sentence)

    def _warn(self, sentence: str) -> None:
        if sentence not in self._warned:
            self._warned.add(sentence)
            warnings.warn(f"compile: {sentence}", CompileWarning, stacklevel=_outside())

    def _believe(self, recorded: Recorded, second: Recorded, names: Names, value: Any) -> Any:
        """Make a plan if two recordings do not differ."""
        difference = recorded.difference(second)
        if difference is not None:
            raise CompileError(f"compile: {difference}")
        if second.own:
            raise refusal(second.own)
        self._report(second)
        try:
            self._recorded.remove(recorded)
        except ValueError:
            return value  # another thread has believed it meanwhile
        try:
            second.settle(names)
        except BaseException:
            self._recorded.append(recorded)
            raise
        self._recorded.append(second)
        self.add(second.entry)
        dropped = self.keep(MOST_PLANS)
        if dropped:
            self._recorded = [r for r in self._recorded if r.entry not in dropped]
        self._last = second
        return value

    def _verified(
        self, recorded: Recorded, tensors: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Run the plan, put everything back, run eagerly, and compare all bits."""
        executable = recorded.executable
        leaves = executable.grad_leaves(tensors)
        state = _core.random_state()
        before = [(t, t.detach().clone()) for t in executable.written(tensors)]
        grads = [leaf.grad for leaf in leaves]
        found = recorded.entry.attempt(tensors)
        if found is None:
            return self._again([recorded], tensors, args, kwargs)
        planned = _bits(found[0], before, leaves)
        _core.set_random_state(*state)
        for leaf, grad in zip(leaves, grads, strict=True):
            leaf.grad = grad
        for tensor, old in before:
            tensor.detach().copy_(old)
        value = self._function(*args, **kwargs)
        for i, (a, b) in enumerate(zip(planned, _bits(value, before, leaves), strict=True)):
            if a != b:
                raise CompileError(
                    f"compile: verify found that result {i} differs from the eager run: "
                    "the function depends on something that the recording could not see"
                )
        return value

    @property
    def _latest(self) -> Recorded | None:
        entry = self.latest()
        for recorded in self._recorded:
            if entry is not None and recorded.entry is entry and self._last is not None:
                return recorded if self._last.executable is not None else self._last
        return self._last

    @property
    def graph(self) -> str:
        """The text form of the static graph that ran last, with the line of every node."""
        last = self._latest
        if last is None:
            raise CompileError("compile: nothing recorded yet. Call the function first")
        text: str = last.recording.text if last.executable is None else last.executable.text()
        return text

    @property
    def executable(self) -> Any:
        """The native executable that ran last, or ``None`` before the third call."""
        last = self._latest
        return last.executable if last is not None else None

    def explain(self) -> Explanation:
        """What was recorded and why, and what compiling it achieved."""
        every, last = self._recorded, self._latest
        report = self.executable.report() if self.executable is not None else {}
        known = {f.name for f in fields(Explanation)}
        effects = dict.fromkeys(text for recorded in every for text in recorded.effects)
        unknown = dict.fromkeys(text for recorded in every for text in recorded.unknown)
        return Explanation(
            len(every),
            tuple(recorded.cause for recorded in every),
            tuple(effects),
            tuple(unknown),
            len(last.places) if last is not None else 0,
            **{k: v for k, v in report.items() if k in known},
        )


def _bits(value: Any, written: Any, leaves: Any) -> list[bytes]:
    """The bytes of everything that a run gave and changed."""
    tensors = Results(value, [], lambda _: False).made
    tensors += [tensor for tensor, _ in written]
    tensors += [leaf.grad for leaf in leaves if leaf.grad is not None]
    return [tensor.detach().numpy().tobytes() for tensor in tensors]


def _outside() -> int:
    """How many frames up the first caller outside of weft stands, for warnings."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and origin(frame.f_code.co_filename) == "weft":
        level, frame = level + 1, frame.f_back
    return level
