//! The class `weft.Tensor`: number slots and what must be fast; the rest is attached in Python.

use pyo3::basic::CompareOp;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyTuple, PyType};
use weft_core::eager::Operand;
use weft_core::op::pointwise::{Row, rows};
use weft_core::{Tensor, eager, listen, mode};
use weft_kernels::{DType, Scalar};

use crate::call::{self, slot};
use crate::convert::operand_of;
use crate::dtype::{self, PyDType};
use crate::raise::OrRaise;
use crate::tape::PyNode;
use crate::{data, index};

/// A multi-dimensional array whose operations can be differentiated and compiled.
///
/// Made by `weft.tensor`, `weft.zeros` and the like, not by calling the class.
#[pyclass(frozen, subclass, name = "Tensor", module = "weft", freelist = 256)]
pub struct PyTensor(pub Tensor);

type Any<'py> = Bound<'py, PyAny>;

fn both<'py>(
    slf: &Bound<'py, PyTensor>,
    row: &'static Row,
    other: &Any<'py>,
) -> PyResult<Py<PyAny>> {
    slot(slf.py(), row, slf.as_any(), other)
}

fn reflected<'py>(
    slf: &Bound<'py, PyTensor>,
    row: &'static Row,
    other: &Any<'py>,
) -> PyResult<Py<PyAny>> {
    slot(slf.py(), row, other, slf.as_any())
}

fn into(slf: &Bound<'_, PyTensor>, row: &'static Row, other: &Any<'_>) -> PyResult<()> {
    let given = [Operand::Tensor(&slf.get().0), operand_of(row.name, other)?];
    eager::pointwise_into(row, &slf.get().0, &given).or_raise()
}

#[pymethods]
impl PyTensor {
    /// An alias of `data` as a leaf of this class.
    #[new]
    #[pyo3(signature = (data, requires_grad = false))]
    #[classmethod]
    fn new(
        _cls: &Bound<'_, PyType>,
        data: &Bound<'_, PyTensor>,
        requires_grad: bool,
    ) -> PyResult<PyTensor> {
        let alias = data.get().0.detach();
        if requires_grad {
            require_float(&alias)?;
            alias.set_requires_grad(true);
        }
        Ok(PyTensor(alias))
    }

    fn __add__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::ADD, other)
    }
    fn __radd__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        reflected(slf, &rows::ADD, other)
    }
    fn __sub__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::SUB, other)
    }
    fn __rsub__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        reflected(slf, &rows::SUB, other)
    }
    fn __mul__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::MUL, other)
    }
    fn __rmul__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        reflected(slf, &rows::MUL, other)
    }
    fn __truediv__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::DIV, other)
    }
    fn __rtruediv__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        reflected(slf, &rows::DIV, other)
    }
    fn __floordiv__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::FLOOR_DIVIDE, other)
    }
    fn __rfloordiv__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        reflected(slf, &rows::FLOOR_DIVIDE, other)
    }
    fn __mod__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::REMAINDER, other)
    }
    fn __rmod__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        reflected(slf, &rows::REMAINDER, other)
    }
    fn __pow__<'py>(
        slf: &Bound<'py, Self>,
        other: &Any<'py>,
        _modulo: Option<&Any<'py>>,
    ) -> PyResult<Py<PyAny>> {
        both(slf, &rows::POW, other)
    }
    fn __rpow__<'py>(
        slf: &Bound<'py, Self>,
        other: &Any<'py>,
        _modulo: Option<&Any<'py>>,
    ) -> PyResult<Py<PyAny>> {
        reflected(slf, &rows::POW, other)
    }
    fn __and__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::BITWISE_AND, other)
    }
    fn __or__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::BITWISE_OR, other)
    }
    fn __xor__<'py>(slf: &Bound<'py, Self>, other: &Any<'py>) -> PyResult<Py<PyAny>> {
        both(slf, &rows::BITWISE_XOR, other)
    }
    fn __iadd__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::ADD, other)
    }
    fn __isub__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::SUB, other)
    }
    fn __imul__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::MUL, other)
    }
    fn __itruediv__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::DIV, other)
    }
    fn __ifloordiv__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::FLOOR_DIVIDE, other)
    }
    fn __imod__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::REMAINDER, other)
    }
    fn __ipow__(slf: &Bound<'_, Self>, other: &Any<'_>, _modulo: Option<&Any<'_>>) -> PyResult<()> {
        into(slf, &rows::POW, other)
    }
    fn __iand__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::BITWISE_AND, other)
    }
    fn __ior__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::BITWISE_OR, other)
    }
    fn __ixor__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<()> {
        into(slf, &rows::BITWISE_XOR, other)
    }

    fn __matmul__(slf: &Bound<'_, Self>, other: &Any<'_>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<PyTensor>() else {
            return Ok(slf.py().NotImplemented());
        };
        let result = crate::ops::matmul(slf.py(), slf.as_any(), other.as_any())?;
        Ok(Py::new(slf.py(), result)?.into_any())
    }

    fn __neg__(&self, py: Python<'_>) -> PyResult<PyTensor> {
        Ok(PyTensor(call::call1(py, &weft_core::op::Op::Pointwise(&rows::NEG), &[&self.0])?))
    }

    fn __pos__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __abs__(slf: &Bound<'_, Self>) -> PyResult<PyTensor> {
        call::apply(slf.py(), &rows::ABS, &[Operand::Tensor(&slf.get().0)])
    }

    fn __invert__(slf: &Bound<'_, Self>) -> PyResult<PyTensor> {
        if slf.get().0.dtype() != DType::Bool {
            let what = format!("invert: expected dtype bool, got {}", slf.get().0.dtype());
            return Err(PyTypeError::new_err(what));
        }
        call::apply(slf.py(), &rows::LOGICAL_NOT, &[Operand::Tensor(&slf.get().0)])
    }

    fn __richcmp__<'py>(
        slf: &Bound<'py, Self>,
        other: &Any<'py>,
        op: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        let row = match op {
            CompareOp::Lt => &rows::LT,
            CompareOp::Le => &rows::LE,
            CompareOp::Eq => &rows::EQ,
            CompareOp::Ne => &rows::NE,
            CompareOp::Gt => &rows::GT,
            CompareOp::Ge => &rows::GE,
        };
        both(slf, row, other)
    }

    fn __hash__(&self) -> usize {
        self.0.key()
    }

    fn __len__(&self) -> PyResult<usize> {
        self.0
            .shape()
            .first()
            .copied()
            .ok_or_else(|| PyTypeError::new_err("len: expected at least 1 dimension, got 0"))
    }

    fn __getitem__(slf: &Bound<'_, Self>, key: &Any<'_>) -> PyResult<Py<PyAny>> {
        index::get(slf, key)
    }

    fn __setitem__(slf: &Bound<'_, Self>, key: &Any<'_>, value: &Any<'_>) -> PyResult<()> {
        index::set(slf, key, value)
    }

    fn __bool__(&self) -> PyResult<bool> {
        listen::value_read("bool()").or_raise()?;
        if self.0.numel() != 1 {
            let what = format!(
                "bool: expected one element, got shape {}. Use .any() or .all()",
                self.0.shape()
            );
            return Err(PyRuntimeError::new_err(what));
        }
        Ok(data::scalar(&self.0).cast(DType::Bool) == Scalar::Bool(true))
    }

    fn __float__(&self) -> PyResult<f64> {
        self.expect_real("float()")?;
        Ok(self.one("float()")?.as_f64())
    }

    fn __int__(&self) -> PyResult<i128> {
        self.expect_real("int()")?;
        Ok(self.one("int()")?.as_i128())
    }

    fn __complex__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyComplex>> {
        let number = self.one("complex()")?.as_complex();
        Ok(PyComplex::from_doubles(py, number.re, number.im))
    }

    fn __index__(&self) -> PyResult<i128> {
        if self.0.dtype().is_differentiable() {
            return Err(PyTypeError::new_err(format!(
                "index: expected an integer tensor, got {}",
                self.0.dtype()
            )));
        }
        Ok(self.one("index()")?.as_i128())
    }

    /// The single element as a Python number. Raises for more than one element, and inside
    /// a function that is being compiled.
    fn item(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        data::to_python(py, self.one(".item()")?)
    }

    /// Size of each dimension.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.shape().iter())
    }

    /// Number of dimensions.
    #[getter]
    fn ndim(&self) -> usize {
        self.0.shape().len()
    }

    /// Number of elements.
    fn numel(&self) -> usize {
        self.0.numel()
    }

    /// Elements between neighbours along each dimension.
    fn stride<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.layout().strides.iter())
    }

    /// Elements between the start of the memory and the first element.
    fn storage_offset(&self) -> usize {
        self.0.layout().offset
    }

    /// Address of the first element.
    fn data_ptr(&self) -> usize {
        self.0.arg().ptr() as usize
    }

    /// Element type.
    #[getter]
    fn dtype(&self, py: Python<'_>) -> Py<PyDType> {
        dtype::object(py, self.0.dtype())
    }

    /// Whether elements follow each other in row-major order.
    fn is_contiguous(&self) -> bool {
        self.0.layout().is_contiguous()
    }

    /// Whether both are one tensor or show the same memory.
    fn shares_memory(&self, other: &PyTensor) -> bool {
        self.0.buffer().same(other.0.buffer())
    }

    /// How often the memory was changed in place.
    #[getter]
    fn _version(&self) -> PyResult<u32> {
        listen::value_read("._version").or_raise()?;
        Ok(self.0.buffer().version())
    }

    /// Whether gradients flow through it.
    #[getter]
    fn get_requires_grad(&self) -> bool {
        listen::flag_read(&self.0);
        self.0.requires_grad()
    }

    #[setter]
    fn set_requires_grad(&self, on: bool) -> PyResult<()> {
        if !self.0.is_leaf().or_raise()? {
            if on {
                return Ok(());
            }
            return Err(PyRuntimeError::new_err(
                "requires_grad: only a leaf can stop requiring a gradient. Use .detach()",
            ));
        }
        if on {
            require_float(&self.0)?;
        }
        self.0.set_requires_grad(on);
        Ok(())
    }

    /// Whether no operation on the tape made it.
    #[getter]
    fn is_leaf(&self) -> PyResult<bool> {
        self.0.is_leaf().or_raise()
    }

    /// The accumulated gradient, or `None`.
    #[getter]
    fn get_grad(&self) -> Option<PyTensor> {
        self.0.grad().map(PyTensor)
    }

    #[setter]
    fn set_grad(&self, grad: Option<&Bound<'_, PyTensor>>) -> PyResult<()> {
        let grad = grad.map(|g| g.get().0.clone());
        if let Some(grad) = &grad
            && grad.fact() != self.0.fact()
        {
            let what =
                format!("grad: does not fit, expected {}, got {}", self.0.fact(), grad.fact());
            return Err(PyRuntimeError::new_err(what));
        }
        self.0.set_grad(grad);
        Ok(())
    }

    /// The node of the dynamic graph that made it, or `None` for a leaf.
    #[getter]
    fn grad_fn(&self) -> PyResult<Option<PyNode>> {
        Ok(self.0.node().or_raise()?.map(|(node, _)| PyNode(node)))
    }

    /// The same memory without history.
    fn detach(&self) -> PyTensor {
        PyTensor(self.0.detach())
    }

    /// Forgets how it was made; refused for a view.
    fn detach_(slf: Py<Self>) -> PyResult<Py<Self>> {
        slf.get().0.forget_history().or_raise()?;
        Ok(slf)
    }

    /// Writes `src`, broadcast and converted, over it.
    fn copy_<'py>(slf: &Bound<'py, Self>, src: &Any<'_>) -> PyResult<Bound<'py, Self>> {
        let src = crate::convert::tensor("copy_", src)?;
        eager::assign(&slf.get().0, &src.0).or_raise()?;
        Ok(slf.clone())
    }

    /// Writes one number everywhere.
    fn fill_<'py>(slf: &Bound<'py, Self>, value: &Any<'py>) -> PyResult<Bound<'py, Self>> {
        let target = &slf.get().0;
        let value = operand_of("fill_", value)?.stored("fill_", target.dtype()).or_raise()?;
        if !value.shape().is_empty() {
            let what = format!("fill_: expected a number, got a tensor of shape {}", value.shape());
            return Err(pyo3::exceptions::PyRuntimeError::new_err(what));
        }
        eager::assign(target, &value).or_raise()?;
        Ok(slf.clone())
    }

    // SAFETY: `data::export` fills the view and keeps the tensor alive through it.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut pyo3::ffi::Py_buffer,
        flags: std::ffi::c_int,
    ) -> PyResult<()> {
        // SAFETY: Python passes a view to be filled.
        unsafe { data::export(slf, view, flags) }
    }

    // SAFETY: `data::release` takes back what `data::export` gave.
    unsafe fn __releasebuffer__(&self, view: *mut pyo3::ffi::Py_buffer) {
        // SAFETY: Python passes a view that `__getbuffer__` filled.
        unsafe { data::release(view) }
    }
}

impl PyTensor {
    /// The only element.
    fn expect_real(&self, how: &str) -> PyResult<()> {
        if self.0.dtype().is_complex() {
            return Err(PyTypeError::new_err(format!(
                "{how}: expected a real number, got complex"
            )));
        }
        Ok(())
    }

    pub(crate) fn one(&self, how: &str) -> PyResult<Scalar> {
        listen::value_read(how).or_raise()?;
        if self.0.numel() != 1 {
            let what = format!("{how}: expected one element, got shape {}", self.0.shape());
            return Err(PyRuntimeError::new_err(what));
        }
        Ok(data::scalar(&self.0))
    }
}

/// Only floating-point tensors have gradients.
pub fn require_float(tensor: &Tensor) -> PyResult<()> {
    if tensor.dtype().is_differentiable() {
        return Ok(());
    }
    let what = format!("requires_grad: expected float32 or float64, got {}", tensor.dtype());
    Err(PyRuntimeError::new_err(what))
}

/// Whether operations go onto the tape.
#[pyfunction]
pub fn is_grad_enabled() -> bool {
    mode::grad_enabled()
}

/// Switches the tape on or off for this thread; returns what it was.
#[pyfunction]
pub fn set_grad_enabled(on: bool) -> bool {
    mode::set_grad_enabled(on)
}
