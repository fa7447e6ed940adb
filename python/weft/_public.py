"""The register of public names: each function is declared once, where it is defined.

From the register come the methods of ``Tensor`` and their in-place forms (:func:`attach`), what
``weft`` and ``weft.nn.functional`` export, the stub of ``Tensor`` and the reference page
(``make generate``), and the list of names that must have a test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any, TypeVar

from weft._core import Pointwise, Tensor

F = TypeVar("F", bound=Callable[..., Any])


class Entry:
    """A public function.

    Attributes:
        name: under which it is exported.
        function: what is exported; an alias has that of its original.
        where: the modules that export it: ``weft``, ``nn.functional``.
        method: whether ``Tensor`` has it too.
        inplace: whether ``Tensor`` has an in-place form of it that is made here.
        original: of which other name it is an alias.
    """

    __slots__ = ("function", "inplace", "method", "name", "original", "where")

    def __init__(self, name: str, function: Any, where: tuple[str, ...], method: bool) -> None:
        """Register the name."""
        self.name, self.function, self.where, self.method = name, function, where, method
        self.inplace = False
        self.original: str | None = None
        FUNCTIONS[name] = self
        if method:
            METHODS[name] = function


#: Public functions by name.
FUNCTIONS: dict[str, Entry] = {}
#: Attributes of ``Tensor`` that are written in Python, by name.
METHODS: dict[str, Any] = {}


def public(
    *, where: tuple[str, ...] = ("weft",), method: bool = False, inplace: bool = False
) -> Callable[[F], F]:
    """Declare a public function.

    Args:
        where: the modules that export it.
        method: whether ``Tensor`` has it as a method too.
        inplace: whether ``Tensor`` has its in-place form too, ``name_``: the pointwise row of
            the same name, written over its first operand.

    Example:
        >>> from weft._public import FUNCTIONS
        >>> FUNCTIONS["relu"].where
        ('weft', 'nn.functional')
    """

    def register(function: F) -> F:
        entry = Entry(function.__name__, function, where, method)
        if inplace:
            entry.inplace = True
            METHODS[function.__name__ + "_"] = _into(function)
        return function

    return register


def alias(name: str, function: F) -> F:
    """Declare another name of a public function; it is exported where that one is."""
    original = FUNCTIONS[function.__name__]
    entry = Entry(name, function, original.where, original.method)
    entry.original = original.name
    if original.inplace:
        METHODS[name + "_"] = METHODS[original.name + "_"]
        entry.inplace = True
    return function


def method(name: str | None = None) -> Callable[[F], F]:
    """Declare an attribute of ``Tensor`` that is no public function, under its name or another."""

    def register(function: F) -> F:
        if name is not None:
            function.__name__ = function.__qualname__ = name
        METHODS[function.__name__] = function
        return function

    return register


def _into(function: Any) -> Any:
    """The in-place form of a function that calls the row of its name."""
    into = Pointwise(function.__name__).into
    if function.__code__.co_argcount == 1:

        def inplace(self: Tensor) -> Tensor:
            return into(self)
    else:

        def inplace(self: Tensor, other: Any) -> Tensor:  # type: ignore[misc]
            return into(self, other)

    inplace.__name__ = inplace.__qualname__ = function.__name__ + "_"
    inplace.__doc__ = f"``weft.{function.__name__}`` in place."
    return inplace


def attach() -> None:
    """Give ``Tensor`` its methods."""
    for name, attribute in METHODS.items():
        setattr(Tensor, name, attribute)


def blame(
    op: str, value: object, expected: str, got: object = None, argument: str | None = None
) -> str:
    """The sentence for a wrong argument, which native code asks for.

    It names the outermost public function that is being called and, if ``value`` is one of its
    arguments or an item of one, which of them; otherwise ``op`` and ``argument``.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("weft."):
        name = _called(frame)
        if name is not None:
            op, argument = name, _argument(frame, value) or argument
        frame = frame.f_back
    what = "expected" if argument is None else f"{argument} expected to be"
    return f"{op}: {what} {expected}, got {type(value).__name__ if got is None else got}"


def _called(frame: FrameType) -> str | None:
    """The public name of the function that a frame runs; in-place forms share their code."""
    plain = {e.name: e.function for e in FUNCTIONS.values() if e.original is None}
    for name, function in [*plain.items(), *METHODS.items()]:
        if isinstance(function, FunctionType) and function.__code__ is frame.f_code:
            cells = [cell.cell_contents for cell in function.__closure__ or ()]
            if all(cell is frame.f_locals["into"] for cell in cells):
                return name
    return None


def _argument(frame: FrameType, value: object) -> str | None:
    """Which argument of a call a value is, or is an item of."""
    from inspect import getargvalues

    found = getargvalues(frame)
    for name in [*found.args, *filter(None, (found.varargs, found.keywords))]:
        given = found.locals[name]
        items = given if isinstance(given, (tuple, list)) else ()
        if given is value or any(item is value for item in items):
            return name
    return None
