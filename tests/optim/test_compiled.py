"""Optimisers inside compiled functions: same bits as eager, changes noticed."""

import pytest

import weft
import weft.nn as nn
import weft.nn.functional as F

MAKERS = {
    "sgd": lambda p: weft.optim.SGD(p, lr=0.1),
    "momentum": lambda p: weft.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: weft.optim.Adam(p, lr=0.1, amsgrad=True),
    "adamw": lambda p: weft.optim.AdamW(p, lr=0.1),
}


def build(make):
    weft.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.25), nn.Linear(16, 2))
    opt = make(model.parameters())
    x, y = weft.randn(8, 4), weft.randint(0, 2, (8,))

    def step():
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        opt.step()
        return loss

    return model, opt, step


def bits(model):
    return [p.detach().numpy().tobytes() for p in model.parameters()]


def train(make, static, change=None, steps=12):
    model, opt, step = build(make)
    run = weft.compile(step) if static else step
    for number in range(steps):
        if change:
            change(number, model, opt)
        run()
    return bits(model)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_same_bits(make):
    assert train(make, static=True) == train(make, static=False)


def new_rate(number, model, opt):
    opt.param_groups[0]["lr"] = 0.1 / (1 + number)


def freeze_dropout(number, model, opt):
    model.train(number < 6)


def new_decay(number, model, opt):
    if number == 5:
        opt.param_groups[0].update(weight_decay=0.1)


def new_layer(number, model, opt):
    if number == 6:
        model[1] = nn.ReLU()


@pytest.mark.parametrize("change", [new_rate, freeze_dropout, new_decay, new_layer])
def test_changes_are_noticed(change):
    make = MAKERS["adamw"]
    assert train(make, True, change) == train(make, False, change)
    assert train(make, True, change) != train(make, True)


def test_a_scheduler_steps_outside():
    _, opt, step = build(MAKERS["sgd"])
    sched = weft.optim.lr_scheduler.ExponentialLR(opt, 0.5)

    def both():
        step()
        sched.step()

    with pytest.raises(RuntimeError, match="inside a compiled function"):
        weft.compile(both)()
