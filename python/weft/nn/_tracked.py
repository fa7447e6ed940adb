"""Objects whose attributes a compiled function may depend on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Callback = Callable[[Any, str, Any], None]


class Tracked:
    """Base class of modules and optimisers: its attribute reads can be watched.

    A compiled function is valid only for the attribute values that its recording read
    (``self.training``, ``self.p``, which submodule sits under a name). While a recording runs,
    reads of instance attributes are reported to a callback; at all other times this class
    defines no ``__getattribute__`` and a read costs what it costs on any Python object.

    Example:
        >>> from weft.nn._tracked import Tracked
        >>> class Box(Tracked):
        ...     def __init__(self): self.size = 3
        >>> box, seen = Box(), []
        >>> Tracked._watch(lambda owner, name, value: seen.append((name, value)))
        >>> box.size
        3
        >>> Tracked._unwatch()
        >>> box.size, seen
        (3, [('size', 3)])
    """

    _reader: Callback | None = None

    @staticmethod
    def _watch(callback: Callback) -> None:
        """Report reads of instance attributes as ``callback(owner, name, value)``.

        Reported is what came from the instance's ``__dict__``; class attributes, methods and
        names that start with two underscores are not.
        """
        plain = object.__getattribute__
        absent = object()

        def read(self: Tracked, name: str) -> Any:
            value = plain(self, name)
            if not name.startswith("__") and plain(self, "__dict__").get(name, absent) is value:
                callback(self, name, value)
            return value

        Tracked._reader = staticmethod(callback)
        Tracked.__getattribute__ = read  # type: ignore[method-assign,assignment]

    @staticmethod
    def _unwatch() -> None:
        """Stop reporting. Harmless when nothing is watched."""
        Tracked._reader = None
        if "__getattribute__" in Tracked.__dict__:
            del Tracked.__getattribute__

    def _note_all(self) -> None:
        """Report every instance attribute, for code that walks ``vars(self)`` instead."""
        report = Tracked._reader
        if report is not None:
            for name, value in list(vars(self).items()):
                report(self, name, value)
