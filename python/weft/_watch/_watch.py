"""One recording's view of the world outside: what it read, changed and called."""

from __future__ import annotations

import abc
import contextvars
import functools
import io
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

import numpy as np

from weft import _core
from weft._core import CompileError, Guards, Snapshot, Tensor
from weft._watch import _classes, _known, _quiet
from weft._watch._arrays import Arrays
from weft._watch._calls import Monitor, calls
from weft._watch._chains import Chains
from weft._watch._known import frame_of_user, line_of_user
from weft._watch._place import LIMIT, Place, defined, definer, members_of
from weft._watch._present import MISSING, local

_ATOMS = (bool, int, float, complex, str, bytes, type(None))
#: What weft's own functions tell that is set outside, in words.
_SETTINGS = {"get_num_threads": "number of threads", "initial_seed": "seed of the random stream"}
#: Attributes through which all others are read.
_WHOLE = {"__dict__", "__getstate__", "__reduce__", "__reduce_ex__"}
_SLOTS = (types.MemberDescriptorType, types.GetSetDescriptorType)


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
        #: Tensors that came through a door.
        self.doors: list[Tensor] = []
        #: Sentences on calls whose effect a plan does not repeat, on changes that it does not
        #: make, and on calls that nobody knows.
        self.effects: dict[str, None] = {}
        self.changes: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        #: What optimisers want to bring up to date before a run: places and a callback.
        self.feeds: list[tuple[Guards, Callable[[], Guards]]] = []
        self.refused: str | None = None
        #: Whether the function asks for the classes of objects.
        self.asks_types = False
        #: Whether it reads attributes past their classes.
        self.asks_members = False
        self.quiet: FrameType | None = None
        #: Attributes that have been noted, by owner.
        self.seen: set[tuple[int, str]] = set()
        self._showing: tuple[int, int] | None = None
        self._written: dict[tuple[int, str], tuple[Any, str, Any, str]] = {}
        self._contents: dict[int, Snapshot] = {}
        #: Whether objects of a class never change, or are compared by their bytes.
        self._passes: dict[type, bool] = {}
        self._judged: set[tuple[Any, ...]] = set()
        self.arrays = Arrays(self)
        self._chains = Chains(self)
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
            self._argument(value, id(value) in clean)

    def _argument(self, value: Any, clean: bool = False) -> None:
        from weft._compile._tree import attributes

        if isinstance(value, (list, tuple)):
            for part in value:
                self._argument(part, clean)
        elif type(value) is dict:
            for part in value.values():
                self._argument(part, clean)
        elif not isinstance(value, Tensor):
            members = attributes(value)
            if members is None:
                self.admit(value, "an argument", clean=clean)
                return
            self.known[id(value)] = value
            self.arguments.add(id(value))
            _classes.patch(type(value), self)
            for part in members.values():
                self._argument(part)

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

    def ask_types(self, line: str) -> None:
        """The function names ``type``: the classes of what is known matter as a whole."""
        if not self.asks_types:
            self.asks_types = True
            for value in list(self.known.values()):
                kind = value if isinstance(value, type) else type(value)
                self.admit(kind, f"class {kind.__name__}", line)

    def ask_members(self) -> None:
        """The function reads attributes past their classes: those of all that is known matter."""
        if not self.asks_members:
            self.asks_members = True
            for value in list(self.known.values()):
                self._whole(value)

    def _whole(self, value: Any, line: str | None = None) -> None:
        """All that an object of a user's class holds."""
        kind, members = type(value), members_of(value)
        if _known.module_origin(kind.__module__) != "user" or isinstance(value, type):
            return
        text = f"attributes of {kind.__name__}"
        covered = id(value) in self.arguments or isinstance(value, threading.local)
        if isinstance(members, dict) and not covered:
            self.place("content", members, None, members, text, line)
            self.admit(members, text, line)
        for base in kind.__mro__:
            for name, raw in vars(base).items():
                if isinstance(raw, types.MemberDescriptorType):
                    self._attribute(value, name, getattr(value, name, MISSING))

    def refuse(self, sentence: str) -> None:
        """The function cannot be compiled; said when it has run."""
        self.refused = self.refused or sentence

    # What comes through a door

    def admit(self, value: Any, text: str, line: str | None = None, clean: bool = False) -> None:
        """Let a value in: from now on reads of it are noted.

        ``clean``: the arrays in it only become tensors.
        """
        kind = type(value)
        if id(value) in self.known:
            if not clean:
                self.arrays.doubt(value)
            return
        if kind in _ATOMS:
            return
        if kind not in self._passes:
            self._passes[kind] = issubclass(kind, (*_known.CONSTANT, *_known.BYTES))
        if self._passes[kind]:
            return
        self.known[id(value)] = value
        if self.asks_types and not isinstance(value, type):
            self.admit(kind, f"class {kind.__name__}", line)
        if isinstance(value, _known.COLLECTIONS) and members_of(value) is not None:
            _classes.patch(kind, self)
        if isinstance(value, Tensor):
            self.doors.append(value)
        elif isinstance(value, np.ndarray):
            self.arrays.meets(value, line or self.line(), clean)
        elif isinstance(value, (list, set, frozenset, tuple, deque)):
            clean = self.arrays.holds(value, clean)
            for part in list(value):
                self.admit(part, text, line, clean)
        elif isinstance(value, (dict, types.MappingProxyType)):
            if not hasattr(kind, "__weft_watched__"):
                clean = self.arrays.holds(value, clean)
                for key, part in list(value.items()):
                    self.admit(key, text, line)
                    self.admit(part, text, line, clean)
        else:
            self._admit_object(value, kind, text, line)

    def _admit_object(self, value: Any, kind: type, text: str, line: str | None) -> None:
        if isinstance(value, FunctionType):
            self._chains.function(value)
        elif isinstance(value, types.MethodType):
            self.admit(value.__func__, text, line)
            self.admit(value.__self__, text, line)
        elif isinstance(value, functools.partial):
            for name in ("func", "args", "keywords"):
                part = getattr(value, name)
                self.place("slot", value, name, part, f"{text}.{name}", line)
                self.admit(part, text, line)
        elif isinstance(value, (weakref.ref, contextvars.ContextVar)):
            self._asked(value, text, line)
        elif isinstance(value, (staticmethod, classmethod)):
            self.admit(value.__func__, text, line)
        elif isinstance(value, property):
            self.admit(value.fget, text, line)
        elif _known.is_random(value):
            self.refuse(
                f"{text} draws random numbers of numpy, which a plan would repeat for ever (at "
                f"{line or self.line()}). Draw with weft, or outside and pass them as an argument"
            )
        elif isinstance(value, types.BuiltinFunctionType):
            self.admit(value.__self__, text, line)
        elif type(value).__name__ == "_lru_cache_wrapper":
            self.admit(value.__wrapped__, text, line)
            self._chains.assume(value.__wrapped__)
        elif isinstance(value, types.ModuleType):
            self._whole_module(value, text, line)
        elif isinstance(value, type):
            self._whole_class(value, text, line)
        elif _known.is_iterator(value) and not hasattr(kind, "__weft_watched__"):
            self.refuse(
                f"{text} is an iterator older than the call, which gives something else every "
                f"time (at {line or self.line()}). Pass what it yields as an argument"
            )
        elif not hasattr(kind, "__weft_watched__"):
            self._instance(value, kind, text, line)

    def _asked(self, value: Any, text: str, line: str | None) -> None:
        """Weak references and context variables: what they give."""
        name = "__call__" if isinstance(value, weakref.ref) else "get"
        try:
            found = getattr(value, name)()
        except LookupError:
            found = MISSING
        self.place("called", value, name, found, f"{text}()", line)
        if found is not MISSING:
            self.admit(found, text, line)

    def _instance(self, value: Any, kind: type, text: str, line: str | None) -> None:
        full = f"{kind.__module__}.{kind.__qualname__}"
        if kind is object or full in _known.HARMLESS:
            return
        if self.asks_members:
            self._whole(value, line)
        if isinstance(value, threading.local):
            members = members_of(value)
            self.place("slot", value, "__dict__", members, f"attributes of {text}", line)
            self.admit(members, text, line)
            _classes.patch(kind, self)
            return
        if kind.__flags__ & 1 << 9 and _classes.patch(kind, self):
            return
        members = members_of(value)
        if isinstance(members, dict):
            self.place("content", members, None, members, f"attributes of {text}", line)
            self.admit(members, text, line)
        elif _known.module_origin(kind.__module__) not in ("weft", "numpy"):
            self._suspect(f"{text} is a {full}", line)

    def _whole_module(self, module: types.ModuleType, text: str, line: str | None) -> None:
        """A module that is passed on as a value: all its names."""
        if _known.module_origin(module.__name__) != "user":
            return
        members = vars(module)
        for name, value in list(members.items()):
            if not name.startswith("__"):
                self.place("item", members, name, value, f"{text}.{name}", line)
                self.admit(value, f"{text}.{name}", line)

    def _whole_class(self, kind: type, text: str, line: str | None) -> None:
        """A class that is passed on as a value: all that it and its bases define."""
        if isinstance(kind, abc.ABCMeta):
            token = abc.get_cache_token()
            self.place("called", abc, "get_cache_token", token, "classes registered", line)
        for base in kind.__mro__:
            if _known.module_origin(base.__module__) != "user":
                continue
            for name, value in list(vars(base).items()):
                if not (name.startswith("__") or name.startswith("_abc_")):
                    self.place("class", base, name, value, f"{base.__name__}.{name}", line)
                    self.admit(value, f"{base.__name__}.{name}", line)

    # Attributes

    def approach(self, owner: Any, name: str) -> bool:
        """An attribute of a known object is about to be read: descriptors come first.

        Returns:
            whether reading it runs code of its own.
        """
        kind = type(owner)
        raw = defined(kind, name)
        if self.quiet is not None or isinstance(raw, FunctionType):
            return False
        if isinstance(raw, classmethod) or name == "__class__":
            self.admit(kind, f"class {kind.__name__}")
            return True
        runs = hasattr(type(raw), "__get__")
        if runs:
            self.admit(raw, f"attribute {kind.__name__}.{name}")
        return runs

    def attribute(self, owner: Any, name: str, value: Any = MISSING) -> None:
        """An attribute of a known object was read; MISSING when there is none."""
        where = (id(owner), name)
        if where in self.seen or self.quiet is not None:
            return
        self.seen.add(where)
        if where in self._written:
            return
        clean = self.arrays.read_by(sys._getframe(2), name, value)
        self._attribute(owner, name, value, clean)
        if self.arrays.is_of_interest(value):
            self.seen.discard(where)

    def _attribute(self, owner: Any, name: str, value: Any, clean: bool = False) -> None:
        kind = type(owner)
        text, line = f"attribute {kind.__name__}.{name}", self.line()
        self.place("type", owner, None, kind, f"class of {kind.__name__}", line, deep=False)
        members = members_of(owner)
        covered = id(owner) in self.arguments or isinstance(owner, threading.local)
        if name in _WHOLE and members is not None:
            if not covered:
                named = f"attributes of {kind.__name__}"
                self.place("content", members, None, members, named, line)
                self.admit(members, text, line)
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
                self.place("attribute", owner, name, members[name], text, line)
                self.admit(members[name], text, line, clean)
            return
        if members is not None and not is_data and not covered:
            self.place("attribute", owner, name, MISSING, text, line)
        if not _classes.is_watching(raw):
            plain = raw.__func__ if isinstance(raw, staticmethod) else raw
            self.place("class", kind, name, plain, text, line)
        if isinstance(raw, _SLOTS):
            if not covered:
                self.place("slot", owner, name, value, text, line)
                self.admit(value, text, line, clean)
        elif raw is not MISSING:
            self.admit(raw, text, line, clean and raw is value)

    def _is_internal(self, base: type | None, name: str, raw: Any) -> bool:
        """Whether weft reads a private method of its own."""
        if base is None or name[0] != "_" or not isinstance(raw, (FunctionType, staticmethod)):
            return False
        reader = sys._getframe(4).f_code.co_filename
        return base.__module__.startswith("weft.") and _known.origin(reader) == "weft"

    def writes(self, owner: Any, name: str) -> None:
        """An attribute of a known object is about to be written or deleted."""
        where = (id(owner), name)
        if where in self._written or self.quiet is not None:
            return
        by_user = _known.origin(sys._getframe(2).f_code.co_filename) == "user"
        self.pause()
        before = (members_of(owner) or {}).get(name, MISSING)
        self._written[where] = (owner, name, before, self.line() if by_user else "")
        self.resume()

    # Events

    def entered(self, frame: FrameType) -> None:
        """A Python function begins or goes on."""
        if self.quiet is not None:
            return
        code = frame.f_code
        if code in self._chains.settled:
            return
        module = frame.f_globals.get("__name__", "").partition(".")[0]
        if module in _known.REPORTERS:
            self.quiet = frame
            self.reports(f"{module} is called")
            return
        self._chains.ran(code, frame)

    def left(self, frame: FrameType) -> None:
        """A Python function ends."""
        if frame is self.quiet:
            self.quiet = None

    def called(self, function: Any, owner: Any, frame: FrameType) -> None:
        """Something that is no Python function is called."""
        if self.quiet is not None:
            return
        whose = _known.origin(frame.f_code.co_filename)
        if whose == "numpy":
            return
        if whose == "weft" and getattr(function, "__name__", "") not in _known.SHOWN:
            return
        if whose == "user" and (text := _SETTINGS.get(getattr(function, "__name__", ""))):
            self.place("called", _core, function.__name__, function(), text)
        if isinstance(owner, (io.StringIO, io.BytesIO)) and not self.knows(owner):
            return
        judged = (getattr(function, "__qualname__", None), type(owner), whose, frame.f_lineno)
        if judged in self._judged and not isinstance(owner, _known.COLLECTIONS):
            return
        self._judged.add(judged)
        if whose == "library" and _known.is_own_use(function, frame.f_code):
            return
        verdict = _known.verdict(function, owner)
        if verdict != "pure":
            self._judge(verdict, function, owner, whose)

    def _judge(self, verdict: str, function: Any, owner: Any, whose: str) -> None:
        name = getattr(function, "__name__", repr(function))
        if verdict == "reports":
            frame = frame_of_user()
            self._showing = (id(frame), frame.f_lasti if frame is not None else 0)
            self.reports(f"{name} is called")
        elif verdict == "mutates":
            if ~id(owner) in self.known or id(owner) in self.known:
                what = f"a {type(owner).__name__} is changed by .{name}()"
                self.changes[f"{what} (at {self.line()})"] = None
        elif whose == "weft":
            return
        elif verdict == "changes":
            self._stop(
                f"{name}() gives what the world outside decides, and a plan would repeat one "
                f"answer for ever (at {self.line()}). Call it outside and pass the result as an "
                "argument"
            )
        elif verdict == "frames":
            self._stop(
                f"{name}() reaches names that cannot be watched (at {self.line()}). Read the "
                "name itself"
            )
        elif whose == "user":
            module = getattr(function, "__module__", None) or type(owner).__module__
            self._suspect(f"{module}.{name}() is called", None)

    def _stop(self, sentence: str) -> None:
        self.refuse(sentence)
        raise CompileError(f"compile: {sentence}")

    def shows(self) -> None:
        """The text of a tensor is made: what is shown is an effect, what is kept is a value."""
        frame = frame_of_user()
        if self.quiet is None and (frame is None or self._showing != (id(frame), frame.f_lasti)):
            self._stop(
                "the text of a tensor is made, of the values that it has now, and a plan would "
                f"repeat it for ever (at {self.line()}). Print the tensor itself, or return it and "
                "make the text outside"
            )

    def reports(self, what: str) -> None:
        """An effect that happens while recording and not when the plan runs."""
        self.effects[f"{what} (at {self.line()})"] = None

    def _suspect(self, what: str, line: str | None) -> None:
        self.unknown[f"{what} (at {line or self.line()})"] = None

    # At the end

    def finish(self) -> tuple[list[Place], list[Place]]:
        """Places as they were found, and those that the function itself has changed."""
        if self.refused is not None:
            raise CompileError(f"compile: {self.refused}")
        self.arrays.finish()
        self._chains.finish()
        own = [place for place in self.places.values() if not self._holds(place)]
        for owner, name, before, line in self._written.values():
            now = (members_of(owner) or {}).get(name, MISSING)
            is_same = now is before and not isinstance(now, (*_ATOMS, tuple))
            if line and not is_same:
                text = f"{type(owner).__name__}.{name}"
                self.changes[f"attribute {text} is set (at {line})"] = None
        return list(self.places.values()), own

    def _holds(self, place: Place) -> bool:
        """Whether a place is as it was found, but for attributes that the function wrote."""
        if place.holds():
            return True
        mine = (entry for entry in self._written.values() if place.owner is members_of(entry[0]))
        names = {name for _, name, _, _ in mine}
        if place.kind != "content" or not names:
            return False
        place.expected = place.expected.without(names)
        return place.holds()
