"""Scenarios: optimisers, their hyperparameters, groups and state."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

from tests.graph.stale.scene import Case, Scene, case

import weft
import weft.nn as nn
from weft.optim import SGD, Adam, AdamW
from weft.optim import lr_scheduler as lrs

CASES: list[Case] = []

MAKES: dict[str, Callable[..., Any]] = {
    "SGD": lambda ps: SGD(ps, lr=0.1),
    "momentum": lambda ps: SGD(ps, lr=0.1, momentum=0.9),
    "Adam": lambda ps: Adam(ps, lr=0.1),
    "AdamW": lambda ps: AdamW(ps, lr=0.1, amsgrad=True),
}


class World:
    """Two parameters, an optimiser over them, and a step."""

    def __init__(self, s: Scene, make: Callable[..., Any]) -> None:
        self.a = weft.tensor([1.0, -2.0, 0.5], requires_grad=True)
        self.b = weft.tensor([0.5, 3.0], requires_grad=True)
        self.opt = make([self.a, self.b])
        s.watch(a=self.a, b=self.b)
        s.state(state=self.state, groups=self.groups)

    def state(self) -> Any:
        return [sorted(self.opt.state[p].items()) for p in (self.a, self.b) if p in self.opt.state]

    def groups(self) -> Any:
        return [{k: v for k, v in g.items() if k != "params"} for g in self.opt.param_groups]

    def step(self, x: Any) -> Any:
        self.opt.zero_grad()
        loss = (self.a * x).square().sum() + self.b.square().sum()
        loss.backward()
        self.opt.step()
        return loss.detach()


def set_group(**values: Any) -> Callable[[World], None]:
    return lambda o: o.opt.param_groups[0].update(values)


def item(key: str, value: Any) -> Callable[[World], None]:
    return lambda o: o.opt.param_groups[0].__setitem__(key, value)


def new_group(o: World) -> None:
    o.opt.param_groups[0] = {**o.opt.param_groups[0], "lr": 0.5}


def new_groups(o: World) -> None:
    o.opt.param_groups = [{**g, "lr": 0.5} for g in o.opt.param_groups]


def add_group(o: World) -> None:
    o.c = weft.ones(2, requires_grad=True)
    o.opt.add_param_group({"params": [o.c], "lr": 0.3})


def fewer_params(o: World) -> None:
    o.opt.param_groups[0]["params"] = [o.a]


def params_list(o: World) -> None:
    o.opt.param_groups[0]["params"].pop()


def state_replaced(o: World) -> None:
    for key, value in list(o.opt.state[o.a].items()):
        if isinstance(value, weft.Tensor):
            o.opt.state[o.a][key] = value + 1


def state_written(o: World) -> None:
    for value in o.opt.state[o.a].values():
        if isinstance(value, weft.Tensor):
            value.add_(1)


def loaded(o: World) -> None:
    saved = copy.deepcopy(o.opt.state_dict())
    for group in saved["param_groups"]:
        group["lr"] = 0.01
    o.opt.load_state_dict(saved)


def copied(o: World) -> None:
    o.a, o.b, o.opt = copy.deepcopy((o.a, o.b, o.opt))
    o.opt.param_groups[0]["lr"] = 0.5


def unpickled(o: World) -> None:
    o.a, o.b, o.opt = pickle.loads(pickle.dumps((o.a, o.b, o.opt)))
    o.opt.param_groups[0]["lr"] = 0.5


def made_anew(o: World) -> None:
    o.opt = Adam([o.a, o.b], lr=0.7)


def frozen(o: World) -> None:
    o.a.requires_grad = False


def data_replaced(o: World) -> None:
    o.a.data.copy_(weft.ones(3))


CHANGES: dict[str, Callable[[World], Any]] = {
    "lr": item("lr", 0.5),
    "lr 0": item("lr", 0.0),
    "lr an integer": item("lr", 1),
    "lr by update": set_group(lr=0.5),
    "lr by |=": lambda o: o.opt.param_groups[0].__ior__({"lr": 0.5}),
    "lr by setdefault and pop": lambda o: (
        o.opt.param_groups[0].pop("lr"),
        o.opt.param_groups[0].setdefault("lr", 0.5),
    ),
    "lr by dict.__setitem__": lambda o: dict.__setitem__(o.opt.param_groups[0], "lr", 0.5),
    "weight decay": item("weight_decay", 0.3),
    "maximize": item("maximize", True),
    "group replaced": new_group,
    "groups replaced": new_groups,
    "group added": add_group,
    "params list replaced": fewer_params,
    "params list shortened": params_list,
    "state replaced": state_replaced,
    "state written": state_written,
    "state cleared": lambda o: o.opt.state.clear(),
    "state dict loaded": loaded,
    "deep copied": copied,
    "unpickled": unpickled,
    "made anew": made_anew,
    "a parameter frozen": frozen,
    "a parameter written": data_replaced,
    "a gradient hook": lambda o: o.opt.zero_grad(set_to_none=False),
}
OF_ADAM: dict[str, Callable[[World], Any]] = {
    "betas": item("betas", (0.5, 0.6)),
    "betas a list, then written": lambda o: o.opt.param_groups[0]["betas"].__setitem__(0, 0.2),
    "eps": item("eps", 0.1),
    "amsgrad": item("amsgrad", True),
}
OF_SGD: dict[str, Callable[[World], Any]] = {
    "momentum": item("momentum", 0.5),
    "momentum off": item("momentum", 0.0),
    "nesterov": lambda o: o.opt.param_groups[0].update(momentum=0.9, nesterov=True),
    "dampening": lambda o: o.opt.param_groups[0].update(momentum=0.9, dampening=0.3),
}


def _changed(make: str, name: str, change: Callable[[World], Any], inside: bool) -> Case:
    def play(s: Scene) -> Any:
        o = World(s, MAKES[make])
        if "betas a list" in name:
            o.opt.param_groups[0]["betas"] = [0.9, 0.99]
        yield (o.step if inside else lambda x: o.step(x)), weft.ones(3)
        change(o)
        s.watch(a=lambda: o.a, b=lambda: o.b)
        yield None

    return Case(f"{make}: {name}", play)


CASES += [_changed("momentum", n, c, True) for n, c in {**CHANGES, **OF_SGD}.items()]
CASES += [_changed("Adam", n, c, False) for n, c in {**CHANGES, **OF_ADAM}.items()]
CASES += [_changed("SGD", n, CHANGES[n], True) for n in ("lr", "group replaced", "state cleared")]
CASES += [_changed("AdamW", n, CHANGES[n], True) for n in ("lr", "state replaced", "deep copied")]
CASES += [_changed("SGD", n, OF_SGD[n], True) for n in OF_SGD]


SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda opt: lrs.StepLR(opt, 1, gamma=0.5),
    "MultiStepLR": lambda opt: lrs.MultiStepLR(opt, [1, 3], gamma=0.1),
    "ExponentialLR": lambda opt: lrs.ExponentialLR(opt, 0.9),
    "CosineAnnealingLR": lambda opt: lrs.CosineAnnealingLR(opt, 5),
    "LinearLR": lambda opt: lrs.LinearLR(opt),
    "LambdaLR": lambda opt: lrs.LambdaLR(opt, lambda epoch: 1 / (1 + epoch)),
}


def _scheduled(name: str, make: Callable[[Any], Any], optimiser: str) -> Case:
    def play(s: Scene) -> Any:
        o = World(s, MAKES[optimiser])
        scheduler = make(o.opt)
        yield o.step, weft.ones(3)
        for _ in range(5):
            scheduler.step()
            yield None

    return Case(f"{name} on {optimiser}", play, after=1)


CASES += [_scheduled(n, m, o) for n, m in SCHEDULERS.items() for o in ("momentum", "Adam")]


@case(CASES, "ReduceLROnPlateau")
def _(s: Scene) -> Any:
    o = World(s, MAKES["Adam"])
    scheduler = lrs.ReduceLROnPlateau(o.opt, patience=0)
    yield o.step, weft.ones(3)
    for metric in (1.0, 2.0, 3.0):
        scheduler.step(metric)
        yield None


@case(CASES, "learning rate read as a number")
def _(s: Scene) -> Any:
    o = World(s, MAKES["SGD"])

    def work(x):
        o.step(x)
        return x * o.opt.param_groups[0]["lr"]  # read

    yield work, weft.ones(3)
    o.opt.param_groups[0]["lr"] = 0.5
    yield None


@case(CASES, "update written by hand with the optimiser's rate")
def _(s: Scene) -> Any:
    o = World(s, MAKES["SGD"])

    def work(x):
        o.opt.zero_grad()
        (o.a * x).square().sum().backward()
        with weft.no_grad():
            for group in o.opt.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.add_(p.grad, alpha=-group["lr"])  # read

    yield work, weft.ones(3)
    o.opt.param_groups[0]["lr"] = 0.5
    yield None


@case(CASES, "defaults of an optimiser read as a number")
def _(s: Scene) -> Any:
    o = World(s, MAKES["SGD"])

    def work(x):
        return x * o.opt.defaults["lr"]  # read

    yield work, weft.ones(3)
    o.opt.defaults["lr"] = 0.5
    yield None


@case(CASES, "state of an optimiser read")
def _(s: Scene) -> Any:
    o = World(s, MAKES["Adam"])

    def work(x):
        o.step(x)
        return o.opt.state[o.a]["exp_avg"] * 2

    yield work, weft.ones(3)
    state_replaced(o)
    yield None


@case(CASES, "optimiser that was compiled before, stepped eagerly between")
def _(s: Scene) -> Any:
    o = World(s, MAKES["Adam"])
    yield o.step, weft.ones(3)
    o.step(weft.full((3,), 2.0))
    yield None


@case(CASES, "one optimiser in two compiled functions")
def _(s: Scene) -> Any:
    o = World(s, MAKES["Adam"])
    other = weft.compile(o.step) if s.compiled else o.step
    yield o.step, weft.ones(3)
    for _ in range(3):
        other(weft.ones(3))
    o.opt.param_groups[0]["lr"] = 0.5
    other(weft.ones(3))
    yield None


@case(CASES, "two optimisers, one rate each")
def _(s: Scene) -> Any:
    a, b = weft.ones(3, requires_grad=True), weft.ones(3, requires_grad=True)
    first, second = SGD([a], lr=0.1), Adam([b], lr=0.2)
    s.watch(a=a, b=b)

    def work(x):
        (a * b * x).sum().backward()
        first.step()
        second.step()
        first.zero_grad()
        second.zero_grad()

    yield work, weft.ones(3)
    second.param_groups[0]["lr"] = 0.5
    yield None
    first.param_groups[0]["lr"] = 0.0
    yield None


@case(CASES, "optimiser chosen by name")
def _(s: Scene) -> Any:
    a = weft.ones(3, requires_grad=True)
    opts = {"sgd": SGD([a], lr=0.1), "adam": Adam([a], lr=0.2)}
    chosen = {"name": "sgd"}
    s.watch(a=a)

    def work(x):
        (a * x).sum().backward()
        opts[chosen["name"]].step()  # read
        opts[chosen["name"]].zero_grad()

    yield work, weft.ones(3)
    chosen["name"] = "adam"
    yield None


@case(CASES, "clipping by a configured norm")
def _(s: Scene) -> Any:
    o = World(s, MAKES["SGD"])
    config = {"clip": 1.0}

    def work(x):
        o.opt.zero_grad()
        (o.a * x).square().sum().backward()
        norm = nn.utils.clip_grad_norm_([o.a, o.b], config["clip"])  # read
        o.opt.step()
        return norm

    yield work, weft.ones(3)
    config["clip"] = 0.1
    yield None


@case(CASES, "a step without the gradient of one parameter")
def _(s: Scene) -> Any:
    o = World(s, MAKES["momentum"])
    use = {"b": True}

    def work(x):
        o.opt.zero_grad()
        loss = (o.a * x).sum()
        if use["b"]:  # read
            loss = loss + o.b.sum()
        loss.backward()
        o.opt.step()

    yield work, weft.ones(3)
    use["b"] = False
    yield None
    use["b"] = True
    yield None
