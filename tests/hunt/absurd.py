"""Calls every public function with absurd arguments of absurd sizes, in a child process under a
limit of memory and time: each call ends well or in a clear exception. What comes out is read,
written and differentiated.

    python -m tests.hunt.absurd SEED CALL        does one call again, here
"""

import contextlib
import os
import random
import resource
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

NAME = "absurd"
SHORT = 250
ROOT = Path(__file__).resolve().parents[2]
#: Bytes of address space of the child.
MEMORY = 3 << 30
#: Seconds that one call may take on a busy machine.
SECONDS = 60

#: What a call may raise.
CLEAR = (
    TypeError, ValueError, RuntimeError, IndexError, KeyError, MemoryError, AttributeError,
    ZeroDivisionError, NotImplementedError, FileNotFoundError, StopIteration,
)  # fmt: skip
#: Subclasses of these that show a defect.
UNCLEAR = (RecursionError, UnicodeError, UnboundLocalError)

#: Sizes and numbers where counting goes wrong.
EDGES = [
    0, 1, -1, 2, 3, 7, 255, 2**15, 2**31 - 1, 2**31, 2**32, 2**40, 2**53 + 1, 2**58, 2**59, 2**61,
    2**62, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**80, -2, -5, -(2**31), -(2**63), -(2**63) - 1,
    -(2**70),
]  # fmt: skip


def _number(rng: random.Random) -> Any:
    floats = [0.0, -0.0, 0.5, 1.0, -1.0, 1e-45, 1e38, 1e308, -1e308, float("inf"), float("-inf"),
              float("nan")]  # fmt: skip
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(EDGES)
    if kind < 0.7:
        return rng.randrange(-3, 6)
    return rng.choice(floats)


def _sizes(rng: random.Random) -> tuple[Any, ...]:
    def size() -> Any:
        return rng.choice(EDGES) if rng.random() < 0.3 else rng.randrange(-1, 6)

    return tuple(size() for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 3, 4, 8, 9, 12])))


def _tensor(rng: random.Random) -> Any:
    import weft

    shapes = [
        (), (1,), (3,), (4,), (2, 3), (3, 3), (3, 4), (0,), (0, 3), (3, 0), (1, 3), (2, 3, 4),
        (2, 1, 3), (1, 1, 1, 1), (2,) * 8, (0, 2**40), (700,), (5000,),
    ]  # fmt: skip
    shape = rng.choice(shapes[:7] if rng.random() < 0.6 else shapes)
    kinds = ["float32", "float32", "float64", "int64", "int64", "int32", "uint8", "bool"]
    kind = getattr(weft, rng.choice(kinds))
    weft.manual_seed(rng.randrange(99))
    x = weft.randn(*shape) if rng.random() < 0.6 else weft.rand(*shape) * 3
    if rng.random() < 0.1:
        x = x * rng.choice([0.0, 1e30, -1e30, float("inf"), float("nan")])
    x = x.to(kind)
    view = rng.random()
    if view < 0.1 and x.ndim >= 2:
        x = x.transpose(0, -1)
    elif view < 0.2 and x.ndim and x.shape[0] > 1:
        x = x[1:]
    elif view < 0.3 and x.ndim < 8:
        x = x.expand(rng.choice([0, 2, 300]), *x.shape)
    elif view < 0.35 and x.ndim and x.shape[-1] > 1:
        x = x[..., ::2]
    if x.is_floating_point() and rng.random() < 0.4:
        x = x.detach().requires_grad_()
    return x


def _array(rng: random.Random) -> Any:
    import numpy as np

    arrays = [
        lambda: np.zeros((0, 3))[:, ::-1],
        lambda: np.broadcast_to(np.ones(1), (rng.choice([3, 2**20]), 2)),
        lambda: np.ones(5)[::-2],
        lambda: np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")])["b"],
        lambda: np.ones(3, ">f4"),
        lambda: np.ones((2, 3), np.float16),
        lambda: np.array(["a", "b"]),
        lambda: np.array([1 + 2j]),
        lambda: np.array([None, 3], object),
        lambda: np.lib.stride_tricks.as_strided(np.ones(4), (0, 9), (2**40, 8)),
        lambda: np.frombuffer(b"12345678", np.int32),
        lambda: np.ones(17, np.uint8)[1:].view(np.float64),
        lambda: np.float32(3.5),
        lambda: np.uint64(2**64 - 1),
        lambda: np.array(2**64 - 1, np.uint64),
        lambda: np.ones((1,) * 12),
        lambda: np.array(["2020-01-01"], "M8[D]"),
    ]
    return rng.choice(arrays)()


class _Odd:
    """An object that lies about itself."""

    def __len__(self) -> int:
        return 2**62

    def __getitem__(self, i: Any) -> Any:
        if not isinstance(i, int) or i > 9:
            raise IndexError(i)
        return i

    def __index__(self) -> int:
        return 2**65

    def __float__(self) -> float:
        return float("nan")


def _anything(rng: random.Random) -> Any:
    import weft

    kind = rng.random()
    if kind < 0.3:
        return _tensor(rng)
    if kind < 0.55:
        return _number(rng)
    if kind < 0.7:
        return _sizes(rng)
    if kind < 0.75:
        return _array(rng)
    if kind < 0.82:
        return [_tensor(rng) for _ in range(rng.randrange(4))]
    plain = [
        None, True, False, "mean", "none", "sum", "xyz", "", "\x00", b"ab", [], {}, (),
        [[1], [2, 3]], slice(None), slice(-(2**70), 2**70, 2**66), Ellipsis, 3 + 4j, object(),
        len, iter([1]),
        weft.float32, weft.int64, weft.bool, _Odd(), range(3), {"a": 1}, {1}, type, weft.Tensor,
    ]  # fmt: skip
    return rng.choice(plain)


TENSORS = {"input", "other", "x", "tensor", "weight", "target", "mat1", "mat2", "vec2", "a", "b",
           "query", "key", "value", "source", "src", "mask", "end", "bias", "tensor1", "tensor2",
           "condition", "self", "params", "attn_mask", "batch1", "data"}  # fmt: skip
INDICES = {"index", "indices", "col_indices", "crow_indices"}


def _argument(rng: random.Random, name: str) -> Any:
    import weft

    if rng.random() < 0.25:
        return _anything(rng)
    if name == "tensors":
        return [_tensor(rng) for _ in range(rng.randrange(1, 4))]
    if name in INDICES:
        x = weft.randint(-1 if rng.random() < 0.2 else 0, 3, rng.choice([(), (3,), (2, 3), (3, 3)]))
        return x.to(rng.choice([weft.int64, weft.int64, weft.int32]))
    if name in TENSORS:
        return _tensor(rng)
    if name.startswith("dim") and rng.random() < 0.8:
        return rng.randrange(-3, 4)
    if name in {"size", "shape", "sizes", "pad", "normalized_shape", "dims"}:
        return _sizes(rng)
    if name in {"keepdim", "largest", "training", "inplace", "requires_grad", "unbiased"}:
        return rng.random() < 0.5
    if name == "dtype":
        return rng.choice([weft.float32, weft.float64, weft.int64, weft.uint8, weft.bool, None])
    if name == "reduction":
        return rng.choice(["mean", "none", "sum"])
    return _number(rng) if rng.random() < 0.7 else _anything(rng)


def _arguments(
    rng: random.Random, function: Any, skip: int = 0
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments for a function, most of them of the kind that its parameters ask for."""
    import inspect

    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (ValueError, TypeError):
        return [_anything(rng) for _ in range(rng.randrange(4))], {}
    given: list[Any] = []
    named: dict[str, Any] = {}
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            many = _sizes(rng) if rng.random() < 0.8 else [_anything(rng) for _ in range(2)]
            given.extend(many)
        elif p.kind is p.VAR_KEYWORD:
            continue
        elif p.default is not p.empty and rng.random() < 0.6:
            if p.kind is p.POSITIONAL_OR_KEYWORD:
                break
        elif p.kind is p.KEYWORD_ONLY:
            named[p.name] = _argument(rng, p.name)
        else:
            given.append(_argument(rng, p.name))
    if rng.random() < 0.05:
        given.append(_anything(rng))
    return given, named


#: Not called: they change settings of the process, read files or wait.
LEFT_OUT = {
    "set_num_threads", "set_grad_enabled", "compile", "annotations", "Any", "Sequence", "math",
    "mnist", "cora", "facebook_pages", "read_idx", "CompileError", "CorruptDataError", "backward",
    "Optimizer", "Module", "Dataset", "IterableDataset", "Sampler", "inference_mode", "no_grad",
    "enable_grad", "manual_seed", "Size",
}  # fmt: skip


def targets() -> dict[str, tuple[Any, str]]:
    """Everything to call, with how."""
    import weft
    from weft import _core, nn, optim
    from weft.nn import functional, init
    from weft.optim import lr_scheduler
    from weft.utils import data

    found: dict[str, tuple[Any, str]] = {}
    for prefix, room in [("weft", weft), ("F", functional), ("init", init), ("data", data),
                         ("nn", nn), ("optim", optim), ("lr", lr_scheduler)]:  # fmt: skip
        for name in dir(room):
            it = getattr(room, name)
            home = getattr(it, "__module__", None) or "weft"
            if name.startswith("_") or name in LEFT_OUT or not callable(it):
                continue
            if not home.startswith("weft"):
                continue
            found[f"{prefix}.{name}"] = (it, "class" if isinstance(it, type) else "function")
    for name in dir(weft.Tensor):
        if (
            not name.startswith("_")
            and name not in LEFT_OUT
            and callable(getattr(weft.Tensor, name))
        ):
            found[f"Tensor.{name}"] = (name, "method")
    found["Tensor.getitem"] = ("__getitem__", "item")
    found["Tensor.setitem"] = ("__setitem__", "item")
    doors = [
        "as_strided", "narrow", "full", "arange", "expand", "reshape", "permute", "reduce",
        "standardize", "index", "spmm", "csr_transpose", "from_buffer",
    ]  # fmt: skip
    for name in doors:
        found[f"_core.{name}"] = (getattr(_core, name), "function")
    return found


def _use(result: Any, rng: random.Random, depth: int = 0) -> None:
    """Reads, writes and differentiates what came out."""
    import weft

    if isinstance(result, weft.Tensor):
        if result.numel() > 1 << 20:
            result[..., :1] if result.ndim else None
            return
        result.detach().clone().numpy()
        repr(result)
        if result.requires_grad and result.grad_fn is not None:
            result.sum().backward()
        if rng.random() < 0.3:
            with weft.no_grad():
                result.detach().zero_()
    elif isinstance(result, (list, tuple)) and depth < 2:
        for part in result[:4]:
            _use(part, rng, depth + 1)
    elif hasattr(result, "__iter__") and hasattr(result, "__len__") and depth < 1:
        for _, part in zip(range(3), result, strict=False):
            _use(part, rng, depth + 1)


def _item(rng: random.Random) -> Any:
    def part() -> Any:
        kind = rng.random()
        if kind < 0.35:
            return rng.choice([*EDGES, 0, 1, 2, -1, 0, 1])
        if kind < 0.7:
            return slice(*[rng.choice([None, *EDGES, 0, 1, 2]) for _ in range(3)])
        if kind < 0.85:
            return rng.choice([None, ..., _argument(rng, "index"), [0, 1], True, _tensor(rng)])
        return _anything(rng)

    return part() if rng.random() < 0.5 else tuple(part() for _ in range(rng.randrange(5)))


def _view(x: Any, rng: random.Random) -> Any:
    """Some view of ``x``, mostly one that exists."""
    from weft import _core

    def near(n: int) -> Any:
        return rng.choice(EDGES) if rng.random() < 0.1 else rng.randrange(-1, n + 2)

    dim = rng.randrange(max(x.ndim, 1))
    size = x.shape[dim] if x.ndim else 1
    kind = rng.randrange(8)
    if kind == 0:
        return _core.narrow(x, dim, near(size), near(size))
    if kind == 1:
        lead = [near(2)] if rng.random() < 0.5 else []
        return x.expand(*lead, *[near(3) if n == 1 else n for n in x.shape])
    if kind == 2:
        return x.permute(*rng.sample(range(x.ndim), x.ndim))
    if kind == 3:
        return x[tuple(slice(near(n), near(n), rng.choice([None, 1, 2, 2**62])) for n in x.shape)]
    if kind == 4:
        shape = list(x.shape)
        rng.shuffle(shape)
        return x.reshape(*shape, *rng.choice([(), (1,), (-1,), (near(2),)]))
    if kind == 5:
        return x.unsqueeze(near(x.ndim)) if rng.random() < 0.5 else x.squeeze()
    if kind == 6:
        n = rng.randrange(3)
        shape, stride = [near(3) for _ in range(n)], [near(4) for _ in range(n)]
        return _core.as_strided(x, shape, stride, near(x.numel()))
    return x.flatten() if rng.random() < 0.5 else x[near(size)]


def chain(rng: random.Random, say: Any) -> Any:
    """Views of views, some of which do not exist, written and read all along."""
    import weft

    x = _tensor(rng)
    whole = x.detach()
    x = whole if rng.random() < 0.5 else x
    steps: list[Any] = []
    for _ in range(rng.randrange(1, 7)):
        state = rng.getstate()
        try:
            y = _view(x, rng)
        except CLEAR:
            continue
        steps.append((tuple(y.shape), tuple(y.stride()), y.storage_offset()))
        say("chain", [whole, *steps], {"state": hash(state)})
        if y.numel() > 1 << 20:
            continue
        x = y
        with weft.no_grad(), contextlib.suppress(CLEAR):
            x.detach().fill_(3) if rng.random() < 0.5 else x.detach().copy_(x.detach() + 1)
    whole.numpy()
    return x


def twice(name: str, rng: random.Random, say: Any) -> Any:
    """As :func:`one`, but compiled."""
    import weft

    state = rng.getstate()

    def function() -> Any:
        rng.setstate(state)
        return one(name, rng, say)

    fast = weft.compile(function)
    for _ in range(3):
        result = fast()
    return result


def one(name: str, rng: random.Random, say: Any) -> Any:
    """One call of the target, whose arguments depend on ``rng`` alone."""
    import weft

    it, how = targets()[name]
    if how == "item":
        x, key = _tensor(rng), _item(rng)
        say(name, [x, key], {})
        if it == "__setitem__":
            x = x.detach()
            x[key] = _anything(rng)
            return x
        return x[key]
    if how == "method":
        x = _tensor(rng)
        if it.endswith("_"):
            x = x.detach()
        given, named = _arguments(rng, getattr(weft.Tensor, it), 1)
        say(name, [x, *given], named)
        return getattr(x, it)(*given, **named)
    given, named = _arguments(rng, it.__init__ if how == "class" else it, how == "class")
    if name.startswith("optim") and rng.random() < 0.8:
        given[:1] = [[weft.nn.Parameter(weft.randn(3)) for _ in range(2)]]
    elif name.startswith("lr") and rng.random() < 0.8:
        given[:1] = [weft.optim.SGD([weft.nn.Parameter(weft.randn(3))], lr=0.1)]
    elif name.startswith(("data", "nn.Seq", "nn.ModuleL")) and given and rng.random() < 0.5:
        given[0] = list(range(rng.randrange(6)))
    say(name, given, named)
    made = it(*given, **named)
    if isinstance(made, weft.nn.Module) and rng.random() < 0.8:
        repr(made)
        return made(*[_tensor(rng) for _ in range(rng.choice([1, 1, 1, 2, 3]))])
    if isinstance(made, weft.optim.Optimizer):
        for group in made.param_groups:
            for p in group["params"]:
                p.grad = weft.ones_like(p)
        made.step()
        return [p for group in made.param_groups for p in group["params"]]
    if name.startswith("lr"):
        for _ in range(3):
            made.step()
    return made


def call(seed: int, i: int, say: Any) -> str:
    """Call number ``i`` of ``seed``: ``fine``, or the name of the exception."""
    rng = random.Random(f"{seed}:{i}")
    name, kind = rng.choice(sorted(targets())), rng.random()
    try:
        made = chain(rng, say) if kind < 0.15 else (one if kind < 0.97 else twice)(name, rng, say)
        _use(made, rng)
    except CLEAR as error:
        if isinstance(error, UNCLEAR):
            raise
        return type(error).__name__
    except AssertionError as error:
        # torch's class for this one.
        if not str(error).startswith("embedding: padding_idx"):
            raise
        return "AssertionError"
    return "fine"


def _show(value: Any) -> str:
    import weft

    if isinstance(value, weft.Tensor):
        grad = ", requires_grad" if value.requires_grad else ""
        return f"<{value.dtype} {value.shape} strides {value.stride()}{grad}>"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(_show, value))})"
    return repr(value)[:80]


def child(seed: int, first: int, count: int, log: int) -> None:
    """The calls ``first .. first + count``; what runs is always in the file ``log``."""
    import faulthandler
    import json
    import warnings

    import weft

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    faulthandler.enable()

    counts: Counter[str] = Counter()
    for i in range(first, first + count):
        faulthandler.dump_traceback_later(SECONDS, exit=True)

        def say(name: str, given: Any, named: Any, i: int = i) -> None:
            text = f"call {i}: {name}(*[{', '.join(map(_show, given))}], **{named!r})"
            os.ftruncate(log, 0)
            os.pwrite(log, text[:4000].encode(errors="replace"), 0)

        say("preparing", [], {})
        try:
            counts[call(seed, i, say)] += 1
        except BaseException:
            traceback.print_exc()
            os._exit(3)
        faulthandler.cancel_dump_traceback_later()
        counts["calls"] += 1
        if not weft.is_grad_enabled():
            raise AssertionError(f"call {i} switched gradients off")
    print(json.dumps(counts))


def run(seed: int, count: int) -> dict[str, int]:
    """Calls ``0 .. count`` of ``seed`` in a child."""
    import json

    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "tests.hunt.absurd", str(seed), "0", str(count)]
        command.append(str(log.fileno()))
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False,
            pass_fds=[log.fileno()],
        )  # fmt: skip
        log.seek(0)
        last = log.read().decode(errors="replace")
    if done.returncode != 0:
        i = last.split(":")[0].removeprefix("call ")
        told = "\n".join(done.stderr.splitlines()[-12:])
        raise AssertionError(
            f"{last}\nends with {done.returncode}\n{told}\n"
            f"again: python -m tests.hunt.absurd {seed} {i}"
        )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    if len(given) == 4:
        child(*given)
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        shown = lambda name, given, named: print(name, *map(_show, given), named)  # noqa: E731
        print(call(given[0], given[1], shown))
