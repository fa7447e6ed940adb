"""Where the real data sets are."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def folder():
    """A function from a data set's name to its folder; skips the test when it is absent."""

    def find(name):
        path = Path(os.environ.get("WEFT_DATA", SHARED)) / name
        if not path.is_dir():
            pytest.skip(f"needs the data set {name}; name its folder's parent in WEFT_DATA")
        return path

    return find
