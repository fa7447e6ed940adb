"""Whatever is changed in an optimiser between steps acts on the next step, as torch's rules say.

The reference does the update from ``param_groups`` and ``state`` as they stand, in plain tensor
operations; the same changes happen to an optimiser that it alone drives.
"""

import pytest
from tests.graph.stale.cases_optim import CHANGES, MAKES, OF_ADAM, OF_SGD, World
from tests.graph.stale.scene import Scene

import weft
from weft.optim import SGD


def sgd(group, p, grad, state):
    if group["weight_decay"]:
        grad = grad + group["weight_decay"] * p
    if group["momentum"]:
        if "momentum_buffer" not in state or state["step"].item() == 0:
            state["momentum_buffer"] = grad.clone()
        else:
            kept = state["momentum_buffer"] * group["momentum"]
            state["momentum_buffer"] = kept + (1 - group["dampening"]) * grad
        buffer = state["momentum_buffer"]
        grad = grad + group["momentum"] * buffer if group["nesterov"] else buffer
    state["step"] = state.get("step", weft.zeros(())) + 1
    p -= group["lr"] * grad


def adam(group, p, grad, state, decoupled):
    if decoupled:
        p *= 1 - group["lr"] * group["weight_decay"]
    elif group["weight_decay"]:
        grad = grad + group["weight_decay"] * p
    zeros = weft.zeros(p.shape)
    b1, b2 = group["betas"]
    step = state["step"] = state.get("step", weft.zeros(())) + 1
    state["exp_avg"] = b1 * state.get("exp_avg", zeros) + (1 - b1) * grad
    state["exp_avg_sq"] = b2 * state.get("exp_avg_sq", zeros) + (1 - b2) * grad * grad
    second = state["exp_avg_sq"]
    if group["amsgrad"]:
        highest = weft.maximum(state.get("max_exp_avg_sq", zeros), second)
        second = state["max_exp_avg_sq"] = highest
    count = step.item()
    root = second.sqrt() / (1 - b2**count) ** 0.5 + group["eps"]
    p -= group["lr"] / (1 - b1**count) * state["exp_avg"] / root


def reference_step(opt):
    """One step from what the optimiser holds."""
    with weft.no_grad():
        for group in opt.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = -p.grad if group["maximize"] else p.grad
                state = opt.state.setdefault(p, {})
                if isinstance(opt, SGD):
                    sgd(group, p, grad, state)
                else:
                    adam(group, p, grad, state, type(opt).__name__ == "AdamW")


def history(make, name, change, step):
    """The parameters after every step: three, the change, three more."""
    world = World(Scene(compiled=False), make)
    if "betas a list" in name:
        world.opt.param_groups[0]["betas"] = [0.9, 0.99]
    seen = []
    for i in range(6):
        if i == 3:
            change(world)
        for p in (world.a, world.b):
            p.grad = None
        loss = world.a.square().sum() + (world.b * 3).square().sum()
        loss.backward()
        step(world.opt)
        seen.append((world.a.tolist(), world.b.tolist()))
    return seen


PAIRS = [
    (make, name, change)
    for make in MAKES
    for name, change in {**CHANGES, **(OF_SGD if make in ("SGD", "momentum") else OF_ADAM)}.items()
    # A state dict and new state are the optimiser's own affair; dict.__setitem__ on purpose
    if name not in ("state dict loaded", "state replaced", "state written", "a parameter frozen")
]


@pytest.mark.parametrize(("make", "name", "change"), PAIRS, ids=[f"{m}, {n}" for m, n, _ in PAIRS])
def test_acts_on_the_next_step(make, name, change):
    want = history(MAKES[make], name, change, reference_step)
    got = history(MAKES[make], name, change, lambda opt: opt.step())
    for expected, found in zip(want, got, strict=True):
        for p, q in zip(expected, found, strict=True):
            assert q == pytest.approx(p, rel=2e-4, abs=2e-5)
