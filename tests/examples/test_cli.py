"""The command ``weft``."""

import io
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from weft.__main__ import main
from weft._progress import Progress


def test_version(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"weft \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_without_arguments_help_is_printed(capsys):
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


def test_info(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for fact in ("version", "threads", "python", "numpy"):
        assert re.search(rf"^{fact} +\S", out, re.M)


def test_demo(capsys):
    assert main(["demo", "--epochs", "20", "--seeds", "2"]) == 0
    captured = capsys.readouterr()
    for row in ("test accuracy", "time per epoch", "static : eager", "compile time", "slab memory"):
        assert row in captured.out
    assert re.search(r"^same bits after 20 epochs +yes$", captured.out, re.M)
    assert "static seed 1 20/20" in captured.err


def test_demo_with_dense_features_and_few_epochs(capsys):
    assert main(["demo", "--epochs", "3", "--dense", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("args", [["dance"], ["demo", "--epochs", "0"], ["demo", "--lr", "x"]])
def test_bad_arguments(args, capsys):
    with pytest.raises(SystemExit) as caught:
        main(args)
    assert caught.value.code == 2
    assert "usage: weft" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_ctrl_c_ends_cleanly():
    command = [sys.executable, "-m", "weft", "demo", "--epochs", "1000000"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Who runs the tests in the background ignores the signal, and so would the child.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr.readline().startswith("eager")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("weft: stopped\n")
    assert "Traceback" not in err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_draws_one_line_on_a_terminal():
    out = Terminal()
    bar = Progress(["a", "b"], "step", file=out)
    for _ in bar:
        bar.note(loss=0.5)
    text = out.getvalue()
    assert text.count("\n") == 1
    assert "step 2/2" in text
    assert "loss 0.5000" in text


def test_progress_prints_few_plain_lines_elsewhere():
    out = io.StringIO()
    assert list(Progress(1000, "x", file=out)) == list(range(1000))
    lines = out.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[-1].startswith("x 1000/1000")
    out = io.StringIO()
    assert list(Progress(iter("ab"), file=out)) == ["a", "b"]
    assert list(Progress(3, file=out, quiet=True)) == [0, 1, 2]


@pytest.mark.parametrize(
    "option", ["--lr=-1", "--lr=nan", "--lr=inf", "--dropout=2", "--dropout=-0.5", "--dropout=x",
               "--weight-decay=-1", "--seeds=0", "--hidden=-3"],
)  # fmt: skip
def test_numbers_out_of_range_are_one_line_and_exit_code_2(option):
    command = [sys.executable, "-m", "weft", "demo", option]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    name = option.split("=")[0]
    assert f"weft demo: error: argument {name}: " in done.stderr.splitlines()[-1]
