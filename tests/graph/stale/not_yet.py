"""Scenarios of the suite that are known to fail: this list only shrinks."""

from pathlib import Path

NOT_YET = set(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines())
