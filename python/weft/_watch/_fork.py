"""Forks: a child has none of its parent's other threads, so none of their recordings either."""

from __future__ import annotations

from weft._watch import _calls, _classes, _quiet
from weft._watch._present import local

_LOCKS = (_quiet.lock, _calls.lock, _classes.lock)


def before() -> None:
    """Wait until no other thread starts or stops watching."""
    for lock in _LOCKS:
        lock.acquire()


def after_in_parent() -> None:
    """Let them go on."""
    for lock in reversed(_LOCKS):
        lock.release()


def after_in_child() -> None:
    """Forget what the other threads watched."""
    mine = local.watch
    _classes.keep_only(mine)
    _calls.Monitor.keep_only(mine)
    _quiet.keep_only(mine)
    after_in_parent()
