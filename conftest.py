"""Names that the examples in docstrings use without importing them."""

import pytest

import weft
import weft.nn.functional as F


@pytest.fixture(autouse=True)
def names(doctest_namespace):
    """Let every example say ``weft``, ``F`` and ``nn``."""
    doctest_namespace.update(weft=weft, F=F, nn=weft.nn)
