"""The README's program runs as printed, and learns."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_program_trains(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.S | re.M)
    assert len(blocks) == 1
    exec(compile(blocks[0], str(README), "exec"), {"__name__": "readme"})
    accuracy = re.search(r"accuracy ([\d.]+)%", capsys.readouterr().out)
    assert float(accuracy[1]) >= 95.0
