"""The shipped Cora, and damaged copies of it."""

import numpy as np
import pytest

import weft
from weft.datasets import CorruptDataError, _cora, cora, normalized_adjacency


def arrays():
    with np.load(_cora._SHIPPED) as archive:
        return {name: archive[name] for name in archive.files}


def written(tmp_path, **changes):
    path = tmp_path / "cora.npz"
    content = {**arrays(), **changes}
    np.savez(path, **{name: value for name, value in content.items() if value is not None})
    return path


def test_contents():
    data = cora()
    assert (data.num_nodes, data.num_features, data.num_classes) == (2708, 1433, 7)
    assert [len(part) for part in (data.train, data.val, data.test)] == [140, 500, 1000]
    parts = [set(part.tolist()) for part in (data.train, data.val, data.test)]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert np.bincount(data.y.numpy()).tolist() == [351, 217, 418, 818, 426, 298, 180]
    assert np.bincount(data.y[data.train].numpy()).tolist() == [20] * 7
    assert tuple(data.edge_index.shape) == (2, 10556)


def test_features_dense_and_sparse_agree():
    data, w = cora(), weft.randn(1433, 3)
    x = data.x.numpy()
    assert x.dtype == np.float32
    np.testing.assert_allclose(x.sum(1), 1.0, rtol=1e-5)
    np.testing.assert_allclose((data.features @ w).numpy(), x @ w.numpy(), rtol=1e-4, atol=1e-6)
    assert data.x is data.x
    assert set(np.unique(cora(normalize=False).x.numpy())) == {0.0, 1.0}


def test_adjacency_is_normalised():
    data = cora()
    a = np.eye(2708, dtype=np.float64)
    a[tuple(data.edge_index.numpy())] = 1.0
    scale = 1 / np.sqrt(a.sum(1))
    x = np.random.default_rng(0).normal(size=(2708, 2)).astype(np.float32)
    expected = (scale[:, None] * a * scale) @ x
    np.testing.assert_allclose(
        (data.a_hat @ weft.tensor(x)).numpy(), expected, rtol=1e-4, atol=1e-5
    )


def test_adjacency_of_small_graphs():
    lone = normalized_adjacency(np.zeros((2, 0), np.int64), 2)
    assert (lone @ weft.tensor([[1.0], [2.0]])).tolist() == [[1.0], [2.0]]
    twice = normalized_adjacency(weft.tensor([[0, 0, 1, 1], [1, 1, 0, 1]]), 2)
    np.testing.assert_allclose((twice @ weft.tensor([[2.0], [4.0]])).numpy(), [[3.0], [3.0]])
    with pytest.raises(IndexError, match="expected nodes 0 to 1, got 0 to 2"):
        normalized_adjacency([[0], [2]], 2)
    with pytest.raises(ValueError, match=r"integers \[2, E\]"):
        normalized_adjacency([[0.5], [1.0]], 2)
    with pytest.raises(ValueError, match=r"integers \[2, E\]"):
        normalized_adjacency([0, 1], 2)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"labels": None}, "has no array labels"),
        ({"labels": np.zeros(3, np.int64)}, "labels must have 2708 entries"),
        ({"labels": np.full(2708, 7)}, "labels must lie in 0 to 6"),
        ({"labels": np.zeros(2708)}, "labels has dtype float64"),
        ({"edge_index": np.zeros((3, 4), np.int64)}, r"edge_index must have shape \[2, E\]"),
        ({"edge_index": np.full((2, 4), 2708)}, "edge_index must lie in 0 to 2707"),
        ({"train_idx": np.array([-1])}, "train_idx must lie in"),
        ({"feat_indptr": np.arange(10)}, "feat_indptr must have 2709 entries"),
        ({"feat_data": np.zeros(3, np.float32)}, "feat_data must have 49216 entries"),
        ({"feat_shape": np.array([2708, 3])}, "feat_indices must lie in 0 to 2"),
        ({"labels": np.array([object()])}, "is no readable .npz archive"),
    ],
)
def test_what_contradicts_itself(tmp_path, changes, text):
    path = written(tmp_path, **changes)
    with pytest.raises(CorruptDataError, match=text) as caught:
        cora(path=path)
    assert str(path) in str(caught.value)


def test_damaged_files(tmp_path):
    whole = _cora._SHIPPED.read_bytes()
    path = tmp_path / "cora.npz"
    flipped = bytearray(whole)
    flipped[5000:5100] = bytes(100)
    for content in (b"", b"not a zip", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(content)
        with pytest.raises(CorruptDataError, match=r"cora.npz: is no readable"):
            cora(path=path)
    with pytest.raises(FileNotFoundError):
        cora(path=tmp_path / "absent.npz")
