"""Writes what ``docs/how_it_works.md`` shows of the program: ``python -m tests.house.story``.

* ``<!-- code: file item -->`` is followed by that item: a function, type or ``impl`` by its name
  (``Cumsum::gradient``, ``impl Rule for Cumsum``), with the comments before it, or without where it
  says ``bare`` (``file bare item``), and without empty lines;
* ``<!-- output: expression -->`` is followed by what the expression prints, after the Python
  blocks of the page that stand before it have run, as one file ``story.py``.

``tests/house/test_generated.py`` fails if running it would change anything.
"""

import contextlib
import io
import re
import textwrap
from pathlib import Path
from typing import Any

from tests.house.source import ROOT

from weft import _core

#: The pages.
PAGES = [ROOT / "docs/how_it_works.md"]
LANGUAGES = {".rs": "rust", ".py": "python", ".pyi": "python"}
MARK = re.compile(r"<!-- (code|output): (.*) -->")
#: What belongs to an item and stands before it.
BEFORE = ("///", "#[", "@")


def indent(line: str) -> int:
    """How far a line is indented."""
    return len(line) - len(line.lstrip())


def block(lines: list[str], at: int) -> tuple[int, int]:
    """The lines of the item whose first is ``at``, with the comments before it."""
    start, end, deep = at, at + 1, indent(lines[at])
    while start > 0 and lines[start - 1].strip().startswith(BEFORE):
        start -= 1
    if not lines[at].rstrip().endswith((";", "}")):
        while end < len(lines) and (not lines[end].strip() or indent(lines[end]) > deep):
            end += 1
        closes = end < len(lines) and lines[end].strip()[:1] in ("}", ")", "]")
        if closes and lines[end].rstrip().endswith("{"):  # the end of a long signature
            _, end = block(lines, end)
        elif closes:
            end += 1
    while not lines[end - 1].strip():
        end -= 1
    return start, end


def find(lines: list[str], item: str) -> tuple[int, int]:
    """The lines of an item."""
    if "::" in item:
        owner, name = item.split("::")
        where = rf"\s*(impl\b.*\b{owner}\b.*|(pub )?trait {owner}\b.*)\{{"
        for at in (i for i, line in enumerate(lines) if re.fullmatch(where, line.rstrip())):
            _, end = block(lines, at)
            with contextlib.suppress(LookupError):
                start, stop = find(lines[at + 1 : end], name)
                return at + 1 + start, at + 1 + stop
        raise LookupError(f"no {item}")
    kind = r"(pub(\([a-z]+\))? )?(const )?(fn|struct|enum|trait|type|class|def)"
    plain = item if " " in item else rf"{kind} {item}\b"
    plain = rf"\s*({plain}|(pub(\([a-z]+\))? )?(const|static) {item}\b)"
    for at, line in enumerate(lines):
        if re.match(plain, line):
            return block(lines, at)
    raise LookupError(f"no {item}")


def code(place: str) -> tuple[str, str]:
    """The language and text of an item: ``file item``; ``file bare item`` without comments."""
    name, _, item = place.partition(" ")
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    bare = item.startswith("bare ")
    start, end = find(lines, item.removeprefix("bare "))
    while bare and lines[start].strip().startswith(BEFORE):
        start += 1
    kept = [line for line in lines[start:end] if line.strip()]
    return LANGUAGES[Path(name).suffix], textwrap.dedent("\n".join(kept))


def printed(expression: str, names: dict[str, Any]) -> str:
    """What an expression prints, without spaces at the ends of lines."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(f"print({expression})", names)
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").splitlines())


def page(path: Path) -> str:
    """The text of a page as it should be."""
    lines, out = path.read_text(encoding="utf-8").splitlines(), []
    names: dict[str, Any] = {"__name__": "story"}
    state = _core.random_state()
    at = ran = 0
    while at < len(lines):
        out.append(lines[at])
        mark = MARK.fullmatch(lines[at])
        at += 1
        if mark:
            kind, what = mark.groups()
            language, text = code(what) if kind == "code" else ("text", printed(what, names))
            out += [f"```{language}", *text.splitlines(), "```"]
            if at < len(lines) and lines[at].startswith("```"):
                at = lines.index("```", at + 1) + 1
        elif out[-1] == "```python":
            end = lines.index("```", at)
            source = "\n" * ran + "\n".join(lines[at:end]) + "\n"
            exec(compile(source, "story.py", "exec"), names)
            ran += end - at
            out += lines[at : end + 1]
            at = end + 1
    _core.set_random_state(*state)
    return "\n".join(out) + "\n"


def main() -> None:
    """Write what has changed."""
    for path in PAGES:
        text = page(path)
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print("wrote", path.relative_to(ROOT))


if __name__ == "__main__":
    main()
