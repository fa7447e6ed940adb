"""The Facebook page-page network: CSV and JSON with feature lists of unequal length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import weft
from weft._core import Tensor
from weft.datasets._check import MOST_COLUMNS, CorruptDataError, find, read_text
from weft.datasets._graph import Ints, both_directions, csr, normalized_adjacency

if TYPE_CHECKING:
    from weft import SparseTensor


@dataclass(frozen=True, eq=False)
class Pages:
    """Pages that like each other, words of their descriptions and their kind.

    Attributes:
        features: 1 where a page has a feature, float32 CSR ``[n, features]``.
        a_hat: normalised adjacency with self-loops, float32 CSR ``[n, n]``.
        edge_index: likes in both directions without self-loops, int64 ``[2, E]``.
        y: kind of each page, int64 ``[n]``, numbers into ``class_names``.
        class_names: the kinds, sorted.
        page_names: what the pages are called.
    """

    features: SparseTensor
    a_hat: SparseTensor
    edge_index: Tensor
    y: Tensor
    class_names: tuple[str, ...]
    page_names: tuple[str, ...]

    @property
    def num_nodes(self) -> int:
        """The number of pages."""
        return len(self.page_names)

    @property
    def num_features(self) -> int:
        """The number of distinct features."""
        return int(self.features.shape[1])

    @property
    def num_classes(self) -> int:
        """The number of kinds."""
        return len(self.class_names)


def facebook_pages(root: str | Path) -> Pages:
    """The large page-page network of Rozemberczki, Allen, Sarkar (MUSAE, 2021).

    Each page has a list of feature numbers; lists differ in length and become rows of a 0/1 matrix.

    Args:
        root: folder with ``musae_facebook_edges.csv``, ``musae_facebook_features.json`` and
            ``musae_facebook_target.csv``, plain or with ``.gz``.

    Raises:
        FileNotFoundError: a file is not there.
        CorruptDataError: a file is damaged or contradicts itself or another.

    Example:
        >>> import weft
        >>> weft.datasets.facebook_pages("nowhere")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        FileNotFoundError: nowhere: has neither musae_facebook_target.csv nor ...
    """
    names, kinds = _targets(find(root, "musae_facebook_target.csv"))
    indptr, indices = _features(find(root, "musae_facebook_features.json"), len(names))
    edges = both_directions(_edges(find(root, "musae_facebook_edges.csv"), len(names)))
    classes = tuple(sorted(set(kinds)))
    number = {name: i for i, name in enumerate(classes)}
    width = int(indices.max()) + 1 if indices.size else 0
    return Pages(
        features=csr(indptr, indices, np.ones(len(indices)), (len(names), width)),
        a_hat=normalized_adjacency(edges, len(names)),
        edge_index=weft.from_numpy(edges),
        y=weft.from_numpy(np.array([number[kind] for kind in kinds], np.int64)),
        class_names=classes,
        page_names=tuple(names),
    )


def _rows(path: Path, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Records of a CSV file with the line each ends on; header and widths are checked."""
    import csv

    reader = csv.reader(StringIO(read_text(path), newline=""), strict=True)
    try:
        for row in reader:
            if reader.line_num == 1 and row != header:
                raise CorruptDataError(path, f"expected header {header}, got {row}")
            if len(row) != len(header):
                raise CorruptDataError(
                    path, f"line {reader.line_num}: expected {len(header)} fields, got {len(row)}"
                )
            if reader.line_num > 1:
                yield reader.line_num, row
    except csv.Error as error:
        raise CorruptDataError(path, f"line {reader.line_num}: {error}") from error
    if reader.line_num == 0:
        raise CorruptDataError(path, "is empty")


def _targets(path: Path) -> tuple[list[str], list[str]]:
    names: list[str] = []
    kinds: list[str] = []
    for line, (number, _, name, kind) in _rows(
        path, ["id", "facebook_id", "page_name", "page_type"]
    ):
        if number != str(len(names)):
            raise CorruptDataError(path, f"line {line}: expected id {len(names)}, got {number!r}")
        if not kind:
            raise CorruptDataError(path, f"line {line}: page_type is empty")
        names.append(name)
        kinds.append(kind)
    if not names:
        raise CorruptDataError(path, "lists no pages")
    return names, kinds


def _edges(path: Path, count: int) -> Ints:
    """Pairs of page numbers ``[E, 2]``."""
    found = []
    for line, row in _rows(path, ["id_1", "id_2"]):
        if not all(field.isdecimal() and len(field) < 18 for field in row):
            raise CorruptDataError(path, f"line {line}: expected two page numbers, got {row}")
        pair = int(row[0]), int(row[1])
        if max(pair) >= count:
            raise CorruptDataError(path, f"line {line}: expected pages 0 to {count - 1}, got {row}")
        found.append(pair)
    return np.array(found, np.int64).reshape(-1, 2)


def _features(path: Path, count: int) -> tuple[Ints, Ints]:
    """Row starts and sorted columns of the 0/1 matrix."""
    lists = _feature_object(path)
    expected = {str(page) for page in range(count)}
    if set(lists) != expected:
        odd = sorted(set(lists) ^ expected)
        raise CorruptDataError(
            path,
            f"pages differ from the {count} targets, {len(odd)} in all, for example {odd[0]!r}",
        )
    rows = [_feature_list(path, page, lists[str(page)]) for page in range(count)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return starts, np.fromiter(chain.from_iterable(rows), np.int64, int(starts[-1]))


def _feature_object(path: Path) -> dict[str, Any]:
    import json

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise CorruptDataError(path, "lists a page twice")
        return found

    try:
        found = json.loads(read_text(path), object_pairs_hook=unique)
    except CorruptDataError:
        raise
    except (ValueError, RecursionError) as error:
        raise CorruptDataError(path, f"is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise CorruptDataError(path, f"expected a JSON object, got a {type(found).__name__}")
    return found


def _feature_list(path: Path, page: int, row: Any) -> list[int]:
    if not isinstance(row, list) or any(type(item) is not int for item in row):
        raise CorruptDataError(path, f"page {page}: expected a list of integers, got {row!r:.60}")
    if row and not 0 <= min(row) <= max(row) < MOST_COLUMNS:
        raise CorruptDataError(path, f"page {page}: a feature number is out of range")
    if len(set(row)) != len(row):
        raise CorruptDataError(path, f"page {page}: lists a feature twice")
    return sorted(row)
