"""``multinomial`` draws categories with their probabilities, and only those."""

import numpy as np
import pytest

import weft

INF, NAN = float("inf"), float("nan")


def frequencies(draws, classes):
    return np.bincount(draws.numpy().ravel(), minlength=classes) / draws.numel()


def within(found, expected, draws):
    """Within five standard errors of a relative frequency."""
    expected = np.asarray(expected)
    return (np.abs(found - expected) <= 5 * np.sqrt(expected * (1 - expected) / draws)).all()


@pytest.mark.parametrize("dtype", [weft.float32, weft.float64])
def test_with_replacement_frequencies_are_the_weights(dtype):
    weft.manual_seed(1)
    weights = weft.tensor([[1.0, 0.0, 3.0, 4.0], [2.0, 2.0, 0.0, 0.0]], dtype=dtype)
    draws = weft.multinomial(weights, 50_000, replacement=True)
    assert draws.shape == (2, 50_000) and draws.dtype == weft.int64
    assert within(frequencies(draws[0], 4), [0.125, 0, 0.375, 0.5], 50_000)
    assert within(frequencies(draws[1], 4), [0.5, 0.5, 0, 0], 50_000)


def test_without_replacement_the_order_has_the_probabilities_of_successive_draws():
    """P(a, b) = w_a * w_b / (1 - w_a) for weights that sum to 1."""
    weft.manual_seed(2)
    weights = [0.1, 0.2, 0.3, 0.4]
    n = 40_000
    draws = weft.multinomial(weft.tensor([weights] * n), 2).numpy()
    assert (draws[:, 0] != draws[:, 1]).all()
    found = np.bincount(draws[:, 0] * 4 + draws[:, 1], minlength=16) / n
    expected = [
        0.0 if a == b else weights[a] * weights[b] / (1 - weights[a])
        for a in range(4)
        for b in range(4)
    ]
    assert within(found, expected, n)


def test_no_category_comes_twice_and_none_of_weight_zero():
    weft.manual_seed(3)
    weights = weft.tensor([0.0, 1e-30, 5.0, 0.0, 1e30, 2.0])
    for _ in range(200):
        assert sorted(weft.multinomial(weights, 4).tolist()) == [1, 2, 4, 5]
    many = weft.multinomial(weights, 5000, replacement=True)
    assert set(many.tolist()) <= {2, 4, 5}


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("wrong", [-1.0, NAN, INF, -INF])
def test_weights_must_be_finite_and_not_negative(wrong, replacement):
    position = weft._core.random_state()
    with pytest.raises(RuntimeError, match=r"^multinomial: expected finite weights >= 0, got"):
        weft.multinomial(weft.tensor([[1.0, 1.0], [1.0, wrong]]), 1, replacement)
    assert weft._core.random_state() == position


@pytest.mark.parametrize("replacement", [False, True])
def test_a_row_of_zeros_is_refused(replacement):
    with pytest.raises(RuntimeError, match="expected 1 or more positive weights a row, got 0"):
        weft.multinomial(weft.tensor([[1.0, 1.0], [0.0, 0.0]]), 1, replacement)


def test_without_replacement_there_must_be_enough_positive_weights():
    with pytest.raises(RuntimeError, match="expected 2 or more positive weights a row, got 1"):
        weft.multinomial(weft.tensor([1.0, 0.0, 0.0]), 2)
    with pytest.raises(RuntimeError, match="at most 3 samples without replacement, got 4"):
        weft.multinomial(weft.ones(3), 4)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ((weft.ones(3), 0), RuntimeError),
        ((weft.ones(3), -1), RuntimeError),
        ((weft.ones(3), 1.5), TypeError),
        ((weft.ones(3), True), TypeError),
        ((weft.ones(3), 1, "no"), TypeError),
        ((weft.ones(3), 1, 1), TypeError),
        ((weft.tensor([1, 2]), 1), TypeError),
        ((weft.tensor(1.0), 1), RuntimeError),
    ],
)
def test_wrong_arguments(args, error):
    with pytest.raises(error, match=r"^multinomial: "):
        weft.multinomial(*args)


def test_shapes():
    assert weft.multinomial(weft.ones(2, 3, 4), 2).shape == (2, 3, 2)
    assert weft.multinomial(weft.ones(0, 4), 2).shape == (0, 2)
    assert weft.multinomial(weft.ones(3), 3, replacement=False).shape == (3,)
    transposed = weft.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]).t()
    assert weft.multinomial(transposed, 1).tolist() == [[1], [0]]


@pytest.mark.parametrize("replacement", [False, True])
def test_compiled_draws_are_the_eager_ones(replacement):
    weights = weft.rand(5, 7)

    def draw(w):
        return weft.multinomial(w, 4, replacement), weft.rand(3)

    static = weft.compile(draw)
    weft.manual_seed(9)
    eager = [draw(weights) for _ in range(5)]
    weft.manual_seed(9)
    for expected in eager:
        for got, want in zip(static(weights), expected, strict=True):
            assert got.tolist() == want.tolist()


def test_a_compiled_function_checks_the_weights_of_each_call():
    static = weft.compile(lambda w: weft.multinomial(w, 1))
    for _ in range(3):
        static(weft.ones(2, 3))
    position = weft._core.random_state()
    with pytest.raises(RuntimeError, match="multinomial: expected finite weights >= 0, got -1"):
        static(weft.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 1.0]]))
    assert weft._core.random_state() == position


def test_a_draw_that_nobody_reads_is_still_checked():
    def draw(w):
        weft.multinomial(w, 1)
        return w * 2

    static = weft.compile(draw)
    for _ in range(3):
        static(weft.ones(2, 3))
    with pytest.raises(RuntimeError, match="expected 1 or more positive weights a row, got 0"):
        static(weft.zeros(2, 3))
