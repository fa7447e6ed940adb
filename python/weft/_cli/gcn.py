"""The demo's model: a graph convolutional network and its training loop."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import weft
from weft import functional as F
from weft import nn, optim
from weft._core import Tensor
from weft._progress import Progress

_RECORDING_CALLS = 2


class GCN(nn.Module):
    """Two graph convolutions, with the paper's starting values (Kipf, Welling, ICLR 2017)."""

    def __init__(self, n_in: int, n_hidden: int, n_out: int, dropout: float) -> None:
        """Make the two weights."""
        super().__init__()
        self.first = nn.Linear(n_in, n_hidden, bias=False)
        self.second = nn.Linear(n_hidden, n_out, bias=False)
        self.dropout = dropout
        for weight in self.parameters():
            nn.init.xavier_uniform_(weight)

    def forward(self, a_hat: Any, x: Any) -> Tensor:
        """Logits ``[n, classes]`` of features ``[n, words]``."""
        x = F.dropout(F.relu(a_hat @ self.first(x)), self.dropout, self.training)
        result: Tensor = a_hat @ self.second(x)
        return result


@dataclass
class Training:
    """What one training run gave."""

    accuracy: float
    epoch_ms: list[float]
    weights: list[bytes]
    explained: Any = None


@dataclass
class Settings:
    """What the demo trains with."""

    epochs: int = 200
    hidden: int = 16
    dropout: float = 0.5
    lr: float = 0.01
    weight_decay: float = 5e-4
    dense: bool = False
    quiet: bool = False


def train(data: Any, settings: Settings, seed: int, static: bool) -> Training:
    """Train one model from ``seed``, eagerly or compiled, and test it."""
    weft.manual_seed(seed)
    x, y, rows = data.x if settings.dense else data.features, data.y[data.train], data.train
    model = GCN(data.num_features, settings.hidden, data.num_classes, settings.dropout)
    decayed = {"params": [model.first.weight], "weight_decay": settings.weight_decay}
    opt = optim.Adam([decayed, {"params": [model.second.weight]}], lr=settings.lr)

    def step() -> Tensor:
        opt.zero_grad()
        loss = F.cross_entropy(model(data.a_hat, x)[rows], y)
        loss.backward()
        opt.step()
        return loss

    run: Any = weft.compile(step) if static else step
    times = _run(run, settings, f"{'static' if static else 'eager '} seed {seed}")
    model.eval()
    with weft.no_grad():
        hits = model(data.a_hat, x)[data.test].argmax(dim=1) == data.y[data.test]
    accuracy = sum(hits.tolist()) / len(hits)
    weights = [param.detach().numpy().tobytes() for param in model.parameters()]
    explained = run.explain() if static else None
    return Training(accuracy, times[_RECORDING_CALLS:] or times, weights, explained)


def _run(run: Any, settings: Settings, label: str) -> list[float]:
    """Milliseconds of each epoch."""
    times = []
    bar: Progress[int] = Progress(settings.epochs, label, quiet=settings.quiet)
    for _ in bar:
        start = perf_counter()
        loss = run()
        times.append((perf_counter() - start) * 1e3)
        bar.note(loss=loss)
    return times
