//! Operations with attributes, as functions of the native module.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use smallvec::{SmallVec, smallvec};
use weft_core::op::Op;
use weft_core::op::cast::Cast;
use weft_core::op::index::{Index, IndexKind};
use weft_core::op::join::Cat;
use weft_core::op::loss::{Loss, LossKind, Reduction};
use weft_core::op::norm::Standardize;
use weft_core::op::random::Dist;
use weft_core::op::reduce::{Reduce, ReduceKind};
use weft_core::op::scan::Cumsum;
use weft_core::op::softmax::{Softmax, SoftmaxKind};
use weft_core::op::sparse::Sparse;
use weft_core::op::view::View;
use weft_core::op::within::Within;
use weft_core::op::{compose, fit};
use weft_core::{Error, Fact, Tensor, eager, listen, mode, random};
use weft_kernels::{DType, Layout, Scalar, Shape, fill, index as kernels, sparse};

use crate::call::{call1, compose};
use crate::convert::{self, Int};
use crate::dtype::PyDType;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

type Any<'py> = Bound<'py, PyAny>;

fn one(py: Python<'_>, op: Op, inputs: &[&Tensor]) -> PyResult<PyTensor> {
    call1(py, &op, inputs).map(PyTensor)
}

/// The error for a name that no member of `family` has.
fn unknown(family: &str, name: &str) -> PyErr {
    PyValueError::new_err(format!("{family}: no member named {name}"))
}

/// The matrix product; one-dimensional factors as numpy has them.
#[pyfunction]
pub fn matmul(py: Python<'_>, a: &Any<'_>, b: &Any<'_>) -> PyResult<PyTensor> {
    let (a, b) = (convert::tensor("matmul", a)?, convert::tensor("matmul", b)?);
    compose(py, &[&a.0, &b.0], |e, of| compose::matmul(e, of[0], of[1]))
}

/// `x @ weight.T + bias` over the last dimension of `x`.
#[pyfunction]
#[pyo3(signature = (x, weight, bias = None))]
pub fn linear(
    py: Python<'_>,
    x: &Any<'_>,
    weight: &Any<'_>,
    bias: Option<&Any<'_>>,
) -> PyResult<PyTensor> {
    let x = convert::tensor("linear", x)?;
    let weight = convert::tensor("linear", weight)?;
    let bias = bias.map(|bias| convert::tensor("linear", bias)).transpose()?;
    let mut inputs: SmallVec<[&Tensor; 3]> = smallvec![&x.0, &weight.0];
    inputs.extend(bias.map(|bias| &bias.0));
    compose(py, &inputs, |e, of| compose::linear(e, of[0], of[1], of.get(2).copied()))
}

/// A reduction over `dim` (a number, a list, or `None` for all).
#[pyfunction]
pub fn reduce(
    py: Python<'_>,
    kind: &str,
    x: &Any<'_>,
    dim: Option<&Any<'_>>,
    keepdim: &Any<'_>,
) -> PyResult<PyTensor> {
    let (x, keepdim) = (convert::tensor(kind, x)?, convert::flag(kind, keepdim)?);
    let kind = match kind {
        "sum" => ReduceKind::Sum,
        "mean" => ReduceKind::Mean,
        "prod" => ReduceKind::Prod,
        "amax" => ReduceKind::Max,
        "amin" => ReduceKind::Min,
        "any" => ReduceKind::Any,
        "all" => ReduceKind::All,
        "argmax" => ReduceKind::ArgMax,
        "argmin" => ReduceKind::ArgMin,
        other => return Err(unknown("reduce", other)),
    };
    let named = Reduce { kind, dims: 0, keepdim };
    let dims = convert::dims(weft_core::op::Rule::name(&named), dim, x.0.shape().len())?;
    one(py, Op::Reduce(Reduce { kind, dims, keepdim }), &[&x.0])
}

/// `softmax`, `masked_softmax`, `log_softmax` or `logsumexp` over `dim`; the last keeps the dimension.
#[pyfunction]
pub fn softmax(py: Python<'_>, kind: &str, x: &Any<'_>, dim: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor(kind, x)?;
    let which = match kind {
        "softmax" => SoftmaxKind::Softmax,
        "masked_softmax" => SoftmaxKind::MaskedSoftmax,
        "log_softmax" => SoftmaxKind::LogSoftmax,
        "logsumexp" => SoftmaxKind::LogSumExp,
        other => return Err(unknown("softmax", other)),
    };
    let dim = convert::dim_of(kind, dim, x.0.shape().len())?;
    one(py, Op::Softmax(Softmax { kind: which, dim }), &[&x.0])
}

/// The same elements under another shape; one size may be -1.
#[pyfunction]
pub fn reshape(x: &Any<'_>, shape: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("reshape", x)?;
    let shape = convert::sized("reshape", x.0.numel(), shape)?;
    eager::call1(&Op::View(View::Reshape(shape)), &[&x.0]).or_raise().map(PyTensor)
}

/// Dimensions reordered.
#[pyfunction]
pub fn permute(x: &Any<'_>, dims: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("permute", x)?;
    let ndim = x.0.shape().len();
    let order = convert::sizes("permute", dims)?;
    let order =
        order.iter().map(|&d| convert::dim("permute", d, ndim)).collect::<PyResult<Shape>>()?;
    eager::call1(&Op::View(View::Permute(order)), &[&x.0]).or_raise().map(PyTensor)
}

/// Two dimensions exchanged.
#[pyfunction]
pub fn transpose(x: &Any<'_>, dim0: &Any<'_>, dim1: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("transpose", x)?;
    let dim = |obj| convert::dim_of("transpose", obj, x.0.shape().len());
    let (ndim, a, b) = (x.0.shape().len(), dim(dim0)?, dim(dim1)?);
    let mut order: Shape = (0..ndim).collect();
    order.swap(a, b);
    eager::call1(&Op::View(View::Permute(order)), &[&x.0]).or_raise().map(PyTensor)
}

/// Repeated to `shape` without a copy; -1 keeps a size.
#[pyfunction]
pub fn expand(x: &Any<'_>, shape: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("expand", x)?;
    let out = convert::expanded("expand", x.0.shape(), shape)?;
    eager::call1(&Op::View(View::Expand(out)), &[&x.0]).or_raise().map(PyTensor)
}

/// `length` indices from `start` along `dim`.
#[pyfunction]
pub fn narrow(x: &Any<'_>, dim: &Any<'_>, start: &Any<'_>, length: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("narrow", x)?;
    let dim = convert::dim_of("narrow", dim, x.0.shape().len())?;
    let size = x.0.shape()[dim] as i64;
    let (start, length) = (convert::whole("narrow", start)?, convert::whole("narrow", length)?);
    let begin = if start < 0 { start.saturating_add(size) } else { start };
    if begin < 0 || length < 0 || begin > size - length {
        let what = format!(
            "narrow: expected a range inside 0..{size}, got start {start} and length {length}"
        );
        return Err(pyo3::exceptions::PyRuntimeError::new_err(what));
    }
    let (start, length) = (begin as usize, length as usize);
    let view = View::Slice { dim, start: start.into(), len: length.into(), step: 1 };
    eager::call1(&Op::View(view), &[&x.0]).or_raise().map(PyTensor)
}

/// Tensors of one dtype one after the other along `dim`.
#[pyfunction]
pub fn cat(py: Python<'_>, tensors: Vec<PyRef<'_, PyTensor>>, dim: &Any<'_>) -> PyResult<PyTensor> {
    let ndim = tensors.first().map_or(0, |t| t.0.shape().len());
    let dim = if ndim == 0 { 0 } else { convert::dim_of("cat", dim, ndim)? };
    let inputs: Vec<&Tensor> = tensors.iter().map(|t| &t.0).collect();
    one(py, Op::Cat(Cat { dim }), &inputs)
}

/// `index_select`, `index_add`, `gather`, `scatter` or `scatter_add` along `dim`.
#[pyfunction]
#[pyo3(signature = (kind, x, dim, index, source = None, wrap = false))]
pub fn index(
    py: Python<'_>,
    kind: &str,
    x: &Any<'_>,
    dim: &Any<'_>,
    index: &Any<'_>,
    source: Option<&Any<'_>>,
    wrap: bool,
) -> PyResult<PyTensor> {
    let x = convert::tensor(kind, x)?;
    let index = convert::tensor(kind, index)?;
    let source = source.map(|source| convert::tensor(kind, source)).transpose()?;
    let which = match kind {
        "index_select" => IndexKind::Select,
        "index_add" => IndexKind::Add,
        "gather" => IndexKind::Gather,
        "scatter" => IndexKind::Scatter,
        "scatter_add" => IndexKind::ScatterAdd,
        other => return Err(unknown("index", other)),
    };
    let dim = convert::dim_of(kind, dim, x.0.shape().len())?;
    let op = Op::Index(Index { kind: which, dim, wrap });
    match source {
        Some(source) => one(py, op, &[&x.0, &index.0, &source.0]),
        None => one(py, op, &[&x.0, &index.0]),
    }
}

/// Row-major positions of the nonzero elements, `int64 [n]`.
#[pyfunction]
pub fn nonzero_flat(x: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("nonzero", x)?;
    listen::value_read("a boolean index or .nonzero()").or_raise()?;
    let found = kernels::nonzero(x.0.arg()).map_err(|fault| Error::fault("nonzero", fault));
    let found = found.or_raise()?;
    let shape = convert::vector(found.len());
    Tensor::try_from_slice("nonzero", &found, shape).or_raise().map(PyTensor)
}

/// The running sum along `dim`.
#[pyfunction]
pub fn cumsum(py: Python<'_>, x: &Any<'_>, dim: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("cumsum", x)?;
    let dim = convert::dim_of("cumsum", dim, x.0.shape().len())?;
    one(py, Op::Scan(Cumsum { dim, reverse: false }), &[&x.0])
}

/// Rows of the last `dims` dimensions with mean 0 and variance 1.
#[pyfunction]
pub fn standardize(py: Python<'_>, x: &Any<'_>, dims: Int, eps: f64) -> PyResult<PyTensor> {
    let x = convert::tensor("standardize", x)?;
    let dims = dims.count("standardize", "a number of dimensions")?;
    let op = Standardize { dims: dims.get(), eps: Scalar::Float(eps), backward: false };
    one(py, Op::Norm(op), &[&x.0])
}

fn reduction(op: &str, name: &str) -> PyResult<Reduction> {
    match name {
        "none" => Ok(Reduction::None),
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        other => {
            let what = format!("{op}: reduction expected to be none, mean or sum, got {other}");
            Err(PyValueError::new_err(what))
        }
    }
}

/// `nll_loss` or `cross_entropy` on `[N, C]` scores and `[N]` classes.
#[pyfunction]
pub fn class_loss(
    py: Python<'_>,
    kind: &str,
    scores: &Any<'_>,
    target: &Any<'_>,
    ignore_index: &Any<'_>,
    reduction_name: &str,
) -> PyResult<PyTensor> {
    let scores = convert::tensor(kind, scores)?;
    let target = convert::tensor(kind, target)?;
    let which = match kind {
        "nll_loss" => LossKind::Nll,
        "cross_entropy" => LossKind::CrossEntropy,
        other => return Err(unknown("class_loss", other)),
    };
    let ignore = convert::whole(kind, ignore_index)?;
    let reduction = reduction(kind, reduction_name)?;
    let op = Loss { kind: which, ignore, reduction };
    one(py, Op::Loss(op), &[&scores.0, &target.0])
}

/// Another dtype; the same tensor if it has it already.
#[pyfunction]
pub fn cast<'py>(x: &Any<'py>, dtype: &Any<'_>) -> PyResult<Bound<'py, PyTensor>> {
    let x = x.cast::<PyTensor>().map_err(|_| convert::wrong("to", x, "a tensor"))?;
    let dtype = dtype.cast::<PyDType>().map_err(|_| convert::wrong("to", dtype, "a dtype"))?.get();
    if x.get().0.dtype() == dtype.0 {
        return Ok(x.clone());
    }
    let result = one(x.py(), Op::Cast(Cast { dtype: dtype.0 }), &[&x.get().0])?;
    Bound::new(x.py(), result)
}

/// A contiguous copy, through which gradients flow.
#[pyfunction]
pub fn clone(py: Python<'_>, x: &Any<'_>) -> PyResult<PyTensor> {
    let x = convert::tensor("clone", x)?;
    one(py, Op::Cast(Cast { dtype: x.0.dtype() }), &[&x.0])
}

fn distribution(kind: &str, a: &Any<'_>, b: &Any<'_>) -> PyResult<Dist> {
    let (a, b) = (convert::number_or_item(kind, a)?, convert::number_or_item(kind, b)?);
    let f = |x: Scalar| Scalar::Float(x.as_f64());
    Ok(match kind {
        "uniform" => Dist::Uniform(f(a), f(b)),
        "normal" => Dist::Normal(f(a), f(b)),
        "bernoulli" => Dist::Bernoulli(f(a), f(b)),
        "randint" => {
            fit::expect(kind, a, DType::I64).or_raise()?;
            fit::expect(kind, b, DType::I64).or_raise()?;
            Dist::Integers(a.as_i64(), b.as_i64())
        }
        "randperm" => Dist::Permutation,
        other => return Err(unknown("random", other)),
    })
}

/// Random values from the stream.
#[pyfunction]
pub fn draw(
    kind: &str,
    a: &Any<'_>,
    b: &Any<'_>,
    shape: &Any<'_>,
    dtype: &PyDType,
) -> PyResult<PyTensor> {
    let dist = distribution(kind, a, b)?;
    random::draw(dist, *convert::shape(kind, shape)?, dtype.0).or_raise().map(PyTensor)
}

/// `samples` categories for each row of the matrix `weights`.
#[pyfunction]
pub fn multinomial(
    py: Python<'_>,
    weights: &Any<'_>,
    samples: Int,
    replacement: bool,
) -> PyResult<PyTensor> {
    let weights = convert::tensor("multinomial", weights)?;
    let samples = samples.count("multinomial", "a number of samples")?;
    let draw = || random::choose(&weights.0, samples.get(), replacement).or_raise().map(PyTensor);
    if mode::listening() { draw() } else { py.detach(draw) }
}

/// Random values written over `x`.
#[pyfunction]
pub fn draw_into(kind: &str, a: &Any<'_>, b: &Any<'_>, x: &Any<'_>) -> PyResult<()> {
    let x = convert::tensor(kind, x)?;
    random::draw_into(distribution(kind, a, b)?, &x.0).or_raise()
}

/// Starts the random stream of `seed`.
#[pyfunction]
pub fn manual_seed(seed: i64) -> PyResult<()> {
    random::seed(seed as u64).or_raise()
}

/// The seed of the random stream.
#[pyfunction]
pub fn initial_seed() -> u64 {
    random::current_seed()
}

/// Seed and position of the random stream.
#[pyfunction]
pub fn random_state() -> (u64, u64) {
    (random::current_seed(), random::position())
}

/// Goes to a position of a stream.
#[pyfunction]
pub fn set_random_state(seed: u64, position: u64) -> PyResult<()> {
    listen::beside("set_random_state inside a compiled function. Call it outside").or_raise()?;
    random::set_state(seed, position);
    Ok(())
}

/// Raises unless the values of an argument of operation `of` lie in its range.
#[pyfunction]
pub fn within(py: Python<'_>, of: &str, argument: &str, x: &Any<'_>) -> PyResult<()> {
    let x = convert::tensor(of, x)?;
    let check = Within::of(of, argument).ok_or_else(|| unknown("within", of))?;
    call1(py, &Op::Within(check), &[&x.0]).map(|_| ())
}

/// Whether several elements of `x` share memory.
#[pyfunction]
pub fn overlaps_itself(x: &PyTensor) -> bool {
    x.0.layout().overlaps_itself()
}

type Tensors<'py> = Vec<PyRef<'py, PyTensor>>;

/// A sparse matrix times a dense one. `structure`: row starts, columns, the same of the
/// transpose, the order of the transpose's entries and its inverse.
#[pyfunction]
pub fn spmm(
    py: Python<'_>,
    rows: Int,
    cols: Int,
    structure: Tensors<'_>,
    values: &PyTensor,
    dense: &PyTensor,
) -> PyResult<PyTensor> {
    let mut inputs: Vec<&Tensor> = structure.iter().map(|t| &t.0).collect();
    inputs.extend([&values.0, &dense.0]);
    let (rows, cols) = (rows.count("spmm", "rows")?, cols.count("spmm", "columns")?);
    one(py, Op::Sparse(Sparse { sampled: false, rows, cols }), &inputs)
}

/// Checks the structure of a CSR matrix, and returns the transpose's row starts and
/// columns, the order of its entries, and the inverse of that order.
#[pyfunction]
pub fn csr_transpose(
    crow: &PyTensor,
    col: &PyTensor,
    rows: Int,
    cols: Int,
) -> PyResult<[PyTensor; 4]> {
    let op = "sparse_csr_tensor";
    let crow = &crow.0.contiguous_or_copy(op).or_raise()?;
    let col = &col.0.contiguous_or_copy(op).or_raise()?;
    let (rows, cols) = (rows.count(op, "rows")?.get(), cols.count(op, "columns")?.get());
    let dtype = crow.dtype();
    let one_d = crow.shape().len() == 1 && col.shape().len() == 1;
    if !matches!(dtype, DType::I32 | DType::I64) || col.dtype() != dtype || !one_d {
        return Err(PyTypeError::new_err(
            "sparse_csr_tensor: expected 1-D int32 or int64 indices of one dtype",
        ));
    }
    sparse::check(crow.arg(), col.arg(), rows, cols)
        .map_err(|what| PyValueError::new_err(format!("sparse_csr_tensor: {what}")))?;
    let make = |len: usize| {
        let fact = Fact::new(dtype, convert::vector(len)).checked(op)?;
        Tensor::try_empty(op, fact)
    };
    let nnz = col.numel();
    let crow_t = make(cols.saturating_add(1)).or_raise()?;
    let (col_t, perm) = (make(nnz).or_raise()?, make(nnz).or_raise()?);
    sparse::transpose(crow.arg(), col.arg(), cols, crow_t.arg(), col_t.arg(), perm.arg())
        .map_err(|fault| Error::fault(op, fault))
        .or_raise()?;
    let inverse = inverse(&perm).or_raise()?;
    Ok([crow_t, col_t, perm, inverse].map(PyTensor))
}

/// The inverse of a permutation: place `perm[i]` holds `i`.
fn inverse(perm: &Tensor) -> weft_core::Result<Tensor> {
    let make = || Tensor::try_empty("sparse_csr_tensor", perm.fact());
    let (inverse, order) = (make()?, make()?);
    fill::arange(Scalar::Int(0), Scalar::Int(1), order.arg());
    kernels::scatter(inverse.arg(), 0, perm.arg(), order.arg())
        .map_err(|fault| Error::fault("sparse_csr_tensor", fault))?;
    Ok(inverse)
}

/// A region of a tensor's memory, by strides in elements.
#[pyfunction]
pub fn as_strided(
    x: &Any<'_>,
    size: &Any<'_>,
    stride: &Any<'_>,
    offset: Int,
) -> PyResult<PyTensor> {
    let x = convert::tensor("as_strided", x)?;
    let offset = offset.count("as_strided", "an offset")?;
    let (shape, strides) =
        (convert::shape("as_strided", size)?, convert::shape("as_strided", stride)?);
    if shape.len() != strides.len() {
        return Err(PyValueError::new_err("as_strided: expected as many strides as sizes"));
    }
    let layout = Layout { shape: *shape, strides: *strides, offset: offset.get() };
    eager::call1(&Op::View(View::as_strided(&layout)), &[&x.0]).or_raise().map(PyTensor)
}
