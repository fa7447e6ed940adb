"""The methods of ``Tensor`` that are written in Python. Written by ``make generate``."""

from builtins import bool as _bool
from builtins import float as _float
from builtins import int as _int
from collections.abc import Sequence
from typing import Any, overload

import numpy as np

from weft._core import Tensor
from weft._core import dtype as _dtype
from weft._types import Dims, Number, Operand
from weft.ops.reduce import Extreme

class Methods:
    def abs(self) -> Tensor:
        r"""The absolute value of each element. The gradient at 0 is 0."""
    def abs_(self) -> Tensor:
        r"""``weft.abs`` in place."""
    def absolute(self) -> Tensor:
        r"""The absolute value of each element. The gradient at 0 is 0."""
    def absolute_(self) -> Tensor:
        r"""``weft.abs`` in place."""
    def add(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        r"""``input + alpha * other``; whole numbers wrap."""
    def add_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        r"""``self += alpha * other``."""
    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
        r"""``self += value * tensor1 / tensor2``."""
    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
        r"""``self += value * tensor1 * tensor2``."""
    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: _float = 1, alpha: _float = 1) -> Tensor:
        r"""``beta * input + alpha * (mat1 @ mat2)``; with ``beta=0`` the values of input do not count."""
    def all(self, dim: Dims = None, keepdim: _bool = False) -> Tensor:
        r"""Whether all elements are nonzero: bool, or uint8 of uint8. Of none, True."""
    def allclose(
        self, other: Tensor, rtol: _float = 1e-05, atol: _float = 1e-08, equal_nan: _bool = False
    ) -> _bool:
        r"""Whether ``|input - other| <= atol + rtol * |other|`` everywhere, as one truth value."""
    def amax(self, dim: Dims = None, keepdim: _bool = False) -> Tensor:
        r"""The largest elements; NaN if any is. Equal ones share the gradient."""
    def amin(self, dim: Dims = None, keepdim: _bool = False) -> Tensor:
        r"""The smallest elements; NaN if any is. Equal ones share the gradient."""
    def any(self, dim: Dims = None, keepdim: _bool = False) -> Tensor:
        r"""Whether any element is nonzero: bool, or uint8 of uint8. Of none, False."""
    def arctan2(self, other: Operand) -> Tensor:
        r"""The angle, in radians from -pi to pi, of the point with x ``other`` and y ``input``."""
    def argmax(self, dim: _int | None = None, keepdim: _bool = False) -> Tensor:
        r"""The index, int64, of the first largest element along ``dim``; NaN counts as largest."""
    def argmin(self, dim: _int | None = None, keepdim: _bool = False) -> Tensor:
        r"""The index, int64, of the first smallest element along ``dim``; NaN counts as smallest."""
    def atan2(self, other: Operand) -> Tensor:
        r"""The angle, in radians from -pi to pi, of the point with x ``other`` and y ``input``."""
    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: _bool | None = None,
        create_graph: _bool = False,
    ) -> None:
        r"""As :func:`backward`, for this tensor."""
    def bernoulli_(self, p: _float = 0.5) -> Tensor:
        r"""1 with probability ``p``, else 0."""
    def bfloat16(self) -> Tensor:
        r"""In dtype ``weft.bfloat16``; the tensor itself if that is its dtype."""
    def bitwise_and(self, other: Operand) -> Tensor:
        r"""The bits that are set in both whole numbers; of truth values, whether both hold."""
    def bitwise_or(self, other: Operand) -> Tensor:
        r"""The bits that are set in either whole number; of truth values, whether either holds."""
    def bitwise_xor(self, other: Operand) -> Tensor:
        r"""The bits that are set in one whole number only; of truth values, whether they differ."""
    def bmm(self, mat2: Tensor) -> Tensor:
        r"""The products of two batches of matrices."""
    def bool(self) -> Tensor:
        r"""In dtype ``weft.bool``; the tensor itself if that is its dtype."""
    def broadcast_to(self, size: Sequence[_int]) -> Tensor:
        r"""As :func:`expand`."""
    def byte(self) -> Tensor:
        r"""In dtype ``weft.uint8``; the tensor itself if that is its dtype."""
    def cdouble(self) -> Tensor:
        r"""In dtype ``weft.complex128``; the tensor itself if that is its dtype."""
    def ceil(self) -> Tensor:
        r"""The smallest whole number that is not below each element. The gradient is 0."""
    def ceil_(self) -> Tensor:
        r"""``weft.ceil`` in place."""
    def cfloat(self) -> Tensor:
        r"""In dtype ``weft.complex64``; the tensor itself if that is its dtype."""
    def char(self) -> Tensor:
        r"""In dtype ``weft.int8``; the tensor itself if that is its dtype."""
    def chunk(self, chunks: _int, dim: _int = 0) -> tuple[Tensor, ...]:
        r"""At most ``chunks`` consecutive pieces of equal size (the last may be smaller)."""
    def clamp(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        r"""Each element, or the limit that it lies beyond. NaN stays NaN."""
    def clamp_(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        r"""``weft.clamp`` in place."""
    def clamp_max(self, max: Operand) -> Tensor:
        r"""Each element, but at most ``max``; :func:`clamp` with one limit."""
    def clamp_min(self, min: Operand) -> Tensor:
        r"""Each element, but at least ``min``; :func:`clamp` with one limit."""
    def clone(self) -> Tensor:
        r"""A contiguous copy, through which gradients flow."""
    def conj(self) -> Tensor:
        r"""The complex conjugate of each element; of real numbers the tensor itself."""
    def contiguous(self) -> Tensor:
        r"""The tensor itself if it is contiguous, else a contiguous copy."""
    def cos(self) -> Tensor:
        r"""The cosine of each element, an angle in radians; NaN of infinity."""
    def cos_(self) -> Tensor:
        r"""``weft.cos`` in place."""
    def cpu(self) -> Tensor:
        r"""The tensor itself, which lies in the memory of the CPU."""
    def cumsum(self, dim: _int) -> Tensor:
        r"""The running sum along ``dim``, added up in double precision and in order."""
    def dim(self) -> _int:
        r"""The number of dimensions."""
    def div(self, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
        r"""``input / other``, in real numbers also where both are whole."""
    def div_(self, other: Operand) -> Tensor:
        r"""``weft.div`` in place."""
    def divide(self, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
        r"""``input / other``, in real numbers also where both are whole."""
    def divide_(self, other: Operand) -> Tensor:
        r"""``weft.div`` in place."""
    def dot(self, other: Tensor) -> Tensor:
        r"""The inner product of two vectors."""
    def double(self) -> Tensor:
        r"""In dtype ``weft.float64``; the tensor itself if that is its dtype."""
    def element_size(self) -> _int:
        r"""Bytes of one element."""
    def eq(self, other: Operand) -> Tensor:
        r"""Whether both are equal; NaN equals nothing."""
    def equal(self, other: Tensor) -> _bool:
        r"""Whether both tensors have one shape and equal elements, as one truth value."""
    def erf(self) -> Tensor:
        r"""The error function: ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0."""
    def exp(self) -> Tensor:
        r"""The number e to the power of each element; beyond the range of the dtype infinity."""
    def exp_(self) -> Tensor:
        r"""``weft.exp`` in place."""
    def expand(self, *size: Any) -> Tensor:
        r"""Repeated along dimensions of size 1 and new leading ones, without a copy."""
    def expand_as(self, other: Tensor) -> Tensor:
        r"""``input.expand(other.shape)``."""
    def expm1(self) -> Tensor:
        r"""``exp(input) - 1``, exact also where the result is close to 0."""
    def fix(self) -> Tensor:
        r"""Each element without its fraction, that is rounded towards 0. The gradient is 0."""
    def flatten(self, start_dim: _int = 0, end_dim: _int = -1) -> Tensor:
        r"""Dimensions ``start_dim`` to ``end_dim`` merged into one."""
    def flip(self, *dims: Any) -> Tensor:
        r"""A copy with the order reversed along ``dims``."""
    def float(self) -> Tensor:
        r"""In dtype ``weft.float32``; the tensor itself if that is its dtype."""
    def floor(self) -> Tensor:
        r"""The largest whole number that is not above each element. The gradient is 0."""
    def floor_(self) -> Tensor:
        r"""``weft.floor`` in place."""
    def floor_divide(self, other: Operand) -> Tensor:
        r"""Python's ``//``: the quotient rounded down."""
    def floor_divide_(self, other: Operand) -> Tensor:
        r"""``weft.floor_divide`` in place."""
    def gather(self, dim: _int, index: Tensor) -> Tensor:
        r"""One element per index: ``out[i][j] = input[index[i][j]][j]`` for ``dim=0``."""
    def ge(self, other: Operand) -> Tensor:
        r"""Whether ``input >= other``."""
    def greater(self, other: Operand) -> Tensor:
        r"""Whether ``input > other``."""
    def greater_equal(self, other: Operand) -> Tensor:
        r"""Whether ``input >= other``."""
    def gt(self, other: Operand) -> Tensor:
        r"""Whether ``input > other``."""
    def half(self) -> Tensor:
        r"""In dtype ``weft.float16``; the tensor itself if that is its dtype."""
    def index_add(self, dim: _int, index: Tensor, source: Tensor) -> Tensor:
        r"""``input`` with the slices of ``source`` added at the indices along ``dim``, in order."""
    def index_add_(self, dim: _int, index: Tensor, source: Tensor) -> Tensor:
        r"""``weft.index_add`` in place."""
    def index_select(self, dim: _int, index: Tensor) -> Tensor:
        r"""The slices of ``input`` at the indices (1-D, int64 or int32) along ``dim``."""
    def int(self) -> Tensor:
        r"""In dtype ``weft.int32``; the tensor itself if that is its dtype."""
    def is_complex(self) -> _bool:
        r"""Whether elements are complex numbers."""
    def is_floating_point(self) -> _bool:
        r"""Whether elements are real numbers."""
    def is_signed(self) -> _bool:
        r"""Whether elements can be negative."""
    def isfinite(self) -> Tensor:
        r"""Whether each element is neither infinite nor NaN."""
    def isinf(self) -> Tensor:
        r"""Whether each element is infinite, of either sign."""
    def isnan(self) -> Tensor:
        r"""Whether each element is NaN, which is no number."""
    def le(self, other: Operand) -> Tensor:
        r"""Whether ``input <= other``."""
    def lerp_(self, end: Tensor, weight: Number) -> Tensor:
        r"""``self += weight * (end - self)``: a part of the way to ``end``."""
    def less(self, other: Operand) -> Tensor:
        r"""Whether ``input < other``."""
    def less_equal(self, other: Operand) -> Tensor:
        r"""Whether ``input <= other``."""
    def log(self) -> Tensor:
        r"""The natural logarithm of each element: -inf of 0, NaN of negative numbers."""
    def log1p(self) -> Tensor:
        r"""``log(1 + input)``, exact also for elements close to 0: -inf of -1, NaN below."""
    def log_(self) -> Tensor:
        r"""``weft.log`` in place."""
    def log_softmax(self, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
        r"""The logarithm of :func:`softmax`, exact also where that is close to 0."""
    def logical_and(self, other: Operand) -> Tensor:
        r"""Whether both are nonzero."""
    def logical_not(self) -> Tensor:
        r"""Whether each element is zero."""
    def logical_or(self, other: Operand) -> Tensor:
        r"""Whether one or both are nonzero."""
    def logical_xor(self, other: Operand) -> Tensor:
        r"""Whether exactly one is nonzero."""
    def logsumexp(self, dim: _int, keepdim: _bool = False) -> Tensor:
        r"""``log(sum(exp(input)))`` along ``dim``, without overflow: the largest element is taken out."""
    def long(self) -> Tensor:
        r"""In dtype ``weft.int64``; the tensor itself if that is its dtype."""
    def lt(self, other: Operand) -> Tensor:
        r"""Whether ``input < other``."""
    def masked_fill(self, mask: Tensor, value: Operand) -> Tensor:
        r"""``value`` where the mask holds, else ``input``, in the dtype of ``input``."""
    def masked_fill_(self, mask: Tensor, value: Operand) -> Tensor:
        r"""``value`` where the mask holds."""
    def masked_select(self, mask: Tensor) -> Tensor:
        r"""The elements at which the mask holds, 1-D. Its length depends on values, so it cannot be compiled."""
    def matmul(self, other: Tensor) -> Tensor:
        r"""The matrix product ``input @ other`` of the last two dimensions; the others broadcast."""
    @overload
    def max(self) -> Tensor: ...
    @overload
    def max(self, dim: Tensor) -> Tensor: ...
    @overload
    def max(self, dim: _int, keepdim: _bool = False) -> Extreme:
        r"""The largest element; NaN if any is."""
    def maximum(self, other: Operand) -> Tensor:
        r"""The larger of both at each place; NaN if either is. Of equals each gets half the gradient."""
    def mean(
        self, dim: Dims = None, keepdim: _bool = False, *, dtype: _dtype | None = None
    ) -> Tensor:
        r"""The mean of elements; of none NaN."""
    @overload
    def min(self) -> Tensor: ...
    @overload
    def min(self, dim: Tensor) -> Tensor: ...
    @overload
    def min(self, dim: _int, keepdim: _bool = False) -> Extreme:
        r"""The smallest element; NaN if any is."""
    def minimum(self, other: Operand) -> Tensor:
        r"""The smaller of both at each place; NaN if either is. Of equals each gets half the gradient."""
    def mm(self, mat2: Tensor) -> Tensor:
        r"""The product of two matrices."""
    def mul(self, other: Operand) -> Tensor:
        r"""``input * other``; whole numbers wrap."""
    def mul_(self, other: Operand) -> Tensor:
        r"""``weft.mul`` in place."""
    def multinomial(self, num_samples: _int, replacement: _bool = False) -> Tensor:
        r"""Indices drawn with the probabilities (or weights) in the last dimension."""
    def multiply(self, other: Operand) -> Tensor:
        r"""``input * other``; whole numbers wrap."""
    def multiply_(self, other: Operand) -> Tensor:
        r"""``weft.mul`` in place."""
    def mv(self, vec: Tensor) -> Tensor:
        r"""The product of a matrix and a vector."""
    def narrow(self, dim: _int, start: _int, length: _int) -> Tensor:
        r"""``length`` indices from ``start`` along ``dim``, without a copy."""
    def ne(self, other: Operand) -> Tensor:
        r"""Whether both differ; NaN differs from everything."""
    def neg(self) -> Tensor:
        r"""Each element with the other sign; unsigned numbers and truth values have none."""
    def neg_(self) -> Tensor:
        r"""``weft.neg`` in place."""
    def negative(self) -> Tensor:
        r"""Each element with the other sign; unsigned numbers and truth values have none."""
    def negative_(self) -> Tensor:
        r"""``weft.neg`` in place."""
    def new_full(self, size: Any, fill_value: _float, *, dtype: _dtype | None = None) -> Tensor:
        r"""One number everywhere, in this dtype."""
    def new_ones(self, *size: Any, dtype: _dtype | None = None) -> Tensor:
        r"""Ones in this dtype."""
    def new_tensor(self, data: Any, *, dtype: _dtype | None = None) -> Tensor:
        r"""``data`` in this dtype."""
    def new_zeros(self, *size: Any, dtype: _dtype | None = None) -> Tensor:
        r"""Zeros in this dtype."""
    def nonzero(self, *, as_tuple: _bool = False) -> Tensor | tuple[Tensor, ...]:
        r"""Indices of the nonzero elements: ``[n, ndim]``, or one vector per dimension."""
    def norm(self, p: _float | str = 2, dim: Dims = None, keepdim: _bool = False) -> Tensor:
        r"""The ``p``-norm: the sum of ``|x| ** p``, to the power ``1 / p``. Its gradient at 0 is 0."""
    def normal_(self, mean: _float = 0.0, std: _float = 1.0) -> Tensor:
        r"""Random numbers, normal with this mean and standard deviation."""
    def not_equal(self, other: Operand) -> Tensor:
        r"""Whether both differ; NaN differs from everything."""
    def numpy(self) -> np.ndarray:
        r"""The elements as a numpy array that shares the memory."""
    def outer(self, vec2: Tensor) -> Tensor:
        r"""All products of elements of two vectors."""
    def permute(self, *dims: Any) -> Tensor:
        r"""Dimensions reordered, without a copy."""
    def pow(self, other: Operand) -> Tensor:
        r"""``input`` to the power ``other``."""
    def pow_(self, other: Operand) -> Tensor:
        r"""``weft.pow`` in place."""
    def prod(self, dim: Dims = None, keepdim: _bool = False) -> Tensor:
        r"""The product of elements; of whole numbers and truth values int64, which wraps."""
    def reciprocal(self) -> Tensor:
        r"""``1 / input``; infinity, with the sign of the zero, of 0."""
    def reciprocal_(self) -> Tensor:
        r"""``weft.reciprocal`` in place."""
    def relu(self) -> Tensor:
        r"""``max(input, 0)``; the gradient at 0 is 0."""
    def relu_(self) -> Tensor:
        r"""``weft.relu`` in place."""
    def remainder(self, other: Operand) -> Tensor:
        r"""Python's ``%``: the remainder of the quotient rounded down, with the sign of ``other``."""
    def remainder_(self, other: Operand) -> Tensor:
        r"""``weft.remainder`` in place."""
    def repeat(self, *sizes: Any) -> Tensor:
        r"""A copy with the whole tensor repeated ``sizes`` times along each dimension."""
    def requires_grad_(self, requires_grad: _bool = True) -> Tensor:
        r"""Switches gradients of a leaf on or off."""
    def reshape(self, *shape: Any) -> Tensor:
        r"""The same elements in the same order under another shape; one size may be -1."""
    def round(self) -> Tensor:
        r"""The whole number nearest to each element, the even one of two. The gradient is 0."""
    def round_(self) -> Tensor:
        r"""``weft.round`` in place."""
    def rsqrt(self) -> Tensor:
        r"""``1 / sqrt(input)``: infinity of 0, NaN of negative numbers."""
    def rsqrt_(self) -> Tensor:
        r"""``weft.rsqrt`` in place."""
    def scatter(self, dim: _int, index: Tensor, src: Operand) -> Tensor:
        r"""``input`` with ``out[index[i][j]][j] = src[i][j]`` for ``dim=0``; of several the last stays."""
    def scatter_(self, dim: _int, index: Tensor, src: Operand) -> Tensor:
        r"""``weft.scatter`` in place."""
    def scatter_add(self, dim: _int, index: Tensor, src: Tensor) -> Tensor:
        r"""``input`` with ``out[index[i][j]][j] += src[i][j]`` for ``dim=0``."""
    def scatter_add_(self, dim: _int, index: Tensor, src: Tensor) -> Tensor:
        r"""``weft.scatter_add`` in place."""
    def select(self, dim: _int, index: _int) -> Tensor:
        r"""Index ``index`` of dimension ``dim``, without a copy."""
    def short(self) -> Tensor:
        r"""In dtype ``weft.int16``; the tensor itself if that is its dtype."""
    def sigmoid(self) -> Tensor:
        r"""The logistic function ``1 / (1 + exp(-input))``, between 0 and 1; it never overflows."""
    def sigmoid_(self) -> Tensor:
        r"""``weft.sigmoid`` in place."""
    def sign(self) -> Tensor:
        r"""-1 for elements below 0, 1 for those above, and 0 for 0 and NaN."""
    def sin(self) -> Tensor:
        r"""The sine of each element, an angle in radians; NaN of infinity."""
    def sin_(self) -> Tensor:
        r"""``weft.sin`` in place."""
    def size(self, dim: _int | None = None) -> Any:
        r"""The shape, or the size of one dimension."""
    def softmax(self, dim: _int, *, dtype: _dtype | None = None) -> Tensor:
        r"""``exp(input) / sum(exp(input))`` along ``dim``, without overflow."""
    def split(
        self, split_size_or_sections: _int | Sequence[_int], dim: _int = 0
    ) -> tuple[Tensor, ...]:
        r"""Consecutive pieces along ``dim``: of one size (the last may be smaller), or of given sizes."""
    def sqrt(self) -> Tensor:
        r"""The square root of each element, correctly rounded; NaN of negative numbers."""
    def sqrt_(self) -> Tensor:
        r"""``weft.sqrt`` in place."""
    def square(self) -> Tensor:
        r"""The square of each element; whole numbers wrap."""
    def square_(self) -> Tensor:
        r"""``weft.square`` in place."""
    def squeeze(self, dim: _int | Sequence[_int] | None = None) -> Tensor:
        r"""Without dimensions of size 1: all of them, or those in ``dim``."""
    def std(
        self,
        dim: Dims | _bool = None,
        unbiased: _bool | None = None,
        keepdim: _bool = False,
        *,
        correction: _float | None = None,
    ) -> Tensor:
        r"""The standard deviation: the square root of :func:`var`, with its arguments."""
    def sub(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        r"""``input - alpha * other``; whole numbers wrap."""
    def sub_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        r"""``self -= alpha * other``."""
    def subtract(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        r"""``input - alpha * other``; whole numbers wrap."""
    def sum(
        self, dim: Dims = None, keepdim: _bool = False, *, dtype: _dtype | None = None
    ) -> Tensor:
        r"""The sum of elements; whole numbers and truth values add up to int64."""
    def swapaxes(self, dim0: _int, dim1: _int) -> Tensor:
        r"""Two dimensions exchanged, without a copy."""
    def swapdims(self, dim0: _int, dim1: _int) -> Tensor:
        r"""Two dimensions exchanged, without a copy."""
    def t(self) -> Tensor:
        r"""The transpose of a matrix; a vector or number is returned as it is."""
    def take_along_dim(self, indices: Tensor, dim: _int | None = None) -> Tensor:
        r"""One element per index along ``dim``; the other dimensions of both broadcast."""
    def tanh(self) -> Tensor:
        r"""The hyperbolic tangent of each element, between -1 and 1."""
    def tanh_(self) -> Tensor:
        r"""``weft.tanh`` in place."""
    def to(self, *args: Any, dtype: _dtype | None = None, **kwargs: Any) -> Tensor:
        r"""Another dtype, or that of another tensor; ``"cpu"`` and ``non_blocking`` change nothing."""
    def tolist(self) -> Any:
        r"""The elements as nested lists, or a number."""
    def transpose(self, dim0: _int, dim1: _int) -> Tensor:
        r"""Two dimensions exchanged, without a copy."""
    def tril(self, diagonal: _int = 0) -> Tensor:
        r"""The lower triangle of matrices; zeros above ``diagonal``."""
    def triu(self, diagonal: _int = 0) -> Tensor:
        r"""The upper triangle of matrices; zeros below ``diagonal``."""
    def trunc(self) -> Tensor:
        r"""Each element without its fraction, that is rounded towards 0. The gradient is 0."""
    def type_as(self, other: Tensor) -> Tensor:
        r"""In the dtype of another tensor."""
    def unbind(self, dim: _int = 0) -> tuple[Tensor, ...]:
        r"""The slices along ``dim``, without that dimension."""
    def unflatten(self, dim: _int, sizes: Sequence[_int]) -> Tensor:
        r"""Dimension ``dim`` split into ``sizes``."""
    def uniform_(self, from_: _float = 0.0, to: _float = 1.0) -> Tensor:
        r"""Random numbers, uniform in ``[from_, to)``."""
    def unsqueeze(self, dim: _int) -> Tensor:
        r"""A new dimension of size 1 at ``dim``."""
    def var(
        self,
        dim: Dims | _bool = None,
        unbiased: _bool | None = None,
        keepdim: _bool = False,
        *,
        correction: _float | None = None,
    ) -> Tensor:
        r"""The variance: squared distances from the mean over (number of elements - ``correction``)."""
    def view(self, *shape: Any) -> Tensor:
        r"""As :func:`reshape`, but never a copy; ``view(dtype)`` is not supported."""
    def view_as(self, other: Tensor) -> Tensor:
        r"""``input.view(other.shape)``."""
    def where(self, condition: Tensor, other: Operand) -> Tensor:
        r"""This tensor where the condition holds, else ``other``."""
    def zero_(self) -> Tensor:
        r"""Zeros everywhere."""
