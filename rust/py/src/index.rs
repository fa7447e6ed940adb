//! `x[...]` and `x[...] = value`: integers, slices, `None` and `...` here, index tensors in
//! Python.

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyInt, PySlice, PyTuple};
use smallvec::{SmallVec, smallvec};
use weft_core::op::Op;
use weft_core::op::view::View;
use weft_core::{Tensor, eager, mode};
use weft_kernels::{DType, MAX_DIMS, Shape};

use crate::convert::{Int, Operand};
use crate::data;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

enum Item<'py> {
    Int(i64),
    Slice(Bound<'py, PySlice>),
    NewAxis,
    Ellipsis,
}

type Items<'py> = SmallVec<[Item<'py>; 4]>;

/// The number that a single integer holds: such a tensor names a view as a number does. While
/// recording nobody may look at it.
fn tensor_index(part: &Bound<'_, PyAny>) -> Option<i64> {
    let tensor = &part.cast::<PyTensor>().ok()?.get().0;
    let single = tensor.shape().is_empty() && matches!(tensor.dtype(), DType::I32 | DType::I64);
    (single && !mode::listening()).then(|| data::scalar(tensor).as_i64())
}

/// The parts of a key that names a view; `None` if it holds index tensors or lists.
fn parse<'py>(key: &Bound<'py, PyAny>) -> PyResult<Option<Items<'py>>> {
    let parts: SmallVec<[Bound<'py, PyAny>; 4]> = match key.cast::<PyTuple>() {
        Ok(tuple) => tuple.iter().collect(),
        Err(_) => smallvec![key.clone()],
    };
    let mut items = Items::new();
    for part in parts {
        items.push(if part.is_none() {
            Item::NewAxis
        } else if part.cast::<PyEllipsis>().is_ok() {
            Item::Ellipsis
        } else if let Ok(slice) = part.cast::<PySlice>() {
            Item::Slice(slice.clone())
        } else if part.cast::<PyInt>().is_ok() && part.cast::<PyBool>().is_err() {
            Item::Int(part.extract::<Int>()?.0)
        } else if let Some(i) = tensor_index(&part) {
            Item::Int(i)
        } else {
            return Ok(None);
        });
    }
    Ok(Some(items))
}

fn cut(x: Tensor, dim: usize, start: usize, len: usize, step: usize) -> PyResult<Tensor> {
    if start == 0 && len == x.shape()[dim] && step == 1 {
        return Ok(x);
    }
    eager::call1(&Op::View(View::Slice { dim, start, len, step }), &[&x]).or_raise()
}

fn cut_int(x: Tensor, dim: usize, i: i64) -> PyResult<Tensor> {
    let size = x.shape()[dim] as i64;
    let wrapped = if i < 0 { i.saturating_add(size) } else { i };
    if !(0..size).contains(&wrapped) {
        let what = format!(
            "index: out of range, expected {} <= index < {size} in dimension {dim}, got {i}",
            -size
        );
        return Err(PyIndexError::new_err(what));
    }
    cut(x, dim, wrapped as usize, 1, 1)
}

fn cut_slice(x: Tensor, dim: usize, slice: &Bound<'_, PySlice>) -> PyResult<Tensor> {
    let range = slice.indices(x.shape()[dim] as isize)?;
    if range.step <= 0 {
        return Err(PyValueError::new_err(format!(
            "index: step must be positive, got {}",
            range.step
        )));
    }
    cut(x, dim, range.start as usize, range.slicelength, range.step as usize)
}

/// The view that the items name.
fn view(x: &Tensor, items: &[Item]) -> PyResult<Tensor> {
    let named = items.iter().filter(|i| matches!(i, Item::Int(_) | Item::Slice(_))).count();
    let ndim = x.shape().len();
    if named > ndim {
        let what = format!("index: too many indices, expected at most {ndim}, got {named}");
        return Err(PyIndexError::new_err(what));
    }
    let mut out = x.clone();
    let mut shape: SmallVec<[usize; MAX_DIMS]> = SmallVec::new();
    let (mut dim, mut reshaped, mut seen) = (0, false, false);
    for item in items {
        match item {
            Item::NewAxis => {
                shape.push(1);
                reshaped = true;
            }
            Item::Int(i) => {
                out = cut_int(out, dim, *i)?;
                dim += 1;
                reshaped = true;
            }
            Item::Slice(slice) => {
                out = cut_slice(out, dim, slice)?;
                shape.push(out.shape()[dim]);
                dim += 1;
            }
            Item::Ellipsis if seen => {
                return Err(PyIndexError::new_err("index: only one ellipsis is allowed"));
            }
            Item::Ellipsis => {
                seen = true;
                for _ in 0..ndim - named {
                    shape.push(out.shape()[dim]);
                    dim += 1;
                }
            }
        }
    }
    shape.extend_from_slice(&out.shape()[dim..]);
    if shape.len() > MAX_DIMS {
        let what =
            format!("index: at most {MAX_DIMS} dimensions are supported, got {}", shape.len());
        return Err(PyValueError::new_err(what));
    }
    if reshaped {
        out = eager::call1(&Op::View(View::Reshape(Shape::new(&shape))), &[&out]).or_raise()?;
    } else if out.same(x) {
        out = eager::call1(&Op::View(View::Reshape(*x.shape())), &[&out]).or_raise()?;
    }
    Ok(out)
}

/// `x[key]`.
pub fn get(x: &Bound<'_, PyTensor>, key: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    match parse(key)? {
        Some(items) => {
            let result = PyTensor(view(&x.get().0, &items)?);
            Ok(Py::new(x.py(), result)?.into_any())
        }
        None => Ok(x.py().import("weft._indexing")?.call_method1("get", (x, key))?.unbind()),
    }
}

/// `x[key] = value`.
pub fn set(
    x: &Bound<'_, PyTensor>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let Some(items) = parse(key)? else {
        x.py().import("weft._indexing")?.call_method1("set", (x, key, value))?;
        return Ok(());
    };
    let target = view(&x.get().0, &items)?;
    let value = Operand::of("setitem", value)?.stored("setitem", target.dtype())?;
    eager::assign(&target, &value).or_raise()
}
