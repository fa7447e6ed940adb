"""weft: one program, two graphs, the same bits.

A deep-learning framework for CPUs with torch's names: eager automatic differentiation, and
``weft.compile``, which runs whole functions as static graphs. Functions of tensors are in
``weft.ops``, by subject.
"""

import builtins as _builtins

from weft import _core as _core
from weft import _indexing as _indexing  # the door calls it
from weft import _methods as _methods
from weft._core import (
    CompileError,
    Tensor,
    can_cast,
    dtype,
    get_num_threads,
    initial_seed,
    is_grad_enabled,
    promote_types,
    result_type,
    set_num_threads,
)
from weft._public import attach as _attach
from weft._types import (
    bfloat16,
    complex64,
    complex128,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from weft._types import bool_ as bool
from weft.autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from weft.ops.activation import *
from weft.ops.binary import *
from weft.ops.compare import *
from weft.ops.create import *
from weft.ops.index import *
from weft.ops.join import *
from weft.ops.linalg import *
from weft.ops.moments import *
from weft.ops.random import *
from weft.ops.reduce import *
from weft.ops.select import *
from weft.ops.shape import *
from weft.ops.unary import *
from weft.sparse import SparseTensor, sparse_coo_tensor, sparse_csr_tensor

_attach()

from weft import autograd, functional, nn, ops, optim, sparse  # noqa: E402
from weft._compile import CompileWarning, compile  # noqa: E402

__version__: str = _core.__version__

float, double, half = float32, float64, float16
long, int, short = int64, int32, int16
cfloat, cdouble = complex64, complex128
Size = tuple[_builtins.int, ...]


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


def is_tensor(obj: object) -> _builtins.bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


__all__ = [
    "CompileError",
    "CompileWarning",
    "Size",
    "SparseTensor",
    "Tensor",
    "autograd",
    "bfloat16",
    "bool",
    "can_cast",
    "cdouble",
    "cfloat",
    "compile",
    "complex64",
    "complex128",
    "double",
    "dtype",
    "enable_grad",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "functional",
    "get_num_threads",
    "half",
    "iinfo",
    "inference_mode",
    "initial_seed",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_grad_enabled",
    "is_tensor",
    "long",
    "manual_seed",
    "nn",
    "no_grad",
    "optim",
    "promote_types",
    "result_type",
    "set_grad_enabled",
    "set_num_threads",
    "short",
    "sparse",
    "sparse_coo_tensor",
    "sparse_csr_tensor",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
__all__ += ops.activation.__all__
__all__ += ops.binary.__all__
__all__ += ops.compare.__all__
__all__ += ops.create.__all__
__all__ += ops.index.__all__
__all__ += ops.join.__all__
__all__ += ops.linalg.__all__
__all__ += ops.moments.__all__
__all__ += ops.random.__all__
__all__ += ops.reduce.__all__
__all__ += ops.select.__all__
__all__ += ops.shape.__all__
__all__ += ops.unary.__all__
