"""The examples run in both modes, learn, and agree between the modes."""

import importlib.util
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("WEFT_DATA", ROOT.parent / "shared" / "data"))


def run(name, *args):
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main([str(arg) for arg in args])


def data(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs the data set {name}; name its folder's parent in WEFT_DATA")
    return path


def both(name, *args):
    results = [run(name, "--mode", mode, *args) for mode in ("eager", "static")]
    assert results[0] == results[1]
    return results[0]


def test_cora():
    assert both("cora_gcn", "--epochs", 100) > 0.75


def test_mnist_begins_to_learn():
    root = data("mnist")
    args = ("--epochs", 1, "--limit", 6000, "--batch-size", 128, "--data", root)
    assert both("mnist_mlp", *args) > 0.85


def test_mnist_reaches_its_accuracy():
    assert run("mnist_mlp", "--mode", "static", "--data", data("mnist")) >= 0.975


def test_shakespeare_begins_to_learn(capsys):
    path = data("tinyshakespeare") / "input.txt"
    loss = both("shakespeare_gpt", "--steps", 60, "--letters", 20, "--data", path)
    assert loss < 3.0
    assert "validation loss" in capsys.readouterr().out
