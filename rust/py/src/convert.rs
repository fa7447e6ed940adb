//! From Python values to what the core understands.

use pyo3::exceptions::{PyIndexError, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyList, PyTuple};
use smallvec::SmallVec;
use weft_core::eager::Operand;
use weft_core::op::{Size, Sizes};
use weft_kernels::{MAX_DIMS, Scalar, Shape};

use crate::tensor::PyTensor;

/// The error for an argument of a wrong type. Python names the public function that was called,
/// and which argument of it this is; outside of one, `op` is named.
pub fn wrong(op: &str, obj: &Bound<'_, PyAny>, expected: &str) -> PyErr {
    let blame = || obj.py().import("weft._public")?.call_method1("blame", (op, obj, expected));
    match blame().and_then(|sentence| sentence.extract::<String>()) {
        Ok(sentence) => PyTypeError::new_err(sentence),
        Err(error) => error,
    }
}

/// A tensor that is an argument of operation `op`.
pub fn tensor<'a>(op: &str, obj: &'a Bound<'_, PyAny>) -> PyResult<&'a PyTensor> {
    obj.cast::<PyTensor>().map(|tensor| tensor.get()).map_err(|_| wrong(op, obj, "a tensor"))
}

/// A truth value that is an argument of operation `op`.
pub fn flag(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<bool> {
    obj.extract::<bool>().map_err(|_| wrong(op, obj, "a bool"))
}

/// Reads an operand; `None` if it is neither tensor nor number.
pub fn operand<'a>(obj: &'a Bound<'_, PyAny>) -> Option<Operand<'a>> {
    if let Ok(tensor) = obj.cast::<PyTensor>() {
        return Some(Operand::Tensor(&tensor.get().0));
    }
    number(obj).map(Operand::Number)
}

/// Reads an operand of operation `op`.
pub fn operand_of<'a>(op: &str, obj: &'a Bound<'_, PyAny>) -> PyResult<Operand<'a>> {
    operand(obj).ok_or_else(|| wrong(op, obj, "a tensor or a number"))
}

/// A Python or numpy number. A tensor is none, even without dimensions: it has a gradient and a
/// dtype with a say of its own.
pub fn number(obj: &Bound<'_, PyAny>) -> Option<Scalar> {
    if let Ok(float) = obj.cast::<PyFloat>() {
        return Some(Scalar::Float(float.extract().ok()?));
    }
    if let Ok(boolean) = obj.cast::<PyBool>() {
        return Some(Scalar::Bool(boolean.is_true()));
    }
    if obj.cast::<PyInt>().is_ok() {
        let unsigned = |_| obj.extract::<u64>().map(Scalar::unsigned);
        return obj.extract::<i64>().map(Scalar::Int).or_else(unsigned).ok();
    }
    if let Ok(complex) = obj.cast::<PyComplex>() {
        return Some(Scalar::Complex(complex.real(), complex.imag()));
    }
    if obj.cast::<PyTensor>().is_ok() {
        return None;
    }
    // numpy scalars: numbers that are not Python's own.
    if !obj.hasattr("dtype").unwrap_or(false)
        || obj.getattr("ndim").ok()?.extract::<usize>().ok()? != 0
    {
        return None;
    }
    number_of_item(&obj.call_method0("item").ok()?)
}

/// A number, or what a tensor of one element holds now.
pub fn number_or_item(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<Scalar> {
    if let Ok(tensor) = obj.cast::<PyTensor>() {
        return tensor.get().one(op);
    }
    number(obj).ok_or_else(|| {
        if obj.cast::<PyInt>().is_ok() {
            let what = format!("{op}: number out of range, expected -2^63 to 2^64 - 1, got {obj}");
            return PyRuntimeError::new_err(what);
        }
        wrong(op, obj, "a number")
    })
}

fn number_of_item(obj: &Bound<'_, PyAny>) -> Option<Scalar> {
    if let Ok(boolean) = obj.cast::<PyBool>() {
        return Some(Scalar::Bool(boolean.is_true()));
    }
    if obj.cast::<PyInt>().is_ok() || obj.cast::<PyComplex>().is_ok() {
        return number(obj);
    }
    obj.extract::<i64>().map(Scalar::Int).or_else(|_| obj.extract::<f64>().map(Scalar::Float)).ok()
}

/// A whole number of operation `op`, by `__index__`; a truth value is none.
pub fn whole(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<i64> {
    if !obj.is_instance_of::<PyBool>() {
        match obj.extract::<i64>() {
            Ok(number) => return Ok(number),
            Err(error) if error.is_instance_of::<PyOverflowError>(obj.py()) => {
                let what = format!("{op}: expected an integer of 64 bits, got {obj}");
                return Err(PyValueError::new_err(what));
            }
            Err(_) => {}
        }
    }
    Err(wrong(op, obj, "an integer"))
}

/// An integer argument that has a range: one beyond 64 bits becomes the nearest of 64 bits,
/// which lies outside every range too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int(pub i64);

impl<'py> FromPyObject<'_, 'py> for Int {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Int> {
        match obj.extract::<i64>() {
            Ok(value) => Ok(Int(value)),
            Err(error) if error.is_instance_of::<PyOverflowError>(obj.py()) => {
                Ok(Int(if obj.lt(0)? { i64::MIN } else { i64::MAX }))
            }
            Err(error) => Err(error),
        }
    }
}

impl Int {
    /// It as a number of things called `what`.
    pub fn count(self, op: &str, what: &str) -> PyResult<Size> {
        usize::try_from(self.0).map(Size::from).map_err(|_| {
            PyValueError::new_err(format!("{op}: expected {what} of at least 0, got {}", self.0))
        })
    }
}

/// Sizes: a tuple or list of integers.
pub fn sizes(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<SmallVec<[i64; MAX_DIMS]>> {
    let given =
        obj.cast::<PyTuple>().map(|t| t.len()).or_else(|_| obj.cast::<PyList>().map(|l| l.len()));
    if let Ok(n) = given
        && n > MAX_DIMS
    {
        let what = format!("{op}: at most {MAX_DIMS} dimensions are supported, got {n}");
        return Err(PyValueError::new_err(what));
    }
    let mut out = SmallVec::new();
    let mut add = |item: Bound<'_, PyAny>| -> PyResult<()> {
        out.push(whole(op, &item)?);
        Ok(())
    };
    if let Ok(tuple) = obj.cast::<PyTuple>() {
        tuple.iter().try_for_each(&mut add)?;
    } else if let Ok(list) = obj.cast::<PyList>() {
        list.iter().try_for_each(&mut add)?;
    } else {
        out.push(whole(op, obj)?);
    }
    Ok(out)
}

/// A shape without negative sizes. Whether memory could hold it is for the operation to say.
pub fn shape(op: &str, obj: &Bound<'_, PyAny>) -> PyResult<Sizes> {
    let size = |size: i64| {
        usize::try_from(size)
            .map_err(|_| PyValueError::new_err(format!("{op}: negative size {size} in a shape")))
    };
    Ok(sizes(op, obj)?.into_iter().map(size).collect::<PyResult<Shape>>()?.into())
}

/// The shape of a tensor of one dimension.
pub fn vector(len: usize) -> Shape {
    Shape::new(&[len])
}

/// The sizes that `shape` names for `numel` elements; one may be -1.
pub fn sized(op: &str, numel: usize, shape: &Bound<'_, PyAny>) -> PyResult<Sizes> {
    let mut sizes = sizes(op, shape)?;
    let given = sizes.iter().filter(|&&s| s != -1);
    let known = given.fold(1, |n: i64, &s| n.saturating_mul(s));
    let open = sizes.iter().filter(|&&s| s == -1).count();
    let numel = numel as i64;
    if open > 1
        || sizes.iter().any(|&s| s < -1)
        || (open == 1 && (known == 0 || numel % known != 0))
    {
        let what = format!("{op}: shape {:?} does not fit {} elements", &sizes[..], numel);
        return Err(PyRuntimeError::new_err(what));
    }
    sizes.iter_mut().filter(|s| **s == -1).for_each(|s| *s = numel / known);
    Ok(sizes.iter().map(|&s| s as usize).collect::<Shape>().into())
}

/// The sizes that `shape` names for a repeated tensor of shape `own`; -1 keeps a size.
pub fn expanded(op: &str, own: &Shape, shape: &Bound<'_, PyAny>) -> PyResult<Sizes> {
    let sizes = sizes(op, shape)?;
    if sizes.len() < own.len() {
        let what = format!("{op}: expected at least {} sizes, got {}", own.len(), sizes.len());
        return Err(PyRuntimeError::new_err(what));
    }
    let lead = sizes.len() - own.len();
    let size = |(i, size): (usize, i64)| {
        if size == -1 && i >= lead {
            return Ok(own[i - lead]);
        }
        usize::try_from(size)
            .map_err(|_| PyValueError::new_err(format!("{op}: negative size {size}")))
    };
    Ok(sizes.into_iter().enumerate().map(size).collect::<PyResult<Shape>>()?.into())
}

/// A dimension, counted from the end if negative.
pub fn dim(op: &str, dim: i64, ndim: usize) -> PyResult<usize> {
    let n = ndim as i64;
    let wrapped = if dim < 0 { dim.saturating_add(n) } else { dim };
    if (0..n).contains(&wrapped) {
        return Ok(wrapped as usize);
    }
    let what = format!("{op}: dimension out of range, expected {} <= dim < {n}, got {dim}", -n);
    Err(PyIndexError::new_err(what))
}

/// A dimension as Python gives it.
pub fn dim_of(op: &str, obj: &Bound<'_, PyAny>, ndim: usize) -> PyResult<usize> {
    dim(op, whole(op, obj)?, ndim)
}

/// A bit mask of dimensions: all for `None` or an empty list.
pub fn dims(op: &str, obj: Option<&Bound<'_, PyAny>>, ndim: usize) -> PyResult<u32> {
    let all = (1u32 << ndim) - 1;
    let Some(obj) = obj else { return Ok(all) };
    let list = sizes(op, obj)?;
    if list.is_empty() {
        return Ok(all);
    }
    let mut mask = 0;
    for d in list {
        if ndim == 0 && (d == 0 || d == -1) {
            continue;
        }
        let bit = 1 << dim(op, d, ndim)?;
        if mask & bit != 0 {
            return Err(PyValueError::new_err(format!("{op}: dimension {d} appears twice")));
        }
        mask |= bit;
    }
    Ok(mask)
}
