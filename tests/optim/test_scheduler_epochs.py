"""Schedulers at given epochs, resumed, copied, saved, with tensors as rates, and after errors."""

import copy
import math
import pickle

import pytest

import weft
from weft.optim import SGD, lr_scheduler

CLOSED = {
    "step": (lambda o: lr_scheduler.StepLR(o, 3, gamma=0.5), lambda t: 0.5 ** (t // 3)),
    "multi": (
        lambda o: lr_scheduler.MultiStepLR(o, [2, 5, 5], gamma=0.5),
        lambda t: 0.5 ** ((t >= 2) + 2 * (t >= 5)),
    ),
    "exponential": (lambda o: lr_scheduler.ExponentialLR(o, 0.9), lambda t: 0.9**t),
    "cosine": (
        lambda o: lr_scheduler.CosineAnnealingLR(o, 4, eta_min=0.0),
        lambda t: (1 + math.cos(math.pi * t / 4)) / 2,
    ),
    "lambda": (lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 1 / (1 + t)),
    "linear": (
        lambda o: lr_scheduler.LinearLR(o, 0.25, 0.75, total_iters=5),
        lambda t: 0.25 + 0.5 * min(t, 5) / 5,
    ),
}
each_scheduler = pytest.mark.parametrize(("make", "closed"), CLOSED.values(), ids=CLOSED)


def optimizer(*rates):
    groups = [{"params": [weft.zeros(1, requires_grad=True)], "lr": rate} for rate in rates]
    return SGD(groups)


@each_scheduler
def test_step_to_an_epoch_gives_the_rate_of_that_epoch(make, closed):
    opt = optimizer(2.0, 0.5)
    sched = make(opt)
    for epoch in [7, 3, 3, 0, 12, 1]:
        sched.step(epoch)
        assert sched.last_epoch == epoch
        expected = [2.0 * closed(epoch), 0.5 * closed(epoch)]
        assert [group["lr"] for group in opt.param_groups] == pytest.approx(expected)


@each_scheduler
def test_a_resumed_scheduler_goes_on_where_the_first_stood(make, closed):
    opt = optimizer(2.0)
    sched = make(opt)
    for _ in range(6):
        sched.step()
    other = make(optimizer(1.0))
    other.load_state_dict(sched.state_dict())
    other.optimizer.load_state_dict(opt.state_dict())
    for epoch in range(7, 15):
        other.step()
        assert other.get_last_lr() == pytest.approx([2.0 * closed(epoch)], abs=1e-12)


def test_last_epoch_resumes_without_a_further_step_of_the_rate():
    """As torch: making a scheduler at ``last_epoch`` does not move an exponential rate."""
    opt = optimizer(1.0)
    for group in opt.param_groups:
        group["initial_lr"], group["lr"] = 1.0, 0.125
    sched = lr_scheduler.ExponentialLR(opt, 0.5, last_epoch=2)
    assert (sched.last_epoch, sched.get_last_lr()) == (3, [0.125])
    sched.step()
    assert sched.get_last_lr() == [0.0625]


@each_scheduler
def test_copies_go_their_own_way(make, closed):
    opt = optimizer(2.0)
    sched = make(opt)
    sched.step()
    twin = copy.deepcopy(sched)
    twin.step()
    assert twin.optimizer is not opt
    assert twin.optimizer.param_groups[0]["lr"] == pytest.approx(2.0 * closed(2))
    assert opt.param_groups[0]["lr"] == pytest.approx(2.0 * closed(1))


def test_schedulers_can_be_pickled():
    for name, (make, closed) in CLOSED.items():
        if name == "lambda":
            continue
        sched = make(optimizer(2.0))
        sched.step()
        twin = pickle.loads(pickle.dumps(sched))
        twin.step()
        assert twin.get_last_lr() == pytest.approx([2.0 * closed(2)])


class Decay:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


def test_callable_objects_are_part_of_the_state():
    sched = lr_scheduler.LambdaLR(optimizer(1.0, 1.0), [Decay(0.5), lambda t: 1.0])
    state = sched.state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.5}, None]
    other = lr_scheduler.LambdaLR(optimizer(1.0, 1.0), [Decay(0.9), lambda t: 2.0])
    other.load_state_dict(state)
    other.step()
    assert other.get_last_lr() == [0.5, 2.0]
    with pytest.raises(ValueError, match="expected 1 functions, got 2"):
        lr_scheduler.LambdaLR(optimizer(1.0), Decay(0.5)).load_state_dict(state)


@each_scheduler
def test_a_rate_that_is_a_tensor_is_written_in_place(make, closed):
    rate = weft.tensor(2.0)
    opt = optimizer(rate)
    sched = make(opt)
    for epoch in range(1, 7):
        sched.step()
        assert opt.param_groups[0]["lr"] is rate
        assert rate.item() == pytest.approx(2.0 * closed(epoch), abs=1e-6)
        assert opt.param_groups[0]["initial_lr"].item() == 2.0


def test_a_failing_step_changes_nothing():
    def factor(epoch):
        if epoch == 2:
            raise ArithmeticError("two")
        return 0.5**epoch

    opt = optimizer(1.0, 1.0)
    sched = lr_scheduler.LambdaLR(opt, [lambda t: 0.1**t, factor])
    sched.step()
    before = [group["lr"] for group in opt.param_groups], sched.state_dict()
    with pytest.raises(ArithmeticError, match="two"):
        sched.step()
    with pytest.raises(TypeError, match=r"LambdaLR\.step: epoch expected to be an int"):
        sched.step("3")
    assert ([group["lr"] for group in opt.param_groups], sched.state_dict()) == before


def test_a_scheduler_that_cannot_begin_leaves_no_trace():
    def factor(epoch):
        raise ArithmeticError("no rate")

    opt = optimizer(1.0)
    before = dict(opt.param_groups[0])
    with pytest.raises(ArithmeticError, match="no rate"):
        lr_scheduler.LambdaLR(opt, factor)
    assert dict(opt.param_groups[0]) == before


def plateau_rates(metrics, **options):
    opt = optimizer(1.0)
    sched = lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=0, **options)
    found = []
    for metric in metrics:
        sched.step(metric)
        found.append(opt.param_groups[0]["lr"])
    return found


def test_a_plateau_of_negative_metrics_is_torchs():
    """Better is below ``best * (1 - threshold)``: -0.9 after -1, then -0.855 after -0.95."""
    metrics = [-1.0, -0.95, -0.85, -0.95]
    assert plateau_rates(metrics, threshold=0.1) == [1.0, 1.0, 0.5, 0.5]
    assert plateau_rates(metrics, threshold=0.1, threshold_mode="abs") == [1.0, 0.5, 0.25, 0.125]
    # Upwards: above best * (1 + threshold), which for best = -1 is -1.1.
    metrics = [-1.0, -1.05, -1.2]
    assert plateau_rates(metrics, threshold=0.1, mode="max") == [1.0, 1.0, 0.5]


def test_a_plateau_gives_groups_that_came_later_the_lowest_rate():
    opt = optimizer(1.0)
    one = lr_scheduler.ReduceLROnPlateau(opt, patience=0, min_lr=0.5)
    each = lr_scheduler.ReduceLROnPlateau(opt, patience=0, min_lr=[0.5])
    opt.add_param_group({"params": [weft.zeros(1, requires_grad=True)], "lr": 2.0})
    one.step(1.0)
    one.step(1.0)
    assert one.get_last_lr() == [0.5, 0.5]
    before = each.state_dict()
    with pytest.raises(RuntimeError, match="expected 2 min_lrs, got 1"):
        each.step(1.0)
    assert each.state_dict() == before


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda o: lr_scheduler.StepLR(o, "a"), TypeError),
        (lambda o: lr_scheduler.StepLR(o, 2, gamma=None), TypeError),
        (lambda o: lr_scheduler.MultiStepLR(o, [1.5]), TypeError),
        (lambda o: lr_scheduler.ExponentialLR(o, "a"), TypeError),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 0), ValueError),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, "a"), TypeError),
        (lambda o: lr_scheduler.LinearLR(o, float("nan")), ValueError),
        (lambda o: lr_scheduler.LambdaLR(o, [3]), TypeError),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=float("nan")), ValueError),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, patience="a"), TypeError),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, min_lr="a"), TypeError),
        (lambda o: lr_scheduler.ReduceLROnPlateau(3), TypeError),
        (lambda o: lr_scheduler.StepLR(o, 2).load_state_dict([1]), TypeError),
    ],
)
def test_wrong_arguments(make, error):
    with pytest.raises(error, match=r"^(\w+LR|ReduceLROnPlateau)"):
        make(optimizer(1.0))
