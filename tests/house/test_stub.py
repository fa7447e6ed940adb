"""The stub of the native module names what is there, and nothing else."""

import ast

import pytest
from tests.house.source import ROOT

import weft
from weft import _core

STUB = ROOT / "python/weft/_core.pyi"
TREE = ast.parse(STUB.read_text(encoding="utf-8"))


def names(body):
    """What a stub's body declares; private helpers of the stub itself are left out."""
    found = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and "TypeAlias" not in ast.unparse(node.annotation):
            found.add(node.target.id)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets}
    return found


def public(found):
    return {word for word in found if not word.startswith("_")}


METHODS = ast.parse((STUB.parent / "_tensor.pyi").read_text(encoding="utf-8")).body[-1].body
CLASSES = {n.name: n for n in TREE.body if isinstance(n, ast.ClassDef) and n.name[0] != "_"}


def test_module():
    assert public(names(TREE.body)) == public(dir(_core))
    assert _core.__version__ == weft.__version__


@pytest.mark.parametrize("kind", CLASSES)
def test_class(kind):
    declared, native = names(CLASSES[kind].body), getattr(_core, kind)
    if kind == "Tensor":
        declared |= names(METHODS)
    own = {word for base in native.__mro__[:1] for word in vars(base)}
    assert public(declared) == public(own)
    # Python 3.11 has the buffer protocol, but not as a method.
    silent = {"__module__", "__weakref__", "__dict__", "__buffer__", "__release_buffer__"}
    assert not {word for word in declared - silent if not hasattr(native, word)}


def test_package_is_marked_as_typed():
    assert (STUB.parent / "py.typed").exists()
