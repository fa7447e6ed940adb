"""What one native update call needs, kept ready between steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import weft
from weft._core import Tensor
from weft.optim._group import ParamGroup

States = Mapping[Tensor, dict[str, Any]]


def _tensors(numbers: tuple[Any, ...]) -> tuple[Tensor | None, ...]:
    return tuple(n if isinstance(n, Tensor) else None for n in numbers)


class Lane:
    """One group's parameters and state tensors as lists, and its hyperparameters as a tensor.

    ``tail`` is all that follows parameters and gradients in the native call: one list of state
    tensors for each slot (empty if the slot is not in use), the step counters, the numbers.
    """

    __slots__ = (
        "_some", "active", "group", "hyper", "live", "params", "slots", "state", "tail", "values",
    )  # fmt: skip

    def __init__(
        self,
        group: ParamGroup,
        state: States,
        slots: tuple[str, ...],
        active: tuple[str, ...],
        hyper: Tensor,
    ) -> None:
        """Collect what belongs to ``group``; ``active`` are the slots in use."""
        self.group, self.state, self.slots, self.active = group, state, slots, active
        self.params: list[Tensor] = group["params"]
        self.hyper = hyper
        self.values: tuple[float, ...] = ()
        self.live: tuple[Tensor | None, ...] | None = None
        self.tail = self._tail(self.params)
        self._some: tuple[list[int], list[Tensor], tuple[Any, ...]] = ([], [], ())

    def _tail(self, params: list[Tensor]) -> tuple[Any, ...]:
        states = [self.state[param] for param in params]
        lists = [[s[slot] for s in states] if slot in self.active else [] for slot in self.slots]
        return (*lists, [s["step"] for s in states], self.hyper)

    def follows(self, numbers: tuple[Any, ...]) -> bool:
        """Whether the tensors among ``numbers`` are those that :meth:`refresh` copies."""
        live = self.live or (None,) * len(numbers)
        return all(old is new for old, new in zip(live, _tensors(numbers), strict=True))

    def write(self, numbers: tuple[Any, ...]) -> None:
        """Put the hyperparameters where the native call reads them, if they changed.

        Those that are tensors are copied at every step, by :meth:`refresh`.
        """
        live = _tensors(numbers)
        self.live = live if any(tensor is not None for tensor in live) else None
        values = tuple(map(float, numbers))
        if values != self.values:
            self.hyper.copy_(weft.tensor(values, dtype=weft.float64))
            self.values = values
        self.group.dirty = False

    def refresh(self) -> None:
        """Copy the hyperparameters that are tensors, without reading them: a graph can hold it."""
        for place, number in enumerate(self.live or ()):
            if number is not None:
                self.hyper[place].copy_(number.detach().to(weft.float64).reshape(()))

    def update_some(self, native: Callable[..., Any], grads: list[Tensor | None]) -> None:
        """Update the parameters that have a gradient; which ones is remembered."""
        present = [i for i, grad in enumerate(grads) if grad is not None]
        if not present:
            return
        if present != self._some[0]:
            params = [self.params[i] for i in present]
            self._some = (present, params, self._tail(params))
        native(self._some[1], [grads[i] for i in present], *self._some[2])
