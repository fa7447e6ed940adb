"""Writes what follows from the register of public names: ``python -m tests.house.generate``.

* the ``__all__`` of each file of ``weft.ops``: what ``weft`` exports of it;
* ``weft/functional.py``: what ``weft.nn.functional`` exports;
* ``weft/_tensor.pyi``: the methods of ``Tensor`` that are written in Python;
* ``docs/reference.md``: what is known of each public function.

``tests/house/test_generated.py`` fails if running it would change anything.
"""

import ast
import inspect
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.house import reference
from tests.house.source import ROOT, files

from weft._public import FUNCTIONS, METHODS, Entry

WEFT = ROOT / "python/weft"
NOTE = "Written by ``make generate``."


def wrapped(names: list[str], indent: str = "    ") -> str:
    """Quoted names, as many to a line as fit."""
    text = " ".join(f'"{name}",' for name in names)
    return "\n".join(textwrap.wrap(text, 98, initial_indent=indent, subsequent_indent=indent))


def exports(names: list[str]) -> str:
    """The assignment of ``__all__``."""
    if not names:
        return "__all__: list[str] = []"
    one = "__all__ = [" + ", ".join(f'"{name}"' for name in sorted(names)) + "]"
    return one if len(one) <= 100 else f"__all__ = [\n{wrapped(sorted(names))}\n]  # fmt: skip"


def home(entry: Entry) -> Path:
    """The file that declares a function."""
    return WEFT.parent / Path(*entry.function.__module__.split(".")).with_suffix(".py")


def declared(path: Path, where: str) -> list[str]:
    """The names that a file declares for a module."""
    return [e.name for e in FUNCTIONS.values() if home(e) == path and where in e.where]


def subjects() -> dict[Path, str]:
    """The files of ``weft.ops`` with their ``__all__``."""
    out = {}
    for path in files(".py", under="python/weft/ops"):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            target = getattr(node, "target", None) or getattr(node, "targets", [None])[0]
            if getattr(target, "id", None) == "__all__":
                lines = text.splitlines()
                lines[node.lineno - 1 : node.end_lineno] = [exports(declared(path, "weft"))]
                out[path] = "\n".join(lines) + "\n"
    return out


def functional() -> str:
    """The text of ``weft/functional.py``."""
    imports, every = [], []
    for path in files(".py", under="python/weft/ops"):
        names = sorted(declared(path, "nn.functional"))
        if names:
            line = f"from weft.ops.{path.stem} import {', '.join(names)}"
            if len(line) > 100:
                listed = "".join(f"    {name},\n" for name in names)
                line = f"from weft.ops.{path.stem} import (\n{listed})"
            imports.append(line)
            every += names
    doc = f'"""Functions of ``weft.nn.functional``, by subject in ``weft.ops``. {NOTE}"""'
    return "\n\n".join([doc, "\n".join(imports), exports(every)]) + "\n"


class Builtins(ast.NodeTransformer):
    """Names that mean methods inside the class ``Tensor``."""

    HIDDEN = ("int", "float", "bool", "dtype")

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Name the type by its other name."""
        return ast.Name(f"_{node.id}" if node.id in self.HIDDEN else node.id)


def definitions(function: Any) -> list[ast.FunctionDef]:
    """The definition of a function in its file, after its overloads."""
    tree = ast.parse(Path(function.__code__.co_filename).read_text(encoding="utf-8"))
    name = function.__code__.co_name
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    assert found, function
    return found


def signature(name: str, node: ast.FunctionDef) -> str:
    """One line of a stub, with ``self`` first."""
    node = Builtins().visit(ast.parse(ast.unparse(node)).body[0])
    args = [*node.args.posonlyargs, *node.args.args]
    args[0].arg, args[0].annotation = "self", None
    for default in [*node.args.defaults, *node.args.kw_defaults]:
        assert default is None or not isinstance(default, ast.Call), name
    return f"def {name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}:"


def method(name: str, function: Any) -> str:
    """The declaration of one method."""
    doc = inspect.getdoc(function).split("\n\n")[0].replace("\n", " ")
    if function.__code__.co_name == "inplace":
        origin = FUNCTIONS[name.removesuffix("_")].function
        node = definitions(origin)[-1]
        node.args.kwonlyargs, node.args.kw_defaults = [], []
        nodes = [node]
    else:
        nodes = definitions(function)
    if len(nodes) > 1:
        nodes = nodes[:-1]
    out = []
    for node in nodes:
        if len(nodes) > 1:
            out.append("@overload")
        out.append(signature(name, node) + (" ..." if node is not nodes[-1] else ""))
    return "\n".join(out) + "\n" + textwrap.indent(f'r"""{doc}"""', "    ")


HEAD = f'''"""The methods of ``Tensor`` that are written in Python. {NOTE}"""

from builtins import bool as _bool
from builtins import float as _float
from builtins import int as _int
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from weft._core import Tensor
from weft._core import dtype as _dtype
from weft._types import Dims, Number, Operand
from weft.ops.reduce import Extreme

class Methods:
'''


def formatted(text: str, name: str) -> str:
    """Python as ruff lays it out."""
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "format", "--stdin-filename", name, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def stub() -> str:
    """The text of ``weft/_tensor.pyi``."""
    named = {n: f for n, f in METHODS.items() if inspect.isfunction(f) and n[:2] != "__"}
    methods = [textwrap.indent(method(name, named[name]), "    ") for name in sorted(named)]
    return formatted(HEAD + "\n".join(methods), "_tensor.pyi")


def outputs() -> dict[Path, str]:
    """All generated files and what they must hold."""
    return {
        **subjects(),
        WEFT / "functional.py": functional(),
        WEFT / "_tensor.pyi": stub(),
        ROOT / "docs/reference.md": reference.page(),
    }


def main() -> None:
    """Write what has changed."""
    for path, text in outputs().items():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print("wrote", path.relative_to(ROOT))


if __name__ == "__main__":
    main()
