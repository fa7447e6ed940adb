"""Random programs that change tensors in place: their source text, and the tensors they use.

A program is Python text with one function ``step(x, y, i, n)`` over names of a namespace: plain
tensors, tensors that share memory, parameters with and without gradients, an optimiser. Equal
seeds give equal programs and equal namespaces.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import weft

Shape = tuple[int, ...]

SHAPES: list[Shape] = [(3,), (2, 3), (4,), (2, 2), (1,), (), (0,), (0, 3), (5,), (2, 1, 2)]
LARGE: list[Shape] = [(70,), (33, 40), (1500,)]
UNARY = ["-{}", "{}.abs()", "{}.tanh()", "{}.relu()", "{}.square()", "{}.clone()", "{} * 0.5"]
BINARY = [
    "{} + {}",
    "{} - {}",
    "{} * {}",
    "weft.maximum({}, {})",
    "weft.where({0} > {1}, {0}, {1})",
]
INPLACE = ["add_", "sub_", "mul_", "copy_", "add_", "copy_"]
ALONE = ["{}.zero_()", "{}.fill_(0.25)", "{}.tanh_()", "{}.neg_()", "{}.uniform_()", "{}.normal_()"]


def layouts(kind: str, data: np.ndarray) -> weft.Tensor:
    """A tensor with these contents that lies in memory as ``kind`` says."""
    shape = data.shape
    if kind == "offset" and shape:
        base = weft.zeros(shape[0] + 2, *shape[1:])
        base[1:-1] = weft.tensor(data)
        return base[1:-1]
    if kind == "strided" and shape:
        base = weft.zeros(2 * shape[0], *shape[1:])
        base[::2] = weft.tensor(data)
        return base[::2]
    if kind == "transposed" and len(shape) > 1:
        return weft.tensor(np.ascontiguousarray(data.swapaxes(0, 1))).transpose(0, 1)
    return weft.tensor(data)


@dataclass
class Writer:
    """Writes one program: a pool of names with their shapes, and lines."""

    rng: random.Random
    shape: Shape
    pool: list[tuple[str, Shape]] = field(default_factory=list)
    params: list[str] = field(default_factory=list)
    optimiser: bool = False
    lines: list[str] = field(default_factory=list)
    count: int = 0

    def any(self, shape: Shape | None = None) -> tuple[str, Shape]:
        """A name, of this shape if one is given and there is one."""
        fits = [entry for entry in self.pool if shape is None or entry[1] == shape]
        return self.rng.choice(fits or self.pool)

    def operand(self, shape: Shape) -> str:
        """Something that broadcasts to ``shape``."""
        fits = [name for name, s in self.pool if s in (shape, ())]
        if self.rng.random() < 0.15 or not fits:
            return self.rng.choice(["0.5", "2.0", "-1.25"])
        return self.rng.choice(fits)

    def tensor_operand(self, shape: Shape) -> str | None:
        """A name that broadcasts to ``shape``, if there is one."""
        fits = [name for name, s in self.pool if s in (shape, ())]
        return self.rng.choice(fits) if fits else None

    def name(self, shape: Shape) -> str:
        """A new name for a value of this shape."""
        self.count += 1
        self.pool.append((f"t{self.count}", shape))
        return f"t{self.count}"

    def compute(self) -> None:
        a, shape = self.any()
        if self.rng.random() < 0.4:
            text = self.rng.choice(UNARY).format(a)
        else:
            b = self.tensor_operand(shape) or a
            text = self.rng.choice(BINARY).format(a, b)
        self.lines.append(f"{self.name(shape)} = {text}")

    def view(self) -> None:
        a, shape = self.any()
        choices: list[tuple[str, Shape]] = [("{}.reshape(-1)", (int(np.prod(shape)),))]
        choices += [("{}.detach()", shape), ("{}.unsqueeze(0)", (1, *shape))]
        if shape and shape[0] > 1:
            rest = shape[1:]
            choices += [("{}[0]", rest), ("{}[1:]", (shape[0] - 1, *rest)), ("{}[-1]", rest)]
            choices += [("{}[::2]", ((shape[0] + 1) // 2, *rest)), ("{}[:1]", (1, *rest))]
        if len(shape) > 1:
            choices.append(("{}.transpose(0, 1)", (shape[1], shape[0], *shape[2:])))
            if shape[1] > 1:
                choices += [("{}[:, 1]", (shape[0], *shape[2:]))]
        text, new = self.rng.choice(choices)
        self.lines.append(f"{self.name(new)} = {text.format(a)}")

    def change(self) -> None:
        a, shape = self.any()
        if self.rng.random() < 0.3:
            self.lines.append(self.rng.choice(ALONE).format(a))
            return
        method, b = self.rng.choice(INPLACE), self.operand(shape)
        if method == "copy_" and not b[0].isalpha():
            method = "fill_"
        self.lines.append(f"{a}.{method}({b})")

    def assign(self) -> None:
        a, shape = self.any()
        if not shape or shape[0] == 0:
            self.lines.append(f"{a}.mul_(1.5)")
            return
        key, part = self.rng.choice([("0", shape[1:]), ("-1", shape[1:]), (":", shape)])
        text = self.rng.choice(["{0}[{1}] = {2}", "{0}[{1}] += {2}", "{0}[{1}].mul_({2})"])
        self.lines.append(text.format(a, key, self.operand(part)))

    def swap(self) -> None:
        a, shape = self.any()
        b, c = self.any(shape)[0], self.any(shape)[0]
        if self.any(shape)[1] != shape:
            return
        self.lines.append(f"old = {a}.clone()")
        if self.rng.random() < 0.5:
            self.lines += [f"{a}.copy_({b})", f"{b}.copy_(old)"]
        else:
            self.lines += [f"{a}.copy_({b})", f"{b}.copy_({c})", f"{c}.copy_(old)"]

    def average(self) -> None:
        a, shape = self.any()
        b = self.tensor_operand(shape) or a
        self.lines.append(f"{a}.mul_(0.9).add_({b} * 0.1)")

    def gradient(self) -> None:
        p = self.rng.choice(self.params)
        a = self.any(self.shape)[0]
        choices = [f"{p}.grad = None", f"{p}.grad.zero_()", f"{p}.grad.mul_(0.5)"]
        choices += [f"{p}.sub_({p}.grad * 0.1)", f"{p}.grad.copy_({p})"]
        if self.any(self.shape)[1] == self.shape:
            choices += [f"{a}.copy_({p}.grad)", f"{p}.grad.add_({a})"]
        text = self.rng.choice(choices)
        guard = "" if text.endswith("None") else f"if {p}.grad is not None: "
        self.lines.append(guard + text)

    def backward(self) -> None:
        p, q = self.rng.choice(self.params), self.rng.choice(self.params)
        a = self.tensor_operand(self.shape)
        factor = f"{a}.detach().clone()" if a else "2.0"
        body = self.rng.choice(
            [
                f"({p} * {factor}).sum().backward()",
                f"(({p} * {factor}).tanh().sum() + ({q} ** 2).sum()).backward()",
                f"h = {p} * 1.5; h.mul_({factor}); (h * {q}).sum().backward()",
            ]
        )
        self.lines += ["with weft.enable_grad():", f"    {body}"]
        if self.rng.random() < 0.6:
            self.optimise()

    def optimise(self) -> None:
        if self.optimiser:
            self.lines.append(self.rng.choice(["opt.step()", "opt.step()", "opt.zero_grad()"]))

    def fallible(self) -> None:
        a, shape = self.any()
        if shape and shape[0] > 0 and self.rng.random() < 0.6:
            self.lines.append(f"{self.name((1, *shape[1:]))} = {a}.index_select(0, i)")
        else:
            source = self.rng.choice(["m // n", "m % n", "n"])
            self.lines.append(f"whole.copy_({source})")

    def reduce(self) -> None:
        a, shape = self.any()
        choices: list[tuple[str, Shape]] = [("{}.sum()", ())]
        if shape and shape[0] > 0:
            choices += [("{}.mean(0)", shape[1:]), ("{}.cumsum(0)", shape)]
        if len(shape) == 2:
            choices.append(("{0} @ {0}.t()", (shape[0], shape[0])))
        text, new = self.rng.choice(choices)
        self.lines.append(f"{self.name(new)} = {text.format(a)}")

    def write(self, length: int) -> str:
        """The text of a function of so many statements."""
        kinds: list[tuple[Callable[[], None], int]] = [(self.compute, 4), (self.view, 4)]
        kinds += [(self.change, 6), (self.assign, 2), (self.swap, 2), (self.average, 1)]
        kinds += [(self.fallible, 1), (self.reduce, 1)]
        if self.params:
            kinds += [(self.gradient, 3), (self.backward, 2), (self.optimise, 1)]
        statements, weights = zip(*kinds, strict=True)
        while len(self.lines) < length:
            self.rng.choices(statements, weights)[0]()
        names = [name for name, _ in self.pool]
        results = self.rng.sample(names, min(len(names), self.rng.randint(0, 3)))
        body = "".join(f"        {line}\n" for line in self.lines)
        values = ", ".join([f"{name}.detach()" for name in results] + ["None"])
        return f"def step(x, y, i, n):\n    with weft.no_grad():\n{body}        return {values}\n"


class Case:
    """One program; :meth:`world` makes its tensors afresh, equal each time."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        rng = random.Random(seed)
        self.shape = rng.choice(LARGE if rng.random() < 0.03 else SHAPES)
        kinds = ["plain", "plain", "offset", "strided", "transposed"]
        self.kinds = [rng.choice(kinds) for _ in range(5)]
        self.shared = rng.choice([None, None, "halves", "whole", "overlap"])
        self.params = rng.choice([0, 1, 2, 2])
        self.before = [rng.random() < 0.4 for _ in range(self.params)]
        self.optimiser = rng.choice([None, "SGD", "momentum", "Adam"]) if self.params else None
        self.persistent = rng.random() < 0.3
        self.twice = rng.random() < 0.1
        self.captured = rng.random() < 0.1
        self.held = self.params > 0 and self.before[0] and rng.random() < 0.5
        self.wide = rng.random() < 0.2
        self.fails = rng.random() < 0.5
        self.probe = self.params > 0 and rng.random() < 0.5
        writer = Writer(rng, self.shape)
        writer.pool = [(name, self.shape) for name in ("a", "b", "c", "x", "y")]
        if self.shared:
            writer.pool += [("u", self.shape), ("v", self.shape)]
        writer.pool += [("g0", self.shape)] if self.held else []
        writer.pool += [("d", self.shape)] if self.wide else []
        writer.params = [f"p{k}" for k in range(self.params)]
        writer.pool += [(name, self.shape) for name in writer.params]
        writer.optimiser = self.optimiser is not None
        self.text = writer.write(rng.randint(2, 12))

    def world(self) -> World:
        """The namespace of the program, and what to look at."""
        return World(self)


class World:
    """The tensors of a case, its function, and arguments for its calls."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.rng = np.random.default_rng(int.from_bytes(case.seed.encode(), "little") % 2**64)
        names: dict[str, Any] = {"weft": weft, "opt": None}
        for name, kind in zip("abc", case.kinds, strict=False):
            names[name] = layouts(kind, self.numbers())
        names |= self.sharing()
        self.params = [weft.tensor(self.numbers()).requires_grad_() for _ in case.before]
        for p, has in zip(self.params, case.before, strict=True):
            p.grad = weft.tensor(self.numbers()) if has else None
        names |= {f"p{k}": p for k, p in enumerate(self.params)}
        names["d"] = weft.tensor(self.numbers()).double()
        if case.held:
            names["g0"] = self.params[0].grad
        opt = names["opt"] = self.make_optimiser()
        self.states = [opt.state[p] for p in self.params] if opt else []
        names["m"], names["whole"] = weft.tensor([7, -3]), weft.tensor([1, 2])
        self.seen = [t for t in names.values() if isinstance(t, weft.Tensor)]
        self.kept = (self.argument(3), self.argument(4))
        exec(compile(case.text, f"case_{case.seed}.py", "exec"), names)
        self.step: Callable[..., Any] = names["step"]

    def numbers(self) -> np.ndarray:
        return self.rng.normal(size=self.case.shape).astype(np.float32)

    def sharing(self) -> dict[str, weft.Tensor]:
        shape = self.case.shape
        if self.case.shared is None:
            return {}
        base = weft.tensor(self.rng.normal(size=(3, *shape)).astype(np.float32))
        if self.case.shared == "halves" or not shape:
            return {"base": base, "u": base[0], "v": base[1]}
        if self.case.shared == "whole":
            return {"base": base, "u": base[0], "v": base[0].view(-1).view(shape)}
        flat, size = base.view(-1), int(np.prod(shape))
        return {"base": base, "u": flat[:size].view(shape), "v": flat[1 : size + 1].view(shape)}

    def make_optimiser(self) -> Any:
        match self.case.optimiser:
            case "SGD":
                return weft.optim.SGD(self.params, lr=0.1)
            case "momentum":
                return weft.optim.SGD(self.params, lr=0.1, momentum=0.9)
            case "Adam":
                return weft.optim.Adam(self.params, lr=0.1)
        return None

    def argument(self, k: int) -> weft.Tensor:
        return layouts(self.case.kinds[k], self.numbers())

    def arguments(self, last: bool) -> tuple[weft.Tensor, ...]:
        """Those of the next call; the last one's can make an operation raise."""
        x, y = self.kept if self.case.persistent else (self.argument(3), self.argument(4))
        if self.case.twice:
            y = x
        if self.case.captured:
            x = self.seen[1]
        bad = last and self.case.fails
        return x, y, weft.tensor([9999 if bad else 0]), weft.tensor([0 if bad else 2, 5])

    def look(self, arguments: tuple[weft.Tensor, ...]) -> list[bytes | None]:
        """The bits of all that a call can change."""
        tensors: list[weft.Tensor | None] = [*self.seen, *arguments[:2]]
        tensors += [p.grad for p in self.params]
        for state in self.states:
            tensors += [state[key] for key in sorted(state)]
        bits = [None if t is None else t.detach().numpy().tobytes() for t in tensors]
        return [*bits, repr(weft._core.random_state()).encode()]
