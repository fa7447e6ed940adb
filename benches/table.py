"""The table that ``python -m benches`` prints."""

from benches.timing import COLUMNS, COMPILED, EAGER, JAX, NUMPY, STATIC, TORCH, Timed

#: Heads of the ratio columns: whose time is divided by whose.
RATIOS = {
    "eager/numpy": (EAGER, NUMPY),
    "eager/torch": (EAGER, TORCH),
    "static/torch": (STATIC, TORCH),
    "static/tc": (STATIC, COMPILED),
    "eager/jax": (EAGER, JAX),
    "static/jax": (STATIC, JAX),
}
NAME = 46


def number(value: float | None) -> str:
    """Three digits or more."""
    if value is None:
        return ""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def ratios(row: Timed) -> dict[str, float]:
    """Weft's time over the peers', where both are known."""
    values = row.values
    return {
        head: values[ours] / values[theirs]
        for head, (ours, theirs) in RATIOS.items()
        if ours in values and theirs in values and values[theirs] > 0
    }


class Table:
    """Lines of fixed width, printed as the results come in."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = [name for name in COLUMNS if name in columns]
        self.ratios = [h for h, pair in RATIOS.items() if all(c in self.columns for c in pair)]
        self.notes: list[str] = []
        self.wrong: list[str] = []

    def head(self) -> str:
        names = [f"{name:>14}" for name in [*self.columns, *self.ratios]]
        return f"{'workload':<{NAME}}{'':>3}{''.join(names)}  same"

    def line(self, row: Timed) -> str:
        """One row; its notes are kept for the end."""
        cells = [number(row.values.get(name)) for name in self.columns]
        found = ratios(row)
        cells += [f"{found[head]:.3f}" if head in found else "" for head in self.ratios]
        same = {True: "yes", False: "NO", None: ""}[row.agree]
        if row.agree is False:
            self.wrong.append(row.name)
        self.notes += [f"{row.name}: {note}" for note in row.notes]
        body = "".join(f"{cell:>14}" for cell in cells)
        return f"{row.name:<{NAME}}{row.unit:>3}{body}  {same}".rstrip()
