"""``weft.compile``: whole functions as static graphs.

The first call runs the function eagerly and records the operations that ran. The second call
records again, and the recording is believed when both agree, constants included. From then on
calls run the plan, as long as everything that the recording depended on is as it was.

What records and watches is imported with the first function that is compiled.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock
from collections.abc import Callable
from typing import Any

__all__ = ["CompileWarning", "compile"]

#: A fork waits for an import that has begun: in the child nobody would finish it.
_importing = RLock()


def _at_fork(step: str) -> None:
    """What the watch does around a fork, if it is there: it cannot come while the lock is held."""
    fork = sys.modules.get("weft._watch._fork")
    if fork is not None:
        getattr(fork, step)()


def _before() -> None:
    _importing.acquire()
    _at_fork("before")


def _after_in_parent() -> None:
    _at_fork("after_in_parent")
    _importing.release()


def _after_in_child() -> None:
    _at_fork("after_in_child")
    _importing.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )


class CompileWarning(UserWarning):
    """A compiled function does something that its plan does not repeat, or cannot be planned."""


def compile(
    function: Callable[..., Any] | None = None,
    *,
    verify: int | None = None,
    strict: bool = False,
) -> Any:
    """``function`` as a static graph: forward, backward and optimiser step together.

    Tensor arguments are inputs; tensors reached from outside are live references; tensors
    changed in place, ``.grad`` fields and the random stream change as in eager code, with the
    same bits. What the function depends on otherwise (arguments that are no tensors, attributes,
    names, contents of collections, hyperparameters) is compared before each call and leads to a
    new recording when it changes. What a plan cannot repeat (printing, appending to a list) gives
    one warning with its line.

    Args:
        function: what to compile; without it, a decorator is returned.
        verify: every ``verify``-th call also runs eagerly and compares bits.
        strict: refuse what otherwise gives a warning.

    Raises:
        CompileError: while recording, when a value is read (``.item()``, ``if loss > 3``), the
            function changes what it reads or calls what the world outside decides (the clock,
            random numbers of Python), or it does not do the same thing twice.

    Example:
        >>> w = weft.ones(2, requires_grad=True)
        >>> fast = weft.compile(lambda x: (x * w).sum().detach())
        >>> [fast(weft.ones(2)).item() for _ in range(3)]
        [2.0, 2.0, 2.0]
        >>> print(fast.graph.splitlines()[-1])
        return %3 "result0"
    """
    if function is None:
        return lambda f: compile(f, verify=verify, strict=strict)
    if not callable(function):
        raise TypeError(f"compile: expected a function, got {type(function).__name__}")
    with _importing:
        from weft._compile._compiled import Compiled
        from weft._watch import _fork as _fork

    return Compiled(function, verify=verify, strict=strict)
