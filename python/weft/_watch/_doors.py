"""What comes through a door, and what of it is compared."""

from __future__ import annotations

import abc
import contextvars
import functools
import threading
import types
import weakref
from collections import deque
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from weft._core import Tensor
from weft._watch import _classes, _known
from weft._watch._place import ATOMS, members_of
from weft._watch._present import MISSING

if TYPE_CHECKING:
    from weft._watch._watch import Watch


class Doors:
    """Lets values in for one :class:`Watch`."""

    def __init__(self, watch: Watch) -> None:
        """Nothing has come in."""
        self.watch = watch
        #: Tensors that came in.
        self.tensors: list[Tensor] = []
        #: Whether the function asks for the classes of objects.
        self.asks_types = False
        #: Whether it reads attributes past their classes.
        self.asks_members = False
        #: Whether objects of a class never change, or are compared by their bytes.
        self._passes: dict[type, bool] = {}

    def argument(self, value: Any, clean: bool = False) -> None:
        """Let in an argument; attributes that are part of the signature are not compared."""
        from weft._compile._tree import attributes

        if isinstance(value, (list, tuple)):
            for part in value:
                self.argument(part, clean)
        elif type(value) is dict:
            for part in value.values():
                self.argument(part, clean)
        elif not isinstance(value, Tensor):
            members = attributes(value)
            if members is None:
                self.admit(value, "an argument", clean=clean)
                return
            self.watch.known[id(value)] = value
            self.watch.arguments.add(id(value))
            _classes.patch(type(value), self.watch)
            for part in members.values():
                self.argument(part)

    def admit(self, value: Any, text: str, line: str | None = None, clean: bool = False) -> None:
        """Let a value in: from now on reads of it are noted.

        ``clean``: the arrays in it only become tensors.
        """
        kind = type(value)
        if id(value) in self.watch.known:
            if not clean:
                self.watch.arrays.doubt(value)
            return
        if kind in ATOMS:
            return
        if kind not in self._passes:
            self._passes[kind] = issubclass(kind, (*_known.CONSTANT, *_known.BYTES))
        if self._passes[kind]:
            return
        self.watch.known[id(value)] = value
        if self.asks_types and not isinstance(value, type):
            self.admit(kind, f"class {kind.__name__}", line)
        if isinstance(value, _known.COLLECTIONS) and members_of(value) is not None:
            _classes.patch(kind, self.watch)
        if isinstance(value, Tensor):
            self.tensors.append(value)
        elif isinstance(value, np.ndarray):
            self.watch.arrays.meets(value, line or self.watch.line(), clean)
        elif isinstance(value, (list, set, frozenset, tuple, deque)):
            clean = self.watch.arrays.holds(value, clean)
            for part in list(value):
                self.admit(part, text, line, clean)
        elif isinstance(value, (dict, types.MappingProxyType)):
            if not hasattr(kind, "__weft_watched__"):
                clean = self.watch.arrays.holds(value, clean)
                for key, part in list(value.items()):
                    self.admit(key, text, line)
                    self.admit(part, text, line, clean)
        else:
            self._admit_object(value, kind, text, line)

    def _admit_object(self, value: Any, kind: type, text: str, line: str | None) -> None:
        if isinstance(value, FunctionType):
            self.watch.chains.function(value)
        elif isinstance(value, types.MethodType):
            self.admit(value.__func__, text, line)
            self.admit(value.__self__, text, line)
        elif isinstance(value, functools.partial):
            for name in ("func", "args", "keywords"):
                part = getattr(value, name)
                self.watch.place("slot", value, name, part, f"{text}.{name}", line)
                self.admit(part, text, line)
        elif isinstance(value, (weakref.ref, contextvars.ContextVar)):
            self._asked(value, text, line)
        elif isinstance(value, (staticmethod, classmethod)):
            self.admit(value.__func__, text, line)
        elif isinstance(value, property):
            self.admit(value.fget, text, line)
        elif _known.is_random(value):
            self.watch.refuse(
                f"{text} draws random numbers of numpy, which a plan would repeat for ever (at "
                f"{line or self.watch.line()}). Draw with weft, or outside and pass them as an "
                "argument"
            )
        elif isinstance(value, types.BuiltinFunctionType):
            self.admit(value.__self__, text, line)
        elif type(value).__name__ == "_lru_cache_wrapper":
            self.admit(value.__wrapped__, text, line)
            self.watch.chains.assume(value.__wrapped__)
        elif isinstance(value, types.ModuleType):
            self._whole_module(value, text, line)
        elif isinstance(value, type):
            self._whole_class(value, text, line)
        elif _known.is_iterator(value) and not hasattr(kind, "__weft_watched__"):
            self.watch.refuse(
                f"{text} is an iterator older than the call, which gives something else every "
                f"time (at {line or self.watch.line()}). Pass what it yields as an argument"
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
        self.watch.place("called", value, name, found, f"{text}()", line)
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
            self.watch.place("slot", value, "__dict__", members, f"attributes of {text}", line)
            self.admit(members, text, line)
            _classes.patch(kind, self.watch)
            return
        if kind.__flags__ & 1 << 9 and _classes.patch(kind, self.watch):
            return
        members = members_of(value)
        if isinstance(members, dict):
            self.watch.place("content", members, None, members, f"attributes of {text}", line)
            self.admit(members, text, line)
        elif _known.module_origin(kind.__module__) not in ("weft", "numpy"):
            self.watch.effects.suspects(f"{text} is a {full}", line)

    def _whole_module(self, module: types.ModuleType, text: str, line: str | None) -> None:
        """A module that is passed on as a value: all its names."""
        if _known.module_origin(module.__name__) != "user":
            return
        members = vars(module)
        for name, value in list(members.items()):
            if not name.startswith("__"):
                self.watch.place("item", members, name, value, f"{text}.{name}", line)
                self.admit(value, f"{text}.{name}", line)

    def _whole_class(self, kind: type, text: str, line: str | None) -> None:
        """A class that is passed on as a value: all that it and its bases define."""
        if isinstance(kind, abc.ABCMeta):
            token = abc.get_cache_token()
            self.watch.place("called", abc, "get_cache_token", token, "classes registered", line)
        for base in kind.__mro__:
            if _known.module_origin(base.__module__) != "user":
                continue
            for name, value in list(vars(base).items()):
                if not (name.startswith("__") or name.startswith("_abc_")):
                    self.watch.place("class", base, name, value, f"{base.__name__}.{name}", line)
                    self.admit(value, f"{base.__name__}.{name}", line)

    def ask_types(self, line: str) -> None:
        """The function names ``type``: the classes of what is known matter as a whole."""
        if not self.asks_types:
            self.asks_types = True
            for value in list(self.watch.known.values()):
                kind = value if isinstance(value, type) else type(value)
                self.admit(kind, f"class {kind.__name__}", line)

    def ask_members(self) -> None:
        """The function reads attributes past their classes: those of all that is known matter."""
        if not self.asks_members:
            self.asks_members = True
            for value in list(self.watch.known.values()):
                self._whole(value)

    def _whole(self, value: Any, line: str | None = None) -> None:
        """All that an object of a user's class holds."""
        kind, members = type(value), members_of(value)
        if _known.module_origin(kind.__module__) != "user" or isinstance(value, type):
            return
        text = f"attributes of {kind.__name__}"
        covered = id(value) in self.watch.arguments or isinstance(value, threading.local)
        if isinstance(members, dict) and not covered:
            self.watch.place("content", members, None, members, text, line)
            self.admit(members, text, line)
        for base in kind.__mro__:
            for name, raw in vars(base).items():
                if isinstance(raw, types.MemberDescriptorType):
                    self.watch.attributes.note(value, name, getattr(value, name, MISSING))
