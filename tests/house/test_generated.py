"""What is generated is as it would be generated now."""

import pytest
from tests.house.generate import outputs
from tests.house.source import name

OUTPUTS = outputs()


@pytest.mark.parametrize("path", OUTPUTS, ids=name)
def test_generating_changes_nothing(path):
    assert path.read_text(encoding="utf-8") == OUTPUTS[path], "run make generate"
