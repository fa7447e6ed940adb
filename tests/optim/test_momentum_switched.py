"""Momentum that is switched off and on again begins, or goes on, as in torch."""

import pytest

import weft
from weft.optim import SGD


def run(momenta, compiled):
    """Weights after steps with these momenta; gradient 1, rate 1, dampening 1/2."""
    weight = weft.zeros(1, requires_grad=True)
    weight.grad = weft.ones(1)
    opt = SGD([weight], lr=1.0, momentum=0.5, dampening=0.5)
    step = weft.compile(opt.step) if compiled else opt.step
    seen = []
    for momentum in momenta:
        opt.param_groups[0]["momentum"] = momentum
        step()
        seen.append(weight.item())
    return seen


@pytest.mark.parametrize("compiled", [False, True])
def test_a_buffer_begins_as_the_first_gradient_that_momentum_sees(compiled):
    """Steps 1, 1 (no momentum), 1 (v = 1), 1 (v = 0.5 * 1 + 0.5 * 1)."""
    assert run([0, 0, 0.5, 0.5], compiled) == [-1.0, -2.0, -3.0, -4.0]
    # v = 1, then 0.25 * 1 + 0.5 * 1.
    assert run([0, 0.25, 0.25], compiled) == [-1.0, -2.0, -2.75]


@pytest.mark.parametrize("compiled", [False, True])
def test_a_buffer_that_has_begun_waits(compiled):
    """v = 1; without momentum 1; then v = 0.25 * 1 + 0.5 * 1."""
    assert run([0.25, 0, 0.25], compiled) == [-1.0, -2.0, -2.75]


def test_a_waiting_buffer_is_saved_and_loaded():
    """v = 1; saved without momentum; then v = 0.25 * 1 + 0.5 * 1."""

    def make(momentum):
        weight = weft.zeros(1, requires_grad=True)
        weight.grad = weft.ones(1)
        return weight, SGD([weight], lr=1.0, momentum=momentum, dampening=0.5)

    _, opt = make(0.25)
    opt.step()
    opt.param_groups[0]["momentum"] = 0
    opt.step()
    for momentum in (0, 0.5):
        other, again = make(momentum)
        again.load_state_dict(opt.state_dict())
        again.param_groups[0]["momentum"] = 0.25
        again.step()
        assert other.item() == -0.75
