"""Scenarios: numpy arrays that become tensors inside."""

from typing import Any

import numpy as np
from tests.graph.stale.scene import Case, Scene, case

import weft

CASES: list[Case] = []


def x() -> Any:
    return weft.tensor([[1.0, -2.0, 0.5], [3.0, 4.0, 5.0]])


@case(CASES, "array replaced by one of another dtype")
def _(s: Scene) -> Any:
    box = [np.array([1.0, 2.0, 3.0], np.float32)]
    yield (lambda x: x * weft.from_numpy(box[0])), x()  # read
    box[0] = np.array([4.0, 5.0, 6.0])
    yield None


@case(CASES, "array written by weft during the call")
def _(s: Scene) -> Any:
    memory = np.zeros(3, np.float32)
    t = weft.from_numpy(memory)
    s.state(memory=lambda: memory.tolist())

    def work(x):
        t.add_(x[0])
        return weft.tensor(memory) * 2  # read

    yield work, x()
    memory[:] = 1
    yield None


@case(CASES, "array resized to another shape")
def _(s: Scene) -> Any:
    box = [np.ones(3, np.float32)]
    yield (lambda x: x.sum() + weft.from_numpy(box[0])), x()  # read
    box[0] = np.ones(5, np.float32)
    yield None


@case(CASES, "index array")
def _(s: Scene) -> Any:
    idx = np.array([0, 1])
    yield (lambda x: x[weft.from_numpy(idx)]), x()  # read
    idx[0] = 1
    yield None


@case(CASES, "as_tensor of an array")
def _(s: Scene) -> Any:
    a = np.ones(3, np.float32)
    yield (lambda x: x * weft.as_tensor(a)), x()  # read
    a[:] = 4
    yield None


@case(CASES, "as_tensor of a list of arrays", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    a = [np.ones(3, np.float32), np.ones(3, np.float32)]
    yield (lambda x: x * weft.tensor(np.stack(a))), x()  # read
    a[0][:] = 4
    yield None


@case(CASES, "shape of an array")
def _(s: Scene) -> Any:
    box = [np.ones((3, 2))]
    yield (lambda x: x * box[0].shape[1]), x()  # read
    box[0] = np.ones((3, 4))
    yield None


@case(CASES, "numpy scalar computed from an array", may_refuse=True, compiles=False)
def _(s: Scene) -> Any:
    a = np.ones(3)
    yield (lambda x: x * float(a.mean())), x()  # read
    a[:] = 4
    yield None
