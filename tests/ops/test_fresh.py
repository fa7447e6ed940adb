"""The properties hold in a process of their own, in which nobody has chosen a seed."""

import os
import subprocess
import sys

import pytest
from tests.house.source import ROOT

PROPERTIES = sorted(path.name for path in (ROOT / "tests/ops").glob("test_*.py"))
#: Others walk the same cases, and take long.
WALKED = [
    "test_values.py", "test_in_place.py", "test_wrong_calls.py", "test_gradients.py",
    "test_second_order.py", "test_layouts.py", "test_static_equals_eager.py",
]  # fmt: skip


@pytest.mark.parametrize("name", WALKED)
def test_in_a_fresh_process_without_a_seed(name):
    assert name in PROPERTIES
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/ops/{name}"]
    env = {**os.environ, "WEFT_UNSEEDED": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
