"""Structures of tensors: what arguments are compared by, and how results are built anew."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any

from weft._core import CompileError, Snapshot, Tensor
from weft._watch._place import members_of


def attributes(value: Any) -> dict[str, Any] | None:
    """The attributes that stand for an argument: of dataclasses, namespaces, plain objects that
    hold tensors. ``None`` for a value that is compared as a whole or by its identity.
    """
    kind = type(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        found = {name: getattr(value, name) for name in names if hasattr(value, name)}
        return {**(members_of(value) or {}), **found}
    if isinstance(value, types.SimpleNamespace):
        return dict(vars(value))
    members = members_of(value)
    if not isinstance(members, dict) or callable(value) or kind.__module__.startswith("weft."):
        return None
    if isinstance(value, (type, types.ModuleType, dict, list, tuple, set)):
        return None
    holds = any(isinstance(part, Tensor) for part in members.values())
    return dict(members) if holds else None


class Results:
    """Takes the tensors out of what a function returned.

    Attributes:
        made: new tensors, each once, in order.
        tree: the rest, as ``weft._core.Entry`` reads it.
    """

    def __init__(self, value: Any, args: list[Tensor], is_known: Callable[[Any], bool]) -> None:
        """``is_known`` tells objects that came through a door."""
        self.made: list[Tensor] = []
        self._args, self._is_known = args, is_known
        self.tree = self._take(value)

    def _take(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, Tensor):
            return self._tensor(value)
        kind = type(value)
        if isinstance(value, (list, dict)) and self._is_known(value):
            return ("object", value)
        if isinstance(value, tuple):
            parts = [self._take(part) for part in value]
            if kind is tuple:
                return ("tuple", parts)
            return ("call", _Fields(kind, None), parts)
        if kind is list:
            return ("list", [self._take(part) for part in value])
        if isinstance(value, dict):
            parts = [self._take(part) for part in value.values()]
            if kind is dict:
                return ("dict", list(value), parts)
            return ("call", _Mapping(value), parts)
        members = attributes(value) if not isinstance(value, type) else None
        if members is not None:
            parts = [self._take(part) for part in members.values()]
            return ("call", _Fields(kind, tuple(members)), parts)
        return ("object", value)

    def _tensor(self, value: Tensor) -> tuple[Any, ...]:
        for at, arg in enumerate(self._args):
            if arg is value:
                return ("arg", at)
        if self._is_known(value):
            return ("object", value)
        for at, made in enumerate(self.made):
            if made is value:
                return ("made", at)
        if type(value).__module__ == "weft.nn.parameter":
            self.made.append(value.detach())
            number = ("made", len(self.made) - 1)
            return ("call", _Wrap(type(value), value.requires_grad), [number])
        if type(value) is not Tensor:
            raise CompileError(
                f"compile: the function returns a new {type(value).__name__}, which a plan cannot "
                "make. Return a plain tensor"
            )
        self.made.append(value)
        return ("made", len(self.made) - 1)


class _Fields:
    """Makes a named tuple, or an object with attributes, without running its ``__init__``."""

    def __init__(self, kind: type, names: tuple[str, ...] | None) -> None:
        self.kind, self.names = kind, names

    def __call__(self, *parts: Any) -> Any:
        if self.names is None:
            return tuple.__new__(self.kind, parts)
        made: Any = object.__new__(self.kind)
        for name, part in zip(self.names, parts, strict=True):
            object.__setattr__(made, name, part)
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Fields) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class _Wrap:
    """Makes a parameter of a new tensor."""

    def __init__(self, kind: type, requires_grad: bool) -> None:
        self.kind, self.requires_grad = kind, requires_grad

    def __call__(self, tensor: Tensor) -> Any:
        return self.kind(tensor, self.requires_grad)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Wrap) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class _Mapping:
    """Makes a dictionary of another class with the same keys."""

    def __init__(self, value: dict[Any, Any]) -> None:
        self.kind, self.keys = type(value), list(value)
        self.empty = value.copy()
        self.empty.clear()

    def __call__(self, *parts: Any) -> Any:
        made: dict[Any, Any] = self.empty.copy()
        made.update(zip(self.keys, parts, strict=True))
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Mapping) and (self.kind, self.keys) == (other.kind, other.keys)

    __hash__ = None  # type: ignore[assignment]


def same_tree(a: Any, b: Any) -> bool:
    """Whether two results of a function have one structure, and the same values in it."""
    if a[0] != b[0]:
        return False
    if a[0] == "object":
        return a[1] is b[1] or Snapshot(a[1]).matches(b[1])
    if a[0] in ("made", "arg"):
        return bool(a[1] == b[1])
    if len(a[-1]) != len(b[-1]) or (len(a) == 3 and a[1] != b[1]):
        return False
    return all(map(same_tree, a[-1], b[-1]))


def tree_text(tree: Any) -> str:
    """A result in words; tensors are stars."""
    word, last = tree[0], tree[-1]
    if word in ("made", "arg"):
        return "*"
    if word == "object":
        return "*" if isinstance(last, Tensor) else repr(last)
    inside = [tree_text(part) for part in last]
    if word == "dict":
        return "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(tree[1], inside, strict=True)) + "}"
    return ("[{}]" if word == "list" else "({})").format(", ".join(inside))
