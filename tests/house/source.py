"""The files of the repository, as the house rules read them."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".git", ".venv", "target", "dist", "node_modules", "__pycache__"}


def entries(under: str = ".") -> list[Path]:
    """What belongs to the project: what git knows, where there is git."""
    try:
        known = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", under],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.splitlines()  # fmt: skip
        return [ROOT / name for name in known]
    except (OSError, subprocess.CalledProcessError):
        return [p for p in (ROOT / under).rglob("*") if not SKIPPED & set(p.parts)]


def files(*suffixes: str, under: str = ".") -> list[Path]:
    """Files of the project with one of the suffixes."""
    return sorted(p for p in entries(under) if p.suffix in suffixes and p.is_file())


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def rust(path: Path) -> str:
    """The code of a Rust file without comments and without its test module."""
    text = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    return re.sub(r"//.*", "", text)


def rust_files(under: str) -> list[Path]:
    return [p for p in files(".rs", under=under) if p.name != "tests.rs" and "tests" not in p.parts]
