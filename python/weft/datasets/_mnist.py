"""MNIST's IDX files."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

import weft
from weft._core import Tensor
from weft.datasets._check import MOST_BYTES, CorruptDataError, find, opened

_UNSIGNED_BYTES = 0x08
_MOST_SIZES = 32


def read_idx(path: str | Path) -> Any:
    """Read an IDX file of unsigned bytes, plain or gzip (by its suffix ``.gz``).

    The format (LeCun, Cortes, Burges): two zero bytes, the element type, the number of dimensions,
    each size as a big-endian 32-bit number, then the elements.

    Returns:
        a uint8 numpy array of the shape that the header gives.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptDataError: the header is wrong, or there are fewer or more bytes than it says.

    Example:
        >>> import tempfile, pathlib
        >>> from weft.datasets import read_idx
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "tiny.idx"
        >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
        >>> read_idx(path).tolist()
        [7, 9]
    """
    path = Path(path)
    with opened(path) as stream:
        magic = stream.read(4)
        if len(magic) < 4 or magic[:2] != b"\0\0":
            raise CorruptDataError(path, f"is no IDX file, it begins with {magic!r}")
        if magic[2] != _UNSIGNED_BYTES:
            raise CorruptDataError(
                path, f"expected element type 0x08 (bytes), got 0x{magic[2]:02x}"
            )
        sizes = stream.read(4 * magic[3])
        if len(sizes) < 4 * magic[3]:
            raise CorruptDataError(path, "ends inside its header")
        shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
        expected = prod(shape)
        data = _read_up_to(stream, min(expected, MOST_BYTES) + 1)
    if len(data) != expected:
        got = f"{len(data)}" if len(data) < expected else "more"
        raise CorruptDataError(path, f"its header {list(shape)} needs {expected} bytes, got {got}")
    if len(shape) > _MOST_SIZES or prod(max(size, 1) for size in shape) > MOST_BYTES:
        raise CorruptDataError(path, f"its header has the shape {list(shape)[:_MOST_SIZES]}")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _read_up_to(stream: Any, limit: int) -> bytearray:
    """At most ``limit`` bytes, without reserving memory that the file does not fill."""
    data = bytearray()
    while len(data) < limit:
        part = stream.read(min(limit - len(data), 1 << 20))
        if not part:
            break
        data += part
    return data


def mnist(root: str | Path, train: bool = True) -> tuple[Tensor, Tensor]:
    """MNIST's handwritten digits (LeCun et al., 1998) from the four IDX files in ``root``.

    Args:
        root: folder with ``train-images-idx3-ubyte`` and so on, plain or with ``.gz``.
        train: the 60,000 training digits, else the 10,000 test digits.

    Returns:
        images uint8 ``[N, 28, 28]`` and labels int64 ``[N]``.

    Raises:
        FileNotFoundError: a file is not there.
        CorruptDataError: a file is damaged, or images and labels do not belong together.

    Example:
        >>> import weft
        >>> weft.datasets.mnist("nowhere")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        FileNotFoundError: nowhere: has neither train-images-idx3-ubyte nor ...
    """
    part = "train" if train else "t10k"
    image_path = find(root, f"{part}-images-idx3-ubyte")
    label_path = find(root, f"{part}-labels-idx1-ubyte")
    images, labels = read_idx(image_path), read_idx(label_path)
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise CorruptDataError(image_path, f"expected images [N, 28, 28], got {list(images.shape)}")
    if labels.ndim != 1:
        raise CorruptDataError(label_path, f"expected labels [N], got {list(labels.shape)}")
    if len(images) != len(labels):
        raise CorruptDataError(
            label_path, f"expected a label for each of {len(images)} images, got {len(labels)}"
        )
    if labels.size and labels.max() > 9:
        raise CorruptDataError(label_path, f"expected labels 0 to 9, got {labels.max()}")
    return weft.from_numpy(images), weft.from_numpy(labels.astype(np.int64))
