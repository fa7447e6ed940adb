"""The cases of public functions of tensors. Pointwise ones have theirs from the table of rows."""

import math

import numpy as np
from tests.ops.functions import at, case, exact, truth, u

import weft

#: Facts of what reads values, which a plan cannot.
READS = {"unplanned": "inside a compiled function"}
DENSE = {"dense": True}
FIXED = {"fixed": True}
#: Facts of what only takes shapes and dtypes from its inputs.
CONSTANT = {"constant": True}
#: Facts of what draws random numbers.
DRAWS = {"constant": True, "draws": True}


def npnorm(input, p=2, dim=None, keepdim=False):
    p = 2 if p == "fro" else p
    size = np.abs(input)
    if p == math.inf:
        return size.max(axis=dim, keepdims=keepdim)
    return (size**p).sum(axis=dim, keepdims=keepdim) ** (1 / p)


def npvar(input, dim=None, unbiased=None, keepdim=False, *, correction=1):
    return np.var(input, axis=dim, ddof=correction, keepdims=keepdim)


def npsoftmax(input, dim, dtype=None):
    e = np.exp(input - input.max(axis=dim, keepdims=True))
    return e / e.sum(axis=dim, keepdims=True)


def nplog_softmax(input, dim, dtype=None):
    return np.log(npsoftmax(input, dim))


# Reductions

case(
    "sum",
    u(2, 3, 4),
    dim=(0, 2),
    keepdim=True,
    oracle=lambda x, dim, keepdim: x.sum(axis=dim, keepdims=keepdim),
)
case("sum", u(3, 4), dtype=weft.float64, oracle=lambda x, dtype: x.sum())
case("mean", u(3, 4), dim=1, oracle=lambda x, dim: x.mean(axis=dim))
case("prod", u(3, 4), dim=0, oracle=lambda x, dim: x.prod(axis=dim))
case("amax", u(3, 4), dim=1, oracle=lambda x, dim: x.max(axis=dim))
case("amin", u(3, 4), dim=(0, 1), oracle=lambda x, dim: x.min(axis=dim))
case(
    "argmax",
    u(3, 4),
    dim=1,
    keepdim=True,
    oracle=lambda x, dim, keepdim: x.argmax(axis=dim, keepdims=keepdim),
)
case("argmin", u(3, 4), oracle=lambda x: x.argmin())
case("any", truth(3, 4), dim=1, oracle=lambda x, dim: x.any(axis=dim))
case("all", truth(3, 4), dim=0, oracle=lambda x, dim: x.all(axis=dim))
for _name, _most, _where in (("max", np.max, np.argmax), ("min", np.min, np.argmin)):
    case(_name, u(3, 4), oracle=lambda x, most=_most: most(x))
    case(_name, u(3, 4), dim=1, oracle=lambda x, dim, a=_most, b=_where: (a(x, dim), b(x, dim)))
    case(_name, u(3, 4), u(4), oracle={"max": np.maximum, "min": np.minimum}[_name])
case("cumsum", u(3, 4), dim=-1, oracle=lambda x, dim: x.cumsum(axis=dim))
case("logsumexp", u(3, 4), dim=1, oracle=lambda x, dim: np.log(np.exp(x).sum(axis=dim)))
case(
    "logsumexp",
    u(3, 4),
    dim=0,
    keepdim=True,
    oracle=lambda x, dim, keepdim: np.log(np.exp(x).sum(axis=dim, keepdims=keepdim)),
)
case("softmax", u(3, 4), dim=0, oracle=npsoftmax)
case("softmax", u(3, 4), dim=1, dtype=weft.float64, oracle=npsoftmax)
case("log_softmax", u(3, 4), dim=1, oracle=nplog_softmax)
case("var", u(3, 4), dim=1, oracle=npvar)
case("var", u(3, 4), dim=(0, 1), keepdim=True, correction=0, oracle=npvar)
case("std", u(3, 4), dim=0, oracle=lambda x, dim: np.sqrt(npvar(x, dim)))
case("norm", u(3, 4), dim=1, oracle=npnorm)
case("norm", u(3, 4), p=1, dim=0, oracle=npnorm)
case("norm", u(3, 4), p=3.5, dim=0, oracle=npnorm)
case("norm", u(3, 4), p=math.inf, oracle=npnorm)
case("norm", u(3, 4), p="fro", keepdim=True, oracle=npnorm)
case("equal", u(3), u(3), oracle=np.array_equal, facts=READS)
case("allclose", u(3), u(3), oracle=np.allclose, facts=READS)

# Shapes

case("reshape", u(3, 4), (2, -1), oracle=np.reshape)
case("permute", u(2, 3, 4), (2, 0, 1), oracle=np.transpose)
case("transpose", u(2, 3, 4), dim0=0, dim1=-1, oracle=lambda x, dim0, dim1: x.swapaxes(dim0, dim1))
case("t", u(2, 3), oracle=np.transpose)
case("t", u(3), oracle=np.asarray)
case("broadcast_to", u(3, 1), size=(2, 3, 4), oracle=lambda x, size: np.broadcast_to(x, size))
case("squeeze", u(1, 3, 1), oracle=np.squeeze)
case("squeeze", u(1, 3, 1), dim=(0, 1), oracle=lambda x, dim: x[0])
case("unsqueeze", u(3, 4), dim=1, oracle=lambda x, dim: x[:, None])
case("flatten", u(2, 3, 4), start_dim=1, oracle=lambda x, start_dim: x.reshape(2, 12))
case("unflatten", u(2, 12), dim=1, sizes=(3, -1), oracle=lambda x, dim, sizes: x.reshape(2, 3, 4))
case("narrow", u(3, 5), dim=1, start=-3, length=2, oracle=lambda x, **_: x[:, 2:4])
case("select", u(3, 4), dim=1, index=-1, oracle=lambda x, dim, index: x[:, index])
case("cat", [u(2, 3), u(1, 3)], dim=0, oracle=lambda x, dim: np.concatenate(x, dim))
case("stack", [u(3), u(3)], dim=1, oracle=lambda x, dim: np.stack(x, dim))
case("split", u(5, 2), 2, facts=FIXED, oracle=lambda x, n: np.split(x, [2, 4]))
case("split", u(2, 5), [1, 4], dim=1, facts=FIXED, oracle=lambda x, n, dim: np.split(x, [1], dim))
case("chunk", u(5), chunks=3, facts=FIXED, oracle=lambda x, chunks: np.split(x, [2, 4]))
case("unbind", u(2, 3), dim=1, oracle=lambda x, dim: list(x.T))
case("flip", u(3, 4), (0, -1), oracle=lambda x, dims: np.flip(x, dims))
case("tril", u(2, 3, 4), diagonal=1, oracle=lambda x, diagonal: np.tril(x, diagonal))
case("triu", u(3, 4), diagonal=-1, oracle=lambda x, diagonal: np.triu(x, diagonal))
case("Tensor.view", u(3, 4), 2, -1, facts=DENSE, oracle=lambda x, *s: x.reshape(s))
case("Tensor.view_as", u(3, 4), u(12), facts=DENSE, oracle=lambda x, y: x.reshape(y.shape))
case("Tensor.expand", u(3, 1), -1, 2, oracle=lambda x, *s: np.broadcast_to(x, (3, 2)))
case("Tensor.expand_as", u(3, 1), u(3, 2), oracle=lambda x, y: np.broadcast_to(x, y.shape))
case("Tensor.contiguous", u(3, 4), oracle=np.asarray)
case("Tensor.repeat", u(3, 2), 2, 1, 2, oracle=lambda x, *n: np.tile(x, n))
case("Tensor.clone", u(3, 4), oracle=np.asarray)

case("remainder", u(3, 4), u(4, low=0.5), oracle=np.remainder)
case("floor_divide", u(3, 4), u(4, low=0.5), oracle=np.floor_divide)

# Indices

case(
    "index_select",
    u(3, 4),
    dim=1,
    index=at(2, below=4),
    oracle=lambda x, dim, index: x.take(index, dim),
)
case(
    "index_add",
    u(3, 4),
    dim=0,
    index=exact([1, 1]),
    source=u(2, 4),
    oracle=lambda x, dim, index, source: (
        x + np.array([0 * source[0], source.sum(0), 0 * source[0]])
    ),
)
case(
    "gather",
    u(3, 4),
    dim=1,
    index=at(3, 2, below=4),
    oracle=lambda x, dim, index: np.take_along_axis(x, index, dim),
)


def npscatter(x, dim, index, src):
    out = x.copy()
    np.put_along_axis(out, index, src, dim)
    return out


case(
    "scatter", u(3, 4), dim=1, index=exact([[1, 0], [2, 3], [0, 3]]), src=u(3, 2), oracle=npscatter
)
case("scatter", u(3, 4), dim=1, index=at(3, 1, below=4), src=2.5, oracle=npscatter)
case(
    "scatter_add",
    u(3, 4),
    dim=1,
    index=exact([[1, 1], [2, 3], [0, 0]]),
    src=u(3, 2),
    oracle=lambda x, dim, index, src: (
        x + sum(src[:, k, None] * (np.arange(4) == index[:, k, None]) for k in range(2))
    ),
)
case(
    "masked_fill",
    u(3, 4),
    mask=truth(4),
    value=0.5,
    oracle=lambda x, mask, value: np.where(mask, value, x),
)
case(
    "masked_fill",
    u(3, 4),
    mask=truth(3, 1),
    value=u(),
    oracle=lambda x, mask, value: np.where(mask, value, x),
)
case("masked_select", u(3, 4), facts=READS, mask=truth(3, 4), oracle=lambda x, mask: x[mask])
case("nonzero", exact([[0, 3], [4, 0]]), facts=READS, oracle=lambda x: np.argwhere(x))
case("nonzero", truth(3, 2), facts=READS, as_tuple=True, oracle=lambda x, as_tuple: np.nonzero(x))
case(
    "take_along_dim",
    u(3, 4),
    indices=at(3, 1, below=4),
    dim=1,
    oracle=lambda x, indices, dim: np.take_along_axis(x, indices, dim),
)
case("where", truth(3, 1), u(3, 4), u(4), oracle=np.where)
case(
    "one_hot",
    at(3, 2, below=4),
    num_classes=4,
    oracle=lambda x, num_classes: np.eye(4, dtype=int)[x],
)
case("clamp", u(3, 4), min=-0.5, max=0.7, oracle=lambda x, min, max: x.clip(min, max))
case("clamp", u(3, 4), max=u(4), oracle=lambda x, max: np.minimum(x, max))

# Products

case("matmul", u(2, 3), u(3, 4), oracle=np.matmul)
case("matmul", u(2, 2, 3), u(3), oracle=np.matmul)
case("matmul", u(2, 1, 2, 3), u(3, 3, 2), oracle=np.matmul)
case("mm", u(2, 3), u(3, 4), oracle=np.matmul)
case("bmm", u(2, 2, 3), u(2, 3, 2), oracle=np.matmul)
case("mv", u(2, 3), u(3), oracle=np.matmul)
case("dot", u(3), u(3), oracle=np.dot)
case("outer", u(3), u(2), oracle=np.outer)
case(
    "addmm",
    u(2),
    u(3, 4),
    u(4, 2),
    beta=0.5,
    alpha=2.0,
    oracle=lambda x, a, b, beta, alpha: beta * x + alpha * (a @ b),
)
case("addmm", u(3, 2), u(3, 4), u(4, 2), beta=0, oracle=lambda x, a, b, beta: a @ b)
case("linear", u(2, 3), u(4, 3), u(4), oracle=lambda x, w, b: x @ w.T + b)
case("linear", u(2, 2, 3), u(4, 3), oracle=lambda x, w: x @ w.T)

# Making tensors

case("tensor", [[1.0, 2.0], [3.0, 4.0]], oracle=np.array)
case("from_numpy", np.arange(3), oracle=np.asarray)
case("as_tensor", [1, 2], oracle=np.array)
case("full", (2, 3), 7, oracle=np.full)
case("zeros", 2, 3, oracle=lambda *n: np.zeros(n))
case("ones", 2, 3, dtype=weft.int32, oracle=lambda *n, dtype: np.ones(n, int))
case("empty", 2, 0, oracle=lambda *n: np.zeros(n))
case("zeros_like", u(2, 3), facts=CONSTANT, oracle=np.zeros_like)
case("ones_like", u(2, 3), facts=CONSTANT, oracle=np.ones_like)
case("empty_like", u(2, 3), facts=CONSTANT, oracle=np.zeros_like)
case(
    "full_like",
    u(2, 3),
    facts=CONSTANT,
    fill_value=2.5,
    oracle=lambda x, fill_value: np.full_like(x, fill_value),
)
case("arange", 1, 10, 3, oracle=np.arange)
case("arange", 1.5, oracle=np.arange)
case("linspace", 0, 1, 5, oracle=np.linspace)
case("eye", 3, 2, oracle=np.eye)
case("Tensor.new_zeros", u(2), 3, facts=CONSTANT, oracle=lambda x, n: np.zeros(n))
case("Tensor.new_ones", u(2), 3, facts=CONSTANT, oracle=lambda x, n: np.ones(n))
case("Tensor.new_full", u(2), (2,), 1.5, facts=CONSTANT, oracle=lambda x, n, v: np.full(n, v))
case("Tensor.new_tensor", u(2), [1.5], facts=CONSTANT, oracle=lambda x, v: np.array(v))
case("Tensor.to", u(3), weft.float64, oracle=lambda x, kind: x)
case("Tensor.type_as", u(3), exact([1.0], "float64"), oracle=lambda x, y: x)
case("Tensor.float", u(3), oracle=np.asarray, facts={"smooth": False})
case("Tensor.double", u(3), oracle=np.asarray)
for _name, _kind in (
    ("long", "int64"), ("int", "int32"), ("short", "int16"), ("char", "int8"), ("bool", "bool"),
    ("byte", "uint8"),
):  # fmt: skip
    case(f"Tensor.{_name}", u(3, low=0.0, high=9.0), oracle=lambda x, k=_kind: x.astype(k))
case("Tensor.cpu", u(3), oracle=np.asarray)
case("Tensor.detach", u(3), facts=CONSTANT, oracle=np.asarray)

# In place, where there is no function of the name

case(
    "Tensor.addcmul_",
    u(3, 4),
    u(4),
    u(3, 1),
    value=0.5,
    oracle=lambda x, a, b, value: x + value * a * b,
)
case(
    "Tensor.addcdiv_",
    u(3, 4),
    u(4),
    u(3, 1, low=1.0),
    value=0.5,
    oracle=lambda x, a, b, value: x + value * a / b,
)
case("Tensor.lerp_", u(3, 4), u(3, 4), 0.25, oracle=lambda x, end, weight: x + weight * (end - x))
case("Tensor.zero_", u(3), oracle=np.zeros_like)
case("Tensor.fill_", u(3), 2.5, oracle=np.full_like)
case("Tensor.copy_", u(3, 4), u(4), oracle=lambda x, y: np.broadcast_to(y, x.shape))
case("Tensor.uniform_", u(3), -1.0, 2.0, facts={"draws": True})
case("Tensor.normal_", u(3), 1.0, 2.0, facts={"draws": True})
case("Tensor.bernoulli_", u(3), 0.25, facts={"draws": True})

# Random numbers: what they are, tests/ops/test_values.py says

case("rand", 2, 3, facts=DRAWS)
case("randn", 2, 3, facts=DRAWS)
case("rand_like", u(2, 3), facts=DRAWS)
case("randn_like", u(2, 3), facts=DRAWS)
case("randint", 0, 9, (2, 3), facts=DRAWS)
case("randperm", 5, facts=DRAWS)
case("multinomial", u(2, 4, low=0.1, high=1.0), num_samples=3, facts=DRAWS)
