"""Parameter groups: dictionaries that know when they were changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft import _core


def _noticed(name: str) -> Callable[..., Any]:
    plain = getattr(dict, name)

    def changed(self: ParamGroup, *args: Any, **kwargs: Any) -> Any:
        if _core.is_recording():
            raise RuntimeError(
                "ParamGroup: cannot be changed inside a compiled function, expected a change "
                "between its calls. Call scheduler.step() (or set lr) after the compiled function."
            )
        self.dirty = True
        _core.bump_epoch()
        return plain(self, *args, **kwargs)

    changed.__name__, changed.__doc__ = name, f"``dict.{name}``, noticed by the optimiser."
    return changed


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

    __slots__ = ("dirty",)
    dirty: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make it from what ``dict`` takes."""
        super().__init__(*args, **kwargs)
        self.dirty = True

    __setitem__ = _noticed("__setitem__")
    __delitem__ = _noticed("__delitem__")
    __ior__ = _noticed("__ior__")
    update = _noticed("update")
    setdefault = _noticed("setdefault")
    pop = _noticed("pop")
    popitem = _noticed("popitem")
    clear = _noticed("clear")
