"""What the inputs of a static graph are called: by argument, by the module's path, by state."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from weft._core import Tensor
from weft._watch._place import members_of

#: How deep containers and plain objects are looked into, and at how many objects in all.
DEPTH = 3
MOST = 1000

#: What a tensor is known by: its memory and how it lies there.
Key = tuple[int, tuple[int, ...], tuple[int, ...]]


class Names:
    """Finds names for the tensors of one call."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        tensors: list[Tensor],
    ) -> None:
        """``tensors``: those among the arguments, in the order in which they are counted."""
        self._found: dict[Key, str] = {}
        self._optimizers: list[tuple[str, Any]] = []
        self._left = MOST
        bound, plain = _plain(function)
        for name, value in [*_arguments(len(bound), plain, args, kwargs), *bound, *_outside(plain)]:
            self._look(name, value, DEPTH)
        for name, optimizer in self._optimizers:
            self._states(name, optimizer)
        self._arguments = [self.of(tensor, f"arg{i}") for i, tensor in enumerate(tensors)]

    def of(self, tensor: Tensor, otherwise: str) -> str:
        """The name of a tensor."""
        return self._found.get(_key(tensor), otherwise)

    def inputs(self, sources: list[tuple[str, Tensor | int]]) -> list[str]:
        """Names of a graph's inputs, no two alike."""
        names = [
            self._source(source) + (".grad" if kind == "gradient" else "")
            for kind, source in sources
        ]
        return _unlike(names)

    def leaves(self, sources: list[Tensor | int]) -> list[str]:
        """Names of the tensors whose gradients a graph gives."""
        return [self._source(source) for source in sources]

    def _source(self, source: Tensor | int) -> str:
        if isinstance(source, int):
            return self._arguments[source]
        return self.of(source, "captured")

    def _look(self, name: str, value: Any, depth: int) -> None:
        """Note what ``value`` holds; no method that a user's class defines is asked."""
        self._left -= 1
        if isinstance(value, Tensor):
            self._found.setdefault(_key(value), name)
        elif module := _own(value, "Module"):
            for path, tensor in [*module.named_parameters(value), *module.named_buffers(value)]:
                self._found.setdefault(_key(tensor), f"{name}.{path}")
        elif _own(value, "Optimizer"):
            self._optimizers.append((name, value))
        elif depth > 0:
            for part, item in _parts(value):
                if self._left <= 0:
                    return
                self._look(name + part, item, depth - 1)

    def _states(self, name: str, optimizer: Any) -> None:
        for param, state in optimizer.state.items():
            for key, value in state.items():
                if isinstance(value, Tensor):
                    owner = self.of(param, "parameter")
                    self._found.setdefault(_key(value), f"{name}.{key}[{owner}]")


def _own(value: Any, name: str) -> Any:
    """The class of weft that has this name, if ``value`` is of it."""
    for kind in type(value).__mro__:
        if kind.__name__ == name and kind.__module__.startswith("weft."):
            return kind
    return None


def _key(tensor: Tensor) -> Key:
    return (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()))


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a container or a plain object holds, each with how it is reached."""
    if type(value) in (list, tuple):
        yield from ((f"[{i}]", item) for i, item in enumerate(value))
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) in (str, int):
                yield f"[{key!r}]", item
    elif not isinstance(value, (type, types.ModuleType)) and not callable(value):
        members = members_of(value)
        if type(members) is dict:
            yield from ((f".{key}", item) for key, item in members.items())


def _plain(function: Callable[..., Any]) -> tuple[list[tuple[str, Any]], Any]:
    """What a callable has bound already, and the function behind it, if that is one."""
    while isinstance(function, functools.partial):
        function = function.func
    if _own(function, "Module"):
        return [("self", function)], getattr(type(function), "forward", None)
    if isinstance(function, types.MethodType):
        return [("self", function.__self__)], function.__func__
    return [], function


def _arguments(
    bound: int, plain: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[tuple[str, Any]]:
    """Arguments with the names of their parameters; the rest by number."""
    code = getattr(plain, "__code__", None)
    names = code.co_varnames[bound : code.co_argcount] if code is not None else ()
    named = [*zip(names, args, strict=False), *kwargs.items()]
    return named + [(f"arg{i}", args[i]) for i in range(len(names), len(args))]


def _outside(plain: Any) -> list[tuple[str, Any]]:
    """What a function finds by name outside of itself."""
    if not isinstance(plain, types.FunctionType):
        return []
    code, names, found = plain.__code__, plain.__globals__, []
    for name, cell in zip(code.co_freevars, plain.__closure__ or (), strict=False):
        try:
            found.append((name, cell.cell_contents))
        except ValueError:
            continue
    return found + [(name, names[name]) for name in code.co_names if name in names]


def _unlike(names: list[str]) -> list[str]:
    """The names, told apart by a number where several are alike."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        out.append(f"{name}~{count}" if count else name)
    return out
