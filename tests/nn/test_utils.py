"""Gradient clipping and flat vectors."""

import math

import numpy as np
import pytest

import weft
import weft.nn as nn
from weft.nn import utils


def params(*grads):
    made = []
    for grad in grads:
        p = nn.Parameter(weft.zeros(len(grad)))
        p.grad = weft.tensor(grad)
        made.append(p)
    return [*made, nn.Parameter(weft.zeros(2))]


@pytest.mark.parametrize(
    ("kind", "norm"), [(2.0, 13.0), (1.0, 19.0), (math.inf, 12.0), (3.0, None)]
)
def test_clip_norm(kind, norm):
    made = params([3.0, -4.0], [12.0])
    norm = norm or (27 + 64 + 1728) ** (1 / 3)
    got = utils.clip_grad_norm_(iter(made), 1.0, norm_type=kind)
    assert got.item() == pytest.approx(norm, rel=1e-5)
    np.testing.assert_allclose(made[0].grad.tolist(), [3 / norm, -4 / norm], rtol=1e-4)
    assert made[2].grad is None


def test_small_gradients_stay():
    made = params([0.3, 0.4])
    utils.clip_grad_norm_(made, 1.0)
    assert made[0].grad.tolist() == weft.tensor([0.3, 0.4]).tolist()


def test_clip_without_gradients():
    assert utils.clip_grad_norm_(params(), 1.0).item() == 0.0


def test_nonfinite_is_an_error_on_request():
    with pytest.raises(RuntimeError, match="not finite"):
        utils.clip_grad_norm_(params([math.inf]), 1.0, error_if_nonfinite=True)
    with pytest.raises(ValueError, match="norm_type"):
        utils.clip_grad_norm_(params([1.0]), 1.0, norm_type=-1.0)


def test_clip_value():
    made = params([5.0, -0.5, -7.0])
    utils.clip_grad_value_(made, 1.0)
    assert made[0].grad.tolist() == [1.0, -0.5, -1.0]


def test_vector_round_trip():
    model, twin = nn.Linear(2, 3), nn.Linear(2, 3)
    vector = utils.parameters_to_vector(model.parameters())
    utils.vector_to_parameters(vector, twin.parameters())
    assert twin.weight.tolist() == model.weight.tolist()
    assert twin.bias.tolist() == model.bias.tolist()
    with pytest.raises(ValueError, match=r"expected shape \[9\], got \[8\]"):
        utils.vector_to_parameters(vector[:8], twin.parameters())


def test_total_norm():
    parts = [weft.tensor([3.0, -1.0]), weft.tensor([[4.0]])]
    assert utils.get_total_norm(parts).item() == pytest.approx(math.sqrt(26))
    assert utils.get_total_norm(parts, 1.0).item() == pytest.approx(8)
    assert utils.get_total_norm(parts, math.inf).item() == 4
    assert utils.get_total_norm([]).item() == 0
