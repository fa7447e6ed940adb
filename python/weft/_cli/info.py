"""``weft info``: what was built and what runs here."""

from __future__ import annotations

import argparse
import platform
from typing import Any


def add_command(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("info", help="CPU features chosen, threads, build")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one line for each fact."""
    import numpy as np

    from weft import _core

    facts = dict(_core.build_info())
    facts.update(python=platform.python_version(), numpy=np.__version__)
    width = max(map(len, facts))
    for name, value in facts.items():
        text = ", ".join(map(str, value)) if isinstance(value, (list, tuple, set)) else value
        print(f"{name.replace('_', ' '):<{width}}  {text}")
    return 0
