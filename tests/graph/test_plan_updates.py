"""What a plan writes in the end: several updates of one value, and errors that change nothing."""

import time

import numpy as np
import pytest

import weft
import weft.nn.functional as F


def t(*values):
    return weft.tensor([float(v) for v in values])


def average(a, b, c, x):
    a.mul_(0.9).add_(x * 0.1)
    b.copy_(a)


def both(a, b, c, x):
    a.copy_(x)
    b.copy_(x)


def after(a, b, c, x):
    a.add_(x)
    b.copy_(a)


def swap(a, b, c, x):
    old = a.clone()
    a.copy_(b)
    b.copy_(old)


def rotate(a, b, c, x):
    old = a.clone()
    a.copy_(b)
    b.copy_(c)
    c.copy_(old + x)
    return a * 2


def each_other(a, b, c, x):
    old = a.clone()
    a.add_(b)
    b.mul_(old)
    c.copy_(a - b)


def parts(a, b, c, x):
    a[1:].copy_(b[:2])
    b[0] = a[2]
    c.copy_(a)


def turned(a, b, c, x):
    a.copy_(a.flip(0))
    b.copy_(a)
    return b + x


def same(a, b, c, x):
    a.copy_(a)
    b.copy_(a)
    c.copy_(b)


@pytest.mark.parametrize(
    "change", [average, both, after, swap, rotate, each_other, parts, turned, same]
)
def test_updates_of_one_another(change):
    worlds = [(t(1, 2, 3), t(4, 5, 6), t(7, 8, 9)) for _ in range(2)]
    fast = weft.compile(change)
    for call in range(4):
        x = t(call, 1, -1)
        want, got = change(*worlds[0], x), fast(*worlds[1], x)
        assert (want is None) == (got is None) and (want is None or weft.equal(want, got))
        for a, b in zip(*worlds, strict=True):
            assert weft.equal(a, b), (call, a, b)
    assert fast.explain().steps > 0


@pytest.mark.parametrize("change", [average, both, after, swap, rotate, each_other, parts])
def test_captured_tensors_too(change):
    worlds = [(t(1, 2, 3), t(4, 5, 6), t(7, 8, 9)) for _ in range(2)]
    a, b, c = worlds[1]
    fast = weft.compile(lambda x: change(a, b, c, x))
    for call in range(4):
        x = t(call, 1, -1)
        change(*worlds[0], x)
        fast(x)
        assert all(map(weft.equal, *worlds)), call


def test_an_argument_of_one_element_with_any_stride():
    """Its stride says nothing, so what is computed in it lies where it should."""

    def function(y):
        y[-1] += 2.0

    fast = weft.compile(function)
    for k in range(4):
        y = t(k, 7)[::2]
        fast(y)
        assert y.tolist() == [k + 2.0]
    assert fast.executable.report()["late_copies"] == 0


def test_a_column_of_an_empty_argument():
    def function(x):
        column = x[:, 1]
        x.mul_(2.0)
        return column.relu()

    fast = weft.compile(function)
    for _ in range(3):
        assert fast(weft.zeros(0, 3)).shape == (0,)


def test_target_that_follows_an_optimiser():
    w, target = [t(1, 2, 3).requires_grad_() for _ in range(2)], [weft.zeros(3) for _ in range(2)]

    def make(k):
        opt = weft.optim.Adam([w[k]], lr=0.1)

        def step(x):
            opt.zero_grad()
            ((w[k] * x) ** 2).sum().backward()
            opt.step()
            with weft.no_grad():
                target[k].copy_(w[k])

        return step

    eager, static = make(0), weft.compile(make(1))
    for call in range(4):
        eager(t(call, 1, 2))
        static(t(call, 1, 2))
        assert weft.equal(*w) and weft.equal(*target) and weft.equal(target[1], w[1])


def trainer(late):
    """A step that draws, changes a buffer, sets ``.grad``, steps, and can then raise."""
    model = weft.nn.Linear(4, 3)
    opt = weft.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    running = weft.zeros(4)

    def step(x, y):
        with weft.no_grad():
            running.mul_(0.9).add_(x.mean(0) * 0.1)
        opt.zero_grad()
        out = model(x + weft.rand(2, 4))
        if late:
            out.square().mean().backward()
            opt.step()
        loss = F.cross_entropy(model(x), y)
        if not late:
            loss.backward()
            opt.step()
        return loss.detach()

    def look():
        tensors = [running, *model.parameters(), *(p.grad for p in model.parameters())]
        tensors += [s for p in model.parameters() for s in opt.state[p].values()]
        return [v.detach().numpy().tobytes() for v in tensors], weft._core.random_state()

    return step, look


@pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
def test_an_error_in_a_plan_changes_nothing(late):
    weft.manual_seed(3)
    (eager, want), weights = trainer(late), weft._core.random_state()
    weft.manual_seed(3)
    step, look = trainer(late)
    assert weft._core.random_state() == weights
    fast, x = weft.compile(step), weft.ones(2, 4)
    good, bad = weft.tensor([0, 2]), weft.tensor([0, 3])
    for k in range(3):
        weft.manual_seed(k)
        a = eager(x, good)
        weft.manual_seed(k)
        assert weft.equal(a, fast(x, good)) and want() == look()
    before = look()
    with pytest.raises(IndexError, match="cross_entropy"):
        fast(x, bad)
    assert look() == before
    a = eager(x, good)
    weft._core.set_random_state(*before[1])
    assert weft.equal(a, fast(x, good)) and want() == look()
    assert fast.explain().steps > 0
    assert (fast.executable.report()["late_copies"] > 0) == late


def test_parameters_that_are_read_again_after_their_update_live_apart_until_the_end():
    """The second forward can fail, so the first network's new parameters are copied late."""
    step, _ = trainer(late=True)
    fast = weft.compile(step)
    for _ in range(3):
        fast(weft.ones(2, 4), weft.tensor([0, 2]))
    assert fast.executable.report()["late_copies"] >= 4


def test_a_running_mean_waits_for_what_can_fail_and_is_written_directly():
    step, _ = trainer(late=False)
    fast = weft.compile(step)
    for _ in range(3):
        fast(weft.ones(2, 4), weft.tensor([0, 2]))
    assert fast.executable.report()["late_copies"] == 0


@pytest.mark.parametrize(
    "unused, good, bad",
    [
        (lambda x, i: x.index_select(0, i), 1, 7),
        (lambda x, i: x[i], 1, 7),
        (lambda x, i: weft.tensor([4]) // i, 1, 0),
        (lambda x, i: weft.tensor([4]) % i, 1, 0),
        (lambda x, i: x.gather(0, i), 1, 7),
        (lambda x, i: F.nll_loss(x.reshape(1, 3), i), 1, 7),
        (lambda x, i: F.embedding(i, x.reshape(3, 1)), 1, 7),
    ],
    ids=["index_select", "index", "floor_divide", "remainder", "gather", "nll_loss", "embedding"],
)
def test_an_unused_operation_still_raises(unused, good, bad):
    state = weft.zeros(3)

    def function(x, i):
        state.add_(x)
        unused(x, i)
        return x * 2

    fast = weft.compile(function)
    for _ in range(3):
        fast(t(1, 2, 3), weft.tensor([good]))
    assert fast.explain().steps > 0
    with pytest.raises((IndexError, RuntimeError, ZeroDivisionError)):
        function(t(1, 2, 3), weft.tensor([bad]))
    before = state.tolist()
    with pytest.raises((IndexError, RuntimeError, ZeroDivisionError)):
        fast(t(1, 2, 3), weft.tensor([bad]))
    assert state.tolist() == before


def test_an_unused_float_remainder_is_dropped():
    fast = weft.compile(lambda x: (x % 2.0, x * 2)[1])
    for _ in range(3):
        fast(t(1, 2, 3))
    assert fast.explain().steps == 1


def test_a_gradient_on_a_smaller_buffer_is_recorded_again():
    w = weft.ones(3, requires_grad=True)

    def function(x):
        w.grad.add_(x)
        return w.grad * 2

    fast = weft.compile(function)
    for _ in range(3):
        w.grad = weft.ones(12)[:3]
        fast(t(1, 2, 3))
    w.grad = weft.ones(3)
    assert fast(t(1, 2, 3)).tolist() == [4.0, 6.0, 8.0]
    assert w.grad.tolist() == [2.0, 3.0, 4.0]


#: Signalling and quiet NaNs with payloads, -0 and 1.
PATTERNS = np.array(
    [0x7F812345, 0xFF800001, 0x7FC12345, 0xFFC00000, 0x80000000, 0x3F800000], np.uint32
)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 1,
        lambda x: 1 * x,
        lambda x: x / 1,
        lambda x: x**1,
        lambda x: x - 0,
        lambda x: x + (-0.0),
        lambda x: x.neg().neg(),
        lambda x: (x + 1) * 1,
        lambda x: x[4].sum(),
        lambda x: x[0].sum(),
        lambda x: x[4].amax(),
        lambda x: x.clone().to(weft.float32),
        lambda x: weft.where(weft.tensor(True), x, 0.0),
    ],
)
def test_simpler_forms_keep_every_bit(function):
    x = weft.tensor(PATTERNS.view(np.float32))
    fast = weft.compile(function)
    for _ in range(3):
        assert fast(x).numpy().tobytes() == function(x).numpy().tobytes()


def test_a_saved_value_that_a_plan_overwrites_is_noticed():
    w = t(1, 2, 3).requires_grad_()
    y = w * 1.0

    def function(x):
        with weft.no_grad():
            w.copy_(w)

    product = (w * w).sum()
    fast = weft.compile(function)
    for _ in range(3):
        fast(t(1, 2, 3))
    product = (w * w).sum()
    fast(t(1, 2, 3))
    with pytest.raises(RuntimeError, match="changed"):
        product.backward()
    y.sum().backward()


@pytest.mark.parametrize("optimiser", [weft.optim.SGD, weft.optim.Adam])
def test_planning_many_updates_takes_time_in_proportion(optimiser):
    def seconds(n):
        params = [weft.ones(2, requires_grad=True) for _ in range(n)]
        opt, x = optimiser(params, lr=0.1), weft.ones(2)
        opt.sync()
        weft._core.record_start([x])
        for p in params:
            p.grad = x
        opt.step()
        recording = weft._core.record_finish([])
        start = time.thread_time()
        recording.compile()
        return time.thread_time() - start

    weft._core.verify_plans(False)
    few, many = (min(seconds(n) for _ in range(3)) for n in (250, 2000))
    assert many < 24 * few, "eight times as many updates"


def test_momentum_that_is_switched_on_later_acts_in_compiled_steps_too():
    def train(compiled):
        w = t(1, 2, 3).requires_grad_()
        opt = weft.optim.SGD([w], lr=0.1)

        def step():
            opt.zero_grad()
            (w**2).sum().backward()
            opt.step()

        run = weft.compile(step) if compiled else step
        for k in range(8):
            if k == 4:
                opt.param_groups[0]["momentum"] = 0.9
            run()
        return w.detach()

    assert weft.equal(train(False), train(True))


def test_momentum_without_buffers_is_refused():
    w, g, hyper = t(1), t(1), weft.tensor([0.1, 0.9, 0, 0, 0, 0], dtype=weft.float64)
    with pytest.raises(ValueError, match="sgd: momentum needs a buffer"):
        weft._core.sgd_([w], [g], [], [weft.zeros(())], hyper)
    assert w.tolist() == [1.0]
