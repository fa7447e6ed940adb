"""Hyperparameters that are tensors are read at every step, also by compiled steps."""

import pytest

import weft
from weft.optim import SGD, Adam


def run(kind, compiled, change):
    """Weights after each of six steps, ``change(opt, rate, i)`` coming before step ``i``."""
    rate = weft.tensor(0.5)
    weight = weft.zeros(2, requires_grad=True)
    weight.grad = weft.tensor([1.0, -2.0])
    opt = kind([weight], lr=rate)

    def step():
        opt.step()

    once = weft.compile(step) if compiled else step
    seen = []
    for i in range(6):
        change(opt, rate, i)
        once()
        seen.append(weight.tolist())
    return seen


def in_place(opt, rate, i):
    rate.fill_(0.5 / 2**i)


def by_number(opt, rate, i):
    opt.param_groups[0]["lr"] = 0.5 / 2**i


def by_tensor(opt, rate, i):
    opt.param_groups[0]["lr"] = weft.tensor(0.5 / 2**i, dtype=weft.float64)


def mixed(opt, rate, i):
    (in_place if i < 3 else by_number)(opt, rate, i)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize("change", [in_place, by_tensor, mixed])
def test_all_ways_of_changing_a_rate_are_one(kind, change, compiled):
    assert run(kind, compiled, change) == run(kind, False, by_number)


def test_sgd_steps_by_the_present_rate():
    """w -= rate * grad, the rates being 1/2, 1/4, 1/8, ..."""
    seen = [w[0] for w in run(SGD, False, in_place)]
    assert seen == [-0.5, -0.75, -0.875, -0.9375, -0.96875, -0.984375]


def test_a_graph_may_change_the_rate_itself():
    def train(compiled):
        rate = weft.tensor(0.5)
        weight = weft.zeros(1, requires_grad=True)
        weight.grad = weft.ones(1)
        opt = SGD([weight], lr=rate)

        def step():
            rate.mul_(0.5)
            opt.step()

        once = weft.compile(step) if compiled else step
        for _ in range(5):
            once()
        return weight.item(), rate.item()

    assert train(True) == train(False) == (-(0.25 + 0.125 + 0.0625 + 0.03125 + 0.015625), 0.015625)
