"""Starting values: ranges, spreads, errors."""

import math

import numpy as np
import pytest

import weft
from weft.nn import init


def filled(fill, *shape, **options):
    weft.manual_seed(0)
    tensor = weft.empty(*shape, requires_grad=True)
    assert fill(tensor, **options) is tensor
    assert tensor.requires_grad
    assert tensor.is_leaf
    return tensor.detach().numpy()


def test_plain_fills():
    assert filled(init.constant_, 3, val=2.5).tolist() == [2.5] * 3
    assert filled(init.ones_, 2).tolist() == [1.0, 1.0]
    assert filled(init.zeros_, 2).tolist() == [0.0, 0.0]
    assert filled(init.eye_, 2, 2).tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("fill", "options", "std"),
    [
        (init.uniform_, {"a": -1.0, "b": 1.0}, 1 / math.sqrt(3)),
        (init.normal_, {"std": 3.0}, 3.0),
        (init.xavier_uniform_, {"gain": 2.0}, 2 * math.sqrt(2 / 300)),
        (init.xavier_normal_, {}, math.sqrt(2 / 300)),
        (init.kaiming_uniform_, {"nonlinearity": "relu"}, math.sqrt(2 / 200)),
        (init.kaiming_uniform_, {"a": math.sqrt(5)}, 1 / math.sqrt(3 * 200)),
        (init.kaiming_normal_, {"mode": "fan_out", "nonlinearity": "linear"}, 1 / math.sqrt(100)),
    ],
)
def test_spread(fill, options, std):
    array = filled(fill, 100, 200, **options)
    assert array.std() == pytest.approx(std, rel=0.03)
    assert array.mean() == pytest.approx(0.0, abs=0.05 * std)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (5, 5), (3, 2, 4)])
def test_orthogonal(shape):
    array = filled(init.orthogonal_, *shape, gain=2.0).reshape(shape[0], -1).astype(np.float64)
    small = array @ array.T if array.shape[0] <= array.shape[1] else array.T @ array
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)


def test_same_seed_same_values():
    assert (filled(init.normal_, 7) == filled(init.normal_, 7)).all()


def test_gains():
    assert init.calculate_gain("tanh") == pytest.approx(5 / 3)
    assert init.calculate_gain("leaky_relu", 1.0) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="unknown nonlinearity"):
        init.calculate_gain("swoosh")


@pytest.mark.parametrize(
    "fill", [init.xavier_normal_, init.kaiming_uniform_, init.orthogonal_, init.eye_]
)
def test_vectors_have_no_fans(fill):
    with pytest.raises(ValueError, match="2 dims"):
        fill(weft.empty(3))


def test_bad_mode():
    with pytest.raises(ValueError, match="mode must be"):
        init.kaiming_normal_(weft.empty(3, 3), mode="fan")
