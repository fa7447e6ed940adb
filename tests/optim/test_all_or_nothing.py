"""What an optimiser refuses leaves it as it was."""

import copy

import pytest

import weft
from weft.optim import SGD, Adam

KINDS = pytest.mark.parametrize("kind", [SGD, Adam])


def leaf(*shape):
    return weft.zeros(*shape, requires_grad=True)


def snapshot(opt):
    groups = [{**group, "params": list(map(id, group["params"]))} for group in opt.param_groups]
    return copy.deepcopy(groups), {id(param): list(state) for param, state in opt.state.items()}


WRONG = [
    ({"params": [leaf(1)], "lr": -1.0}, ValueError),
    ({"params": [leaf(1)], "lr": "fast"}, TypeError),
    ({"params": [leaf(1)], "lr": weft.ones(2)}, TypeError),
    ({"params": [leaf(1)], "maximize": "no"}, TypeError),
    ({"params": [leaf(1)], "weight_decay": None}, TypeError),
    ({"params": [leaf(1), 3]}, TypeError),
    ({"params": [leaf(1), leaf(1) * 2]}, ValueError),
    ({"params": {leaf(1), leaf(1)}}, TypeError),
    ({"params": [weft.zeros(1).expand(3).requires_grad_()]}, ValueError),
    ({"params": [("w", leaf(1))]}, ValueError),
    ({"params": [leaf(1)], "param_names": ["w"]}, ValueError),
    ([leaf(1)], TypeError),
]


@KINDS
@pytest.mark.parametrize(("group", "error"), WRONG, ids=range(len(WRONG)))
def test_a_refused_group_changes_nothing(kind, group, error):
    opt = kind([leaf(2)], lr=0.5)
    before = snapshot(opt)
    with pytest.raises(error, match=rf"^({kind.__name__}|add_param_group): "):
        opt.add_param_group(group)
    assert snapshot(opt) == before


def test_momentum_is_no_tensor():
    """Whether it is 0 decides which state there is."""
    with pytest.raises(TypeError, match="momentum expected to be a Python number"):
        SGD([leaf(1)], momentum=weft.tensor(0.9))


@KINDS
def test_a_set_of_parameters_has_no_order(kind):
    with pytest.raises(TypeError, match="params need an order"):
        kind({leaf(1), leaf(1)})


@KINDS
def test_named_parameters(kind):
    model = weft.nn.Linear(2, 1)
    opt = kind(model.named_parameters(), lr=0.5)
    assert opt.param_groups[0]["params"] == [model.weight, model.bias]
    assert opt.param_groups[0]["param_names"] == ["weight", "bias"]
    assert opt.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    opt.add_param_group({"params": [("extra", leaf(1))]})
    assert opt.param_groups[1]["param_names"] == ["extra"]
    with pytest.raises(ValueError, match="all parameter groups need names or none"):
        opt.add_param_group({"params": [leaf(1)]})
    with pytest.raises(ValueError, match="some names are missing"):
        kind([("w", leaf(1)), leaf(1)])
    with pytest.raises(ValueError, match="expected 2 param_names, got 1"):
        kind([{"params": [leaf(1), leaf(1)], "param_names": ["w"]}])


@KINDS
def test_a_step_with_a_wrong_rate_in_a_later_group_steps_none(kind):
    first, second = leaf(2), leaf(2)
    opt = kind([{"params": [first]}, {"params": [second]}], lr=0.5)
    for param in (first, second):
        param.grad = weft.ones(2)
    opt.param_groups[1]["lr"] = -1.0
    with pytest.raises(ValueError, match="lr is out of range"):
        opt.step()
    assert first.tolist() == second.tolist() == [0.0, 0.0]
    opt.param_groups[1]["lr"] = 0.5
    opt.step()
    assert first.tolist() == second.tolist() != [0.0, 0.0]


@KINDS
def test_a_refused_state_changes_nothing(kind):
    opt = kind([leaf(2), leaf(3)], lr=0.5)
    for param in opt.param_groups[0]["params"]:
        param.grad = weft.ones(*param.shape)
    opt.step()
    before = copy.deepcopy(opt.state_dict())
    for spoil in (
        lambda s: s["param_groups"][0].update(lr=-1.0),
        lambda s: s["param_groups"][0].update(params=[0]),
        lambda s: s["state"][1].update({name: weft.zeros(7) for name in s["state"][1]}),
        lambda s: s["param_groups"].append({"params": []}),
    ):
        state = copy.deepcopy(before)
        state["param_groups"][0]["lr"] = 0.25
        spoil(state)
        if kind is SGD and state["state"][1] != before["state"][1]:
            continue
        with pytest.raises(ValueError, match=r"lr is out of range|load_state_dict"):
            opt.load_state_dict(state)
        assert str(opt.state_dict()) == str(before)


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_rate_beyond_every_float_is_refused(kind):
    with pytest.raises(ValueError, match="lr expected to fit a float"):
        kind([leaf(2)], lr=10**400)


@pytest.mark.parametrize("gamma", [5, 5.0])
def test_a_rate_that_grows_beyond_every_float_is_refused(gamma):
    opt = SGD([leaf(2)], lr=0.5)
    sched = weft.optim.lr_scheduler.MultiStepLR(opt, [1] * 700, gamma=gamma)
    with pytest.raises(ValueError, match=r"MultiStepLR.step: expected rates that fit a float"):
        sched.step()
    assert sched.last_epoch == 0 and opt.param_groups[0]["lr"] == 0.5
