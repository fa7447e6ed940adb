"""Saving, loading and converting the tensors of a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

import weft
from weft._check import flag
from weft._core import Tensor, overlaps_itself
from weft.nn.parameter import Parameter

if TYPE_CHECKING:
    from weft.nn.module import Module

M = TypeVar("M", bound="Module")


class IncompatibleKeys(NamedTuple):
    """The names in which a module and a state differ."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def collect(module: Module, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
    """Parameters, then persistent buffers, then the same of each submodule."""
    found: dict[str, Tensor] = {}
    for kind in ("parameters", "buffers"):
        for name, tensor in module._own(kind):
            if module._buffer_names.get(name, True):
                found[prefix + name] = tensor if keep_vars else tensor.detach()
    for name, child in module._own("modules"):
        found.update(collect(child, f"{prefix}{name}.", keep_vars))
    return found


def load(module: Module, state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Check all of ``state`` against ``module``, then copy it in."""
    if not isinstance(state, Mapping):
        raise TypeError(f"load_state_dict: needs a mapping, got {type(state).__name__}")
    flag("load_state_dict", "strict", strict)
    own = collect(module, keep_vars=True)
    keys = IncompatibleKeys(
        [name for name in own if name not in state], [name for name in state if name not in own]
    )
    values = {name: _as_tensor(name, state[name]) for name in own if name in state}
    complaints = _complaints(own, values, keys, strict)
    if complaints:
        raise RuntimeError(
            f"load_state_dict: the state does not fit {type(module).__name__}, nothing was "
            "changed.\n  " + "\n  ".join(complaints)
        )
    with weft.no_grad():
        for name, value in values.items():
            own[name].copy_(value)
    return keys


def _as_tensor(name: str, value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, (np.ndarray, np.generic)):
        return weft.tensor(np.asarray(value))
    raise TypeError(
        f"load_state_dict: '{name}' needs a tensor or an array, got {type(value).__name__}"
    )


def _complaints(
    own: dict[str, Tensor], values: dict[str, Tensor], keys: IncompatibleKeys, strict: bool
) -> list[str]:
    found = []
    if strict and keys.missing_keys:
        found.append("missing keys: " + ", ".join(keys.missing_keys))
    if strict and keys.unexpected_keys:
        found.append("unexpected keys: " + ", ".join(keys.unexpected_keys))
    for name, value in values.items():
        expected, got = list(own[name].shape), list(value.shape)
        if expected != got:
            found.append(f"{name}: shapes differ, expected {expected}, got {got}")
        elif overlaps_itself(own[name]):
            found.append(f"{name}: its elements share memory and cannot be written one by one")
    return found


def convert(module: M, args: tuple[Any, ...], dtype: Any, device: Any) -> M:
    """Carry out ``Module.to``: sort the arguments into a dtype and a device."""
    for arg in args:
        if isinstance(arg, Tensor):
            dtype = arg.dtype
        elif isinstance(arg, str) or hasattr(arg, "type"):
            device = arg
        else:
            dtype = arg
    if device is not None and not str(getattr(device, "type", device)).startswith("cpu"):
        raise RuntimeError(f"to: weft computes on the CPU, expected device 'cpu', got '{device}'")
    if dtype is None:
        return module
    if not dtype.is_floating_point:
        raise TypeError(f"to: needs a floating dtype, got {dtype}")
    return _replace(module, dtype)


def convert_to(module: M, name: str) -> M:
    """Convert to the dtype called ``name``."""
    return _replace(module, getattr(weft, name))


def _replace(module: M, dtype: Any) -> M:
    """Put converted tensors in the places of the old; shared tensors stay shared."""
    done: dict[int, Tensor] = {}
    for owner in module.modules():
        for kind in ("parameters", "buffers"):
            for name, old in list(owner._own(kind)):
                if old.dtype != dtype and old.dtype.is_floating_point:
                    if id(old) not in done:
                        done[id(old)] = _converted(old, dtype)
                    owner._put(name, done[id(old)])
    return module


def _converted(old: Tensor, dtype: Any) -> Tensor:
    new = old.detach().to(dtype)
    if isinstance(old, Parameter):
        new = Parameter(new, old.requires_grad)
    grad = old.grad
    if grad is not None:
        new.grad = grad.detach().to(dtype)
    return new
