"""Garbage collection is off while any thread records: it would run foreign callbacks."""

from __future__ import annotations

import gc
import threading

lock = threading.RLock()
_users = 0
_was_on = False


def enter() -> None:
    """A recording begins."""
    global _users, _was_on
    with lock:
        if _users == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _users += 1


def leave() -> None:
    """A recording ends; the last one puts things back."""
    global _users
    with lock:
        _users -= 1
        if _users == 0 and _was_on:
            gc.enable()


def keep_only(watch: object | None) -> None:
    """In the child of a fork: only ``watch``, if it is one, still records."""
    global _users
    if _users and watch is None and _was_on:
        gc.enable()
    _users = 0 if watch is None else 1
