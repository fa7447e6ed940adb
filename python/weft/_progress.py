"""A progress bar that costs next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from time import perf_counter
from typing import Any, Generic, TextIO, TypeVar

T = TypeVar("T")


class Progress(Generic[T]):
    """Iterate over ``items`` and show how far it is.

    On a terminal one line is redrawn at most ten times a second; elsewhere a plain line is printed
    at every tenth of the way. Values given to :meth:`note` (numbers or 0-dim tensors) are read only
    when a line is drawn.

    Args:
        items: what to iterate over; a number n stands for ``range(n)``.
        label: the text in front.
        file: where to write, standard error by default.
        quiet: write nothing.

    Example:
        >>> import io
        >>> from weft._progress import Progress
        >>> out = io.StringIO()
        >>> for step in Progress(2, "demo", file=out):
        ...     pass
        >>> out.getvalue().splitlines()[-1].split("  ")[0]
        'demo 2/2'
    """

    def __init__(
        self,
        items: Iterable[T] | int,
        label: str = "",
        file: TextIO | None = None,
        quiet: bool = False,
    ) -> None:
        """Draw nothing yet."""
        self._items: Iterable[Any] = range(items) if isinstance(items, int) else items
        self._total = len(self._items) if isinstance(self._items, Sized) else 0
        self._label, self._file, self._quiet = label, file or sys.stderr, quiet
        self._terminal = self._file.isatty()
        self._done, self._notes = 0, dict[str, Any]()
        self._start = self._drawn = 0.0
        self._next_line = 0

    def note(self, **values: Any) -> None:
        """Show these values from now on."""
        self._notes.update(values)

    def __iter__(self) -> Iterator[T]:
        """Yield the items; a line is left behind at the end, also of a loop that breaks."""
        self._start = perf_counter()
        try:
            for item in self._items:
                yield item
                self._done += 1
                if not self._quiet and self._due():
                    self._draw()
        finally:
            self._close()

    def _due(self) -> bool:
        if not self._terminal:
            return self._done >= self._next_line
        return perf_counter() - self._drawn >= 0.1

    def _text(self) -> str:
        elapsed = perf_counter() - self._start
        count = f"{self._done}/{self._total}" if self._total else f"{self._done}"
        notes = "".join(f"  {name} {float(value):.4f}" for name, value in self._notes.items())
        return f"{self._label} {count}  {elapsed:.1f} s{notes}".strip()

    def _draw(self) -> None:
        self._drawn = perf_counter()
        if self._terminal:
            filled = 24 * self._done // self._total if self._total else 0
            self._file.write(f"\r\x1b[2K{'█' * filled}{'·' * (24 - filled)} {self._text()}")
        else:
            self._file.write(self._text() + "\n")
            stride = max(1, self._total // 10) if self._total else max(1, self._done)
            self._next_line = min(self._done + stride, self._total or self._done + stride)
        self._file.flush()

    def _close(self) -> None:
        if self._quiet:
            return
        if self._terminal:
            self._draw()
            self._file.write("\n")
            self._file.flush()
