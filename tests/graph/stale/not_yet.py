"""Scenarios of the suite that are known to fail: this list only shrinks.

``python -m tests.graph.stale.not_yet`` writes it again from what fails now.
"""

from pathlib import Path

FILE = Path(__file__).with_suffix(".txt")
NOT_YET = {
    name
    for file in FILE.parent.glob("not_yet*.txt")
    for name in file.read_text("utf-8").splitlines()
}


def failing() -> list[str]:
    """The scenarios that fail now."""
    from tests.graph.stale.scene import check
    from tests.graph.stale.suite import cases

    found = []
    for one in cases(every=False):
        try:
            check(one)
        except (AssertionError, TypeError):
            found.append(one.name)
    return found


if __name__ == "__main__":
    now = failing()
    FILE.write_text("".join(f"{name}\n" for name in now), encoding="utf-8")
    print(f"{len(now)} fail; new: {sorted(set(now) - NOT_YET)}")
