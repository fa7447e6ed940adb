"""What is generated is as it would be generated now."""

import pytest
from tests.house import story
from tests.house.generate import outputs
from tests.house.source import name

OUTPUTS = outputs()


@pytest.mark.parametrize("path", OUTPUTS, ids=name)
def test_generating_changes_nothing(path):
    assert path.read_text(encoding="utf-8") == OUTPUTS[path], "run make generate"


@pytest.mark.parametrize("path", story.PAGES, ids=name)
def test_pages_show_the_program_as_it_is(path):
    assert path.read_text(encoding="utf-8") == story.page(path), "run make docs"


@pytest.mark.parametrize("path", story.PAGES, ids=name)
def test_pages_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
