"""The base class of optimisers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar
from weakref import WeakSet

import weft
from weft import _core
from weft._core import Tensor
from weft.nn._tracked import Tracked
from weft.optim._group import ParamGroup
from weft.optim._lane import Lane
from weft.optim._params import check_names, named, ordered
from weft.optim._state import load_state, save_state

_live: WeakSet[Optimizer] = WeakSet()
_NONE = type(None)


def sync_all() -> None:
    """Bring the native hyperparameters of every living optimiser up to date.

    ``weft.compile`` calls it before it records, since a recording must not contain such writes.

    Example:
        >>> import weft
        >>> weft.optim.sync_all()
    """
    for optimizer in list(_live):
        optimizer.sync()


class Optimizer(Tracked):
    """Parameters in groups, their state, and a step that updates them in place.

    Every group is updated by one fused native call. State tensors are made when a group is added,
    so that a compiled step finds them in place. A subclass names the native call (``_native``),
    the state tensors it can use (``_slots``), those a group does use (:meth:`_active`) and the
    numbers it reads (:meth:`_hyper`).

    Args:
        params: tensors, ``(name, tensor)`` pairs, or dicts with ``"params"`` and hyperparameters
            of their own.
        defaults: hyperparameters of the groups that do not give them.

    Raises:
        TypeError: ``params`` is a single tensor or holds something else than tensors.
        ValueError: it is empty, holds a tensor twice, or one that is no floating leaf.
    """

    _native: ClassVar[Callable[..., Any]]
    _slots: ClassVar[tuple[str, ...]] = ()
    _saves_step: ClassVar[bool] = True
    param_groups: list[ParamGroup]
    state: dict[Tensor, dict[str, Any]]
    _lanes: tuple[Lane, ...]
    _params: tuple[Tensor, ...]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        """Sort ``params`` into groups."""
        self.defaults = defaults
        self.param_groups, self.state = [], {}
        self._lanes, self._params = (), ()
        for group in self._groups_of(params):
            self.add_param_group(group)
        _live.add(self)

    def _groups_of(self, params: Any) -> list[dict[str, Any]]:
        if isinstance(params, Tensor):
            raise TypeError(f"{type(self).__name__}: params must be an iterable, got one tensor")
        listed = ordered(type(self).__name__, params)
        if not listed:
            raise ValueError(f"{type(self).__name__}: got an empty parameter list")
        if isinstance(listed[0], dict):
            return listed
        return [{"params": listed}]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with their own hyperparameters; others come from the defaults.

        Raises:
            TypeError: not a dict, or something in ``"params"`` is no tensor.
            ValueError: a tensor occurs twice or is no floating leaf, or a value is out of range.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"add_param_group: needs a dict, got {type(param_group).__name__}")
        name = type(self).__name__
        params, names = named(name, param_group["params"])
        self._check_params(params)
        group = ParamGroup({**self.defaults, **param_group, **names, "params": params})
        check_names(name, group, self.param_groups)
        self._check(group)
        hyper = weft.tensor(list(map(float, self._hyper(group))), dtype=weft.float64)
        try:
            for param in params:
                self.state[param] = {"step": weft.zeros((), dtype=weft.float32)}
            lane = self._lane(group, hyper)
        except BaseException:
            for param in params:
                self.state.pop(param, None)
            raise
        self.param_groups.append(group)
        self._lanes = (*self._lanes, lane)
        self._params = (*self._params, *params)
        _core.bump_epoch()

    def _lane(self, group: ParamGroup, hyper: Tensor) -> Lane:
        """Make the state tensors that ``group`` lacks, and the lists for its native call."""
        active = self._active(group)
        for param in group["params"]:
            state = self.state[param]
            for slot in active:
                if slot not in state:
                    state[slot] = weft.zeros(param.shape, dtype=param.dtype)
                    self._slot_added(state)
        return Lane(group, self.state, self._slots, active, hyper)

    def _slot_added(self, state: dict[str, Any]) -> None:
        """Adapt a parameter's state to a tensor that came later than the first step."""

    def _slots_left(self, state: dict[str, Any]) -> None:
        """Adapt a parameter's state before the state tensors in use change."""

    def _check_params(self, params: list[Any]) -> None:
        name, seen = type(self).__name__, {id(param) for param in self._params}
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"{name}: can only optimise tensors, got {type(param).__name__}")
            if not param.is_leaf:
                raise ValueError(f"{name}: can only optimise leaf tensors, got the result of an op")
            if param.dtype not in (weft.float32, weft.float64):
                raise ValueError(f"{name}: can only optimise floating tensors, got {param.dtype}")
            if _core.overlaps_itself(param):
                raise ValueError(
                    f"{name}: several elements of a parameter share memory, expected one place for "
                    "each. Use .clone()"
                )
            if id(param) in seen:
                raise ValueError(f"{name}: a parameter appears twice, expected each once")
            seen.add(id(param))

    def _check(self, group: ParamGroup) -> None:
        """Raise ValueError for hyperparameters out of range."""

    def _active(self, group: ParamGroup) -> tuple[str, ...]:
        """The slots that ``group`` uses."""
        return self._slots

    def _hyper(self, group: ParamGroup) -> tuple[Any, ...]:
        """The numbers (or tensors of one) that the native call reads, in its order."""
        raise NotImplementedError(f"{type(self).__name__} does not say which numbers it needs")

    def sync(self) -> None:
        """Write changed hyperparameters to where the native update reads them."""
        for lane in self._lanes:
            if lane.group.dirty:
                self._check(lane.group)
                numbers = self._hyper(lane.group)
                if self._active(lane.group) != lane.active or not lane.follows(numbers):
                    lane = self._relay(lane)
                lane.write(numbers)

    def _relay(self, old: Lane) -> Lane:
        """Replace a lane whose hyperparameters now need other state tensors."""
        for param in old.params:
            self._slots_left(self.state[param])
        new = self._lane(old.group, old.hyper)
        new.values = old.values
        self._lanes = tuple(new if lane is old else lane for lane in self._lanes)
        return new

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; return what ``closure`` (if any) returns."""
        loss = None
        if closure is not None:
            loss = closure()
        if _core.is_recording():
            _core.on_refresh(self.sync)
        else:
            self.sync()
        enabled = _core.set_grad_enabled(False)
        try:
            for lane in self._lanes:
                if lane.live is not None:
                    lane.refresh()
                grads = [param.grad for param in lane.params]
                if _NONE in map(type, grads):
                    lane.update_some(self._native, grads)
                else:
                    self._native(lane.params, grads, *lane.tail)
        finally:
            _core.set_grad_enabled(enabled)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or fill them with zeros."""
        if set_to_none:
            for param in self._params:
                param.grad = None
            return
        for param in self._params:
            if param.grad is not None:
                param.grad.zero_()

    def state_dict(self) -> dict[str, Any]:
        """Groups and state in torch's layout; parameters are numbered in order."""
        return save_state(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over hyperparameters and state, copying into the present tensors.

        Raises:
            ValueError: groups, sizes or shapes do not fit. Nothing is changed then.
        """
        load_state(self, state_dict)

    def __repr__(self) -> str:
        """The groups' hyperparameters."""
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])
