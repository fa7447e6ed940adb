"""Scenarios: other threads and processes, queues, and results that a plan cannot make anew."""

import copy
import multiprocessing
import pickle
import queue
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.graph.stale.scene import Case, Scene, case

import weft

CASES: list[Case] = []


def x() -> Any:
    return weft.tensor([1.0, -2.0, 0.5])


@case(CASES, "work done by a pool of threads", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    pool = ThreadPoolExecutor(1)
    s.later(pool.shutdown)
    yield (lambda x: pool.submit(lambda: x * 2).result() + 1), x()  # read
    yield (x() + 1,)


@case(CASES, "work done by a thread", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    def work(x):
        made = []
        thread = threading.Thread(target=lambda: made.append(x * 2))
        thread.start()  # read
        thread.join()  # read
        return made[0] + 1  # read

    yield work, x()
    yield (x() + 1,)


@case(CASES, "queue", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    jobs: queue.Queue[float] = queue.Queue()
    for i in range(20):
        jobs.put(float(i))
    yield (lambda x: x * jobs.get()), x()  # read
    yield None


@case(CASES, "simple queue of equal numbers", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    jobs: queue.SimpleQueue[float] = queue.SimpleQueue()
    for i in range(20):
        jobs.put(2.0 if i < 3 else 3.0)
    yield (lambda x: x * jobs.get()), x()  # read
    yield None


@case(CASES, "answer of a process", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    def work(x):
        done = subprocess.run([sys.executable, "-c", "print(2)"], capture_output=True)  # read
        return x * int(done.stdout)  # read

    yield work, x()


@case(CASES, "pipe", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    here, there = multiprocessing.Pipe()
    for i in range(20):
        there.send(2.0 if i < 3 else 3.0)
    yield (lambda x: x * here.recv()), x()  # read
    yield None


@case(CASES, "event", may_refuse=True, may_warn=True, compiles=False)
def _(s: Scene) -> Any:
    event = threading.Event()
    yield (lambda x: x * (2 if event.is_set() else 3)), x()  # read
    event.set()
    yield None


@case(CASES, "current thread", may_refuse=True, may_warn=True, unknown=True, compiles=False)
def _(s: Scene) -> Any:
    yield (lambda x: x * (2 if threading.current_thread().name == "MainThread" else 3)), x()  # read
    old = threading.current_thread().name
    s.later(lambda: setattr(threading.current_thread(), "name", old))
    threading.current_thread().name = "other"
    yield None


@case(CASES, "lock around the work")
def _(s: Scene) -> Any:
    lock = threading.Lock()

    def work(x):
        with lock:
            return x * 2

    yield work, x()
    yield (x() + 1,)


CASES[-1].may_warn = CASES[-1].unknown = True


@case(CASES, "recursion limit and other settings", may_refuse=True, may_warn=True, compiles=False)
def _(s: Scene) -> Any:
    limit = sys.getrecursionlimit()
    s.later(lambda: sys.setrecursionlimit(limit))
    yield (lambda x: x * (2 if sys.getrecursionlimit() == limit else 3)), x()  # read
    sys.setrecursionlimit(limit + 100)
    yield None


CASES[-1].unknown = True


@case(CASES, "unpickled bytes")
def _(s: Scene) -> Any:
    box = [pickle.dumps(2.0)]
    yield (lambda x: x * pickle.loads(box[0])), x()  # read
    box[0] = pickle.dumps(3.0)
    yield None


CASES[-1].may_refuse = CASES[-1].may_warn = CASES[-1].unknown = True
CASES[-1].compiles = False


@case(CASES, "deep copy of a config")
def _(s: Scene) -> Any:
    config = {"a": [2.0]}
    yield (lambda x: x * copy.deepcopy(config)["a"][0]), x()  # read
    config["a"][0] = 3.0
    yield None


# What is returned and is no tensor.


@dataclass
class Output:
    """A result as a data class."""

    value: Any
    extra: Any = None


class Box:
    """A result as an object."""

    def __init__(self, value: Any) -> None:
        self.value = value


@case(CASES, "returned data class")
def _(s: Scene) -> Any:
    def show(o):
        return type(o).__name__, o.value, o.extra

    fast = s.run(lambda x: Output(x * 2, [x]))
    yield (lambda x: show(fast(x))), x()
    yield (x() + 1,)


CASES[-1].outside = True


def _made(name: str, make: Any) -> Case:
    """Objects that a plan cannot make anew: refused, never an old one."""

    def play(s: Scene) -> Any:
        fast = s.run(make)

        def show(x):
            found = fast(x)
            if isinstance(found, Box):
                return found.value
            if isinstance(found, set):
                return next(iter(found))
            if isinstance(found, np.ndarray):
                return found.tolist()
            if isinstance(found, weft.SparseTensor):
                return found.values
            return list(found)

        yield show, x()
        yield (x() + 1,)

    return Case(f"returned: {name}", play, may_refuse=True, outside=True, compiles=False)


def generator(x: Any) -> Any:
    for i in range(3):
        yield x * i


CASES += [
    _made("object", lambda x: Box(x * 2)),  # read
    _made("set", lambda x: {x * 2}),  # read
    _made("generator", lambda x: (x * i for i in range(3))),  # read
    _made("generator function", generator),  # read
    _made("map", lambda x: map(lambda i: x * i, [1, 2])),  # read
    _made("iterator", lambda x: iter([x * 2])),  # read
    _made("zip", lambda x: zip([x * 2], [x], strict=True)),  # read
    _made("function", lambda x: (lambda: x * 2)()[None]),
    _made("dict values", lambda x: {"a": x * 2}.values()),  # read
    _made("numpy array", lambda x: np.ones(3)),  # read
]
for _one in CASES[-10:]:
    _one.line = False


@case(CASES, "returned lists are new ones")
def _(s: Scene) -> Any:
    kept: list[Any] = []
    fast = s.run(lambda x: (x + 1, [], {"a": []}))

    def caller(x):
        _, found, other = fast(x)
        found.append(len(kept))
        other["a"].append(1)
        kept.append(found)
        return list(found), dict(other)

    yield caller, x()
    yield None


CASES[-1].outside = True


@case(CASES, "returned list is the captured one")
def _(s: Scene) -> Any:
    held = [1, 2]
    fast = s.run(lambda x: (x + 1, held))
    yield (lambda x: (fast(x)[1] is held, list(fast(x)[1]))), x()  # read
    held.append(3)
    yield None


CASES[-1].outside = True
CASES[-1].compiles = False


@case(CASES, "returned object is the captured one")
def _(s: Scene) -> Any:
    box = Box(1)
    fast = s.run(lambda x: (x + 1, box))
    yield (lambda x: fast(x)[1] is box), x()
    yield None


CASES[-1].outside = True
CASES[-1].compiles = False


@case(CASES, "returned module")
def _(s: Scene) -> Any:
    net = weft.nn.Linear(3, 3)
    fast = s.run(lambda x: (net(x).detach(), net))
    yield (lambda x: fast(x)[1] is net), x()
    yield None


CASES[-1].outside = True
CASES[-1].compiles = False
