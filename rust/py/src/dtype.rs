//! `weft.dtype` and the module's dtype constants.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use weft_core::eager::{self, Operand};
use weft_core::op::promote;
use weft_kernels::DType;

use crate::convert;
use crate::raise::OrRaise;

/// The type of a tensor's elements, such as `weft.float32`.
#[pyclass(frozen, name = "dtype", module = "weft")]
pub struct PyDType(pub DType);

#[pymethods]
impl PyDType {
    fn __repr__(&self) -> String {
        format!("weft.{}", self.0.name())
    }

    /// `(dtype name,)`, so that a copy is the same object.
    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (&'static str,))> {
        Ok((py.import("weft._core")?.getattr("dtype_of")?.unbind(), (self.0.name(),)))
    }

    /// Bytes per element.
    #[getter]
    fn itemsize(&self) -> usize {
        self.0.size()
    }

    /// Whether elements are floating-point numbers.
    #[getter]
    fn is_floating_point(&self) -> bool {
        self.0.is_floating_point()
    }

    /// Whether elements are complex numbers.
    #[getter]
    fn is_complex(&self) -> bool {
        self.0.is_complex()
    }

    /// Whether elements can be negative.
    #[getter]
    fn is_signed(&self) -> bool {
        self.0.is_signed()
    }

    /// The dtype of the parts of complex numbers; of real ones the dtype itself.
    fn to_real(&self, py: Python<'_>) -> Py<PyDType> {
        object(py, self.0.to_real())
    }

    /// The complex dtype that holds the numbers.
    fn to_complex(&self, py: Python<'_>) -> Py<PyDType> {
        object(py, if self.0.is_complex() { self.0 } else { promote::to_complex(self.0) })
    }

    /// The name without the module (`float32`), which numpy understands too.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }
}

/// The one object that stands for `dtype`.
pub fn object(py: Python<'_>, dtype: DType) -> Py<PyDType> {
    static OBJECTS: PyOnceLock<[Py<PyDType>; DType::COUNT]> = PyOnceLock::new();
    let objects = OBJECTS.get_or_init(py, || {
        DType::ALL.map(|d| Py::new(py, PyDType(d)).expect("memory for a few small objects"))
    });
    objects[dtype as usize].clone_ref(py)
}

/// The dtype object of this name.
#[pyfunction]
pub fn dtype_of(py: Python<'_>, name: &str) -> PyResult<Py<PyDType>> {
    let found = DType::ALL.into_iter().find(|d| d.name() == name);
    let names = DType::ALL.map(DType::name).join(", ");
    found.map(|d| object(py, d)).ok_or_else(|| {
        PyTypeError::new_err(format!("dtype: not supported, expected one of {names}, got {name}"))
    })
}

/// The dtype that tensors of these dtypes meet in.
#[pyfunction]
pub fn promote_types(py: Python<'_>, type1: &PyDType, type2: &PyDType) -> PyResult<Py<PyDType>> {
    let met = promote::promote(type1.0, type2.0);
    met.map(|d| object(py, d))
        .map_err(|apart| PyRuntimeError::new_err(format!("promote_types: {apart}")))
}

/// Whether a dtype converts to another within the kinds of numbers.
#[pyfunction]
pub fn can_cast(from_: &PyDType, to: &PyDType) -> bool {
    promote::can_cast(from_.0, to.0)
}

/// The dtype that operands, tensors or numbers, meet in.
#[pyfunction]
#[pyo3(signature = (*operands))]
pub fn result_type(py: Python<'_>, operands: &Bound<'_, PyTuple>) -> PyResult<Py<PyDType>> {
    let objects: Vec<_> = operands.iter().collect();
    let given: Vec<Operand> =
        objects.iter().map(|x| convert::operand_of("result_type", x)).collect::<PyResult<_>>()?;
    eager::meeting("result_type", &given).or_raise().map(|d| object(py, d))
}

/// All dtypes.
#[pyfunction]
pub fn dtypes(py: Python<'_>) -> Vec<Py<PyDType>> {
    DType::ALL.map(|d| object(py, d)).into()
}
