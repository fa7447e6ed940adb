"""``weft demo``: Cora with a dynamic and a static graph, side by side."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from statistics import mean, median, stdev
from typing import TYPE_CHECKING, Any

from weft._cli.table import table

if TYPE_CHECKING:
    from weft._cli.gcn import Training


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {number}")
    return number


def _real(low: float, high: float, expected: str) -> Callable[[str], float]:
    """A type for argparse: a number in ``low .. high``, both included."""

    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text}")
        return value

    return number


_rate = _real(0.0, sys.float_info.max, "a finite number of 0 or more")
_probability = _real(0.0, 1.0, "a probability of 0 to 1")


def add_command(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "demo",
        help="train a graph network on Cora both ways and compare",
        description="Train a two-layer GCN on the Cora citation network, once with a dynamic graph "
        "and once as one static graph, and compare accuracy, time and bits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--epochs", type=_positive, default=200, help="training steps")
    parser.add_argument("--seeds", type=_positive, default=1, help="runs with seeds 0, 1, ...")
    parser.add_argument("--hidden", type=_positive, default=16, help="width of the hidden layer")
    parser.add_argument(
        "--dropout", type=_probability, default=0.5, help="dropout of the hidden layer"
    )
    parser.add_argument("--lr", type=_rate, default=0.01, help="learning rate of Adam")
    parser.add_argument("--weight-decay", type=_rate, default=5e-4, help="of the first layer")
    parser.add_argument("--dense", action="store_true", help="use dense instead of sparse features")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, print the table; 1 if any parameter differs between the modes."""
    from weft._cli.gcn import Settings, train
    from weft.datasets import cora

    names = ("epochs", "hidden", "dropout", "lr", "weight_decay", "dense", "quiet")
    settings = Settings(**{name: getattr(options, name) for name in names})
    data = cora()
    pairs = []
    for seed in range(options.seeds):
        eager = train(data, settings, seed, static=False)
        pairs.append((eager, train(data, settings, seed, static=True)))
    same = all(eager.weights == static.weights for eager, static in pairs)
    features = "dense" if options.dense else "sparse"
    print(
        f"\nGCN on Cora: {data.num_nodes} papers, {features} features, hidden {options.hidden}, "
        f"{options.epochs} epochs, {options.seeds} seed{'s' if options.seeds > 1 else ''}\n"
    )
    print(table(_rows([e for e, _ in pairs], [s for _, s in pairs], options.epochs, same)))
    return 0 if same else 1


def _accuracy(runs: list[Training]) -> str:
    values = [100 * training.accuracy for training in runs]
    spread = f" ± {stdev(values):.1f}" if len(values) > 1 else ""
    return f"{mean(values):.1f}{spread} %"


def _rows(
    eager: list[Training], static: list[Training], epochs: int, same: bool
) -> list[tuple[str, ...]]:
    times = [median(ms for t in runs for ms in t.epoch_ms) for runs in (eager, static)]
    plan = static[-1].explained
    return [
        ("", "eager", "static"),
        ("test accuracy", _accuracy(eager), _accuracy(static)),
        ("time per epoch (median)", *(f"{ms:.3f} ms" for ms in times)),
        ("static : eager", "", f"{times[1] / times[0]:.2f}"),
        ("compile time", "", f"{plan.compile_ms:.2f} ms"),
        ("slab memory", "", f"{plan.slab_bytes / 1024:,.0f} KiB"),
        ("sum of all buffers", "", f"{plan.total_bytes / 1024:,.0f} KiB"),
        (f"same bits after {epochs} epochs", "", "yes" if same else "NO"),
    ]
