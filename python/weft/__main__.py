"""The command ``weft``: ``weft demo``, ``weft info``, ``weft --version``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def _parser() -> argparse.ArgumentParser:
    from weft._cli import demo, info

    parser = argparse.ArgumentParser(
        prog="weft", description="One program, two graphs: train a graph network both ways."
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="command")
    for module in (demo, info):
        module.add_command(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code.

    0 means done, 1 that the demo's two modes disagreed, 2 that the arguments make no sense and 130
    that Ctrl-C was pressed.

    Example:
        >>> from weft.__main__ import main
        >>> main(["--version"])  # doctest: +ELLIPSIS
        weft ...
        0
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if options.version:
        from weft import _core

        print(f"weft {_core.build_info()['version']}")
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        print("\nweft: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
