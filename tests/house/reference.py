"""The page ``docs/reference.md``: what is known of each public function."""

import inspect
import re
import sys
from typing import Any

from weft import _core
from weft._public import FUNCTIONS, METHODS, Entry

INFO = {info.name: info for info in _core.op_table()}

HEAD = """# Functions

Written by `make generate` from the declarations in `python/weft/ops` and the table of operations.

A function that is one operation says which dtypes this takes, whether it has a gradient (zero:
piecewise constant; none: an error says why), and by how many units in the last place it may err
in float32 where no terms cancel. *Fused* functions are merged with their neighbours in compiled
functions. The others are made of operations, and take and give what those do. *In place* is the
method of `Tensor` that writes the result over its first operand; `F` is `weft.nn.functional`.
Arguments, errors and examples stand in the docstrings.
"""
COLUMNS = ("function", "what", "where", "in place", "dtypes", "gradient", "ulps", "fused")


def signature(entry: Entry) -> str:
    """The names of arguments, with defaults."""
    found = inspect.signature(entry.function)
    plain = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    return f"{entry.name}{found.replace(parameters=plain, return_annotation=found.empty)}"


def summary(entry: Entry) -> str:
    """The first sentences of the docstring, as Markdown."""
    doc = inspect.getdoc(entry.function) or ""
    text = doc.split("\n\n")[0].replace("\n", " ")
    text = re.sub(r":func:`(\w+)`", r"`\1`", text).replace("``", "`")
    return text.replace("|", "\\|")


def gradient(info: Any) -> str:
    """Whether some input of an operation has one; if none has, why."""
    found = [word for word in info.gradients if word != "nothing"]
    for word in ("yes", "zero"):
        if word in found:
            return word
    return f"none: {found[0]}" if found else "none"


def facts(name: str) -> list[str]:
    """Dtypes, gradient, error and fusion of an operation."""
    info = INFO.get(name)
    if info is None:
        return ["", "", "", ""]
    fused = "yes" if info.kind == "pointwise" else ""
    return [" ".join(info.dtypes), gradient(info), f"{info.ulps:g}", fused]


def row(entry: Entry) -> str:
    """The line of one function."""
    where = ", ".join(place.replace("nn.functional", "F") for place in entry.where)
    inplace = f"`{entry.name}_`" if entry.name + "_" in METHODS else ""
    where += ", method" if entry.method else ""
    cells = [f"`{signature(entry)}`", summary(entry), where, inplace, *facts(entry.name)]
    return "| " + " | ".join(cells) + " |"


def section(module: Any, entries: list[Entry]) -> str:
    """The functions of one file."""
    names = {entry.name: [] for entry in entries if entry.original is None}
    for entry in entries:
        if entry.original is not None:
            names[entry.original].append(entry.name)
    lines = [row(entry) for entry in entries if entry.original is None]
    other = ", ".join(f"`{a}` = `{n}`" for n, many in names.items() for a in many)
    title = module.__name__.rpartition(".")[2]
    doc = inspect.getdoc(module).split("\n\n")[0].replace("\n", " ").replace("``", "`")
    head = "| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS)
    parts = [f"## {title}", f"`python/weft/ops/{title}.py`. {doc}", head + "\n" + "\n".join(lines)]
    return "\n\n".join(parts + ([f"Other names: {other}."] if other else []))


def page() -> str:
    """The text of the page."""
    files: dict[str, list[Entry]] = {}
    for entry in FUNCTIONS.values():
        files.setdefault(entry.function.__module__, []).append(entry)
    sections = [section(sys.modules[name], files[name]) for name in sorted(files)]
    return HEAD + "\n" + "\n\n".join(sections) + "\n"
