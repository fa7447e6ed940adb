"""torch's rules for views, changes in place and histories, without views and without a tape.

Memory is a flat array of numbers. A tensor is a map from its indices to places in memory. What
gradients flow is kept forwards: every element carries its derivatives by all elements of all
leaves, so nothing is walked backwards. A graph of nodes says only which values were saved, to
know when ``backward`` must refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Elements of all leaves of a program.
COLUMNS = 48


class Refused(Exception):
    """torch raises here."""


class Memory:
    """Numbers, and how often they were changed."""

    def __init__(self, values: Floats) -> None:
        """Values of their own."""
        self.values = np.array(values, np.float64)
        self.version = 0


@dataclass(eq=False)
class Node:
    """What was saved to differentiate one operation."""

    parents: list[Node]
    saves: list[tuple[Memory, int]]
    #: Whether a walk uses it up.
    holds: bool
    released: bool = False


@dataclass(eq=False)
class Base:
    """A tensor that is no view: the history of a region of memory."""

    memory: Memory
    places: Ints
    wants: bool = False
    node: Node | None = None
    #: The first column of a leaf that wants a gradient.
    column: int | None = None
    slopes: Floats = field(default_factory=lambda: np.zeros((0, COLUMNS)))
    grad: Floats | None = None

    def __post_init__(self) -> None:
        """Derivatives of every place of the memory."""
        self.slopes = np.zeros((self.memory.values.size, COLUMNS))

    @property
    def tracked(self) -> bool:
        return self.node is not None or self.column is not None


@dataclass(eq=False)
class Tensor:
    """A view of a base, or the base itself (then its map is the base's)."""

    base: Base
    places: Ints
    is_view: bool
    made: str = "tracked"
    seen: int = 0
    node: Node | None = None
    slopes: Floats | None = None

    @property
    def values(self) -> Floats:
        return self.base.memory.values[self.places]

    @property
    def repeated(self) -> bool:
        return len(np.unique(self.places)) < self.places.size

    @property
    def contiguous(self) -> bool:
        flat = self.places.ravel()
        return flat.size == 0 or bool((flat == flat[0] + np.arange(flat.size)).all())

    @property
    def requires_grad(self) -> bool:
        return self.base.wants or (self.is_view and self.node is not None)


class Oracle:
    """The state of one program. ``torch`` chooses what torch saves and weft copies."""

    def __init__(self, torch: bool) -> None:
        """Nothing yet."""
        self.torch = torch
        self.grad = True
        self.columns = 0

    # -- histories ---------------------------------------------------------------------

    def settle(self, x: Tensor) -> None:
        """Bring a view up to date with its base."""
        base, now = x.base, x.base.memory.version
        if not x.is_view or x.seen == now or (x.node is None and not base.wants):
            return
        if x.made != "tracked":
            raise Refused(x.made)
        self._follow(x)

    def _follow(self, x: Tensor) -> None:
        base = x.base
        # After detach_() of the base torch keeps a node through which nothing flows.
        makes = base.tracked or self.torch
        if makes:
            x.seen = base.memory.version
        x.node = Node([base.node] if base.node else [], [], False) if makes else None
        x.slopes = base.slopes[x.places] if makes else None

    def is_leaf(self, x: Tensor) -> bool:
        self.settle(x)
        return (x.node if x.is_view else x.base.node) is None

    def _source(self, x: Tensor) -> tuple[bool, list[Node], Floats]:
        """Whether a gradient flows into ``x``, from where, and its derivatives."""
        self.settle(x)
        if x.is_view:
            if x.node is None:
                return False, [], np.zeros((*x.places.shape, COLUMNS))
            assert x.slopes is not None
            return True, [x.node], x.slopes
        base = x.base
        return base.tracked, [base.node] if base.node else [], base.slopes[x.places]

    # -- making ------------------------------------------------------------------------

    def plain(self, values: Floats) -> Tensor:
        memory = Memory(values.ravel())
        places = np.arange(values.size).reshape(values.shape)
        return Tensor(Base(memory, places), places, False)

    def require(self, x: Tensor) -> None:
        """``x.requires_grad_()`` of a tensor that is no view."""
        base = x.base
        if base.tracked:
            return
        base.wants, base.column = True, self.columns
        self.columns += x.places.size
        columns = base.column + np.arange(x.places.size)
        base.slopes[x.places.ravel(), columns] = 1

    def detach(self, x: Tensor) -> Tensor:
        return Tensor(Base(x.base.memory, x.places), x.places, False)

    def forget(self, x: Tensor) -> None:
        """``x.detach_()``."""
        if x.is_view:
            raise Refused("detach_ of a view")
        base = x.base
        base.wants, base.node, base.column = False, None, None
        base.slopes = np.zeros_like(base.slopes)

    def view(self, x: Tensor, local: Ints, several: bool = False) -> Tensor:
        """A view of ``x`` whose elements are those at the flat indices ``local``."""
        made = "untracked" if not self.grad else "several" if several else x.made
        out = Tensor(x.base, x.places.ravel()[local], True, made, x.base.memory.version)
        if self.grad and x.requires_grad:
            _, nodes, slopes = self._source(x)
            out.node = Node(nodes, [], False)
            out.slopes = slopes.reshape(-1, COLUMNS)[local]
        return out

    # -- operations --------------------------------------------------------------------

    def _flows(self, kind: str, sources: list[tuple[bool, list[Node], Floats]]) -> list[bool]:
        """For which inputs something is saved; torch does not ask when there is only one."""
        if self.torch and sources and kind in ("relu", "square", "mask"):
            return [True]
        return [f for f, _, _ in sources]

    def _saves(
        self, kind: str, inputs: list[Tensor], flows: list[bool], target: Tensor | None
    ) -> tuple[list[tuple[Memory, int]], bool]:
        """What an operation saves, and whether that is anything."""
        if kind == "mul":
            kept = [1 - i for i in (0, 1) if flows[i]]
        else:
            kept = [0] if kind == "square" and flows[0] else []
        saves = []
        for i in kept:
            memory = inputs[i].base.memory
            over = target is not None and memory is target.base.memory
            if not (over and (i == 0 or not self.torch)):
                saves.append((memory, memory.version))
        holds = bool(kept) or (kind in ("scale", "relu", "mask") and flows[0])
        return saves, holds

    def _apply(
        self, kind: str, inputs: list[Tensor], slopes: list[Floats], constant: float,
        mask: npt.NDArray[np.bool_] | None,
    ) -> tuple[Floats, Floats]:  # fmt: skip
        """The values of an operation and their derivatives."""
        x, dx = inputs[0].values, slopes[0]
        y, dy = (inputs[1].values, slopes[1]) if len(inputs) > 1 else (x, dx)
        if kind in ("add", "sub"):
            sign = 1 if kind == "add" else -1
            return x + sign * y, dx + sign * dy
        if kind == "mul":
            return x * y, y[..., None] * dx + x[..., None] * dy
        if kind == "neg":
            return -x, -dx
        if kind == "square":
            return x * x, 2 * x[..., None] * dx
        if kind == "relu":
            return np.maximum(x, 0), np.where((x > 0)[..., None], dx, 0)
        if kind == "scale":
            return x * constant, dx * constant
        if kind == "shift":
            return x + constant, dx
        if kind == "copy":
            return x, dx
        if kind == "fill":
            return np.full_like(x, constant), np.zeros_like(dx)
        assert kind == "mask" and mask is not None
        return np.where(mask, constant, x), np.where(mask[..., None], 0, dx)

    def call(
        self, kind: str, inputs: list[Tensor], constant: float = 0.0,
        mask: npt.NDArray[np.bool_] | None = None,
    ) -> Tensor:  # fmt: skip
        """An operation with a result of its own."""
        zero = [np.zeros((*x.places.shape, COLUMNS)) for x in inputs]
        tracks = self.grad and any(x.requires_grad for x in inputs)
        sources = [self._source(x) for x in inputs] if tracks else []
        slopes = [s for _, _, s in sources] if tracks else zero
        values, rows = self._apply(kind, inputs, slopes, constant, mask)
        out = self.plain(values)
        if tracks:
            flows = self._flows(kind, sources)
            saves, holds = self._saves(kind, inputs, flows, None)
            if kind == "relu" and flows[0]:
                saves.append((out.base.memory, 0))
            node = Node([n for _, nodes, _ in sources for n in nodes], saves, holds)
            out.base.node, out.base.wants = node, True
            out.base.slopes[out.places.ravel()] = rows.reshape(-1, COLUMNS)
        return out

    def _check(self, target: Tensor) -> None:
        if target.is_view:
            if target.made != "tracked":
                raise Refused(target.made)
            if target.requires_grad and target.base.node is None:
                raise Refused("view of a leaf")
            if self.torch and target.requires_grad and target.node is None:
                raise Refused("a view whose history torch has not looked at since")
        if target.requires_grad and self.is_leaf(target):
            raise Refused("leaf")

    def write(
        self, kind: str, target: Tensor, others: list[Tensor], constant: float = 0.0,
        mask: npt.NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        """An operation over ``target``: ``copy`` and ``fill`` do not read it."""
        inputs = others if kind == "copy" else [target, *others]
        if target.repeated:
            raise Refused("repeated")
        tracks = self.grad and any(x.requires_grad for x in [target, *others])
        sources = []
        if tracks:
            self._check(target)
            self.settle(target)
            sources = [self._source(x) for x in inputs]
        slopes = [s for _, _, s in sources]
        slopes = slopes or [np.zeros((*x.places.shape, COLUMNS)) for x in inputs]
        values, rows = self._apply(kind, inputs, slopes, constant, mask)
        flows = self._flows(kind, sources) or [False] * len(inputs)
        saves, holds = self._saves(kind, inputs, flows, target)
        parents = [n for _, nodes, _ in sources for n in nodes]
        if kind == "fill" and not self.torch:
            parents = []
        if kind == "copy" and self.torch and tracks:
            parents += self._source(target)[1]
        memory = target.base.memory
        memory.values[target.places] = np.broadcast_to(values, target.places.shape)
        memory.version += 1
        if not tracks:
            return
        if kind == "relu" and flows[0]:
            saves.append((memory, memory.version))
        self._rebase(target, Node(parents, saves, holds), rows)

    def _rebase(self, target: Tensor, node: Node, rows: Floats) -> None:
        base = target.base
        if target.is_view:
            node = Node([*([base.node] if base.node else []), node], [], self.torch)
        base.node, base.wants = node, True
        base.slopes[target.places] = np.broadcast_to(rows, (*target.places.shape, COLUMNS))
        if target.is_view:
            self._follow(target)

    # -- backward ----------------------------------------------------------------------

    def backward(self, x: Tensor, seed: Floats, retain: bool) -> Floats:
        """Derivatives of the sum of ``seed * x`` by all columns."""
        flows, nodes, slopes = self._source(x)
        if not flows or not x.requires_grad:
            raise Refused("no gradient")
        reached: list[Node] = []
        stack, known = list(nodes), set()
        while stack:
            node = stack.pop()
            if id(node) in known:
                continue
            known.add(id(node))
            reached.append(node)
            stack.extend(node.parents)
        for node in reached:
            if node.released and node.holds:
                raise Refused("walked before")
            if not node.released and any(m.version != v for m, v in node.saves):
                raise Refused("changed")
        if not retain:
            for node in reached:
                node.released = True
        result: Floats = (seed[..., None] * slopes).reshape(-1, COLUMNS).sum(0)
        return result
