//! Views that are promises: never a copy, or one of several.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use weft_core::eager;
use weft_core::op::Op;
use weft_core::op::view::View;
use weft_kernels::Layout;

use crate::convert;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

/// The same elements under another shape, refused where the elements would have to be copied.
#[pyfunction]
pub fn view(x: &Bound<'_, PyAny>, shape: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
    let x = convert::tensor("view", x)?;
    let shape = convert::sized("view", x.0.numel(), shape)?;
    if shape.numel() != x.0.numel() {
        let what = format!("view: shape {shape} does not fit {} elements", x.0.numel());
        return Err(PyRuntimeError::new_err(what));
    }
    let op = View::Reshape(shape);
    if op.layout(x.0.layout()).is_none() {
        let Layout { shape: own, strides, .. } = x.0.layout();
        let what = format!(
            "view: expected elements that lie in order, got shape {own} with strides {strides}. \
             Use .reshape(), which copies them"
        );
        return Err(PyRuntimeError::new_err(what));
    }
    eager::call1(&Op::View(op), &[&x.0]).or_raise().map(PyTensor)
}

/// Declares views the results of one function: while gradients are recorded, torch lets none
/// of them be changed in place.
#[pyfunction]
pub fn several(views: Vec<PyRef<'_, PyTensor>>) {
    views.iter().for_each(|view| view.0.mark_several());
}
