"""Saving and loading optimisers in torch's layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

import weft
from weft._core import Tensor
from weft.optim._group import ParamGroup

if TYPE_CHECKING:
    from weft.optim.optimizer import Optimizer


def save_state(optimizer: Optimizer) -> dict[str, Any]:
    """``{"state": {number: tensors by name}, "param_groups": [...]}``, sharing the tensors."""
    state: dict[int, dict[str, Any]] = {}
    groups: list[dict[str, Any]] = []
    for lane in optimizer._made.lanes:
        numbers = range(len(state), len(state) + len(lane.params))
        for number, param in zip(numbers, lane.params, strict=True):
            state[number] = _saved(optimizer, optimizer.state[param])
        groups.append({**lane.group, "params": list(numbers)})
    return {"state": state, "param_groups": groups}


def _saved(optimizer: Optimizer, own: dict[str, Any]) -> dict[str, Any]:
    if optimizer._saves_step:
        return dict(own)
    begun = own["step"].item() > 0
    return {slot: own.get(slot) if begun else None for slot in optimizer._slots}


def load_state(optimizer: Optimizer, saved: Mapping[str, Any]) -> None:
    """Check ``saved`` against ``optimizer``, then copy it in."""
    name = type(optimizer).__name__
    if not isinstance(saved, Mapping) or not {"state", "param_groups"} <= set(saved):
        raise ValueError(f"{name}.load_state_dict: expected keys 'state' and 'param_groups'")
    groups = saved["param_groups"]
    expected = [len(lane.params) for lane in optimizer._made.lanes]
    got = [len(group["params"]) for group in groups]
    if expected != got:
        raise ValueError(
            f"{name}.load_state_dict: groups differ, expected {expected} parameters, got {got}"
        )
    merged = [
        ParamGroup({**lane.group, **group, "params": lane.params})
        for lane, group in zip(optimizer._made.lanes, groups, strict=True)
    ]
    numbers = [number for group in groups for number in group["params"]]
    plan = [
        (param, _checked(name, optimizer, param, number, saved["state"].get(number, {})))
        for param, number in zip(optimizer._made.params, numbers, strict=True)
    ]
    for group in merged:
        optimizer._check(group)
    for lane, group in zip(optimizer._made.lanes, merged, strict=True):
        lane.group.update(group)
    optimizer.sync()
    for param, values in plan:
        _restore(optimizer, param, values)


def _checked(
    name: str, optimizer: Optimizer, param: Tensor, number: int, values: Mapping[str, Any]
) -> dict[str, Tensor]:
    """The saved tensors of one parameter, each of the right shape."""
    found = {}
    for slot in ("step", *optimizer._slots):
        value = values.get(slot)
        if value is None:
            continue
        tensor = value if isinstance(value, Tensor) else weft.tensor(np.asarray(value))
        want = [] if slot == "step" else list(param.shape)
        if list(tensor.shape) != want:
            raise ValueError(
                f"{name}.load_state_dict: '{slot}' of parameter {number} has another shape, "
                f"expected {want}, got {list(tensor.shape)}"
            )
        found[slot] = tensor.detach()
    return found


def _restore(optimizer: Optimizer, param: Tensor, values: dict[str, Tensor]) -> None:
    """Copy into the present tensors; what was not saved starts afresh.

    Tensors that the hyperparameters do not use now are kept, for when they do again.
    """
    own = optimizer.state[param]
    for slot in optimizer._slots:
        if slot in values and slot not in own:
            own[slot] = weft.zeros(param.shape, dtype=param.dtype)
    begun = float(any(slot in values for slot in optimizer._slots))
    for slot, tensor in own.items():
        if slot in values:
            tensor.copy_(values[slot])
        else:
            tensor.fill_(begun if slot == "step" and not optimizer._saves_step else 0.0)
