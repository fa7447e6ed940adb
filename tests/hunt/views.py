"""Views, changes in place and histories: random programs against an oracle that has no views.

Values are small whole numbers in float64, so that all is exact: values, gradients, flags, leaves
and refusals must be equal, also after a change that was refused. Some programs run compiled too,
and must have the same bits. ``python -m tests.hunt.views --torch COUNT`` holds the oracle
against torch.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import random
from collections import Counter
from typing import Any

import numpy as np
from tests.hunt.view_oracle import COLUMNS, Floats, Refused, Tensor
from tests.hunt.view_programs import Step, Writer, seen

import weft

NAME = "views"
SHORT = 250
LENGTH = 14
LIMIT = 2.0**50


class Library:
    """weft or torch, seen as one."""

    def __init__(self, lib: Any) -> None:
        """The module."""
        self.lib, self.is_weft = lib, lib is weft

    def make(self, values: Floats) -> Any:
        return self.lib.tensor(values.tolist(), dtype=self.lib.float64)

    def mask(self, mask: Any) -> Any:
        return self.lib.tensor(mask.tolist())

    def mode(self, name: str) -> Any:
        return contextlib.nullcontext() if name == "same" else getattr(self.lib, name)()

    def view(self, x: Any, how: tuple[Any, ...]) -> list[Any]:
        kind, *args = how
        if kind == "permute":
            return [x.permute(args[0])]
        if kind == "expand":
            return [x.expand(args[0])]
        if kind == "view":
            return [x.view(args[0])]
        if kind == "chunk":
            return list(x.chunk(*args))
        if kind == "strided":
            size, strides, offset = args
            if self.is_weft:
                return [weft._core.as_strided(x, size, strides, offset)]
            return [x.as_strided(size, strides, x.storage_offset() + offset)]
        return [seen(x, how)]

    def call(self, x: list[Any], kind: str, constant: float, mask: Any) -> Any:
        if kind in ("add", "sub", "mul"):
            return getattr(self.lib, kind)(x[0], x[1])
        if kind == "scale":
            return x[0] * constant
        if kind == "mask":
            return x[0].masked_fill(self.mask(mask), constant)
        return getattr(x[0], kind)()

    def write(self, x: list[Any], kind: str, constant: float, mask: Any, part: Any) -> None:
        if part is not None:
            key = _key(part)
            x[0][key] = x[1] if kind == "copy" else constant
        elif kind in ("scale", "shift"):
            getattr(x[0], "mul_" if kind == "scale" else "add_")(constant)
        elif kind == "fill":
            x[0].fill_(constant)
        elif kind == "mask":
            x[0].masked_fill_(self.mask(mask), constant)
        else:
            getattr(x[0], kind + "_")(*x[1:])

    def do(self, known: list[Any], step: Step) -> list[Any]:
        x = [known[i] for i in step.of]
        with self.mode(step.mode):
            if step.what == "walk":
                seed, retain = step.how
                x[0].backward(self.make(seed), retain_graph=retain)
            elif step.what == "make":
                values, views, wants = step.how
                made = self.make(values)
                for view in views:
                    made = self.view(made, view)[0].detach()
                return [made.requires_grad_() if wants else made]
            if step.what == "seen":
                return self.view(x[0], step.how)
            if step.what == "call":
                return [self.call(x, *step.how)]
            if step.what == "write":
                self.write(x, *step.how)
            elif step.what == "require":
                x[0].requires_grad_()
            elif step.what == "detach":
                return [x[0].detach()]
            elif step.what == "forget":
                x[0].detach_()
        return []


def _key(part: tuple[Any, ...]) -> Any:
    class Key:
        def __getitem__(self, key: Any) -> Any:
            return key

    return seen(Key(), part)


class Match:
    """One program, run by the oracle and a library side by side."""

    def __init__(self, name: str, library: Library) -> None:
        """``name`` is all that the program depends on."""
        self.rng = random.Random(name)
        self.library = library
        self.writer = Writer(self.rng, not library.is_weft)
        self.oracle = self.writer.oracle
        self.tensors: list[Any] = []
        self.grads = np.zeros(COLUMNS)
        self.lines: list[str] = []
        self.steps: list[Step] = []
        self.counts: Counter[str] = Counter(programs=1)

    def check(self, holds: bool, what: str) -> None:
        assert holds, "\n".join([*self.lines, what])

    def run(self) -> Counter[str]:
        while len(self.lines) < LENGTH:
            step = self.writer.step()
            if step is None:
                continue
            self.both(step)
            if self.rng.random() < 0.12 and not self.walk(self.writer.pick() or 0, False):
                return self.counts
            if any(np.abs(x.values).max(initial=0) > LIMIT for x in self.writer.known):
                return self.counts
        order = list(range(len(self.tensors)))
        self.rng.shuffle(order)
        for i in order:
            self.compare(i)
        for i in order:
            if not self.walk(i, True):
                return self.counts
        return self.counts

    def both(self, step: Step) -> None:
        names = ", ".join(f"t{i}" for i in step.of)
        self.lines.append(f"{step.what} [{names}] {step.how} {step.mode}")
        refused = self.writer.run(step)
        try:
            made = self.library.do(self.tensors, step)
        except RuntimeError as error:
            self.check(refused, f"raised: {error}")
            self.counts["refused"] += 1
            return
        self.check(not refused, "was not refused")
        self.steps.append(step)
        self.counts["writes" if step.what == "write" else "other lines"] += 1
        self.tensors += made
        if made:
            self.lines[-1] += f" -> t{len(self.tensors) - len(made)}.."
        for i in {*step.of, *range(len(self.tensors) - len(made), len(self.tensors))}:
            wants = self.writer.known[i].requires_grad
            self.check(self.tensors[i].requires_grad == wants, f"t{i}.requires_grad is not {wants}")

    def compare(self, i: int) -> None:
        """Flags and values of tensor ``i``."""
        want, got = self.writer.known[i], self.tensors[i]
        values = got.detach().numpy()
        self.check(np.array_equal(values, want.values), f"t{i} is {values}, not {want.values}")
        self.check(got.requires_grad == want.requires_grad, f"t{i}.requires_grad")
        try:
            is_leaf: bool | None = self.oracle.is_leaf(want)
        except Refused:
            is_leaf = None
        try:
            found = got.is_leaf
        except RuntimeError:
            found = None
        self.check(found == is_leaf, f"t{i}.is_leaf is {found}, not {is_leaf}")

    def walk(self, i: int, retain: bool) -> bool:
        """``backward`` from tensor ``i``; whether the program can go on."""
        if not self.tensors or self.tensors[i].numel() == 0:
            return True
        want, retain = self.writer.known[i], retain or self.rng.random() < 0.5
        if not want.requires_grad and self.rng.random() < 0.9:
            return True
        seed = self.writer.values(want.places.shape)
        self.lines.append(f"backward [t{i}] {seed.tolist()} retain_graph={retain}")
        refusal = None
        try:
            self.grads += self.oracle.backward(want, seed, retain)
        except Refused as error:
            refusal = str(error)
        try:
            self.tensors[i].backward(self.library.make(seed), retain_graph=retain)
        except RuntimeError as error:
            self.check(refusal is not None, f"raised: {error}")
            self.counts["refused walks"] += 1
            if self.library.is_weft:
                self.compare_grads()
            return refusal == "no gradient" or refusal in ("untracked", "several")
        self.check(refusal is None, f"was not refused: {refusal}")
        self.steps.append(Step("walk", (i,), (seed, retain)))
        self.counts["walks"] += 1
        self.compare_grads()
        return True

    def leaves(self) -> list[tuple[int, Tensor]]:
        known = enumerate(self.writer.known)
        return [(i, x) for i, x in known if not x.is_view and x.base.column is not None]

    def compare_grads(self) -> None:
        for i, x in self.leaves():
            assert x.base.column is not None
            want = self.grads[x.base.column :][: x.places.size].reshape(x.places.shape)
            grad = self.tensors[i].grad
            got = np.zeros_like(want) if grad is None else grad.detach().numpy()
            self.check(np.array_equal(got, want), f"t{i}.grad is {got}, not {want}")


def _one(name: str, library: Library) -> Match:
    match = Match(name, library)
    match.run()
    return match


def _leaf(step: Step) -> bool:
    return step.what == "make" and step.how[2]


def _replay(library: Library, steps: list[Step], leaves: list[Any]) -> list[Any]:
    """The lines that were not refused, as a function: of all tensors, and of the gradients of
    those that are no arguments, copies."""
    known: list[Any] = []
    given = iter(leaves)
    for step in steps:
        known += [next(given)] if _leaf(step) else library.do(known, step)
    grads = [x.grad for x in known]
    return [x.detach().clone() for x in [*known, *grads] if x is not None]


def static(match: Match) -> int:
    """Calls of the compiled program, each with the bits of the eager one."""
    library, steps = match.library, match.steps
    made = [step for step in steps if _leaf(step)]

    def once(function: Any) -> list[Any]:
        leaves = [library.do([], step)[0] for step in made]
        results = function(leaves)
        return [x.numpy().copy() for x in results] + [
            None if x.grad is None else x.grad.numpy().copy() for x in leaves
        ]

    def function(leaves: list[Any]) -> list[Any]:
        return _replay(library, steps, leaves)

    compiled = weft.compile(function)
    want = once(function)
    for _ in range(4):
        try:
            got = once(compiled)
        except weft.CompileError:
            return 0
        same = len(got) == len(want) and all(
            np.array_equal(a, b) if a is not None and b is not None else a is b
            for a, b in zip(got, want, strict=True)
        )
        match.check(same, f"compiled: {got}\neager: {want}")
    return 4


def run(seed: int, count: int) -> dict[str, int]:
    """``count`` programs; every eighth runs compiled as well."""
    library, counts = Library(weft), Counter[str]()
    for i in range(count):
        try:
            match = _one(f"views-{seed}-{i}", library)
            if i % 8 == 0:
                counts["compiled calls"] += static(match)
        except AssertionError as error:
            raise AssertionError(f"views: program {i} of seed {seed}\n{error}") from None
        counts += match.counts
    return dict(counts)


def against_torch(seed: int, count: int) -> dict[str, int]:
    """The oracle against torch, which must be installed."""
    library, counts = Library(importlib.import_module("torch")), Counter[str]()
    for i in range(count):
        counts += _one(f"views-{seed}-{i}", library).counts
    return dict(counts)


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(prog="tests.hunt.views")
    parser.add_argument("--torch", type=int, default=1000, metavar="COUNT")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(against_torch(given.seed, given.torch))


if __name__ == "__main__":
    main()
