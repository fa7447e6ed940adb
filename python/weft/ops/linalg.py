"""Products of vectors and matrices, and triangles."""

from __future__ import annotations

from weft import _core
from weft._check import not_tensors, real, whole
from weft._core import Tensor
from weft._public import public
from weft._types import is_number
from weft.ops.create import arange, full
from weft.ops.select import fill_of, where

__all__ = ["addmm", "bmm", "dot", "matmul", "mm", "mv", "outer", "tril", "triu"]


@public(method=True)
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product ``input @ other`` of the last two dimensions; the others broadcast.

    Vectors are rows on the left and columns on the right, as in numpy.

    Raises:
        RuntimeError: the inner dimensions differ.
        TypeError: the dtypes differ.

    Example:
        >>> weft.matmul(weft.ones(2, 3), weft.ones(3, 2))
        tensor([[3., 3.],
                [3., 3.]])
    """
    return _core.matmul(input, other)


def _fit(ndim: int, tensor: object) -> bool:
    return isinstance(tensor, Tensor) and tensor.ndim == ndim


def _unfit(op: str, **given: tuple[object, int]) -> Exception:
    """The error for arguments of which one is no tensor of so many dimensions."""
    name, tensor, ndim = next((n, t, k) for n, (t, k) in given.items() if not _fit(k, t))
    if not isinstance(tensor, Tensor):
        return not_tensors(op, **{name: tensor})
    return RuntimeError(f"{op}: {name} expected to have {ndim} dimensions, got {tensor.shape}")


@public(method=True)
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices.

    Example:
        >>> weft.mm(weft.ones(1, 2), weft.ones(2, 1))
        tensor([[2.]])
    """
    if not (_fit(2, input) and _fit(2, mat2)):
        raise _unfit("mm", input=(input, 2), mat2=(mat2, 2))
    return _core.matmul(input, mat2)


@public(method=True)
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices.

    Example:
        >>> weft.bmm(weft.ones(3, 1, 2), weft.ones(3, 2, 1)).shape
        (3, 1, 1)
    """
    if not (_fit(3, input) and _fit(3, mat2)):
        raise _unfit("bmm", input=(input, 3), mat2=(mat2, 3))
    return _core.matmul(input, mat2)


@public(method=True)
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector.

    Example:
        >>> weft.mv(weft.ones(2, 3), weft.ones(3))
        tensor([3., 3.])
    """
    if not (_fit(2, input) and _fit(1, vec)):
        raise _unfit("mv", input=(input, 2), vec=(vec, 1))
    return _core.matmul(input, vec)


@public(method=True)
def dot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors.

    Example:
        >>> weft.dot(weft.ones(3), weft.ones(3))
        tensor(3.)
    """
    if not (_fit(1, input) and _fit(1, other)):
        raise _unfit("dot", input=(input, 1), other=(other, 1))
    return _core.matmul(input, other)


@public(method=True)
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of elements of two vectors.

    Example:
        >>> weft.outer(weft.ones(2), weft.ones(3)).shape
        (2, 3)
    """
    if not (_fit(1, input) and _fit(1, vec2)):
        raise _unfit("outer", input=(input, 1), vec2=(vec2, 1))
    return input[:, None] * vec2


@public(method=True)
def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``; with ``beta=0`` the values of input do not count.

    Example:
        >>> weft.addmm(weft.ones(1), weft.ones(1, 2), weft.ones(2, 1))
        tensor([[3.]])
    """
    if not isinstance(input, Tensor):
        raise not_tensors("addmm", input=input)
    if not (_fit(2, mat1) and _fit(2, mat2)):
        raise _unfit("addmm", mat1=(mat1, 2), mat2=(mat2, 2))
    product = _core.matmul(mat1, mat2)
    scaled = product if is_number(alpha, 1) else product * real("addmm", "alpha", alpha)
    base = _core.expand(input, product.shape)
    if is_number(beta, 0):
        # Chosen nowhere: no NaN comes through, and the gradient is 0. Minus 0 changes no sum.
        base = where(full((), False), base, -0.0)
    elif not is_number(beta, 1):
        base = base * real("addmm", "beta", beta)
    return scaled + base


def _triangle(name: str, input: Tensor, diagonal: int, lower: bool) -> Tensor:
    if not isinstance(input, Tensor):
        raise not_tensors(name, input=input)
    diagonal = whole(name, "diagonal", diagonal)
    if input.ndim < 2:
        raise RuntimeError(f"{name}: expected at least 2 dimensions, got {input.ndim}")
    rows, columns = arange(input.shape[-2])[:, None] + diagonal, arange(input.shape[-1])
    keep = columns <= rows if lower else columns >= rows
    return where(keep, input, fill_of(name, input, 0))


@public(method=True)
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices; zeros above ``diagonal``.

    Example:
        >>> weft.tril(weft.ones(2, 2))
        tensor([[1., 0.],
                [1., 1.]])
    """
    return _triangle("tril", input, diagonal, True)


@public(method=True)
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices; zeros below ``diagonal``.

    Example:
        >>> weft.triu(weft.ones(2, 2))
        tensor([[1., 1.],
                [0., 1.]])
    """
    return _triangle("triu", input, diagonal, False)
