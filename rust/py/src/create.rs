//! Tensors made of numbers alone.

use pyo3::prelude::*;
use weft_core::eager;
use weft_core::op::Op;
use weft_core::op::create::Create;
use weft_core::op::fit;
use weft_kernels::Scalar;

use crate::convert::{self, Int};
use crate::dtype::PyDType;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

type Any<'py> = Bound<'py, PyAny>;

/// A tensor of one number.
#[pyfunction]
pub fn full(shape: &Any<'_>, value: &Any<'_>, dtype: &PyDType) -> PyResult<PyTensor> {
    let shape = convert::shape("full", shape)?;
    let value = convert::number_or_item("full", value)?;
    fit::expect("full", value, dtype.0).or_raise()?;
    let op = Op::Create(Create::full(*shape, dtype.0, value));
    eager::call1(&op, &[]).or_raise().map(PyTensor)
}

/// `len` numbers from `start` in steps of `step`.
#[pyfunction]
pub fn arange(start: &Any<'_>, step: &Any<'_>, len: Int, dtype: &PyDType) -> PyResult<PyTensor> {
    let len = len.count("arange", "a number of elements")?;
    let (start, step) =
        (convert::number_or_item("arange", start)?, convert::number_or_item("arange", step)?);
    let dtype = dtype.0;
    if dtype.is_whole() && len.get() > 0 {
        let way = step.as_i64().checked_mul(len.get() as i64 - 1);
        let last = way.and_then(|way| start.as_i64().checked_add(way));
        // Beyond 64 bits nothing fits.
        let last = last.map_or(Scalar::Float(f64::INFINITY), Scalar::Int);
        fit::expect("arange", start, dtype).or_raise()?;
        fit::expect("arange", last, dtype).or_raise()?;
    }
    let op = Create::Arange { len, dtype, start, step };
    eager::call1(&Op::Create(op), &[]).or_raise().map(PyTensor)
}

/// `len` numbers evenly spaced from `start` to `end`.
#[pyfunction]
pub fn linspace(start: &Any<'_>, end: &Any<'_>, len: Int, dtype: &PyDType) -> PyResult<PyTensor> {
    let (len, dtype) = (len.count("linspace", "a number of elements")?, dtype.0);
    let (start, end) =
        (convert::number_or_item("linspace", start)?, convert::number_or_item("linspace", end)?);
    fit::expect("linspace", start, dtype).or_raise()?;
    fit::expect("linspace", end, dtype).or_raise()?;
    let op = Create::Linspace { len, dtype, start, end };
    eager::call1(&Op::Create(op), &[]).or_raise().map(PyTensor)
}
