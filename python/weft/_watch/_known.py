"""What is known of modules, types and callables that a recording meets."""

from __future__ import annotations

import array
import datetime
import decimal
import fractions
import io
import os
import pathlib
import random
import re
import sys
import sysconfig
import types
import uuid
from collections import deque
from functools import lru_cache
from types import FrameType
from typing import Any

import numpy as np

from weft._core import dtype as weft_dtype

_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep
_LIBRARY = tuple({sysconfig.get_path(p) + os.sep for p in ("stdlib", "platstdlib")})
_PACKAGES = tuple({sysconfig.get_path(p) + os.sep for p in ("purelib", "platlib")})
_NUMPY = os.path.dirname(np.__file__) + os.sep

#: Packages whose functions only report: they run while recording and not in the plan.
REPORTERS = {
    "logging",
    "loguru",
    "mlflow",
    "rich",
    "structlog",
    "tensorboard",
    "tensorboardX",
    "tqdm",
    "wandb",
    "warnings",
}
#: Methods of builtin collections that change them and tell nothing of what they hold.
MUTATORS = {"add", "append", "appendleft", "clear", "extend", "insert", "update", "__setitem__"}

#: Types whose objects never change, apart from numbers, strings and bytes.
CONSTANT = (
    np.dtype,
    np.generic,
    range,
    slice,
    re.Pattern,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    datetime.tzinfo,
    decimal.Decimal,
    fractions.Fraction,
    pathlib.PurePath,
    uuid.UUID,
    type(Ellipsis),
    type(NotImplemented),
    types.GenericAlias,
    types.UnionType,
    types.CodeType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
    np.ufunc,
    weft_dtype,
)
#: Collections of values, which are compared by what they contain.
COLLECTIONS = (list, set, frozenset, tuple, dict, deque, types.MappingProxyType)
#: Collections of numbers, which are compared by their bytes.
BYTES = (bytearray, array.array)
#: Objects that hold nothing which a result could depend on.
HARMLESS = (
    "_collections._tuplegetter",
    "collections._tuplegetter",
    "_thread.RLock",
    "_thread.lock",
    "functools._lru_cache_wrapper",
    "operator.attrgetter",
    "operator.itemgetter",
    "operator.methodcaller",
)

_BOUND = (types.BuiltinFunctionType, types.MethodType)
#: What weft's own code may show while a function is recorded.
SHOWN = {"print", "write"}

_PURE_MODULES = {
    "_bisect",
    "_collections",
    "_functools",
    "_heapq",
    "_json",
    "_operator",
    "_csv",
    "_datetime",
    "_decimal",
    "_hashlib",
    "_pickle",
    "_sre",
    "_struct",
    "array",
    "datetime",
    "decimal",
    "types",
    "weakref",
    "_weakref",
    "builtins",
    "cmath",
    "collections",
    "functools",
    "itertools",
    "math",
    "operator",
    "re",
    "string",
    "struct",
    "unicodedata",
    "zlib",
    "binascii",
    "_contextvars",
    "_abc",
    "_statistics",
    "_lsprof",
    "cProfile",
}
_CHANGING_MODULES = {"posix", "nt", "time", "_socket", "select", "_posixsubprocess", "_uuid"}
_STEADY_OF_SYS = {
    "_getframe",
    "exc_info",
    "getprofile",
    "getsizeof",
    "gettrace",
    "intern",
    "setprofile",
    "settrace",
}
#: Of ``_thread``: what tells threads apart, and what starts work that is not recorded.
_NAMES_THREAD = {"get_ident", "get_native_id"}
_OF_THREADS = _NAMES_THREAD | {"start_joinable_thread", "start_new_thread"}
_STEADY = {"fspath", "sleep", "sched_yield", "_path_normpath"}
_READING = {"read", "readline", "readlines", "read1", "readinto", "seek", "tell", "getvalue"}
_NOW = {"now", "today", "utcnow"}
_FRAMES = {"globals", "locals", "exec", "eval"}


@lru_cache(maxsize=4096)
def origin(file: str) -> str:
    """Whose code a file holds: ``weft``, ``numpy``, ``library`` or ``user``."""
    if file.startswith(_OWN):
        return "weft"
    if file.startswith(_NUMPY):
        return "numpy"
    if file.startswith(_PACKAGES):
        return "user"
    if file.startswith(_LIBRARY) or file.startswith("<frozen "):
        return "library"
    return "user"


def place_in(file: str, line: int) -> str:
    """``file:line``, without the folders."""
    name = file.replace("\\", "/").rpartition("/")[2]
    return f"{name}:{line}"


def module_origin(name: str | None) -> str:
    """Whose a module is, by its name."""
    root = (name or "").partition(".")[0]
    if root in ("weft", "numpy"):
        return root
    return "library" if root in sys.stdlib_module_names else "user"


def verdict(function: Any, owner: Any) -> str:
    """What calling something that is no Python function means for a recording.

    Returns:
        ``pure``, ``changes`` (the world outside decides), ``reports`` (an effect that a plan
        does not repeat), ``mutates`` (changes ``owner``, a builtin collection), ``frames``
        (hands out all names of a scope), or ``unknown``.
    """
    name = getattr(function, "__name__", "")
    if isinstance(owner, (list, dict, set)) or type(owner).__name__ == "deque":
        return "mutates" if name in MUTATORS else "pure"
    if isinstance(owner, random.Random):
        return "changes"
    kind = type(owner)
    if owner is not None and not isinstance(owner, types.ModuleType):
        if kind.__module__.startswith("numpy.random"):
            return "changes"
        if kind.__module__ in ("_io", "io"):
            return "changes" if name in _READING else "reports"
        if isinstance(owner, type) and issubclass(owner, datetime.date) and name in _NOW:
            return "changes"
    return _by_module(function, owner, name)


def _by_module(function: Any, owner: Any, name: str) -> str:
    module = getattr(function, "__module__", None)
    if module is None:
        kind = owner if isinstance(owner, type) else type(owner)
        module = kind.__module__
    if module == "builtins":
        if name in ("print", "breakpoint"):
            return "reports"
        if name in _FRAMES:
            return "frames"
        return "changes" if name in ("input", "open") else "pure"
    if module in ("io", "_io", "_queue"):
        return "reports" if name == "put" else "changes"
    if module == "_thread":
        return "changes" if name in _OF_THREADS else "pure"
    if module in _CHANGING_MODULES:
        return "pure" if name in _STEADY else "changes"
    if module.startswith("numpy.random"):
        return "changes"
    if module == "sys":
        return "pure" if name in _STEADY_OF_SYS else "unknown"
    if module in _PURE_MODULES or module_origin(module) in ("weft", "numpy"):
        return "pure"
    return "unknown"


def is_own_use(function: Any, caller: types.CodeType) -> bool:
    """Whether the standard library only keeps its own threads apart."""
    name = getattr(function, "__name__", "")
    return name in _NAMES_THREAD and caller.co_name != "current_thread"


def is_iterator(value: Any) -> bool:
    """Whether a value yields other things each time it is asked. Files are seen when read."""
    return hasattr(type(value), "__next__") and not isinstance(value, io.IOBase)


def is_random(value: Any) -> bool:
    """Whether a value is a generator of numpy's random numbers, or draws from one."""
    owner = value.__self__ if isinstance(value, _BOUND) else None
    kinds = (type(value), type(owner))
    return any(str(kind.__module__).startswith("numpy.random") for kind in kinds)


def frame_of_user() -> FrameType | None:
    """The innermost frame that is neither weft's nor the library's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and origin(frame.f_code.co_filename) != "user":
        frame = frame.f_back
    return frame


def line_of_user() -> str:
    """``file:line`` of that frame."""
    frame = frame_of_user()
    if frame is None:
        return "unknown"
    return place_in(frame.f_code.co_filename, frame.f_lineno)
