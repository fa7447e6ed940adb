"""Scenarios: functions that are replaced, names that come and go."""

import functools
import sys
import types
from typing import Any

from tests.graph.stale.scene import Case, Scene, case
from tests.graph.stale.values import use

import weft
import weft.nn as nn
import weft.nn.functional as F

CASES: list[Case] = []
LATE: Any


def x() -> Any:
    return weft.tensor([[1.0, -2.0, 0.5], [3.0, 4.0, 5.0]])


@case(CASES, "code of the function replaced")
def _(s: Scene) -> Any:
    def work(x):
        return x * 2

    def other(x):
        return x * 3

    yield work, x()
    work.__code__ = other.__code__
    yield None


@case(CASES, "code of a helper replaced")
def _(s: Scene) -> Any:
    def helper(x):
        return x * 2

    def other(x):
        return x * 3

    yield (lambda x: helper(x)), x()
    helper.__code__ = other.__code__
    yield None


@case(CASES, "code of a method replaced")
def _(s: Scene) -> Any:
    class Worker:
        def work(self, x):
            return x * 2

    def other(self, x):
        return x * 3

    worker = Worker()
    yield (lambda x: worker.work(x)), x()
    Worker.work.__code__ = other.__code__
    yield None


def by_late(x):
    try:
        return use(LATE, x)  # read
    except NameError:
        return x + 1


@case(CASES, "global that appears")
def _(s: Scene) -> Any:
    globals().pop("LATE", None)
    s.later(lambda: globals().pop("LATE", None))
    yield by_late, x()
    globals()["LATE"] = 3.0
    yield None
    del globals()["LATE"]
    yield None


@case(CASES, "global that shadows a builtin later")
def _(s: Scene) -> Any:
    s.later(lambda: globals().pop("abs", None))
    yield (lambda x: x * abs(-2)), x()
    globals()["abs"] = lambda v: v
    yield None


@case(CASES, "cell that is filled later")
def _(s: Scene) -> Any:
    def work(x):
        try:
            return use(late, x)  # read
        except NameError:
            return x + 1

    yield work, x()
    late = 3.0
    yield None
    del late
    yield None


@case(CASES, "helper redefined")
def _(s: Scene) -> Any:
    def helper(x):
        return x * 2

    def work(x):
        return helper(x)

    yield work, x()

    def helper(x):  # noqa: F811
        return x * 3

    yield None


@case(CASES, "method of weft's class patched")
def _(s: Scene) -> Any:
    layer = nn.Linear(3, 3)
    yield (lambda x: layer(x).detach()), x()
    s.patch(nn.Linear, "forward", lambda self, x: F.linear(x, self.weight * 2))
    yield None


@case(CASES, "weft.exp patched")
def _(s: Scene) -> Any:
    yield (lambda x: weft.exp(x)), x()
    s.patch(weft, "exp", weft.tanh)
    yield None


@case(CASES, "F.relu patched, called by nn.ReLU")
def _(s: Scene) -> Any:
    layer = nn.ReLU()
    yield (lambda x: layer(x)), x()
    s.patch(F, "relu", weft.tanh)
    yield None


@case(CASES, "method of Tensor patched", may_refuse=True)
def _(s: Scene) -> Any:
    yield (lambda x: x.exp()), x()
    old = weft.Tensor.exp
    try:
        weft.Tensor.exp = weft.Tensor.tanh
    except TypeError:
        return
    s.later(lambda: setattr(weft.Tensor, "exp", old))
    yield None


@case(CASES, "module in sys.modules replaced")
def _(s: Scene) -> Any:
    def made(scale):
        module = types.ModuleType("weft_scene_config")
        module.SCALE = scale
        return module

    def work(x):
        import weft_scene_config

        return use(weft_scene_config.SCALE, x)  # read

    s.later(lambda: sys.modules.pop("weft_scene_config", None))
    sys.modules["weft_scene_config"] = made(2.0)
    yield work, x()
    sys.modules["weft_scene_config"] = made(5.0)
    yield None


@case(CASES, "class replaced in a global of a factory")
def _(s: Scene) -> Any:
    classes = {"act": nn.ReLU}
    yield (lambda x: classes["act"]()(x)), x()  # read
    classes["act"] = nn.Tanh
    yield None


@case(CASES, "function in functools.reduce")
def _(s: Scene) -> Any:
    steps = [weft.exp, weft.tanh]
    yield (lambda x: functools.reduce(lambda y, f: f(y), steps, x)), x()  # read
    steps.append(weft.sigmoid)
    yield None


@case(CASES, "cached by lru_cache", may_refuse=True, may_warn=True, unknown=True, compiles=False)
def _(s: Scene) -> Any:
    @functools.lru_cache
    def scale(n):
        return held[0]  # read

    held = [2.0]
    yield (lambda x: x * scale(len(x))), x()  # read
    held[0] = 3.0
    scale.cache_clear()
    yield None


@case(CASES, "singledispatch registered later")
def _(s: Scene) -> Any:
    @functools.singledispatch
    def work(v, x):
        return x * 2

    yield (lambda x: work(1.0, x)), x()  # read
    work.register(float, lambda v, x: x * 3)
    yield None


CASES[-1].may_refuse = CASES[-1].may_warn = CASES[-1].unknown = True
CASES[-1].compiles = False


@case(CASES, "recursion with a depth in a closure")
def _(s: Scene) -> Any:
    depth = 2

    def deep(x, n):
        return x if n == 0 else deep(x * 2, n - 1)

    yield (lambda x: deep(x, depth)), x()  # read
    depth = 4
    yield None


@case(CASES, "exception that depends on a config")
def _(s: Scene) -> Any:
    config = {"limit": 5}

    def check(n):
        if n > config["limit"]:  # read
            raise ValueError("too long")
        return n

    def work(x):
        try:
            return x * check(x.numel())
        except ValueError:
            return x * -1

    yield work, x()
    config["limit"] = 10
    yield None


@case(CASES, "exception that leaves the function")
def _(s: Scene) -> Any:
    config = {"limit": 50}

    def work(x):
        if x.numel() > config["limit"]:  # read
            raise ValueError("too long")
        return x * 2

    yield work, x()
    config["limit"] = 3
    yield None
    config["limit"] = 50
    yield None
