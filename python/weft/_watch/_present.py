"""Which recording watches this thread: all that must be there before anything is compiled."""

from __future__ import annotations

from _thread import _local as _ThreadLocal  # importing threading takes longer than all of this
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weft._watch._watch import Watch


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


#: Stands for a value where there is none.
MISSING: Any = _Missing()


class _Local(_ThreadLocal):
    watch: Watch | None = None


local = _Local()


def current() -> Watch | None:
    """The watch of the recording that runs on this thread, if one does."""
    return local.watch
