"""Arrays of numpy in compiled functions: random programs over arrays, eager against compiled.

A world holds arrays (views of one another, several dtypes and orders) in globals, attributes and
lists, tensors on some of them, and a function made of random statements that turn arrays into
tensors, look at them with numpy and write to tensors that share their memory. Between calls
something changes. Every call must equal the same history run eagerly, or be refused.
"""

import random
import types
from collections import Counter
from typing import Any

import numpy as np

import weft
from weft import CompileError

NAME = "arrays"
SHORT = 120

#: Views of an array ``{a}`` of two dimensions: none is empty.
_VIEWS = (
    "{a}",
    "{a}",
    "{a}[{i}]",
    "{a}[{i}:]",
    "{a}[::-1]",
    "{a}[:, ::2]",
    "{a}[:, {i}]",
    "{a}.T",
    "{a}.reshape(-1)",
    "{a}[[0, {i}]]",
    "{a}[{a} > 2]",
    "{a} * 2",
    "{a}.astype(np.float64)",
    "np.ascontiguousarray({a})",
)
_MAKES = (
    "weft.from_numpy({v})",
    "weft.from_numpy({v})",
    "weft.tensor({v})",
    "weft.tensor({v}, dtype=weft.float64)",
    "weft.as_tensor({v})",
    "weft.as_tensor({v}, dtype=weft.float32)",
    "convert({v})",
)
_LOOKS = (
    "s = s + float({v}.sum())",
    "s = s * 2 if {v}.any() else -s",
    "s = s + {v}.shape[0]",
    "s = s + int({v}.flat[0])",
    "s = s + sum(weft.tensor(row).sum() for row in {v})",
)
_WRITES = ("{t}.add_(1)", "{t}.mul_(2)", "{t}.fill_(3)", "{t}.copy_(s)")


def _arrays(rng: random.Random) -> list[np.ndarray]:
    kinds = [np.float32, np.float32, np.float64, np.int64, np.int32, np.uint8]
    found: list[np.ndarray] = []
    for _ in range(3):
        if found and rng.random() < 0.5:
            memory = rng.choice(found)
            found.append(rng.choice([memory, memory[1:], memory[:, ::2], memory[:, 1:]]))
        else:
            order: Any = rng.choice("CCF")
            values = np.arange(1, 13).reshape(3, 4)
            found.append(np.array(values, rng.choice(kinds), order=order))
    return found


class _World:
    """Arrays, tensors on them, and the function."""

    def __init__(self, seed: str, text: str, compiled: bool) -> None:
        rng = random.Random(seed)
        self.arrays = _arrays(rng)
        holder = types.SimpleNamespace()

        class Held:
            pass

        self.held, self.names = Held(), {"weft": weft, "np": np, "holder": holder}
        self.held.a = self.arrays[1]  # type: ignore[attr-defined]
        self.box = [self.arrays[2], self.arrays[0]]
        self.tensors = [weft.from_numpy(a) for a in self.arrays[:2]]
        self.names |= {"A": self.arrays[0], "held": self.held, "box": self.box}
        self.names |= {"T": self.tensors[0], "U": self.tensors[1]}
        exec(compile(text, f"<arrays {seed}>", "exec"), self.names)
        work: Any = self.names["work"]
        self.run = weft.compile(work) if compiled else work

    def change(self, rng: random.Random) -> None:
        """Change something that the function may depend on."""
        at = rng.randrange(3)
        a = self.arrays[at]
        what = rng.randrange(8)
        if what <= 3:
            a[rng.randrange(a.shape[0]), 0] = rng.randrange(1, 9)
        elif what == 4:
            fresh = np.array(a + 1, rng.choice([a.dtype, np.float32]), order=rng.choice("CF"))
            self.arrays[at] = fresh
            (self._in_global, self._in_object, self._in_list)[at](fresh)
        elif what == 5:
            a.flags.writeable = not a.flags.writeable and a.base is None
        elif what == 6 and a.base is None and a.flags.c_contiguous:
            a.shape = a.shape[::-1]
        else:
            self.box.reverse()

    def _in_global(self, new: np.ndarray) -> None:
        self.names["A"] = new

    def _in_object(self, new: np.ndarray) -> None:
        self.held.a = new  # type: ignore[attr-defined]

    def _in_list(self, new: np.ndarray) -> None:
        self.box[0] = new

    def call(self, x: weft.Tensor) -> Any:
        """What a call gives, and all that it may have changed."""
        try:
            value = self.run(x)
            seen = (value.tolist(), str(value.dtype))
        except CompileError:
            raise
        except Exception as error:
            seen = (type(error).__name__, "")
        arrays = [a.tolist() for a in (*self.arrays, *self.box)]
        return repr((seen, arrays, [t.tolist() for t in self.tensors]))


def _text(rng: random.Random) -> str:
    """The function's text."""
    sources = ["A", "held.a", "box[0]", "box[1]", "b"]
    lines = [f"    b = {rng.choice(sources[:4])}", "    s = x * 1"]
    made: list[str] = []
    for number in range(rng.randrange(1, 6)):
        view = rng.choice(_VIEWS).format(a=rng.choice(sources), i=rng.randrange(2))
        dice = rng.random()
        if dice < 0.6:
            lines.append(f"    t{number} = {rng.choice(_MAKES).format(v=view)}")
            lines.append(f"    s = s + t{number}.sum()")
            made.append(f"t{number}")
        elif dice < 0.7:
            lines.append(f"    {rng.choice(_LOOKS).format(v=f'({view})')}")
        elif dice < 0.75:
            lines.append(f"    {rng.choice(sources)}[0] = 4")
        elif dice < 0.85:
            lines.append(f"    s = s + {rng.choice('TU')}.sum()")
        else:
            target = rng.choice([*made, "T", "U"])
            lines.append(f"    {rng.choice(_WRITES).format(t=target)}")
    if made and rng.random() < 0.2:
        lines.append(f"    return {rng.choice(made)}")
    helper = "def convert(a):\n    return weft.tensor(a)\n"
    return f"{helper}\ndef work(x):\n" + "\n".join(lines) + "\n    return s\n"


def _one(seed: str) -> str:
    text = _text(random.Random(seed + "text"))
    plain, fast = _World(seed, text, False), _World(seed, text, True)
    rng, again = random.Random(seed + "changes"), random.Random(seed + "changes")
    before = rng.choice([1, 2, 3])
    again.choice([1, 2, 3])
    x = weft.tensor(2.0)
    for turn in range(4):
        for call in range(before if turn == 0 else 2):
            want = plain.call(x)
            try:
                got = fast.call(x)
            except CompileError:
                return "refused"
            assert want == got, f"turn {turn}, call {call}\n{text}\neager    {want}\ncompiled {got}"
        try:
            plain.change(rng)
        except ValueError:
            return "same"
        fast.change(again)
    program: Any = fast.run
    return "planned" if program.executable is not None else "same"


def run(seed: int, count: int) -> dict[str, int]:
    """``count`` programs; how many ended with a plan, were the same, or refused."""
    counts: Counter[str] = Counter()
    for i in range(count):
        try:
            counts[_one(f"{seed}.{i}")] += 1
        except AssertionError as error:
            raise AssertionError(
                f"{error}\nagain: python -m tests.hunt.run {NAME} --seed {seed} --count {i + 1}"
            ) from None
    return dict(counts)
