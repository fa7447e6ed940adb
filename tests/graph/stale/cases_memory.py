"""Scenarios: one array's memory in several places, and arrays too large to be compared."""

from typing import Any

import numpy as np
from tests.graph.stale.scene import Case, Scene, case

import weft

CASES: list[Case] = []
LARGE = 400_000


def x() -> Any:
    return weft.tensor([1.0, -2.0, 0.5])


def numbers(n: int = 3) -> np.ndarray:
    return np.arange(1, n + 1, dtype=np.float32)


@case(CASES, "memory: two tensors made inside of one array")
def _(s: Scene) -> Any:
    memory = numbers()
    s.state(memory=lambda: memory.tolist())

    def work(x):
        a, b = weft.from_numpy(memory), weft.from_numpy(memory)
        before = b * 2
        a.add_(x)
        return before, b * 2, weft.tensor(memory) * 3

    yield work, x()
    memory[:] = 5
    yield None


@case(CASES, "memory: views made inside that overlap")
def _(s: Scene) -> Any:
    memory = numbers(5)
    s.state(memory=lambda: memory.tolist())

    def work(x):
        a, b = weft.from_numpy(memory[:3]), weft.from_numpy(memory[2:])
        a.mul_(x)
        b.add_(a)
        return a + b, weft.from_numpy(memory).sum()

    yield work, x()
    memory[:] = 5
    yield None


for first in (True, False):

    @case(CASES, f"memory: a captured tensor on it, {'first' if first else 'last'}")
    def _(s: Scene, first: bool = first) -> Any:
        memory = numbers()
        t = weft.from_numpy(memory)
        s.watch(t=t)

        def work(x):
            seen = t * 1 if first else x
            inside = weft.from_numpy(memory)
            inside.add_(x)
            return seen, t * inside, weft.tensor(memory)

        yield work, x()
        memory[:] = 5
        yield None
        t.fill_(2)
        yield None


@case(CASES, "memory: an argument on it")
def _(s: Scene) -> Any:
    memory = numbers()

    def work(t):
        inside = weft.from_numpy(memory)
        t.add_(1)
        return inside * 2, weft.tensor(memory) + t

    t = weft.from_numpy(memory)
    yield work, t
    memory[:] = 5
    yield (x(),)
    yield (weft.from_numpy(memory),)
    yield (t,)


@case(CASES, "memory: an argument comes to lie on it")
def _(s: Scene) -> Any:
    memory = numbers()

    def work(t):
        t.add_(1)
        return weft.from_numpy(memory) * 2

    yield work, x()
    yield (weft.from_numpy(memory),)
    yield (weft.from_numpy(memory[::1]),)


@case(CASES, "memory: an array is an argument")
def _(s: Scene) -> Any:
    a, b = numbers(), numbers() * 2
    yield (lambda x, a: x * weft.tensor(a) + weft.from_numpy(a)), x(), a
    a[:] = 7
    yield None
    yield x(), b
    b[:] = 3
    yield None


@case(CASES, "memory: an array is two arguments", compiles=False)
def _(s: Scene) -> Any:
    a, b = numbers(), numbers()
    yield (lambda a, b: weft.tensor(a) + float(b[0])), a, b
    a[:] = 4
    yield a, a
    a[:] = 7
    yield None


@case(CASES, "memory: a gradient on it")
def _(s: Scene) -> Any:
    memory = numbers()
    w = x()
    w.requires_grad_()
    s.watch(w=w)

    def work():
        (w * weft.from_numpy(memory)).sum().backward()
        return weft.tensor(memory) * 2

    w.grad = weft.from_numpy(memory)
    yield (work,)
    memory[:] = 9
    yield None
    w.grad = weft.ones(3)
    yield None


@case(CASES, "memory: a leaf made of it")
def _(s: Scene) -> Any:
    memory = numbers()

    def work(x):
        t = weft.from_numpy(memory)
        t.requires_grad_()
        (t * t * x).sum().backward()
        return t.grad, t.detach() + 1

    yield work, x()
    memory[:] = 9
    yield None


@case(CASES, "memory: a parameter shares it")
def _(s: Scene) -> Any:
    memory = numbers()
    w = weft.from_numpy(memory)
    w.requires_grad_()
    s.watch(w=w)

    def work(x):
        (w * x * weft.tensor(memory)).sum().backward()
        with weft.no_grad():
            w.sub_(w.grad)
        return weft.from_numpy(memory) * 2

    yield work, x()
    memory[:] = 9
    yield None
    w.requires_grad = False
    w.grad = weft.ones(3)
    yield None


@case(CASES, "memory: seen as two dtypes", may_refuse=True, line=False, compiles=False)
def _(s: Scene) -> Any:
    memory = numbers()

    def work(x):
        bits = weft.from_numpy(memory.view(np.int32))
        weft.from_numpy(memory).add_(x)
        return bits + 1

    yield work, x()
    memory[:] = 9
    yield None


@case(CASES, "memory: written by numpy and by weft", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    memory, clean = numbers(), numbers()

    def work(x):
        weft.from_numpy(memory).add_(x)
        y = weft.from_numpy(memory) * 2
        np.copyto(memory, clean)  # read
        return y

    yield work, x()
    memory[:] = 9
    yield None


@case(CASES, "memory: stored into by the function", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    memory = numbers()

    def work(x):
        memory[0] = 7  # read
        y = weft.from_numpy(memory) * x
        memory[0] = 5
        return y

    yield work, x()
    memory[:] = 9
    yield None


@case(CASES, "memory: resized")
def _(s: Scene) -> Any:
    memory = numbers()
    yield (lambda x: x.sum() * weft.from_numpy(memory)), x()
    memory.resize(3000, refcheck=False)
    memory[:] = 2
    yield None
    memory.resize(2, refcheck=False)
    yield None


@case(CASES, "memory: the base of a view", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    memory = numbers(6)
    view = memory[:3]
    yield (lambda x: x * weft.from_numpy(view.base[3:])), x()  # read
    memory[4] = 9
    yield None


@case(CASES, "memory: the number of a base", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    memory = numbers(6)
    view = memory[:3]
    yield (lambda x: x * float(view.base[4])), x()  # read
    memory[4] = 9
    yield None


@case(CASES, "memory: rows by an index that changes")
def _(s: Scene) -> Any:
    memory = numbers(6).reshape(2, 3)
    box = [0]
    yield (lambda x: x * weft.tensor(memory[box[0]])), x()
    memory[0] = 9
    yield None
    box[0] = 1
    yield None
    memory[1] = 8
    yield None


@case(CASES, "memory: in a dictionary and a list")
def _(s: Scene) -> Any:
    data = {"a": [numbers(), numbers() * 2], "b": numbers()}

    def work(x):
        for batch in data["a"]:
            x = x * weft.tensor(batch)
        return x + weft.from_numpy(data["b"])

    yield work, x()
    data["a"][1][:] = 9
    yield None
    data["a"].append(numbers())
    yield None
    data["b"] = numbers() * 5
    yield None
    data["b"][:] = 1
    yield None


@case(CASES, "memory: an object's array, read twice", compiles=False)
def _(s: Scene) -> Any:
    class Holder:
        pass

    held = Holder()
    held.data = numbers()

    def work(x):
        y = x * weft.tensor(held.data)
        return y * float(held.data[0])

    yield work, x()
    held.data[:] = 9
    yield None


@case(CASES, "memory: a getter of its own", compiles=False)
def _(s: Scene) -> Any:
    class Holder:
        def __init__(self):
            self.data = numbers()

        def __getattribute__(self, name):
            found = object.__getattribute__(self, name)
            return found * 2 if name == "data" else found

    held = Holder()
    yield (lambda x: x * weft.tensor(held.data)), x()
    object.__getattribute__(held, "data")[:] = 9
    yield None


CASES[-1].unknown = CASES[-1].may_refuse = True


@case(CASES, "memory: a list of its own class", compiles=False)
def _(s: Scene) -> Any:
    class Batches(list):
        def view(self):
            return self[0] + 1

    held = Batches([numbers()])
    yield (lambda x: x * weft.tensor(held.view())), x()
    held[0][:] = 9
    yield None


@case(CASES, "memory: a large array")
def _(s: Scene) -> Any:
    memory = numbers(LARGE).reshape(2, -1)
    yield (lambda x: x * weft.from_numpy(memory).sum() + weft.tensor(memory[1]).mean()), x()
    memory[...] = 9
    yield None
    memory.shape = (-1, 2)
    yield None
    memory[1] = 3
    yield None


for name, use in (
    ("computed", lambda a: weft.tensor(a * 2)),  # read
    ("gathered", lambda a: weft.tensor(a[[0, 1]])),  # read
    ("a number", lambda a: a.sum()),  # read
    ("half precision", lambda a: weft.tensor(a.astype(np.float16))),  # read
):

    @case(CASES, f"memory: a large array, {name}", must_refuse=True, compiles=False)
    def _(s: Scene, use: Any = use) -> Any:
        memory = numbers(LARGE)
        yield (lambda x: x * use(memory).sum()), x()  # read


@case(CASES, "memory: a large array gathered", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    memory = numbers(LARGE)
    yield (lambda x: x * weft.tensor(memory[[0, 1, 2]])), x()  # read


@case(CASES, "memory: an array that is young")
def _(s: Scene) -> Any:
    yield (lambda x: x * weft.tensor(np.ones(3, np.float32) * 2) + weft.from_numpy(numbers())), x()
