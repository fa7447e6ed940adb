"""What the bytecode of a function reads by name."""

from __future__ import annotations

import dis
import types
from dataclasses import dataclass, field
from typing import Any

_ROOTS = {
    "LOAD_GLOBAL": "global",
    "LOAD_NAME": "global",
    "LOAD_FROM_DICT_OR_GLOBALS": "global",
    "LOAD_DEREF": "cell",
    "LOAD_CLASSDEREF": "cell",
    "LOAD_CLOSURE": "cell",
    "LOAD_FROM_DICT_OR_DEREF": "cell",
}
_STORES = {
    "STORE_GLOBAL": "global",
    "DELETE_GLOBAL": "global",
    "STORE_DEREF": "cell",
    "DELETE_DEREF": "cell",
}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "LOAD_SUPER_METHOD"}
_KEYS = {"LOAD_CONST", "LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_GLOBAL", "LOAD_DEREF"}


@dataclass(frozen=True)
class Chain:
    """``name.a[0].b`` in the text of a function.

    Attributes:
        root: ``global``, ``cell`` or ``import``.
        name: the first name.
        steps: what follows, as ``("attr", name)`` and ``("item", constant)``.
        stores: whether the value is only stored into (``name[key] = ...``).
        line: where it stands.
        sources: by number of steps followed, the instruction that gave the value or what it is
            an item of: its offset and the name that it reads.
    """

    root: str
    name: str
    steps: tuple[tuple[str, Any], ...]
    stores: bool
    line: int
    sources: tuple[tuple[int, str], ...]


@dataclass
class Reads:
    """All chains of a code object, and the names that it assigns before it reads them.

    ``attributes`` are the names of all attributes that it reads, of whatever.
    """

    chains: list[Chain] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    assigned: set[tuple[str, str]] = field(default_factory=set)
    written: dict[tuple[str, str], int] = field(default_factory=dict)


_cache: dict[types.CodeType, Reads] = {}


def reads(code: types.CodeType) -> Reads:
    """What ``code`` reads by name; nested functions have code of their own."""
    found = _cache.get(code)
    if found is None:
        found = _cache[code] = _analyse(code)
    return found


def _analyse(code: types.CodeType) -> Reads:
    steps = list(dis.get_instructions(code))
    found = Reads()
    line, straight = code.co_firstlineno, True
    loaded: set[tuple[str, str]] = set()
    for at, step in enumerate(steps):
        line = step.positions.lineno if step.positions and step.positions.lineno else line
        straight = straight and "JUMP" not in step.opname and step.opname != "FOR_ITER"
        store = _STORES.get(step.opname)
        if store and (store == "global" or step.argval in code.co_freevars):
            place = (store, step.argval)
            found.written.setdefault(place, line)
            if straight and place not in loaded and step.opname[0] == "S":
                found.assigned.add(place)
        if step.opname in _ATTRIBUTES:
            found.attributes.add(step.argval)
        root = _root(code, step)
        if root:
            loaded.add((root, step.argval))
            found.chains.append(_chain(steps, at, root, line))
    return found


def _root(code: types.CodeType, step: dis.Instruction) -> str | None:
    if step.opname == "IMPORT_NAME":
        return "import"
    root = _ROOTS.get(step.opname)
    if root == "cell" or step.opname == "LOAD_FAST":
        return "cell" if step.argval in code.co_freevars else None
    return root


def _chain(steps: list[dis.Instruction], at: int, root: str, line: int) -> Chain:
    name, links = steps[at].argval, []
    sources, at = [(steps[at].offset, name)], at + 1
    follow: tuple[str, ...] = ("LOAD_ATTR", "LOAD_METHOD")
    if root == "import":
        follow = ("IMPORT_FROM",)
    while at < len(steps):
        step = steps[at]
        if step.opname in follow:
            links.append(("attr", step.argval))
            sources.append((step.offset, step.argval))
            at += 1
        elif (
            step.opname == "LOAD_CONST"
            and isinstance(step.argval, (str, int))
            and _is_subscript(steps, at + 1)
        ):
            links.append(("item", step.argval))
            sources.append(sources[-1])
            at += 2
        elif root == "import" and step.opname.startswith("STORE"):
            at += 1
            if at >= len(steps) or steps[at].opname != "IMPORT_FROM":
                break
        else:
            break
    stores = (
        at + 1 < len(steps) and steps[at].opname in _KEYS and steps[at + 1].opname == "STORE_SUBSCR"
    )
    return Chain(root, name, tuple(links), stores, line, tuple(sources))


def _is_subscript(steps: list[dis.Instruction], at: int) -> bool:
    if at >= len(steps):
        return False
    step = steps[at]
    return step.opname == "BINARY_SUBSCR" or (step.opname == "BINARY_OP" and step.argrepr == "[]")
