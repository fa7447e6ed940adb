"""Gradients: switching the tape on and off, and walking it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from weft import _core
from weft._core import Tensor

F = TypeVar("F", bound=Callable[..., Any])


class set_grad_enabled:
    """Switches the tape on or off: at once, and back at the end of a ``with`` block.

    Example:
        >>> with weft.set_grad_enabled(False):
        ...     weft.is_grad_enabled()
        False
    """

    def __init__(self, mode: bool) -> None:
        """Switch."""
        self.mode = mode
        self.before = _core.set_grad_enabled(mode)

    def __enter__(self) -> None:
        """Switch again, for an object that is used a second time."""
        _core.set_grad_enabled(self.mode)

    def __exit__(self, *_: object) -> None:
        """Restore."""
        _core.set_grad_enabled(self.before)

    def __call__(self, function: F) -> F:
        """The function, run with the switch set; the mode is restored for what follows."""
        _core.set_grad_enabled(self.before)
        return _wrapped(function, lambda: set_grad_enabled(self.mode))


def _wrapped(function: F, switch: Callable[[], Any]) -> F:
    if inspect.isgeneratorfunction(function):
        return cast(F, _wrapped_generator(function, switch))

    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        with switch():
            return function(*args, **kwargs)

    return cast(F, inner)


def _wrapped_generator(function: Callable[..., Any], switch: Callable[[], Any]) -> Any:
    """Between its pieces, whoever runs the generator has the mode as it was."""

    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume, given = generator.send, None
        while True:
            try:
                with switch():
                    made = resume(given)
            except StopIteration as end:
                return end.value
            try:
                resume, given = generator.send, (yield made)
            except GeneratorExit:
                with switch():
                    generator.close()
                raise
            except BaseException as error:
                resume, given = generator.throw, error

    return inner


class _Switch:
    mode = False

    def __init__(self, function: object = None) -> None:
        """Nothing happens before ``with`` or a call."""
        self.before: list[bool] = []

    def __new__(cls, function: Any = None) -> Any:
        """``@no_grad`` without parentheses wraps the function."""
        made = super().__new__(cls)
        if function is None:
            return made
        made.before = []
        return made(function)

    def __enter__(self) -> None:
        """Switch."""
        self.before.append(_core.set_grad_enabled(self.mode))

    def __exit__(self, *_: object) -> None:
        """Restore."""
        _core.set_grad_enabled(self.before.pop())

    def __call__(self, function: F) -> F:
        """The function, run with the switch set; of a generator function each piece."""
        return _wrapped(function, type(self))


class no_grad(_Switch):
    """A block or function whose operations leave nothing on the tape.

    Example:
        >>> x = weft.ones(2, requires_grad=True)
        >>> with weft.no_grad():
        ...     (x * 2).requires_grad
        False
    """

    mode = False


class inference_mode(no_grad):
    """As :class:`no_grad`."""


class enable_grad(_Switch):
    """A block or function whose operations go onto the tape, inside a ``no_grad`` block.

    Example:
        >>> x = weft.ones(2, requires_grad=True)
        >>> with weft.no_grad(), weft.enable_grad():
        ...     (x * 2).requires_grad
        True
    """

    mode = True


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Adds the gradients of ``tensors`` to the ``.grad`` of every leaf that they depend on.

    Raises:
        RuntimeError: a tensor is no single number and has no gradient given; the graph was
            walked before; a saved value was changed in place.

    Example:
        >>> x = weft.tensor([1.0, 2.0], requires_grad=True)
        >>> weft.autograd.backward((x * x).sum())
        >>> x.grad
        tensor([2., 4.])
    """
    roots = _list(tensors)
    grads = [None] * len(roots) if grad_tensors is None else _list(grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    _core.backward(roots, grads, None, keep, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of ``outputs`` with respect to ``inputs``; no ``.grad`` changes.

    Example:
        >>> x = weft.tensor(3.0, requires_grad=True)
        >>> (first,) = weft.autograd.grad(x**3, x, create_graph=True)
        >>> (second,) = weft.autograd.grad(first, x)
        >>> first.item(), second.item()
        (27.0, 18.0)
    """
    roots, wanted = _list(outputs), _list(inputs)
    grads = [None] * len(roots) if grad_outputs is None else _list(grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    found = _core.backward(roots, grads, wanted, keep, create_graph)
    for i, one in enumerate(found):
        if one is None and not allow_unused:
            raise RuntimeError(f"grad: outputs do not depend on input {i}. Pass allow_unused=True")
    return tuple(found)


def tensor_backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """As :func:`backward`, for this tensor."""
    keep = create_graph if retain_graph is None else retain_graph
    _core.backward([self], [gradient], None, keep, create_graph)


def graph_text(root: Tensor) -> str:
    """The dynamic graph behind a tensor, one node a line, in order of execution.

    Example:
        >>> x = weft.ones(2, requires_grad=True)
        >>> print(weft.autograd.graph_text((x * x).sum()))
        mul [leaf, leaf] -> f32[2]
        sum [mul] -> f32[]
    """
    seen: dict[Any, None] = {}
    stack = [root.grad_fn] if root.grad_fn is not None else []
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen[node] = None
        stack.extend(n for n, _ in node.next_functions if isinstance(n, _core.Node))
    lines = []
    for node in sorted(seen, key=lambda n: n.sequence_nr):
        inputs = []
        for source, _ in node.next_functions:
            is_node = isinstance(source, _core.Node)
            inputs.append(source.op if is_node else "leaf" if source is not None else "-")
        facts = repr(node).split(" ", 1)[1].rstrip(">")
        lines.append(f"{node.op} [{', '.join(inputs)}] -> {facts}")
    return "\n".join(lines)
