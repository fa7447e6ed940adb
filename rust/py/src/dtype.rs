//! `weft.dtype` and the module's dtype constants.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use weft_kernels::DType;

/// The type of a tensor's elements: `weft.float32`, `float64`, `int64`, `int32`, `uint8`, `bool`.
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
