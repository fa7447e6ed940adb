"""Finding the parameters, buffers and submodules of a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self, cast

from weft._core import Tensor
from weft.nn.parameter import Parameter

if TYPE_CHECKING:
    from weft.nn.module import Module


class Tree:
    """The walking half of :class:`weft.nn.Module`: everything is found by its type."""

    _buffer_names: dict[str, bool]

    def _members(self) -> Iterable[tuple[str, Any]]:
        """Named attributes in the order of their creation; containers add their elements."""
        return list(vars(self).items())

    def _own(self, kind: str) -> Iterator[tuple[str, Any]]:
        """This module's own "parameters", "buffers" or "modules", by name."""
        if kind == "buffers":
            present = ((name, vars(self).get(name)) for name in list(self._buffer_names))
            return (entry for entry in present if entry[1] is not None)
        wanted = Parameter if kind == "parameters" else Tree
        return ((name, value) for name, value in self._members() if isinstance(value, wanted))

    def _put(self, name: str, value: Any) -> None:
        """Replace what ``_own`` yields under ``name``; containers put elements in their place."""
        setattr(self, name, value)

    def _walk(
        self, kind: str, prefix: str, recurse: bool, unique: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        owners = self.named_modules(prefix=prefix, remove_duplicate=unique)
        for path, owner in owners if recurse else [(prefix, self)]:
            for name, value in owner._own(kind):
                if not unique or id(value) not in seen:
                    seen.add(id(value))
                    yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield ``(dotted name, parameter)``, each parameter once."""
        return self._walk("parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, each once, in the order of their creation."""
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield ``(dotted name, buffer)``, each buffer once."""
        return self._walk("buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield ``(name, submodule)`` of the direct submodules, each once."""
        seen: set[int] = set()
        for name, module in self._own("modules"):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the direct submodules."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield ``(dotted name, module)`` of this module and all below it, parents first."""
        memo = set() if memo is None else memo
        module = cast("Module", self)
        if module in memo:
            return
        if remove_duplicate:
            memo.add(module)
        yield prefix, module
        for name, module in self._own("modules"):
            path = f"{prefix}.{name}" if prefix else name
            yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path; the empty path is this module.

        Raises:
            AttributeError: there is none.
        """
        found = cast("Module", self)
        for name in target.split(".") if target else []:
            step = dict(found._own("modules")).get(name)
            if step is None:
                raise AttributeError(
                    f"get_submodule: {type(found).__name__} has no module {name!r}"
                )
            found = step
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path.

        Raises:
            AttributeError: there is none.
        """
        found: Parameter = self._get("parameters", target)
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path.

        Raises:
            AttributeError: there is none.
        """
        found: Tensor = self._get("buffers", target)
        return found

    def _get(self, kind: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        found = dict(self.get_submodule(path)._own(kind)).get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__}: no {kind[:-1]} {target!r}")
        return found

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call ``fn`` on every module, submodules first, and return this one."""
        for module in self.children():
            module.apply(fn)
        fn(cast("Module", self))
        return self
