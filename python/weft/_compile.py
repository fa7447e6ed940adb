"""``weft.compile``: whole functions as static graphs.

The first call runs the function eagerly and records the operations that ran. The second call
records again, and the recording is believed when both agree, constants included. From then on
calls run the plan, as long as everything that the recording depended on is as it was.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from weft import _core
from weft._core import CompileError, Tensor
from weft._watch import Guard, Watch, same

#: Recordings of one signature before a function that never settles is reported.
MOST_RECORDINGS = 32


class _Leaf:
    """Stands for a tensor in a structure."""

    def __repr__(self) -> str:
        return "*"


_LEAF = _Leaf()


def flatten(value: Any, tensors: list[Tensor]) -> Any:
    """``value`` with its tensors, which are appended to ``tensors``, replaced by a mark."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return _LEAF
    if isinstance(value, tuple):
        parts = [flatten(v, tensors) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, list):
        return [flatten(v, tensors) for v in value]
    if isinstance(value, dict):
        return {k: flatten(v, tensors) for k, v in value.items()}
    return value


def unflatten(shape: Any, tensors: Any) -> Any:
    """The inverse of :func:`flatten`; ``tensors`` is an iterator."""
    if shape is _LEAF:
        return next(tensors)
    if isinstance(shape, tuple):
        parts = [unflatten(v, tensors) for v in shape]
        return type(shape)(*parts) if hasattr(shape, "_fields") else tuple(parts)
    if isinstance(shape, list):
        return [unflatten(v, tensors) for v in shape]
    if isinstance(shape, dict):
        return {k: unflatten(v, tensors) for k, v in shape.items()}
    return shape


def _hashable(shape: Any) -> Any:
    if isinstance(shape, (list, tuple)):
        return (type(shape), *map(_hashable, shape))
    if isinstance(shape, dict):
        return (dict, *((k, _hashable(v)) for k, v in shape.items()))
    if isinstance(shape, float):
        return (float, repr(shape))
    try:
        hash(shape)
    except TypeError:
        raise CompileError(
            f"compile: argument of type {type(shape).__name__} cannot be compared between calls. "
            "Pass tensors, numbers, strings, or lists, tuples and dicts of them"
        ) from None
    return (type(shape), shape)


@dataclass(frozen=True)
class Explanation:
    """What compiling a function achieved. Bytes and milliseconds; counts of operations.

    Attributes:
        recordings: how many recordings exist, over all signatures.
        causes: why each one was made.
        nodes_recorded: operations in the recording.
        folded: computed at compile time.
        simplified: replaced by a cheaper form.
        merged: computed once instead of several times.
        dropped: not needed for any result.
        fused_groups: programs of pointwise operations.
        fused_nodes: operations in them.
        in_place: results written over an operand, or straight into what they update.
        steps: kernel calls of one run.
        slab_bytes: memory for intermediate results.
        total_bytes: what they would take side by side.
        flops: arithmetic operations of one run.
        compile_ms: from recording to plan.
    """

    recordings: int
    causes: tuple[str, ...]
    nodes_recorded: int = 0
    folded: int = 0
    simplified: int = 0
    merged: int = 0
    dropped: int = 0
    fused_groups: int = 0
    fused_nodes: int = 0
    in_place: int = 0
    steps: int = 0
    slab_bytes: int = 0
    total_bytes: int = 0
    flops: int = 0
    compile_ms: float = 0.0

    def __str__(self) -> str:
        """A few lines to read."""
        lines = [f"recordings      {self.recordings}"]
        lines += [f"                {cause}" for cause in self.causes]
        if not self.steps:
            return "\n".join([*lines, "no plan yet: the first two calls record"])
        ratio = self.slab_bytes / max(self.total_bytes, 1)
        lines += [
            f"operations      {self.nodes_recorded} recorded, {self.steps} kernel calls",
            f"tidied          {self.folded} folded, {self.simplified} simplified, "
            f"{self.merged} merged, {self.dropped} dropped",
            f"fused           {self.fused_nodes} operations in {self.fused_groups} programs",
            f"in place        {self.in_place} results",
            f"memory          slab {self.slab_bytes:,} bytes for {self.total_bytes:,} "
            f"({ratio:.0%})",
            f"arithmetic      {self.flops:,} operations a run",
            f"compile time    {self.compile_ms:.3f} ms",
        ]
        return "\n".join(lines)


class _Entry:
    """One recording of one signature, and its plan once it is believed."""

    def __init__(self, recording: Any, watch: Watch, refresh: list[Any], result: Any, cause: str):
        self.recording, self.result, self.cause = recording, result, cause
        self.refresh = refresh
        self.attributes: list[Guard] = list(watch.attributes.values())
        self.names: list[Guard] = list(watch.names.values())
        self.epoch = -1
        self.program: Any = None
        self.calls = 0
        #: Places that the function read and, in the same run, changed.
        self.own = {g.where() for g in (*self.names, *self.attributes) if not g.holds()}

    def broken(self) -> Guard | None:
        """The first thing that is not as it was."""
        for guard in self.names:
            if not guard.holds():
                return guard
        epoch = _core.epoch()
        if epoch == self.epoch:
            return None
        for sync in self.refresh:
            sync()
        for guard in self.attributes:
            if not guard.holds():
                return guard
        self.epoch = _core.epoch()
        return None


class Compiled:
    """A function that runs as a static graph; made by :func:`compile`."""

    def __init__(self, function: Callable[..., Any], verify: int | None = None) -> None:
        """See :func:`compile`."""
        functools.update_wrapper(self, function, updated=())
        self._function = function
        self._verify = verify or 0
        self._entries: dict[Any, list[_Entry]] = {}
        self._last: _Entry | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function: the first two times eagerly, then as a static graph."""
        if _core.is_recording():
            return self._function(*args, **kwargs)
        tensors: list[Tensor] = []
        key: Any
        if args or kwargs:
            shape = flatten((args, kwargs), tensors)
            key = (_core.is_grad_enabled(), _hashable(shape), _core.signature(tensors))
        else:
            key = _core.is_grad_enabled()
        entries = self._entries.get(key)
        if entries is None:
            return self._record(key, tensors, args, kwargs, "first call with these arguments")
        for entry in entries:
            program = entry.program
            if program is not None and entry.broken() is None:
                entry.calls += 1
                if self._verify and entry.calls % self._verify == 0:
                    return self._verified(entry, tensors, args, kwargs)
                found = program(tensors)
                if found is not None:
                    self._last = entry
                    return unflatten(entry.result, iter(found))
        return self._again(key, entries, tensors, args, kwargs)

    def _again(self, key: Any, entries: list[_Entry], tensors: Any, args: Any, kwargs: Any) -> Any:
        """Record a second time, or for a new reason."""
        why = "a .grad or requires_grad changed"
        suspect: tuple[_Entry, Guard] | None = None
        for entry in entries:
            guard = entry.broken()
            if guard is not None:
                why = str(guard)
                if entry.program is None and guard.where() in entry.own:
                    suspect = (entry, guard)
            elif entry.program is None and entry.recording.fits(tensors):
                second, value = self._run(tensors, args, kwargs, entry.cause)
                return self._believe(entry, second, value)
        if suspect is not None:
            return self._again_own(key, *suspect, tensors, args, kwargs)
        if len(entries) >= MOST_RECORDINGS:
            raise CompileError(
                f"compile: recorded {len(entries)} times for the same arguments, and something "
                f"changes every time ({why}). Pass it as an argument"
            )
        return self._record(key, tensors, args, kwargs, why)

    def _run(self, tensors: Any, args: Any, kwargs: Any, cause: str) -> tuple[_Entry, Any]:
        """Run eagerly and record."""
        from weft.optim import sync_all

        sync_all()
        _core.record_start(tensors)
        try:
            with Watch(self._function) as watch:
                value = self._function(*args, **kwargs)
            made: list[Tensor] = []
            result = flatten(value, made)
            recording = _core.record_finish(made)
        except BaseException:
            _core.record_abort()
            raise
        refresh = _core.take_refresh()
        return _Entry(recording, watch, refresh, result, cause), value

    def _record(self, key: Any, tensors: Any, args: Any, kwargs: Any, cause: str) -> Any:
        entry, value = self._run(tensors, args, kwargs, cause)
        self._entries.setdefault(key, []).append(entry)
        self._last = entry
        return value

    def _again_own(
        self, key: Any, entry: _Entry, guard: Guard, tensors: Any, args: Any, kwargs: Any
    ) -> Any:
        """Record after the function itself changed something that it reads.

        If it does so once (state that is made on the first call), this is a new recording. If it
        does so on every call (a counter), the change must not matter for the graph.
        """
        second, value = self._run(tensors, args, kwargs, str(guard))
        if guard.where() not in second.own:
            entry.own.clear()
            self._entries[key].append(second)
            self._last = second
            return value
        second.names = [g for g in second.names if g.where() not in second.own]
        second.attributes = [g for g in second.attributes if g.where() not in second.own]
        return self._believe(entry, second, value)

    def _believe(self, entry: _Entry, second: _Entry, value: Any) -> Any:
        """Make a plan if two recordings do not differ."""
        difference = entry.recording.difference(second.recording)
        if difference is None and not _same_result(entry.result, second.result):
            difference = ("the return value", repr(entry.result), repr(second.result))
        if difference is not None:
            line, first, now = difference
            raise CompileError(
                f"compile: the function did not do the same thing twice (at {line}): "
                f"first {first}, then {now}. Pass what changes as an argument"
            )
        entry.recording = second.recording
        entry.attributes, entry.names = second.attributes, second.names
        entry.refresh = second.refresh
        entry.program = second.recording.compile()
        self._last = entry
        return value

    def _verified(self, entry: _Entry, tensors: Any, args: Any, kwargs: Any) -> Any:
        """Run the plan, put everything back, run eagerly, and compare all bits."""
        program = entry.program
        leaves = program.grad_leaves(tensors)
        state = _core.random_state()
        before = [(t, t.detach().clone()) for t in program.written(tensors)]
        grads = [leaf.grad for leaf in leaves]
        found = program(tensors)
        if found is None:
            return None
        planned = [t.detach().clone() for t in found]
        planned += [t.detach().clone() for t, _ in before]
        planned += [leaf.grad.clone() for leaf in leaves if leaf.grad is not None]
        _core.set_random_state(*state)
        for leaf, grad in zip(leaves, grads, strict=True):
            leaf.grad = grad
        for tensor, old in before:
            tensor.detach().copy_(old)
        value = self._function(*args, **kwargs)
        eager: list[Tensor] = []
        flatten(value, eager)
        eager += [t for t, _ in before]
        eager += [leaf.grad for leaf in leaves if leaf.grad is not None]
        for i, (a, b) in enumerate(zip(planned, eager, strict=True)):
            if a.numpy().tobytes() != b.detach().numpy().tobytes():
                raise CompileError(
                    f"compile: verify found that result {i} differs from the eager run: "
                    "the function depends on something that the recording could not see"
                )
        return value

    @property
    def graph(self) -> str:
        """The text form of the static graph that ran last, with the line of every node."""
        if self._last is None:
            raise CompileError("compile: nothing recorded yet. Call the function first")
        program = self._last.program
        text: str = self._last.recording.text if program is None else program.text()
        return text

    @property
    def program(self) -> Any:
        """The native program that ran last, or ``None`` before the third call."""
        return self._last.program if self._last is not None else None

    def explain(self) -> Explanation:
        """What was recorded and why, and what compiling it achieved."""
        every = [entry for entries in self._entries.values() for entry in entries]
        causes = tuple(entry.cause for entry in every)
        report = self.program.report() if self.program is not None else {}
        known = {f.name for f in fields(Explanation)}
        return Explanation(len(every), causes, **{k: v for k, v in report.items() if k in known})


def _same_result(a: Any, b: Any) -> bool:
    if a is _LEAF or b is _LEAF:
        return a is b
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same_result, a, b))
    if isinstance(a, dict):
        return (
            isinstance(b, dict) and list(a) == list(b) and all(_same_result(a[k], b[k]) for k in a)
        )
    return same(a, b)


def compile(function: Callable[..., Any] | None = None, *, verify: int | None = None) -> Any:
    """``function`` as a static graph: forward, backward and optimiser step together.

    Tensor arguments are inputs; tensors reached from outside are live references; tensors
    changed in place, ``.grad`` fields and the random stream change as in eager code, with the
    same bits. What the function depends on otherwise (arguments that are no tensors, module
    attributes, global names, hyperparameters) is checked before each call and leads to a new
    recording when it changes.

    Args:
        function: what to compile; without it, a decorator is returned.
        verify: every ``verify``-th call also runs eagerly and compares bits.

    Raises:
        CompileError: while recording, when a value is read (``.item()``, ``if loss > 3``) or
            the function does not do the same thing twice.

    Example:
        >>> w = weft.ones(2, requires_grad=True)
        >>> fast = weft.compile(lambda x: (x * w).sum().detach())
        >>> [fast(weft.ones(2)).item() for _ in range(3)]
        [2.0, 2.0, 2.0]
        >>> print(fast.graph.splitlines()[-1])
        return %3
    """
    if function is None:
        return lambda f: compile(f, verify=verify)
    if not callable(function):
        raise TypeError(f"compile: expected a function, got {type(function).__name__}")
    return Compiled(function, verify)
