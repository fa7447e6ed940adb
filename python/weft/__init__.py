"""weft: one program, two graphs, the same bits.

A deep-learning framework for CPUs with torch's names: eager automatic differentiation, and
``weft.compile``, which runs whole functions as static graphs.
"""

import builtins as _builtins

from weft import _core as _core
from weft._core import (
    CompileError,
    Tensor,
    dtype,
    get_num_threads,
    is_grad_enabled,
    set_num_threads,
)
from weft._creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    eye,
    float32,
    float64,
    from_numpy,
    full,
    full_like,
    get_default_dtype,
    int32,
    int64,
    linspace,
    multinomial,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    uint8,
    zeros,
    zeros_like,
)
from weft._creation import bool_ as bool
from weft._indexing import (
    gather,
    index_add,
    index_select,
    masked_fill,
    masked_select,
    nonzero,
    scatter,
    scatter_add,
    take_along_dim,
)
from weft._linalg import addmm, bmm, dot, matmul, mm, mv, outer
from weft._pointwise import *  # noqa: F403
from weft._reduce import (
    all,
    allclose,
    amax,
    amin,
    any,
    argmax,
    argmin,
    cumsum,
    equal,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    softmax,
    std,
    sum,
    var,
)
from weft._shape import (
    broadcast_to,
    cat,
    chunk,
    flatten,
    flip,
    narrow,
    permute,
    reshape,
    select,
    split,
    squeeze,
    stack,
    t,
    transpose,
    tril,
    triu,
    unbind,
    unflatten,
    unsqueeze,
)
from weft.autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from weft.sparse import SparseTensor, sparse_coo_tensor, sparse_csr_tensor
from weft import _methods

_methods.attach()

from weft import autograd, functional, nn, optim  # noqa: E402
from weft._compile import compile  # noqa: E402

__version__: str = _core.__version__

float, double, long, int = float32, float64, int64, int32
Size = tuple


def manual_seed(seed: _builtins.int) -> None:
    """Starts the random stream of ``seed``, from which both modes draw.

    Example:
        >>> weft.manual_seed(0)
        >>> a = weft.rand(2)
        >>> weft.manual_seed(0)
        >>> weft.equal(a, weft.rand(2))
        True
    """
    _core.manual_seed(seed)


def initial_seed() -> _builtins.int:
    """The seed of the random stream."""
    return _core.random_state()[0]


def is_tensor(obj: object) -> _builtins.bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)
