"""Imports point down only.

Rust: every ``crate::…``, ``weft_kernels::…``, ``weft_core::…`` and ``pyo3`` in the code, not
only in ``use`` lines. Python: every import of ``weft``, also those inside functions.
"""

import ast
import re

import pytest
from tests.house.source import ROOT, files, name, rust, rust_files

KERNELS, CORE, DOOR = "rust/kernels/src", "rust/core/src", "rust/py/src"

#: What code on the ground may use of its own crate.
GROUND = {
    "dtype",
    "half",
    "complex",
    "shape",
    "layout",
    "buffer",
    "memory",
    "cpu",
    "threads",
    "fork",
}

#: What each module of the core may use of the core.
BASE = {"error", "ensure", "fact"}
GRAPH = BASE | {"op", "site", "graph"}
#: What computes at once tells `listen` what it does, and does not know who hears it.
TENSOR = BASE | {"mode", "listen", "tape"}
EAGER = TENSOR | {"op", "tensor", "writers"}
RECORD = GRAPH | {"tensor", "tape", "mode", "listen"}
EXECUTABLE = RECORD - {"listen"} | {"record", "random", "pass", "exec", "executable"}
CORE_MAY_USE = {
    "error": BASE,
    "fact": BASE,
    "op": BASE | {"op"},
    "site": BASE,
    "graph": GRAPH,
    "mode": BASE,
    "writers": BASE,
    "listen": BASE | {"op", "site", "tensor", "mode"},
    "tensor": TENSOR,
    "eager": EAGER,
    "tape": EAGER | {"eager", "site"},
    "record": RECORD,
    "random": BASE | {"op", "listen", "tensor", "eager"},
    "pass": GRAPH | {"pass"},
    "exec": GRAPH | {"exec"},
    "feed": BASE | {"tensor"},
    "executable": EXECUTABLE,
    "lib": EXECUTABLE,
}

#: Files of the core that tell what happens to tensors; `record` listens.
TELL = {"eager", "tensor", "random", "tape"}

#: Kernel modules that compute nothing. Others may be called by operations, eager execution and
#: the executor only; `fill` writes the one number of a folded constant.
PLAIN = {"dtype", "shape", "layout", "buffer"}
KERNELS_MAY_USE = {"graph": PLAIN, "tape": PLAIN, "record": PLAIN, "pass": PLAIN | {"fill"}}

#: Operations that passes and executor may name: those that they make, and views and constants,
#: which are no kernel calls.
NAMED = {"pass": {"Create", "Chain"}, "exec": {"Create", "View", "Cast"}, "graph": {"Create"}}


def module(path, top):
    """The first part of a file's place in its crate."""
    return path.relative_to(ROOT / top).parts[0].removesuffix(".rs")


def used(code, crate):
    """Modules of a crate that are named: ``crate::a::b``, ``crate::{a, b::c}``."""
    found = set(re.findall(rf"\b{crate}::(?:r#)?([a-z_]+)", code))
    for group in re.findall(rf"\b{crate}::\{{([^;]*?)\}};", code):
        flat = re.sub(r"\{[^{}]*\}", "", group)
        found |= {part.strip().split("::")[0] for part in flat.split(",")}
    return {word for word in found if re.fullmatch(r"[a-z_]+", word)} - {"self"}


def params(top):
    paths = rust_files(top)
    assert len(paths) > 5
    return pytest.mark.parametrize("path", paths, ids=name)


@params(KERNELS)
def test_kernels_know_no_operations_and_no_python(path):
    code = rust(path)
    assert not re.search(r"\b(weft_core|pyo3)\b", code)
    if module(path, KERNELS) in GROUND:
        assert used(code, "crate") <= GROUND


@params(CORE)
def test_core_points_down(path):
    code, here = rust(path), module(path, CORE)
    assert not re.search(r"\bpyo3\b", code)
    assert here in CORE_MAY_USE, "a new module: say above what it may use"
    assert used(code, "crate") <= CORE_MAY_USE[here]


def test_only_what_changes_tensors_tells_listeners():
    telling = {
        module(path, CORE) for path in rust_files(CORE) if "listen" in used(rust(path), "crate")
    }
    assert telling == TELL | {"record"}


@params(CORE)
def test_graphs_and_passes_call_no_kernels(path):
    code, here = rust(path), module(path, CORE)
    if here in KERNELS_MAY_USE:
        assert used(code, "weft_kernels") <= KERNELS_MAY_USE[here]


@params(CORE)
def test_passes_and_executor_name_no_operations(path):
    code, here = rust(path), module(path, CORE)
    if here in NAMED:
        assert set(re.findall(r"\bOp::([A-Z]\w*)", code)) <= NAMED[here]
        assert not re.search(r"\brows::[A-Z]", code), "a row is named"


def test_only_the_door_knows_python():
    for path in files(".toml", under="rust"):
        if path.parent.name != "py":
            assert "pyo3" not in path.read_text(encoding="utf-8"), name(path)


#: Files of the door that make shapes or layouts, and of what; all others have `convert` read them.
SHAPES = {
    "convert.rs": "sizes that Python names",
    "index.rs": "the items of x[...], followed from view to view",
    "foreign.rs": "arrays of numpy",
    "data.rs": "one element of a tensor",
}


@params(DOOR)
def test_the_door_computes_no_shapes(path):
    made = re.findall(
        r"\bShape::(?:new|try_new|SCALAR)\b|\.product\(|\bshape\w*\[[^]]*\] *=[^=]", rust(path)
    )
    assert bool(made) == (path.name in SHAPES), made


def test_core_forbids_unsafe_code():
    assert "#![forbid(unsafe_code)]" in (ROOT / CORE / "lib.rs").read_text(encoding="utf-8")


def test_unsafe_blocks_say_why():
    """``// SAFETY:`` within the lines above every ``unsafe`` block and implementation."""
    silent = []
    for path in rust_files(KERNELS) + rust_files(DOOR):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.search(r"\bunsafe (\{|impl)", line.split("//")[0]):
                above = "\n".join(lines[max(0, number - 8) : number + 2])
                if "SAFETY" not in above:
                    silent.append(f"{name(path)}:{number + 1}")
    assert not silent


# Python

#: Floors within ``python/weft``; a module imports those below or beside it.
ROOMS = [
    {"_core", "_types", "_tensor"},
    {"_public"},
    {"_check"},
    {"ops", "_host", "_live", "_indexing", "_repr", "autograd", "sparse", "_methods", "_watch",
     "_compile", "_progress"},
    {"functional", "nn"},
    {"optim"},
    {"utils", "datasets"},
    {"_cli", "__main__"},
]  # fmt: skip
PLACE = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}


def imports(path):
    """Rooms of ``weft`` that a file imports."""
    own = path.relative_to(ROOT / "python/weft").parts[0].removesuffix(".py")
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno} imports relatively"
            parts = (node.module or "").split(".")
            if parts[0] == "weft":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {parts[1] for parts in names if parts[0] == "weft" and len(parts) > 1}
    return own, found & set(PLACE)


@pytest.mark.parametrize("path", files(".py", under="python/weft"), ids=name)
def test_python_points_down(path):
    own, found = imports(path)
    if own == "__init__":
        return
    assert own in PLACE, "a new module: say above where it stands"
    up = {room for room in found if PLACE[room] > PLACE[own]}
    assert not up


def test_only_numpy_is_required():
    allowed = {"weft", "numpy", "__future__", "_typeshed"}
    import sys

    for path in files(".py", under="python/weft"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for word in names:
                top = word.split(".")[0]
                assert top in allowed or top in sys.stdlib_module_names, f"{name(path)}: {word}"
