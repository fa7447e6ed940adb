"""What all tests share: helper modules are imported as ``tests.…``, and no state leaks."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(autouse=True)
def clean_state():
    """Every test starts with gradients on and the same seed, and leaves them and the threads."""
    import weft

    weft._core.verify_plans(True)
    threads = weft.get_num_threads()
    weft.manual_seed(0)
    yield
    weft.set_num_threads(threads)
    assert weft.is_grad_enabled(), "the test left gradients switched off"
