"""What tidying and fusing do to small functions, seen in ``explain()`` and the text."""

import pytest

import weft
import weft.nn.functional as F


def compiled(function, *args):
    fast = weft.compile(function)
    for _ in range(3):
        fast(*args)
    return fast


def ops(fast, stage="tidy"):
    """Names of the operations in the text, in order."""
    lines = fast.executable.text(stage).splitlines()
    calls = [line.split(" = ")[1] for line in lines if " = " in line]
    return [call.split("(")[0].split(" ")[0] for call in calls if not call.startswith("input")]


X = weft.arange(1.0, 7.0).view(2, 3)


def test_constants_are_folded():
    fast = compiled(lambda x: x * (weft.arange(3.0) + 1).exp().sum(), X)
    assert ops(fast) == ["constant", "mul"] or (ops(fast)[-1] == "mul" and len(ops(fast)) <= 2)
    assert fast.explain().folded >= 2


def test_equal_nodes_are_merged():
    fast = compiled(lambda x: (x + 1).exp() * (x + 1).exp(), X)
    assert ops(fast).count("exp") == 1 and ops(fast).count("add") == 1
    assert fast.explain().merged >= 2


def test_random_nodes_are_not_merged():
    fast = compiled(lambda x: F.dropout(x, 0.5) - F.dropout(x, 0.5), weft.ones(100))
    assert ops(fast).count("bernoulli") == 2
    assert (fast(weft.ones(100)) != 0).any().item()


def test_dead_nodes_are_dropped():
    def function(x):
        x.exp().sum()
        return x + 1

    fast = compiled(function, X)
    assert "exp" not in ops(fast) and fast.explain().dropped >= 2


def test_dropped_random_values_still_move_the_stream():
    def function(x):
        weft.rand(5)
        return x + weft.rand(6)

    fast = weft.compile(function)
    weft.manual_seed(2)
    want = [function(weft.zeros(6)).tolist() for _ in range(5)]
    weft.manual_seed(2)
    assert [fast(weft.zeros(6)).tolist() for _ in range(5)] == want


SIMPLER = {
    "twice negated": (lambda x: x.neg().neg(), 0),
    "times one": (lambda x: x * 1, 0),
    "minus zero": (lambda x: x - 0, 0),
    "over one": (lambda x: x / 1, 0),
    "reshaped twice": (lambda x: x.view(6).view(3, 2), 1),
    "transposed back": (lambda x: x.T.T, 0),
    "cast to itself": (lambda x: x.to(weft.float32), 0),
}


@pytest.mark.parametrize("function, left", SIMPLER.values(), ids=SIMPLER)
def test_simplified(function, left):
    fast = compiled(lambda x: function(x + 1).exp(), X)
    kept = [op for op in ops(fast) if op not in ("full", "constant")]
    assert len(kept) == left + 2, fast.graph
    assert weft.equal(fast(X), function(X + 1).exp())


def test_adding_zero_is_kept_because_of_minus_zero():
    fast = compiled(lambda x: x + 0.0, -weft.zeros(2))
    assert ops(fast).count("add") == 1
    assert (1 / fast(-weft.zeros(2))).tolist() == [float("inf")] * 2


def test_pointwise_chains_are_fused():
    fast = compiled(lambda x, y: ((x + y) * x).tanh().exp() - y, X, X)
    report = fast.explain()
    assert report.steps == 1 and report.chains == 1 and report.chain_nodes == 5
    (step,) = fast.executable.steps()
    assert "chain" in step


def test_fused_value_that_is_also_returned():
    fast = compiled(lambda x: ((x + 1).exp(), (x + 1).exp().sum()), X)
    a, b = fast(X)
    assert weft.equal(a, (X + 1).exp()) and weft.equal(b, (X + 1).exp().sum())


def test_in_place_updates_become_results():
    state = weft.zeros(2, 3)

    def function(x):
        state.mul_(0.5).add_(x)

    fast = compiled(function, X)
    want = weft.zeros(2, 3)
    for _ in range(3):
        want.mul_(0.5).add_(X)
    assert weft.equal(state, want)
    assert fast.explain().steps == 1 and fast.explain().in_place >= 1


def test_slab_is_shared_by_values_that_are_not_alive_together():
    def function(x):
        for _ in range(20):
            x = (x @ x).tanh()
        return x

    report = compiled(function, weft.ones(64, 64) * 0.01).explain()
    assert report.slab_bytes <= report.total_bytes / 5


def test_work_grows_with_the_graph_no_faster():
    def chain(length):
        def function(x):
            for _ in range(length):
                x = x.sin() + x.cumsum(dim=0)
            return x

        return compiled(function, weft.ones(4)).explain()

    short, long = chain(50), chain(200)
    assert long.nodes_recorded == 4 * short.nodes_recorded
    assert long.slab_bytes <= 2 * short.slab_bytes
