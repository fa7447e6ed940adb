"""The updates themselves, against numpy in float64."""

import numpy as np
import pytest

import weft

RNG = np.random.default_rng(0)
STEPS = 5
START = RNG.normal(size=(3, 4))
GRADS = RNG.normal(size=(STEPS, 3, 4))


def run(make, dtype=None):
    w = weft.tensor(START, dtype=dtype or weft.float64, requires_grad=True)
    opt = make([w])
    for grad in GRADS:
        opt.zero_grad()
        (w * weft.tensor(grad, dtype=w.dtype)).sum().backward()
        opt.step()
    return w.detach().numpy()


def sgd(lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):
    w, v = START.copy(), None
    for grad in GRADS:
        d = (-grad if maximize else grad) + weight_decay * w
        if momentum:
            v = d if v is None else momentum * v + (1 - dampening) * d
            d = d + momentum * v if nesterov else v
        w = w - lr * d
    return w


def adam(lr, betas, eps, weight_decay, amsgrad=False, decoupled=False, maximize=False):
    w, m, v, top = START.copy(), 0.0, 0.0, 0.0
    for t, grad in enumerate(GRADS, 1):
        d = -grad if maximize else grad
        w, d = (w * (1 - lr * weight_decay), d) if decoupled else (w, d + weight_decay * w)
        m, v = betas[0] * m + (1 - betas[0]) * d, betas[1] * v + (1 - betas[1]) * d**2
        top = np.maximum(top, v)
        root = np.sqrt((top if amsgrad else v) / (1 - betas[1] ** t))
        w = w - lr * m / (1 - betas[0] ** t) / (root + eps)
    return w


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.5, "maximize": True},
    ],
    ids=str,
)
def test_sgd(options):
    got = run(lambda params: weft.optim.SGD(params, lr=0.1, **options))
    np.testing.assert_allclose(got, sgd(**options), rtol=1e-12)


@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
@pytest.mark.parametrize(
    "options",
    [
        {"weight_decay": 0.0},
        {"weight_decay": 0.1},
        {"weight_decay": 0.1, "amsgrad": True},
        {"weight_decay": 0.0, "maximize": True},
    ],
    ids=str,
)
def test_adam(kind, options):
    fixed = {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-6}
    got = run(lambda params: getattr(weft.optim, kind)(params, **fixed, **options))
    expected = adam(**fixed, **options, decoupled=kind == "AdamW")
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_defaults_are_those_of_torch():
    w = [weft.zeros(1, requires_grad=True)]
    assert weft.optim.SGD(w).defaults["lr"] == 1e-3
    adam_defaults = weft.optim.Adam(w).defaults
    assert adam_defaults["betas"] == (0.9, 0.999)
    assert adam_defaults["weight_decay"] == 0
    assert weft.optim.AdamW(w).defaults["weight_decay"] == 1e-2


def test_float32_stays_near_float64():
    got = run(lambda params: weft.optim.Adam(params, lr=0.05), weft.float32)
    assert got.dtype == np.float32
    expected = adam(0.05, (0.9, 0.999), 1e-8, 0.0)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
