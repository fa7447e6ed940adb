"""Places: items of containers."""

import array
import collections
import types
from typing import Any

import numpy as np
from tests.graph.stale.places import place
from tests.graph.stale.scene import Scene
from tests.graph.stale.values import use

import weft


def item(box: Any, key: Any = "scale") -> Any:
    return lambda new: box.__setitem__(key, new)


@place("item of a list")
def _(s: Scene, v: Any) -> Any:
    box = [1.0, v]
    return (lambda x: use(box[1], x)), item(box, 1)  # read


@place("items of a list in a loop")
def _(s: Scene, v: Any) -> Any:
    box = [1.0, v]

    def work(x):
        return [use(found, x) for found in box]  # read

    return work, item(box, 1)


@place("list that grows")
def _(s: Scene, v: Any) -> Any:
    box = [v]
    return (lambda x: use(box[-1], x)), box.append  # read


@place("value of a dict")
def _(s: Scene, v: Any) -> Any:
    box = {"scale": v}
    return (lambda x: use(box["scale"], x)), item(box)  # read


@place("dict.get")
def _(s: Scene, v: Any) -> Any:
    box: dict[str, Any] = {}
    return (lambda x: use(box.get("scale", v), x)), item(box)  # read


@place("key in a dict")
def _(s: Scene, v: Any) -> Any:
    box: dict[str, Any] = {}
    return (lambda x: use(box["scale"] if "scale" in box else v, x)), item(box)  # read # noqa: SIM401


@place("dict far down")
def _(s: Scene, v: Any) -> Any:
    box = {"model": {"head": [{"scale": v}]}}
    return (lambda x: use(box["model"]["head"][0]["scale"], x)), item(
        box["model"]["head"][0]
    )  # read


@place("dict in a loop")
def _(s: Scene, v: Any) -> Any:
    box = {"a": 1.0, "scale": v}
    return (lambda x: {k: use(found, x) for k, found in box.items()}), item(box)  # read


@place("dict unpacked")
def _(s: Scene, v: Any) -> Any:
    def work(x, scale):
        return use(scale, x)

    box = {"scale": v}
    return (lambda x: work(x, **box)), item(box)  # read


@place("list unpacked")
def _(s: Scene, v: Any) -> Any:
    def work(x, a, scale):
        return use(scale, x)

    box = [1.0, v]
    return (lambda x: work(x, *box)), item(box, 1)  # read


@place("length of a list")
def _(s: Scene, v: Any) -> Any:
    box: list[Any] = []
    return (lambda x: (x * len(box), use(v if not box else box[0], x))), box.append  # read


@place("set", kinds="number")
def _(s: Scene, v: Any) -> Any:
    box = {v}

    def put(new):
        box.clear()
        box.add(new)

    return (lambda x: [use(found, x) for found in box]), put  # read


@place("frozenset in a list", kinds="number")
def _(s: Scene, v: Any) -> Any:
    box = [frozenset([v])]
    return (
        (lambda x: [use(found, x) for found in box[0]]),  # read
        lambda new: item(box, 0)(frozenset([new])),
    )


@place("deque")
def _(s: Scene, v: Any) -> Any:
    box = collections.deque([1.0, v], maxlen=5)
    return (lambda x: use(box[1], x)), item(box, 1)  # read


@place("OrderedDict")
def _(s: Scene, v: Any) -> Any:
    box = collections.OrderedDict(scale=v)
    return (lambda x: use(box["scale"], x)), item(box)  # read


@place("defaultdict")
def _(s: Scene, v: Any) -> Any:
    box = collections.defaultdict(lambda: 1.0, scale=v)
    return (lambda x: use(box["scale"], x)), item(box)  # read


@place("Counter", kinds="number")
def _(s: Scene, v: Any) -> Any:
    box = collections.Counter(scale=v)
    return (lambda x: use(box["scale"], x)), item(box)  # read


@place("UserDict")
def _(s: Scene, v: Any) -> Any:
    box = collections.UserDict(scale=v)
    return (lambda x: use(box["scale"], x)), item(box)  # read


@place("UserList")
def _(s: Scene, v: Any) -> Any:
    box = collections.UserList([v])
    return (lambda x: use(box[0], x)), item(box, 0)  # read


@place("ChainMap")
def _(s: Scene, v: Any) -> Any:
    base = {"scale": v}
    box = collections.ChainMap({}, base)
    return (lambda x: use(box["scale"], x)), item(base)  # read


@place("MappingProxyType")
def _(s: Scene, v: Any) -> Any:
    base = {"scale": v}
    box = types.MappingProxyType(base)
    return (lambda x: use(box["scale"], x)), item(base)  # read


@place("subclass of dict")
def _(s: Scene, v: Any) -> Any:
    class AttrDict(dict):
        def __getattr__(self, name):
            return self[name]  # read

    box = AttrDict(scale=v)
    return (lambda x: use(box.scale, x)), item(box)  # read


@place("subclass of list")
def _(s: Scene, v: Any) -> Any:
    class Items(list):
        pass

    box = Items([v])
    return (lambda x: use(box[0], x)), item(box, 0)  # read


@place("tuple that holds a list")
def _(s: Scene, v: Any) -> Any:
    box = (1.0, [v])
    return (lambda x: use(box[1][0], x)), item(box[1], 0)  # read


@place("array.array", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = array.array("d", [1.0, v])
    return (lambda x: use(box[1], x)), item(box, 1)  # read


@place("bytearray", kinds="byte")
def _(s: Scene, v: Any) -> Any:
    box = bytearray([1, v])
    return (lambda x: use(box[1], x)), item(box, 1)  # read


@place("element of an array", kinds="float", may_refuse=True)
def _(s: Scene, v: Any) -> Any:
    box = np.array([1.0, v])
    return (lambda x: use(float(box[1]), x)), item(box, 1)  # read


@place("array turned into a tensor", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = np.array([1.0, v, 2.0])
    return (lambda x: x * weft.tensor(box)), item(box, 1)  # read


@place("array seen as a tensor", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = np.array([1.0, v, 2.0])
    return (lambda x: x * weft.from_numpy(box)), item(box, 1)  # read


@place("array turned into a tensor of another type", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = np.array([1.0, v, 2.0])
    return (lambda x: x * weft.tensor(box, dtype=weft.float32)), item(box, 1)  # read


@place("strided array turned into a tensor", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = np.array([[1.0, 9.0], [v, 9.0], [2.0, 9.0]])
    return (lambda x: x * weft.tensor(box[:, 0])), item(box, (1, 0))  # read


@place("list turned into a tensor", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = [1.0, v, 2.0]
    return (lambda x: x * weft.tensor(box)), item(box, 1)  # read


@place("array times a tensor", kinds="float", may_refuse=True)
def _(s: Scene, v: Any) -> Any:
    box = np.array([1.0, v, 2.0])
    return (lambda x: x * weft.tensor(box * 2)), item(box, 1)  # read


@place("array in a list replaced", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = [np.array([1.0, v, 2.0])]
    return (lambda x: x * weft.tensor(box[0])), lambda new: item(box, 0)(
        np.array([1, new, 3.0])
    )  # read


@place("numpy scalar in a list", kinds="float")
def _(s: Scene, v: Any) -> Any:
    box = [np.float32(v)]
    return (lambda x: use(box[0], x)), lambda new: item(box, 0)(np.float32(new))  # read


@place("range in a list", kinds="byte")
def _(s: Scene, v: Any) -> Any:
    box = [range(v)]
    return (lambda x: [x * i for i in box[0]]), lambda new: item(box, 0)(range(new))  # read


@place("slice in a list", kinds="byte")
def _(s: Scene, v: Any) -> Any:
    box = [slice(0, v)]
    return (lambda x: x[box[0]] + 0), lambda new: item(box, 0)(slice(0, new))  # read


@place("dtype in a list", kinds="byte")
def _(s: Scene, v: Any) -> Any:
    box = [weft.float64 if v == 2 else weft.float32]
    return (lambda x: x.to(box[0])), lambda _new: item(box, 0)(weft.int64)  # read


@place("attribute names in a list", kinds="byte")
def _(s: Scene, v: Any) -> Any:
    box = ["exp"] * v
    return (lambda x: [getattr(x, name)() for name in box]), lambda _new: box.append("tanh")  # read
