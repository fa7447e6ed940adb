"""Parameter groups: dictionaries whose reads and changes are seen while a function is recorded."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from weft import _core, _watch
from weft._watch import MISSING

_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep


def _noticed(name: str) -> Callable[..., Any]:
    plain = getattr(dict, name)

    def changed(self: ParamGroup, *args: Any, **kwargs: Any) -> Any:
        if _core.is_recording():
            raise RuntimeError(
                "ParamGroup: cannot be changed inside a compiled function, expected a change "
                "between its calls. Call scheduler.step() (or set lr) after the compiled function."
            )
        return plain(self, *args, **kwargs)

    changed.__name__, changed.__doc__ = name, f"``dict.{name}``, outside of recordings."
    return changed


def _read(name: str) -> Callable[..., Any]:
    plain = getattr(dict, name)

    def read(self: ParamGroup, *args: Any) -> Any:
        if _core.is_recording() and not sys._getframe(1).f_code.co_filename.startswith(_OWN):
            self._note(args[0] if args else None)
        return plain(self, *args)

    read.__name__, read.__doc__ = name, f"``dict.{name}``, seen by recordings."
    return read


class ParamGroup(dict[str, Any]):
    """Parameters and the hyperparameters they share; ``group["lr"] = 0.1`` acts from the next step.

    A change is also seen by compiled functions that hold the optimiser's step.

    Raises:
        RuntimeError: it is changed while a compiled function is being recorded.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(2, requires_grad=True)], lr=0.1)
        >>> opt.param_groups[0]["lr"] = 0.01
        >>> opt.param_groups[0]["lr"]
        0.01
    """

    __slots__ = ()
    __weft_watched__ = True

    def _note(self, key: str | None) -> None:
        """A function that is being recorded reads one entry, or all."""
        watch = _watch.current()
        if watch is None:
            return
        for name in [key] if key is not None else list(dict.keys(self)):
            value = dict.get(self, name, MISSING)
            watch.place("item", self, name, value, f"ParamGroup[{name!r}]")
            watch.admit(value, f"ParamGroup[{name!r}]")

    __getitem__ = _read("__getitem__")
    __contains__ = _read("__contains__")
    __iter__ = _read("__iter__")
    get = _read("get")
    keys = _read("keys")
    values = _read("values")
    items = _read("items")
    copy = _read("copy")
    __setitem__ = _noticed("__setitem__")
    __delitem__ = _noticed("__delitem__")
    __ior__ = _noticed("__ior__")
    update = _noticed("update")
    setdefault = _noticed("setdefault")
    pop = _noticed("pop")
    popitem = _noticed("popitem")
    clear = _noticed("clear")
