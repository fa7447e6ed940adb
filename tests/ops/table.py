"""The table of operations as test cases: one per row and sample."""

import ast
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from tests.ops.fill import FLOATS as FLOATS
from tests.ops.fill import elements
from tests.ops.functions import Function, load

import weft
from weft import _core

ROWS = _core.op_table()
WORDS = {"true": True, "false": False}


def _value(text: str) -> Any:
    """An attribute from its text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return WORDS.get(text, text)


def tensor(array: np.ndarray) -> weft.Tensor:
    """A tensor of its own memory."""
    return weft.tensor(array)


@dataclass(frozen=True)
class Case:
    """One sample of one row."""

    row: Any
    index: int
    id: str
    attrs: dict[str, Any]
    inputs: list[Any]
    smooth: bool

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def kind(self) -> str:
        return self.row.kind

    def arrays(self, dtype: str = "float64") -> list[np.ndarray]:
        """Inputs, the same in each run."""
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        return [elements(domain, shape, dtype, rng) for shape, domain in self.inputs]

    def tensors(self, dtype: str = "float64") -> list[weft.Tensor]:
        """Inputs as tensors of their own memory."""
        return [tensor(a) for a in self.arrays(dtype)]

    def default(self, floats: str = "float64") -> str:
        """The dtype to try first."""
        return floats if floats in self.row.dtypes else "int64"

    def call(self, inputs: list[weft.Tensor]) -> list[weft.Tensor]:
        return self.row.call(self.index, inputs)

    def call_into(self, inputs: list[weft.Tensor], targets: list[weft.Tensor]) -> None:
        self.row.call_into(self.index, inputs, targets)

    def free(self) -> list[int]:
        """Inputs that vary continuously; counts and hyperparameters are constants."""
        return [
            i
            for i, (shape, domain) in enumerate(self.inputs)
            if domain["kind"] == "uniform" or (domain["kind"] == "special" and shape)
        ]


def _cases() -> list[Case]:
    count: Counter[str] = Counter()
    cases = []
    for row in ROWS:
        for index, sample in enumerate(row.samples):
            attrs = {name: _value(text) for name, text in sample["attrs"].items()}
            id = f"{row.name}-{count[row.name]}"
            count[row.name] += 1
            cases.append(Case(row, index, id, attrs, sample["inputs"], sample["smooth"]))
    return cases


CASES = _cases()
#: Operations and public functions.
EVERY: list[Any] = [*CASES, *load()]


def each(cases: list[Case] | list[Function]) -> dict[str, Any]:
    """Arguments of ``pytest.mark.parametrize`` for these cases."""
    return {"argnames": "case", "argvalues": cases, "ids": [case.id for case in cases]}


def bits(tensor: weft.Tensor | None) -> Any:
    """Dtype, shape and bytes: equal only for equal bits."""
    if tensor is None:
        return None
    held = tensor.detach()
    held = held.float() if tensor.dtype is weft.bfloat16 else held
    array = np.ascontiguousarray(held.numpy())
    return str(tensor.dtype), tuple(tensor.shape), array.tobytes()


def on_reals(case: Any) -> bool:
    """Whether the case takes real numbers."""
    return bool(case.default() == "float64")


def differentiable(case: Any) -> bool:
    """Whether the operation has a gradient that is not an error."""
    inputs = case.tensors(case.default())
    for i in case.free():
        if inputs[i].dtype.is_floating_point:
            inputs[i].requires_grad = True
    outputs = [y for y in case.call(inputs) if y.requires_grad]
    if not outputs:
        return False
    try:
        weft.autograd.backward(outputs, [weft.ones_like(y) for y in outputs])
    except RuntimeError as error:
        assert "no gradient" in str(error), error
        return False
    return True
