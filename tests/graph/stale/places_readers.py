"""Places: ways to read the same container or object."""

import collections
import copy
import dataclasses
import functools
import itertools
import json
import operator
import pickle
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.graph.stale.places import place
from tests.graph.stale.scene import Scene
from tests.graph.stale.values import use


def second(values: Any) -> Any:
    """The second of some values."""
    return list(values)[1]


#: Each gives the second item of a list of two.
OF_A_LIST: dict[str, Callable[[list[Any]], Any]] = {
    "negative index": lambda v: v[-1],  # read
    "slice": lambda v: v[1:][0],  # read
    "unpacking": lambda v: (lambda a, b: b)(*v),  # read
    "assignment": lambda v: [b for a, b in [v]][0],  # noqa: RUF015  # read
    "star": lambda v: [*v][1],  # read
    "list()": lambda v: list(v)[1],  # read
    "tuple()": lambda v: tuple(v)[1],  # read
    "copy()": lambda v: v.copy()[1],  # read
    "copy.copy": lambda v: copy.copy(v)[1],  # read
    "copy.deepcopy": lambda v: copy.deepcopy(v)[1],  # read
    "sum": lambda v: sum(v),  # read
    "max by a key": lambda v: max(enumerate(v))[1],  # read
    "sorted by a key": lambda v: sorted(enumerate(v))[1][1],  # read
    "reversed": lambda v: next(reversed(v)),  # read
    "enumerate": lambda v: dict(enumerate(v))[1],  # read
    "zip": lambda v: second(zip(v, v, strict=True))[0],  # read
    "map": lambda v: second(map(lambda i: i, v)),  # read
    "filter": lambda v: second(filter(lambda i: True, v)),  # read
    "islice": lambda v: next(itertools.islice(v, 1, 2)),  # read
    "chain": lambda v: second(itertools.chain(v)),  # read
    "accumulate": lambda v: second(itertools.accumulate(v)),  # read
    "reduce": lambda v: functools.reduce(lambda a, b: b, v),  # read
    "iter and next": lambda v: (it := iter(v), next(it), next(it))[2],  # read
    "addition": lambda v: (v + [0.0])[1],  # noqa: RUF005  # read
    "multiplication": lambda v: (v * 2)[3],  # read
    "comprehension": lambda v: [i for i in v][1],  # read
    "generator": lambda v: second(i for i in v),  # read
    "dict of it": lambda v: {i: value for i, value in enumerate(v)}[1],  # read
    "operator.itemgetter": lambda v: operator.itemgetter(1)(v),  # read
    "operator.getitem": lambda v: operator.getitem(v, 1),  # read
    "__getitem__": lambda v: v.__getitem__(1),  # read
    "deque of it": lambda v: collections.deque(v)[1],  # read
    "text": lambda v: str(v),  # read
    "format": lambda v: f"{v}",  # read
    "json": lambda v: json.dumps([repr(i) for i in v]),  # read
    "pickle": lambda v: pickle.loads(pickle.dumps(v))[1],  # read
}


def _of_a_list(name: str, read: Callable[[list[Any]], Any]) -> None:
    numbers = name in ("sum", "accumulate")
    text = name in ("text", "format", "json")

    @place(f"list read by {name}", kinds="float" if numbers else "number")
    def _(s: Scene, v: Any) -> Any:
        box = [1.0, v]

        def work(x: Any) -> Any:
            found = read(box)
            return (x * len(found), found) if text else use(found, x)

        return work, lambda new: box.__setitem__(1, new)


for _name, _read in OF_A_LIST.items():
    _of_a_list(_name, _read)


#: Each gives the value under "scale".
OF_A_DICT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "values": lambda v: second(v.values()),  # read
    "items": lambda v: second(v.items())[1],  # read
    "keys": lambda v: v[second(v.keys())],  # read
    "iteration": lambda v: [v[k] for k in v][1],  # read
    "unpacking": lambda v: {**v}["scale"],  # read
    "call": lambda v: dict(**v)["scale"],  # read
    "dict()": lambda v: dict(v)["scale"],  # read
    "union": lambda v: (v | {})["scale"],  # read
    "copy": lambda v: v.copy()["scale"],  # read
    "setdefault": lambda v: v.copy().setdefault("scale", 0.0),  # read
    "pop of a copy": lambda v: v.copy().pop("scale"),  # read
    "get": lambda v: v.get("scale"),  # read
    "match": lambda v: _matched(v),  # read
    "sorted": lambda v: sorted(v.items())[1][1],  # read
    "itemgetter": lambda v: operator.itemgetter("scale")(v),  # read
    "ChainMap": lambda v: collections.ChainMap(v)["scale"],  # read
    "MappingProxyType": lambda v: types.MappingProxyType(v)["scale"],  # read
    "namespace of it": lambda v: types.SimpleNamespace(**v).scale,  # read
    "format_map": lambda v: float("{scale}".format_map(v)),  # read
    "percent": lambda v: float("%(scale)s" % v),  # noqa: UP031  # read
}


def _matched(v: dict[str, Any]) -> Any:
    match v:
        case {"scale": found}:  # read
            return found


def _of_a_dict(name: str, read: Callable[[dict[str, Any]], Any]) -> None:
    @place(f"dict read by {name}", kinds="float" if name in ("format_map", "percent") else "number")
    def _(s: Scene, v: Any) -> Any:
        box = {"a": 1.0, "scale": v}
        return (lambda x: use(read(box), x)), lambda new: box.__setitem__("scale", new)


for _name, _read in OF_A_DICT.items():
    _of_a_dict(_name, _read)


@dataclass
class Config:
    """What the readers below read."""

    scale: Any
    other: float = 1.0


#: Each gives the field "scale" of a data class.
OF_AN_OBJECT: dict[str, Callable[[Any], Any]] = {
    "getattr": lambda c: getattr(c, "sca" + "le"),  # read
    "vars": lambda c: vars(c)["scale"],  # read
    "__dict__": lambda c: c.__dict__["scale"],  # read
    "vars in a loop": lambda c: [v for k, v in vars(c).items() if k == "scale"][0],  # noqa: RUF015  # read
    "asdict": lambda c: dataclasses.asdict(c)["scale"],  # read
    "astuple": lambda c: dataclasses.astuple(c)[0],  # read
    "replace": lambda c: dataclasses.replace(c, other=2.0).scale,  # read
    "fields": lambda c: getattr(c, dataclasses.fields(c)[0].name),  # read
    "attrgetter": lambda c: operator.attrgetter("scale")(c),  # read
    "copy": lambda c: copy.copy(c).scale,  # read
    "deepcopy": lambda c: copy.deepcopy(c).scale,  # read
    "pickle": lambda c: pickle.loads(pickle.dumps(c)).scale,  # read
    "match": lambda c: _field(c),  # read
    "__getattribute__": lambda c: c.__getattribute__("scale"),  # read
    "object.__getattribute__": lambda c: object.__getattribute__(c, "scale"),  # read
    "repr": lambda c: float(repr(c).split("scale=")[1].split(",")[0]),  # read
    "equality": lambda c: 2.0 if c == Config(2.0) else 3.0,  # read
}


def _field(c: Any) -> Any:
    match c:
        case Config(scale=found):  # read
            return found


def _of_an_object(name: str, read: Callable[[Any], Any]) -> None:
    @place(f"object read by {name}", kinds="float" if name in ("repr", "equality") else "number")
    def _(s: Scene, v: Any) -> Any:
        config = Config(v)
        return (lambda x: use(read(config), x)), lambda new: setattr(config, "scale", new)


for _name, _read in OF_AN_OBJECT.items():
    _of_an_object(_name, _read)


class Special:
    """Its special methods read an attribute."""

    def __init__(self, scale: Any) -> None:
        self.scale = scale

    def __len__(self) -> int:
        return int(self.scale)  # read

    def __bool__(self) -> bool:
        return self.scale > 2  # read

    def __iter__(self) -> Any:
        return iter([self.scale])  # read

    def __contains__(self, value: Any) -> bool:
        return value == self.scale  # read

    def __getitem__(self, key: Any) -> Any:
        return self.scale  # read

    def __call__(self, x: Any) -> Any:
        return use(self.scale, x)  # read

    def __float__(self) -> float:
        return float(self.scale)  # read

    def __int__(self) -> int:
        return int(self.scale)  # read

    def __index__(self) -> int:
        return int(self.scale)  # read

    def __eq__(self, other: object) -> bool:
        return bool(self.scale == other)  # read

    def __hash__(self) -> int:
        return hash(self.scale)  # read

    def __lt__(self, other: Any) -> bool:
        return self.scale < other  # read

    def __str__(self) -> str:
        return str(self.scale)  # read

    def __format__(self, spec: str) -> str:
        return str(self.scale)  # read

    def __enter__(self) -> Any:
        return self.scale  # read

    def __exit__(self, *_: object) -> None:
        pass

    def __add__(self, other: Any) -> Any:
        return self.scale + other  # read

    def __mul__(self, other: Any) -> Any:
        return self.scale * other  # read


def _entered(o: Special) -> Any:
    with o as found:  # read
        return found


BY_SPECIAL_METHODS: dict[str, Callable[[Special], Any]] = {
    "len": lambda o: len(o),  # read
    "bool": lambda o: 1.0 if o else 2.0,  # read
    "not": lambda o: 1.0 if not o else 2.0,  # read
    "iteration": lambda o: [i for i in o][0],  # noqa: RUF015  # read
    "list": lambda o: list(o)[0],  # noqa: RUF015  # read
    "unpacking": lambda o: (lambda a: a)(*o),  # read
    "in": lambda o: 1.0 if 2.0 in o else 2.0,  # read
    "index": lambda o: o["a"],  # read
    "call": lambda o: o,
    "map": lambda o: list(map(o, [1.0]))[0][0],  # noqa: RUF015  # read
    "float": lambda o: float(o),  # read
    "int": lambda o: int(o),  # read
    "range": lambda o: len(range(o)),  # read
    "==": lambda o: 1.0 if o == 2.0 else 2.0,  # read
    "hash": lambda o: 1.0 if hash(o) == hash(2.0) else 2.0,  # read
    "<": lambda o: 1.0 if o < 3.0 else 2.0,  # read
    "sorted": lambda o: 1.0 if sorted([3.0, o])[0] == 3.0 else 2.0,  # read
    "min": lambda o: 1.0 if min(3.0, o) == 3.0 else 2.0,  # read
    "str": lambda o: float(str(o)),  # read
    "format": lambda o: float(f"{o}"),  # read
    "with": lambda o: _entered(o),  # read
    "+": lambda o: o + 1.0,  # read
    "sum": lambda o: sum([1.0], o),  # read
    "*": lambda o: o * 2.0,  # read
    "dict key": lambda o: {2.0: 1.0}.get(o, 3.0),  # read
    "any": lambda o: 1.0 if any([o]) else 2.0,  # read
    "isinstance": lambda o: 1.0 if isinstance(o, Special) else 2.0,
}


def _by_special(name: str, read: Callable[[Special], Any]) -> None:
    @place(f"special method by {name}", kinds="float")
    def _(s: Scene, v: Any) -> Any:
        o = Special(v)
        return (lambda x: use(read(o), x)), lambda new: setattr(o, "scale", new)


for _name, _read2 in BY_SPECIAL_METHODS.items():
    _by_special(_name, _read2)
