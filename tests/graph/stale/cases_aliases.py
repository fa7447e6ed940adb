"""Scenarios: the same memory in several places: arguments, captured tensors, gradients, arrays."""

from typing import Any

import numpy as np
from tests.graph.stale.scene import Case, Scene, case

import weft

CASES: list[Case] = []


def x() -> Any:
    return weft.tensor([1.0, -2.0, 0.5])


def leaf(value: float = 2.0) -> Any:
    return weft.full((3,), value, requires_grad=True)


@case(CASES, "captured tensor as argument, then another")
def _(s: Scene) -> Any:
    w, y = weft.full((3,), 3.0), x()
    s.watch(w=w, y=y)
    yield (lambda t: t * w), w
    yield (y,)
    yield (w,)


@case(CASES, "another tensor as argument, then the captured one")
def _(s: Scene) -> Any:
    w, y = weft.full((3,), 3.0), x()
    s.watch(w=w, y=y)
    yield (lambda t: t * w), y
    yield (w,)


@case(CASES, "captured tensor as argument is written")
def _(s: Scene) -> Any:
    w, y = weft.full((3,), 3.0), x()
    s.watch(w=w, y=y)

    def work(t):
        w.add_(1)
        return t * w

    yield work, w
    yield (y,)
    yield (w,)


@case(CASES, "view of a captured tensor as argument")
def _(s: Scene) -> Any:
    w, y = weft.ones(2, 3), x()
    s.watch(w=w, y=y)

    def work(t):
        w.mul_(2)
        return t + w

    yield work, w[0]
    yield (y,)
    yield (w[1],)
    yield (w,)


@case(CASES, "views that overlap as arguments")
def _(s: Scene) -> Any:
    w = weft.arange(6.0)
    s.watch(w=w)

    def work(a, b):
        a.mul_(2)
        return a + b

    yield work, w[:3], w[3:]
    yield w[:3], w[1:4]
    yield w[:3], w[:3]
    yield w[:3], x()


@case(CASES, "an argument twice")
def _(s: Scene) -> Any:
    a, b = x(), x() + 1
    s.watch(a=a, b=b)

    def work(p, q):
        p.add_(1)
        return p * q

    yield work, a, a
    yield a, b
    yield b, b


@case(CASES, "gradient as argument")
def _(s: Scene) -> Any:
    w, y = leaf(), x()
    (w * 3).sum().backward()
    s.watch(w=w, y=y)

    def work(g):
        (w * 2).sum().backward()
        return g * 2

    yield work, y
    yield (w.grad,)
    yield (y,)


@case(CASES, "gradient as argument first")
def _(s: Scene) -> Any:
    w, y = leaf(), x()
    (w * 3).sum().backward()
    s.watch(w=w, y=y)

    def work(g):
        return g * w.grad

    yield work, w.grad
    yield (y,)


@case(CASES, "gradient set to a captured tensor")
def _(s: Scene) -> Any:
    w, c, y = leaf(), weft.full((3,), 5.0), x()
    s.watch(w=w, c=c)

    def work(t):
        c.add_(1)
        return t * w.grad

    w.grad = x()
    yield work, y
    w.grad = c
    yield None
    w.grad = None
    w.grad = x() + 3
    yield None


@case(CASES, "gradient set to an argument")
def _(s: Scene) -> Any:
    w, y = leaf(), x()
    s.watch(w=w, y=y)

    def work(t):
        (w * 2).sum().backward()
        return t * 2

    yield work, y
    w.grad = y
    yield None


@case(CASES, "gradient comes and goes")
def _(s: Scene) -> Any:
    w = leaf()
    s.watch(w=w)

    def work():
        (w * w).sum().backward()
        return w.grad * 2

    yield (work,)
    w.grad = None
    yield None
    w.grad = weft.ones(3)
    yield None


@case(CASES, "two parameters become one")
def _(s: Scene) -> Any:
    a, b = leaf(2.0), leaf(3.0)
    held = {"a": a, "b": b}
    s.watch(a=a, b=b)

    def work():
        (held["a"] * held["b"]).sum().backward()

    yield (work,)
    held["b"] = a
    yield None


@case(CASES, "gradients that share memory")
def _(s: Scene) -> Any:
    a, b = leaf(2.0), leaf(3.0)
    memory = weft.ones(6)
    s.watch(a=a, b=b, memory=memory)

    def work():
        (a * b).sum().backward()

    a.grad, b.grad = weft.ones(3), weft.ones(3)
    yield (work,)
    a.grad, b.grad = memory[:3], memory[3:]
    yield None
    b.grad = a.grad
    yield None


@case(CASES, "two tensors on one array")
def _(s: Scene) -> Any:
    memory = np.arange(3, dtype=np.float32)
    a, b = weft.from_numpy(memory), weft.from_numpy(memory)
    s.watch(a=a, b=b)

    def work():
        before = b * 1
        a.add_(1)
        return before, b * 2

    yield (work,)
    memory[:] = 5
    yield None


@case(CASES, "two tensors on one array become arguments")
def _(s: Scene) -> Any:
    memory = np.arange(3, dtype=np.float32)
    y = x()
    s.watch(y=y)

    def work(a, b):
        a.add_(1)
        return a * b

    yield work, weft.from_numpy(memory), y
    yield weft.from_numpy(memory), weft.from_numpy(memory)


@case(CASES, "views of one array that overlap")
def _(s: Scene) -> Any:
    memory = np.arange(5, dtype=np.float32)
    a, b = weft.from_numpy(memory[:3]), weft.from_numpy(memory[1:4])
    s.watch(a=a, b=b)

    def work():
        a.mul_(2)
        return b + 1

    yield (work,)
    memory[:] = 3
    yield None


@case(CASES, "captured tensors become the same")
def _(s: Scene) -> Any:
    held = [x(), x() + 1]
    s.watch(a=lambda: held[0], b=lambda: held[1])

    def work():
        held[0].add_(1)
        return held[0] * held[1]

    yield (work,)
    held[1] = held[0]
    yield None
    held[1] = held[0][:]
    yield None


@case(CASES, "a view captured beside its base")
def _(s: Scene) -> Any:
    base = weft.zeros(4)
    view = base[1:3]
    s.watch(base=base)

    def work(t):
        view.add_(t[:2])
        return base * 2

    yield work, x()
    base.fill_(3)
    yield None


@case(CASES, "a gradient that is captured is replaced")
def _(s: Scene) -> Any:
    w, t = x().requires_grad_(), x()
    s.watch(w=w, t=t)

    def work():
        (w * t).sum().backward()
        return t * 2

    w.grad = t
    yield (work,)
    w.grad = x()
    yield None
    w.grad = t
    yield None
