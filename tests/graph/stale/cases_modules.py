"""Scenarios: modules, parameters, hooks and modes."""

import copy
from typing import Any

from tests.graph.stale.scene import Case, Scene, case

import weft
import weft.nn as nn

CASES: list[Case] = []
FOUR = weft.ones(2, 4)


def x() -> Any:
    return weft.tensor([[1.0, -2.0, 0.5], [3.0, 4.0, 5.0]])


class Net(nn.Module):
    """A bit of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.blocks = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.acts = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
        self.tail = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.LayerNorm(3))
        self.register_buffer("shift", weft.full((3,), 0.5))
        self.scales = nn.ParameterList([nn.Parameter(weft.ones(3))])
        self.name = "a"

    def forward(self, x: Any) -> Any:
        x = self.first(x)
        for block in self.blocks:
            x = self.acts[self.name](block(x))
        return (self.tail(x) * self.scales[0] + self.shift).detach()


def swap(name: str, value: Any) -> Any:
    return lambda net: setattr(net, name, value())


def set_all(net: Net) -> None:
    with weft.no_grad():
        for p in net.parameters():
            p.fill_(0.1)


def tied(net: Net) -> None:
    net.blocks[1].weight = net.blocks[0].weight


CHANGES: dict[str, Any] = {
    "eval": lambda n: n.eval(),
    "eval of one": lambda n: n.tail[1].eval(),
    "train twice": lambda n: (n.eval(), n.train()),
    "training written": lambda n: setattr(n.tail[1], "training", False),
    "dropout p": lambda n: setattr(n.tail[1], "p", 0.1),
    "eps": lambda n: setattr(n.tail[2], "eps", 0.1),
    "parameter replaced": lambda n: setattr(n.first, "weight", nn.Parameter(weft.ones(4, 3))),
    "parameter written": set_all,
    "bias removed": lambda n: setattr(n.first, "bias", None),
    "parameter in a list": lambda n: n.scales.__setitem__(0, nn.Parameter(weft.full((3,), 3.0))),
    "weights tied": tied,
    "module replaced": swap("first", lambda: nn.Linear(3, 4, bias=False)),
    "module in Sequential": lambda n: n.tail.__setitem__(0, nn.Linear(4, 3, bias=False)),
    "module appended to Sequential": lambda n: n.tail.append(nn.Tanh()),
    "module in ModuleList": lambda n: n.blocks.__setitem__(1, nn.Identity()),
    "module appended to ModuleList": lambda n: n.blocks.append(nn.Linear(4, 4)),
    "module in ModuleDict": lambda n: n.acts.__setitem__("a", nn.Sigmoid()),
    "another key of ModuleDict": lambda n: setattr(n, "name", "b"),
    "module removed from ModuleList": lambda n: n.blocks.__delitem__(1),
    "buffer replaced": lambda n: setattr(n, "shift", weft.full((3,), 7.0)),
    "buffer registered anew": lambda n: n.register_buffer("shift", weft.full((3,), 7.0)),
    "buffer written": lambda n: n.shift.fill_(9),
    "buffer to a parameter": lambda n: (
        delattr(n, "shift"),
        setattr(n, "shift", nn.Parameter(weft.zeros(3))),
    ),
    "double": lambda n: n.double() if hasattr(n, "double") else n.to(weft.float64),
    "state loaded": lambda n: n.load_state_dict({k: v * 2 for k, v in n.state_dict().items()}),
    "frozen": lambda n: n.requires_grad_(False),
    "one frozen": lambda n: n.first.weight.requires_grad_(False),
    "forward hook": lambda n: n.first.register_forward_hook(lambda m, a, out: out * 2),
    "forward pre-hook": lambda n: n.first.register_forward_pre_hook(lambda m, a: (a[0] * 2,)),
    "forward of an instance": lambda n: setattr(
        n.first, "forward", lambda x: x.sum() * weft.ones(2, 4)
    ),
    "class replaced": lambda n: setattr(n.acts["a"], "__class__", nn.Tanh),
    "attribute deleted and set": lambda n: (delattr(n, "name"), setattr(n, "name", "b")),
}


def _changed(name: str, change: Any, whole: bool) -> Case:
    def play(s: Scene) -> Any:
        net = Net()
        s.state(parameters=lambda: [p.grad for p in net.parameters()])
        double = lambda x: net(x.to(net.first.weight.dtype))  # noqa: E731
        yield double if name == "double" else net if whole else (lambda x: net(x)), x()
        change(net)
        yield None

    return Case(f"module: {name}", play)


CASES += [_changed(n, c, i % 2 == 0) for i, (n, c) in enumerate(CHANGES.items())]


def _trained(name: str, change: Any) -> Case:
    """The same changes under a loss with its backward."""

    def play(s: Scene) -> Any:
        net = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 1)))
        s.state(grads=lambda: [(p.grad, p.requires_grad) for p in net.parameters()])

        def work(x):
            net.zero_grad()
            loss = net(x).square().sum()
            if loss.requires_grad:
                loss.backward()
            return loss.detach()

        yield work, x()
        change(net)
        yield None

    return Case(f"trained module: {name}", play)


CASES += [
    _trained("frozen", lambda n: n.requires_grad_(False)),
    _trained("one frozen", lambda n: n[0].weight.requires_grad_(False)),
    _trained("parameter replaced", lambda n: setattr(n[0], "bias", nn.Parameter(weft.ones(3)))),
    _trained("module replaced", lambda n: n[1].__setitem__(1, nn.Linear(3, 2))),
    _trained("module inserted", lambda n: n.append(nn.Sigmoid())),
    _trained("bias removed", lambda n: setattr(n[0], "bias", None)),
    _trained("gradient replaced", lambda n: setattr(n[0].bias, "grad", weft.ones(3))),
    _trained("deep copied inside", lambda n: n.__setitem__(1, copy.deepcopy(n[1]))),
]


@case(CASES, "hook removed")
def _(s: Scene) -> Any:
    net = nn.Linear(3, 3)
    handle = net.register_forward_hook(lambda m, args, out: out * 2)
    yield (lambda x: net(x).detach()), x()
    handle.remove()
    yield None


@case(CASES, "hook replaced by another")
def _(s: Scene) -> Any:
    net = nn.Linear(3, 3)
    handle = net.register_forward_hook(lambda m, args, out: out * 2)
    yield (lambda x: net(x).detach()), x()
    handle.remove()
    net.register_forward_hook(lambda m, args, out: out * 3)
    yield None


@case(CASES, "model in a dict replaced")
def _(s: Scene) -> Any:
    models = {"g": nn.Linear(3, 3), "d": nn.Linear(3, 3)}
    yield (lambda x: models["d"](models["g"](x)).detach()), x()  # read
    models["d"] = models["g"]
    yield None


@case(CASES, "model in a list replaced by a copy")
def _(s: Scene) -> Any:
    models = [nn.Linear(3, 3)]
    yield (lambda x: models[0](x).detach()), x()  # read
    models[0] = copy.deepcopy(models[0])
    with weft.no_grad():
        models[0].weight.mul_(2)
    yield None


@case(CASES, "functional model with a dict of parameters")
def _(s: Scene) -> Any:
    ps = {"w": weft.ones(3, 3, requires_grad=True), "b": weft.zeros(3, requires_grad=True)}
    s.watch(w=lambda: ps["w"], b=lambda: ps["b"])

    def work(x):
        for p in ps.values():
            p.grad = None
        (x @ ps["w"] + ps["b"]).square().sum().backward()

    yield work, x()
    ps["b"] = weft.ones(3, requires_grad=True)
    yield None
    ps["c"] = weft.ones(3, requires_grad=True)
    ps["c"].grad = weft.ones(3)
    yield None


@case(CASES, "requires_grad of a captured tensor that is otherwise unused")
def _(s: Scene) -> Any:
    w = weft.ones(3)
    yield (lambda x: x * (2 if w.requires_grad else 3)), x()
    w.requires_grad = True
    yield None


@case(CASES, "shape of a captured tensor that is otherwise unused")
def _(s: Scene) -> Any:
    held = [weft.ones(3)]
    yield (lambda x: x * len(held[0])), x()  # read
    held[0] = weft.ones(5)
    yield None


@case(CASES, "dtype of a captured tensor that is otherwise unused")
def _(s: Scene) -> Any:
    held = [weft.ones(3)]
    yield (lambda x: x.to(held[0].dtype)), x()  # read
    held[0] = weft.ones(3, dtype=weft.float64)
    yield None


@case(CASES, "grad of a captured tensor that is otherwise unused")
def _(s: Scene) -> Any:
    w = weft.ones(3, requires_grad=True)
    yield (lambda x: x * (2 if w.grad is None else 3)), x()
    w.grad = weft.ones(3)
    yield None


@case(CASES, "is_leaf of a captured tensor")
def _(s: Scene) -> Any:
    held = [weft.ones(3, requires_grad=True)]
    yield (lambda x: x * (2 if held[0].is_leaf else 3)), x()  # read
    held[0] = held[0] * 2
    yield None


@case(CASES, "strides of an argument", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    square = weft.rand(3, 3)
    yield (lambda x: x * (2 if x.is_contiguous() else 3)), square  # read
    yield (square.t(),)


@case(CASES, "version of a captured tensor", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    w = weft.ones(3)
    yield (lambda x: x * w._version), weft.ones(3)  # read
    w.add_(1)
    yield None


@case(CASES, "values of a sparse matrix replaced")
def _(s: Scene) -> Any:
    m = weft.sparse_coo_tensor(
        weft.tensor([[0, 1, 1], [2, 0, 2]]), weft.tensor([1.0, 2.0, 3.0]), (3, 3)
    )
    yield (lambda x: m.mm(x)), weft.ones(3, 2)
    m.values = m.values * 2
    yield None
    m.values.fill_(5)
    yield None


# Modes.


@case(CASES, "no_grad around the call")
def _(s: Scene) -> Any:
    w = weft.ones(3, requires_grad=True)
    s.watch(w=w)

    def work(x):
        y = (w * x).sum()
        if y.requires_grad:
            y.backward()
        return y.detach()

    yield work, weft.ones(3)
    with weft.no_grad():
        yield None
    yield None


@case(CASES, "inference_mode around the call")
def _(s: Scene) -> Any:
    w = weft.ones(3, requires_grad=True)

    def work(x):
        return (w * x).requires_grad, (w * x).detach()

    yield work, weft.ones(3)
    with weft.inference_mode():
        yield None
    yield None


@case(CASES, "is_grad_enabled read")
def _(s: Scene) -> Any:
    yield (lambda x: x * (2 if weft.is_grad_enabled() else 3)), x()
    with weft.no_grad():
        yield None


@case(CASES, "default dtype")
def _(s: Scene) -> Any:
    if not hasattr(weft, "set_default_dtype"):
        yield (lambda x: x + 1), x()
        return
    yield (lambda x: x + weft.ones(3) * 2.5), x()
    s.later(lambda: weft.set_default_dtype(weft.float32))
    weft.set_default_dtype(weft.float64)
    yield None


@case(CASES, "number of threads", may_warn=True, unknown=True)
def _(s: Scene) -> Any:
    threads = weft.get_num_threads()
    s.later(lambda: weft.set_num_threads(threads))
    weft.set_num_threads(2)
    yield (lambda x: x * weft.get_num_threads()), x()
    weft.set_num_threads(1)
    yield None
