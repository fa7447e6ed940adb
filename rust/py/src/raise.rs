//! Errors of the core as Python exceptions.

use pyo3::create_exception;
use pyo3::exceptions::{PyIndexError, PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use weft_core::Error;
use weft_core::error::Kind;

create_exception!(
    weft,
    CompileError,
    PyRuntimeError,
    "A function cannot be compiled as it is written, or did not do the same thing twice."
);

/// The exception that an error becomes.
pub fn raise(error: Error) -> PyErr {
    let message = error.message;
    match error.kind {
        Kind::Runtime => PyRuntimeError::new_err(message),
        Kind::Type => PyTypeError::new_err(message),
        Kind::Value => PyValueError::new_err(message),
        Kind::Index => PyIndexError::new_err(message),
        Kind::Compile => CompileError::new_err(message),
        Kind::Memory => PyMemoryError::new_err(message),
    }
}

/// `?` for results of the core.
pub trait OrRaise<T> {
    /// The value, or the exception.
    fn or_raise(self) -> PyResult<T>;
}

impl<T> OrRaise<T> for weft_core::Result<T> {
    fn or_raise(self) -> PyResult<T> {
        self.map_err(raise)
    }
}
