"""Places outside a compiled function that a recording has read."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

from weft import _core
from weft._core import Snapshot
from weft._watch._present import MISSING

#: Items that one value may contain.
LIMIT = 10_000
#: Types of values that are compared as such.
ATOMS = (bool, int, float, complex, str, bytes, type(None))


@dataclass
class Place:
    """One place: where it is, what was found there, and the line that read it.

    Attributes:
        kind: as ``weft._core.Guards`` names it.
        owner: the dictionary, list, object, class or cell.
        key: the name or index in it.
        value: what was there.
        expected: what it was in comparable form.
        text: what to call it: ``global SCALE``.
        line: ``file:line`` of the first read.
    """

    kind: str
    owner: Any
    key: Any
    value: Any
    expected: Snapshot
    text: str
    line: str

    def where(self) -> tuple[str, int, Any]:
        """Names the place."""
        return self.kind, id(self.owner), self.key

    def guard(self) -> tuple[str, Any, Any, Snapshot]:
        """What the native check needs."""
        return self.kind, self.owner, self.key, self.expected

    def holds(self) -> bool:
        """Whether it is what it was."""
        return _core.Guards([self.guard()]).hold()

    def now(self) -> Any:
        """What is there now."""
        try:
            return _READ[self.kind](self.owner, self.key)
        except (LookupError, AttributeError, ValueError, TypeError):
            return MISSING

    def change(self) -> str:
        """The place in words, with both values."""
        now = self.now()
        old, new = short(self.value), short(now)
        if old == new:
            return f"{self.text}: its contents changed"
        return f"{self.text}: {old} -> {new}"


def members_of(value: Any) -> Any:
    """The instance's own dictionary, or None; no method of its class is asked.

    That of a ``threading.local`` is the one of this thread.
    """
    if isinstance(value, threading.local):
        return threading.local.__getattribute__(value, "__dict__")
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None


def definer(kind: type, name: str) -> type | None:
    """The first class in the order of ``kind`` and its bases that defines ``name``."""
    return next((base for base in kind.__mro__ if name in vars(base)), None)


def defined(kind: type, name: str) -> Any:
    """What that class's dictionary holds, as it stands there; MISSING if there is none."""
    base = definer(kind, name)
    return MISSING if base is None else vars(base)[name]


_READ: dict[str, Any] = {
    "item": lambda owner, key: owner[key],
    "index": lambda owner, key: owner[key],
    "attribute": lambda owner, key: members_of(owner)[key],
    "slot": getattr,
    "class": defined,
    "cell": lambda owner, _: owner.cell_contents,
    "content": lambda owner, _: owner,
    "called": lambda owner, key: getattr(owner, key)(),
    "array": lambda owner, _: owner,
    "type": lambda owner, _: type(owner),
}


def short(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, (*ATOMS, type(MISSING))):
        text = repr(value)
    elif isinstance(value, (list, tuple, dict, set)) and len(value) <= 4:
        text = repr(value) if _all_plain(value) else f"<{type(value).__name__}>"
    else:
        text = f"<{_named(value).__qualname__}>"
    return text if len(text) < 40 else text[:37] + "..."


def _named(value: Any) -> Any:
    return value if isinstance(value, (type, FunctionType, BuiltinFunctionType)) else type(value)


def _all_plain(value: Any) -> bool:
    parts = [*value, *value.values()] if isinstance(value, dict) else list(value)
    return all(isinstance(part, ATOMS) for part in parts)
