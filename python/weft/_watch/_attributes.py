"""Attributes of known objects: where they were found, and which ones the function writes."""

from __future__ import annotations

import sys
import threading
import types
from types import FunctionType
from typing import TYPE_CHECKING, Any

from weft._watch import _classes, _known
from weft._watch._place import ATOMS, Place, defined, definer, members_of
from weft._watch._present import MISSING

if TYPE_CHECKING:
    from weft._watch._watch import Watch

#: Attributes through which all others are read.
_WHOLE = {"__dict__", "__getstate__", "__reduce__", "__reduce_ex__"}
_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)


class Attributes:
    """Notes reads and writes of attributes for one :class:`Watch`."""

    def __init__(self, watch: Watch) -> None:
        """Nothing was read."""
        self.watch = watch
        self._written: dict[tuple[int, str], tuple[Any, str, Any, str]] = {}

    def approach(self, owner: Any, name: str) -> bool:
        """An attribute of a known object is about to be read: descriptors come first.

        Returns:
            whether reading it runs code of its own.
        """
        kind = type(owner)
        raw = defined(kind, name)
        if self.watch.quiet is not None or isinstance(raw, FunctionType):
            return False
        if isinstance(raw, classmethod) or name == "__class__":
            self.watch.admit(kind, f"class {kind.__name__}")
            return True
        runs = hasattr(type(raw), "__get__")
        if runs:
            self.watch.admit(raw, f"attribute {kind.__name__}.{name}")
        return runs

    def read(self, owner: Any, name: str, value: Any = MISSING) -> None:
        """An attribute of a known object was read; MISSING when there is none."""
        where = (id(owner), name)
        if where in self.watch.seen or self.watch.quiet is not None:
            return
        self.watch.seen.add(where)
        if where in self._written:
            return
        clean = self.watch.arrays.read_by(sys._getframe(2), name, value)
        self.note(owner, name, value, clean)
        if self.watch.arrays.is_of_interest(value):
            self.watch.seen.discard(where)

    def note(self, owner: Any, name: str, value: Any, clean: bool = False) -> None:
        """Note where an attribute was found: in the instance, or in its class."""
        kind = type(owner)
        text, line = f"attribute {kind.__name__}.{name}", self.watch.line()
        self.watch.place("type", owner, None, kind, f"class of {kind.__name__}", line, deep=False)
        members = members_of(owner)
        covered = id(owner) in self.watch.arguments or isinstance(owner, threading.local)
        if name in _WHOLE and members is not None:
            if not covered:
                named = f"attributes of {kind.__name__}"
                self.watch.place("content", members, None, members, named, line)
                self.watch.admit(members, text, line)
            return
        if name == "__class__":
            return
        base = definer(kind, name)
        raw = vars(base)[name] if base is not None else MISSING
        if self._is_internal(base, name, raw):
            return
        is_data = raw is not MISSING and hasattr(type(raw), "__set__")
        if members is not None and name in members and not is_data:
            if not covered:
                self.watch.place("attribute", owner, name, members[name], text, line)
                self.watch.admit(members[name], text, line, clean)
            return
        if members is not None and not is_data and not covered:
            self.watch.place("attribute", owner, name, MISSING, text, line)
        if not _classes.is_watching(raw):
            plain = raw.__func__ if isinstance(raw, staticmethod) else raw
            self.watch.place("class", kind, name, plain, text, line)
        if isinstance(raw, _SLOTS):
            if not covered:
                self.watch.place("slot", owner, name, value, text, line)
                self.watch.admit(value, text, line, clean)
        elif raw is not MISSING:
            self.watch.admit(raw, text, line, clean and raw is value)

    def _is_internal(self, base: type | None, name: str, raw: Any) -> bool:
        """Whether weft reads a private method of its own."""
        if base is None or name[0] != "_" or not isinstance(raw, (FunctionType, staticmethod)):
            return False
        reader = sys._getframe(4).f_code.co_filename
        return base.__module__.startswith("weft.") and _known.origin(reader) == "weft"

    def writes(self, owner: Any, name: str) -> None:
        """An attribute of a known object is about to be written or deleted."""
        where = (id(owner), name)
        if where in self._written or self.watch.quiet is not None:
            return
        by_user = _known.origin(sys._getframe(2).f_code.co_filename) == "user"
        self.watch.pause()
        before = (members_of(owner) or {}).get(name, MISSING)
        self._written[where] = (owner, name, before, self.watch.line() if by_user else "")
        self.watch.resume()

    def finish(self) -> None:
        """Say which attributes of known objects were changed."""
        for owner, name, before, line in self._written.values():
            now = (members_of(owner) or {}).get(name, MISSING)
            is_same = now is before and not isinstance(now, (*ATOMS, tuple))
            if line and not is_same:
                text = f"{type(owner).__name__}.{name}"
                self.watch.effects.changes[f"attribute {text} is set (at {line})"] = None

    def holds(self, place: Place) -> bool:
        """Whether a place is as it was found, but for attributes that the function wrote."""
        if place.holds():
            return True
        mine = (entry for entry in self._written.values() if place.owner is members_of(entry[0]))
        names = {name for _, name, _, _ in mine}
        if place.kind != "content" or not names:
            return False
        place.expected = place.expected.without(names)
        return place.holds()
