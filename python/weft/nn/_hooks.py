"""Functions that run before and after a module's ``forward``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from weft.nn.module import Module

PreHook = Callable[["Module", tuple[Any, ...]], Any]
Hook = Callable[["Module", tuple[Any, ...], Any], Any]


class Hooks(NamedTuple):
    """The hooks of one module; replaced as a whole, so that a change is seen by identity."""

    before: tuple[tuple[RemovableHandle, PreHook], ...] = ()
    after: tuple[tuple[RemovableHandle, Hook], ...] = ()

    def without(self, handle: RemovableHandle) -> Hooks | None:
        """The hooks less those of ``handle``; None when nothing is left."""
        before = tuple(entry for entry in self.before if entry[0] is not handle)
        after = tuple(entry for entry in self.after if entry[0] is not handle)
        return Hooks(before, after) if before or after else None


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook off again."""

    def __init__(self, module: Module) -> None:
        """Belong to ``module``."""
        self._module = module

    def remove(self) -> None:
        """Take the hook off. A second call does nothing."""
        hooks = self._module._hooks
        if hooks is not None:
            self._module._hooks = hooks.without(self)

    def __enter__(self) -> RemovableHandle:
        """Use as a context: the hook is removed at its end."""
        return self

    def __exit__(self, *error: object) -> None:
        """Remove the hook."""
        self.remove()


def call_with_hooks(
    module: Module, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run ``forward`` between its hooks; a hook that returns something replaces what it saw."""
    for _, before in hooks.before:
        changed = before(module, args)
        if changed is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    result = module.forward(*args, **kwargs)
    for _, after in hooks.after:
        changed = after(module, args, result)
        if changed is not None:
            result = changed
    return result
