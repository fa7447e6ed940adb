"""What no file of the repository may hold."""

import ast
import re

import pytest
from tests.house.source import ROOT, entries, files, name

SOURCES = files(".py", ".pyi", ".rs", ".toml", ".md")
#: A longer file says which two things it is.
MOST_LINES = 600
#: Written by ``make generate``, and not read.
GENERATED = {"python/weft/_tensor.pyi"}
#: Methods that a subclass must write, in modules that say so.
ABSTRACT = {
    "python/weft/nn/module.py",
    "python/weft/optim/optimizer.py",
    "python/weft/optim/lr_scheduler.py",
    "python/weft/utils/data/dataset.py",
    "python/weft/utils/data/sampler.py",
}


@pytest.mark.parametrize("path", files(".rs"), ids=name)
def test_nothing_is_left_to_do(path):
    assert not re.search(r"\b(todo|unimplemented|dbg)!", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", files(".py", under="python"), ids=name)
def test_only_abstract_methods_are_not_implemented(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    raised = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node)
    ]
    assert not raised or name(path) in ABSTRACT


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_paths_of_one_machine(path):
    text = path.read_text(encoding="utf-8")
    outside = ["/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/"]
    assert not [place for place in outside if place in text]


@pytest.mark.parametrize("path", files(".py", ".pyi", ".rs"), ids=name)
def test_files_are_short(path):
    if name(path) in GENERATED:
        return
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_licences_and_papers_are_there():
    for file in ("README.md", "ARCHITECTURE.md", "LICENSE-MIT", "LICENSE-APACHE", "Makefile"):
        assert (ROOT / file).is_file(), file


def test_no_large_files():
    """Real data is fetched; only Cora, compressed, is shipped."""
    large = [
        name(path)
        for path in files(".npz", ".npy", ".gz", ".zip", ".so", ".bin", ".png", ".txt")
        if path.stat().st_size > 1_000_000
    ]
    assert not large


def test_nothing_is_a_link():
    """A link leads out of the project, or nowhere on another machine."""
    assert not [name(path) for path in entries() if path.is_symlink()]
