"""Seeing which attributes of objects are read and written while a function is recorded.

A class gets a ``__getattribute__`` and a ``__setattr__`` of our own for as long as some thread
records and has met one of its objects; they report to the recording of the calling thread only.
At all other times the class is as its author wrote it.
"""

from __future__ import annotations

import threading
from types import FunctionType
from typing import TYPE_CHECKING, Any

from weft._watch._present import MISSING, local

if TYPE_CHECKING:
    from weft._watch._watch import Watch


lock = threading.RLock()
#: Patched methods by class and name: what stood in the class's own dictionary, and who wants it.
_patched: dict[tuple[type, str], tuple[Any, set[int]]] = {}
_ABSENT: Any = object()


def _asked(plain: Any, owner: Any, name: str) -> Any:
    try:
        return plain(owner, name)
    except AttributeError:
        return MISSING


def _reader(plain: Any) -> Any:
    def __getattribute__(self: Any, name: str) -> Any:
        watch = local.watch
        if watch is None or id(self) not in watch.known or (id(self), name) in watch.seen:
            return plain(self, name)
        watch.pause()
        if watch.attributes.approach(self, name) or plain is not object.__getattribute__:
            watch.resume()
            value = _asked(plain, self, name)
            watch.pause()
        else:
            value = _asked(plain, self, name)
        watch.attributes.read(self, name, value)
        watch.resume()
        # Asked again, so that the error is the class's own.
        return plain(self, name) if value is MISSING else value

    __getattribute__._weft_plain = plain  # type: ignore[attr-defined]
    return __getattribute__


def _writer(plain: Any) -> Any:
    def __setattr__(self: Any, name: str, *value: Any) -> None:
        watch = local.watch
        if watch is not None and id(self) in watch.known:
            watch.attributes.writes(self, name)
        plain(self, name, *value)

    __setattr__._weft_plain = plain  # type: ignore[attr-defined]
    return __setattr__


_WRAPS = {"__getattribute__": _reader, "__setattr__": _writer, "__delattr__": _writer}


def is_watching(function: Any) -> bool:
    """Whether a method is ours, put in place for a while."""
    return isinstance(function, FunctionType) and hasattr(function, "_weft_plain")


def patch(kind: type, watch: Watch) -> bool:
    """Watch the objects of ``kind`` for ``watch``; False where the class does not allow it."""
    with lock:
        try:
            for name in _WRAPS:
                _want(kind, name, watch)
        except (TypeError, AttributeError):
            return False
    return True


def _want(kind: type, name: str, watch: Watch) -> None:
    plain, owner = getattr(kind, name), kind
    if is_watching(plain):
        owner = next(base for base in kind.__mro__ if (base, name) in _patched)
    else:
        before = vars(kind).get(name, _ABSENT)
        setattr(kind, name, _WRAPS[name](plain))
        _patched[kind, name] = (before, set())
    _patched[owner, name][1].add(id(watch))


def release(watch: Watch) -> None:
    """Take off what nobody watches any more."""
    with lock:
        for (kind, name), (before, wanted) in list(_patched.items()):
            wanted.discard(id(watch))
            if not wanted:
                _take_off(kind, name, before)


def keep_only(watch: Watch | None) -> None:
    """In the child of a fork: only ``watch``, if it is one, still records."""
    for (kind, name), (before, wanted) in list(_patched.items()):
        wanted.intersection_update(() if watch is None else (id(watch),))
        if not wanted:
            _take_off(kind, name, before)


def _take_off(kind: type, name: str, before: Any) -> None:
    del _patched[kind, name]
    if before is _ABSENT:
        delattr(kind, name)
    else:
        setattr(kind, name, before)
