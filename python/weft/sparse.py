"""Sparse matrices in compressed rows (CSR)."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft import _core
from weft._core import Tensor, dtype
from weft.ops.create import as_tensor, eye, from_numpy


class SparseTensor:
    """A matrix of which only some entries are stored, for products with dense ones.

    Gradients flow to the dense factor and, if they require it, to the stored values.

    Attributes:
        shape: ``(rows, columns)``.
        values: the stored entries, ``[nnz]``, row by row.
    """

    def __init__(self, crow: Tensor, col: Tensor, values: Tensor, shape: tuple[int, int]) -> None:
        """Check the structure and prepare the transpose's.

        Raises:
            ValueError: row starts or columns do not describe a matrix of this shape.
            TypeError: indices are not int32 or int64, or values not floating-point.
        """
        rows, columns = shape
        if not values.dtype.is_floating_point:
            raise TypeError(f"sparse_csr_tensor: expected real values, got {values.dtype}")
        if values.ndim != 1 or len(values) != len(col):
            raise ValueError(
                f"sparse_csr_tensor: expected {len(col)} values, got shape {values.shape}"
            )
        self.shape = (rows, columns)
        self.values = values
        turned = _core.csr_transpose(crow, col, rows, columns)
        crow_t, col_t, perm, inverse = turned
        self._structure = [crow, col, crow_t, col_t, perm, inverse]

    @property
    def dtype(self) -> dtype:
        """Element type."""
        return self.values.dtype

    @property
    def ndim(self) -> int:
        """Two."""
        return 2

    @property
    def nnz(self) -> int:
        """Number of stored entries."""
        return len(self.values)

    def crow_indices(self) -> Tensor:
        """Where each row starts among the entries, ``[rows + 1]``."""
        return self._structure[0]

    def col_indices(self) -> Tensor:
        """The column of each entry, ``[nnz]``."""
        return self._structure[1]

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def t(self) -> SparseTensor:
        """The transpose."""
        out = object.__new__(SparseTensor)
        crow, col, crow_t, col_t, perm, inverse = self._structure
        out.shape = (self.shape[1], self.shape[0])
        out.values = _core.index("index_select", self.values, 0, perm)
        out._structure = [crow_t, col_t, crow, col, inverse, perm]
        return out

    def to_dense(self) -> Tensor:
        """All entries.

        Example:
            >>> a = weft.sparse_csr_tensor([0, 1, 1], [1], [5.0], size=(2, 2))
            >>> a.to_dense()
            tensor([[0., 5.],
                    [0., 0.]])
        """
        rows, columns = self.shape
        if rows < columns:
            return _core.transpose(self.t() @ eye(rows, dtype=self.dtype), 0, 1)
        return self @ eye(columns, dtype=self.dtype)

    def __matmul__(self, dense: Tensor) -> Tensor:
        """The product with a dense matrix or vector."""
        if not isinstance(dense, Tensor):
            return NotImplemented
        column = dense.ndim == 1
        factor = dense[:, None] if column else dense
        out = _core.spmm(*self.shape, self._structure, self.values, factor)
        return out[:, 0] if column else out

    matmul = mm = __matmul__

    def __repr__(self) -> str:
        """Shape, number of entries, dtype."""
        rows, columns = self.shape
        return f"SparseTensor({rows}x{columns}, nnz={self.nnz}, dtype={self.dtype})"


def _whole(op: str, data: Any) -> np.ndarray:
    """Indices as an array of int64, or of int32 if they are."""
    values = np.asarray(data.numpy() if isinstance(data, Tensor) else data)
    if values.dtype.kind not in "iub" and values.size:
        raise TypeError(f"{op}: expected integer indices of 64 bits, got dtype {values.dtype}")
    return values if values.dtype == np.int32 else values.astype(np.int64)


def _indices(data: Any) -> Tensor:
    return data if isinstance(data, Tensor) else from_numpy(_whole("sparse_csr_tensor", data))


def _row_starts(rows: np.ndarray, count: int) -> np.ndarray:
    try:
        starts = np.zeros(count + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=count), out=starts[1:])
    except (MemoryError, OverflowError, ValueError) as error:
        raise MemoryError(f"sparse_coo_tensor: no memory for {count} rows") from error
    return starts


def sparse_csr_tensor(
    crow_indices: Any,
    col_indices: Any,
    values: Any,
    size: tuple[int, int],
    *,
    dtype: dtype | None = None,
    requires_grad: bool = False,
) -> SparseTensor:
    """A sparse matrix from row starts, columns and values.

    Example:
        >>> a = weft.sparse_csr_tensor([0, 1, 2], [1, 0], [2.0, 3.0], size=(2, 2))
        >>> a @ weft.tensor([1.0, 10.0])
        tensor([20.,  3.])
    """
    held = as_tensor(values, dtype=dtype)
    if requires_grad:
        held.requires_grad = True
    return SparseTensor(_indices(crow_indices), _indices(col_indices), held, (size[0], size[1]))


def sparse_coo_tensor(
    indices: Any, values: Any, size: tuple[int, int], *, dtype: dtype | None = None
) -> SparseTensor:
    """A sparse matrix from ``[2, nnz]`` row and column indices and values; repeated places add up
    in products.

    Example:
        >>> a = weft.sparse_coo_tensor([[0, 1], [1, 0]], [2.0, 3.0], (2, 2))
        >>> a @ weft.tensor([1.0, 10.0])
        tensor([20.,  3.])
    """
    places = _whole("sparse_coo_tensor", indices)
    if places.ndim != 2 or len(places) != 2:
        raise ValueError(f"sparse_coo_tensor: expected indices [2, nnz], got {places.shape}")
    rows, columns = places
    if len(rows) and (rows.min() < 0 or rows.max() >= size[0]):
        raise ValueError(f"sparse_coo_tensor: a row index lies outside 0..{size[0]}")
    if size[0] < 0:
        raise ValueError(f"sparse_coo_tensor: expected rows of at least 0, got {size[0]}")
    order = np.lexsort((columns, rows))
    crow = _row_starts(rows, size[0])
    held = as_tensor(values, dtype=dtype)
    held = _core.index("index_select", held, 0, from_numpy(order))
    return SparseTensor(
        from_numpy(crow), from_numpy(columns[order].astype(np.int64)), held, (size[0], size[1])
    )
