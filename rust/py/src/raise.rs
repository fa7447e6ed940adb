//! Errors of the core as Python exceptions.

use pyo3::create_exception;
use pyo3::exceptions::{PyIndexError, PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use weft_core::Error;
use weft_core::error::ErrorKind;

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
        ErrorKind::Runtime => PyRuntimeError::new_err(message),
        ErrorKind::Type => PyTypeError::new_err(message),
        ErrorKind::Value => PyValueError::new_err(message),
        ErrorKind::Index => PyIndexError::new_err(message),
        ErrorKind::Compile => CompileError::new_err(message),
        ErrorKind::Memory => PyMemoryError::new_err(message),
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
