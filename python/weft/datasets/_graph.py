"""Sparse matrices of graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import weft

if TYPE_CHECKING:
    from weft import SparseTensor

Ints = NDArray[np.int64]


def csr(indptr: Any, indices: Any, values: Any, shape: tuple[int, int]) -> SparseTensor:
    """A CSR tensor from numpy arrays: int64 structure, float32 values."""
    return weft.sparse_csr_tensor(
        weft.from_numpy(np.ascontiguousarray(indptr, np.int64)),
        weft.from_numpy(np.ascontiguousarray(indices, np.int64)),
        weft.from_numpy(np.ascontiguousarray(values, np.float32)),
        size=shape,
    )


def normalized_adjacency(edge_index: Any, num_nodes: int) -> SparseTensor:
    """``D^-1/2 (A + I) D^-1/2`` of a graph, as Kipf and Welling (ICLR 2017) define it.

    Args:
        edge_index: integers ``[2, E]`` (tensor or array). Each edge is listed in both directions;
            repeated edges count once, self-loops are replaced by the one that is added.
        num_nodes: the number of nodes n.

    Returns:
        a float32 CSR tensor ``[n, n]`` with sorted columns.

    Raises:
        ValueError: ``edge_index`` has another shape or dtype.
        IndexError: a node number is outside ``0 .. n - 1``.

    Example:
        >>> from weft.datasets import normalized_adjacency
        >>> a_hat = normalized_adjacency([[0, 1], [1, 0]], 2)
        >>> import weft
        >>> (a_hat @ weft.tensor([[1.0], [3.0]])).tolist()
        [[2.0], [2.0]]
    """
    edges = np.asarray(edge_index.numpy() if hasattr(edge_index, "numpy") else edge_index)
    if edges.size == 0:
        edges = np.zeros((2, 0), np.int64)
    if edges.ndim != 2 or edges.shape[0] != 2 or edges.dtype.kind not in "iu":
        raise ValueError(
            "normalized_adjacency: edge_index must be integers [2, E], "
            f"got {edges.dtype} {list(edges.shape)}"
        )
    edges = edges.astype(np.int64)
    if edges.size and (edges.min() < 0 or edges.max() >= num_nodes):
        raise IndexError(
            f"normalized_adjacency: expected nodes 0 to {num_nodes - 1}, "
            f"got {edges.min()} to {edges.max()}"
        )
    loops = np.arange(num_nodes, dtype=np.int64)
    keys = np.unique(np.concatenate([edges[0] * num_nodes + edges[1], loops * (num_nodes + 1)]))
    rows, columns = np.divmod(keys, max(1, num_nodes))
    degree = np.bincount(rows, minlength=num_nodes)
    scale = 1.0 / np.sqrt(degree.astype(np.float64))
    indptr = np.concatenate([[0], np.cumsum(degree)])
    return csr(indptr, columns, scale[rows] * scale[columns], (num_nodes, num_nodes))


def both_directions(edges: Ints) -> Ints:
    """Undirected edges ``[E, 2]`` as sorted ``[2, E']`` without repetitions and self-loops."""
    forth = edges[edges[:, 0] != edges[:, 1]]
    both = np.unique(np.concatenate([forth, forth[:, ::-1]]), axis=0)
    return np.ascontiguousarray(both.T)
