"""Places: names, closures, defaults and functions."""

import builtins
import functools
import operator
from typing import Any

from tests.graph.stale import world
from tests.graph.stale.places import place
from tests.graph.stale.places_objects import puts
from tests.graph.stale.scene import Scene
from tests.graph.stale.values import use
from tests.graph.stale.world import config, helper
from tests.graph.stale.world.deep import config as far

import weft
import weft.nn as nn

SCALE: Any = 2.0
SHOWN: Any = 2.0


def by_global(x):
    return use(SCALE, x)  # read


def put_global(s: Scene, name: str) -> Any:
    def put(value):
        globals()[name] = value

    s.later(lambda: put(2.0))
    return put


@place("global")
def _(s: Scene, v: Any) -> Any:
    put = put_global(s, "SCALE")
    put(v)
    return by_global, put


@place("global of a called function")
def _(s: Scene, v: Any) -> Any:
    put = put_global(s, "SCALE")
    put(v)
    return (lambda x: by_global(x)), put


@place("global in a comprehension")
def _(s: Scene, v: Any) -> Any:
    put = put_global(s, "SCALE")
    put(v)
    return (lambda x: [use(SCALE, x) for _ in range(2)]), put  # read


@place("global in a generator")
def _(s: Scene, v: Any) -> Any:
    put = put_global(s, "SCALE")
    put(v)
    return (lambda x: list(use(SCALE, x) for _ in range(2))), put  # read


@place("globals() by name", may_refuse=True, may_warn=True)
def _(s: Scene, v: Any) -> Any:
    put = put_global(s, "SHOWN")
    put(v)
    return (lambda x: use(globals()["SHOWN"], x)), put  # read


@place("global of a helper module")
def _(s: Scene, v: Any) -> Any:
    s.patch(helper, "LOCAL", v)
    return (lambda x: helper.by_own_global(x)), puts(helper, "LOCAL")


@place("global of a helper of a helper")
def _(s: Scene, v: Any) -> Any:
    s.patch(helper, "LOCAL", v)
    return (lambda x: helper.calls_another(x)), puts(helper, "LOCAL")


@place("imported name of a helper module")
def _(s: Scene, v: Any) -> Any:
    s.patch(helper, "SCALE", v)
    return (lambda x: helper.by_imported_name(x)), puts(helper, "SCALE")


@place("attribute of an imported module")
def _(s: Scene, v: Any) -> Any:
    s.patch(config, "SCALE", v)
    return (lambda x: use(config.SCALE, x)), puts(config, "SCALE")  # read


@place("attribute of a module in a package")
def _(s: Scene, v: Any) -> Any:
    s.patch(far, "SCALE", v)
    return (lambda x: use(world.deep.config.SCALE, x)), puts(far, "SCALE")  # read


@place("attribute of a class in a package", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    s.patch(far.Settings, "scale", v)
    return (lambda x: use(world.deep.config.Settings.scale, x)), puts(far.Settings)  # read


@place("module imported inside")
def _(s: Scene, v: Any) -> Any:
    def work(x):
        from tests.graph.stale.world import config as inside

        return use(inside.SCALE, x)  # read

    s.patch(config, "SCALE", v)
    return work, puts(config, "SCALE")


@place("name imported inside")
def _(s: Scene, v: Any) -> Any:
    def work(x):
        from tests.graph.stale.world.config import SCALE as inside  # read

        return use(inside, x)  # read

    s.patch(config, "SCALE", v)
    return work, puts(config, "SCALE")


@place("name among the builtins")
def _(s: Scene, v: Any) -> Any:
    s.patch(builtins, "WEFT_SCALE", v)
    return (lambda x: use(WEFT_SCALE, x)), puts(builtins, "WEFT_SCALE")  # noqa: F821  # read


@place("builtin shadowed by a global", kinds="function")
def _(s: Scene, v: Any) -> Any:
    s.later(lambda: globals().pop("oct", None))
    globals()["oct"] = v

    def put(new):
        globals()["oct"] = new

    return (lambda x: oct(x)), put


@place("closure")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def put(new):
        nonlocal scale
        scale = new

    return (lambda x: use(scale, x)), put  # read


@place("closure of a helper")
def _(s: Scene, v: Any) -> Any:
    def make(scale):
        def work(x):
            return use(scale, x)  # read

        def put(new):
            nonlocal scale
            scale = new

        return work, put

    work, put = make(v)
    return (lambda x: work(x)), put


@place("closure of a helper of a helper")
def _(s: Scene, v: Any) -> Any:
    def make(scale):
        def deep(x):
            return use(scale, x)  # read

        def work(x):
            return deep(x)

        def put(new):
            nonlocal scale
            scale = new

        return work, put

    work, put = make(v)
    tools = {"work": work}
    return (lambda x: tools["work"](x)), put


@place("closure of a function made inside")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def work(x):
        def inner(y):
            return use(scale, y)  # read

        return inner(x)

    def put(new):
        nonlocal scale
        scale = new

    return work, put


@place("closure of the forward of a local class")
def _(s: Scene, v: Any) -> Any:
    scale = v

    class Net(nn.Module):
        def forward(self, x):
            return use(scale, x)  # read

    def put(new):
        nonlocal scale
        scale = new

    net = Net()
    return (lambda x: net(x)), put


@place("closure of a forward hook", kinds="number")
def _(s: Scene, v: Any) -> Any:
    scale = v
    net = nn.Linear(3, 3)

    def hook(module, args, output):
        return output * scale  # read

    def put(new):
        nonlocal scale
        scale = new

    net.register_forward_hook(hook)
    return (lambda x: net(x).detach()), put


@place("closure of a lambda in a list")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def put(new):
        nonlocal scale
        scale = new

    steps = [lambda x: x + 1, lambda x: use(scale, x)]  # read
    return (lambda x: [step(x) for step in steps]), put


@place("closure of a nested compiled function")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def put(new):
        nonlocal scale
        scale = new

    inner = weft.compile(lambda x: use(scale, x))  # read
    return (lambda x: inner(x)), put


@place("closure of a decorated function")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def logged(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)

        return wrapper

    @logged
    def work(x):
        return use(scale, x)  # read

    def put(new):
        nonlocal scale
        scale = new

    return (lambda x: work(x)), put


@place("closure of a generator function")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def steps(x):
        yield x + 1
        yield use(scale, x)  # read

    def put(new):
        nonlocal scale
        scale = new

    return (lambda x: list(steps(x))), put


@place("closure of a function given to map")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def put(new):
        nonlocal scale
        scale = new

    return (lambda x: list(map(lambda y: use(scale, y), [x, x + 1]))), put  # read


@place("closure of a context manager")
def _(s: Scene, v: Any) -> Any:
    scale = v

    class Manager:
        def __enter__(self):
            return scale  # read

        def __exit__(self, *_):
            pass

    def work(x):
        with Manager() as found:
            return use(found, x)

    def put(new):
        nonlocal scale
        scale = new

    return work, put


@place("closure of an operator", kinds="number any")
def _(s: Scene, v: Any) -> Any:
    scale = v

    class Op:
        def __rmatmul__(self, x):
            return use(scale, x)  # read

        def __radd__(self, x):
            return use(scale, x)  # read

    def put(new):
        nonlocal scale
        scale = new

    op = Op()
    return (lambda x: 1 + op if x is None else op.__radd__(x)), put


@place("defaults")
def _(s: Scene, v: Any) -> Any:
    def work(x, scale=v):
        return use(scale, x)  # read

    return work, lambda new: setattr(work, "__defaults__", (new,))


@place("defaults of a helper")
def _(s: Scene, v: Any) -> Any:
    def work(x, scale=v):
        return use(scale, x)  # read

    return (lambda x: work(x)), lambda new: setattr(work, "__defaults__", (new,))


@place("keyword defaults of a helper")
def _(s: Scene, v: Any) -> Any:
    def work(x, *, scale=v):
        return use(scale, x)  # read

    return (lambda x: work(x)), lambda new: work.__kwdefaults__.update(scale=new)


@place("function attribute")
def _(s: Scene, v: Any) -> Any:
    def work(x):
        return use(work.scale, x)  # read

    work.scale = v
    return work, puts(work)


@place("partial argument")
def _(s: Scene, v: Any) -> Any:
    held = {"f": functools.partial(use, v)}
    return (lambda x: held["f"](x)), lambda new: held.update(f=functools.partial(use, new))  # read


@place("keyword of a partial, written in place")
def _(s: Scene, v: Any) -> Any:
    def work(x, scale):
        return use(scale, x)  # read

    part = functools.partial(work, scale=v)
    return (lambda x: part(x)), lambda new: part.keywords.update(scale=new)


@place("keyword of a compiled partial, written in place")
def _(s: Scene, v: Any) -> Any:
    def work(x, scale):
        return use(scale, x)  # read

    part = functools.partial(work, scale=v)
    return part, lambda new: part.keywords.update(scale=new)


@place("operator.attrgetter")
def _(s: Scene, v: Any) -> Any:
    class Box:
        pass

    box, get = Box(), operator.attrgetter("scale")
    box.scale = v
    return (lambda x: use(get(box), x)), puts(box)  # read


@place("operator.itemgetter")
def _(s: Scene, v: Any) -> Any:
    box, get = {"scale": v}, operator.itemgetter("scale")
    return (lambda x: use(get(box), x)), lambda new: box.update(scale=new)  # read


@place("function in a global", kinds="function")
def _(s: Scene, v: Any) -> Any:
    put = put_global(s, "SHOWN")
    put(v)
    return (lambda x: SHOWN(x)), put


@place("function in a dict", kinds="function")
def _(s: Scene, v: Any) -> Any:
    table = {"f": v}
    return (lambda x: table["f"](x)), lambda new: table.update(f=new)


@place("patched function of weft", kinds="function")
def _(s: Scene, v: Any) -> Any:
    s.patch(weft, "exp", v)
    return (lambda x: weft.exp(x)), puts(weft, "exp")


@place("patched function of weft.nn.functional", kinds="function")
def _(s: Scene, v: Any) -> Any:
    s.patch(nn.functional, "relu", v)
    return (lambda x: nn.functional.relu(x)), puts(nn.functional, "relu")


@place("patched function that a module of weft calls", kinds="function")
def _(s: Scene, v: Any) -> Any:
    layer = nn.ReLU()
    s.patch(nn.ReLU, "forward", lambda self, x: v(x))

    def put(new):
        nn.ReLU.forward = lambda self, x: new(x)

    return (lambda x: layer(x)), put


@place("match statement on a global")
def _(s: Scene, v: Any) -> Any:
    put = put_global(s, "SHOWN")
    put(v)

    def work(x):
        match SHOWN:  # read
            case str() | bool() | None as found:
                return use(found, x)
            case found:
                return use(found, x)

    return work, put


@place("class body run inside")
def _(s: Scene, v: Any) -> Any:
    scale = v

    def work(x):
        class Local:
            found = scale  # read

        return use(vars(Local)["found"], x)

    def put(new):
        nonlocal scale
        scale = new

    return work, put


@place("exec'd function", may_refuse=True)
def _(s: Scene, v: Any) -> Any:
    space: dict[str, Any] = {"use": use, "SCALE": v}
    exec("def work(x): return use(SCALE, x)", space)
    return (lambda x: space["work"](x)), lambda new: space.update(SCALE=new)  # read
