"""``python -m benches``: one table of weft beside numpy, torch and jax."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator

from benches import arrays, gcn, gpt, mlp, overhead, start
from benches.models import OPTIONS
from benches.peers import jax, missing, torch, versions
from benches.table import Table
from benches.timing import COMPILED, EAGER, JAX, NUMPY, STATIC, TORCH, Timed, measure

Job = tuple[str, Callable[[], Iterator[Timed]]]


def jobs(quick: bool) -> Iterator[Job]:
    """Names, to be chosen by ``--only``, and what gives the rows."""
    for module in (overhead, mlp, gcn, gpt, arrays):
        for row in module.rows():
            name = f"{module.__name__.split('.')[-1]} {row.name}"
            yield name, lambda row=row: iter([measure(row, 0.5 if quick else 4.0)])
    yield "compile", lambda: start.compile_times(quick)
    yield "import", lambda: iter([start.imports(quick)])
    found = start.wheel()
    if found is not None:
        yield "wheel", lambda: iter([found])


def main(argv: list[str] | None = None) -> int:
    """Print the table; 1 if results disagree."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="rows whose name contains this")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--compile", action="store_true", help="torch.compile too (slow to start)")
    args = parser.parse_args(argv)
    OPTIONS["compile"] = args.compile and torch is not None
    columns = [EAGER, STATIC, NUMPY]
    columns += [TORCH] * (torch is not None) + [COMPILED] * OPTIONS["compile"]
    columns += [JAX] * (jax is not None)
    table = Table(columns)
    print(f"{versions()}; medians; ratios below 1: weft is faster")
    if missing():
        print(f"not installed, so not compared: {', '.join(missing())}")
    load = os.getloadavg()[0]
    if load > 0.5:
        print(
            f"load average {load:.1f}: something else is running. Threads that wait for each "
            "other suffer most, torch's above all, so ratios to it may flatter weft"
        )
    print(f"\n{table.head()}")
    for name, job in jobs(args.quick):
        if args.only is None or args.only.lower() in name.lower():
            for row in job():
                print(table.line(row), flush=True)
    for note in table.notes:
        print(f"  {note}")
    if table.wrong:
        print(f"\nresults disagree: {', '.join(table.wrong)}")
    return bool(table.wrong)


if __name__ == "__main__":
    sys.exit(main())
