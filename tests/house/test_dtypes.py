"""No kernel guesses what an element is."""

import re
from pathlib import Path

import pytest
from tests.house.source import name, rust_files

KERNELS = rust_files("rust/kernels/src")
#: What is matched where the answer depends on the element.
ELEMENT = re.compile(r"match\s+[^{]*(dtype|\.size\(\)|\.width\(\)|category\(\))[^{]*\{")
#: A last arm that takes whatever is left, and does not say that it is wrong.
REST = re.compile(r"(?:^|[{},])\s*(?:_|[a-z]\w*)\s*(?:if [^=]*)?=>(?!\s*panic!)", re.MULTILINE)


def rust(path: Path) -> str:
    """Its code without comments and the tests at its end."""
    text = re.split(r"#\[cfg\(test\)\]\s*mod tests \{", path.read_text(encoding="utf-8"))[0]
    return re.sub(r"//.*", "", text)


def arms(text: str, start: int) -> str:
    """The match block that opens before ``start``, without the blocks inside it."""
    depth, out = 1, []
    for char in text[start:]:
        depth += (char == "{") - (char == "}")
        if depth == 0:
            break
        out.append(char if depth == 1 else " ")
    return "".join(out)


@pytest.mark.parametrize("path", KERNELS, ids=name)
def test_every_dtype_and_width_is_named(path):
    text = rust(path)
    guesses = [
        arms(text, found.end())
        for found in ELEMENT.finditer(text)
        if REST.search(arms(text, found.end()))
    ]
    assert not guesses, guesses[0]


def test_the_table_of_dtypes_counts_them():
    """Lists by dtype have as many places as there are dtypes, whatever that is."""
    wrong = [name(path) for path in KERNELS if re.search(r"; (6|15)\]", rust(path))]
    assert not wrong
