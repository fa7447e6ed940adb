"""What a recording depended on besides tensors: attributes, globals, closure cells."""

from __future__ import annotations

import dis
import gc
import os
import sys
import types
from collections.abc import Callable
from typing import Any

_OWN = os.path.dirname(__file__) + os.sep
_PLAIN = (bool, int, float, str, bytes, type(None))
_MISSING = object()


def same(before: Any, now: Any) -> bool:
    """Whether a value is still what it was: the same object, or an equal plain value."""
    if before is now:
        return True
    return type(before) is type(now) and isinstance(before, _PLAIN) and repr(before) == repr(now)


class Guard:
    """One place that was read, and what was found there."""

    __slots__ = ("describe", "key", "kind", "place", "value")

    def __init__(self, kind: str, place: Any, key: Any, value: Any) -> None:
        """``kind`` is ``attribute``, ``global`` or ``closure``."""
        self.kind, self.place, self.key, self.value = kind, place, key, value

    def now(self) -> Any:
        """What is there now."""
        if self.kind == "attribute":
            return vars(self.place).get(self.key, _MISSING)
        if self.kind == "global":
            return self.place.get(self.key, _MISSING)
        try:
            return self.place.cell_contents
        except ValueError:
            return _MISSING

    def where(self) -> tuple[int, Any]:
        """Names the place."""
        return id(self.place), self.key

    def holds(self) -> bool:
        """Whether it is what it was."""
        return same(self.value, self.now())

    def __str__(self) -> str:
        """The place in words, with both values."""
        owner = f"{type(self.place).__name__}." if self.kind == "attribute" else ""
        old, new = _short(self.value), _short(self.now())
        return f"{self.kind} {owner}{self.key}: {old} -> {new}"


def _short(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    text = repr(value) if isinstance(value, _PLAIN) else f"<{type(value).__name__}>"
    return text if len(text) < 40 else text[:37] + "..."


_names_cache: dict[types.CodeType, tuple[str, ...]] = {}


def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """Names that a function reads from its module, nested functions included."""
    if code not in _names_cache:
        names: dict[str, None] = {}
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                names[step.argval] = None
        for const in code.co_consts:
            if isinstance(const, types.CodeType):
                names.update(dict.fromkeys(_global_names(const)))
        _names_cache[code] = tuple(names)
    return _names_cache[code]


class Watch:
    """Collects, while a function runs, the places that it reads."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Nothing is watched before ``with``."""
        self.attributes: dict[tuple[int, str], Guard] = {}
        self.names: dict[tuple[int, str], Guard] = {}
        self.seen: set[types.CodeType] = set()
        self.profile: Any = None
        self.collects = False
        plain = getattr(function, "__func__", function)
        if isinstance(plain, types.FunctionType):
            self._function(plain)

    def _attribute(self, owner: Any, name: str, value: Any) -> None:
        key = (id(owner), name)
        if key not in self.attributes:
            self.attributes[key] = Guard("attribute", owner, name, value)

    def _code(self, code: types.CodeType, namespace: dict[str, Any]) -> None:
        if code in self.seen or code.co_filename.startswith(_OWN):
            return
        self.seen.add(code)
        for name in _global_names(code):
            value = namespace.get(name, _MISSING)
            if value is _MISSING or isinstance(value, types.ModuleType):
                continue
            self.names.setdefault((id(namespace), name), Guard("global", namespace, name, value))

    def _function(self, function: types.FunctionType) -> None:
        self._code(function.__code__, function.__globals__)
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        for name, cell in cells:
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            if (id(cell), name) in self.names:
                continue
            self.names[id(cell), name] = Guard("closure", cell, name, value)
            if isinstance(value, types.FunctionType):
                self._function(value)

    def _called(self, frame: types.FrameType, event: str, _arg: object) -> None:
        if event == "call":
            self._code(frame.f_code, frame.f_globals)

    def __enter__(self) -> Watch:
        """Start watching this thread."""
        from weft.nn._tracked import Tracked

        # A collection would run callbacks that are no part of the function.
        self.collects = gc.isenabled()
        gc.disable()
        Tracked._watch(self._attribute)
        self.profile = sys.getprofile()
        sys.setprofile(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        from weft.nn._tracked import Tracked

        sys.setprofile(self.profile)
        Tracked._unwatch()
        if self.collects:
            gc.enable()
