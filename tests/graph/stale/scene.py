"""Runs a scenario twice, eagerly and compiled, and compares all that can be seen from outside."""

import linecache
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import weft
from weft import CompileError, Tensor, _core

#: Calls before the first change: two recordings and a run of the plan.
BEFORE = 3
#: Calls after each change: enough for a new plan to run.
AFTER = 3


class Scene:
    """One world in which a scenario is played: what it observes, and how to put things back."""

    def __init__(self, compiled: bool, strict: bool = False) -> None:
        self.compiled = compiled
        self.strict = strict
        self.observed: dict[str, Callable[[], Any]] = {}
        self.known: dict[str, Callable[[], Any]] = {}
        self.seen: list[Any] = []
        self.warned: list[str] = []
        self.fast: Any = None
        self._undo: list[Callable[[], None]] = []

    def patch(self, owner: Any, name: str, value: Any) -> None:
        """``setattr``, put back at the end of the scenario."""
        if name in vars(owner):
            old = vars(owner)[name]
            self._undo.append(lambda: setattr(owner, name, old))
        else:
            self._undo.append(lambda: delattr(owner, name) if name in vars(owner) else None)
        setattr(owner, name, value)

    def later(self, undo: Callable[[], None]) -> None:
        """Call ``undo`` at the end of the scenario."""
        self._undo.append(undo)

    def watch(self, **tensors: Any) -> None:
        """Compare these tensors, and their gradients, after every call.

        A value may be a function that finds the tensor. Results say which of them they are.
        """
        for name, tensor in tensors.items():
            find = (lambda t=tensor: t) if isinstance(tensor, Tensor) else tensor
            self.observed[name] = self.known[name] = find

    def state(self, **values: Callable[[], Any]) -> None:
        """Compare what these functions return after every call."""
        self.observed.update(values)

    def run(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as this world runs it."""
        if self.compiled:
            self.fast = (
                weft.compile(function, strict=True) if self.strict else weft.compile(function)
            )
            return self.fast
        return function

    def call(self, run: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Call and note everything that can be seen."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                value = run(*args)
            except CompileError:
                raise
            except Exception as error:
                value = (type(error).__name__, str(error))
        self.warned += [str(w.message) for w in caught]
        names = {f"argument {i}": a for i, a in enumerate(args) if isinstance(a, Tensor)}
        for name, find in self.known.items():
            found = find()
            if isinstance(found, Tensor):
                names[name] = found
                if found.grad is not None:
                    names[f"{name}.grad"] = found.grad
        state = {name: facts(find(), {}) for name, find in self.observed.items()}
        self.seen.append((facts(value, names), state, _core.random_state()))

    def close(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()


def facts(value: Any, names: dict[str, Tensor]) -> Any:
    """A value as plain data that compares bit for bit; tensors say which known ones they are."""
    if isinstance(value, Tensor):
        return _tensor(value, names)
    if isinstance(value, dict):
        return (type(value).__name__, [(facts(k, {}), facts(v, names)) for k, v in value.items()])
    if isinstance(value, (list, tuple)):
        tensors = [v for v in value if isinstance(v, Tensor)]
        alike = [
            (i, j, "is" if a is b else "shares")
            for i, a in enumerate(tensors)
            for j, b in enumerate(tensors[:i])
            if a is b or a.shares_memory(b)
        ]
        return (type(value).__name__, [facts(v, names) for v in value], alike)
    if isinstance(value, (set, frozenset)):
        return (type(value).__name__, sorted(map(repr, value)))
    if callable(value):
        return ("callable", getattr(value, "__name__", type(value).__name__))
    return (type(value).__name__, repr(value))


def _tensor(tensor: Tensor, names: dict[str, Tensor]) -> Any:
    grad = tensor.grad if tensor.is_leaf else None
    return (
        type(tensor).__name__,
        str(tensor.dtype),
        tuple(tensor.shape),
        tensor.detach().numpy().tobytes(),
        tensor.requires_grad,
        None if grad is None else grad.detach().numpy().tobytes(),
        [name for name, known in names.items() if known is tensor],
        [name for name, known in names.items() if known.shares_memory(tensor)],
    )


@dataclass
class Case:
    """A scenario: a generator that yields what to call, and changes something between yields.

    It yields a function and its arguments first; after that it yields ``None`` (same arguments)
    or new arguments after every change.
    """

    name: str
    play: Callable[[Scene], Iterator[Any]]
    may_refuse: bool = False
    may_warn: bool = False
    must_refuse: bool = False
    must_warn: bool = False
    compiles: bool = True
    strict: bool = False
    #: What it computes differs from run to run: only the refusal is looked at.
    random: bool = False
    #: A warning that names the line excuses what differs afterwards.
    unknown: bool = False
    #: Whether a refusal must name a line that is marked.
    line: bool = True
    #: It yields a function that calls a compiled one.
    outside: bool = False
    before: int = BEFORE
    after: int = AFTER


def case(cases: list[Case], name: str, **options: Any) -> Callable[[Any], Any]:
    """Add the decorated generator to ``cases``."""

    def add(play: Any) -> Any:
        cases.append(Case(name, play, **options))
        return play

    return add


@contextmanager
def _opened(case: Case, compiled: bool) -> Iterator[Scene]:
    scene = Scene(compiled, case.strict)
    weft.manual_seed(7)
    try:
        yield scene
    finally:
        scene.close()


def _play(case: Case, scene: Scene, most: int | None = None) -> str | None:
    """Run the scenario; the text of a refusal, if there was one."""
    script = case.play(scene)
    function, *first = next(script)
    args: tuple[Any, ...] = tuple(first)
    run = function if case.outside else scene.run(function)
    try:
        calls = case.before
        while True:
            for _ in range(calls):
                if most is not None and len(scene.seen) >= most:
                    return None
                scene.call(run, tuple(a() if isinstance(a, Fresh) else a for a in args))
                if scene.compiled and len(scene.seen) == BEFORE and case.compiles:
                    assert scene.fast.executable is not None, f"{case.name}: no plan after 3 calls"
            calls = case.after
            try:
                given = next(script)
            except StopIteration:
                return None
            if given is not None:
                args = tuple(given)
    except CompileError as error:
        return str(error)
    finally:
        script.close()


@dataclass
class Fresh:
    """An argument that is made anew for each call."""

    make: Callable[[], Any]

    def __call__(self) -> Any:
        return self.make()


def check(case: Case) -> str:
    """Play both worlds; ``same``, ``warned``, ``refused``, or an AssertionError with the reason."""
    with _opened(case, compiled=True) as fast:
        refusal = _play(case, fast)
        seen = fast.seen
    with _opened(case, compiled=False) as plain:
        _play(case, plain, None if refusal is None else len(seen))
    warned = [text for text in fast.warned if text not in plain.warned]
    _compare(case, plain.seen, seen, excused=case.unknown and bool(warned))
    if refusal is not None:
        assert case.may_refuse or case.must_refuse, f"{case.name}: refused: {refusal}"
        _names_the_line(case, refusal)
        return "refused"
    assert not case.must_refuse, f"{case.name}: should be refused"
    if not warned:
        assert not case.must_warn, f"{case.name}: should warn"
        return "same"
    assert case.may_warn, f"{case.name}: warned: {warned[0]}"
    assert len(warned) == 1, f"{case.name}: warned {len(warned)} times: {warned}"
    _names_the_line(case, warned[0])
    return "warned"


def _compare(case: Case, eager: list[Any], compiled: list[Any], excused: bool) -> None:
    if case.random or excused:
        return
    for i, (want, got) in enumerate(zip(eager, compiled, strict=True)):
        assert want == got, (
            f"{case.name}: call {i + 1} differs\n  eager    {want}\n  compiled {got}"
        )


def _names_the_line(case: Case, text: str) -> None:
    """The message must name a line that is marked as the read (or the effect)."""
    if not case.line:
        return
    found = re.findall(r"([\w./<>-]+\.py):(\d+)", text)
    assert found, f"{case.name}: names no line: {text}"
    for file, number in found:
        path = file if "/" in file else _full(file)
        # A statement may run over a few lines; its mark stands on one of them.
        near = "".join(linecache.getline(path, int(number) + i) for i in range(-2, 3))
        if "# read" in near or "# effect" in near:
            return
    raise AssertionError(f"{case.name}: names another line: {text}")


def _full(file: str) -> str:
    from pathlib import Path

    return str(Path(__file__).parent / file)
