"""Scenarios: sources of change that no place shows: random numbers, clocks, files, iterators."""

import datetime
import io
import itertools
import os
import random
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tests.graph.stale.scene import Case, Scene, case
from tests.graph.stale.values import use

import weft

CASES: list[Case] = []


def x() -> Any:
    return weft.tensor([1.0, -2.0, 0.5])


def count(n: int) -> Any:
    yield from range(n)


class Held:
    """Sources that are older than the call."""

    def __init__(self) -> None:
        random.seed(3)
        np.random.seed(3)
        self.python = random.Random(3)
        self.numpy = np.random.default_rng(3)
        self.state = np.random.RandomState(3)
        self.count = itertools.count(1)
        self.cycle = itertools.cycle([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
        self.iterator = iter([float(i) for i in range(100)])
        self.generator = count(100)
        self.zip = zip(range(100), range(100), strict=True)
        self.map = map(float, range(100))
        self.enumerate = enumerate(range(100))
        self.dict = iter({i: 1 for i in range(100)})
        self.reversed = reversed(range(100))
        self.text = io.StringIO("\n".join(str(i) for i in range(100)))
        self.stack = [float(i) for i in range(100)]


#: Functions that give another number on each call.
SOURCES: dict[str, Callable[[Held], Any]] = {
    "random.random": lambda h: random.random(),  # read
    "random.random() < p": lambda h: 2.0 if random.random() < 0.5 else 3.0,  # read
    "random.random() < p, rarely": lambda h: 2.0 if random.random() < 0.01 else 3.0,  # read
    "random.randint": lambda h: random.randint(0, 1),  # read
    "random.choice": lambda h: random.choice([1.0, 2.0]),  # read
    "random.uniform": lambda h: random.uniform(0, 1),  # read
    "random.shuffle": lambda h: (v := [1.0, 2.0, 3.0], random.shuffle(v), v)[2],  # read
    "random.sample": lambda h: random.sample(range(3), 2),  # read
    "random.Random": lambda h: h.python.random(),  # read
    "random.Random().choice": lambda h: h.python.choice([1.0, 2.0]),  # read
    "numpy.random.rand": lambda h: float(np.random.rand()),  # read
    "numpy.random.rand() < p": lambda h: 2.0 if np.random.rand() < 0.5 else 3.0,  # read
    "numpy.random.randint": lambda h: int(np.random.randint(2)),  # read
    "numpy.random.permutation": lambda h: np.random.permutation(3).tolist(),  # read
    "numpy generator": lambda h: h.numpy.random(),  # read
    "numpy generator, integers": lambda h: int(h.numpy.integers(2)),  # read
    "numpy RandomState": lambda h: h.state.rand(),  # read
    "numpy array in a tensor": lambda h: weft.tensor(h.numpy.random(3)),  # read
    "time.time": lambda h: time.time() % 7,  # read
    "time.perf_counter": lambda h: time.perf_counter(),  # read
    "time.monotonic_ns": lambda h: float(time.monotonic_ns()),  # read
    "datetime.now": lambda h: datetime.datetime.now().microsecond,  # read
    "uuid4": lambda h: float(uuid.uuid4().int % 1000),  # read
    "os.urandom": lambda h: float(os.urandom(1)[0]),  # read
    "itertools.count": lambda h: next(h.count),  # read
    "itertools.cycle": lambda h: next(h.cycle),  # read
    "list iterator": lambda h: next(h.iterator),  # read
    "generator": lambda h: next(h.generator),  # read
    "generator by send": lambda h: h.generator.send(None),  # read
    "zip": lambda h: next(h.zip)[0],  # read
    "map": lambda h: next(h.map),  # read
    "enumerate": lambda h: next(h.enumerate)[0],  # read
    "dict iterator": lambda h: next(h.dict),  # read
    "reversed": lambda h: next(h.reversed),  # read
    "for and break": lambda h: next(i for i in h.iterator),  # read
    "lines of a buffer": lambda h: float(h.text.readline()),  # read
    "list.pop": lambda h: h.stack.pop(),  # read
}
#: These say the same thing in two recordings, so only a rule that knows them can refuse.
QUIET: dict[str, Callable[[Held], Any]] = {
    "random.random() < 0.9": lambda h: 2.0 if h.python.random() < 0.9 else 3.0,  # read
    "cycle of equal numbers": lambda h: 2.0 if next(h.cycle) < 4 else 3.0,  # read
    "count that is compared": lambda h: 2.0 if next(h.count) < 5 else 3.0,  # read
    "iterator that ends": lambda h: len(list(itertools.islice(h.iterator, 30))),  # read
    "generator that ends": lambda h: len(list(itertools.islice(h.generator, 30))),  # read
    "next with a default": lambda h: next(h.count, 0) > 4,  # read
    "clock that is compared": lambda h: 2.0 if time.time() > 0 else 3.0,  # read
}


def _source(name: str, source: Callable[[Held], Any]) -> Case:
    def play(s: Scene) -> Any:
        held = Held()
        yield (lambda x: use(source(held), x)), x()  # read
        yield None
        yield None

    return Case(f"source: {name}", play, must_refuse=True, compiles=False)


CASES += [_source(n, f) for n, f in {**SOURCES, **QUIET}.items()]
for _one in CASES:
    if "clock" in _one.name or "random.random() < p, rarely" in _one.name:
        _one.must_refuse, _one.may_refuse = False, True
    if any(word in _one.name for word in ("time", "datetime", "uuid", "urandom")):
        _one.random = True


@case(CASES, "local generators and iterators")
def _(s: Scene) -> Any:
    def work(x):
        it = iter([1.0, 2.0])
        numbers = (i * 2 for i in range(3))
        return [
            x * next(it),
            x * next(numbers),
            *(x * v for v in zip([1], [2], strict=True).__next__()),
        ]

    yield work, x()
    yield (x() + 1,)


@case(CASES, "os.environ", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    os.environ["WEFT_SCENE"] = "2"
    s.later(lambda: os.environ.pop("WEFT_SCENE"))
    yield (lambda x: x * float(os.environ["WEFT_SCENE"])), x()  # read
    os.environ["WEFT_SCENE"] = "3"
    yield None


@case(CASES, "os.getenv", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    yield (lambda x: x * float(os.getenv("WEFT_SCENE", "2"))), x()  # read
    os.environ["WEFT_SCENE"] = "3"
    s.later(lambda: os.environ.pop("WEFT_SCENE"))
    yield None


@case(CASES, "content of a file", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    folder = TemporaryDirectory()
    s.later(folder.cleanup)
    path = Path(folder.name) / "scale.txt"
    path.write_text("2")

    def work(x):
        with open(path) as file:  # read
            return x * float(file.read())  # read

    yield work, x()
    path.write_text("3")
    yield None


@case(CASES, "Path.read_text", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    folder = TemporaryDirectory()
    s.later(folder.cleanup)
    path = Path(folder.name) / "scale.txt"
    path.write_text("2")
    yield (lambda x: x * float(path.read_text())), x()  # read
    path.write_text("3")
    yield None


@case(CASES, "os.path.exists", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    folder = TemporaryDirectory()
    s.later(folder.cleanup)
    path = Path(folder.name) / "flag"
    yield (lambda x: x * (3 if os.path.exists(path) else 2)), x()  # read
    path.write_text("3")
    yield None


@case(CASES, "weft's own random numbers")
def _(s: Scene) -> Any:
    yield (lambda x: x * weft.rand(3) + weft.randn(3)), x()
    weft.manual_seed(1)
    yield None
    weft.rand(5)
    yield None


@case(CASES, "order of a set of texts")
def _(s: Scene) -> Any:
    names = {"exp", "tanh"}
    yield (lambda x: {name: getattr(x, name)() for name in sorted(names)}), x()  # read
    names.add("sin")
    yield None


# Text of tensors that steers the program.

TEXTS: dict[str, Callable[[Any], Any]] = {
    "repr": lambda x: repr(x),  # read
    "str": lambda x: str(x),  # read
    "format": lambda x: f"{x}",  # read
    "format of a sum": lambda x: f"{x.sum():.2f}" if hasattr(x, "item") else "",  # read
    "percent": lambda x: "%s" % x,  # noqa: UP031  # read
}


def _text(name: str, text: Callable[[Any], str]) -> Case:
    def play(s: Scene) -> Any:
        yield (lambda x: x * (2 if "1" in text(x + 0) else 3)), x()  # read
        yield (x() * 3 + 0.25,)

    return Case(f"text of a tensor: {name}", play, must_refuse=True, compiles=False)


CASES += [_text(n, f) for n, f in TEXTS.items()]


@case(CASES, "text of a captured tensor", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    w = weft.ones(3)
    yield (lambda x: x * (2 if "1" in repr(w) else 3)), x()  # read
    w.fill_(4)
    yield None


READS: dict[str, Callable[[Any], Any]] = {
    "item": lambda w: w.sum().item(),  # read
    "float": lambda w: float(w[0]),  # read
    "tolist": lambda w: w.tolist(),  # read
    "bool": lambda w: 2.0 if w.sum() > 4 else 3.0,  # read
    "numpy": lambda w: float(w.numpy()[0]),  # read
    "allclose": lambda w: weft.allclose(w, weft.ones(3)),  # read
    "equal": lambda w: weft.equal(w, weft.ones(3)),  # read
    "index": lambda w: [1.0, 2.0, 3.0, 4.0, 5.0][w.to(weft.int64)[0]],  # read
    "iteration": lambda w: [float(v) for v in w],  # read
    "in": lambda w: 4.0 in w,  # read
    "all": lambda w: bool((w == 1).all()),  # read
    "mask": lambda w: w[w > 2].sum(),  # read
    "nonzero": lambda w: len(w.nonzero()),  # read
    "argument of range": lambda w: list(range(w.to(weft.int64)[0])),  # read
}


def _read(name: str, read: Callable[[Any], Any]) -> Case:
    def play(s: Scene) -> Any:
        w = weft.ones(3)
        yield (lambda x: use(read(w), x)), x()
        w.fill_(4)
        yield None

    return Case(f"value of a captured tensor: {name}", play, must_refuse=True, compiles=False)


CASES += [_read(n, f) for n, f in READS.items()]


@case(CASES, "id and hash of a tensor", may_refuse=True, may_warn=True)
def _(s: Scene) -> Any:
    table = {}
    w = weft.ones(3)
    table[w] = 2.0
    yield (lambda x: x * table[w]), x()  # read
    table[w] = 3.0
    yield None
