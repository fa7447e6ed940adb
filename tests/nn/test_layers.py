"""Layers and activations against numpy."""

import math

import numpy as np
import pytest

import weft
import weft.nn as nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6)).astype(np.float32)


def test_linear():
    layer = nn.Linear(6, 3)
    expected = X @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(
        layer(weft.tensor(X)).detach().numpy(), expected, rtol=1e-5, atol=1e-6
    )
    assert nn.Linear(6, 3, bias=False).bias is None
    assert nn.Linear(2, 2, dtype=weft.float64).weight.dtype == weft.float64


def test_linear_starts_as_in_torch():
    layer = nn.Linear(100, 400)
    bound = 1 / math.sqrt(100)
    for param in layer.parameters():
        array = param.detach().numpy()
        assert np.abs(array).max() <= bound
        assert array.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_linear_on_sparse_features():
    dense = np.array([[0, 2.0, 0], [1.0, 0, 3.0]], np.float32)
    sparse = weft.sparse_csr_tensor(
        weft.tensor([0, 1, 3]), weft.tensor([1, 0, 2]), weft.tensor([2.0, 1.0, 3.0]), size=(2, 3)
    )
    layer = nn.Linear(3, 4, bias=False)
    layer(sparse).sum().backward()
    expected = dense @ layer.weight.detach().numpy().T
    np.testing.assert_allclose(layer(sparse).detach().numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(layer.weight.grad.numpy(), np.tile(dense.sum(0), (4, 1)), rtol=1e-6)


def test_embedding():
    table = nn.Embedding(5, 3, padding_idx=-1)
    assert table.padding_idx == 4
    assert table.weight[4].tolist() == [0.0, 0.0, 0.0]
    index = weft.tensor([[1, 4], [1, 0]])
    assert table(index).tolist() == table.weight.detach().numpy()[index.numpy()].tolist()
    with pytest.raises(ValueError, match="padding_idx is outside"):
        nn.Embedding(5, 3, padding_idx=5)


def test_embedding_from_pretrained():
    source = weft.tensor([[1.0, 2.0], [3.0, 4.0]])
    table = nn.Embedding.from_pretrained(source)
    assert not table.weight.requires_grad
    assert table(weft.tensor([1])).tolist() == [[3.0, 4.0]]
    with pytest.raises(ValueError, match="needs a matrix"):
        nn.Embedding.from_pretrained(weft.zeros(3))


def test_layer_norm():
    layer = nn.LayerNorm(6)
    expected = (X - X.mean(1, keepdims=True)) / np.sqrt(X.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(
        layer(weft.tensor(X)).detach().numpy(), expected, rtol=1e-4, atol=1e-5
    )
    assert nn.LayerNorm((2, 3)).normalized_shape == (2, 3)
    assert not list(nn.LayerNorm(6, elementwise_affine=False).parameters())
    assert nn.LayerNorm(6, bias=False).bias is None


def test_dropout():
    weft.manual_seed(0)
    layer, x = nn.Dropout(0.25), weft.ones(4000)
    kept = layer(x).numpy()
    assert set(np.unique(kept)) == {np.float32(0.0), np.float32(1 / 0.75)}
    assert (kept == 0).mean() == pytest.approx(0.25, abs=0.03)
    with pytest.raises(ValueError, match="p is no probability"):
        nn.Dropout(1.5)


def test_flatten():
    assert tuple(nn.Flatten(0, 1)(weft.zeros(2, 3, 4)).shape) == (6, 4)


@pytest.mark.parametrize(
    ("layer", "reference"),
    [
        (nn.ReLU(), lambda x: np.maximum(x, 0)),
        (nn.SiLU(), lambda x: x / (1 + np.exp(-x))),
        (nn.Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
        (nn.Tanh(), np.tanh),
        (nn.Softplus(), lambda x: np.log1p(np.exp(x))),
        (nn.Softplus(beta=2.0), lambda x: np.log1p(np.exp(2 * x)) / 2),
        (nn.LeakyReLU(0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
        (nn.ELU(0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
        (nn.GELU(), lambda x: x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))),
        (
            nn.GELU("tanh"),
            lambda x: x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        ),
        (nn.Softmax(dim=0), lambda x: np.exp(x) / np.exp(x).sum(0)),
        (nn.LogSoftmax(dim=1), lambda x: x - np.log(np.exp(x).sum(1, keepdims=True))),
    ],
    ids=repr,
)
def test_activation(layer, reference):
    x = X.astype(np.float64)
    np.testing.assert_allclose(layer(weft.tensor(x)).numpy(), reference(x), rtol=1e-6, atol=1e-9)


def test_gelu_knows_two_formulas():
    with pytest.raises(ValueError, match="approximate must be"):
        nn.GELU("fast")
