"""Masks of ``MultiheadAttention`` have the shapes and dtypes that it reads them with."""

import pytest

import weft
import weft.nn as nn

LAYER = nn.MultiheadAttention(8, 2, batch_first=True)
X = weft.ones(3, 5, 8)


@pytest.mark.parametrize(
    "mask",
    [
        {"key_padding_mask": weft.zeros(1, 5).bool()},
        {"key_padding_mask": weft.zeros(5).bool()},
        {"attn_mask": weft.zeros(1, 5).bool()},
        {"attn_mask": weft.zeros(3, 5, 5).bool()},
        {"attn_mask": weft.zeros(5, 5, 1).bool()},
    ],
)
def test_shapes_that_would_broadcast_are_refused(mask):
    (name,) = mask
    with pytest.raises(RuntimeError, match=f"^MultiheadAttention: {name} expected to have shape"):
        LAYER(X, X, X, **mask)


@pytest.mark.parametrize("name", ["key_padding_mask", "attn_mask"])
def test_whole_numbers_are_no_mask(name):
    """They would be added to the scores."""
    shape = (3, 5) if name == "key_padding_mask" else (5, 5)
    with pytest.raises(TypeError, match=f"^MultiheadAttention: {name} expected to be bool"):
        LAYER(X, X, X, **{name: weft.ones(shape, dtype=weft.int64)})


def test_fitting_masks():
    for mask in (weft.zeros(5, 5).bool(), weft.zeros(6, 5, 5), weft.zeros(5, 5)):
        assert LAYER(X, X, X, attn_mask=mask)[0].shape == (3, 5, 8)
    assert LAYER(X[0], X[0], X[0], key_padding_mask=weft.zeros(5).bool())[0].shape == (5, 8)
    assert LAYER(X[0], X[0], X[0], attn_mask=weft.zeros(2, 5, 5))[0].shape == (5, 8)


@pytest.mark.parametrize(("dropout", "error"), [(None, TypeError), (1.5, ValueError)])
def test_dropout_is_a_probability(dropout, error):
    with pytest.raises(error, match=r"^MultiheadAttention: "):
        nn.MultiheadAttention(8, 2, dropout=dropout)
