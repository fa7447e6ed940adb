"""Random programs: instructions over a pool of values, and a training step that runs them.

All values of the pool broadcast with each other: their shapes are ``(rows, cols)``,
``(1, cols)``, ``(rows, 1)`` or ``()``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import weft
import weft.nn.functional as F
from weft import Tensor, _core


@dataclass
class Context:
    """What instructions may use besides the pool."""

    rows: int
    cols: int
    order: Tensor  # a permutation with repetitions of the rows, int64
    places: Tensor  # a column for every element, int64

    def full(self, x: Tensor) -> Tensor:
        return x.expand(self.rows, self.cols)


Unary = Callable[[Tensor, Context], Tensor]
Binary = Callable[[Tensor, Tensor, Context], Tensor]


def halves(x: Tensor, c: Context) -> Tensor:
    left, right = c.full(x).chunk(2, dim=0) if c.rows > 1 else (x, x)
    return weft.cat([right, left], dim=0) if c.rows > 1 else x


def in_place_chain(x: Tensor, c: Context) -> Tensor:
    return (x * 0.7).add_(0.1).mul_(1.3).tanh_()


def in_place_rows(x: Tensor, c: Context) -> Tensor:
    t = c.full(x) * 1.1
    t[0].mul_(0.5)
    t[:, : c.cols // 2] += 0.25
    return t


def in_place_assign(x: Tensor, c: Context) -> Tensor:
    t = c.full(x).clone()
    t[c.rows // 2] = x.mean()
    t[:, 0] = 0.5
    return t


def into_plain_buffer(a: Tensor, b: Tensor, c: Context) -> Tensor:
    out = weft.zeros(c.rows, c.cols)
    out[0] = c.full(a)[-1] * 2
    out[:, ::2].add_(c.full(b)[:, ::2])
    return out


def in_place_products(a: Tensor, b: Tensor, c: Context) -> Tensor:
    t = c.full(a) + 0.5
    t.mul_(b)
    t.T[0].mul_(c.full(b)[:, -1]).tanh_()
    return t


UNARY: list[Unary] = [
    lambda x, c: -x,
    lambda x, c: x.abs(),
    lambda x, c: x.relu(),
    lambda x, c: x.tanh(),
    lambda x, c: x.sigmoid(),
    lambda x, c: x.sin(),
    lambda x, c: (x * 0.25).exp(),
    lambda x, c: (x.abs() + 0.5).log(),
    lambda x, c: (x.square() + 0.1).sqrt(),
    lambda x, c: (x.square() + 0.3).rsqrt(),
    lambda x, c: F.gelu(x),
    lambda x, c: F.silu(x),
    lambda x, c: F.softplus(x),
    lambda x, c: F.leaky_relu(x, 0.2),
    lambda x, c: x.clamp(-0.8, 0.9),
    lambda x, c: x * 2 - 1,
    lambda x, c: 1 / (x.abs() + 1),
    lambda x, c: x**2 * 0.5,
    lambda x, c: x.erf(),
    lambda x, c: c.full(x).mean(dim=0, keepdim=True),
    lambda x, c: c.full(x).sum(dim=1, keepdim=True) / c.cols,
    lambda x, c: c.full(x).amax(dim=1, keepdim=True),
    lambda x, c: x.mean(),
    lambda x, c: c.full(x).softmax(dim=1),
    lambda x, c: c.full(x).log_softmax(dim=0),
    lambda x, c: c.full(x).logsumexp(dim=1, keepdim=True),
    lambda x, c: F.layer_norm(c.full(x), (c.cols,)),
    lambda x, c: c.full(x).T.contiguous().T,
    lambda x, c: c.full(x).reshape(-1).flip(0).view(c.rows, c.cols),
    lambda x, c: c.full(x).cumsum(dim=1) / c.cols,
    lambda x, c: c.full(x)[c.order],
    lambda x, c: c.full(x).index_select(0, c.order),
    lambda x, c: c.full(x).gather(1, c.places),
    lambda x, c: c.full(x)[: c.rows // 2 + 1].mean(dim=0, keepdim=True),
    lambda x, c: F.dropout(c.full(x), 0.3, True),
    lambda x, c: x.detach() * 0.5,
    lambda x, c: x.to(weft.float64).mul(0.1).to(weft.float32),
    halves,
    in_place_chain,
    in_place_rows,
    in_place_assign,
]

BINARY: list[Binary] = [
    lambda a, b, c: a + b,
    lambda a, b, c: a - b,
    lambda a, b, c: a * b,
    lambda a, b, c: a / (b.abs() + 0.5),
    lambda a, b, c: weft.maximum(a, b),
    lambda a, b, c: weft.minimum(a, b),
    lambda a, b, c: weft.where(a > b, a, b * 0.5),
    lambda a, b, c: weft.where(c.places > 0, c.full(a), c.full(b)),
    lambda a, b, c: (c.full(a) @ c.full(b).T) @ c.full(b) / (c.rows * c.cols),
    lambda a, b, c: c.full(a) @ (c.full(b).T @ c.full(a)) / (c.rows * c.cols),
    lambda a, b, c: (c.full(a) @ c.full(b)[0]).unsqueeze(1) / c.cols,
    lambda a, b, c: weft.cat([c.full(a), c.full(b)], dim=0)[::2][: c.rows],
    lambda a, b, c: weft.stack([c.full(a), c.full(b)], dim=2).sum(dim=2),
    lambda a, b, c: c.full(a).index_add(0, c.order, c.full(b)),
    lambda a, b, c: c.full(a).scatter_add(1, c.places, c.full(b)),
    lambda a, b, c: (c.full(a) * 0.9).add_(b),
    lambda a, b, c: c.full(a).clone().copy_(c.full(b)),
    into_plain_buffer,
    in_place_products,
    lambda a, b, c: c.full(a).masked_fill(c.full(b) > 0.5, 0.25),
    lambda a, b, c: weft.matmul(c.full(a).unsqueeze(0), c.full(b).T.unsqueeze(0))[0, :, :1],
]

COUNT = len(UNARY) + len(BINARY)


@dataclass(frozen=True)
class Program:
    """Instructions ``(which, operand, operand)``, the sizes, and how the step is made."""

    code: tuple[tuple[int, int, int], ...]
    rows: int
    cols: int
    seed: int
    accumulate: bool
    argument_grad: bool


class World:
    """Equal for equal programs: parameters, captured tensors, and the training step."""

    def __init__(self, program: Program) -> None:
        self.program = program
        rng = np.random.default_rng(program.seed)
        rows, cols = program.rows, program.cols

        def normal(*shape: int) -> Tensor:
            return weft.tensor(rng.normal(size=shape).astype(np.float32))

        self.params = [normal(rows, cols), normal(1, cols), normal(rows, 1)]
        for p in self.params:
            p.requires_grad = True
        self.captured, self.running = normal(rows, cols), normal(1, cols)
        order = weft.tensor(rng.integers(0, rows, rows))
        places = weft.tensor(rng.integers(0, cols, (rows, cols)))
        self.context = Context(rows, cols, order, places)
        self.arguments = [normal(rows, cols) for _ in range(6)]
        for x in self.arguments:
            x.requires_grad = program.argument_grad
        weft.manual_seed(program.seed)

    def step(self, x: Tensor) -> Tensor:
        if not self.program.accumulate:
            for p in self.params:
                p.grad = None
        pool = [*self.params, self.captured, x]
        for which, i, k in self.program.code:
            a, b = pool[-1 - i % len(pool)], pool[-1 - k % len(pool)]
            if which < len(UNARY):
                pool.append(UNARY[which](a, self.context))
            else:
                pool.append(BINARY[which - len(UNARY)](a, b, self.context))
        loss = pool[-1].mean() + (pool[-2] * self.params[1]).mean() + pool[0].square().mean()
        loss.backward()
        with weft.no_grad():
            for p in self.params:
                if p.grad is not None:
                    p.sub_(p.grad * 0.1)
            self.running.mul_(0.9).add_(self.context.full(pool[-1]).mean(dim=0, keepdim=True))
        return loss


def survives(executable: Any) -> None:
    """Each stage's graph is made again by its text."""
    for stage in ("recorded", "tidy", "lowered"):
        text = executable.text(stage, data=True)
        assert _core.parse_graph(text) == text


def trace(program: Program, static: bool) -> list[list[bytes | None]]:
    """The bits of all that a step changes, after each of six steps."""
    world = World(program)
    run = weft.compile(world.step) if static else world.step
    steps = []
    for x in world.arguments:
        loss = run(x)
        results = [loss, *world.params, *[p.grad for p in world.params], world.running, x.grad]
        steps.append([None if t is None else t.detach().numpy().tobytes() for t in results])
    if static:
        assert run.explain().steps > 0, "the last calls must run a plan"
        if weft.get_num_threads() == 1:
            survives(run.executable)
    return steps
