"""Functions of ``weft.nn.functional``, by subject in ``weft.ops``. Written by ``make generate``."""

from weft.ops.activation import elu, gelu, leaky_relu, relu, silu, softplus
from weft.ops.class_loss import cross_entropy, nll_loss
from weft.ops.layers import (
    dropout,
    embedding,
    layer_norm,
    linear,
    normalize,
    one_hot,
    pad,
    scaled_dot_product_attention,
)
from weft.ops.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from weft.ops.reduce import log_softmax, softmax
from weft.ops.unary import sigmoid, tanh

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "dropout", "elu",
    "embedding", "gelu", "huber_loss", "kl_div", "l1_loss", "layer_norm", "leaky_relu", "linear",
    "log_softmax", "mse_loss", "nll_loss", "normalize", "one_hot", "pad", "relu",
    "scaled_dot_product_attention", "sigmoid", "silu", "smooth_l1_loss", "softmax", "softplus",
    "tanh",
]  # fmt: skip
