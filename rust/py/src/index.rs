//! `x[...]` and `x[...] = value`: integers, slices, `None` and `...` here, index tensors in
//! Python.

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyInt, PySlice, PyTuple};
use smallvec::{SmallVec, smallvec};
use weft_core::op::view::View;
use weft_core::{Tensor, eager, mode};
use weft_kernels::{DType, Layout, MAX_DIMS, Shape};

use crate::convert::{Int, operand_of};
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

/// The views that lead from a tensor to what a key names, and how the last one lies.
struct Path {
    views: SmallVec<[View; 4]>,
    layout: Layout,
}

impl Path {
    fn cut(&mut self, dim: usize, start: usize, len: usize, step: usize) {
        if start != 0 || len != self.layout.shape[dim] || step != 1 {
            self.layout = self.layout.slice(dim, start, len, step);
            self.views.push(View::Slice { dim, start: start.into(), len: len.into(), step });
        }
    }

    fn cut_int(&mut self, dim: usize, i: i64) -> PyResult<()> {
        let size = self.layout.shape[dim] as i64;
        let wrapped = if i < 0 { i.saturating_add(size) } else { i };
        if !(0..size).contains(&wrapped) {
            let what = format!(
                "index: out of range, expected {} <= index < {size} in dimension {dim}, got {i}",
                -size
            );
            return Err(PyIndexError::new_err(what));
        }
        self.cut(dim, wrapped as usize, 1, 1);
        Ok(())
    }

    fn cut_slice(&mut self, dim: usize, slice: &Bound<'_, PySlice>) -> PyResult<()> {
        let range = slice.indices(self.layout.shape[dim] as isize)?;
        if range.step <= 0 {
            return Err(PyValueError::new_err(format!(
                "index: step must be positive, got {}",
                range.step
            )));
        }
        self.cut(dim, range.start as usize, range.slicelength, range.step as usize);
        Ok(())
    }
}

/// The view that the items name.
fn view(x: &Tensor, items: &[Item]) -> PyResult<Tensor> {
    let named = items.iter().filter(|i| matches!(i, Item::Int(_) | Item::Slice(_))).count();
    let ndim = x.shape().len();
    if named > ndim {
        let what = format!("index: too many indices, expected at most {ndim}, got {named}");
        return Err(PyIndexError::new_err(what));
    }
    let mut path = Path { views: SmallVec::new(), layout: *x.layout() };
    let mut shape: SmallVec<[usize; MAX_DIMS]> = SmallVec::new();
    let (mut dim, mut reshaped, mut seen) = (0, false, false);
    for item in items {
        match item {
            Item::NewAxis => {
                shape.push(1);
                reshaped = true;
            }
            Item::Int(i) => {
                path.cut_int(dim, *i)?;
                dim += 1;
                reshaped = true;
            }
            Item::Slice(slice) => {
                path.cut_slice(dim, slice)?;
                shape.push(path.layout.shape[dim]);
                dim += 1;
            }
            Item::Ellipsis if seen => {
                return Err(PyIndexError::new_err("index: only one ellipsis is allowed"));
            }
            Item::Ellipsis => {
                seen = true;
                for _ in 0..ndim - named {
                    shape.push(path.layout.shape[dim]);
                    dim += 1;
                }
            }
        }
    }
    shape.extend_from_slice(&path.layout.shape[dim..]);
    if shape.len() > MAX_DIMS {
        let what =
            format!("index: at most {MAX_DIMS} dimensions are supported, got {}", shape.len());
        return Err(PyValueError::new_err(what));
    }
    if reshaped || path.views.is_empty() {
        path.views.push(View::Reshape(Shape::new(&shape).into()));
    }
    eager::views(x, &path.views).or_raise()
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
    let value = operand_of("setitem", value)?.stored("setitem", target.dtype()).or_raise()?;
    eager::assign(&target, &value).or_raise()
}
