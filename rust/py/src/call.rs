//! Calling operations on Python operands, and releasing the interpreter.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;
use weft_core::eager::{self, Eager, Operand, Results};
use weft_core::op::pointwise::{self, Row};
use weft_core::op::{Emit, Op, Val};
use weft_core::{Error, Tensor, mode};
use weft_kernels::fork;

use crate::convert;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

/// Elements from which on an operation lets other Python threads run.
const RELEASE: usize = 1 << 16;

/// Does long work while other Python threads run; a fork waits for its end. All that lets go of
/// the interpreter's lock goes through here.
pub fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    py.detach(|| {
        let _section = fork::section();
        work()
    })
}

/// Does work on `elements` elements, without the interpreter if it takes long.
fn run<T: Send>(py: Python<'_>, elements: usize, work: impl FnOnce() -> T + Send) -> T {
    if elements < RELEASE || mode::listening() { work() } else { detached(py, work) }
}

fn elements(inputs: &[&Tensor]) -> usize {
    inputs.iter().map(|x| x.numel()).sum()
}

/// Applies `op`, without the interpreter if it takes long.
pub fn call(py: Python<'_>, op: &Op, inputs: &[&Tensor]) -> PyResult<Results> {
    run(py, elements(inputs), || eager::call(op, inputs)).or_raise()
}

/// Computes what `rule` makes of `inputs`, without the interpreter if it takes long.
pub fn compose(
    py: Python<'_>,
    inputs: &[&Tensor],
    rule: impl FnOnce(&mut dyn Emit, &[Val]) -> Result<Val, Error> + Send,
) -> PyResult<PyTensor> {
    run(py, elements(inputs), || Eager::compose(inputs, rule)).or_raise().map(PyTensor)
}

/// Applies an operation with one result.
pub fn call1(py: Python<'_>, op: &Op, inputs: &[&Tensor]) -> PyResult<Tensor> {
    Ok(call(py, op, inputs)?.remove(0))
}

/// Applies a row to operands of any dtype.
pub fn apply(py: Python<'_>, row: &'static Row, given: &[Operand]) -> PyResult<PyTensor> {
    let size = |x: &Operand| if let Operand::Tensor(t) = x { t.numel() } else { 0 };
    let elements = given.iter().map(size).sum();
    run(py, elements, || eager::pointwise(row, given)).or_raise().map(PyTensor)
}

/// A pointwise row, found once by name and called many times.
#[pyclass(frozen, module = "weft._core")]
pub struct Pointwise(&'static Row);

type Args<'py> = SmallVec<[Bound<'py, PyAny>; 3]>;

fn check_arity<'py>(row: &Row, args: &Bound<'py, PyTuple>) -> PyResult<Args<'py>> {
    if args.len() != row.arity {
        let what = format!("{}: expected {} operands, got {}", row.name, row.arity, args.len());
        return Err(PyTypeError::new_err(what));
    }
    Ok(args.iter().collect())
}

fn read_all<'a>(row: &Row, args: &'a Args<'_>) -> PyResult<SmallVec<[Operand<'a>; 3]>> {
    args.iter().map(|arg| convert::operand_of(row.name, arg)).collect()
}

#[pymethods]
impl Pointwise {
    /// The row of this name.
    #[new]
    fn new(name: &str) -> PyResult<Pointwise> {
        let row = pointwise::find(name);
        row.map(Pointwise).ok_or_else(|| PyTypeError::new_err(format!("no operation named {name}")))
    }

    /// Applies it to tensors and numbers.
    #[pyo3(signature = (*args))]
    fn __call__(&self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<PyTensor> {
        let args = check_arity(self.0, args)?;
        apply(py, self.0, &read_all(self.0, &args)?)
    }

    /// Applies it and writes the result over the first operand, which is returned.
    #[pyo3(signature = (*args))]
    fn into<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let args = check_arity(self.0, args)?;
        let given = read_all(self.0, &args)?;
        let at = usize::from(self.0.condition);
        let Operand::Tensor(target) = given[at] else {
            return Err(PyTypeError::new_err(format!(
                "{}: expected a tensor to change",
                self.0.name
            )));
        };
        eager::pointwise_into(self.0, target, &given).or_raise()?;
        Ok(args[at].clone())
    }
}

/// A number slot: `NotImplemented` for operands that are neither tensor nor number.
pub fn slot<'py>(
    py: Python<'py>,
    row: &'static Row,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
) -> PyResult<Py<PyAny>> {
    let (Some(a), Some(b)) = (convert::operand(a), convert::operand(b)) else {
        return Ok(py.NotImplemented());
    };
    let result = apply(py, row, &[a, b])?;
    Ok(Py::new(py, result)?.into_any())
}
