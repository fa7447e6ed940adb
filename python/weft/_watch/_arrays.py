"""Arrays of numpy that came through a door: their memory is read live, or their bytes compared.

An array that the function only turns into tensors (``_flow`` proves it from the bytecode of every
instruction that gave the array away) is *clean*: the tensors read its memory at each run, and only
where and how it lies is compared. Of any other, the bytes are compared on each call.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from weft import _core
from weft._core import CompileError, Snapshot, Tensor
from weft._watch._flow import HARMLESS, Flow, follow, is_conversion, parameter
from weft._watch._place import Place
from weft._watch._present import MISSING

if TYPE_CHECKING:
    from weft._watch._watch import Watch

#: Bytes of an array whose contents are compared on every call.
LIMIT = 1 << 20
#: What can hold arrays and be looked into without running a user's code.
_HOLDERS = (list, tuple, dict)
_EXACT = (np.ndarray, np.memmap)

Site = tuple[CodeType, int]


class Arrays:
    """The arrays that one recording meets."""

    def __init__(self, watch: Watch) -> None:
        """None so far."""
        self.watch = watch
        #: Array, its bytes if they are few, how it lies, and the line where it came in.
        self.met: dict[int, tuple[np.ndarray, Snapshot | None, Snapshot, str]] = {}
        #: Those whose contents were looked at.
        self.doubted: set[int] = set()
        #: What came in at a site; collections that were let in as clean.
        self._at: dict[Site, dict[int, Any]] = {}
        self._holders: dict[int, Any] = {}
        self._flows: dict[CodeType, Flow] = {}
        self._globals: dict[CodeType, dict[str, Any]] = {}
        #: Those that numpy itself may write, with the line.
        self._stored: dict[int, str] = {}
        self._asks_bases = False

    # Coming in

    def meets(self, value: np.ndarray, line: str, clean: bool) -> None:
        """An array came in for the first time."""
        contents = Snapshot(value.tobytes()) if value.nbytes <= LIMIT else None
        lies = Snapshot(_core.array_arrangement(value))
        self.met[id(value)] = (value, contents, lies, line)
        if not clean or type(value) not in _EXACT or value.dtype.hasobject:
            self.doubted.add(id(value))
        if self._asks_bases:
            self._base(value, line)

    def ask_bases(self) -> None:
        """The function reads an attribute ``base``: what arrays are views of matters as well."""
        if not self._asks_bases:
            self._asks_bases = True
            for array, *_, line in list(self.met.values()):
                self._base(array, line)

    def _base(self, array: np.ndarray, line: str) -> None:
        if isinstance(array.base, np.ndarray):
            self.watch.admit(array.base, "the base of an array of numpy", line)

    def holds(self, value: Any, clean: bool) -> bool:
        """Whether the arrays in a collection that came in are as clean as it is."""
        if clean and type(value) in _HOLDERS:
            self._holders[id(value)] = value
            return True
        return False

    def doubt(self, value: Any) -> None:
        """Something that came in before may be looked at."""
        if isinstance(value, np.ndarray):
            self.doubted.add(id(value))
        elif self._holders and self._holders.pop(id(value), None) is not None:
            for part in value.values() if isinstance(value, dict) else value:
                self.doubt(part)

    def is_of_interest(self, value: Any) -> bool:
        """Whether each read of a value matters, not only the first."""
        return isinstance(value, np.ndarray) or id(value) in self._holders

    # Where they go

    def is_clean(self, code: CodeType, source: int, name: str, value: Any) -> bool:
        """Whether what came in at an instruction, read under ``name``, only becomes tensors."""
        if not _has_arrays(value):
            return False
        flow = self._flow(code)
        if source in flow.stored:
            self._store(value)
        if not flow.is_clean(source, name):
            return False
        self._at.setdefault((code, source), {})[id(value)] = value
        return True

    def read_by(self, frame: FrameType, name: str, value: Any) -> bool:
        """:meth:`is_clean` for what an attribute gives to the instruction that runs."""
        if not _has_arrays(value):
            return False
        code = frame.f_code
        return self.is_clean(code, self._flow(code).running(frame), name, value)

    def arguments(self, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> set[int]:
        """Which of the arguments only become tensors, by identity."""
        if not isinstance(function, FunctionType):
            return set()
        code = function.__code__
        self._globals[code] = function.__globals__
        named = dict(zip(code.co_varnames[: code.co_argcount], args, strict=False))
        most = code.co_argcount + code.co_kwonlyargcount
        named |= {name: kwargs[name] for name in code.co_varnames[:most] if name in kwargs}
        clean = [
            id(value)
            for name, value in named.items()
            if self.is_clean(code, parameter(code, name), name, value)
        ]
        every = [id(value) for value in (*args, *kwargs.values())]
        return {key for key in clean if every.count(key) == 1}

    def _flow(self, code: CodeType) -> Flow:
        found = self._flows.get(code)
        if found is None:
            found = self._flows[code] = follow(code, lambda how, name: self._find(code, how, name))
        return found

    def _find(self, code: CodeType, how: str, name: str) -> Any:
        """Modules and weft's functions by name; all else is not followed."""
        chains = self.watch.chains
        if how == "LOAD_DEREF":
            cell = chains.cells.get(code, {}).get(name)
            try:
                value = MISSING if cell is None else cell.cell_contents
            except ValueError:
                return MISSING
        else:
            names = chains.seen.get(code) or self._globals.get(code, {})
            value = names.get(name, vars(builtins).get(name, MISSING))
        is_known = isinstance(value, ModuleType) or any(value is one for one in HARMLESS)
        return value if is_known or is_conversion(value) else MISSING

    def _store(self, value: Any) -> None:
        parts = value.values() if isinstance(value, dict) else value
        for part in [value] if isinstance(value, np.ndarray) else parts:
            if isinstance(part, np.ndarray):
                self._stored.setdefault(id(part), self.watch.line())

    # Becoming tensors

    def becomes(self, data: Any) -> bool:
        """A tensor is made of ``data``; whether it is old memory, to be read at each run."""
        if isinstance(data, np.ndarray) and self._owner(data) is not None:
            return True
        frame = self.watch.frame()
        if frame is not None:
            flow = self._flow(frame.f_code)
            for source in flow.fed.get(flow.running(frame), ()):
                for value in self._at.get((frame.f_code, source), {}).values():
                    self.doubt(value)
        return False

    def looks(self, data: np.ndarray) -> None:
        """A tensor of old memory cannot read it live: its contents are compared."""
        owner = self._owner(data)
        if owner is not None:
            self.doubted.add(id(owner))

    def adopt(self, tensor: Tensor) -> None:
        """A tensor that shares old memory was made."""
        _core.adopt(tensor)
        self.watch.doors.tensors.append(tensor)

    def _owner(self, data: np.ndarray) -> np.ndarray | None:
        """The array that came in and has all memory of ``data``."""
        if id(data) in self.met:
            return data
        if not self.met or not data.size:
            return None
        low, high = _bounds(data)
        for array, *_, line in self.met.values():
            first, end = _bounds(array)
            if first <= low and high <= end:
                return array
            if first < high and low < end:
                raise CompileError(
                    "compile: a tensor is made of an array that shares a part of its memory with "
                    f"one from outside (read at {line}). Pass it as an argument"
                )
        return None

    # At the end

    def finish(self) -> None:
        """Note what is compared; refuse what cannot be."""
        for key, (array, contents, lies, line) in self.met.items():
            self._place("arrangement", array, lies, line)
            seen, written = _core.reached(*_bounds(array))
            if seen and key in self._stored:
                raise CompileError(
                    "compile: numpy writes to an array whose memory a tensor shares, which the "
                    f"graph cannot follow (at {self._stored[key]}). Write to the tensor instead"
                )
            if key in self.doubted:
                self._compare(array, contents, written, line)

    def _compare(
        self, array: np.ndarray, contents: Snapshot | None, written: bool, line: str
    ) -> None:
        if contents is None:
            raise CompileError(
                f"compile: the contents of an array of numpy of {array.nbytes:,} bytes are used, "
                f"too many to be compared on every call (at {line}). Make a tensor of it with "
                "weft.from_numpy"
            )
        if written:
            raise CompileError(
                "compile: the contents of an array of numpy are used in another way than as a "
                f"tensor, and a tensor that shares its memory is changed (at {line}). Make a "
                "tensor of it with weft.from_numpy"
            )
        self._place("array", array, contents, line)

    def _place(self, kind: str, array: np.ndarray, expected: Snapshot, line: str) -> None:
        place = Place(kind, array, None, array, expected, "an array of numpy", line)
        self.watch.places[place.where()] = place


def _has_arrays(value: Any, depth: int = 3) -> bool:
    """Whether a value is an array, or a plain collection that holds some."""
    if isinstance(value, np.ndarray):
        return True
    if type(value) not in _HOLDERS or not depth:
        return False
    parts = value.values() if isinstance(value, dict) else value
    return any(_has_arrays(part, depth - 1) for part in parts)


def _bounds(array: np.ndarray) -> tuple[int, int]:
    """The first byte of an array, and one past the last."""
    low = array.__array_interface__["data"][0]
    high = low + array.itemsize
    for size, step in zip(array.shape, array.strides, strict=True):
        low, high = low + min((size - 1) * step, 0), high + max((size - 1) * step, 0)
    return low, high
