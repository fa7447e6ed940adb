"""Arguments that are out of their domain are refused by name, and nothing is changed."""

import warnings

import pytest

import weft
import weft.nn.functional as F

NAN, INF = float("nan"), float("inf")
X = weft.tensor([[0.5, -1.0, 2.0, 0.1], [1.0, 0.0, -0.5, 0.3], [0.2, 0.4, 0.6, 0.8]])
C = weft.tensor([0, 1, 2])
P = weft.tensor([0.2, 0.4, 0.6])

REFUSED = {
    "cross_entropy": [
        (lambda: F.cross_entropy(X, C, weight=weft.ones(3)), RuntimeError),
        (lambda: F.cross_entropy(X, C, weight=weft.ones(5)), RuntimeError),
        (lambda: F.cross_entropy(X, C, weight=weft.ones(4, 1)), RuntimeError),
        (lambda: F.cross_entropy(X, weft.full((3, 4), 0.25), weight=weft.ones(1)), RuntimeError),
        (lambda: F.cross_entropy(X, C, label_smoothing=2.0), RuntimeError),
        (lambda: F.cross_entropy(X, X, ignore_index=2), RuntimeError),
        (lambda: F.cross_entropy(X, C, label_smoothing=-0.1), RuntimeError),
        (lambda: F.cross_entropy(X, C, label_smoothing=NAN), RuntimeError),
        (lambda: F.cross_entropy(X, C, label_smoothing="a"), TypeError),
        (lambda: F.cross_entropy(X, C, ignore_index=1.5), TypeError),
        (lambda: F.cross_entropy(X, weft.full((3, 5), 0.25)), ValueError),
        (lambda: F.cross_entropy(X, weft.full((3,), 0.25)), ValueError),
        (lambda: F.cross_entropy(X, weft.full((1, 4), 0.25)), ValueError),
    ],
    "nll_loss": [(lambda: F.nll_loss(X, C, weight=weft.ones(3)), RuntimeError)],
    "embedding": [
        (lambda: F.embedding(weft.tensor([0]), weft.ones(2, 3, 4)), RuntimeError),
        (lambda: F.embedding(weft.tensor([0]), weft.ones(2)), RuntimeError),
    ],
    "huber_loss": [
        (lambda: F.huber_loss(X, X, delta=0), RuntimeError),
        (lambda: F.huber_loss(X, X, delta=-1.0), RuntimeError),
        (lambda: F.huber_loss(X, X, delta=NAN), RuntimeError),
        (lambda: F.huber_loss(X, X, delta="1"), TypeError),
        (lambda: F.huber_loss(X, X, delta=weft.ones(4)), TypeError),
    ],
    "smooth_l1_loss": [(lambda: F.smooth_l1_loss(X, X, beta=-1.0), RuntimeError)],
    "binary_cross_entropy": [
        (lambda: F.binary_cross_entropy(P, P[:1]), ValueError),
        (lambda: F.binary_cross_entropy(P, P[:, None]), ValueError),
        (lambda: F.binary_cross_entropy(P + 1, P), RuntimeError),
        (lambda: F.binary_cross_entropy(P - 1, P), RuntimeError),
        (lambda: F.binary_cross_entropy(P * NAN, P), RuntimeError),
        (lambda: F.binary_cross_entropy(P, P + 5), RuntimeError),
        (lambda: F.binary_cross_entropy(P, C), TypeError),
        (lambda: F.binary_cross_entropy(P > 0, P), TypeError),
        (lambda: F.binary_cross_entropy(P, P, weight=weft.ones(2, 3)), RuntimeError),
    ],
    "binary_cross_entropy_with_logits": [
        (lambda: F.binary_cross_entropy_with_logits(P, P[:, None]), ValueError),
        (lambda: F.binary_cross_entropy_with_logits(P, P, weight=weft.ones(2, 3)), RuntimeError),
        (lambda: F.binary_cross_entropy_with_logits(P, P, pos_weight=X[:, :3]), RuntimeError),
    ],
    "dropout": [
        (lambda: F.dropout(X, training="no"), TypeError),
        (lambda: F.dropout(X, training=1), TypeError),
        (lambda: F.dropout(X, 2.0), ValueError),
        (lambda: F.dropout(X, NAN), ValueError),
        (lambda: F.dropout(X, "a"), TypeError),
        (lambda: F.dropout(C, 0.3), TypeError),
        (lambda: F.dropout(None, 0.3, False), TypeError),
    ],
    "layer_norm": [
        (lambda: F.layer_norm(X, (4,), weft.ones(1)), RuntimeError),
        (lambda: F.layer_norm(X, (4,), weft.ones(3, 4)), RuntimeError),
        (lambda: F.layer_norm(X, (4,), weft.ones(4), weft.ones(3, 4)), RuntimeError),
    ],
    "arange": [
        (lambda: weft.arange(5, 1), RuntimeError),
        (lambda: weft.arange(0, 5, -1), RuntimeError),
        (lambda: weft.arange(-1.0), RuntimeError),
        (lambda: weft.arange(0, 1, 0), RuntimeError),
        (lambda: weft.arange(0, INF), RuntimeError),
        (lambda: weft.arange(0, NAN), RuntimeError),
        (lambda: weft.arange("3"), TypeError),
        (lambda: weft.arange(3, dtype=0), TypeError),
    ],
    "eye": [
        (lambda: weft.eye(-5), RuntimeError),
        (lambda: weft.eye(2, -1), RuntimeError),
        (lambda: weft.eye(2.0), TypeError),
        (lambda: weft.eye(True), TypeError),
    ],
    "linspace": [
        (lambda: weft.linspace(0, 1, -1), RuntimeError),
        (lambda: weft.linspace(0, 1, 2.5), TypeError),
    ],
    "scaled_dot_product_attention": [
        (lambda: F.scaled_dot_product_attention(X, X, X, X, is_causal=True), RuntimeError),
        (lambda: F.scaled_dot_product_attention(X, X, X, C[:, None]), RuntimeError),
        (lambda: F.scaled_dot_product_attention(X, X, X, is_causal="no"), TypeError),
        (lambda: F.scaled_dot_product_attention(X, X, X, scale=X), TypeError),
    ],
    "kl_div": [(lambda: F.kl_div(X, X, log_target="no"), TypeError)],
    "leaky_relu": [(lambda: F.leaky_relu(X, X[0]), TypeError)],
    "elu": [(lambda: F.elu(X, "a"), TypeError), (lambda: F.elu(X, X[0]), TypeError)],
    "softplus": [
        (lambda: F.softplus(X, X[0]), TypeError),
        (lambda: F.softplus(X, 1.0, X[0]), TypeError),
    ],
    "normalize": [(lambda: F.normalize(X, eps=X[0]), TypeError)],
    "max": [
        (lambda: X.max(1, "no"), TypeError),
        (lambda: X.max(True), TypeError),
        (lambda: X.max((0, 1)), TypeError),
    ],
    "argmin": [(lambda: X.argmin((0, 1)), TypeError)],
    "allclose": [
        (lambda: weft.allclose(X, X, rtol=-1), ValueError),
        (lambda: weft.allclose(X, X, atol=X), TypeError),
        (lambda: weft.allclose(X, X, equal_nan="no"), TypeError),
    ],
    "nonzero": [(lambda: X.nonzero(as_tuple="no"), TypeError)],
    "masked_select": [(lambda: X.masked_select(C), TypeError)],
    "repeat": [
        (lambda: X.repeat(None, 2), TypeError),
        (lambda: X.repeat(True, 2), TypeError),
        (lambda: X.repeat(-1, 2), RuntimeError),
        (lambda: X.repeat(2), RuntimeError),
    ],
    "size": [(lambda: X.size(True), TypeError), (lambda: X.size(2), IndexError)],
    "zeros": [
        (lambda: weft.zeros(2, dtype=0), TypeError),
        (lambda: weft.zeros(2, True), TypeError),
    ],
    "randint": [
        (lambda: weft.randint(1.5, 5, (2,)), TypeError),
        (lambda: weft.randint(True, (2,)), TypeError),
    ],
    "orthogonal_": [
        (lambda: weft.nn.init.orthogonal_(X.clone(), (1,)), TypeError),
        (lambda: weft.nn.init.orthogonal_(weft.ones(2, 2).long()), TypeError),
    ],
    "clip_grad_norm_": [
        (lambda: weft.nn.utils.clip_grad_norm_([X], "a"), TypeError),
        (lambda: weft.nn.utils.clip_grad_norm_([X], X), TypeError),
    ],
    "clip_grad_value_": [(lambda: weft.nn.utils.clip_grad_value_([X], X), TypeError)],
    "randperm": [
        (lambda: weft.randperm(-1), RuntimeError),
        (lambda: weft.randperm(2.5), TypeError),
    ],
    "uniform": [
        (lambda: weft.zeros(2).uniform_(3, -1), RuntimeError),
        (lambda: weft.zeros(2).uniform_(NAN, 1), RuntimeError),
        (lambda: weft.zeros(2).uniform_(0, INF), RuntimeError),
        (lambda: weft.zeros(2).uniform_(-3e38, 3e38), RuntimeError),
        (lambda: weft.nn.init.uniform_(weft.zeros(2), 1.0, 0.0), RuntimeError),
    ],
    "normal": [
        (lambda: weft.zeros(2).normal_(0, -1), RuntimeError),
        (lambda: weft.zeros(2).normal_(0, NAN), RuntimeError),
        (lambda: weft.nn.init.normal_(weft.zeros(2), std=-1.0), RuntimeError),
    ],
    "bernoulli": [
        (lambda: weft.zeros(2).bernoulli_(1.5), RuntimeError),
        (lambda: weft.zeros(2).bernoulli_(-0.5), RuntimeError),
        (lambda: weft.zeros(2).bernoulli_(NAN), RuntimeError),
    ],
    "fill_": [
        (lambda: weft.zeros(2).fill_(weft.tensor([1.0, 2.0])), RuntimeError),
        (lambda: weft.zeros(2).fill_(weft.tensor([1.0])), RuntimeError),
        (lambda: weft.zeros(2).fill_("a"), TypeError),
    ],
    "select": [
        (lambda: weft.select(X, 0, None), TypeError),
        (lambda: weft.select(X, 0, True), TypeError),
        (lambda: weft.select(X, 0, 1.0), TypeError),
        (lambda: weft.select(X, True, 0), TypeError),
    ],
    "softmax": [
        (lambda: weft.nn.Softmax(dim=True)(X), TypeError),
        (lambda: F.softmax(X, 1.0), TypeError),
        (lambda: F.softmax(X, None), TypeError),
    ],
    "log_softmax": [(lambda: F.log_softmax(X, True), TypeError)],
    "logsumexp": [(lambda: weft.logsumexp(X, False), TypeError)],
    "sum": [(lambda: X.sum(True), TypeError), (lambda: X.sum((True,)), TypeError)],
    "argmax": [(lambda: X.argmax(True), TypeError)],
    "cumsum": [(lambda: X.cumsum(True), TypeError)],
    "cat": [(lambda: weft.cat([X, X], True), TypeError)],
    "stack": [(lambda: weft.stack([X, X], True), TypeError)],
    "squeeze": [(lambda: X.squeeze(True), TypeError)],
    "transpose": [(lambda: X.transpose(True, False), TypeError)],
    "permute": [(lambda: X.permute(True, False), TypeError)],
    "reshape": [(lambda: X.reshape(True, -1), TypeError)],
    "flip": [(lambda: X.flip(True), TypeError)],
    "split": [(lambda: X.split(True), TypeError), (lambda: X.split([True, 2]), TypeError)],
    "chunk": [(lambda: X.chunk(True), TypeError), (lambda: X.chunk(1.5), TypeError)],
    "narrow": [
        (lambda: X.narrow(0, True, 1), TypeError),
        (lambda: X.narrow(0, 2, 2), RuntimeError),
        (lambda: X.narrow(0, -4, 1), RuntimeError),
        (lambda: X.narrow(0, 0, -1), RuntimeError),
    ],
    "gather": [(lambda: X.gather(True, C[:, None]), TypeError)],
    "tril": [
        (lambda: weft.tril(weft.ones(3)), RuntimeError),
        (lambda: weft.tril(X, True), TypeError),
    ],
    "triu": [
        (lambda: weft.triu(weft.ones(3)), RuntimeError),
        (lambda: weft.triu(X, 1.5), TypeError),
    ],
    "full": [
        (lambda: weft.full((2,), weft.ones(2)), TypeError),
        (lambda: weft.full((2,), None), TypeError),
    ],
    "var": [
        (lambda: X.var(0, 1), TypeError),
        (lambda: X.var(True, False), TypeError),
        (lambda: X.var(0, False, correction=1), TypeError),
        (lambda: X.var(0, correction="a"), TypeError),
        (lambda: C.var(), TypeError),
    ],
    "std": [(lambda: X.std(0, "no"), TypeError), (lambda: C.std(), TypeError)],
    "take_along_dim": [
        (lambda: weft.take_along_dim(X, C, 1), RuntimeError),
        (lambda: weft.take_along_dim(X, X, 1), RuntimeError),
        (lambda: weft.take_along_dim(X, weft.zeros(2, 1, dtype=weft.int64), 1), RuntimeError),
        (lambda: weft.take_along_dim(X, C[:, None], True), TypeError),
        (lambda: weft.take_along_dim(X, C[:, None], 2), IndexError),
    ],
}


@pytest.mark.parametrize(
    ("name", "call", "error"),
    [(name, call, error) for name, cases in REFUSED.items() for call, error in cases],
    ids=[f"{name}-{i}" for name, cases in REFUSED.items() for i in range(len(cases))],
)
def test_refused(name, call, error):
    position = weft._core.random_state()
    with pytest.raises(error, match=f"^{name}: ") as caught:
        call()
    assert type(caught.value) is error
    assert weft._core.random_state() == position


def test_what_lies_on_the_edge_is_accepted():
    assert weft.arange(3, 3).tolist() == []
    assert weft.arange(3, 0, -1).tolist() == [3, 2, 1]
    assert weft.eye(0, 3).shape == (0, 3)
    assert weft.zeros(2).uniform_(2, 2).tolist() == [2.0, 2.0]
    assert weft.zeros(2).normal_(1.0, 0.0).tolist() == [1.0, 1.0]
    assert weft.zeros(2).bernoulli_(1).tolist() == [1.0, 1.0]
    assert weft.zeros(2).fill_(weft.tensor(3)).tolist() == [3.0, 3.0]
    assert X.narrow(0, -1, 1).tolist() == X[2:].tolist()
    assert F.cross_entropy(X, C, label_smoothing=1.0).isfinite()
    assert F.smooth_l1_loss(P, P * 0, beta=0).item() == pytest.approx(0.4)


@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.huber_loss, F.smooth_l1_loss])
def test_a_target_of_another_shape_gives_a_warning(loss):
    with pytest.warns(UserWarning, match=f"^{loss.__name__}: target has another shape"):
        loss(P[:, None], P)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss(P, P)


@pytest.mark.parametrize("kind", ["softmax", "log_softmax", "logsumexp"])
def test_unknown_members_of_a_family_are_refused(kind):
    core = weft._core
    wrong = kind[:-1]
    with pytest.raises(ValueError, match=f"^softmax: no member named {wrong}$"):
        core.softmax(wrong, X, 0)
    with pytest.raises(ValueError, match=r"^index: no member named scater$"):
        core.index("scater", X, 0, C, X)
    with pytest.raises(ValueError, match=r"^class_loss: no member named nll$"):
        core.class_loss("nll", X, C, 0, "mean")


def test_unbiased_is_the_second_or_first_position_as_in_torch():
    x = weft.tensor([[1.0, 3.0], [2.0, 6.0]])
    assert x.var(1).tolist() == [2.0, 8.0]
    assert x.var(1, False).tolist() == [1.0, 4.0]
    assert x.var(1, True).tolist() == [2.0, 8.0]
    assert x.var(1, False, True).tolist() == [[1.0], [4.0]]
    assert x.var(1, keepdim=True, correction=0).tolist() == [[1.0], [4.0]]
    assert x.std(1, False).tolist() == [1.0, 2.0]
    # All four: mean 3, squares 4 + 0 + 1 + 9 = 14.
    assert x.var(False).item() == 3.5
    assert weft.var(x, True).item() == pytest.approx(14 / 3)
    assert weft.std(x, unbiased=False).item() == pytest.approx(3.5**0.5)
    assert x.var(None, False).item() == x.var((0, 1), unbiased=False).item() == 3.5
    assert x.var(correction=2).item() == 7.0


def test_take_along_dim_broadcasts():
    x = weft.tensor([[5.0, 6.0], [7.0, 8.0]])
    assert weft.take_along_dim(x, weft.tensor([[1]]), 1).tolist() == [[6.0], [8.0]]
    assert weft.take_along_dim(x, weft.tensor([[0, 1, -1]]), 1).tolist() == [
        [5.0, 6.0, 6.0],
        [7.0, 8.0, 8.0],
    ]
    assert weft.take_along_dim(x[:, :1], weft.tensor([[1, 0, 1]]), 0).tolist() == [[7.0, 5.0, 7.0]]
    assert weft.take_along_dim(x, weft.tensor([3, 0])).tolist() == [8.0, 5.0]
    with pytest.raises(RuntimeError, match="gather: index out of range"):
        weft.take_along_dim(x, weft.tensor([[2]]), 1)
    w = weft.tensor([[5.0, 6.0], [7.0, 8.0]], requires_grad=True)
    weft.take_along_dim(w, weft.tensor([[1, 1]]), 1).sum().backward()
    assert w.grad.tolist() == [[0.0, 2.0], [0.0, 2.0]]


def test_numbers_of_numpy_and_tensors_of_one_keep_their_kind():
    import numpy as np

    assert weft.arange(np.int64(3)).dtype is weft.int64
    assert weft.arange(weft.tensor(3)).dtype is weft.int64
    assert weft.full((2,), np.int64(3)).dtype is weft.int64
    assert weft.full((2,), weft.tensor(3)).tolist() == [3, 3]
    assert weft.full((2,), weft.tensor(True)).dtype is weft.bool
    assert weft.full((2,), weft.tensor(1.5, dtype=weft.float64)).dtype is weft.float32


def test_compiled_functions_check_the_values_of_each_call():
    static = weft.compile(lambda p, t: F.binary_cross_entropy(p, t))
    inside = weft.full((3,), 0.5)
    for _ in range(3):
        static(P, inside)
    name = "binary_cross_entropy"
    with pytest.raises(RuntimeError, match=f"{name}: input expected to lie in 0 to 1"):
        static(P + 1, inside)
    with pytest.raises(RuntimeError, match=rf"{name}: target expected .* got 5\.25"):
        static(P, inside * 0 + 5.25)
    assert static(P, inside).isfinite()
    assert static.explain().recordings == 1
