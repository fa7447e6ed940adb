"""Kinds of changes: what a place holds at first, and what happens to it between calls."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import weft
from weft import Tensor


def use(value: Any, x: Tensor) -> Any:
    """Something that shows the value, its type and its sign of zero."""
    if value is None:
        return -x, None
    if isinstance(value, str):
        return getattr(x, value)(), value
    if isinstance(value, Tensor):
        return x * value
    if isinstance(value, dict):
        return [use(value[key], x) for key in value]
    if isinstance(value, (list, tuple)):
        return [use(item, x) for item in value]
    if callable(value):
        return value(x)
    if isinstance(value, Options):
        return x * value.scale + value.shift, type(value.scale).__name__
    return x * value, type(value).__name__


@dataclass
class Options:
    """A config as people write it."""

    scale: float = 2.0
    shift: float = 1.0


def double(x: Tensor) -> Tensor:
    return x + x


def triple(x: Tensor) -> Tensor:
    return x + x + x


@dataclass(frozen=True)
class Change:
    """``first()`` makes the value, ``happens(put, value)`` changes it, once for each ``next``."""

    name: str
    first: Callable[[], Any]
    happens: Callable[[Callable[[Any], None], Any], Iterator[None]]
    kind: str


def _puts(name: str, first: Callable[[], Any], *then: Callable[[], Any], kind: str) -> Change:
    def happens(put: Callable[[Any], None], _value: Any) -> Iterator[None]:
        for make in then:
            put(make())
            yield

    return Change(name, first, happens, kind)


def _acts(name: str, first: Callable[[], Any], act: Callable[[Any], Any], kind: str) -> Change:
    def happens(_put: Callable[[Any], None], value: Any) -> Iterator[None]:
        act(value)
        yield

    return Change(name, first, happens, kind)


def _full(value: float) -> Callable[[], Tensor]:
    return lambda: weft.full((3,), value)


def _is(value: Any) -> Callable[[], Any]:
    return lambda: value


def _nest() -> Any:
    return {"a": [1, {"b": 2.0}], "c": (3, [4.0])}


def _deep(value: Any) -> None:
    value["a"][1]["b"] = 5.0


def _deeper(value: Any) -> None:
    value["c"][1].append(6.0)


CHANGES: list[Change] = [
    _puts("number", _is(2.0), _is(5.0), kind="number"),
    _puts("number and back", _is(2.0), _is(5.0), _is(2.0), kind="number"),
    _puts("integer", _is(2), _is(3), kind="number"),
    _puts("sign of zero", _is(0.0), _is(-0.0), kind="number"),
    _puts("integer to float", _is(2), _is(2.0), kind="number"),
    _puts("one to True", _is(1), _is(True), kind="number"),
    _puts("NaN", _is(1.0), _is(math.nan), kind="number"),
    _puts("equal number", _is(2.5), lambda: float("2.5"), kind="number"),
    _puts("float", _is(2.0), _is(5.0), _is(2.0), kind="float"),
    _puts("sign of zero in memory", _is(0.0), _is(-0.0), kind="float"),
    _puts("NaN in memory", _is(1.0), _is(math.nan), kind="float"),
    _puts("small integer", _is(2), _is(3), _is(1), kind="byte"),
    _puts("text", _is("exp"), _is("tanh"), kind="any"),
    _puts("to None", _is(2.0), _is(None), kind="any"),
    _puts("from None", _is(None), _is(2.0), kind="any"),
    _puts("tensor replaced", _full(2.0), _full(5.0), kind="any"),
    _puts("number to tensor", _is(2.0), _full(5.0), kind="any"),
    _puts("tensor to number", _full(5.0), _is(2.0), kind="any"),
    _acts("tensor written", _full(2.0), lambda t: t.mul_(3), kind="any"),
    _puts("list replaced", lambda: [2.0, 3.0], lambda: [2.0, 4.0], kind="any"),
    _acts("list item", lambda: [2.0, 3.0], lambda v: v.__setitem__(1, 7.0), kind="any"),
    _acts("list grown", lambda: [2.0], lambda v: v.append(3.0), kind="any"),
    _acts("tensor in a list", lambda: [weft.ones(3)], lambda v: v.__setitem__(0, 4.0), kind="any"),
    _acts("dict value", lambda: {"a": 2.0}, lambda v: v.update(a=3.0), kind="any"),
    _acts("dict key", lambda: {"a": 2.0}, lambda v: v.update(b=3.0), kind="any"),
    _acts("dict order", lambda: {"a": 2.0, "b": 3.0}, lambda v: v.update(a=v.pop("a")), kind="any"),
    _acts("deep item", _nest, _deep, kind="any"),
    _acts("deep list", _nest, _deeper, kind="any"),
    _acts("field", Options, lambda v: setattr(v, "scale", 5.0), kind="any"),
    _puts("config replaced", Options, lambda: Options(scale=7.0), kind="any"),
    _puts("function", _is(double), _is(triple), kind="function"),
]

#: The kinds that every place is tried with in the short form.
CORE = {"number and back", "sign of zero", "one to True", "text", "tensor replaced", "list item"}
