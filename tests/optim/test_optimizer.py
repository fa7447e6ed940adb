"""Groups, missing gradients, state, errors."""

import copy

import numpy as np
import pytest

import weft
from weft.optim import SGD, Adam, AdamW


def leaf(*values, dtype=None):
    return weft.tensor(list(values), dtype=dtype, requires_grad=True)


def descend(opt, *tensors):
    opt.zero_grad()
    sum((t * t).sum() for t in tensors).backward()
    opt.step()


def test_groups_have_their_own_values():
    a, b = leaf(1.0), leaf(1.0)
    opt = SGD([{"params": [a], "lr": 0.25}, {"params": b}], lr=0.125)
    descend(opt, a, b)
    assert (a.tolist(), b.tolist()) == ([0.5], [0.75])
    assert [group["lr"] for group in opt.param_groups] == [0.25, 0.125]


def test_a_new_rate_acts_from_the_next_step():
    w = leaf(1.0)
    opt = SGD([w], lr=0.25)
    descend(opt, w)
    opt.param_groups[0]["lr"] = 0.0
    descend(opt, w)
    assert w.tolist() == [0.5]
    opt.param_groups[0].update(lr=0.5)
    descend(opt, w)
    assert w.tolist() == [0.0]


def test_a_rate_out_of_range_is_refused_at_the_step():
    w = leaf(1.0)
    opt = SGD([w], lr=0.25)
    opt.param_groups[0]["lr"] = -1.0
    with pytest.raises(ValueError, match="SGD: lr is out of range"):
        descend(opt, w)
    assert w.tolist() == [1.0]


def test_parameters_without_gradient_are_left_alone():
    a, b, c = leaf(1.0), leaf(1.0), leaf(1.0)
    opt = Adam([a, b, c], lr=0.5)
    for used in ([a, c], [a, c], [b], [a, b, c], []):
        opt.zero_grad()
        if used:
            sum((t * t).sum() for t in used).backward()
        opt.step()
    assert [opt.state[t]["step"].item() for t in (a, b, c)] == [3.0, 2.0, 3.0]
    assert a.tolist() == c.tolist()


def test_momentum_switched_on_later_begins_as_the_gradient():
    w, v = leaf(1.0), leaf(1.0)
    late, plain = SGD([w], lr=0.125), SGD([v], lr=0.125)
    descend(late, w)
    descend(plain, v)
    late.param_groups[0].update(momentum=0.5, dampening=0.75)
    descend(late, w)
    descend(plain, v)
    assert w.tolist() == v.tolist()


def test_amsgrad_switched_on_later():
    w = leaf(1.0)
    opt = Adam([w], lr=0.1)
    descend(opt, w)
    opt.param_groups[0]["amsgrad"] = True
    descend(opt, w)
    assert opt.state[w]["max_exp_avg_sq"].item() > 0
    assert opt.state[w]["step"].item() == 2.0


def test_adding_a_group():
    a, b = leaf(1.0), leaf(1.0)
    opt = SGD([a], lr=0.25)
    opt.add_param_group({"params": b, "lr": 0.5})
    descend(opt, a, b)
    assert (a.tolist(), b.tolist()) == ([0.5], [0.0])
    with pytest.raises(ValueError, match="appears twice"):
        opt.add_param_group({"params": [a]})
    with pytest.raises(TypeError, match="needs a dict"):
        opt.add_param_group([a])
    assert len(opt.param_groups) == 2


def test_zero_grad():
    w = leaf(1.0)
    opt = SGD([w])
    (w * w).sum().backward()
    opt.zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0]
    opt.zero_grad()
    assert w.grad is None
    opt.zero_grad(set_to_none=False)


def test_closure():
    w = leaf(1.0)
    opt = SGD([w], lr=0.25)

    def closure():
        opt.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    assert opt.step(closure).item() == 1.0
    assert w.tolist() == [0.5]


def test_what_cannot_be_optimised():
    w = leaf(1.0)
    for params, error, text in [
        (w, TypeError, "must be an iterable"),
        ([], ValueError, "empty parameter list"),
        ([3], TypeError, "can only optimise tensors, got int"),
        ([w * 2], ValueError, "leaf"),
        ([weft.tensor([1, 2])], ValueError, "floating"),
        ([w, w], ValueError, "appears twice"),
    ]:
        with pytest.raises(error, match=text):
            Adam(params)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda w: SGD(w, lr=-1), "SGD: lr"),
        (lambda w: SGD(w, momentum=-1), "SGD: momentum"),
        (lambda w: SGD(w, nesterov=True), "SGD: nesterov"),
        (lambda w: Adam(w, eps=-1), "Adam: eps"),
        (lambda w: AdamW(w, betas=(0.9, 1.0)), "AdamW: betas"),
        (lambda w: AdamW(w, lr=float("nan")), "AdamW: lr"),
    ],
)
def test_hyperparameters_are_checked(make, text):
    with pytest.raises(ValueError, match=text):
        make([leaf(1.0)])


@pytest.mark.parametrize(
    "make",
    [
        lambda w: SGD(w, lr=0.125, momentum=0.5),
        lambda w: Adam(w, lr=0.125, amsgrad=True),
        lambda w: AdamW(w, lr=0.125),
    ],
)
def test_state_round_trip(make):
    a, b = leaf(1.0, -2.0), leaf(1.0, -2.0)
    first = make([a])
    descend(first, a)
    saved = {
        "state": {k: {n: copy.deepcopy(np.asarray(t.numpy())) for n, t in v.items()}
                  for k, v in first.state_dict()["state"].items()},
        "param_groups": first.state_dict()["param_groups"],
    }  # fmt: skip
    second = make([b])
    with weft.no_grad():
        b.copy_(a)
    kept = second.state[b]
    second.load_state_dict(saved)
    assert second.state[b] is kept
    for _ in range(3):
        descend(first, a)
        descend(second, b)
    assert a.tolist() == b.tolist()


def test_state_has_the_layout_of_torch():
    a, b, c = leaf(1.0), leaf(2.0), leaf(3.0)
    opt = Adam([{"params": [a, b]}, {"params": [c], "lr": 0.5}])
    state = opt.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2]]
    assert set(state["state"][2]) == {"step", "exp_avg", "exp_avg_sq"}
    assert "max_exp_avg_sq" not in state["state"][0]
    plain = SGD([a], momentum=0.9)
    assert plain.state_dict()["state"] == {0: {"momentum_buffer": None}}


def test_a_checkpoint_of_torch_is_understood():
    w = leaf(1.0)
    opt = Adam([w], lr=0.1)
    group = {"lr": 0.5, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False,
             "maximize": False, "foreach": None, "capturable": False, "params": [0]}  # fmt: skip
    moments = {"step": 3.0, "exp_avg": np.array([0.5]), "exp_avg_sq": np.array([0.25])}
    opt.load_state_dict({"state": {0: moments}, "param_groups": [group]})
    assert opt.param_groups[0]["lr"] == 0.5
    assert opt.param_groups[0]["params"][0] is w
    assert opt.state[w]["step"].item() == 3.0
    opt.load_state_dict({"state": {}, "param_groups": [group]})
    assert opt.state[w]["step"].item() == 0.0


def test_nothing_changes_when_the_state_does_not_fit():
    w = leaf(1.0)
    opt = Adam([w], lr=0.1)
    good = opt.state_dict()
    bad_shape = {"state": {0: {"exp_avg": np.zeros(3)}}, "param_groups": good["param_groups"]}
    bad_value = {"state": {}, "param_groups": [{**good["param_groups"][0], "lr": -1.0}]}
    bad_count = {"state": {}, "param_groups": [{**good["param_groups"][0], "params": [0, 1]}]}
    for bad, text in [
        (bad_shape, r"'exp_avg' of parameter 0 has another shape, expected \[1\], got \[3\]"),
        (bad_value, "lr is out of range"),
        (bad_count, r"expected \[1\] parameters, got \[2\]"),
        ({}, "expected keys"),
    ]:
        with pytest.raises(ValueError, match=text):
            opt.load_state_dict(bad)
    assert opt.param_groups[0]["lr"] == 0.1


def test_text():
    text = repr(SGD([leaf(1.0)], lr=0.5))
    assert text.startswith("SGD (\nParameter Group 0\n")
    assert "    lr: 0.5\n" in text
