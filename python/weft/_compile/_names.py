"""What the inputs of a static graph are called: by argument, by the module's path, by state."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

from weft._core import Tensor

#: How deep containers and plain objects are looked into.
DEPTH = 3

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
        optimizers: list[tuple[str, Any]] = []
        for name, value in [*_arguments(function, args, kwargs), *_outside(function)]:
            self._look(name, value, optimizers, DEPTH)
        for name, optimizer in optimizers:
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

    def _look(self, name: str, value: Any, optimizers: list[Any], depth: int) -> None:
        if isinstance(value, Tensor):
            self._found.setdefault(_key(value), name)
        elif _is_module(value):
            for path, tensor in [*value.named_parameters(), *value.named_buffers()]:
                self._found.setdefault(_key(tensor), f"{name}.{path}")
        elif hasattr(type(value), "add_param_group"):
            optimizers.append((name, value))
        elif depth > 0:
            for part, item in _parts(value):
                self._look(name + part, item, optimizers, depth - 1)

    def _states(self, name: str, optimizer: Any) -> None:
        for param, state in optimizer.state.items():
            for key, value in state.items():
                if isinstance(value, Tensor):
                    owner = self.of(param, "parameter")
                    self._found.setdefault(_key(value), f"{name}.{key}[{owner}]")


def _is_module(value: Any) -> bool:
    return hasattr(type(value), "named_parameters")


def _key(tensor: Tensor) -> Key:
    return (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()))


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a container or a plain object holds, each with how it is reached."""
    if type(value) in (list, tuple):
        yield from ((f"[{i}]", item) for i, item in enumerate(value))
    elif type(value) is dict:
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif not isinstance(value, (type, types.ModuleType)) and not callable(value):
        members = getattr(value, "__dict__", None)
        if type(members) is dict:
            yield from ((f".{key}", item) for key, item in members.items())


def _plain(function: Callable[..., Any]) -> tuple[list[tuple[str, Any]], Any]:
    """What a callable has bound already, and the function behind it, if that is one."""
    while isinstance(function, functools.partial):
        function = function.func
    if _is_module(function):
        return [("self", function)], getattr(type(function), "forward", None)
    if isinstance(function, types.MethodType):
        return [("self", function.__self__)], function.__func__
    return [], function


def _arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[tuple[str, Any]]:
    """Arguments with the names of their parameters; the rest by number."""
    bound, plain = _plain(function)
    code = getattr(plain, "__code__", None)
    names = code.co_varnames[len(bound) : code.co_argcount] if code is not None else ()
    named = [*zip(names, args, strict=False), *kwargs.items()]
    return named + [(f"arg{i}", args[i]) for i in range(len(names), len(args))]


def _outside(function: Callable[..., Any]) -> list[tuple[str, Any]]:
    """What a function finds by name outside of itself."""
    found, plain = _plain(function)
    if not isinstance(plain, types.FunctionType):
        return found
    code, names = plain.__code__, plain.__globals__
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
