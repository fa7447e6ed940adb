"""Real data: Cora ships with the package, the rest is read from files you have."""

from weft.datasets._check import CorruptDataError
from weft.datasets._cora import Citation, cora
from weft.datasets._facebook import Pages, facebook_pages
from weft.datasets._graph import normalized_adjacency
from weft.datasets._mnist import mnist, read_idx

__all__ = [
    "Citation",
    "CorruptDataError",
    "Pages",
    "cora",
    "facebook_pages",
    "mnist",
    "normalized_adjacency",
    "read_idx",
]
