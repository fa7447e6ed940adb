"""Places: attributes of modules, of plain objects and of classes."""

import argparse
import contextvars
import enum
import types
import weakref
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from tests.graph.stale.places import place
from tests.graph.stale.scene import Scene
from tests.graph.stale.values import use

import weft.nn as nn


def puts(owner: Any, name: str = "scale") -> Any:
    return lambda value: setattr(owner, name, value)


@place("module attribute")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = v

        def forward(self, x):
            return use(self.scale, x)  # read

    net = Net()
    return (lambda x: net(x)), puts(net)


@place("module itself compiled")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = v

        def forward(self, x):
            return use(self.scale, x)  # read

    net = Net()
    return net, puts(net)


@place("method of a module compiled")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = v

        def loss(self, x):
            return use(self.scale, x)  # read

    net = Net()
    return net.loss, puts(net)


@place("module attribute over a class default", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        scale = v

        def forward(self, x):
            return use(self.scale, x)  # read

    net = Net()
    return (lambda x: net(x)), puts(net)


@place("class attribute of a module", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        scale = v

        def forward(self, x):
            return use(self.scale, x)  # read

    net = Net()
    return (lambda x: net(x)), puts(Net)


@place("inherited class attribute of a module", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Base(nn.Module):
        scale = v

    class Net(Base):
        def forward(self, x):
            return use(self.scale, x)  # read

    net = Net()
    return (lambda x: net(x)), puts(Base)


@place("class attribute that a subclass begins to hide", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Base(nn.Module):
        scale = v

    class Net(Base):
        def forward(self, x):
            return use(self.scale, x)  # read

    net = Net()
    return (lambda x: net(x)), puts(Net)


@place("getattr with a default")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def forward(self, x):
            return use(getattr(self, "scale", v), x)  # read

    net = Net()
    return (lambda x: net(x)), puts(net)


@place("hasattr of a module")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def forward(self, x):
            return use(self.scale if hasattr(self, "scale") else v, x)  # read

    net = Net()
    return (lambda x: net(x)), puts(net)


@place("attribute of a submodule")
def _(s: Scene, v: Any) -> Any:
    class Inner(nn.Module):
        def forward(self, x):
            return use(self.scale, x)  # read

    net = nn.Sequential(nn.Identity(), nn.ModuleDict({"a": Inner()})["a"])
    net[1].scale = v
    return (lambda x: net(x)), puts(net[1])


@place("attribute of a module in a list")
def _(s: Scene, v: Any) -> Any:
    class Inner(nn.Module):
        def forward(self, x):
            return use(self.scale, x)  # read

    nets = [Inner(), Inner()]
    nets[0].scale = 1.0
    nets[1].scale = v
    return (lambda x: [net(x) for net in nets]), puts(nets[1])


@place("property of a module")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        @property
        def scale(self):
            return self._scale  # read

        def forward(self, x):
            return use(self.scale, x)  # read

    net = Net()
    net._scale = v
    return (lambda x: net(x)), puts(net, "_scale")


@place("vars() of a module")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def forward(self, x):
            return use(vars(self)["scale"], x)  # read

    net = Net()
    net.scale = v
    return (lambda x: net(x)), puts(net)


@place("config object of a module")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config = config

        def forward(self, x):
            return use(self.config.scale, x)  # read

    config = types.SimpleNamespace(scale=v)
    net = Net(config)
    return (lambda x: net(x)), puts(config)


@place("config dict of a module")
def _(s: Scene, v: Any) -> Any:
    class Net(nn.Module):
        def __init__(self, config):
            super().__init__()
            self.config = config

        def forward(self, x):
            return use(self.config["scale"], x)  # read

    config = {"scale": v}
    net = Net(config)
    return (lambda x: net(x)), lambda new: config.update(scale=new)


@place("forward of an instance", kinds="function")
def _(s: Scene, v: Any) -> Any:
    net = nn.Identity()
    net.forward = v
    return (lambda x: net(x)), puts(net, "forward")


class Plain:
    """An object as people write it."""

    def __init__(self, scale: Any = None) -> None:
        self.scale = scale


@place("plain object")
def _(s: Scene, v: Any) -> Any:
    box = Plain(v)
    return (lambda x: use(box.scale, x)), puts(box)  # read


@place("plain object far down")
def _(s: Scene, v: Any) -> Any:
    box = Plain(Plain(Plain(v)))
    return (lambda x: use(box.scale.scale.scale, x)), puts(box.scale.scale)  # read


@place("plain object in a list in a dict")
def _(s: Scene, v: Any) -> Any:
    held = {"a": [Plain(1.0), Plain(v)]}
    return (lambda x: use(held["a"][1].scale, x)), puts(held["a"][1])  # read


@place("plain object as an argument of a partial")
def _(s: Scene, v: Any) -> Any:
    from functools import partial

    def work(box, x):
        return use(box.scale, x)  # read

    box = Plain(v)
    return partial(work, box), puts(box)


@place("object with slots")
def _(s: Scene, v: Any) -> Any:
    class Box:
        __slots__ = ("scale",)

    box = Box()
    box.scale = v
    return (lambda x: use(box.scale, x)), puts(box)  # read


@place("dataclass")
def _(s: Scene, v: Any) -> Any:
    @dataclass
    class Config:
        scale: Any = None

    config = Config(v)
    return (lambda x: use(config.scale, x)), puts(config)  # read


@place("dataclass with slots")
def _(s: Scene, v: Any) -> Any:
    @dataclass(slots=True)
    class Config:
        scale: Any = None

    config = Config(v)
    return (lambda x: use(config.scale, x)), puts(config)  # read


@dataclass(frozen=True)
class Frozen:
    """A frozen config."""

    scale: Any


@place("frozen dataclass in an attribute")
def _(s: Scene, v: Any) -> Any:
    box = Plain(Frozen(v))
    return (lambda x: use(box.scale.scale, x)), lambda new: setattr(
        box, "scale", Frozen(new)
    )  # read


@place("frozen dataclass written behind its back")
def _(s: Scene, v: Any) -> Any:
    config = Frozen(v)
    return (lambda x: use(config.scale, x)), lambda new: object.__setattr__(
        config, "scale", new
    )  # read


@place("SimpleNamespace")
def _(s: Scene, v: Any) -> Any:
    box = types.SimpleNamespace(scale=v)
    return (lambda x: use(box.scale, x)), puts(box)  # read


@place("argparse.Namespace")
def _(s: Scene, v: Any) -> Any:
    args = argparse.Namespace(scale=v)
    return (lambda x: use(args.scale, x)), puts(args)  # read


@place("enum member in an attribute", kinds="number")
def _(s: Scene, v: Any) -> Any:
    class Mode(enum.Enum):
        A = 1
        B = 2

    box = types.SimpleNamespace(mode=Mode.A)
    values = {Mode.A: v, Mode.B: None}

    def change(new):
        values[Mode.B] = new
        box.mode = Mode.B

    return (lambda x: use(values[box.mode], x)), change  # read


class Pair(NamedTuple):
    """A named tuple."""

    first: Any
    second: Any


@place("named tuple in an attribute")
def _(s: Scene, v: Any) -> Any:
    box = Plain(Pair(v, 1.0))
    return (lambda x: use(box.scale.first, x)), lambda n: setattr(
        box, "scale", Pair(n, 1.0)
    )  # read


@place("bound method")
def _(s: Scene, v: Any) -> Any:
    class Trainer:
        def step(self, x):
            return use(self.scale, x)  # read

    trainer = Trainer()
    trainer.scale = v
    return trainer.step, puts(trainer)


@place("bound method called inside")
def _(s: Scene, v: Any) -> Any:
    class Trainer:
        def step(self, x):
            return use(self.scale, x)  # read

    trainer = Trainer()
    trainer.scale = v
    step = trainer.step
    return (lambda x: step(x)), puts(trainer)


@place("callable object")
def _(s: Scene, v: Any) -> Any:
    class Scaled:
        def __call__(self, x):
            return use(self.scale, x)  # read

    scaled = Scaled()
    scaled.scale = v
    return scaled, puts(scaled)


@place("callable object called inside")
def _(s: Scene, v: Any) -> Any:
    class Scaled:
        def __call__(self, x):
            return use(self.scale, x)  # read

    scaled = Scaled()
    scaled.scale = v
    return (lambda x: scaled(x)), puts(scaled)


@place("class attribute", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Config:
        scale = v

    return (lambda x: use(Config.scale, x)), puts(Config)  # read


@place("class attribute through an instance", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Config:
        scale = v

    config = Config()
    return (lambda x: use(config.scale, x)), puts(Config)  # read


@place("inherited class attribute", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Base:
        scale = v

    class Config(Base):
        pass

    return (lambda x: use(Config.scale, x)), puts(Base)  # read


@place("attribute of a metaclass", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Meta(type):
        scale = v

    class Config(metaclass=Meta):
        pass

    return (lambda x: use(Config.scale, x)), puts(Meta)  # read


@place("property of a plain object")
def _(s: Scene, v: Any) -> Any:
    class Config:
        @property
        def scale(self):
            return self.hidden  # read

    config = Config()
    config.hidden = v
    return (lambda x: use(config.scale, x)), puts(config, "hidden")  # read


@place("property replaced")
def _(s: Scene, v: Any) -> Any:
    class Config:
        scale = property(lambda self: v)

    def change(new):
        Config.scale = property(lambda self: new)

    config = Config()
    return (lambda x: use(config.scale, x)), change  # read


@place("cached property")
def _(s: Scene, v: Any) -> Any:
    class Config:
        @cached_property
        def scale(self):
            return v

    config = Config()
    assert config.scale is v
    return (lambda x: use(config.scale, x)), puts(config)  # read


@place("descriptor")
def _(s: Scene, v: Any) -> Any:
    class Field:
        def __get__(self, owner, kind=None):
            return self.value  # read

        def __set__(self, owner, value):
            self.value = value

    class Config:
        scale = Field()

    config = Config()
    config.scale = v
    return (lambda x: use(config.scale, x)), puts(config)  # read


@place("static method replaced", kinds="function")
def _(s: Scene, v: Any) -> Any:
    class Config:
        work = staticmethod(v)

    return (lambda x: Config.work(x)), lambda new: setattr(Config, "work", staticmethod(new))


@place("class method", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class Config:
        scale = v

        @classmethod
        def work(cls, x):
            return use(cls.scale, x)  # read

    return (lambda x: Config.work(x)), puts(Config)


@place("method replaced", kinds="function")
def _(s: Scene, v: Any) -> Any:
    class Worker:
        def work(self, x):
            return v(x)

    def change(new):
        Worker.work = lambda self, x: new(x)

    worker = Worker()
    return (lambda x: worker.work(x)), change


@place("object with __getattr__")
def _(s: Scene, v: Any) -> Any:
    class Config:
        def __init__(self):
            self.values = {"scale": v}

        def __getattr__(self, name):
            return self.values[name]  # read

    config = Config()
    return (lambda x: use(config.scale, x)), lambda new: config.values.update(scale=new)  # read


@place("object with __getattribute__")
def _(s: Scene, v: Any) -> Any:
    class Config:
        def __getattribute__(self, name):
            return object.__getattribute__(self, name)  # read

    config = Config()
    config.scale = v
    return (lambda x: use(config.scale, x)), puts(config)  # read


@place("object with __getitem__")
def _(s: Scene, v: Any) -> Any:
    class Config:
        def __init__(self):
            self.values = {"scale": v}

        def __getitem__(self, name):
            return self.values[name]  # read

    config = Config()
    return (lambda x: use(config["scale"], x)), lambda new: config.values.update(scale=new)  # read


@place("class of an object replaced", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    class First:
        scale = v

    class Second:
        pass

    def change(new):
        Second.scale = new
        box.__class__ = Second

    box = First()
    return (lambda x: use(box.scale, x)), change  # read


@place("weak reference")
def _(s: Scene, v: Any) -> Any:
    box = Plain(v)
    held = [box]
    ref = weakref.ref(box)
    return (lambda x: (use(ref().scale, x), len(held))), puts(box)  # read


@place("context variable", may_refuse=True, may_warn=True)
def _(s: Scene, v: Any) -> Any:
    var = contextvars.ContextVar("scale")
    var.set(v)
    return (lambda x: use(var.get(), x)), var.set  # read
