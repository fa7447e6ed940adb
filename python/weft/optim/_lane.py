"""What one native update call needs, kept ready between steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from weft import _core
from weft._core import Guards, Tensor

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
    __weft_watched__ = True

    def __init__(
        self,
        group: dict[str, Any],
        state: States,
        slots: tuple[str, ...],
        active: tuple[str, ...],
        hyper: Tensor,
    ) -> None:
        """Collect what belongs to ``group``; ``active`` are the slots in use."""
        self.group, self.state, self.slots, self.active = group, state, slots, active
        self.params: list[Tensor] = list(group["params"])
        self.hyper = hyper
        self.values: tuple[float, ...] = ()
        self.live: tuple[Tensor | None, ...] | None = None
        self.tail = self._tail(self.params)
        self._some: tuple[list[int], list[Tensor], tuple[Any, ...]] = ([], [], ())

    def _tail(self, params: list[Tensor]) -> tuple[Any, ...]:
        states = [self.state[param] for param in params]
        lists = [[s[slot] for s in states] if slot in self.active else [] for slot in self.slots]
        return (*lists, [s["step"] for s in states], self.hyper)

    @property
    def made(self) -> Iterator[Tensor]:
        """All state tensors."""
        for part in self.tail[:-1]:
            yield from part

    def fits(self, group: dict[str, Any], state: States, active: tuple[str, ...]) -> bool:
        """Whether it is made of this group's parameters and of the state tensors of today."""
        params = group["params"]
        if self.group is not group or self.active != active or len(params) != len(self.params):
            return False
        if self.state is not state or any(map(_is_not, params, self.params)):
            return False
        try:
            lists = zip(self.tail, self._tail(self.params), strict=True)
        except KeyError:
            return False
        return all(not any(map(_is_not, a, b)) for a, b in lists if a is not self.hyper)

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
            _core.store(self.hyper, values)
            self.values = values

    def refresh(self) -> None:
        """Copy the hyperparameters that are tensors, without reading them: a graph can hold it."""
        for place, number in enumerate(self.live or ()):
            if number is not None:
                self.hyper[place].copy_(number.detach().to(self.hyper.dtype).reshape(()))

    def update_some(self, native: Callable[..., bool]) -> None:
        """Update the parameters that have a gradient; which ones is remembered."""
        grads = [param.grad for param in self.params]
        present = [i for i, grad in enumerate(grads) if grad is not None]
        if not present:
            return
        if present != self._some[0]:
            params = [self.params[i] for i in present]
            self._some = (present, params, self._tail(params))
        native(self._some[1], [grads[i] for i in present], *self._some[2])


class Made:
    """What an optimiser makes of its groups and its state, and what that was made of."""

    __slots__ = ("groups", "guards", "lanes", "state")
    __weft_watched__ = True

    def __init__(self) -> None:
        """Nothing yet."""
        self.lanes: tuple[Lane, ...] = ()
        self.groups: Any = None
        self.state: Any = None
        self.guards = Guards([])

    @property
    def params(self) -> list[Tensor]:
        """The parameters of all groups."""
        return [param for lane in self.lanes for param in lane.params]


def _is_not(a: object, b: object) -> bool:
    return a is not b
