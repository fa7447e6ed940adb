"""One recording's view of the world outside: what it read, changed and called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from weft._core import CompileError, Guards, Snapshot
from weft._watch import _classes, _known, _quiet
from weft._watch._arrays import Arrays
from weft._watch._attributes import Attributes
from weft._watch._calls import Monitor, calls
from weft._watch._chains import Chains
from weft._watch._doors import Doors
from weft._watch._effects import Effects
from weft._watch._known import frame_of_user, line_of_user
from weft._watch._place import LIMIT, Place
from weft._watch._present import MISSING, local


class Watch:
    """Collects what a function depends on while it runs on this thread.

    What comes through a door from outside (a name, a closure cell, an argument, an attribute or
    an item of something that came before) is *known*; only reads of known objects are noted.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Nothing is watched before ``with``."""
        self.function = function
        #: Known objects by identity; held, so that an identity is not used again.
        self.known: dict[int, Any] = {}
        #: Objects whose attributes are part of the call's signature.
        self.arguments: set[int] = set()
        self.places: dict[tuple[str, int, Any], Place] = {}
        #: What optimisers want to bring up to date before a run: places and a callback.
        self.feeds: list[tuple[Guards, Callable[[], Guards]]] = []
        self.refused: str | None = None
        self.quiet: FrameType | None = None
        #: Attributes that have been noted, by owner.
        self.seen: set[tuple[int, str]] = set()
        self._contents: dict[int, Snapshot] = {}
        self.effects = Effects(self)
        self.attributes = Attributes(self)
        self.arrays = Arrays(self)
        self.chains = Chains(self)
        self.doors = Doors(self)
        self.admit = self.doors.admit
        self._calls = calls(self)

    # Starting and stopping

    def __enter__(self) -> Watch:
        """Start watching this thread."""
        _quiet.enter()
        try:
            local.watch = self
            self._calls.start()
        except BaseException:
            local.watch = None
            _quiet.leave()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Stop; an error of the function goes first."""
        local.watch = None
        kept = self._calls.stop()
        _classes.release(self)
        _quiet.leave()
        if not kept and kind is None:
            raise CompileError(
                "compile: a profiler was started or stopped inside the function, so what the "
                "function reads could not be watched. Do it outside"
            )

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function while this thread is watched."""
        with self:
            profile = self._calls
            if isinstance(profile, Monitor):
                return self.function(*args, **kwargs)
            sys.setprofile(profile.function)
            try:
                return self.function(*args, **kwargs)
            finally:
                if sys.getprofile() is profile.function:
                    sys.setprofile(profile.before)
                else:
                    profile.kept = False

    def pause(self) -> None:
        """Look away: what follows is the watch's own doing."""
        local.watch = None
        self._calls.pause()

    def resume(self) -> None:
        """Look again."""
        self._calls.resume()
        local.watch = self

    def open(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Let in the function and its arguments, before it runs."""
        self.admit(self.function, "the function itself")
        clean = self.arrays.arguments(self.function, args, kwargs)
        for value in (*args, *kwargs.values()):
            self.doors.argument(value, id(value) in clean)

    # Places

    def line(self) -> str:
        """The line of the user's program that runs now."""
        return line_of_user()

    def frame(self) -> FrameType | None:
        """The frame of the user's program that runs now."""
        return frame_of_user()

    def knows(self, value: Any) -> bool:
        """Whether this very object came through a door."""
        return id(value) in self.known

    def place(
        self,
        kind: str,
        owner: Any,
        key: Any,
        value: Any,
        text: str,
        line: str | None = None,
        deep: bool = True,
    ) -> None:
        """Note that ``value`` was found at a place; ``deep``: with all that it contains."""
        where = (kind, id(owner), key)
        before = self.places.get(where)
        if before is not None and not (deep and isinstance(before.value, _known.COLLECTIONS)):
            return
        line = line or self.line()
        if value is MISSING:
            expected = Snapshot.missing()
        elif isinstance(value, _known.COLLECTIONS):
            contents = self._content(value, text, line)
            expected = contents if deep else Snapshot.identity(value)
        else:
            expected = Snapshot(value)
        self.places[where] = Place(kind, owner, key, value, expected, text, line)

    def _content(self, value: Any, text: str, line: str) -> Snapshot:
        """What a collection contained when it was first met."""
        found = self._contents.get(id(value))
        if found is None:
            try:
                found = Snapshot(value, LIMIT)
            except RecursionError:
                self.refuse(
                    f"{text} holds more than {LIMIT:,} items (or itself), too many to be compared "
                    f"on every call (at {line}). Pass what is needed as an argument"
                )
                found = Snapshot.identity(value)
            self._contents[id(value)] = found
            self.known.setdefault(~id(value), value)
        return found

    def refuse(self, sentence: str) -> None:
        """The function cannot be compiled; said when it has run."""
        self.refused = self.refused or sentence

    # Events

    def entered(self, frame: FrameType) -> None:
        """A Python function begins or goes on."""
        if self.quiet is not None:
            return
        code = frame.f_code
        if code in self.chains.settled:
            return
        module = frame.f_globals.get("__name__", "").partition(".")[0]
        if module in _known.REPORTERS:
            self.quiet = frame
            self.effects.reports(f"{module} is called")
            return
        self.chains.ran(code, frame)

    def left(self, frame: FrameType) -> None:
        """A Python function ends."""
        if frame is self.quiet:
            self.quiet = None

    # At the end

    def finish(self) -> tuple[list[Place], list[Place]]:
        """Places as they were found, and those that the function itself has changed."""
        if self.refused is not None:
            raise CompileError(f"compile: {self.refused}")
        self.arrays.finish()
        self.chains.finish()
        self.attributes.finish()
        own = [place for place in self.places.values() if not self.attributes.holds(place)]
        return list(self.places.values()), own
