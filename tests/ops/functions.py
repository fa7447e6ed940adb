"""Public functions as test cases: what is no single row of the table, by name.

``case(name, argument=…, oracle=…)``: arguments that are :class:`Input` become tensors, the others
stay as they are. ``oracle`` takes the same arguments, with arrays of float64 for tensors, and
returns what numpy computes.
"""

import importlib
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tests.ops.fill import Domain, elements
from tests.ops.oracle import ORACLE

import weft
from weft import _core
from weft._public import FUNCTIONS, METHODS


@dataclass(frozen=True)
class Input:
    """A tensor: its shape, and what its elements are."""

    shape: tuple[int, ...]
    domain: Domain


def u(*shape: int, low: float = -2.0, high: float = 2.0) -> Input:
    """Real numbers, uniform between two bounds."""
    return Input(shape, {"kind": "uniform", "range": (low, high)})


def at(*shape: int, below: int) -> Input:
    """Indices from 0 up to a bound."""
    return Input(shape, {"kind": "index", "range": (0, below)})


def truth(*shape: int) -> Input:
    """Truth values."""
    return Input(shape, {"kind": "bool"})


def exact(values: Any, dtype: str = "int64") -> Input:
    """Given elements of a given dtype."""
    array = np.array(values, dtype)
    domain = {"kind": "exact", "dtype": dtype, "values": array.ravel().tolist()}
    return Input(array.shape, domain)


@dataclass(frozen=True)
class Function:
    """One call of a public function, with the interface of a sample of a row."""

    name: str
    id: str
    function: Any
    args: list[Any]
    kwargs: dict[str, Any]
    oracle: Any
    #: Whether gradients are those of finite differences: no kinks nearby, no random numbers.
    smooth: bool = True
    #: Why it cannot be compiled, as the error says; empty if it can.
    unplanned: str = ""
    #: Whether results depend on no values of inputs, and so have no gradient.
    constant: bool = False
    #: Whether it draws random numbers, here of :data:`SEED`.
    draws: bool = False
    #: Whether the oracle is right for inputs of these sizes only.
    fixed: bool = False
    #: Whether it needs inputs without gaps.
    dense: bool = False
    kind: str = "function"
    index: int = 0
    attrs: dict[str, Any] = field(default_factory=dict)

    def places(self) -> list[Any]:
        """All tensors among the arguments, in order; those of a list count one by one."""
        found = []
        for value in [*self.args, *self.kwargs.values()]:
            found += [v for v in (value if isinstance(value, list) else [value]) if is_input(v)]
        return found

    @property
    def inputs(self) -> list[Any]:
        return [(list(place.shape), place.domain) for place in self.places()]

    def arrays(self, dtype: str = "float64") -> list[np.ndarray]:
        rng = np.random.default_rng(zlib.crc32(self.id.encode()))
        return [elements(domain, shape, dtype, rng) for shape, domain in self.inputs]

    def tensors(self, dtype: str = "float64") -> list[weft.Tensor]:
        return [weft.tensor(a) for a in self.arrays(dtype)]

    def default(self, floats: str = "float64") -> str:
        """The dtype to try first."""
        info = INFO.get(self.name) if self.id.endswith("-row") else None
        return floats if info is None or floats in info.dtypes else "int64"

    def filled(self, values: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The arguments, with ``values`` in the places of tensors."""
        left = list(values)

        def put(value: Any) -> Any:
            if isinstance(value, list):
                return [put(v) for v in value]
            return left.pop(0) if is_input(value) else value

        args = [put(value) for value in self.args]
        return args, {name: put(value) for name, value in self.kwargs.items()}

    def call(self, inputs: list[weft.Tensor]) -> list[weft.Tensor]:
        if self.name.endswith("_"):
            inputs = [inputs[0].clone(), *inputs[1:]]
        args, kwargs = self.filled(inputs)
        if self.draws and not _core.is_recording():
            weft.manual_seed(SEED)
        return results(self.function(*args, **kwargs))

    def expected(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """What the oracle gives."""
        wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
        args, kwargs = self.filled(wide)
        want = self.oracle(*args, **kwargs)
        return [np.asarray(w) for w in (want if isinstance(want, (tuple, list)) else (want,))]

    def free(self) -> list[int]:
        """Inputs that vary continuously."""
        return [i for i, (_, domain) in enumerate(self.inputs) if domain["kind"] == "uniform"]


def is_input(value: Any) -> bool:
    return isinstance(value, Input)


def results(found: Any) -> list[weft.Tensor]:
    """The tensors of a result."""
    if isinstance(found, weft.Tensor):
        return [found]
    if isinstance(found, (tuple, list)):
        return [x for x in found if isinstance(x, weft.Tensor)]
    return [weft.tensor(found)] if isinstance(found, (bool, int, float)) else []


INFO = {info.name: info for info in _core.op_table()}
#: Where the random stream starts before a function that draws.
SEED = 7
FUNCTION_CASES: list[Function] = []
_count: dict[str, int] = {}


def case(
    name: str, *args: Any, oracle: Any = None, id: str | None = None, facts: Any = None,
    **kwargs: Any,
) -> None:  # fmt: skip
    """Add a case. ``Tensor.name`` is a method; ``facts`` are fields of :class:`Function`."""
    if name.startswith("Tensor."):
        function = getattr(weft.Tensor, name.removeprefix("Tensor."))
    else:
        function = FUNCTIONS[name].function
    number = _count[name] = _count.get(name, -1) + 1
    id = f"{name}-{number if id is None else id}"
    made = Function(name, id, function, list(args), kwargs, oracle, **(facts or {}))
    FUNCTION_CASES.append(made)


def _row_cases() -> None:
    """The functions that are a pointwise row, called as the first sample of the row is."""
    for row in INFO.values():
        entry = FUNCTIONS.get(row.name)
        if row.kind != "pointwise" or entry is None or row.name in _count:
            continue
        inputs = [Input(tuple(shape), domain) for shape, domain in row.samples[0]["inputs"]]
        oracle = ORACLE[row.name]
        case(row.name, *inputs, id="row", oracle=lambda *x, oracle=oracle: oracle(x, {}))


def _in_place_cases() -> None:
    """In-place forms of functions: the first case whose result can lie in its input."""
    found = {case.name for case in FUNCTION_CASES}
    for name in METHODS:
        if name.endswith("_") and not name.startswith("_") and f"Tensor.{name}" not in found:
            bases = [c for c in FUNCTION_CASES if c.name in (name[:-1], f"Tensor.{name[:-1]}")]
            for base in bases[:1]:
                oracle = {"oracle": base.oracle} if base.oracle else {}
                facts = {"smooth": base.smooth}
                case(f"Tensor.{name}", *base.args, **base.kwargs, **oracle, facts=facts)


def load() -> list[Function]:
    """All cases."""
    importlib.import_module("tests.ops.cases")
    importlib.import_module("tests.ops.cases_nn")
    if not any(c.name == "exp" for c in FUNCTION_CASES):
        _row_cases()
        _in_place_cases()
    return FUNCTION_CASES
