"""Names, cells, defaults and ``name.a.b`` in the text of every function that runs."""

from __future__ import annotations

import builtins
import gc
import sys
import types
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

from weft._core import Tensor
from weft._watch import _classes, _known
from weft._watch._code import Chain, reads
from weft._watch._place import defined
from weft._watch._present import MISSING

if TYPE_CHECKING:
    from weft._watch._watch import Watch

#: What tensors have by name.
_METHODS = {name for name in dir(Tensor) if not name.startswith("__")}
#: Modules of the standard library whose own code is read like a user's.
_READ_LIBRARY = {"os"}


class Chains:
    """Follows the names of functions for one :class:`Watch`."""

    def __init__(self, watch: Watch) -> None:
        """Nothing has run."""
        self.watch = watch
        self.functions: dict[CodeType, list[FunctionType]] = {}
        #: Code that ran, with its globals; code that stands inside such code.
        self.seen: dict[CodeType, dict[str, Any]] = {}
        #: Code that has nothing more to tell when it runs again; methods by the class they ran on.
        self.settled: set[CodeType] = set()
        self.met: set[tuple[CodeType, type]] = set()
        self.inner: dict[CodeType, CodeType] = {}
        #: Cells by code and name, for functions that are made while others run.
        self.cells: dict[CodeType, dict[str, Any]] = {}
        #: Where the value came from that is followed.
        self.code: CodeType = (lambda: None).__code__
        self.source: tuple[int, str] = (0, "")
        #: Collections that the function stores into: what they held, and the line.
        self.stored: dict[int, tuple[Any, list[Any], str]] = {}
        #: Global names that the function sets without reading them.
        self.named: dict[tuple[int, str], tuple[dict[str, Any], Any, str]] = {}

    # What runs

    def function(self, function: FunctionType) -> None:
        """A function came through a door; what it reads matters from when it runs."""
        known = self.functions.setdefault(function.__code__, [])
        known.append(function)
        if function.__code__ in self.seen:
            self._opened(function)

    def ran(self, code: CodeType, frame: FrameType) -> None:
        """Code that is not in ``settled`` runs: read its names, and see whose method it is."""
        is_read = self._is_read(code, frame.f_globals)
        is_first = code not in self.seen
        is_new = is_first and code not in self.functions and code not in self.inner
        if is_read and not self._is_method(code, frame) and is_new:
            self._search(code)
        if is_first:
            self._read(code, frame.f_globals, frame.f_builtins)
        if not is_read or not code.co_argcount:
            self.settled.add(code)

    def _read(self, code: CodeType, names: dict[str, Any], built: dict[str, Any]) -> None:
        self.seen[code] = names
        if not self._is_read(code, names):
            for function in self.functions.get(code, ()):
                self._closed(function)
            if names.get("__name__", "").startswith("weft.nn."):
                self._layer(code, names)
            return
        for const in code.co_consts:
            if isinstance(const, CodeType):
                self.inner[const] = code
        for function in self.functions.get(code, ()):
            self._opened(function)
        if code in self.inner:
            outer = self.cells.get(self.inner[code], {})
            own = self.cells.setdefault(code, {})
            own.update({n: c for n, c in outer.items() if n in code.co_freevars})
        self._names(code, names, built)

    def assume(self, function: FunctionType) -> None:
        """Take a function, and all that it can reach by name, for one that runs."""
        waiting, seen = [function], set[CodeType]()
        while waiting and len(seen) < 100:
            code = waiting.pop().__code__
            if code in seen:
                continue
            seen.add(code)
            before = set(self.functions)
            if code not in self.seen:
                names = self.functions[code][0].__globals__
                self._read(code, names, vars(builtins))
            waiting += [found[0] for c, found in self.functions.items() if c not in before]

    def _layer(self, code: CodeType, names: dict[str, Any]) -> None:
        """A layer of weft: the functions that it calls by name, which a user may replace."""
        line = _known.place_in(code.co_filename, code.co_firstlineno)
        for chain in reads(code).chains:
            value = names.get(chain.name)
            if chain.root == "global" and isinstance(value, types.ModuleType) and chain.steps:
                key = chain.steps[0][1]
                found = vars(value).get(key, MISSING)
                if isinstance(found, FunctionType):
                    text = f"{chain.name}.{key}"
                    self.watch.place("item", vars(value), key, found, text, line, False)
                    if _known.origin(found.__code__.co_filename) == "user":
                        self.watch.admit(found, text, line)

    def _methods(self, code: CodeType) -> None:
        """Methods of tensors, by the names of attributes in the text."""
        line = _known.place_in(code.co_filename, code.co_firstlineno)
        for name in reads(code).attributes & _METHODS:
            raw = defined(Tensor, name)
            self.watch.place("class", Tensor, name, raw, f"Tensor.{name}", line, False)
            if isinstance(raw, FunctionType) and _known.origin(raw.__code__.co_filename) == "user":
                self.watch.admit(raw, f"Tensor.{name}", line)

    def _is_read(self, code: CodeType, names: dict[str, Any]) -> bool:
        if names.get("__name__", "").startswith("weft."):
            return False
        whose = _known.origin(code.co_filename)
        return whose == "user" or (whose == "library" and names.get("__name__") in _READ_LIBRARY)

    def _is_method(self, code: CodeType, frame: FrameType) -> bool:
        """Whether code is a method of what it runs on, which nobody may have read by name.

        Classes that one function makes share the code of their methods, so the class counts.
        """
        first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        kind = first if isinstance(first, type) else type(first)
        if (code, kind) in self.met:
            return True
        found = [
            (base, name, raw)
            for base in kind.__mro__
            if _known.module_origin(base.__module__) == "user"
            for name, raw in vars(base).items()
            if any(part.__code__ is code for part in _functions(raw))
        ]
        for base, name, raw in found:
            owner = kind if defined(kind, name) is raw else base
            text = f"attribute {base.__name__}.{name}"
            self.watch.place("class", owner, name, raw, text)
            self.watch.admit(raw, text)
        self.met.add((code, kind))
        return bool(found)

    def _search(self, code: CodeType) -> None:
        """A function from an unknown hand: all that have this code."""
        if code.co_freevars or code.co_argcount or code.co_kwonlyargcount:
            for holder in gc.get_referrers(code):
                if isinstance(holder, FunctionType) and holder.__code__ is code:
                    self.watch.admit(holder, f"function {code.co_name}")

    def _opened(self, function: FunctionType) -> None:
        """Guards what belongs to a function object that runs."""
        code, watch = function.__code__, self.watch
        if not self._is_read(code, function.__globals__):
            self._closed(function)
            return
        line = _known.place_in(code.co_filename, code.co_firstlineno)
        name = function.__qualname__
        watch.place("slot", function, "__code__", code, f"code of {name}", line)
        for kind in ("__defaults__", "__kwdefaults__"):
            value = getattr(function, kind)
            watch.place("slot", function, kind, value, f"defaults of {name}", line)
            watch.admit(value, f"defaults of {name}", line)
        self._closed(function)

    def _closed(self, function: FunctionType) -> None:
        """Guards the closure of a function object that runs."""
        code = function.__code__
        if function.__closure__:
            cells = dict(zip(code.co_freevars, function.__closure__, strict=True))
            self.cells.setdefault(code, {}).update(cells)
            if code in self.seen:
                self._roots(code, "cell", self.seen[code], vars(builtins))

    # Names

    def _names(self, code: CodeType, names: dict[str, Any], built: dict[str, Any]) -> None:
        for root in ("global", "cell", "import"):
            self._roots(code, root, names, built)
        self._methods(code)
        if "__getattribute__" in reads(code).attributes:
            self.watch.doors.ask_members()
        if "base" in reads(code).attributes:
            self.watch.arrays.ask_bases()
        for (kind, name), line in reads(code).written.items():
            if kind == "global":
                self._stored_name(code, names, name, line)

    def _stored_name(self, code: CodeType, names: dict[str, Any], name: str, line: int) -> None:
        if ("item", id(names), name) not in self.watch.places:
            where = _known.place_in(code.co_filename, line)
            self.named.setdefault((id(names), name), (names, names.get(name), where))

    def _roots(self, code: CodeType, root: str, names: dict[str, Any], built: Any) -> None:
        found = reads(code)
        self.code = code
        for chain in found.chains:
            if chain.root != root or (root, chain.name) in found.assigned:
                continue
            line = _known.place_in(code.co_filename, chain.line)
            if root == "global":
                self._global(chain, names, built, line)
            elif root == "cell":
                self._cell(code, chain, line)
            else:
                self._import(chain, names, line)

    def _global(self, chain: Chain, names: dict[str, Any], built: Any, line: str) -> None:
        value = names.get(chain.name, MISSING)
        text = f"global {chain.name}"
        deep = not chain.steps and not chain.stores
        if value is not MISSING:
            self.watch.place("item", names, chain.name, value, text, line, deep)
            self._follow(chain, value, text, line)
            return
        self.watch.place("item", names, chain.name, MISSING, text, line)
        value = built.get(chain.name, MISSING)
        self.watch.place("item", built, chain.name, value, f"builtin {chain.name}", line)
        if chain.name == "type":
            self.watch.doors.ask_types(line)
        if value is not MISSING and not isinstance(value, (type, types.BuiltinFunctionType)):
            self._follow(chain, value, text, line)

    def _cell(self, code: CodeType, chain: Chain, line: str) -> None:
        cell = self.cells.get(code, {}).get(chain.name)
        if cell is None:
            return
        try:
            value = cell.cell_contents
        except ValueError:
            value = MISSING
        text = f"closure {chain.name}"
        deep = not chain.steps and not chain.stores
        self.watch.place("cell", cell, chain.name, value, text, line, deep)
        if value is not MISSING:
            self._follow(chain, value, text, line)

    def _import(self, chain: Chain, names: dict[str, Any], line: str) -> None:
        name = chain.name
        if not name or (names.get("__package__") and name not in sys.modules):
            name = f"{names.get('__package__')}.{chain.name}".rstrip(".")
        module = sys.modules.get(name, MISSING)
        self.watch.place("item", sys.modules, name, module, f"module {name}", line)
        if module is MISSING:
            return
        if not chain.steps:
            self.watch.admit(module, f"module {name}", line)
        for _, attribute in chain.steps:
            text = f"{name}.{attribute}"
            found = self._step(module, "attr", attribute, text, line, True)
            if found is not MISSING:
                self.watch.admit(found, text, line)

    # Steps

    def _follow(self, chain: Chain, value: Any, text: str, line: str) -> None:
        for at, (how, key) in enumerate(chain.steps):
            self.source = chain.sources[at]
            text = f"{text}.{key}" if how == "attr" else f"{text}[{key!r}]"
            deep = at == len(chain.steps) - 1 and not chain.stores
            value = self._step(value, how, key, text, line, deep)
            if value is MISSING:
                return
        if chain.stores and isinstance(value, _known.COLLECTIONS):
            self._store_into(value, line)
            return
        self.source = chain.sources[-1]
        self._admit(value, text, line)

    def _admit(self, value: Any, text: str, line: str) -> None:
        """Let in what the chain has led to so far."""
        clean = self.watch.arrays.is_clean(self.code, *self.source, value)
        self.watch.admit(value, text, line, clean)

    def _step(self, value: Any, how: str, key: Any, text: str, line: str, deep: bool) -> Any:
        """The value one step further, or MISSING where the chain ends."""
        if how == "item":
            return self._item(value, key, text, line, deep)
        if isinstance(value, types.ModuleType):
            found = vars(value).get(key, MISSING)
            self.watch.place("item", vars(value), key, found, text, line, deep)
            return found
        if isinstance(value, type):
            return self._class(value, key, text, line, deep)
        if isinstance(value, FunctionType) and not key.startswith("__"):
            found = vars(value).get(key, MISSING)
            self.watch.place("item", vars(value), key, found, text, line, deep)
            return found
        if isinstance(value, _known.COLLECTIONS):
            if key in _known.MUTATORS:
                self._store_into(value, line)
                return MISSING
            self._contents(value, text.rpartition(".")[0], line)
            return MISSING
        if not isinstance(value, Tensor):
            self._admit(value, text.rpartition(".")[0], line)
        return MISSING

    def _contents(self, value: Any, text: str, line: str) -> None:
        self.watch.place("content", value, None, value, text, line)
        self._admit(value, text, line)

    def _class(self, kind: type, name: str, text: str, line: str, deep: bool) -> Any:
        if name == "__dict__":
            self.watch.admit(kind, text, line)
            return MISSING
        raw = defined(kind, name)
        if _classes.is_watching(raw):
            return MISSING
        self.watch.place("class", kind, name, raw, text, line, deep)
        if raw is MISSING and type(kind) is not type:
            return self._class(type(kind), name, text, line, deep)
        if isinstance(raw, classmethod):
            self.watch.admit(kind, text, line)
        if isinstance(raw, (staticmethod, classmethod, FunctionType, property)):
            self.watch.admit(raw, text, line)
            return MISSING
        return raw

    def _item(self, value: Any, key: Any, text: str, line: str, deep: bool) -> Any:
        if isinstance(value, dict) and type(value).__getitem__ is dict.__getitem__:
            found = value.get(key, MISSING)
            self.watch.place("item", value, key, found, text, line, deep)
            return found
        is_index = isinstance(key, int) and not isinstance(key, bool) and key >= 0
        if isinstance(value, tuple) and is_index and key < len(value):
            return value[key]
        if type(value) is list and is_index and key < len(value):
            self.watch.place("index", value, key, value[key], text, line, deep)
            return value[key]
        owner = text.rpartition("[")[0]
        if isinstance(value, _known.COLLECTIONS):
            self._contents(value, owner, line)
        else:
            self._admit(value, owner, line)
        return MISSING

    def _store_into(self, value: Any, line: str) -> None:
        if id(value) not in self.stored and not isinstance(value, (tuple, frozenset)):
            self.stored[id(value)] = (value, _shallow(value), line)
            self.watch.known.setdefault(~id(value), value)

    # At the end

    def finish(self) -> None:
        """Say which collections and names outside were changed without being read."""
        for (_, name), (names, value, line) in self.named.items():
            if names.get(name) is not value:
                self.watch.effects.changes[f"global {name} is set (at {line})"] = None
        for owner, before, line in self.stored.values():
            if not _same_shallow(before, _shallow(owner)):
                what = f"a {type(owner).__name__} is changed (at {line})"
                if not any(line in known for known in self.watch.effects.changes):
                    self.watch.effects.changes[what] = None


def _functions(raw: Any) -> list[FunctionType]:
    """The functions behind what a class defines."""
    parts = (raw.fget, raw.fset, raw.fdel) if isinstance(raw, property) else (raw,)
    wraps = (staticmethod, classmethod)
    plain = (part.__func__ if isinstance(part, wraps) else part for part in parts)
    return [part for part in plain if isinstance(part, FunctionType)]


def _shallow(value: Any) -> list[Any]:
    return [*value, *value.values()] if isinstance(value, dict) else list(value)


def _same_shallow(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))
