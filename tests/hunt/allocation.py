"""Fails one allocation after the other of every operation, forward, backward, in place and
compiled, and of programs that train. Each time: MemoryError (or the right result, where a kernel
can do without), and everything as it was; the next call gives the right bits.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.hunt.training import PROGRAMS, Program
from tests.ops.numeric import weights
from tests.ops.table import CASES, Case, bits, differentiable

import weft
from weft import _core

NAME = "allocation"
SHORT = 40
#: More allocations than any of the programs makes.
MOST = 2000


@dataclass
class Play:
    """Something to do again and again from the same state."""

    id: str
    act: Callable[[], list[weft.Tensor]]
    #: Tensors that ``act`` may read or write, with what they hold at the start.
    state: list[weft.Tensor]
    again: Callable[[], None] = lambda: None
    #: Whether an error leaves all as it was: not so for several statements run one by one.
    atomic: bool = True
    start: list[weft.Tensor] = field(default_factory=list)
    grads: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = [t.detach().clone() for t in self.state]
        self.grads = [t.grad for t in self.state]

    def reset(self) -> None:
        """Everything as at the start."""
        with weft.no_grad():
            for tensor, value, grad in zip(self.state, self.start, self.grads, strict=True):
                tensor.detach().copy_(value)
                tensor.grad = grad
        weft.manual_seed(7)
        self.again()

    def look(self) -> list[Any]:
        """What an error must not change."""
        seen = [(bits(t), bits(t.grad), t._version, t.requires_grad) for t in self.state]
        return [*seen, _core.random_state(), weft.is_grad_enabled()]


def _bits(result: list[weft.Tensor]) -> list[Any]:
    return [bits(t) for t in result]


def strain(play: Play) -> int:
    """Fails every allocation of a play in turn; returns how many there are."""
    play.reset()
    want, after = _bits(play.act()), None
    for k in range(1, MOST):
        play.reset()
        before = play.look()
        _core._fail_allocation(k)
        try:
            got = play.act()
        except MemoryError as error:
            _core._fail_allocation(0)
            assert ":" in str(error), f"{play.id}: a bare {error!r} from allocation {k}"
            if not play.atomic:
                play.reset()
            now = play.look()
            assert not play.atomic or now == before, (
                f"{play.id}: allocation {k} failed and left a change: {error}"
            )
            got = play.act()
        except BaseException as error:
            raise AssertionError(f"{play.id}: allocation {k}: {error!r}") from error
        finally:
            fired = _core._fail_allocation(0) == 0
        assert _bits(got) == want, f"{play.id}: wrong bits, allocation {k}"
        ends = [bits(t) for t in play.state]
        after = after or ends
        assert ends == after, f"{play.id}: another end, allocation {k}"
        if not fired:
            return k - 1
    raise AssertionError(f"{play.id}: more than {MOST} allocations")


def _strided(tensor: weft.Tensor) -> weft.Tensor:
    """The same elements, with gaps."""
    wide = weft.zeros(*tensor.shape, 2, dtype=tensor.dtype)
    view = wide[..., 0]
    view.copy_(tensor)
    return view.detach()


def _forward(case: Case) -> Play:
    inputs = case.tensors(case.default("float32"))
    return Play(f"{case.id} forward", lambda: case.call(inputs), inputs)


def _forward_strided(case: Case) -> Play:
    inputs = [_strided(x) for x in case.tensors(case.default("float32"))]
    return Play(f"{case.id} forward strided", lambda: case.call(inputs), inputs)


def _backward(case: Case) -> Play | None:
    free = case.free() if case.free() and differentiable(case) else []
    if not free:
        return None
    inputs = case.tensors(case.default("float32"))
    for i in free:
        inputs[i].requires_grad = True

    def act() -> list[weft.Tensor]:
        roots = [y for y in case.call(inputs) if y.requires_grad]
        weft.autograd.backward(roots, weights(roots))
        return [inputs[i].grad for i in free if inputs[i].grad is not None]

    return Play(f"{case.id} backward", act, inputs)


def _into(case: Case) -> Play:
    inputs = case.tensors(case.default("float32"))
    targets = [_strided(weft.ones_like(y)) for y in case.call(inputs)]

    def act() -> list[weft.Tensor]:
        case.call_into(inputs, targets)
        return targets

    return Play(f"{case.id} in place", act, [*inputs, *targets])


def _over(case: Case) -> Play | None:
    inputs = case.tensors(case.default("float32"))
    outputs = case.call(inputs)
    alike = [x for x in inputs if (x.shape, x.dtype) == (outputs[0].shape, outputs[0].dtype)]
    if len(outputs) != 1 or not alike:
        return None

    def act() -> list[weft.Tensor]:
        case.call_into(inputs, alike[:1])
        return alike[:1]

    return Play(f"{case.id} over an input", act, inputs)


def _planned(case: Case) -> Play:
    inputs = case.tensors(case.default("float32"))
    fast = weft.compile(lambda *x: case.call(list(x)))
    for _ in range(3):
        fast(*inputs)
    return Play(f"{case.id} planned", lambda: fast(*inputs), inputs)


def _recorded(case: Case) -> Play:
    inputs = case.tensors(case.default("float32"))

    def act() -> list[weft.Tensor]:
        fast = weft.compile(lambda *x: case.call(list(x)))
        for _ in range(3):
            result = fast(*inputs)
        return result

    return Play(f"{case.id} recorded", act, inputs)


KINDS = (_forward, _forward_strided, _backward, _into, _over, _planned, _recorded)


def _program(program: Program, mode: str) -> Play:
    made = program.make()
    act, warm = made.act, 0
    if mode == "planned":
        act, warm = weft.compile(act), 3
    atomic = mode == "planned"
    play = Play(f"{program.name} {mode}", lambda: list(act()), made.state, made.again, atomic)
    for _ in range(warm):
        play.reset()
        act()
    return play


def plays() -> list[tuple[str, Callable[[], Play | None]]]:
    """All there is to do."""
    found: list[tuple[str, Callable[[], Play | None]]] = []
    for case in CASES:
        for kind in KINDS:
            found.append((f"{case.id}{kind.__name__}", lambda c=case, k=kind: k(c)))
    for program in PROGRAMS:
        for mode in ("eager", "planned") if program.compiles else ("eager",):
            found.append((f"{program.name} {mode}", lambda p=program, m=mode: _program(p, m)))
    return found


def run(seed: int, count: int) -> dict[str, int]:
    """``count`` plays in an order that depends on ``seed``; from ``len(plays())`` on, all."""
    everything = plays()
    chosen = random.Random(seed).sample(everything, min(count, len(everything)))
    counts: Counter[str] = Counter()
    for _, make in chosen:
        play = make()
        counts["plays"] += 1
        if play is not None:
            counts["failed allocations"] += strain(play)
    return dict(counts)
