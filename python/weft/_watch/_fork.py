"""Forks: a child has none of its parent's other threads, so none of their recordings either."""

from __future__ import annotations

import os

from weft._watch import _calls, _classes, _quiet
from weft._watch._present import local

_LOCKS = (_quiet.lock, _calls.lock, _classes.lock)


def _before() -> None:
    for lock in _LOCKS:
        lock.acquire()


def _after_in_parent() -> None:
    for lock in reversed(_LOCKS):
        lock.release()


def _after_in_child() -> None:
    mine = local.watch
    _classes.keep_only(mine)
    _calls.Monitor.keep_only(mine)
    _quiet.keep_only(mine)
    _after_in_parent()


def register() -> None:
    """Have Python call these around every fork. Called once."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
        )
