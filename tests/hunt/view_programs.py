"""Random programs of views, changes in place and walks, written while the oracle runs them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.hunt.view_oracle import COLUMNS, Floats, Ints, Oracle, Refused, Tensor

MODES = ("same", "no_grad", "enable_grad")
SHAPES = [(4,), (6,), (2, 3), (3, 2), (2, 2), (2, 1, 3), (1, 4), (3, 3)]


@dataclass(frozen=True)
class Step:
    """One line of a program: what is done to which tensors, under which grad mode."""

    what: str
    of: tuple[int, ...] = ()
    how: Any = None
    mode: str = "same"


def seen(x: Any, how: tuple[Any, ...]) -> Any:
    """A view of a numpy array or of a tensor of any library that indexes as numpy does."""
    kind, *args = how
    if kind == "slice":
        dim, start, stop, step = args
        return x[(*(slice(None),) * dim, slice(start, stop, step))]
    if kind == "select":
        return x[(*(slice(None),) * args[0], args[1])]
    if kind == "new":
        return x[(*(slice(None),) * args[0], None)]
    raise AssertionError(kind)


def local_indices(shape: tuple[int, ...], how: tuple[Any, ...]) -> list[Ints]:
    """Which elements a view shows, as flat indices; several for ``chunk``."""
    every = np.arange(int(np.prod(shape))).reshape(shape)
    kind, *args = how
    if kind == "permute":
        return [every.transpose(args[0])]
    if kind == "expand":
        return [np.broadcast_to(every, args[0])]
    if kind == "view":
        return [every.reshape(args[0])]
    if kind == "strided":
        size, strides, offset = args
        places = [offset + sum(i * s for i, s in zip(at, strides, strict=True))
                  for at in np.ndindex(*size)]  # fmt: skip
        return [every.ravel()[np.array(places, int).reshape(size)]]
    if kind == "chunk":
        parts, dim = args
        size = -(-shape[dim] // parts)
        return np.split(every, range(size, shape[dim], size), axis=dim)
    return [seen(every, how)]


def do(oracle: Oracle, known: list[Tensor], step: Step) -> list[Tensor]:
    """Run one line with the oracle; the tensors that it makes."""
    before = oracle.grad
    oracle.grad = before if step.mode == "same" else step.mode == "enable_grad"
    try:
        return _do(oracle, [known[i] for i in step.of], step)
    finally:
        oracle.grad = before


def _target(oracle: Oracle, x: Tensor, how: Any) -> Tensor:
    return x if how is None else oracle.view(x, local_indices(x.places.shape, how)[0])


def _do(oracle: Oracle, of: list[Tensor], step: Step) -> list[Tensor]:
    what, how = step.what, step.how
    if what == "make":
        values, views, wants = how
        made = oracle.plain(values)
        for view in views:
            made = oracle.detach(oracle.view(made, local_indices(made.places.shape, view)[0]))
        if wants:
            oracle.require(made)
        return [made]
    if what == "seen":
        shown = local_indices(of[0].places.shape, how)
        return [oracle.view(of[0], local, how[0] == "chunk") for local in shown]
    if what == "call":
        kind, constant, mask = how
        return [oracle.call(kind, of, constant, mask)]
    if what == "write":
        kind, constant, mask, part = how
        oracle.write(kind, _target(oracle, of[0], part), of[1:], constant, mask)
    elif what == "require":
        oracle.require(of[0])
    elif what == "detach":
        return [oracle.detach(of[0])]
    elif what == "forget":
        oracle.forget(of[0])
    return []


class Writer:
    """Chooses the next line from what the oracle knows."""

    def __init__(self, rng: random.Random, torch: bool) -> None:
        """An empty program; ``torch`` leaves out what torch forbids and weft allows."""
        self.rng, self.torch = rng, torch
        self.oracle = Oracle(torch)
        self.known: list[Tensor] = []

    def pick(self, fits: Callable[[Tensor], bool] = lambda _: True) -> int | None:
        """A tensor that fits, later ones rather than earlier ones."""
        found = [i for i, x in enumerate(self.known) if fits(x)]
        if not found:
            return None
        return found[max(self.rng.randrange(len(found)), self.rng.randrange(len(found)))]

    def mode(self) -> str:
        return self.rng.choices(MODES, (16, 3, 1))[0]

    def step(self) -> Step | None:
        """The next line, or None when the choice does not fit."""
        if len(self.known) < 2:
            return self.make(len(self.known) == 0)
        kinds = {"make": 2, "seen": 9, "call": 4, "write": 10, "require": 1, "detach": 1,
                 "forget": 0.4}  # fmt: skip
        what = self.rng.choices(list(kinds), list(kinds.values()))[0]
        if what == "make":
            return self.make(self.rng.random() < 0.4)
        made: Step | None = getattr(self, what)()
        return made

    def values(self, shape: tuple[int, ...]) -> Floats:
        return np.array(
            [self.rng.randrange(-3, 4) for _ in range(int(np.prod(shape)))], np.float64
        ).reshape(shape)

    def make(self, wants: bool) -> Step:
        rng = self.rng
        shape = rng.choice(SHAPES)
        wants = wants and self.oracle.columns + int(np.prod(shape)) <= COLUMNS
        views: list[tuple[Any, ...]] = []
        lie = rng.choice(["plain", "plain", "plain", "turned", "gaps", "repeated"])
        values = self.values(shape)
        if lie == "turned" and len(shape) > 1:
            order = rng.sample(range(len(shape)), len(shape))
            values = self.values(tuple(shape[d] for d in np.argsort(order)))
            views = [("permute", tuple(order))]
        elif lie == "gaps":
            dim = rng.randrange(len(shape))
            wide = tuple(2 * s + 1 if d == dim else s for d, s in enumerate(shape))
            values, views = self.values(wide), [("slice", dim, 1, 2 * shape[dim] + 1, 2)]
        elif lie == "repeated" and not wants and not self.torch:
            values, views = self.values(shape), [("expand", (2, *shape))]
        return Step("make", (), (values, tuple(views), wants))

    def seen(self) -> Step | None:
        at = self.pick(lambda x: x.places.size > 0)
        if at is None:
            return None
        how = self.how(self.known[at])
        return how and Step("seen", (at,), how, self.mode())

    def how(self, x: Tensor) -> tuple[Any, ...] | None:
        rng, shape = self.rng, x.places.shape
        kind = rng.choice(
            ["slice", "slice", "select", "permute", "new", "expand", "view", "strided", "chunk"]
        )
        if kind == "new":
            return ("new", rng.randrange(len(shape) + 1)) if len(shape) < 4 else None
        if kind == "expand":
            wide = tuple(rng.choice([2, 3]) if s == 1 else s for s in shape)
            return ("expand", wide if wide != shape else (2, *shape)) if len(shape) < 4 else None
        if kind == "view":
            n = x.places.size
            into = [d for d in range(1, n + 1) if n % d == 0]
            return ("view", (d := rng.choice(into), n // d)) if x.contiguous else None
        if kind == "strided":
            return self.strided(x)
        if not shape:
            return None
        if kind == "permute":
            return ("permute", tuple(rng.sample(range(len(shape)), len(shape))))
        dim = rng.randrange(len(shape))
        size = shape[dim]
        if kind == "select":
            return ("select", dim, rng.randrange(size))
        if kind == "chunk":
            return ("chunk", 2, dim) if rng.random() < 0.3 and size > 1 else None
        start = rng.randrange(size)
        return ("slice", dim, start, rng.randrange(start, size) + 1, rng.choice([1, 1, 2]))

    def strided(self, x: Tensor) -> tuple[Any, ...] | None:
        """A diagonal, or windows that overlap."""
        n, shape = x.places.size, x.places.shape
        if not x.contiguous or x.repeated:
            return None
        if len(shape) == 2 and self.rng.random() < 0.7:
            return ("strided", (min(shape),), (shape[1] + 1,), 0)
        width = self.rng.randrange(1, n + 1)
        offset = self.rng.randrange(n - width + 1)
        return ("strided", (n - width - offset + 1, width), (1, 1), offset)

    def small(self, x: Tensor) -> bool:
        return x.places.size > 0 and float(np.abs(x.values).max(initial=0)) < 1e3

    def operand(self, x: Tensor) -> bool:
        """torch's results lie as their operands do; here they must be contiguous."""
        return self.small(x) and (x.contiguous or not self.torch)

    def call(self) -> Step | None:
        at = self.pick(self.operand)
        if at is None:
            return None
        kind = self.rng.choice(["add", "sub", "mul", "neg", "square", "relu", "scale", "mask"])
        of: tuple[int, ...] = (at,)
        if kind in ("add", "sub", "mul"):
            shape = self.known[at].places.shape
            other = self.pick(lambda x: x.places.shape == shape and self.operand(x))
            of = (at, at if other is None else other)
        return Step("call", of, (kind, self.constant(), self.mask(kind, at)), self.mode())

    def constant(self) -> float:
        return float(self.rng.choice([-2, -1, 2, 3]))

    def mask(self, kind: str, at: int) -> Any:
        if kind != "mask":
            return None
        shape = self.known[at].places.shape
        return np.array([self.rng.random() < 0.5 for _ in range(int(np.prod(shape)))]).reshape(
            shape
        )

    def write(self) -> Step | None:
        at = self.pick(self.small)
        if at is None:
            return None
        kind = self.rng.choice(
            ["add", "sub", "mul", "copy", "copy", "fill", "neg", "square", "relu", "scale",
             "shift", "mask"]
        )  # fmt: skip
        part = None
        shape = self.known[at].places.shape
        if kind in ("copy", "fill") and self.rng.random() < 0.5:
            part = self.how(self.known[at])
            # torch takes x[:] in an assignment for x itself.
            if part and part[0] == "slice" and part[2:] == (0, shape[part[1]], 1):
                part = None
            if part is None or part[0] not in ("slice", "select", "new"):
                part = None
            else:
                shape = local_indices(shape, part)[0].shape
        if self.torch and self.known[at].repeated:
            return None
        of: tuple[int, ...] = (at,)
        if kind in ("add", "sub", "mul", "copy"):
            other = self.pick(lambda x: self.fits(x, shape) and self.small(x))
            if other is None or (self.torch and self.clashes(at, part, other)):
                return None
            of = (at, other)
        how = (kind, self.constant(), self.mask(kind, at), part)
        return Step("write", of, how, self.mode())

    def fits(self, x: Tensor, shape: tuple[int, ...]) -> bool:
        own = x.places.shape
        wide = (1,) * (len(shape) - len(own)) + own
        return len(own) <= len(shape) and all(a in (1, b) for a, b in zip(wide, shape, strict=True))

    def clashes(self, at: int, part: Any, other: int) -> bool:
        """Whether the operands of a change share some places without being one, as torch asks."""
        x, y = self.known[at], self.known[other]
        places = x.places
        if part is not None:
            places = places.ravel()[local_indices(places.shape, part)[0]]
        if x.base.memory is not y.base.memory or (x is y and part is None and not x.repeated):
            return False
        return bool(np.intersect1d(places, y.places).size)

    def require(self) -> Step | None:
        def fits(x: Tensor) -> bool:
            room = self.oracle.columns + x.places.size <= COLUMNS
            return not x.is_view and not x.repeated and room

        at = self.pick(fits)
        return None if at is None else Step("require", (at,))

    def detach(self) -> Step | None:
        at = self.pick()
        return None if at is None else Step("detach", (at,))

    def forget(self) -> Step | None:
        at = self.pick(lambda x: x.is_view or x.base.column is None)
        return None if at is None else Step("forget", (at,))

    def run(self, step: Step) -> bool:
        """Run a line; whether it is refused."""
        try:
            self.known += do(self.oracle, self.known, step)
        except Refused:
            return True
        return False
