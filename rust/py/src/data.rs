//! Data out: the buffer protocol, and single numbers.

use std::ffi::{CString, c_int, c_void};
use std::ptr::null_mut;

use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::{IntoPyObjectExt, ffi};
use weft_core::{Tensor, listen, mode};
use weft_kernels::{Layout, Scalar, Shape};

use crate::raise::OrRaise;
use crate::tensor::PyTensor;

/// The first element of a tensor that has one.
pub fn scalar(tensor: &Tensor) -> Scalar {
    let layout =
        Layout { shape: Shape::SCALAR, strides: Shape::SCALAR, offset: tensor.layout().offset };
    tensor.alias(layout).arg().scalar()
}

/// A Python number.
pub fn to_python(py: Python<'_>, scalar: Scalar) -> PyResult<Py<PyAny>> {
    match scalar {
        Scalar::Bool(b) => b.into_py_any(py),
        Scalar::Int(i) => i.into_py_any(py),
        Scalar::Uint(u) => u.into_py_any(py),
        Scalar::Float(f) => f.into_py_any(py),
        Scalar::Complex(re, im) => {
            Ok(pyo3::types::PyComplex::from_doubles(py, re, im).into_any().unbind())
        }
    }
}

/// What a buffer view points to besides the elements.
struct Export {
    shape: Vec<isize>,
    strides: Vec<isize>,
    format: CString,
}

/// Fills a buffer view of a tensor's elements, without copying.
///
/// # Safety
/// `view` must be what Python passes to `bf_getbuffer`.
pub unsafe fn export(
    slf: Bound<'_, PyTensor>,
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    let tensor = &slf.get().0;
    if view.is_null() {
        return Err(PyBufferError::new_err("numpy: no view to fill"));
    }
    if mode::grad_enabled() && tensor.requires_grad() {
        return Err(PyBufferError::new_err(
            "numpy: the tensor requires a gradient. Use .detach().numpy()",
        ));
    }
    listen::value_read(".numpy()").or_raise()?;
    let strided = flags & ffi::PyBUF_STRIDES == ffi::PyBUF_STRIDES;
    if !strided && !tensor.layout().is_contiguous() {
        return Err(PyBufferError::new_err("numpy: the tensor is not contiguous"));
    }
    let dtype = tensor.dtype();
    let Some(code) = dtype.buffer_code() else {
        return Err(PyBufferError::new_err(format!("numpy: no dtype for {dtype}. Use .float()")));
    };
    let size = dtype.size() as isize;
    let mut export = Box::new(Export {
        shape: tensor.shape().iter().map(|&s| s as isize).collect(),
        strides: tensor.layout().strides.iter().map(|&s| s as isize * size).collect(),
        format: CString::new(code).expect("no zero byte"),
    });
    let wants = |flag: c_int| flags & flag == flag;
    // SAFETY: `view` is Python's to be filled; the pointers live in the boxed `Export`,
    // which `release` frees, and in the tensor, which `obj` keeps alive.
    unsafe {
        (*view).buf = tensor.arg().ptr().cast::<c_void>();
        (*view).len = tensor.numel() as isize * size;
        (*view).readonly = 0;
        (*view).itemsize = size;
        (*view).format =
            if wants(ffi::PyBUF_FORMAT) { export.format.as_ptr().cast_mut() } else { null_mut() };
        (*view).ndim = export.shape.len() as c_int;
        (*view).shape = if wants(ffi::PyBUF_ND) { export.shape.as_mut_ptr() } else { null_mut() };
        (*view).strides = if strided { export.strides.as_mut_ptr() } else { null_mut() };
        (*view).suboffsets = null_mut();
        (*view).internal = Box::into_raw(export).cast::<c_void>();
        (*view).obj = slf.into_any().into_ptr();
    }
    Ok(())
}

/// Frees what [`export`] allocated.
///
/// # Safety
/// `view` must have been filled by [`export`].
pub unsafe fn release(view: *mut ffi::Py_buffer) {
    // SAFETY: `internal` is the box that `export` made, released once.
    unsafe { drop(Box::from_raw((*view).internal.cast::<Export>())) };
}
