"""Plain text tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[str]]) -> str:
    """Rows of text with aligned columns: the first to the left, the others to the right.

    Example:
        >>> from weft._cli.table import table
        >>> print(table([("", "eager"), ("accuracy", "81.5 %")]))
                    eager
        accuracy   81.5 %
    """
    rows = [tuple(row) for row in rows]
    columns = max(map(len, rows), default=0)
    rows = [(*row, *[""] * (columns - len(row))) for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(columns)]
    return "\n".join(
        "   ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
