"""Scenarios: what is passed as an argument."""

import enum
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.graph.stale.scene import Case, Fresh, Scene, case
from tests.graph.stale.values import use

import weft

CASES: list[Case] = []


def x() -> Any:
    return weft.tensor([1.0, -2.0, 0.5])


# One value, then others that may look the same.

KEYS: dict[str, list[Any]] = {
    "signs of zero": [0.0, -0.0],
    "signs of a numpy zero": [np.float32(0.0), np.float32(-0.0)],
    "signs of a numpy double zero": [np.float64(0.0), np.float64(-0.0), 0.0, -0.0],
    "complex zeros": [complex(0.0, 0.0), complex(-0.0, 0.0), complex(0.0, -0.0)],
    "one and True": [1, True, 1.0, np.float32(1), np.int64(1), np.bool_(True)],
    "NaN": [float("nan"), float("-nan"), np.float32("nan")],
    "keys 1 and True": [{1: 2.0}, {True: 2.0}, {1.0: 2.0}],
    "signs of zero as keys": [{0.0: 2.0}, {-0.0: 2.0}],
    "order of keys": [{"exp": 2.0, "tanh": 3.0}, {"tanh": 3.0, "exp": 2.0}],
    "list and tuple": [[1.0, 2.0], (1.0, 2.0)],
    "zeros in lists": [[0.0], [-0.0], (0.0,), (-0.0,)],
    "sets of zeros": [frozenset([0.0]), frozenset([-0.0])],
    "sets of one and True": [frozenset([1]), frozenset([True])],
    "text and bytes": ["exp", "tanh", "exp"],
    "numbers": [2.0, 3.0, 2, 2.0],
    "slices": [slice(0, 2), slice(1, 3), slice(True, 3)],
    "nested": [{"exp": [1, (2.0, -0.0)]}, {"exp": [1, (2.0, 0.0)]}, {"exp": [True, (2.0, 0.0)]}],
}


def show(value: Any, x: Any) -> Any:
    """Uses a value so that its type and sign of zero are seen."""
    if isinstance(value, frozenset):
        value = tuple(value)
    if isinstance(value, dict):
        return [(use(k, x), show(v, x)) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return [show(v, x) for v in value]
    if isinstance(value, slice):
        return x[value] + 0, type(value.start).__name__
    if isinstance(value, complex):
        return use(value.real, x), use(value.imag, x)
    return use(value, x)


def _keys(name: str, values: list[Any]) -> Case:
    def play(_: Scene) -> Any:
        t = x()
        yield (lambda x, v: show(v, x)), t, values[0]
        for value in values[1:]:
            yield t, value

    return Case(f"argument: {name}", play)


CASES += [_keys(name, values) for name, values in KEYS.items()]


class Odd:
    """Equal to everything of its class."""

    def __init__(self, scale: float) -> None:
        self.scale = scale

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Odd)

    def __hash__(self) -> int:
        return 0


class Named(str):
    """A text with something more."""

    scale: float


@dataclass(frozen=True)
class Frozen:
    scale: float


@dataclass
class Config:
    scale: float


@dataclass
class Batch:
    inputs: Any
    scale: float = 2.0


Pair = namedtuple("Pair", "inputs scale")
Other = namedtuple("Other", "inputs scale")


class Mode(enum.Enum):
    A = 1.0
    B = 2.0


class Level(enum.IntEnum):
    A = 1
    B = 2


class Plain:
    def __init__(self, scale: float) -> None:
        self.scale = scale


def named(scale: float) -> Named:
    made = Named("x")
    made.scale = scale
    return made


def by_scale(x: Any, box: Any) -> Any:
    return use(box.scale, x)  # read


OBJECTS: dict[str, list[Any]] = {
    "frozen dataclass": [Frozen(0.0), Frozen(-0.0), Frozen(2.0)],
    "dataclass": [Config(2.0), Config(3.0), Config(0.0), Config(-0.0)],
    "object with its own ==": [Odd(2.0), Odd(3.0)],
    "text with an attribute": [named(2.0), named(3.0)],
    "plain object": [Plain(2.0), Plain(3.0)],
}


def _objects(name: str, values: list[Any]) -> Case:
    def play(_: Scene) -> Any:
        t = x()
        yield by_scale, t, values[0]
        for value in values[1:]:
            yield t, value

    return Case(f"argument: {name}", play, may_refuse=name in ("text with an attribute",))


def _written(name: str, value: Any) -> Case:
    def play(_: Scene) -> Any:
        value.scale = 2.0
        yield by_scale, x(), value
        value.scale = 5.0
        yield None

    return Case(f"argument written between calls: {name}", play)


CASES += [_objects(name, values) for name, values in OBJECTS.items()]
CASES += [
    _written(name, value)
    for name, value in {
        "dataclass": Config(2.0),
        "object with its own ==": Odd(2.0),
        "plain object": Plain(2.0),
    }.items()
]


@case(CASES, "argument: members of an enum")
def _(s: Scene) -> Any:
    yield (lambda x, m: use(m.value, x)), x(), Mode.A
    yield x(), Mode.B
    yield x(), Mode.A


@case(CASES, "argument: members of an integer enum and integers")
def _(s: Scene) -> Any:
    yield (lambda x, m: use(m, x)), x(), Level.A
    yield x(), 1
    yield x(), Level.B


@case(CASES, "argument: named tuple of tensors")
def _(s: Scene) -> Any:
    yield (lambda b: (type(b).__name__, use(b.scale, b.inputs))), Pair(x(), 2.0)
    yield (Other(x(), 2.0),)
    yield (Pair(x() + 1, -0.0),)


@case(CASES, "argument: dataclass of tensors")
def _(s: Scene) -> Any:
    yield (lambda b: use(b.scale, b.inputs)), Batch(x())
    yield (Batch(x() + 1),)
    yield (Batch(x(), 3.0),)


@case(CASES, "argument: dataclass of tensors, made for each call")
def _(s: Scene) -> Any:
    number = iter(range(100))
    yield (lambda b: use(b.scale, b.inputs)), Fresh(lambda: Batch(x() + next(number)))
    yield None


@case(CASES, "argument: list that grows")
def _(s: Scene) -> Any:
    values = [1.0]
    yield (lambda x, v: use(v, x)), x(), values
    values.append(2.0)
    yield None


@case(CASES, "argument: function")
def _(s: Scene) -> Any:
    yield (lambda f, x: f(x)), weft.exp, x()
    yield weft.tanh, x()


@case(CASES, "argument: lambdas with closures")
def _(s: Scene) -> Any:
    scale = 2.0
    double, triple = (lambda x: use(scale, x)), (lambda x: x * 3)
    yield (lambda f, x: f(x)), double, x()
    scale = 5.0
    yield None
    yield triple, x()


@case(CASES, "argument: module")
def _(s: Scene) -> Any:
    a, b = weft.nn.Dropout(0.5), weft.nn.Dropout(0.25)
    yield (lambda m, x: m(x)), a, weft.ones(20)
    a.eval()
    yield None
    yield b, weft.ones(20)


@case(CASES, "argument: dtype")
def _(s: Scene) -> Any:
    yield (lambda x, d: x.to(d)), x(), weft.float64
    yield x(), weft.int64


@case(CASES, "argument: numpy array")
def _(s: Scene) -> Any:
    a = np.array([1.0, 2.0, 3.0])
    yield (lambda x, a: x * weft.tensor(a)), x(), a
    a[1] = 7.0
    yield None
    yield x(), np.array([3.0, 4.0, 5.0])


@case(
    CASES, "argument: number that changes on each call", may_warn=True, compiles=False, line=False
)
def _(s: Scene) -> Any:
    number = iter(range(1000))
    yield (lambda x, n: x * n), x(), Fresh(lambda: float(next(number)))  # read
    for _ in range(20):
        yield None


@case(CASES, "argument: keyword defaults written out")
def _(s: Scene) -> Any:
    def work(x, scale=2.0):
        return use(scale, x)

    yield work, x()
    yield x(), 2.0
    yield x(), 3.0
    yield (x(),)


# Shapes, dtypes, layouts, flags.

TENSORS: dict[str, list[Any]] = {
    "shapes": [lambda: weft.ones(3), lambda: weft.ones(3, 1), lambda: weft.ones(())],
    "dtypes": [
        lambda: weft.ones(3),
        lambda: weft.ones(3, dtype=weft.float64),
        lambda: weft.ones(3, dtype=weft.int64),
    ],
    "strides": [lambda: weft.rand(3, 3), lambda: weft.rand(3, 3).t(), lambda: weft.rand(6, 3)[::2]],
    "expanded": [lambda: weft.rand(3, 3), lambda: weft.rand(3, 1).expand(3, 3)],
    "tensor and number": [lambda: weft.full((), 2.0), lambda: 2.0, lambda: 2],
    "tensor and None": [lambda: None, lambda: weft.ones(3), lambda: None],
    "empty": [lambda: weft.ones(3), lambda: weft.ones(0)],
}


def _tensors(name: str, makes: list[Any]) -> Case:
    def play(_: Scene) -> Any:
        def work(t):
            return None if t is None else t * 2 + 1

        yield work, Fresh(makes[0])
        for make in makes[1:]:
            yield (Fresh(make),)

    return Case(f"argument: {name}", play)


CASES += [_tensors(name, makes) for name, makes in TENSORS.items()]


@case(CASES, "argument: requires_grad switched on")
def _(s: Scene) -> Any:
    t = x()
    s.watch(t=t)

    def work(t):
        y = (t * 3).sum()
        if y.requires_grad:
            y.backward()
        return y.detach()

    yield work, t
    t.requires_grad = True
    yield None
    t.requires_grad = False
    yield None


@case(CASES, "argument: parameter and plain tensor")
def _(s: Scene) -> Any:
    p = weft.nn.Parameter(x())
    s.watch(p=p)

    def work(t):
        return (t.detach() * 2, type(t).__name__)

    yield work, p
    yield (x(),)
