"""Losses against numpy."""

import numpy as np
import pytest

import weft
import weft.nn as nn

RNG = np.random.default_rng(1)
A, B = RNG.normal(size=(2, 5, 3))
P, Q = 1 / (1 + np.exp(-A)), 1 / (1 + np.exp(-B))
LABELS = np.array([0, 2, 1, 2, 2])
LOG = A - np.log(np.exp(A).sum(1, keepdims=True))
PICKED = -LOG[np.arange(5), LABELS]


def bce(p, t):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


CASES = [
    (nn.CrossEntropyLoss, A, LABELS, PICKED),
    (nn.NLLLoss, LOG, LABELS, PICKED),
    (nn.MSELoss, A, B, (A - B) ** 2),
    (nn.L1Loss, A, B, np.abs(A - B)),
    (nn.SmoothL1Loss, A, B, np.where(abs(A - B) < 1, (A - B) ** 2 / 2, abs(A - B) - 0.5)),
    (nn.HuberLoss, A, B, np.where(abs(A - B) < 1, (A - B) ** 2 / 2, abs(A - B) - 0.5)),
    (nn.BCELoss, P, Q, bce(P, Q)),
    (nn.BCEWithLogitsLoss, A, Q, bce(P, Q)),
    (nn.KLDivLoss, np.log(P), Q, Q * (np.log(Q) - np.log(P))),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("loss", "x", "target", "expected"), CASES, ids=[c[0].__name__ for c in CASES]
)
def test_value(loss, x, target, expected, reduction):
    reduced = {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](expected)
    got = loss(reduction=reduction)(weft.tensor(x), weft.tensor(target)).numpy()
    np.testing.assert_allclose(got, reduced, rtol=1e-6)


def test_batchmean():
    got = nn.KLDivLoss(reduction="batchmean")(weft.tensor(np.log(P)), weft.tensor(Q)).item()
    assert got == pytest.approx((Q * (np.log(Q) - np.log(P))).sum() / 5)


def test_cross_entropy_options():
    weight = np.array([1.0, 2.0, 3.0])
    labels = np.array([0, 2, -100, 2, 2])
    keep = labels >= 0
    loss = nn.CrossEntropyLoss(weight=weft.tensor(weight))
    scale = weight[labels[keep]]
    expected = (PICKED[keep] * scale).sum() / scale.sum()
    assert loss(weft.tensor(A), weft.tensor(labels)).item() == pytest.approx(expected)
    assert [name for name, _ in loss.named_buffers()] == ["weight"]
    smooth = nn.CrossEntropyLoss(label_smoothing=0.3)(weft.tensor(A), weft.tensor(LABELS))
    assert smooth.item() == pytest.approx((0.7 * PICKED - 0.3 * LOG.mean(1)).mean())


def test_reduction_is_checked():
    with pytest.raises(ValueError, match="MSELoss: reduction must be"):
        nn.MSELoss(reduction="average")
