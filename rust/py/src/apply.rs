//! Any operation by its name and attributes.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString, PyTuple};
use weft_core::op::{Attr, Attrs, register};
use weft_core::{Tensor, eager};

use crate::convert;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

/// Applies the operation called `name` with these attributes; `dim` may count from the end of
/// the first input's dimensions. For operations that are not called so often that they need a
/// way of their own.
#[pyfunction]
#[pyo3(signature = (name, *inputs, **attrs))]
pub fn apply(
    name: &str,
    inputs: &Bound<'_, PyTuple>,
    attrs: Option<&Bound<'_, PyDict>>,
) -> PyResult<Vec<PyTensor>> {
    let tensor = |x: Bound<'_, PyAny>| Ok(convert::tensor(name, &x)?.0.clone());
    let inputs = inputs.iter().map(tensor).collect::<PyResult<Vec<Tensor>>>()?;
    let rank = inputs.first().map_or(0, |x| x.shape().len());
    let mut given = Attrs::new();
    for (key, value) in attrs.into_iter().flatten() {
        let key: String = key.extract()?;
        let mut attr = attr(name, &key, &value)?;
        if key == "dim" {
            attr = from_the_start(name, attr, rank)?;
        }
        given.push((key, attr));
    }
    let op = register::make(name, &given).or_raise()?;
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let results = eager::call(&op, &inputs).or_raise()?;
    Ok(results.into_iter().map(PyTensor).collect())
}

/// Dimensions that may count from the end of `rank` as ones that do not.
fn from_the_start(op: &str, attr: Attr, rank: usize) -> PyResult<Attr> {
    let dim = |dim: i64| convert::dim(op, dim, rank).map(|dim| dim as i64);
    Ok(match attr {
        Attr::Int(one) => Attr::Int(dim(one)?),
        Attr::Ints(list) => Attr::Ints(list.into_iter().map(dim).collect::<PyResult<_>>()?),
        other => other,
    })
}

fn attr(op: &str, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Attr> {
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Attr::Bool(flag.is_true()));
    }
    if value.cast::<PyInt>().is_ok() {
        return convert::whole(op, value).map(Attr::Int);
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Attr::Float(number.extract()?));
    }
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Attr::Text(text.to_str()?.to_string()));
    }
    if let Ok(list) = value.extract::<Vec<i64>>() {
        return Ok(Attr::Ints(list));
    }
    let got = value.get_type();
    let what = format!("{op}: {name} expected a number, a word or whole numbers, got {got}");
    Err(PyTypeError::new_err(what))
}
