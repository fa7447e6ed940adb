"""Modules as test cases: how to make one, and what to give it."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.ops.fill import elements
from tests.ops.functions import Input, at, u

import weft
from weft import nn


@dataclass(frozen=True)
class Made:
    """A module, and the tensors that it is called with."""

    kind: type
    args: list[Any]
    kwargs: dict[str, Any]
    inputs: list[Input]
    empty: bool

    def make(self) -> Any:
        weft.manual_seed(3)
        return self.kind(*copy.deepcopy(self.args), **self.kwargs)

    def tensors(self, dtype: str = "float32", batch: int | None = None) -> list[weft.Tensor]:
        """Inputs, of which the first dimension is ``batch`` if that is given."""
        rng = np.random.default_rng(5)
        shapes = [x.shape if batch is None else (batch, *x.shape[1:]) for x in self.inputs]
        pairs = zip(self.inputs, shapes, strict=True)
        return [weft.tensor(elements(x.domain, shape, dtype, rng)) for x, shape in pairs]

    def call(self, module: Any, inputs: list[weft.Tensor]) -> list[weft.Tensor]:
        found = module(*inputs)
        found = found if isinstance(found, tuple) else (found,)
        return [y for y in found if isinstance(y, weft.Tensor)]


MODULES: list[Made] = []


def module(kind: type, *args: Any, on: list[Input], empty: bool = True, **kwargs: Any) -> None:
    """Add a case; ``empty``: whether a batch of nothing has a value."""
    MODULES.append(Made(kind, list(args), kwargs, on, empty))


P = {"low": 0.1, "high": 0.9}
for _kind in (nn.ELU, nn.GELU, nn.LeakyReLU, nn.ReLU, nn.Sigmoid, nn.SiLU, nn.Softplus, nn.Tanh):
    module(_kind, on=[u(2, 3)])
module(nn.Softmax, dim=1, on=[u(2, 3)])
module(nn.LogSoftmax, dim=1, on=[u(2, 3)])
module(nn.Identity, on=[u(2, 3)])
module(nn.Flatten, on=[u(2, 3, 4)])
module(nn.Linear, 3, 4, on=[u(2, 3)])
module(nn.Linear, 3, 4, bias=False, on=[u(2, 3)])
module(nn.Dropout, 0.5, on=[u(4, 5)])
module(nn.Embedding, 5, 3, padding_idx=1, on=[at(2, 4, below=5)])
module(nn.LayerNorm, 4, on=[u(2, 3, 4)])
module(nn.MultiheadAttention, 4, 2, batch_first=True, on=[u(2, 3, 4)] * 3)
module(nn.Sequential, nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), on=[u(2, 3)])
for _kind in (nn.L1Loss, nn.MSELoss, nn.SmoothL1Loss, nn.HuberLoss):
    module(_kind, on=[u(3, 4), u(3, 4)])
module(nn.BCELoss, on=[u(3, 4, **P), u(3, 4, **P)])
module(nn.BCEWithLogitsLoss, on=[u(3, 4), u(3, 4, **P)])
module(nn.KLDivLoss, reduction="sum", on=[u(3, 4), u(3, 4, **P)])
module(nn.CrossEntropyLoss, on=[u(3, 4), at(3, below=4)])
module(nn.NLLLoss, on=[u(3, 4), at(3, below=4)])
