"""Scenarios: what is returned has the identity, memory, class and flags of the eager result."""

from collections.abc import Callable
from typing import Any

from tests.graph.stale.scene import Case, Scene, case

import weft
import weft.nn as nn

CASES: list[Case] = []


def x() -> Any:
    return weft.tensor([[1.0, -2.0, 0.5], [3.0, 4.0, 5.0]])


class World:
    """What the functions below may return."""

    def __init__(self) -> None:
        self.w = nn.Parameter(weft.full((2, 3), 2.0))
        self.c = weft.full((2, 3), 3.0)
        self.view = self.c[0]
        self.w.grad = weft.full((2, 3), 7.0)


RETURNS: dict[str, Callable[[World, Any], Any]] = {
    "argument": lambda o, x: x,
    "argument twice": lambda o, x: (x, x),
    "argument in a dict": lambda o, x: {"x": x, "y": x + 1},
    "view of an argument": lambda o, x: x[0],
    "slice of an argument": lambda o, x: x[:, 1:],
    "reshape of an argument": lambda o, x: x.reshape(3, 2),
    "view() of an argument": lambda o, x: x.view(6),
    "transpose of an argument": lambda o, x: x.t(),
    "detached argument": lambda o, x: x.detach(),
    "contiguous argument": lambda o, x: x.contiguous(),
    "to() of an argument": lambda o, x: x.to(weft.float32),
    "flattened argument": lambda o, x: x.flatten(),
    "expanded argument": lambda o, x: x[0].expand(4, 3),
    "chunks of an argument": lambda o, x: x.chunk(2),
    "unbound argument": lambda o, x: x.unbind(0),
    "squeezed argument": lambda o, x: x.squeeze(),
    "clone of an argument": lambda o, x: x.clone(),
    "captured": lambda o, x: o.c,
    "captured and a result": lambda o, x: (o.c, x + 1),
    "captured view": lambda o, x: o.view,
    "view of a captured": lambda o, x: o.c[1],
    "reshape of a captured": lambda o, x: o.c.reshape(6),
    "parameter": lambda o, x: o.w,
    "parameter and a result": lambda o, x: (o.w, (o.w * x).detach()),
    "detached parameter": lambda o, x: o.w.detach(),
    "gradient": lambda o, x: o.w.grad,
    "gradient and a view of it": lambda o, x: (o.w.grad, o.w.grad[0]),
    "result twice": lambda o, x: (y := x * 2, y),
    "result and a view": lambda o, x: (y := x * 2, y[:, :2]),
    "two views of a result": lambda o, x: ((y := x * 2)[0], y[1]),
    "views that overlap": lambda o, x: ((y := x * 2)[:, :2], y[:, 1:]),
    "view of a result": lambda o, x: (x * 2)[1],
    "transposed result": lambda o, x: (x * 2).t(),
    "result and its detached self": lambda o, x: (y := x * 2, y.detach()),
    "result and its reshape": lambda o, x: (y := x * 2, y.reshape(6)),
    "result changed in place": lambda o, x: (y := x * 2, y.add_(1)),
    "argument changed in place": lambda o, x: x.add_(1),
    "captured changed in place": lambda o, x: o.c.mul_(2),
    "view changed in place": lambda o, x: o.view.mul_(2),
    "old and new of a captured": lambda o, x: (o.c * 1, o.c.add_(1)),
    "constant": lambda o, x: weft.ones(3),
    "constants": lambda o, x: (weft.ones(3), weft.ones(3)),
    "numbers": lambda o, x: (1, True, -0.0, None, "a", x + 1),
    "result that requires a gradient": lambda o, x: (x * 2).requires_grad_(),
    "new parameter": lambda o, x: nn.Parameter(x * 2),
    "list of results": lambda o, x: [x + i for i in range(3)],
    "nested results": lambda o, x: {"a": [x + 1, (x + 2, {"b": x})]},
    "shape": lambda o, x: (x.shape, x.dtype, x + 1),
    "where of itself": lambda o, x: weft.where(x > 0, x, x),
}


def _returns(name: str, function: Callable[[World, Any], Any]) -> Case:
    def play(s: Scene) -> Any:
        o = World()
        s.watch(w=o.w, c=o.c, view=o.view)
        yield (lambda x: function(o, x)), x()
        o.c.fill_(4)
        yield (x() + 1,)

    return Case(f"returned: {name}", play, may_refuse=name == "new parameter", line=False)


CASES += [_returns(name, function) for name, function in RETURNS.items()]


def _written(name: str, function: Callable[[World, Any], Any]) -> Case:
    """What is returned is written afterwards: whoever shares its memory sees that."""

    def play(s: Scene) -> Any:
        o = World()
        kept: list[Any] = []
        s.watch(w=o.w, c=o.c)
        fast = s.run(lambda x: function(o, x))

        def caller(x):
            found = fast(x)
            first = found[0] if isinstance(found, (tuple, list)) else found
            with weft.no_grad():
                first.detach().add_(10)
            kept.append(first)
            return found, [k.detach() * 1 for k in kept]

        yield caller, x()
        yield None

    return Case(f"returned and written: {name}", play, outside=True)


CASES += [
    _written(name, RETURNS[name])
    for name in (
        "argument",
        "view of an argument",
        "captured",
        "view of a captured",
        "captured and a result",
        "result twice",
        "result and a view",
        "views that overlap",
        "two views of a result",
        "gradient",
        "constant",
        "list of results",
        "detached parameter",
        "result changed in place",
    )
]


@case(CASES, "requires_grad_() of an argument inside")
def _(s: Scene) -> Any:
    def work(t):
        t.requires_grad_()
        (t * 2).sum().backward()

    yield work, (t := x())
    s.watch(t=t)
    fresh = x()
    s.watch(fresh=fresh)
    yield (fresh,)


@case(CASES, "requires_grad_() of a captured tensor inside")
def _(s: Scene) -> Any:
    w = x()
    s.watch(w=w)

    def work(t):
        w.requires_grad_()
        return t + 1

    yield work, x()
    w.requires_grad = False
    yield None


@case(CASES, "requires_grad switched off inside", may_refuse=True)
def _(s: Scene) -> Any:
    w = x().requires_grad_()
    s.watch(w=w)

    def work(t):
        w.requires_grad_(False)  # effect
        return t + 1

    yield work, x()
    w.requires_grad = True
    yield None


@case(CASES, "gradient assigned inside")
def _(s: Scene) -> Any:
    w = x().requires_grad_()
    s.watch(w=w)

    def work(t):
        w.grad = t * 2

    yield work, x()
    w.grad = None
    yield (x() + 1,)


@case(CASES, "gradient assigned an argument inside")
def _(s: Scene) -> Any:
    w, g = x().requires_grad_(), x()
    s.watch(w=w, g=g)

    def work(t):
        w.grad = t

    yield work, g
    w.grad = None
    h = x() + 1
    s.watch(h=h)
    yield (h,)


@case(CASES, "gradient assigned a captured tensor inside")
def _(s: Scene) -> Any:
    w, c = x().requires_grad_(), x()
    s.watch(w=w, c=c)

    def work(t):
        w.grad = c
        return t + 1

    yield work, x()
    w.grad = None
    yield None


@case(CASES, "gradient assigned and returned")
def _(s: Scene) -> Any:
    w = x().requires_grad_()
    s.watch(w=w)

    def work(t):
        g = t * 2
        w.grad = g
        return g, g[0]

    yield work, x()
    yield None


@case(CASES, "gradient dropped inside")
def _(s: Scene) -> Any:
    w = x().requires_grad_()
    s.watch(w=w)

    def work(t):
        w.grad = None
        return t + 1

    w.grad = x()
    yield work, x()
    w.grad = x()
    yield None


@case(CASES, "gradients of two leaves from one tensor")
def _(s: Scene) -> Any:
    a, b = x().requires_grad_(), x().requires_grad_()
    s.watch(a=a, b=b)

    def work(t):
        (a + b).sum().backward()

    yield work, x()
    a.grad = b.grad = None
    yield None
    a.grad.mul_(2)
    yield None


@case(CASES, "detach_() inside", may_refuse=True)
def _(s: Scene) -> Any:
    w = x().requires_grad_()
    s.watch(w=w)

    def work(t):
        y = w * t
        y.detach_()
        return y

    yield work, x()
    yield None


@case(CASES, "data assigned inside", may_refuse=True)
def _(s: Scene) -> Any:
    w = x().requires_grad_()
    s.watch(w=w)

    def work(t):
        w.data.copy_(t * 2)
        return t + 1

    yield work, x()
    w.data.fill_(3)
    yield None


@case(CASES, "new leaf returned with its gradient")
def _(s: Scene) -> Any:
    def work(t):
        w = weft.ones(2, 3, requires_grad=True)
        (w * t).sum().backward()
        return w, w.grad

    yield work, x()
    yield (x() * 3,)
