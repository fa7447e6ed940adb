"""Schedulers against their closed forms."""

import math

import pytest

import weft
from weft.optim import SGD, lr_scheduler


def optimizer(*rates):
    groups = [{"params": [weft.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return SGD(groups)


def rates(make, epochs, lr=2.0):
    opt = optimizer(lr)
    sched = make(opt)
    found = [opt.param_groups[0]["lr"]]
    for _ in range(epochs):
        opt.step()
        sched.step()
        found.append(opt.param_groups[0]["lr"])
    assert sched.get_last_lr() == [found[-1]]
    return found


@pytest.mark.parametrize(
    ("make", "closed"),
    [
        (lambda o: lr_scheduler.StepLR(o, 3, gamma=0.5), lambda t: 2 * 0.5 ** (t // 3)),
        (
            lambda o: lr_scheduler.MultiStepLR(o, [2, 5, 5], gamma=0.5),
            lambda t: 2 * 0.5 ** ((t >= 2) + 2 * (t >= 5)),
        ),
        (lambda o: lr_scheduler.ExponentialLR(o, 0.9), lambda t: 2 * 0.9**t),
        (
            lambda o: lr_scheduler.CosineAnnealingLR(o, 4, eta_min=0.5),
            lambda t: 0.5 + 1.5 * (1 + math.cos(math.pi * t / 4)) / 2,
        ),
        (lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 2 / (1 + t)),
        (
            lambda o: lr_scheduler.LinearLR(o, 0.25, 0.75, total_iters=5),
            lambda t: 2 * (0.25 + 0.5 * min(t, 5) / 5),
        ),
    ],
)
def test_closed_form(make, closed):
    assert rates(make, 12) == pytest.approx([closed(t) for t in range(13)], abs=1e-12)


def test_schedulers_can_be_chained():
    opt = optimizer(1.0)
    both = [lr_scheduler.ExponentialLR(opt, 0.5), lr_scheduler.StepLR(opt, 2, gamma=0.1)]
    for _ in range(2):
        for sched in both:
            sched.step()
    assert opt.param_groups[0]["lr"] == pytest.approx(0.025)


def test_one_function_for_each_group():
    opt = optimizer(1.0, 2.0)
    sched = lr_scheduler.LambdaLR(opt, [lambda t: 1.0, lambda t: 0.5**t])
    sched.step()
    assert sched.get_last_lr() == [1.0, 1.0]
    with pytest.raises(ValueError, match="expected 2 functions"):
        lr_scheduler.LambdaLR(opt, [lambda t: 1.0])


def test_resuming():
    opt = optimizer(1.0)
    sched = lr_scheduler.StepLR(opt, 2, gamma=0.5)
    for _ in range(3):
        sched.step()
    state = sched.state_dict()
    assert "optimizer" not in state
    fresh = optimizer(1.0)
    again = lr_scheduler.StepLR(fresh, 2, gamma=0.5)
    again.load_state_dict(state)
    fresh.load_state_dict(opt.state_dict())
    again.step()
    assert again.get_last_lr() == [0.25]
    with pytest.raises(KeyError, match="initial_lr"):
        lr_scheduler.StepLR(optimizer(1.0), 2, last_epoch=3)


def test_plateau():
    opt = optimizer(1.0)
    sched = lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1, cooldown=1, min_lr=0.2)
    for metric in [1.0, 1.0, 1.0]:
        sched.step(metric)
    assert sched.get_last_lr() == [0.5]
    for metric in [1.0, 1.0, 1.0, weft.tensor(1.0)]:
        sched.step(metric)
    assert sched.get_last_lr() == [0.25]
    for _ in range(9):
        sched.step(1.0)
    assert sched.get_last_lr() == [0.2]


def test_plateau_upwards():
    opt = optimizer(1.0)
    sched = lr_scheduler.ReduceLROnPlateau(opt, mode="max", patience=0, threshold_mode="abs")
    for metric in [-1.0, -0.5, 0.5]:
        sched.step(metric)
    assert sched.get_last_lr() == [1.0]
    sched.step(0.5)
    assert sched.get_last_lr() == [0.1]


def test_options_are_checked():
    opt = optimizer(1.0)
    with pytest.raises(ValueError, match="factor"):
        lr_scheduler.ReduceLROnPlateau(opt, factor=1.0)
    with pytest.raises(ValueError, match="mode"):
        lr_scheduler.ReduceLROnPlateau(opt, mode="best")
    with pytest.raises(ValueError, match="step_size"):
        lr_scheduler.StepLR(opt, 0)
    with pytest.raises(ValueError, match="start_factor"):
        lr_scheduler.LinearLR(opt, 0.0)
    with pytest.raises(TypeError, match="needs an Optimizer"):
        lr_scheduler.StepLR(3, 1)


def test_a_scheduler_of_ones_own():
    class Halves(lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    optimizer = SGD([weft.ones(1, requires_grad=True)], lr=1.0)
    halves = Halves(optimizer)
    rates = []
    for _ in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        halves.step()
    assert rates == [1.0, 0.5, 0.25]
