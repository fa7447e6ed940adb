"""IDX files: real, small, damaged."""

import gzip
import struct

import numpy as np
import pytest

import weft
from weft.datasets import CorruptDataError, mnist, read_idx


def idx(array, sizes=None, kind=8):
    sizes = array.shape if sizes is None else sizes
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, kind, len(sizes), *sizes) + array.tobytes()


IMAGES = np.arange(3 * 784, dtype=np.uint32).astype(np.uint8).reshape(3, 28, 28)
LABELS = np.array([3, 0, 9], np.uint8)


def write(folder, images=None, labels=None, part="t10k"):
    images = idx(IMAGES) if images is None else images
    labels = idx(LABELS) if labels is None else labels
    contents = {"images-idx3": images, "labels-idx1": labels}
    for name, content in contents.items():
        (folder / f"{part}-{name}-ubyte").write_bytes(content)


def test_plain_and_gzip(tmp_path):
    write(tmp_path)
    for _ in range(2):
        images, labels = mnist(tmp_path, train=False)
        assert images.dtype == weft.uint8
        assert labels.dtype == weft.int64
        assert (images.numpy() == IMAGES).all()
        assert labels.tolist() == [3, 0, 9]
        for path in list(tmp_path.glob("*ubyte")):
            (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is no IDX file"),
        (b"\x89PNG\r\n", "is no IDX file"),
        (idx(IMAGES, kind=13), "element type 0x08"),
        (idx(IMAGES)[:10], "ends inside its header"),
        (idx(IMAGES)[:-1], r"needs 2352 bytes, got 2351"),
        (idx(IMAGES) + b"x", "needs 2352 bytes, got more"),
        (idx(IMAGES, sizes=(2**32 - 1,) * 3), "bytes, got 2352"),
        (idx(IMAGES.reshape(3, 784)), r"expected images \[N, 28, 28\], got \[3, 784\]"),
        (idx(IMAGES[:2]), "a label for each of 2 images, got 3"),
    ],
)
def test_bad_images(tmp_path, content, text):
    write(tmp_path, images=content)
    with pytest.raises(CorruptDataError, match=text) as caught:
        mnist(tmp_path, train=False)
    assert "t10k-" in str(caught.value)


def test_bad_labels(tmp_path):
    write(tmp_path, labels=idx(np.array([1, 2, 10], np.uint8)))
    with pytest.raises(CorruptDataError, match="expected labels 0 to 9, got 10"):
        mnist(tmp_path, train=False)
    write(tmp_path, labels=idx(LABELS.reshape(3, 1)))
    with pytest.raises(CorruptDataError, match=r"expected labels \[N\]"):
        mnist(tmp_path, train=False)


def test_bad_gzip(tmp_path):
    path = tmp_path / "x.gz"
    whole = gzip.compress(idx(np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)))
    for content, text in [
        (whole[:-20], "truncated"),
        (b"plain", "damaged"),
        (whole[:300] + bytes(50) + whole[350:], "damaged"),
        (whole[:-8] + bytes(8), "damaged"),
    ]:
        path.write_bytes(content)
        with pytest.raises(CorruptDataError, match=text):
            read_idx(path)


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="has neither train-images-idx3-ubyte nor"):
        mnist(tmp_path)


def test_the_real_files(folder):
    root = folder("mnist")
    for train, count in ((True, 60_000), (False, 10_000)):
        images, labels = mnist(root, train=train)
        assert tuple(images.shape) == (count, 28, 28)
        assert tuple(labels.shape) == (count,)
    train, _ = mnist(root)
    assert train.numpy().mean() / 255 == pytest.approx(0.1307, abs=1e-4)
