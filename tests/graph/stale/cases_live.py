"""Scenarios: arrays of numpy that are older than the call, made tensors inside it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.graph.stale.scene import BEFORE, Case, Scene

import weft

CASES: list[Case] = []


def _ways(a: np.ndarray) -> dict[str, tuple[Callable[[Any], Any], Any, bool]]:
    """Functions that use an array, where it stands, and whether they read its memory live."""
    box = [a]
    f32 = weft.float32

    class Net(weft.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.data = a

        def forward(self, x: Any) -> Any:
            return x * weft.tensor(self.data)[0, 0]  # read

    net = Net()

    def local(x: Any) -> Any:
        batch = box[0]  # read
        with weft.no_grad():
            y = weft.as_tensor(batch, dtype=weft.float64)
        return x * y.sum()

    def loop(x: Any) -> Any:
        for batch in box:  # read
            x = x + weft.from_numpy(batch).sum()
        return x

    def branch(x: Any) -> Any:
        a = box[0]  # read
        return x + weft.tensor(a).sum() if a.ndim > 1 else x

    def both(x: Any) -> Any:
        return x * weft.tensor(box[0]).sum() + float(box[0].sum())  # read

    def steers(x: Any) -> Any:
        return x * weft.tensor(box[0]).sum() if box[0].any() else -x  # read

    def item(x: Any) -> Any:
        return x * float(box[0].ravel()[0])  # read

    def gather(x: Any) -> Any:
        return x * weft.tensor(box[0][[0, -1]]).sum()  # read

    def helper(a: Any) -> Any:
        return weft.tensor(a)

    return {
        "from_numpy": (lambda x: x * weft.from_numpy(box[0]).sum(), box, True),  # read
        "tensor": (lambda x: x * weft.tensor(box[0]).sum(), box, True),  # read
        "as_tensor": (lambda x: x * weft.as_tensor(box[0]).sum(), box, True),  # read
        "tensor as float": (
            lambda x: x * weft.tensor(box[0], dtype=f32).sum(),  # read
            box,
            True,
        ),
        "tensor of a row": (lambda x: x * weft.tensor(box[0][0]).sum(), box, True),  # read
        "view": (lambda x: x * weft.from_numpy(box[0][1:]).sum(), box, True),  # read
        "reversed": (lambda x: x * weft.tensor(box[0][::-1])[0].sum(), box, True),  # read
        "transposed": (lambda x: x * weft.tensor(box[0].T)[0].sum(), box, True),  # read
        "with a gradient": (
            lambda x: x * weft.tensor(box[0], dtype=f32, requires_grad=True).detach().sum(),  # read
            box,
            True,
        ),
        "returned": (lambda x: weft.from_numpy(box[0]), box, True),  # read
        "attribute": (net, net, True),
        "local": (local, box, True),
        "loop": (loop, box, True),
        "branch on its shape": (branch, box, True),
        "computed": (lambda x: x * weft.tensor(box[0] * 2).sum(), box, False),  # read
        "gathered": (gather, box, False),
        "as whole numbers": (
            lambda x: x * weft.tensor(box[0], dtype=weft.int32).sum(),  # read
            box,
            False,
        ),
        "through a helper": (lambda x: x * helper(box[0]).sum(), box, False),  # read
        "also a number": (both, box, False),
        "also a condition": (steers, box, False),
        "a number": (item, box, False),
    }


def _put(where: Any, new: np.ndarray) -> None:
    if isinstance(where, list):
        where[0] = new
    else:
        where.data = new


def _contents(where: Any, a: np.ndarray) -> Any:
    for value in (3, 0, 7):
        a[...] = value
        yield


def _replaced(where: Any, a: np.ndarray) -> Any:
    new = a * 0 + 2
    _put(where, new)
    yield
    a[...] = 9
    yield
    new[...] = 4
    yield
    _put(where, a)
    yield


def _shape(where: Any, a: np.ndarray) -> Any:
    a[...] = np.arange(a.size).reshape(a.shape)
    a.shape = a.shape[::-1]
    yield
    a[0] = 5
    yield


def _dtype(where: Any, a: np.ndarray) -> Any:
    old = a.dtype
    a.dtype = a.dtype.newbyteorder()
    yield
    a.dtype = old
    yield


def _order(where: Any, a: np.ndarray) -> Any:
    _put(where, np.asfortranarray(a + 1))
    yield
    _put(where, (a + 2)[::-1])
    yield


def _kind(where: Any, a: np.ndarray) -> Any:
    for kind in (np.float64, np.int64, np.float16, np.uint8):
        _put(where, (a + 3).astype(kind))
        yield


def _read_only(where: Any, a: np.ndarray) -> Any:
    a.flags.writeable = False
    yield
    a.flags.writeable = True
    a[...] = 6
    yield


def _base(where: Any, a: np.ndarray) -> Any:
    memory = np.arange(12).astype(a.dtype).reshape(4, 3)
    _put(where, memory[:2])
    yield
    memory[...] = 8
    yield
    _put(where, memory[2:])
    yield
    memory[2:] = 1
    yield


_CHANGES = (_contents, _replaced, _shape, _dtype, _order, _kind, _read_only, _base)
_FIRST: dict[str, Callable[[], np.ndarray]] = {
    "float32": lambda: np.arange(1, 7, dtype=np.float32).reshape(2, 3),
    "float64": lambda: np.arange(1, 7, dtype=np.float64).reshape(2, 3),
    "int64": lambda: np.arange(1, 7, dtype=np.int64).reshape(2, 3),
    "bool": lambda: np.array([[True, False, True], [True, True, False]]),
    "window": lambda: np.arange(40, dtype=np.float32).reshape(4, 10)[1:3, 2:8:2],
}


def _add(way: str, change: Any, first: str, before: int) -> None:
    def play(s: Scene) -> Any:
        a = _FIRST[first]()
        function, where, _ = _ways(a)[way]
        yield function, weft.tensor([1.0, -2.0, 0.5])
        for _ in change(where, a):
            yield None

    is_live = _ways(_FIRST[first]())[way][2]
    CASES.append(
        Case(
            f"{first} array {way}: {change.__name__[1:]}, {before} calls before",
            play,
            compiles=is_live and before >= BEFORE,
            before=before,
        )
    )


for _number, _way in enumerate(_ways(_FIRST["float32"]())):
    for _turn, _change in enumerate(_CHANGES):
        _firsts = list(_FIRST)
        _first = "float32" if _change is _contents else _firsts[(_number + _turn) % len(_firsts)]
        if _change is _shape and _first == "window":
            _first = "float64"
        _add(_way, _change, _first, 1 if (_number + _turn) % 3 == 0 else BEFORE)
