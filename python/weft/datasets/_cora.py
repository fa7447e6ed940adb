"""The Cora citation network, which ships with the package."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import weft
from weft._core import Tensor
from weft.datasets._check import MOST_BYTES, MOST_COLUMNS, CorruptDataError
from weft.datasets._graph import csr, normalized_adjacency

if TYPE_CHECKING:
    from weft import SparseTensor

_SHIPPED = Path(__file__).parent / "data" / "cora.npz"
_FIELDS = {
    "feat_data": "f",
    "feat_indices": "i",
    "feat_indptr": "i",
    "feat_shape": "i",
    "edge_index": "i",
    "labels": "i",
    "train_idx": "i",
    "val_idx": "i",
    "test_idx": "i",
    "num_classes": "i",
}


@dataclass(frozen=True, eq=False)
class Citation:
    """A citation network: papers that cite each other, their words and their subject.

    Attributes:
        features: words of each paper, float32 CSR ``[n, words]``.
        a_hat: normalised adjacency with self-loops, float32 CSR ``[n, n]``.
        edge_index: citations in both directions, int64 ``[2, E]``.
        y: subject of each paper, int64 ``[n]``.
        train: numbers of the papers to learn from, int64.
        val: numbers of the papers to choose hyperparameters with, int64.
        test: numbers of the papers to test with, int64.
        num_classes: how many subjects there are.
    """

    features: SparseTensor
    a_hat: SparseTensor
    edge_index: Tensor
    y: Tensor
    train: Tensor
    val: Tensor
    test: Tensor
    num_classes: int
    _dense: Any

    @property
    def num_nodes(self) -> int:
        """The number of papers."""
        return int(self._dense.shape[0])

    @property
    def num_features(self) -> int:
        """The number of words."""
        return int(self._dense.shape[1])

    @cached_property
    def x(self) -> Tensor:
        """The features as a dense tensor, float32 ``[n, words]``; made when first asked for."""
        return weft.from_numpy(self._dense.dense())


@dataclass(frozen=True, eq=False)
class _Rows:
    """CSR rows in numpy."""

    indptr: Any
    indices: Any
    values: Any
    shape: tuple[int, int]

    def normalized(self) -> _Rows:
        sums = np.add.reduceat(np.append(self.values, 0), self.indptr[:-1])
        counts = np.diff(self.indptr)
        sums = np.where((counts == 0) | (sums == 0), 1, sums)
        return _Rows(self.indptr, self.indices, self.values / np.repeat(sums, counts), self.shape)

    def dense(self) -> Any:
        full = np.zeros(self.shape, np.float32)
        full[np.repeat(np.arange(self.shape[0]), np.diff(self.indptr)), self.indices] = self.values
        return full


def cora(normalize: bool = True, path: str | Path | None = None) -> Citation:
    """Cora: 2,708 papers, 1,433 words, 5,278 citations, 7 subjects, the 140/500/1000 split.

    McCallum et al., 2000; split by Yang, Cohen, Salakhutdinov, ICML 2016 (Planetoid). Origin and
    licence are in the README beside the file.

    Args:
        normalize: divide the words of each paper by their number, as the papers do.
        path: another ``.npz`` of the same form, instead of the shipped one.

    Raises:
        CorruptDataError: the file is damaged or contradicts itself.

    Example:
        >>> import weft
        >>> data = weft.datasets.cora()
        >>> data.num_nodes, data.num_features, data.num_classes
        (2708, 1433, 7)
        >>> tuple(data.x.shape), len(data.train)
        ((2708, 1433), 140)
    """
    source = Path(path) if path is not None else _SHIPPED
    arrays = _load(source)
    _check(source, arrays)
    count, width = (int(size) for size in arrays["feat_shape"])
    rows = _Rows(arrays["feat_indptr"], arrays["feat_indices"], arrays["feat_data"], (count, width))
    rows = rows.normalized() if normalize else rows

    def ints(name: str) -> Tensor:
        return weft.from_numpy(arrays[name].astype(np.int64))

    return Citation(
        features=csr(rows.indptr, rows.indices, rows.values, rows.shape),
        a_hat=normalized_adjacency(arrays["edge_index"], count),
        edge_index=ints("edge_index"),
        y=ints("labels"),
        train=ints("train_idx"),
        val=ints("val_idx"),
        test=ints("test_idx"),
        num_classes=int(arrays["num_classes"]),
        _dense=rows,
    )


def _load(source: Path) -> dict[str, Any]:
    from tokenize import TokenError
    from zipfile import BadZipFile, ZipFile
    from zlib import error as zlib_error

    faults = (
        BadZipFile, zlib_error, EOFError, KeyError, ValueError, IndexError, TypeError, SyntaxError,
        RuntimeError, NotImplementedError, OverflowError, OSError, TokenError, MemoryError,
    )  # fmt: skip
    with source.open("rb") as stream:
        try:
            with ZipFile(stream) as archive:
                names = archive.namelist()
                missing = [name for name in _FIELDS if f"{name}.npy" not in names]
                if missing:
                    raise CorruptDataError(source, f"has no array {', '.join(missing)}")
                return {name: _array(source, archive, name) for name in _FIELDS}
        except CorruptDataError:
            raise
        except faults as fault:
            raise CorruptDataError(source, f"is no readable .npz archive ({fault})") from fault


def _array(source: Path, archive: Any, name: str) -> Any:
    """One array of the archive, with no more memory than its bytes take."""
    headers = {(1, 0): np.lib.format.read_array_header_1_0}
    headers[2, 0] = np.lib.format.read_array_header_2_0
    with archive.open(f"{name}.npy") as stream:
        shape, fortran, dtype = headers[np.lib.format.read_magic(stream)](stream)
        expected = prod(shape) * dtype.itemsize
        if dtype.hasobject or min(shape, default=0) < 0 or expected > MOST_BYTES:
            raise ValueError(f"{name} has shape {shape} of {dtype}")
        data = stream.read(expected)
    if len(data) != expected:
        raise CorruptDataError(source, f"{name} needs {expected} bytes, got {len(data)}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _check(source: Path, arrays: dict[str, Any]) -> None:
    """Raise CorruptDataError for the first thing that does not fit."""

    def need(holds: Any, what: str) -> None:
        if not holds:
            raise CorruptDataError(source, what)

    for name, kind in _FIELDS.items():
        need(arrays[name].dtype.kind == kind, f"{name} has dtype {arrays[name].dtype}")
    need(arrays["feat_shape"].shape == (2,), "feat_shape must be two numbers")
    count, width = (int(size) for size in arrays["feat_shape"])
    need(0 <= width <= MOST_COLUMNS, f"feat_shape has {width} columns")
    classes = arrays["num_classes"]
    need(classes.shape == () and classes > 0, "num_classes must be one positive number")
    indptr, indices, edges = arrays["feat_indptr"], arrays["feat_indices"], arrays["edge_index"]
    need(indptr.shape == (count + 1,), f"feat_indptr must have {count + 1} entries")
    need(indptr[0] == 0 and (np.diff(indptr) >= 0).all(), "feat_indptr must rise from 0")
    need(indices.shape == (indptr[-1],), f"feat_indices must have {indptr[-1]} entries")
    need(arrays["feat_data"].shape == indices.shape, f"feat_data must have {indptr[-1]} entries")
    need(_within(indices, width), f"feat_indices must lie in 0 to {width - 1}")
    need(edges.ndim == 2 and edges.shape[0] == 2, "edge_index must have shape [2, E]")
    need(_within(edges, count), f"edge_index must lie in 0 to {count - 1}")
    need(arrays["labels"].shape == (count,), f"labels must have {count} entries")
    need(_within(arrays["labels"], int(classes)), f"labels must lie in 0 to {int(classes) - 1}")
    for name in ("train_idx", "val_idx", "test_idx"):
        need(arrays[name].ndim == 1, f"{name} must have one dimension")
        need(_within(arrays[name], count), f"{name} must lie in 0 to {count - 1}")


def _within(values: Any, stop: int) -> bool:
    return values.size == 0 or bool(values.min() >= 0 and values.max() < stop)
