"""The tensor that a module owns and an optimiser changes."""

from __future__ import annotations

from typing import Any

from weft._core import Tensor


class Parameter(Tensor):
    """A leaf tensor that :class:`weft.nn.Module` finds when it is assigned as an attribute.

    Args:
        data: a tensor; the parameter shares its storage and has no graph behind it.
        requires_grad: whether ``backward`` fills ``.grad`` (floating dtypes only).

    Example:
        >>> import weft
        >>> p = weft.nn.Parameter(weft.zeros(2, 3))
        >>> p.requires_grad, tuple(p.shape)
        (True, (2, 3))
    """

    def __new__(cls, data: Tensor, requires_grad: bool = True) -> Parameter:
        """Alias ``data`` as a leaf of this class."""
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter: needs a tensor, got {type(data).__name__}")
        made: Parameter = Tensor.__new__(cls, data, requires_grad)
        return made

    def __repr__(self) -> str:
        """Torch's form: a heading, then the values."""
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """Copy the values into storage of their own; one copy for one original."""
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        copied: Parameter = memo[id(self)]
        return copied
