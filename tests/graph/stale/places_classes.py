"""Places: ways in which classes hold things and functions are reached."""

import abc
import enum
import functools
import operator
import threading
import types
from typing import Any

from tests.graph.stale.places import place
from tests.graph.stale.places_objects import puts
from tests.graph.stale.scene import Scene
from tests.graph.stale.values import use

import weft.nn as nn


@place("type(self)", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Worker:
        scale = v

        def work(self, x):
            return use(type(self).scale, x)  # read

    worker = Worker()
    return (lambda x: worker.work(x)), puts(Worker)


@place("self.__class__", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Worker:
        scale = v

        def work(self, x):
            return use(self.__class__.scale, x)  # read

    worker = Worker()
    return (lambda x: worker.work(x)), puts(Worker)


@place("super() attribute", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Base:
        scale = v

    class Worker(Base):
        scale = 1.0

        def work(self, x):
            return use(super().scale, x)  # read

    worker = Worker()
    return (lambda x: worker.work(x)), puts(Base)


@place("super() method", kinds="function")
def _(s: Scene, v: Any) -> Any:
    class Base(nn.Module):
        def forward(self, x):
            return v(x)

    class Net(Base):
        def forward(self, x):
            return super().forward(x) + 1

    def change(new):
        Base.forward = lambda self, x: new(x)

    net = Net()
    return (lambda x: net(x)), change


@place("__dict__ of a class", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Config:
        scale = v

    return (lambda x: use(Config.__dict__["scale"], x)), puts(Config)  # read


@place("annotations with defaults of a class", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Config:
        scale: Any = v

    def work(x):
        return [use(getattr(Config, name), x) for name in Config.__annotations__]  # read

    return work, puts(Config)


@place("base class replaced", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class First:
        scale = v

    class Second:
        pass

    class Config(First):
        pass

    def change(new):
        Second.scale = new
        Config.__bases__ = (Second,)

    return (lambda x: use(Config.scale, x)), change  # read


@place("class in a module replaced", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    space = types.ModuleType("weft_scene_space")
    space.Config = type("Config", (), {"scale": v})

    def change(new):
        space.Config = type("Config", (), {"scale": new})

    return (lambda x: use(space.Config.scale, x)), change  # read


@place("module with __getattr__")
def _(s: Scene, v: Any) -> Any:
    space, values = types.ModuleType("weft_scene_lazy"), {"SCALE": v}
    space.__getattr__ = lambda name: values[name]  # read
    return (lambda x: use(space.SCALE, x)), lambda new: values.update(SCALE=new)  # read


@place("partialmethod", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Worker:
        def scaled(self, scale, x):
            return use(scale, x)  # read

        work = functools.partialmethod(scaled, v)

    def change(new):
        Worker.work = functools.partialmethod(Worker.scaled, new)

    worker = Worker()
    return (lambda x: worker.work(x)), change


@place("methodcaller")
def _(s: Scene, v: Any) -> Any:
    class Worker:
        def work(self, x):
            return use(self.scale, x)  # read

    worker = Worker()
    worker.scale = v
    return (lambda x: operator.methodcaller("work", x)(worker)), puts(worker)


@place("method of an instance", kinds="function")
def _(s: Scene, v: Any) -> Any:
    class Worker:
        pass

    worker = Worker()
    worker.work = v
    return (lambda x: worker.work(x)), puts(worker, "work")


@place("bound method of another object in an attribute")
def _(s: Scene, v: Any) -> Any:
    class Source:
        def get(self):
            return self.scale  # read

    class Worker:
        pass

    source, worker = Source(), Worker()
    source.scale = v
    worker.get = source.get
    return (lambda x: use(worker.get(), x)), puts(source)


@place("class registered later with an ABC", kinds="byte")
def _(s: Scene, v: Any) -> Any:
    class Kind(abc.ABC):  # noqa: B024
        pass

    class Thing:
        pass

    thing = Thing()
    return (
        (lambda x: x * (2 if isinstance(thing, Kind) else 3)),  # read
        lambda _new: Kind.register(Thing),
    )


@place("value of an enum member", kinds="number")
def _(s: Scene, v: Any) -> Any:
    class Mode(enum.Enum):
        A = v

    def change(new):
        Mode.A._value_ = new

    return (lambda x: use(Mode.A.value, x)), change  # read


@place("attribute of an enum member")
def _(s: Scene, v: Any) -> Any:
    class Mode(enum.Enum):
        A = 1

    Mode.A.scale = v
    return (lambda x: use(Mode.A.scale, x)), puts(Mode.A)  # read


@place("attribute of an exception")
def _(s: Scene, v: Any) -> Any:
    class Stop(Exception):
        scale: Any

    stop = Stop()
    stop.scale = v

    def work(x):
        try:
            raise stop
        except Stop as found:
            return use(found.scale, x)  # read

    return work, puts(stop)


@place("attribute of a function in a closure of a class")
def _(s: Scene, v: Any) -> Any:
    def options():
        pass

    options.scale = v

    class Worker:
        def work(self, x):
            return use(options.scale, x)  # read

    worker = Worker()
    return (lambda x: worker.work(x)), puts(options)


@place("tuple subclass with attributes")
def _(s: Scene, v: Any) -> Any:
    class Pair(tuple):
        pass

    pair = Pair((1, 2))
    pair.scale = v
    return (lambda x: use(pair.scale, x)), puts(pair)  # read


@place("number subclass with attributes")
def _(s: Scene, v: Any) -> Any:
    class Number(float):
        pass

    number = Number(2.0)
    number.scale = v
    return (lambda x: use(number.scale, x * number)), puts(number)  # read


@place("dict subclass with attributes")
def _(s: Scene, v: Any) -> Any:
    class Options(dict):
        pass

    options = Options(a=1)
    options.scale = v
    return (lambda x: use(options.scale, x)), puts(options)  # read


@place("object that refuses a patch of its class")
def _(s: Scene, v: Any) -> Any:
    class Fixed(type):
        def __setattr__(cls, name, value):
            raise TypeError("fixed")

    class Config(metaclass=Fixed):
        def __init__(self):
            self.scale = v

    config = Config()
    return (lambda x: use(config.scale, x)), puts(config)  # read


@place("mutual references")
def _(s: Scene, v: Any) -> Any:
    class Node:
        pass

    a, b = Node(), Node()
    a.other, b.other, b.scale = b, a, v
    return (lambda x: use(a.other.other.other.scale, x)), puts(b)  # read


@place("list that holds itself", may_refuse=True)
def _(s: Scene, v: Any) -> Any:
    box = [v]
    box.append(box)
    return (lambda x: use(box[1][1][0], x)), lambda new: box.__setitem__(0, new)  # read


@place("deep nest of dicts")
def _(s: Scene, v: Any) -> Any:
    box: Any = {"scale": v}
    inner = box
    for _i in range(30):
        box = {"next": box}

    def work(x):
        at = box
        while "next" in at:
            at = at["next"]
        return use(at["scale"], x)  # read

    return work, lambda new: inner.update(scale=new)


@place("last of a thousand numbers")
def _(s: Scene, v: Any) -> Any:
    box: list[Any] = [0.0] * 1000
    box[-1] = v
    return (lambda x: use(box[-1], x)), lambda new: box.__setitem__(-1, new)  # read


@place("one object of a hundred")
def _(s: Scene, v: Any) -> Any:
    class Item:
        pass

    items = [Item() for _ in range(100)]
    for item in items:
        item.scale = 1.0
    items[57].scale = v
    return (lambda x: [use(i.scale, x) for i in items]), puts(items[57])  # read


def _worker(inner: Any) -> Any:
    """A class that shares the code of its methods with all others that are made here."""

    class Worker:
        def work(self, x: Any, read: Any = inner) -> Any:
            return inner(x), read(x)

        __call__ = work

    return Worker()


@place("second class of a factory, called")
def _(s: Scene, v: Any) -> Any:
    box = [v]
    first, second = _worker(lambda x: x), _worker(lambda x: use(box[0], x))  # read
    both = [first.work, second]
    return (lambda x: [f(x) for f in both]), lambda new: box.__setitem__(0, new)


@place("second class of a factory, its alias replaced", kinds="function")
def _(s: Scene, v: Any) -> Any:
    first, second = _worker(lambda x: x), _worker(v)
    both = [first.work, second]

    def put(new: Any) -> None:
        type(second).__call__ = lambda self, x: (new(x), new(x))

    return (lambda x: [f(x) for f in both]), put  # read


@place("method of an object made inside, of a factory's class")
def _(s: Scene, v: Any) -> Any:
    box = [v]
    first, second = _worker(lambda x: x), _worker(lambda x: use(box[0], x))  # read
    kinds = [type(first), type(second)]
    return (lambda x: [kind().work(x) for kind in kinds]), lambda new: box.__setitem__(0, new)


@place("object with __getattribute__ over a dict")
def _(s: Scene, v: Any) -> Any:
    class Config:
        def __init__(self):
            self.values = {"scale": v}

        def __getattribute__(self, name):
            values = super().__getattribute__("values")  # read
            return values[name] if name in values else super().__getattribute__(name)

    config = Config()
    return (lambda x: use(config.scale, x)), lambda new: config.values.update(scale=new)  # read


@place("slots read by object.__getattribute__")
def _(s: Scene, v: Any) -> Any:
    class Config:
        __slots__ = ("scale",)

    config = Config()
    config.scale = v
    return (lambda x: use(object.__getattribute__(config, "scale"), x)), puts(config)  # read


@place("thread-local attribute")
def _(s: Scene, v: Any) -> Any:
    local = threading.local()
    local.scale = v
    return (lambda x: use(local.scale, x)), puts(local)  # read


@place("attribute of a thread-local class")
def _(s: Scene, v: Any) -> Any:
    class Local(threading.local):
        shift = 1.0

        def work(self, x):
            return use(self.scale, x + self.shift)  # read

    local = Local()
    local.scale = v
    return (lambda x: local.work(x)), puts(local)  # read


@place("class attribute of a thread-local class", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Local(threading.local):
        scale = v

    local = Local()
    return (lambda x: use(local.scale, x)), puts(Local)  # read
