"""A graph network with 16 hidden units on the shipped Cora, all nodes in every step, no dropout."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import weft
from benches.models import fastest, filled, jax_training, libraries, training
from benches.peers import jax, torch
from benches.timing import EAGER, JAX, STATIC, Row, Side
from weft.datasets import cora

HIDDEN, LR = 16, 0.01


def model(lib: Any, n_in: int, n_out: int) -> Any:
    nn = lib.nn

    class GCN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(n_in, HIDDEN, bias=False)
            self.second = nn.Linear(HIDDEN, n_out, bias=False)

        def forward(self, a_hat: Any, x: Any) -> Any:
            x = nn.functional.relu(a_hat @ self.first(x))
            return a_hat @ self.second(x)

    return GCN()


def weights(n_in: int, n_out: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = (HIDDEN, n_in), (n_out, HIDDEN)
    return [(rng.standard_normal(s) * (2 / sum(s)) ** 0.5).astype(np.float32) for s in shapes]


def loss_of(lib: Any, model: Any, a_hat: Any, x: Any, y: Any, rows: Any) -> Any:
    return lib.nn.functional.cross_entropy(model(a_hat, x)[rows], y)


def torch_csr(matrix: Any) -> Any:
    parts = (matrix.crow_indices(), matrix.col_indices(), matrix.values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that CSR is in beta
        parts = (torch.from_numpy(p.numpy()) for p in parts)
        return torch.sparse_csr_tensor(*parts, size=matrix.shape)


def side(column: str, lib: Any, wrap: Any, sparse: bool) -> Side:
    """One of the torch-like frameworks."""
    given = cora()
    n_in, n_out = given.num_features, given.num_classes
    x = given.features if sparse else given.x
    y, rows, a_hat = given.y[given.train], given.train, given.a_hat
    if lib is torch:
        x, y, rows = (torch.from_numpy(t.numpy()) for t in (x, y, rows))
        a_hat = torch_csr(a_hat)
    net = filled(lib, model(lib, n_in, n_out), weights(n_in, n_out))
    step = training(lib, net, lambda m: loss_of(lib, m, a_hat, x, y, rows), LR)
    return Side(wrap(step))


def jax_side() -> Side:
    """The fastest of three ways to multiply by the adjacency matrix."""
    import jax.numpy as jnp
    from jax.experimental import sparse

    given = cora()
    nodes, classes = given.num_nodes, given.num_classes
    crow, col = given.a_hat.crow_indices().numpy(), given.a_hat.col_indices().numpy()
    values = given.a_hat.values.numpy()
    row = np.repeat(np.arange(nodes), np.diff(crow)).astype(np.int32)
    full = np.zeros((nodes, nodes), np.float32)
    full[row, col] = values
    places = np.stack([row, col.astype(np.int32)], 1)
    coo = sparse.BCOO(
        (jnp.array(values), jnp.array(places)),
        shape=full.shape, indices_sorted=True, unique_indices=True,
    )  # fmt: skip

    def segments(parts: Any, h: Any) -> Any:
        r, c, v = parts
        sums = jax.ops.segment_sum(v[:, None] * h[c], r, nodes, indices_are_sorted=True)
        return sums

    ways = {
        "BCOO": (lambda a, h: a @ h, coo),
        "gather and segment_sum": (segments, tuple(map(jnp.array, (row, col, values)))),
        "dense adjacency": (lambda a, h: a @ h, jnp.array(full)),
    }
    data = [jnp.array(t.numpy()) for t in (given.x, given.y[given.train], given.train)]
    start = weights(given.num_features, classes)
    sides = {}
    for label, (times, a_hat) in ways.items():

        def loss(params: Any, a: Any, x: Any, y: Any, rows: Any, times: Any = times) -> Any:
            h = jax.nn.relu(times(a, x @ params[0].T))
            logp = jax.nn.log_softmax(times(a, h @ params[1].T)[rows])
            return -jnp.take_along_axis(logp, y[:, None], 1).mean()

        sides[label] = lambda loss=loss, a_hat=a_hat: jax_training(loss, start, LR, [a_hat, *data])
    return fastest(sides)


def dense() -> dict[str, Side]:
    sides = {c: side(c, lib, wrap, False) for c, lib, wrap in libraries() if c != "torch.compile"}
    if jax is not None:
        sides[JAX] = jax_side()
    return sides


def sparse() -> dict[str, Side]:
    wraps = {EAGER: lambda f: f, STATIC: weft.compile}
    return {column: side(column, weft, wrap, True) for column, wrap in wraps.items()}


def rows() -> Iterator[Row]:
    yield Row("GCN on Cora, dense features, train step", dense, tolerance=1e-3)
    yield Row("GCN on Cora, sparse features (weft only)", sparse, tolerance=1e-3)
