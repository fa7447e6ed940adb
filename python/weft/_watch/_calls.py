"""Seeing which functions run while a function is recorded.

From Python 3.12 on this is a tool of ``sys.monitoring``, which leaves profilers, debuggers and
coverage tools alone. On 3.11 it takes the place of a running profiler for as long as the recording
takes, and puts the profiler back.
"""

from __future__ import annotations

import sys
import threading
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FrameType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

from weft._core import CompileError
from weft._watch._known import origin
from weft._watch._present import local

if TYPE_CHECKING:
    from weft._watch._watch import Watch

lock = threading.RLock()
#: Python functions have events of their own; slots are reached by syntax too, without an event.
_SEEN_OTHERWISE = (FunctionType, MethodType, WrapperDescriptorType, MethodWrapperType)
_NATIVE = (BuiltinFunctionType, MethodDescriptorType, ClassMethodDescriptorType)


class Profile:
    """The watch of Python 3.11: a profile function of this thread.

    A profiler has to be paused and resumed in one frame, or what it sees is not balanced: so
    :meth:`Watch.run` puts ``function`` and ``before`` in place.
    """

    def __init__(self, watch: Watch) -> None:
        """Nothing is watched before :meth:`start`."""
        self.watch = watch
        self.function: Any = self._event
        self.before: Any = None
        self.native: Any = None
        self.kept = True
        self.looking = False

    def start(self) -> None:
        """Pause a profiler that is no Python function."""
        self.before = sys.getprofile()
        if hasattr(self.before, "disable"):
            self.native, self.before = self.before, None
            self.native.disable()

    def stop(self) -> bool:
        """Let it go on; whether the function left our watch in place."""
        if self.native is not None:
            self.native.enable()
        return self.kept

    def pause(self) -> None:
        """See no calls for a while, unless the function has put its own profiler in place."""
        self.looking = sys.getprofile() is self.function
        if self.looking:
            sys.setprofile(None)

    def resume(self) -> None:
        """See calls again."""
        if self.looking:
            sys.setprofile(self.function)

    def _event(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            self.watch.entered(frame)
        elif event == "return":
            self.watch.left(frame)
        elif event == "c_call":
            if arg is sys.setprofile and origin(frame.f_code.co_filename) != "weft":
                self.kept = False
            self.watch.effects.called(arg, getattr(arg, "__self__", None), frame)


class Monitor:
    """The watch from Python 3.12 on: one tool for all recordings, by thread."""

    _tool: int | None = None
    _users = 0

    def __init__(self, watch: Watch) -> None:
        """Nothing is watched before :meth:`start`."""
        self.watch = watch

    def start(self) -> None:
        """Register the tool, if this is the first recording."""
        with lock:
            if Monitor._users == 0:
                Monitor._tool = _register()
            Monitor._users += 1

    def stop(self) -> bool:
        """Take the tool away after the last recording."""
        with lock:
            Monitor._users -= 1
            Monitor._free()
        return True

    def pause(self) -> None:
        """Nothing: events of a thread that does not watch are passed over."""

    def resume(self) -> None:
        """Nothing."""

    @classmethod
    def _free(cls) -> None:
        if cls._users == 0 and cls._tool is not None:
            monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
            monitoring.set_events(cls._tool, 0)
            monitoring.free_tool_id(cls._tool)
            cls._tool = None

    @classmethod
    def keep_only(cls, watch: Watch | None) -> None:
        """In the child of a fork: only ``watch``, if it is one, still records."""
        cls._users = 0 if watch is None or cls._tool is None else 1
        cls._free()


def _register() -> int:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
    free = [number for number in (4, 3, 1, 0, 2, 5) if monitoring.get_tool(number) is None]
    if not free:
        raise CompileError(
            "compile: cannot record, all tools of sys.monitoring are in use. Stop a profiler, "
            "debugger or coverage tool"
        )
    tool, events = free[0], monitoring.events
    monitoring.use_tool_id(tool, "weft")
    for event, callback in (
        (events.PY_START, _entered),
        (events.PY_RESUME, _entered),
        (events.PY_RETURN, _left),
        (events.PY_UNWIND, _left),
        (events.CALL, _called),
    ):
        monitoring.register_callback(tool, event, callback)
    monitoring.set_events(
        tool,
        events.PY_START | events.PY_RESUME | events.PY_RETURN | events.PY_UNWIND | events.CALL,
    )
    return int(tool)


def _entered(_code: Any, _offset: int) -> None:
    watch = local.watch
    if watch is not None:
        watch.entered(sys._getframe(1))


def _left(_code: Any, _offset: int, _value: Any) -> None:
    watch = local.watch
    if watch is not None:
        watch.left(sys._getframe(1))


def _called(_code: Any, _offset: int, function: Any, first: Any) -> None:
    watch = local.watch
    kind = type(function)
    if watch is None or kind in _SEEN_OTHERWISE or isinstance(function, type):
        return
    if isinstance(getattr(kind, "__call__", None), FunctionType):  # noqa: B004 (its event follows)
        return
    if kind.__module__.partition(".")[0] == "weft":
        return
    owner = None
    if kind in _NATIVE:
        # Other objects are not asked: that would count as a read of theirs.
        owner = getattr(function, "__self__", None)
        if owner is None and hasattr(function, "__objclass__"):
            owner = first
    watch.effects.called(function, owner, sys._getframe(1))


def calls(watch: Watch) -> Profile | Monitor:
    """What sees the calls on this version of Python."""
    return Monitor(watch) if sys.version_info >= (3, 12) else Profile(watch)
