"""Scenarios: reads that go through weft's own helpers: walks over modules, optimisers, data."""

import contextlib
from collections.abc import Callable
from typing import Any

from tests.graph.stale.scene import Case, Scene, case

import weft
import weft.nn as nn
from weft.optim import lr_scheduler as lrs

CASES: list[Case] = []


def x() -> Any:
    return weft.tensor([[1.0, -2.0, 0.5], [3.0, 4.0, 5.0]])


def make() -> nn.Sequential:
    """A net with all kinds of parts."""
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.0), nn.Sequential(nn.Linear(3, 3), nn.Tanh()))
    net.extra = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Identity()})
    net.register_buffer("shift", weft.ones(3))
    net.scales = nn.ParameterList([nn.Parameter(weft.ones(3))])
    net.layer1 = nn.Linear(3, 3)
    return net


#: Numbers and tensors that a walk over the net gives.
WALKS: dict[str, Callable[[Any], Any]] = {
    "parameters": lambda n: sum(p.detach().sum() for p in n.parameters()),
    "named_parameters": lambda n: sum(
        p.detach().sum() for k, p in n.named_parameters() if "0" in k
    ),
    "number of parameters": lambda n: sum(p.numel() for p in n.parameters()),
    "those that require gradients": lambda n: sum(p.requires_grad for p in n.parameters()),
    "buffers": lambda n: sum(b.sum() for b in n.buffers()),
    "named_buffers": lambda n: len(dict(n.named_buffers())),
    "modules": lambda n: sum(isinstance(m, nn.Linear) for m in n.modules()),
    "named_modules": lambda n: len([k for k, m in n.named_modules() if isinstance(m, nn.Tanh)]),
    "children": lambda n: len(list(n.children())),
    "named_children": lambda n: len([k for k, _ in n.named_children()]),
    "length": lambda n: len(n),
    "last": lambda n: n[-1](weft.ones(3)).detach(),
    "slice": lambda n: n[:2](weft.ones(3)).detach(),
    "iteration": lambda n: sum(isinstance(m, nn.Dropout) for m in n),
    "training": lambda n: 2 if n.training else 3,
    "training of parts": lambda n: sum(m.training for m in n.modules()),
    "state_dict": lambda n: sum(v.sum() for v in n.state_dict().values()),
    "keys of a ModuleDict": lambda n: len(list(n.extra.keys())),
    "items of a ModuleDict": lambda n: sum(isinstance(m, nn.Linear) for k, m in n.extra.items()),
    "key in a ModuleDict": lambda n: 2 if "c" in n.extra else 3,
    "item of a ParameterList": lambda n: n.scales[0].detach(),
    "length of a ParameterList": lambda n: len(n.scales),
    "name made of a number": lambda n: getattr(n, f"layer{1}").weight.detach().sum(),
    "_modules": lambda n: len(n._modules) if hasattr(n, "_modules") else 0,
    "extra_repr": lambda n: len(repr(n)),
    "p of a dropout": lambda n: n[1].p,
    "bias is None": lambda n: 2 if n[0].bias is None else 3,
    "in_features": lambda n: n[0].in_features,
    "isinstance of a part": lambda n: 2 if isinstance(n[2][1], nn.Tanh) else 3,
    "dtype of the first parameter": lambda n: (
        2 if next(n.parameters()).dtype == weft.float32 else 3
    ),
    "shape of a weight": lambda n: n[0].weight.shape[0],
    "parameters_to_vector": lambda n: weft.cat(
        [p.detach().flatten() for p in n.parameters()]
    ).sum(),
}

#: What may happen to the net.
EVENTS: dict[str, Callable[[Any], Any]] = {
    "part appended": lambda n: n.append(nn.Linear(3, 3)),
    "part replaced": lambda n: n.__setitem__(0, nn.Linear(3, 4, bias=False)),
    "part of a part replaced": lambda n: n[2].__setitem__(1, nn.ReLU()),
    "part frozen": lambda n: n[0].requires_grad_(False),
    "eval": lambda n: n.eval(),
    "eval of a part": lambda n: n[1].eval(),
    "parameter written": lambda n: n[0].weight.data.fill_(2),
    "parameter of a list": lambda n: n.scales.append(nn.Parameter(weft.ones(3))),
    "key added": lambda n: n.extra.__setitem__("c", nn.Linear(3, 3)),
    "key removed": lambda n: n.extra.__delitem__("b"),
    "buffer added": lambda n: n.register_buffer("more", weft.ones(3)),
    "buffer replaced": lambda n: setattr(n, "shift", weft.full((3,), 4.0)),
    "attribute replaced": lambda n: setattr(n, "layer1", nn.Linear(3, 5)),
    "bias removed": lambda n: setattr(n[0], "bias", None),
    "p changed": lambda n: setattr(n[1], "p", 0.5),
}


def _walk(name: str, walk: Callable[[Any], Any], event: str) -> Case:
    def play(s: Scene) -> Any:
        net = make()
        yield (lambda x: x * walk(net)), weft.ones(1)
        EVENTS[event](net)
        yield None

    return Case(f"walk by {name}: {event}", play)


_events = list(EVENTS)
for _i, (_name, _one) in enumerate(WALKS.items()):
    for _k in range(5):
        CASES.append(_walk(_name, _one, _events[(_i + 3 * _k) % len(_events)]))


@case(CASES, "last rate of a scheduler, read inside")
def _(s: Scene) -> Any:
    opt = weft.optim.SGD([weft.ones(3, requires_grad=True)], lr=0.5)
    scheduler = lrs.StepLR(opt, 1, gamma=0.5)
    yield (lambda x: x * scheduler.get_last_lr()[0]), x()  # read
    opt.param_groups[0]["params"][0].grad = weft.ones(3)
    opt.step()
    scheduler.step()
    yield None


@case(CASES, "scheduler stepped inside", may_refuse=True, may_warn=True, compiles=False, line=False)
def _(s: Scene) -> Any:
    w = weft.ones(3, requires_grad=True)
    opt = weft.optim.SGD([w], lr=0.5)
    scheduler = lrs.StepLR(opt, 1, gamma=0.5)
    s.watch(w=w)

    def work(x):
        opt.zero_grad()
        (w * x).sum().backward()
        opt.step()
        try:
            scheduler.step()  # effect
        except RuntimeError as error:
            raise weft.CompileError(str(error)) from None

    yield work, x()
    yield None


@case(CASES, "gradient clipping, returned")
def _(s: Scene) -> Any:
    net = nn.Linear(3, 3)
    s.state(grads=lambda: [p.grad for p in net.parameters()])

    def work(x):
        net.zero_grad()
        net(x).square().sum().backward()
        return nn.utils.clip_grad_norm_(net.parameters(), 0.5)

    yield work, x()
    net.bias = None
    yield None


@case(CASES, "no_grad inside")
def _(s: Scene) -> Any:
    w = weft.ones(3, requires_grad=True)

    def work(x):
        with weft.no_grad():
            y = w * x
        return y, y.requires_grad

    yield work, x()
    w.requires_grad = False
    yield None


@case(CASES, "context manager with a config")
def _(s: Scene) -> Any:
    config = {"scale": 2.0}

    @contextlib.contextmanager
    def scaled():
        yield config["scale"]  # read

    def work(x):
        with scaled() as found:  # read
            return x * found

    yield work, x()
    config["scale"] = 3.0
    yield None


@case(CASES, "exit stack with a list of managers")
def _(s: Scene) -> Any:
    managers: list[Any] = [weft.no_grad]
    w = weft.ones(3, requires_grad=True)

    def work(x):
        with contextlib.ExitStack() as stack:
            for manager in managers:  # read
                stack.enter_context(manager())
            return (w * x).requires_grad

    yield work, x()
    managers.clear()
    yield None


@case(CASES, "decorator with an argument")
def _(s: Scene) -> Any:
    config = {"times": 2}

    def repeated(function):
        def wrapper(x):
            for _i in range(config["times"]):  # read
                x = function(x)
            return x

        return wrapper

    @repeated
    def work(x):
        return x * 2

    yield work, x()
    config["times"] = 4
    yield None


@case(CASES, "global statement inside")
def _(s: Scene) -> Any:
    space: dict[str, Any] = {"weft": weft}
    exec("RATE = 2.0\ndef work(x):\n    global RATE\n    RATE = 2.0\n    return x * RATE", space)
    yield space["work"], x()
    space["RATE"] = 3.0
    yield None


CASES[-1].may_refuse = CASES[-1].may_warn = True
CASES[-1].line = CASES[-1].compiles = False


@case(CASES, "config read in an except clause")
def _(s: Scene) -> Any:
    config = {"scale": 2.0}

    def work(x):
        try:
            return x @ x
        except RuntimeError:
            return x * config["scale"]  # read

    yield work, x()
    config["scale"] = 3.0
    yield None


@case(CASES, "config read in a finally clause")
def _(s: Scene) -> Any:
    config = {"scale": 2.0}

    def work(x):
        y = x
        try:
            y = y + 1
        finally:
            y = y * config["scale"]  # read
        return y

    yield work, x()
    config["scale"] = 3.0
    yield None


@case(CASES, "loop over layers with a skip list")
def _(s: Scene) -> Any:
    layers = nn.ModuleList([nn.Linear(3, 3) for _ in range(4)])
    skip = {1}

    def work(x):
        for i, layer in enumerate(layers):
            if i not in skip:  # read
                x = layer(x)
        return x.detach()

    yield work, x()
    skip.add(2)
    yield None
    skip.clear()
    yield None


@case(CASES, "default dtype asked for")
def _(s: Scene) -> Any:
    yield (lambda x: x.to(weft.get_default_dtype()) + 1), weft.ones(3, dtype=weft.float64)
    yield (weft.ones(3, dtype=weft.int64),)


@case(CASES, "seed of the generator, read inside", may_refuse=True, may_warn=True, compiles=False)
def _(s: Scene) -> Any:
    yield (lambda x: x * (weft.initial_seed() % 100)), x()  # read
    weft.manual_seed(12)
    yield None
