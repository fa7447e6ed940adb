"""What all tests share: helper modules are imported as ``tests.…``, and no state leaks."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(autouse=True)
def clean_state():
    """Every test starts with gradients on and the same seed, and leaves them and the threads.

    With ``WEFT_UNSEEDED`` set nobody seeds, as in a user's fresh process.
    """
    import weft

    weft._core.verify_plans(True)
    threads = weft.get_num_threads()
    if "WEFT_UNSEEDED" not in os.environ:
        weft.manual_seed(0)
    yield
    weft.set_num_threads(threads)
    assert weft.is_grad_enabled(), "the test left gradients switched off"


#: Tests that walk cases.
WALKED = ("tests/ops/", "tests/nn/test_modules")


def pytest_terminal_summary(terminalreporter):
    """Say how many cases each property was tried on."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    cases = Counter(
        Path(report.nodeid.partition("::")[0]).stem.removeprefix("test_")
        for report in reports
        if report.when == "call"
        and report.nodeid.startswith(("tests/ops/", "tests/nn/test_modules"))
    )
    if cases:
        counted = ", ".join(f"{name} {number}" for name, number in sorted(cases.items()))
        terminalreporter.write_line(f"cases by property: {counted}")
