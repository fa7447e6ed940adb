"""Reading what users give as parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from weft._check import real
from weft._core import Tensor


def ordered(name: str, params: Iterable[Any]) -> list[Any]:
    """``params`` as a list.

    Raises:
        TypeError: it is a set, whose order differs from run to run.
    """
    if isinstance(params, (set, frozenset)):
        raise TypeError(f"{name}: params need an order, expected a list, got a set")
    return list(params)


def named(name: str, params: Any) -> tuple[list[Any], dict[str, Any]]:
    """The tensors, and ``{"param_names": [...]}`` if they come as ``(name, tensor)`` pairs.

    Raises:
        ValueError: only some have a name.
    """
    listed = [params] if isinstance(params, Tensor) else ordered(name, params)
    pairs = [entry for entry in listed if isinstance(entry, tuple) and len(entry) == 2]
    if not pairs:
        return listed, {}
    if len(pairs) < len(listed):
        raise ValueError(f"{name}: all parameters need a name or none, some names are missing")
    return [param for _, param in pairs], {"param_names": [label for label, _ in pairs]}


def check_names(name: str, group: Mapping[str, Any], others: Iterable[Mapping[str, Any]]) -> None:
    """All groups have names, one for each parameter, or none has.

    Raises:
        ValueError: they do not.
    """
    names = group.get("param_names")
    if names is not None and len(names) != len(group["params"]):
        raise ValueError(f"{name}: expected {len(group['params'])} param_names, got {len(names)}")
    if any(("param_names" in other) != ("param_names" in group) for other in others):
        raise ValueError(f"{name}: all parameter groups need names or none, got some without")


def check_numbers(name: str, group: Mapping[str, Any], keys: Iterable[str]) -> None:
    """The hyperparameters ``keys`` are 0 or more.

    Raises:
        TypeError: one is no number.
        ValueError: one is negative or NaN.
    """
    for key in keys:
        if not real(name, key, group[key]) >= 0:
            raise ValueError(f"{name}: {key} is out of range, expected 0 or more, got {group[key]}")
