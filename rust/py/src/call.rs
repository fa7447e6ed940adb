//! Calling operations on Python operands: promotion, and releasing the interpreter.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smallvec::SmallVec;
use weft_core::eager::{self, Results};
use weft_core::op::pointwise::{self, Row, Unfit, rows};
use weft_core::op::promote::{Say, result_type};
use weft_core::op::{Op, cast::Cast};
use weft_core::{Tensor, mode};
use weft_kernels::{DType, fork};

use crate::convert::Operand;
use crate::fit;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

/// What Python floats become among integers, and integers in functions of real numbers.
pub const DEFAULT: DType = DType::F32;

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

/// Applies `op`, without the interpreter if it takes long.
pub fn call(py: Python<'_>, op: &Op, inputs: &[&Tensor]) -> PyResult<Results> {
    let work: usize = inputs.iter().map(|x| x.numel()).sum();
    if work < RELEASE || mode::listening() {
        return eager::call(op, inputs).or_raise();
    }
    detached(py, || eager::call(op, inputs)).or_raise()
}

/// Applies an operation with one result.
pub fn call1(py: Python<'_>, op: &Op, inputs: &[&Tensor]) -> PyResult<Tensor> {
    Ok(call(py, op, inputs)?.remove(0))
}

fn cast_to(tensor: &Tensor, dtype: DType) -> PyResult<Tensor> {
    if tensor.dtype() == dtype {
        return Ok(tensor.clone());
    }
    eager::call1(&Op::Cast(Cast { dtype }), &[tensor]).or_raise()
}

/// The dtype that `row` computes in.
fn compute_dtype(row: &Row, says: &[(DType, Say)]) -> DType {
    let dtype = result_type(says, DEFAULT);
    let reals_only = row.tile.supports(DType::F32) && !row.tile.supports(DType::I64);
    if reals_only && !dtype.is_float() { DEFAULT } else { dtype }
}

/// The row that computes what `row` is asked for, and its operands.
///
/// Powers by a common number have rows of their own. A tensor in the exponent is left alone:
/// its root of -0 and of -inf differ, and it may want a gradient. So may limits that are
/// tensors.
fn resolve<'a>(row: &'static Row, given: &'a [Operand<'a>]) -> (&'static Row, &'a [Operand<'a>]) {
    let is = |other| std::ptr::eq(row, other);
    if is(&rows::POW)
        && let [Operand::Tensor(base), Operand::Number(exponent)] = given
        && base.dtype().is_float()
        && let Some(row) = power_row(exponent.as_f64())
    {
        return (row, &given[..1]);
    }
    if row.unfit == Unfit::Limit && given[1..].iter().any(|x| matches!(x, Operand::Tensor(_))) {
        let general = if is(&rows::CLAMP_MIN) {
            &rows::MAXIMUM
        } else if is(&rows::CLAMP_MAX) {
            &rows::MINIMUM
        } else {
            &rows::CLAMP_TENSOR
        };
        return (general, given);
    }
    (row, given)
}

/// The operands of `row` as tensors of the dtype that it computes in.
fn operands(row: &'static Row, given: &[Operand]) -> PyResult<(SmallVec<[Tensor; 3]>, DType)> {
    let skip = usize::from(row.condition);
    let says: SmallVec<[(DType, Say); 3]> = given[skip..].iter().map(Operand::say).collect();
    let mut dtype = compute_dtype(row, &says);
    let mut numbers: SmallVec<[Operand; 3]> = given.into();
    if !dtype.is_float() {
        dtype = fit::numbers(row, dtype, &mut numbers)?;
    }
    let tensors = numbers
        .iter()
        .enumerate()
        .map(|(i, operand)| match operand {
            Operand::Tensor(t) if i >= skip => cast_to(t, dtype),
            other => other.tensor(if i < skip { DType::Bool } else { dtype }).or_raise(),
        })
        .collect::<PyResult<_>>()?;
    Ok((tensors, dtype))
}

/// Applies a row to operands of any dtype.
pub fn apply(py: Python<'_>, row: &'static Row, given: &[Operand]) -> PyResult<PyTensor> {
    let (row, given) = resolve(row, given);
    let op = Op::Pointwise(row);
    if let [Operand::Tensor(a)] = given
        && row.tile.supports(a.dtype())
    {
        return Ok(PyTensor(call1(py, &op, &[a])?));
    }
    if let [Operand::Tensor(a), Operand::Tensor(b)] = given
        && a.dtype() == b.dtype()
        && row.tile.supports(a.dtype())
    {
        return Ok(PyTensor(call1(py, &op, &[a, b])?));
    }
    let (tensors, _) = operands(row, given)?;
    let refs: SmallVec<[&Tensor; 3]> = tensors.iter().collect();
    Ok(PyTensor(call1(py, &op, &refs)?))
}

/// Truth values, whole numbers, real numbers: values of a kind fit in place in the same kind
/// and in later ones.
fn kind(dtype: DType) -> u32 {
    match dtype {
        DType::Bool => 0,
        _ if dtype.is_float() => 2,
        _ => 1,
    }
}

/// Applies a row and writes the result over its first operand.
pub fn apply_into(row: &'static Row, target: &Tensor, given: &[Operand]) -> PyResult<()> {
    let (row, given) = resolve(row, given);
    let (tensors, dtype) = operands(row, given)?;
    let op = Op::Pointwise(row);
    let refs: SmallVec<[&Tensor; 3]> = tensors.iter().collect();
    if dtype == target.dtype() {
        return eager::call_into(&op, &refs, std::slice::from_ref(target)).or_raise();
    }
    if kind(dtype) > kind(target.dtype()) {
        let what = format!(
            "{}: the result is {dtype} and does not fit in place, expected {}",
            row.name,
            target.dtype()
        );
        return Err(PyRuntimeError::new_err(what));
    }
    let result = eager::call1(&op, &refs).or_raise()?;
    if result.shape() != target.shape() {
        let what = format!(
            "{}: the result does not fit in place, expected {}, got {}",
            row.name,
            target.shape(),
            result.shape()
        );
        return Err(PyRuntimeError::new_err(what));
    }
    eager::assign(target, &result).or_raise()
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
    args.iter().map(|arg| Operand::of(row.name, arg)).collect()
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
        apply_into(self.0, target, &given)?;
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
    let (Some(a), Some(b)) = (Operand::read(a), Operand::read(b)) else {
        return Ok(py.NotImplemented());
    };
    let result = apply(py, row, &[a, b])?;
    Ok(Py::new(py, result)?.into_any())
}

/// `a ** 2` and the like: rows that need no second operand.
fn power_row(exponent: f64) -> Option<&'static Row> {
    if exponent == 2.0 {
        Some(&rows::SQUARE)
    } else if exponent == 0.5 {
        Some(&rows::SQRT)
    } else {
        None
    }
}
