"""The base class of optimisers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import weft
from weft import _core, _watch
from weft._core import Guards, Snapshot, Tensor
from weft.optim._group import ParamGroup
from weft.optim._lane import Lane, Made
from weft.optim._params import check_names, named, ordered
from weft.optim._state import load_state, save_state


class Optimizer:
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
    _made: Made

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        """Sort ``params`` into groups."""
        self.defaults = defaults
        self.param_groups, self.state = [], {}
        self._made = Made()
        for group in self._groups_of(params):
            self.add_param_group(group)

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
        self.param_groups.append(group)
        try:
            self._relay()
        except BaseException:
            self.param_groups.pop()
            for param in params:
                self.state.pop(param, None)
            raise

    def _lane(self, group: ParamGroup, active: tuple[str, ...], hyper: Tensor) -> Lane:
        """Make the state tensors that ``group`` lacks, and the lists for its native call."""
        for param in group["params"]:
            state = self.state.setdefault(param, {})
            if "step" not in state:
                state["step"] = weft.zeros((), dtype=weft.float32)
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
        name, seen = type(self).__name__, {id(param) for param in self._made.params}
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"{name}: can only optimise tensors, got {type(param).__name__}")
            if not param.is_leaf:
                raise ValueError(f"{name}: can only optimise leaf tensors, got the result of an op")
            if not param.dtype.is_floating_point:
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

    def sync(self) -> Guards:
        """Bring what the native update reads up to date with groups and state.

        Returns:
            what has to be as it is now for nothing to be left to do.
        """
        made = self._made
        is_known = made.groups is self.param_groups and made.state is self.state
        if not (is_known and made.guards.hold()):
            before = _core.set_paused(True)
            try:
                self._relay()
            finally:
                _core.set_paused(before)
        return made.guards

    def _follow(self) -> Made:
        """What is made of groups and state, up to date, also when a plan runs."""
        guards, made = self.sync(), self._made
        watch = _watch.current() if _core.is_recording() else None
        if watch is not None:
            if all(refresh != self.sync for _, refresh in watch.feeds):
                watch.feeds.append((guards, self.sync))
            text = f"state of {type(self).__name__}"
            watch.place("slot", made, "lanes", made.lanes, text, deep=False)
            for lane in made.lanes:
                _core.adopt(lane.hyper)
                for tensor in lane.made:
                    _core.adopt(tensor)
        return made

    def _relay(self) -> None:
        """Check all groups, then make the lanes that no longer fit them."""
        made, groups = self._made, self.param_groups
        for group in groups:
            self._check(group)
        old = {id(lane.group): lane for lane in made.lanes}
        lanes = tuple(self._refreshed(group, old.get(id(group))) for group in groups)
        if lanes != made.lanes:
            made.lanes = lanes
        made.groups, made.state = groups, self.state
        places: list[tuple[str, Any, Any, Snapshot]]
        places = [("content", held, None, Snapshot(held)) for held in (groups, self.state, *groups)]
        made.guards = Guards(places)

    def _refreshed(self, group: ParamGroup, lane: Lane | None) -> Lane:
        active, numbers = self._active(group), self._hyper(group)
        old = lane
        if lane is None or not (lane.fits(group, self.state, active) and lane.follows(numbers)):
            if old is not None and old.active != active:
                for param in filter(self.state.__contains__, old.params):
                    self._slots_left(self.state[param])
            hyper = weft.zeros(len(numbers), dtype=weft.float64) if old is None else old.hyper
            lane = self._lane(group, active, hyper)
        lane.write(numbers)
        return lane

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and pickled: all but what is made of groups and state."""
        return {name: value for name, value in vars(self).items() if name != "_made"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over a copy, and make anew what belongs to it."""
        vars(self).update(state, _made=Made())
        self._relay()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have a gradient; return what ``closure`` (if any) returns."""
        loss = None if closure is None else closure()
        for lane in self._follow().lanes:
            if lane.live is not None:
                lane.refresh()
            if not self._native(lane.params, None, *lane.tail):
                lane.update_some(self._native)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop all gradients, or fill them with zeros."""
        if _core.is_recording():
            self._follow()
        for group in self.param_groups:
            params = dict.__getitem__(group, "params")
            if set_to_none:
                _core.drop_grads(params)
                continue
            for param in params:
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
