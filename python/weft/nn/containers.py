"""Modules that hold modules (or parameters) in order or by name."""

from __future__ import annotations

import itertools
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from operator import index
from typing import Any, Self, overload

from weft._core import Tensor
from weft.nn.module import Module, _members
from weft.nn.parameter import Parameter


class _Listed(Module):
    """Elements in a tuple that is replaced on every change (so that a change shows by identity)."""

    _items: tuple[Any, ...]
    _labels: tuple[str, ...]  # names of the elements; empty: "0", "1", ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Start empty."""
        self = super().__new__(cls)
        vars(self).update(_items=(), _labels=())
        return self

    def _names(self) -> Iterable[str]:
        return self._labels or map(str, range(len(self._items)))

    def _members(self) -> Iterable[tuple[str, Any]]:
        return [*super()._members(), *zip(self._names(), self._items, strict=True)]

    def _put(self, name: str, value: Any) -> None:
        names = list(self._names())
        if name in names:
            self[names.index(name)] = value
        else:
            super()._put(name, value)

    def _checked(self, item: Any) -> Any:
        if not isinstance(item, Module):
            raise TypeError(f"{type(self).__name__}: needs modules, got {type(item).__name__}")
        return item

    def _at(self, position: Any) -> int:
        at, count = index(position), len(self._items)
        if not -count <= at < count:
            raise IndexError(f"{type(self).__name__}: index {at} is out of range for {count} items")
        return at % count

    def __len__(self) -> int:
        """How many elements there are."""
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the elements."""
        return iter(self._items)

    def _pick(self, position: Any) -> Any:
        if isinstance(position, slice):
            return type(self)._of(self._items[position])
        return self._items[self._at(position)]

    @classmethod
    def _of(cls, items: Iterable[Any]) -> Self:
        return cls(items)

    def __setitem__(self, position: int, item: Any) -> None:
        """Replace one element."""
        at, item = self._at(position), self._checked(item)
        self._items = (*self._items[:at], item, *self._items[at + 1 :])

    def __delitem__(self, position: int | slice) -> None:
        """Take out one element or a slice of them."""
        at = position if isinstance(position, slice) else self._at(position)
        items, labels = list(self._items), list(self._labels)
        del items[at]
        if labels:
            del labels[at]
        self._items, self._labels = tuple(items), tuple(labels)

    def append(self, item: Any) -> Self:
        """Add one element at the end."""
        self.insert(len(self._items), item)
        return self

    def extend(self, items: Iterable[Any]) -> Self:
        """Add elements at the end: all, or none if one does not fit."""
        self._splice(len(self._items), [self._checked(item) for item in items])
        return self

    def insert(self, position: int, item: Any) -> None:
        """Put one element before ``position``, as ``list.insert`` does."""
        self._splice(index(position), [self._checked(item)])

    def _splice(self, position: int, new: list[Any]) -> None:
        items, labels = list(self._items), list(self._labels)
        items[position:position] = new
        if labels:
            labels[position:position] = self._new_labels(len(new))
        self._items, self._labels = tuple(items), tuple(labels)

    def _new_labels(self, count: int) -> list[str]:
        """Numbers that follow the length and are not taken."""
        free = (str(number) for number in itertools.count(len(self._labels)))
        return list(itertools.islice((name for name in free if name not in self._labels), count))


class ModuleList(_Listed):
    """A list of modules whose parameters are found; it has no ``forward`` of its own.

    Example:
        >>> import weft.nn as nn
        >>> layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
        >>> len(layers), len(list(layers.parameters()))
        (3, 6)
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        """Hold ``modules`` in order."""
        super().__init__()
        self.extend(modules or ())

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> ModuleList: ...
    def __getitem__(self, position: int | slice) -> Any:
        """One module, or a new list of a slice."""
        return self._pick(position)


class Sequential(_Listed):
    """Modules applied one after the other: positional, or one dict of names to modules.

    Example:
        >>> import weft, weft.nn as nn
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> tuple(model(weft.ones(5, 4)).shape)
        (5, 2)
    """

    def __init__(self, *args: Any) -> None:
        """Hold the modules in order; a single mapping names them."""
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            self.extend(args[0].values())
            self._labels = tuple(args[0])
        else:
            self.extend(args)

    @classmethod
    def _of(cls, items: Iterable[Any]) -> Self:
        return cls(*items)

    def __getattr__(self, name: str) -> Any:
        """Find an element by its name; only asked when there is no attribute of that name."""
        labels = self._labels if "_labels" in _members(self) else ()
        if name in labels:
            return self._items[labels.index(name)]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Replace the element of that name, or set an attribute."""
        if name in _members(self).get("_labels", ()):
            self._put(name, value)
        else:
            super().__setattr__(name, value)

    def forward(self, input: Any) -> Any:
        """Pass ``input`` through all modules."""
        for module in self._items:
            input = module(input)
        return input

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> Sequential: ...
    def __getitem__(self, position: int | slice) -> Any:
        """One module, or a new sequence of a slice."""
        return self._pick(position)


class ParameterList(_Listed):
    """A list of parameters; plain tensors are wrapped.

    Example:
        >>> import weft, weft.nn as nn
        >>> scales = nn.ParameterList([weft.ones(2), weft.ones(3)])
        >>> [name for name, _ in scales.named_parameters()]
        ['0', '1']
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        """Hold ``values`` in order."""
        super().__init__()
        self.extend(values or ())

    def _checked(self, item: Any) -> Any:
        if isinstance(item, Parameter):
            return item
        if isinstance(item, Tensor):
            return Parameter(item)
        raise TypeError(f"ParameterList: needs tensors, got {type(item).__name__}")

    @overload
    def __getitem__(self, position: int) -> Any: ...
    @overload
    def __getitem__(self, position: slice) -> ParameterList: ...
    def __getitem__(self, position: int | slice) -> Any:
        """One parameter, or a new list of a slice."""
        return self._pick(position)

    def extra_repr(self) -> str:
        """Shapes of the elements."""
        return ", ".join(f"({i}): {list(p.shape)}" for i, p in enumerate(self._items))


class ModuleDict(Module):
    """Modules by name, in the order they were put in; it has no ``forward`` of its own.

    Example:
        >>> import weft.nn as nn
        >>> heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 3)})
        >>> [name for name, _ in heads.named_parameters()]
        ['a.weight', 'a.bias', 'b.weight', 'b.bias']
    """

    _items: dict[str, Module]

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        """Hold ``modules`` by name."""
        super().__init__()
        self._items = {}
        self.update(modules or {})

    def _members(self) -> Iterable[tuple[str, Any]]:
        return [*super()._members(), *self._items.items()]

    def _put(self, name: str, value: Any) -> None:
        if name in self._items:
            self[name] = value
        else:
            super()._put(name, value)

    def __getitem__(self, key: str) -> Module:
        """The module called ``key``."""
        return self._items[key]

    def __setitem__(self, key: str, module: Module) -> None:
        """Put ``module`` under ``key``."""
        self.update({key: module})

    def __delitem__(self, key: str) -> None:
        """Take out the module called ``key``."""
        rest = dict(self._items)
        del rest[key]
        self._items = rest

    def __len__(self) -> int:
        """How many modules there are."""
        return len(self._items)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._items)

    def __contains__(self, key: str) -> bool:
        """Whether there is a module of that name."""
        return key in self._items

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._items.keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._items.values()

    def items(self) -> ItemsView[str, Module]:
        """Names and modules."""
        return self._items.items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Put in all of ``modules``, a mapping or pairs: all, or none if one does not fit.

        Raises:
            TypeError: a value is not a module, or a name not a string.
            KeyError: a name is empty or has a dot.
        """
        new = dict(modules.items() if isinstance(modules, ModuleDict) else modules)
        for name, module in new.items():
            if not isinstance(module, Module):
                raise TypeError(f"ModuleDict: needs modules, '{name}' is a {type(module).__name__}")
            if not isinstance(name, str):
                raise TypeError(f"ModuleDict: names expected to be strings, got {name!r}")
            if not name or "." in name:
                raise KeyError(
                    f"ModuleDict: a name must be non-empty and have no dot, got {name!r}"
                )
        self._items = {**self._items, **new}

    def pop(self, key: str) -> Module:
        """Take out the module called ``key`` and return it."""
        module = self._items[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take out all modules."""
        self._items = {}
