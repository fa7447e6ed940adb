"""What a function calls that is not Python, and what a plan will not repeat."""

from __future__ import annotations

import io
from types import FrameType
from typing import TYPE_CHECKING, Any

from weft import _core
from weft._core import CompileError
from weft._watch import _known
from weft._watch._known import frame_of_user

if TYPE_CHECKING:
    from weft._watch._watch import Watch

#: What weft's own functions tell that is set outside, in words.
_SETTINGS = {"get_num_threads": "number of threads", "initial_seed": "seed of the random stream"}


class Effects:
    """Sentences on calls for one :class:`Watch`, each with its line.

    Attributes:
        seen: effects that happen while recording and not when the plan runs.
        changes: changes of older collections, names and objects.
        unknown: calls and objects that nobody knows.
    """

    def __init__(self, watch: Watch) -> None:
        """Nothing was called."""
        self.watch = watch
        self.seen: dict[str, None] = {}
        self.changes: dict[str, None] = {}
        self.unknown: dict[str, None] = {}
        self._showing: tuple[int, int] | None = None
        self._judged: set[tuple[Any, ...]] = set()

    def called(self, function: Any, owner: Any, frame: FrameType) -> None:
        """Something that is no Python function is called."""
        if self.watch.quiet is not None:
            return
        whose = _known.origin(frame.f_code.co_filename)
        if whose == "numpy":
            return
        if whose == "weft" and getattr(function, "__name__", "") not in _known.SHOWN:
            return
        if whose == "user" and (text := _SETTINGS.get(getattr(function, "__name__", ""))):
            self.watch.place("called", _core, function.__name__, function(), text)
        if isinstance(owner, (io.StringIO, io.BytesIO)) and not self.watch.knows(owner):
            return
        judged = (getattr(function, "__qualname__", None), type(owner), whose, frame.f_lineno)
        if judged in self._judged and not isinstance(owner, _known.COLLECTIONS):
            return
        self._judged.add(judged)
        if whose == "library" and _known.is_own_use(function, frame.f_code):
            return
        verdict = _known.verdict(function, owner)
        if verdict != "pure":
            self._judge(verdict, function, owner, whose)

    def _judge(self, verdict: str, function: Any, owner: Any, whose: str) -> None:
        name = getattr(function, "__name__", repr(function))
        if verdict == "reports":
            frame = frame_of_user()
            self._showing = (id(frame), frame.f_lasti if frame is not None else 0)
            self.reports(f"{name} is called")
        elif verdict == "mutates":
            if ~id(owner) in self.watch.known or id(owner) in self.watch.known:
                what = f"a {type(owner).__name__} is changed by .{name}()"
                self.changes[f"{what} (at {self.watch.line()})"] = None
        elif whose == "weft":
            return
        elif verdict == "changes":
            self._stop(
                f"{name}() gives what the world outside decides, and a plan would repeat one "
                f"answer for ever (at {self.watch.line()}). Call it outside and pass the result as "
                "an argument"
            )
        elif verdict == "frames":
            self._stop(
                f"{name}() reaches names that cannot be watched (at {self.watch.line()}). Read the "
                "name itself"
            )
        elif whose == "user":
            module = getattr(function, "__module__", None) or type(owner).__module__
            self.suspects(f"{module}.{name}() is called", None)

    def _stop(self, sentence: str) -> None:
        self.watch.refuse(sentence)
        raise CompileError(f"compile: {sentence}")

    def shows(self) -> None:
        """The text of a tensor is made: what is shown is an effect, what is kept is a value."""
        frame = frame_of_user()
        is_shown = frame is not None and self._showing == (id(frame), frame.f_lasti)
        if self.watch.quiet is None and not is_shown:
            self._stop(
                "the text of a tensor is made, of the values that it has now, and a plan would "
                f"repeat it for ever (at {self.watch.line()}). Print the tensor itself, or return "
                "it and make the text outside"
            )

    def reports(self, what: str) -> None:
        """An effect that happens while recording and not when the plan runs."""
        self.seen[f"{what} (at {self.watch.line()})"] = None

    def suspects(self, what: str, line: str | None) -> None:
        """Something that nobody knows was called or read."""
        self.unknown[f"{what} (at {line or self.watch.line()})"] = None
