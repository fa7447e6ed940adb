//! What a compiled function returns, as a tree to be built anew at every call.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::signature::Found;

/// A returned value or a part of one.
pub enum Give {
    /// The new tensor of this number.
    Made(usize),
    /// The tensor argument of this number, the very object.
    Arg(usize),
    /// An object that was there before.
    Object(Py<PyAny>),
    /// A new tuple.
    Tuple(Vec<Give>),
    /// A new list.
    List(Vec<Give>),
    /// A new dictionary.
    Dict(Vec<(Py<PyAny>, Give)>),
    /// What a callable makes of its arguments: named tuples, dataclasses.
    Call(Py<PyAny>, Vec<Give>),
}

impl Give {
    /// Reads `(word, ...)` as `weft._compile._tree` writes it.
    pub fn read(tree: &Bound<'_, PyAny>) -> PyResult<Give> {
        let word: String = tree.get_item(0)?.extract()?;
        let parts = |at: usize| -> PyResult<Vec<Give>> {
            tree.get_item(at)?.try_iter()?.map(|part| Give::read(&part?)).collect()
        };
        Ok(match word.as_str() {
            "made" => Give::Made(tree.get_item(1)?.extract()?),
            "arg" => Give::Arg(tree.get_item(1)?.extract()?),
            "object" => Give::Object(tree.get_item(1)?.unbind()),
            "tuple" => Give::Tuple(parts(1)?),
            "list" => Give::List(parts(1)?),
            "dict" => {
                let keys = tree.get_item(1)?.try_iter()?;
                let keys = keys.map(|key| Ok(key?.unbind())).collect::<PyResult<Vec<_>>>()?;
                Give::Dict(keys.into_iter().zip(parts(2)?).collect())
            }
            "call" => Give::Call(tree.get_item(1)?.unbind(), parts(2)?),
            other => return Err(PyTypeError::new_err(format!("result: no word {other}"))),
        })
    }

    /// Shows the garbage collector what is held.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Give::Made(_) | Give::Arg(_) => Ok(()),
            Give::Object(object) => visit.call(object),
            Give::Tuple(parts) | Give::List(parts) => {
                parts.iter().try_for_each(|part| part.traverse(visit))
            }
            Give::Dict(entries) => entries.iter().try_for_each(|(key, part)| {
                visit.call(key)?;
                part.traverse(visit)
            }),
            Give::Call(make, parts) => {
                visit.call(make)?;
                parts.iter().try_for_each(|part| part.traverse(visit))
            }
        }
    }

    /// The value, from the new tensors and the arguments of this call.
    pub fn build<'py>(
        &self,
        py: Python<'py>,
        made: &[Py<PyAny>],
        args: &Found<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let all = |parts: &[Give]| -> PyResult<Vec<Bound<'py, PyAny>>> {
            parts.iter().map(|part| part.build(py, made, args)).collect()
        };
        Ok(match self {
            Give::Made(i) => made[*i].bind(py).clone(),
            Give::Arg(i) => args[*i].clone().into_any(),
            Give::Object(object) => object.bind(py).clone(),
            Give::Tuple(parts) => PyTuple::new(py, all(parts)?)?.into_any(),
            Give::List(parts) => PyList::new(py, all(parts)?)?.into_any(),
            Give::Dict(entries) => {
                let dict = PyDict::new(py);
                for (key, part) in entries {
                    dict.set_item(key, part.build(py, made, args)?)?;
                }
                dict.into_any()
            }
            Give::Call(make, parts) => make.bind(py).call1(PyTuple::new(py, all(parts)?)?)?,
        })
    }
}
