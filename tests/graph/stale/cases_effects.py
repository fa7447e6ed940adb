"""Scenarios: what a function changes itself, and effects that a plan cannot repeat."""

import logging
import sys
from typing import Any

from tests.graph.stale.scene import Case, Fresh, Scene, case

import weft
import weft.nn as nn

CASES: list[Case] = []
COUNT = 0


def x() -> Any:
    return weft.tensor([1.0, -2.0, 0.5])


@case(CASES, "counter in a global, used", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    global COUNT
    COUNT = 0

    def work(x):
        global COUNT
        COUNT += 1  # effect
        return x * COUNT  # read

    yield work, x()
    yield None


@case(CASES, "counter in a closure that decides", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    w = weft.ones(3, requires_grad=True)
    opt = weft.optim.SGD([w], lr=0.1)
    s.watch(w=w)
    n = 0

    def work(x):
        nonlocal n
        n += 1  # effect
        (w * x).sum().backward()
        if n % 4 == 0:  # read
            opt.step()
            opt.zero_grad()

    yield work, x()
    for _ in range(4):
        yield None


@case(CASES, "counter in an attribute that decides", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    class Trainer:
        def __init__(self):
            self.n = 0
            self.w = weft.ones(3, requires_grad=True)

        def step(self, x):
            self.n += 1  # effect
            (self.w * x).sum().backward()
            if self.n % 3 == 0:  # read
                self.w.grad = None

    trainer = Trainer()
    s.watch(w=trainer.w)
    yield trainer.step, x()
    for _ in range(4):
        yield None


@case(CASES, "counter in a module attribute that decides", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.n = 0

        def forward(self, x):
            self.n += 1  # effect
            return x * 2 if self.n % 3 else x  # read

    net = Net()
    yield net, x()
    for _ in range(4):
        yield None


@case(CASES, "counter in a list that decides", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    n = [0]

    def work(x):
        n[0] += 1  # effect
        return x * 2 if n[0] % 3 else x + 0  # read

    yield work, x()
    for _ in range(4):
        yield None


@case(CASES, "counter in a dict that decides", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    n = {"step": 0}

    def work(x):
        n["step"] += 1  # effect
        return x * 2 if n["step"] % 3 else x + 0  # read

    yield work, x()
    for _ in range(4):
        yield None


@case(CASES, "flag that is flipped each time", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    box = {"odd": False}

    def work(x):
        box["odd"] = not box["odd"]  # effect # read
        return x * 2 if box["odd"] else x + 0  # read

    yield work, x()
    yield None


@case(CASES, "counter of attribute, compared at last", must_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    class Stop:
        best, left = 0, 5

    stop = Stop()

    def work(x):
        stop.left -= 1  # effect # read
        return x * 0 if stop.left < 0 else x + 0  # read

    yield work, x()
    for _ in range(3):
        yield None


@case(CASES, "counter as a tensor")
def _(s: Scene) -> Any:
    n = weft.zeros(())
    s.watch(n=n)

    def work(x):
        n.add_(1)
        return x * n

    yield work, x()
    n.zero_()
    yield None


@case(CASES, "state made on the first call, in an attribute")
def _(s: Scene) -> Any:
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.running = None

        def forward(self, x):
            if self.running is None:  # read
                self.running = weft.zeros(3)
            self.running.mul_(0.9).add_(x * 0.1)
            return x - self.running

    net = Net()
    s.state(running=lambda: net.running)
    yield net, x()
    net.running = weft.ones(3)
    yield None


CASES[-1].before = 4


@case(CASES, "state made on the first call, by hasattr")
def _(s: Scene) -> Any:
    class Box:
        pass

    box = Box()

    def work(x):
        if not hasattr(box, "running"):  # read
            box.running = weft.zeros(3)
        box.running.add_(x)
        return x - box.running

    s.state(running=lambda: getattr(box, "running", None))
    yield work, x()
    box.running = weft.ones(3)
    yield None


CASES[-1].before = 4


@case(CASES, "state made on the first call, in a dict")
def _(s: Scene) -> Any:
    cache: dict[str, Any] = {}

    def work(x):
        if "mask" not in cache:  # read
            cache["mask"] = weft.tensor([1.0, 0.0, 1.0])
        return x * cache["mask"]

    yield work, x()
    cache["mask"] = weft.tensor([0.0, 1.0, 1.0])
    yield None


CASES[-1].before = 4


@case(CASES, "state that is dropped and made again", may_refuse=True, before=4)
def _(s: Scene) -> Any:
    cache: dict[str, Any] = {}

    def work(x):
        if "mask" not in cache:  # read
            cache["mask"] = weft.tensor([1.0, 0.0, 1.0])  # effect
        return x * cache["mask"]

    yield work, x()
    cache.clear()
    yield None


@case(CASES, "mask cached by its length")
def _(s: Scene) -> Any:
    cache: dict[int, Any] = {}

    def mask(n):
        if n not in cache:  # read
            cache[n] = weft.ones(n, n).tril()
        return cache[n]

    def work(x):
        return x @ mask(len(x))

    yield work, x()
    yield (weft.ones(5),)
    yield (x(),)


CASES[-1].before = 4


@case(CASES, "lazily made parameters")
def _(s: Scene) -> Any:
    class Lazy(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = None

        def forward(self, x):
            if self.linear is None:  # read
                self.linear = nn.Linear(x.shape[-1], 2)
            return self.linear(x).detach()

    net = Lazy()
    yield net, x()
    net.linear = nn.Linear(3, 2)
    yield None


CASES[-1].before = 4


@case(CASES, "the same value written each time")
def _(s: Scene) -> Any:
    class Net(nn.Module):
        def forward(self, x):
            self.shape = tuple(x.shape)  # effect
            return x * 2

    net = Net()
    s.state(shape=lambda: net.shape)
    yield net, x()
    yield (weft.ones(5),)
    net.shape = ()
    yield None


CASES[-1].may_warn = CASES[-1].may_refuse = CASES[-1].unknown = True
CASES[-1].compiles = False


@case(CASES, "last output kept in an attribute", may_refuse=True, may_warn=True, unknown=True)
def _(s: Scene) -> Any:
    class Net(nn.Module):
        last: Any = None

        def forward(self, x):
            y = x * 2
            self.last = y  # effect
            return y

    net = Net()
    s.state(last=lambda: net.last)
    yield net, x()
    yield (x() + 1,)


EFFECTS: dict[str, Any] = {}


def effect(function: Any) -> Any:
    EFFECTS[function.__doc__] = function
    return function


@effect
def _printed(kept, x):
    """print"""
    print("step")  # effect
    return x + 1


@effect
def _written(kept, x):
    """stdout.write"""
    sys.stdout.write("step\n")  # effect
    return x + 1


@effect
def _logged(kept, x):
    """logging"""
    logging.getLogger("weft.test").warning("step")  # effect
    return x + 1


def _effect(name: str, function: Any) -> Case:
    """One warning that names the line; results are equal all the same."""

    def play(s: Scene) -> Any:
        kept: list[Any] = []
        yield (lambda x: function(kept, x)), x()
        yield (x() + 1,)

    return Case(f"effect: {name}", play, may_warn=True, must_warn=True)


def _strict(name: str, function: Any) -> Case:
    def play(s: Scene) -> Any:
        kept: list[Any] = []
        yield (lambda x: function(kept, x)), x()
        yield None

    return Case(f"effect, strict: {name}", play, strict=True, must_refuse=True, compiles=False)


CASES += [_effect(n, f) for n, f in EFFECTS.items()]
CASES += [_strict(n, f) for n, f in EFFECTS.items()]


def _appends(name: str, kept: Any) -> None:
    """A list that is handed to another function counts as read, even if that only appends."""

    @case(CASES, f"{name} appended to a list by another function", must_refuse=True, compiles=False)
    def _(s: Scene) -> Any:
        losses: list[Any] = []

        def note(losses, x):
            losses.append(kept(x))

        def work(x):
            note(losses, x)  # read
            return x + 1

        yield work, x()
        yield (x() + 1,)

    @case(CASES, f"{name} appended to a list", must_warn=True, may_warn=True)
    def _(s: Scene) -> Any:
        losses: list[Any] = []

        def work(x):
            losses.append(kept(x))  # effect
            return x + 1

        yield work, x()
        yield (x() + 1,)


_appends("losses", lambda x: (x * 2).detach())
_appends("numbers", lambda x: 1)


@case(CASES, "metric object with update()", may_warn=True, compiles=True)
def _(s: Scene) -> Any:
    class Mean:
        def __init__(self):
            self.total, self.count = weft.zeros(()), weft.zeros(())

        def update(self, value):
            self.total.add_(value.sum())
            self.count.add_(value.numel())

        def compute(self):
            return self.total / self.count

    metric = Mean()
    s.state(total=lambda: metric.total, count=lambda: metric.count)

    def work(x):
        metric.update(x)
        return x * 2

    yield work, x()
    metric.total, metric.count = weft.zeros(()), weft.zeros(())
    yield None


@case(CASES, "local lists, dicts and objects", compiles=True)
def _(s: Scene) -> Any:
    class Box:
        pass

    def work(x):
        losses, box, names = [], Box(), {}
        box.n = 0
        for i in range(3):
            losses.append(x * i)
            box.n += 1
            names[f"{i}"] = box.n
        return sum(losses), names

    yield work, x()
    yield (x() + 1,)


@case(CASES, "number that is beyond 32 values", may_warn=True, compiles=False, line=False)
def _(s: Scene) -> Any:
    number = iter(range(1000))
    w = weft.ones(3, requires_grad=True)
    opt = weft.optim.SGD([w], lr=0.1)
    s.watch(w=w)

    def work(x, n):
        (w * x * n).sum().backward()  # read
        opt.step()
        opt.zero_grad()

    yield work, x(), Fresh(lambda: next(number))
    for _ in range(20):
        yield None
