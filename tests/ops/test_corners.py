"""Values and gradients at corners: zeros, ties, infinities, NaN. What is expected is torch's, or
the limit of the derivative where torch has NaN; eager and static agree in bits."""

import math

import numpy as np
import pytest
from tests.ops.table import bits

import weft
import weft.nn.functional as F

nan, inf = math.nan, math.inf


def results(function, *inputs):
    """The value of ``function`` and the gradients of its sum, in double precision, eager; the
    static graph must have the same bits."""

    def run(*given):
        given = [x.detach() for x in given]
        for x in given:
            x.requires_grad = True
        out = function(*given)
        return [out.detach(), *weft.autograd.grad(out.sum(), given, allow_unused=True)]

    tensors = [weft.tensor(x, dtype=weft.float64) for x in inputs]
    eager = run(*tensors)
    compiled = weft.compile(run)
    for _ in range(3):
        assert [bits(x) for x in compiled(*tensors)] == [bits(x) for x in eager]
    return eager


def check(function, inputs, *wanted):
    for got, want in zip(results(function, *inputs), wanted, strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)


CASES = {
    "maximum": (weft.maximum, [[nan, 1, 1], [1, nan, 1]], [nan, nan, 1], [1, 1, 0.5], [1, 1, 0.5]),
    "minimum": (weft.minimum, [[nan, 1, 1], [1, nan, 1]], [nan, nan, 1], [1, 1, 0.5], [1, 1, 0.5]),
    "relu": (weft.relu, [[nan, 0, -0.0, 1]], [nan, 0, 0, 1], [1, 0, 0, 1]),
    "abs": (weft.abs, [[nan, 0, -1]], [nan, 0, 1], [0, 0, -1]),
    "sign": (weft.sign, [[nan, 0, -2]], [0, 0, -1], [0, 0, 0]),
    "elu": (F.elu, [[nan, 0, 1]], [nan, 0, 1], [1, 1, 1]),
    "elu, steep": (lambda x: F.elu(x, 2.0), [[0, 1]], [0, 1], [2, 1]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), [[nan, 0, 1]], [nan, 0, 1], [0.1, 0.1, 1]),
    "clamp from below": (
        lambda x: x.clamp(min=0.0), [[nan, 0, -1, 1]], [nan, 0, 0, 1], [0, 0, 0, 1],
    ),
    "clamp from above": (
        lambda x: x.clamp(max=0.0), [[nan, 0, -1, 1]], [nan, 0, -1, 0], [0, 0, 1, 0],
    ),
    "clamp": (
        lambda x: x.clamp(0.0, 1.0), [[nan, 0, 1, -1, 0.5]], [nan, 0, 1, 0, 0.5], [0, 0, 0, 0, 1],
    ),
    "clamp by nan": (lambda x: x.clamp(min=nan), [[1.0]], [nan], [0]),
    "atan2": (weft.atan2, [[0, 0, 1], [0, -0.0, 0]], [0, math.pi, math.pi / 2], [0, 0, 0],
              [0, 0, -1]),
    "norm": (lambda x: x.norm(), [[0, 0]], 0, [0, 0]),
    "1-norm": (lambda x: x.norm(1), [[0, 0]], 0, [0, 0]),
    "3-norm": (lambda x: x.norm(3), [[0, 0]], 0, [0, 0]),
    "3/2-norm": (lambda x: x.norm(1.5), [[0, 2]], 2, [0, 1]),
    "1/2-norm": (lambda x: x.norm(0.5), [[0, 2]], 2, [0, 1]),
    "maximum norm": (lambda x: x.norm(inf), [[0, 0]], 0, [0, 0]),
    "norm of infinity": (lambda x: x.norm(), [[inf, 1]], inf, [nan, 0]),
    "norm of rows": (lambda x: x.norm(dim=1), [[[0, 0], [3, 4]]], [0, 5], [[0, 0], [0.6, 0.8]]),
    "std": (lambda x: x.std(), [[1, 1]], 0, [0, 0]),
    "normalize": (F.normalize, [[[0, 0], [1, 0]]], [[0, 0], [1, 0]], [[1e12, 1e12], [0, 1]]),
    "logsumexp of infinity": (lambda x: x.logsumexp(0), [[inf, 1]], inf, [nan, 0]),
    "logsumexp of nothing": (lambda x: x.logsumexp(0), [[-inf, -inf]], -inf, [0, 0]),
    "binary_cross_entropy": (
        lambda p, t: F.binary_cross_entropy(p, t, reduction="none"),
        [[1, 1, 0, 0, 0.5], [1, 0, 1, 0, 0.3]],
        [0, 100, 100, 0, math.log(2)],
        [0, 1e12, -1e12, 0, 0.8],
        [-inf, -inf, inf, inf, 0],
    ),
    "of a saturated sigmoid": (
        lambda x, t: F.binary_cross_entropy(weft.sigmoid(x), t), [[800, -800], [1, 0]],
        0, [0, 0], [-inf, inf],
    ),
    "pow": (
        weft.pow, [[0, 0, 0, -0.0, 0], [2, 0, -1, -1, 0.5]], [0, 1, inf, -inf, 0],
        [0, 0, -inf, -inf, inf], [0, 0, -inf, inf, 0],
    ),
    "pow of nan": (
        weft.pow, [[nan, 1, 0], [0, nan, nan]], [1, 1, nan], [0, nan, nan], [nan, 0, nan],
    ),
    "huber_loss": (
        lambda x, y: F.huber_loss(x, y, reduction="none"),
        [[inf, -inf, 0, 1, nan], [0, 0, 0, 0, 0]],
        [inf, inf, 0, 0.5, nan], [1, -1, 0, 1, nan], [-1, 1, 0, -1, nan],
    ),
    "smooth_l1_loss": (
        lambda x: F.smooth_l1_loss(x, weft.zeros_like(x), reduction="none", beta=0.5),
        [[-inf, 0.5, 0.25]], [inf, 0.25, 0.0625], [-1, 1, 0.5],
    ),
    "elu far below": (F.elu, [[-40, -700]], [-1, -1], [math.exp(-40), math.exp(-700)]),
    "root": (lambda x: x**0.5, [[-0.0, -inf, 4]], [-0.0, nan, 2], [-inf, nan, 0.25]),
    "power by a tensor": (
        weft.pow, [[-0.0, -inf, 4], 0.5], [0, inf, 2], [inf, 0, 0.25], nan,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_values_and_gradients(case):
    check(*case)


#: x, low, high: what each gets of a gradient of 1 through ``clamp`` by tensors.
LIMITS = [
    ((0, 1, 2), (0, 1, 0)), ((1, 0, 2), (1, 0, 0)), ((3, 0, 2), (0, 0, 1)),
    ((0, 0, 2), (0.5, 0.5, 0)), ((2, 0, 2), (0.5, 0, 0.5)), ((1, 1, 1), (1, 0, 0)),
    ((0, 1, 1), (0, 1, 0)), ((3, 1, 1), (0, 0, 1)), ((0, 2, 1), (0, 0, 1)),
    ((nan, 0, 1), (1, 0, 0)), ((nan, 1, 0), (1, 0, 1)), ((1, nan, 2), (1, 0, 0)),
    ((3, nan, 2), (0, 0, 0)), ((1, 0, nan), (1, 0, 0)), ((0, 1, nan), (0, 0, 0)),
]  # fmt: skip


def test_limits_that_are_tensors_share_the_gradient():
    columns = [[case[0][i] for case in LIMITS] for i in range(3)]
    _, *grads = results(weft.clamp, *columns)
    for i, grad in enumerate(grads):
        assert grad.tolist() == [case[1][i] for case in LIMITS]
    for limit, bound in (("min", weft.maximum), ("max", weft.minimum)):
        given = [nan, 0, -1, 1, 1], [0, 0, 0, 0, nan]
        one = results(lambda x, y, limit=limit: x.clamp(**{limit: y}), *given)
        assert [bits(x) for x in one] == [bits(x) for x in results(bound, *given)]


@pytest.mark.parametrize("exponent", [2.0, 0.5, 1.0])
def test_a_tensor_without_dimensions_is_no_number(exponent):
    """It has a gradient: x^t log x."""
    want = 3**exponent * math.log(3)
    for power in (weft.pow, lambda x, t: x**t):
        check(power, [3.0, exponent], 3**exponent, exponent * 3 ** (exponent - 1), want)
    for add in (weft.add, weft.sub):
        sign = 1 if add is weft.add else -1
        check(
            lambda x, t, a, add=add: add(x, t, alpha=a),
            [3.0, 5.0, 1.0], 3 + sign * 5, 1, sign, sign * 5,
        )  # fmt: skip


def second(function, *inputs):
    """Second derivatives of the sum, in the direction of ones."""

    def run(*given):
        given = [x.detach() for x in given]
        for x in given:
            x.requires_grad = True
        first = weft.autograd.grad(function(*given).sum(), given, create_graph=True)
        total = sum(g.sum() for g in first)
        return weft.autograd.grad(total, given, allow_unused=True)

    tensors = [weft.tensor(x, dtype=weft.float64) for x in inputs]
    eager, compiled = run(*tensors), weft.compile(run)
    for _ in range(3):
        assert [bits(x) for x in compiled(*tensors)] == [bits(x) for x in eager]
    return [x.tolist() for x in eager]


def _mixed(x):
    """The derivative by x of that of x^y by y, at y = 0."""
    base = weft.tensor(x, dtype=weft.float64, requires_grad=True)
    exponent = weft.tensor(0.0, dtype=weft.float64, requires_grad=True)
    (first,) = weft.autograd.grad(base**exponent, exponent, create_graph=True)
    return weft.autograd.grad(first, base)[0].item()


def test_second_derivatives():
    assert second(F.elu, [0.0, -0.0, 1.0, nan]) == [[0.0] * 4]
    assert second(lambda x: F.elu(x, 2.0), [-1.0])[0] == pytest.approx([2 * math.exp(-1)])
    for function in (weft.norm, weft.std):
        assert second(function, [0.0, 0.0]) == [[0.0, 0.0]]
    # d/dx (x^y log x) = 1 / x where y is 0; x^0 is flat in x everywhere.
    assert second(weft.pow, [2.0, 4.0], [0.0, 0.0])[0] == [0.5, 0.25]
    assert second(lambda x: x**0 + x * x, [0.0, -1.0, inf]) == [[2.0, 2.0, 2.0]]
    for x, at in ((-2.0, -0.5), (2.0, 0.5)):
        assert _mixed(x) == at
    near = second(lambda x: F.huber_loss(x, weft.zeros_like(x), reduction="sum"), [0.0, 0.5, 1.0])
    assert near == [[1.0, 1.0, 0.0]]
    ignored = weft.tensor([-100, -100])
    for reduction in ("mean", "sum", "none"):
        assert second(
            lambda x, reduction=reduction: F.cross_entropy(x, ignored, reduction=reduction),
            [[1.0, 2.0], [3.0, 4.0]],
        ) == [[[0.0, 0.0], [0.0, 0.0]]]
    (off_axis,) = second(lambda x: weft.atan2(x, weft.ones_like(x)), [0.0])
    assert off_axis == [0.0]
    at, across = second(weft.atan2, [0.0], [2.0])
    assert (at, across) == ([-0.25], [-0.25])


def test_attention_that_may_look_nowhere_is_zero():
    """So is its gradient; the other rows are as if the masked one was not there."""
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 1, 2, 4))
    keep = weft.tensor([[False, False], [True, True]])
    for mask in (keep, weft.zeros(2, 2).masked_fill(~keep, -inf)):
        out, *grads = results(
            lambda q, k, v, mask=mask: F.scaled_dot_product_attention(q, k, v, mask), q, k, v
        )
        alone = results(F.scaled_dot_product_attention, q[:, 1:], k, v)
        np.testing.assert_array_equal(out[:, 0].numpy(), 0)
        np.testing.assert_array_equal(grads[0][:, 0].numpy(), 0)
        np.testing.assert_allclose(out[:, 1:].numpy(), alone[0].numpy(), rtol=1e-12)
        for got, want in zip(grads[1:], alone[2:], strict=True):
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)
    with pytest.raises(RuntimeError, match=r"^scaled_dot_product_attention: attn_mask expected"):
        F.scaled_dot_product_attention(*(weft.tensor(x) for x in (q, k, v)), keep.long())


def test_masks_stay_truth_values():
    square = weft.ones(3, 3, dtype=weft.bool)
    want = np.ones((3, 3), dtype=bool)
    assert bits(square.tril()) == bits(weft.tensor(np.tril(want)))
    assert bits(square.triu(1)) == bits(weft.tensor(np.triu(want, 1)))
    assert bits(square.masked_fill(square.triu(1), False)) == bits(weft.tensor(np.tril(want)))
    assert bits(square.masked_fill(square.triu(1), 0)) == bits(weft.tensor(np.tril(want)))
    filled = square.clone().masked_fill_(square.triu(1), 0)
    assert bits(filled) == bits(weft.tensor(np.tril(want)))
    q = weft.tensor(np.random.default_rng(1).normal(size=(1, 3, 4)))
    causal = F.scaled_dot_product_attention(q, q, q, is_causal=True)
    assert bits(F.scaled_dot_product_attention(q, q, q, square.tril())) == bits(causal)


def test_a_filling_takes_the_dtype_of_what_it_fills():
    whole = weft.tensor([1, 2])
    assert whole.masked_fill(whole == 1, 7.9).tolist() == [7, 2]
    single = weft.tensor([1.0]).masked_fill(weft.tensor([True]), weft.tensor(2.0).double())
    assert single.dtype is weft.float32
    value = weft.tensor(5.0, requires_grad=True)
    weft.zeros(3).masked_fill(weft.tensor([True, False, True]), value).sum().backward()
    assert value.grad.item() == 2
    with pytest.raises(RuntimeError, match=r"^masked_fill: expected a number or a tensor without"):
        whole.masked_fill(whole == 1, weft.tensor([1]))


def test_a_factor_of_zero_hides_what_it_multiplies():
    product = weft.tensor([[-0.0, 2.0]])
    for base in ([[nan, inf]], [nan, nan], nan):
        check(
            lambda x: weft.addmm(x, weft.ones(1, 1).double(), product.double(), beta=0),
            [base], [[-0.0, 2.0]], np.zeros(np.shape(base)),
        )  # fmt: skip
    with pytest.raises(RuntimeError, match=r"^expand"):
        weft.addmm(weft.ones(3, 1), weft.ones(1, 1), weft.ones(1, 1))


def test_negative_targets_of_a_divergence_show():
    loss = F.kl_div(weft.zeros(2), weft.tensor([-1.0, 0.0]), reduction="none")
    assert math.isnan(loss[0].item()) and loss[1].item() == 0


def test_running_sums_are_those_of_double_precision():
    n = 2**24 + 5
    assert weft.ones(n).cumsum(0)[-1].item() == n - 1  # n is no float32
    tenths = weft.full((2**20, 2), 0.1).cumsum(0)[-1]
    assert tenths.tolist() == [np.float32(np.float32(0.1) * np.float64(2**20))] * 2
    x = weft.tensor([1.0, inf, 2.0], requires_grad=True)
    weft.autograd.backward(x.cumsum(0), weft.tensor([1.0, inf, 2.0]))
    assert x.grad.tolist() == [inf, inf, 2.0]


def test_repeating_no_times_copies():
    x = weft.tensor(1.0)
    x.repeat(()).add_(1)
    assert x.item() == 1


def test_padding_must_be_a_row():
    weight = weft.ones(3, 2)
    for wrong in (3, -4):
        with pytest.raises(AssertionError, match=r"^embedding: padding_idx out of range"):
            F.embedding(weft.tensor([0]), weight, padding_idx=wrong)
    weight.requires_grad = True
    F.embedding(weft.tensor([0, 2]), weight, padding_idx=-1).sum().backward()
    assert weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize("wrong", [2, -1])
def test_classes_must_be_in_range(wrong):
    function = weft.compile(lambda x: F.one_hot(x, 2))
    for _ in range(3):
        assert function(weft.tensor([1, 0])).tolist() == [[0, 1], [1, 0]]
    for call in (function, lambda x: F.one_hot(x, 2)):
        with pytest.raises(RuntimeError, match=r"out of range"):
            call(weft.tensor([0, wrong]))
