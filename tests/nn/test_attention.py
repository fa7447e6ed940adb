"""MultiheadAttention against numpy."""

import math

import numpy as np
import pytest

import weft
import weft.nn as nn

RNG = np.random.default_rng(2)
N, L, S, E, H = 2, 4, 5, 8, 2
Q, K, V = (RNG.normal(size=(N, n, E)) for n in (L, S, S))


def reference(layer, q, k, v, mask=0.0):
    w, b = layer.in_proj_weight.detach().numpy(), layer.in_proj_bias.detach().numpy()
    parts = []
    for i, x in enumerate((q, k, v)):
        y = x @ w[i * E : (i + 1) * E].T + b[i * E : (i + 1) * E]
        parts.append(y.reshape(*x.shape[:2], H, E // H).transpose(0, 2, 1, 3))
    scores = parts[0] @ parts[1].transpose(0, 1, 3, 2) / math.sqrt(E // H) + mask
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    heads = (weights @ parts[2]).transpose(0, 2, 1, 3).reshape(*q.shape)
    out = heads @ layer.out_proj.weight.detach().numpy().T + layer.out_proj.bias.detach().numpy()
    return out, weights.mean(1)


def layer(**options):
    made = nn.MultiheadAttention(E, H, dtype=weft.float64, **options)
    with weft.no_grad():
        made.in_proj_bias.copy_(weft.tensor(RNG.normal(size=3 * E)))
    return made


def tensors(*arrays):
    return [weft.tensor(array) for array in arrays]


@pytest.mark.parametrize("need_weights", [True, False])
def test_batch_first(need_weights):
    made = layer(batch_first=True)
    out, weights = made(*tensors(Q, K, V), need_weights=need_weights)
    expected, expected_weights = reference(made, Q, K, V)
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-9, atol=1e-12)
    if need_weights:
        np.testing.assert_allclose(weights.detach().numpy(), expected_weights, rtol=1e-9)
    else:
        assert weights is None


def test_sequence_first_and_no_batch():
    made = layer()
    swapped = tensors(*(np.ascontiguousarray(a.swapaxes(0, 1)) for a in (Q, K, V)))
    expected, _ = reference(made, Q, K, V)
    np.testing.assert_allclose(
        made(*swapped)[0].detach().numpy().swapaxes(0, 1), expected, rtol=1e-9, atol=1e-12
    )
    single, weights = made(*tensors(Q[0], K[0], V[0]))
    np.testing.assert_allclose(single.detach().numpy(), expected[0], rtol=1e-9, atol=1e-12)
    assert tuple(weights.shape) == (L, S)


def test_masks():
    made = layer(batch_first=True)
    hidden = np.zeros((N, S), bool)
    hidden[1, 3:] = True
    mask = np.where(hidden, -np.inf, 0.0)[:, None, None, :]
    out, _ = made(*tensors(Q, K, V), key_padding_mask=weft.tensor(hidden))
    np.testing.assert_allclose(out.detach().numpy(), reference(made, Q, K, V, mask)[0], rtol=1e-9)
    later = np.triu(np.ones((L, L), bool), 1)
    by_mask, _ = made(*tensors(Q, Q, Q), attn_mask=weft.tensor(later))
    by_flag, _ = made(*tensors(Q, Q, Q), is_causal=True)
    expected, _ = reference(made, Q, Q, Q, np.where(later, -np.inf, 0.0))
    np.testing.assert_allclose(by_mask.detach().numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(by_flag.detach().numpy(), expected, rtol=1e-9)


def test_bad_shapes():
    with pytest.raises(ValueError, match="num_heads must divide"):
        nn.MultiheadAttention(8, 3)
    with pytest.raises(ValueError, match="shapes do not fit"):
        layer(batch_first=True)(*tensors(Q, K, V[:, :3]))
