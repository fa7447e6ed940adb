"""Programs with state, as people write them: what an error must leave as it was."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import weft
import weft.nn.functional as F
from weft import nn


@dataclass
class Made:
    """A function, what it reads and writes, and how hidden state goes back to its start."""

    act: Callable[[], Any]
    state: list[weft.Tensor] = field(default_factory=list)
    again: Callable[[], None] = lambda: None


@dataclass
class Program:
    """How to make a program."""

    name: str
    make: Callable[[], Made]
    compiles: bool = True


PROGRAMS: list[Program] = []


def program(make: Callable[[], Made]) -> Callable[[], Made]:
    PROGRAMS.append(Program(make.__name__, make))
    return make


def eager(make: Callable[[], Made]) -> Callable[[], Made]:
    PROGRAMS.append(Program(make.__name__, make, compiles=False))
    return make


def _noise(*size: int) -> weft.Tensor:
    weft.manual_seed(3)
    return weft.randn(*size)


def _net() -> nn.Module:
    weft.manual_seed(5)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 3))


def _trained(optimiser: Callable[[Any], Any]) -> Made:
    net, x, t = _net(), _noise(10, 6), weft.arange(10) % 3
    opt = optimiser(net.parameters())

    def step() -> list[weft.Tensor]:
        opt.zero_grad()
        loss = F.cross_entropy(net(x), t)
        loss.backward()
        opt.step()
        return [loss.detach()]

    step()  # makes the optimiser's state
    state = [v for s in opt.state.values() for v in s.values() if isinstance(v, weft.Tensor)]
    return Made(step, [*net.parameters(), *net.buffers(), *state])


@program
def sgd() -> Made:
    return _trained(lambda p: weft.optim.SGD(p, lr=0.1, momentum=0.9))


@program
def adam() -> Made:
    return _trained(lambda p: weft.optim.Adam(p, lr=0.01, amsgrad=True))


@eager
def first_step() -> Made:
    net, x = _net(), _noise(10, 6)
    box: list[Any] = []

    def again() -> None:
        box[:] = [weft.optim.Adam(net.parameters(), lr=0.01)]

    def step() -> list[weft.Tensor]:
        box[0].zero_grad()
        net(x).square().mean().backward()
        box[0].step()
        return list(net.parameters())

    return Made(step, [*net.parameters(), *net.buffers()], again)


@program
def dropout() -> Made:
    x = _noise(7, 9)
    return Made(lambda: [F.dropout(x, 0.5) @ weft.randn(9, 4)], [x])


@eager
def draws() -> Made:
    x = _noise(4, 4)

    def act() -> list[weft.Tensor]:
        x.uniform_(0, 1)
        return [weft.randperm(50), weft.multinomial(x, 2), weft.randint(0, 9, (5, 5))]

    return Made(act, [x])


@eager
def masks() -> Made:
    x = _noise(6, 5)

    def act() -> list[weft.Tensor]:
        chosen = x[x > 0]
        x[x < 0] = 0.5
        return [chosen, weft.nonzero(x), x.masked_fill(x > 0.6, 9.0)]

    return Made(act, [x])


@program
def gather_scatter() -> Made:
    x, at = _noise(6, 5).requires_grad_(), weft.arange(30).reshape(6, 5).flip(0) % 5

    def act() -> list[weft.Tensor]:
        y = x.gather(1, at).scatter_add(1, at, x.t().reshape(6, 5))
        (y.cumsum(0).softmax(0) * x).sum().backward()
        return [x.grad]

    return Made(act, [x])


@program
def sparse_product() -> Made:
    values = _noise(4).requires_grad_()
    a = weft.sparse_csr_tensor([0, 2, 3, 4], [0, 2, 1, 0], values, (3, 3))
    x = _noise(5, 3).requires_grad_()

    def act() -> list[weft.Tensor]:
        (a @ x.t()).square().sum().backward()
        return [x.grad, values.grad]

    return Made(act, [x, values])


@eager
def sparse_structure() -> Made:
    values = _noise(4)

    def act() -> list[weft.Tensor]:
        a = weft.sparse_csr_tensor([0, 2, 3, 4], [0, 2, 1, 0], values, (3, 3))
        return [a.to_dense(), a.t().to_dense()]

    return Made(act, [values])


@eager
def views_of_a_leaf() -> Made:
    w = _noise(3).requires_grad_()
    x = _noise(4, 3)

    def act() -> list[weft.Tensor]:
        y = x.clone()
        y[1] = w
        y[:, 0].mul_(w[0])
        y.t()[2].add_(w.sum())
        y.square().sum().backward()
        return [w.grad]

    return Made(act, [w, x])


@program
def running_statistics() -> Made:
    mean, x = weft.zeros(5), _noise(8, 5)

    def act() -> list[weft.Tensor]:
        with weft.no_grad():
            mean.lerp_(x.mean(0), 0.1)
        return [(x - mean).softmax(0)]

    return Made(act, [mean, x])


@program
def averages() -> Made:
    w, ema, best, x = _noise(5), _noise(5) * 2, _noise(5) * 3, _noise(5) * 4

    def act() -> list[weft.Tensor]:
        with weft.no_grad():
            w.sub_(x * 0.1)
            ema.mul_(0.9).add_(w * 0.1)
            best.copy_(ema)
        return [w + ema]

    return Made(act, [w, ema, best, x])


@program
def attention() -> Made:
    weft.manual_seed(5)
    net, x = nn.MultiheadAttention(8, 2, batch_first=True), _noise(2, 5, 8)

    def act() -> list[weft.Tensor]:
        for p in net.parameters():
            p.grad = None
        net(x, x, x)[0].sum().backward()
        return [p.grad for p in net.parameters() if p.grad is not None]

    return Made(act, [*net.parameters(), x])


@eager
def clipping() -> Made:
    net, x = _net(), _noise(10, 6)

    def act() -> list[weft.Tensor]:
        net(x).sum().backward()
        return [nn.utils.clip_grad_norm_(net.parameters(), 0.1)]

    return Made(act, [*net.parameters()])


@eager
def loading() -> Made:
    net, other = _net(), _net()
    for p in other.parameters():
        p.detach().mul_(2.0)

    def act() -> list[weft.Tensor]:
        net.load_state_dict(other.state_dict())
        return [p.detach().clone() for p in net.parameters()]

    return Made(act, [*net.parameters(), *net.buffers()])
