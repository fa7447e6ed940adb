//! Rows on operands of any dtype: tensors and numbers side by side.
//!
//! A number is no tensor. Its bytes stand on the stack where a tile reads them; only where
//! something must hold it (a recording, a node of the tape, a kernel of many strides) it becomes
//! a tensor without dimensions.

use smallvec::SmallVec;
use weft_kernels::chain::{self, Flat};
use weft_kernels::fill::One;
use weft_kernels::{DType, Layout, Scalar, Shape};

use super::{assign, call_into, call1, changed, in_order};
use crate::error::{Error, Result};
use crate::mode;
use crate::op::Op;
use crate::op::cast::Cast;
use crate::op::create::Create;
use crate::op::fit::{self, Fit};
use crate::op::pointwise::{Row, Unfit, rows};
use crate::op::promote::{Say, can_cast, result_type};
use crate::tape;
use crate::tensor::Tensor;

/// What floats become among integers, and integers in functions of real numbers.
const DEFAULT: DType = DType::F32;

/// A tensor or a number.
#[derive(Clone, Copy)]
pub enum Operand<'a> {
    /// A tensor.
    Tensor(&'a Tensor),
    /// A number.
    Number(Scalar),
}

type Operands<'a> = SmallVec<[Operand<'a>; 3]>;

impl<'a> Operand<'a> {
    /// The tensor that it is.
    fn as_tensor(&self) -> Option<&'a Tensor> {
        match *self {
            Operand::Tensor(tensor) => Some(tensor),
            Operand::Number(_) => None,
        }
    }

    /// It as a tensor; a number gets `dtype`, and wraps where it does not fit. An operation makes
    /// it, so that recordings see it.
    pub fn tensor(&self, dtype: DType) -> Result<Tensor> {
        match *self {
            Operand::Tensor(tensor) => Ok(tensor.clone()),
            Operand::Number(number) => {
                call1(&Op::Create(Create::full(Shape::SCALAR, dtype, number)), &[])
            }
        }
    }

    /// It as a tensor for operation `op`, which stores its elements in `dtype`; a number that
    /// does not fit is an error.
    pub fn stored(&self, op: &str, dtype: DType) -> Result<Tensor> {
        if let Operand::Number(number) = *self {
            fit::expect(op, number, dtype)?;
        }
        self.tensor(dtype)
    }

    /// Its dtype, and how much say it has in promotion.
    fn say(&self) -> (DType, Say) {
        match self {
            Operand::Tensor(t) if t.shape().is_empty() => (t.dtype(), Say::ZeroDim),
            Operand::Tensor(t) => (t.dtype(), Say::Dims),
            Operand::Number(Scalar::Bool(_)) => (DType::Bool, Say::Number),
            Operand::Number(Scalar::Int(_) | Scalar::Uint(_)) => (DType::I64, Say::Number),
            Operand::Number(Scalar::Float(_)) => (DType::F64, Say::Number),
            Operand::Number(Scalar::Complex(..)) => (DType::C128, Say::Number),
        }
    }
}

/// Applies a row to operands of any dtype, which meet as torch's do.
pub fn pointwise(row: &'static Row, given: &[Operand]) -> Result<Tensor> {
    let (row, given) = resolve(row, given);
    let op = Op::Pointwise(row);
    match *given {
        [Operand::Tensor(a)] if row.tile.supports(a.dtype()) => return call1(&op, &[a]),
        [Operand::Tensor(a), Operand::Tensor(b)]
            if a.dtype() == b.dtype() && row.tile.supports(a.dtype()) =>
        {
            return call1(&op, &[a, b]);
        }
        _ => {}
    }
    meet(row, given, |dtype, operands| match beside_numbers(row, dtype, operands)? {
        Some(output) => Ok(output),
        None => {
            let tensors = tensors(row, dtype, operands)?;
            let refs: SmallVec<[&Tensor; 3]> = tensors.iter().collect();
            call1(&op, &refs)
        }
    })
}

/// Applies a row to operands of any dtype and writes the result over `target`, the first of them
/// that is no condition. An error leaves it as it was.
pub fn pointwise_into(row: &'static Row, target: &Tensor, given: &[Operand]) -> Result<()> {
    let (row, given) = resolve(row, given);
    let op = Op::Pointwise(row);
    meet(row, given, |dtype, operands| {
        if dtype == target.dtype() && written_beside_numbers(row, target, operands) {
            return Ok(());
        }
        let tensors = tensors(row, dtype, operands)?;
        let refs: SmallVec<[&Tensor; 3]> = tensors.iter().collect();
        if dtype == target.dtype() {
            return call_into(&op, &refs, std::slice::from_ref(target));
        }
        if !can_cast(dtype, target.dtype()) {
            let what = format_args!(
                "the result is {dtype} and does not fit in place, expected {}",
                target.dtype()
            );
            return Err(Error::runtime(row.name, what));
        }
        let result = call1(&op, &refs)?;
        if result.shape() != target.shape() {
            let what = format_args!(
                "the result does not fit in place, expected {}, got {}",
                target.shape(),
                result.shape()
            );
            return Err(Error::runtime(row.name, what));
        }
        assign(target, &result)
    })
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
        && base.dtype().is_floating_point()
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

/// The dtype that `row` computes in.
fn compute_dtype(row: &Row, given: &[Operand]) -> Result<DType> {
    let dtype = meeting(row.name, given)?;
    let reals_only = row.tile.supports(DType::F32) && !row.tile.supports(DType::I64);
    Ok(if reals_only && dtype.is_whole() { DEFAULT } else { dtype })
}

/// The dtype in which operands of `op` meet.
pub fn meeting(op: &str, given: &[Operand]) -> Result<DType> {
    let says: SmallVec<[(DType, Say); 3]> = given.iter().map(Operand::say).collect();
    result_type(&says, DEFAULT).map_err(|apart| Error::runtime(op, apart))
}

/// Hands on the dtype that `row` computes in, and the operands with every tensor but a
/// condition converted to it and every number as it fits.
fn meet<T>(
    row: &'static Row,
    given: &[Operand],
    then: impl FnOnce(DType, &[Operand]) -> Result<T>,
) -> Result<T> {
    let skip = usize::from(row.condition);
    let mut dtype = compute_dtype(row, &given[skip..])?;
    let apart = |x: &Operand, dtype| x.as_tensor().is_some_and(|t| t.dtype() != dtype);
    if dtype.is_differentiable() && !given[skip..].iter().any(|x| apart(x, dtype)) {
        return then(dtype, given);
    }
    let mut operands: Operands = given.into();
    if dtype.is_whole() {
        dtype = fit_numbers(row, dtype, &mut operands)?;
    }
    let cast = |(i, x): (usize, &Operand)| match *x {
        Operand::Tensor(t) if i >= skip && t.dtype() != dtype => {
            call1(&Op::Cast(Cast { dtype }), &[t]).map(Some)
        }
        _ => Ok(None),
    };
    let casts: SmallVec<[Option<Tensor>; 3]> =
        operands.iter().enumerate().map(cast).collect::<Result<_>>()?;
    let ready = operands.iter().zip(&casts);
    let ready: Operands =
        ready.map(|(x, cast)| cast.as_ref().map_or(*x, Operand::Tensor)).collect();
    then(dtype, &ready)
}

/// Changes the numbers among the operands of `row`, which would compute in the integer `dtype`,
/// as they fit; returns the dtype to compute in.
fn fit_numbers(row: &Row, dtype: DType, operands: &mut [Operand]) -> Result<DType> {
    for (i, operand) in operands.iter_mut().enumerate().skip(usize::from(row.condition)) {
        let Operand::Number(number) = *operand else { continue };
        match fit::number(row, i, number, dtype)? {
            Fit::As(number) => *operand = Operand::Number(number),
            Fit::Widen => return Ok(DType::I64),
        }
    }
    Ok(dtype)
}

/// The dtype of operand `i` of a row that computes in `dtype`.
fn own_dtype(row: &Row, i: usize, dtype: DType) -> DType {
    if row.condition && i == 0 { DType::Bool } else { dtype }
}

/// All operands as tensors.
fn tensors(row: &Row, dtype: DType, given: &[Operand]) -> Result<SmallVec<[Tensor; 3]>> {
    given.iter().enumerate().map(|(i, x)| x.tensor(own_dtype(row, i, dtype))).collect()
}

/// Hands on what a tile reads where numbers stand beside tensors of one shape that lie in order,
/// together with one of the tensors. `None` where they do not, or somebody listens: then numbers
/// have to be tensors.
fn flat<T>(
    row: &Row,
    dtype: DType,
    given: &[Operand],
    then: impl FnOnce(&Tensor, &[Flat]) -> Option<T>,
) -> Option<T> {
    let first = given.iter().find_map(Operand::as_tensor)?;
    let apart = |(i, x): (usize, &Operand)| {
        x.as_tensor().is_some_and(|t| {
            t.dtype() != own_dtype(row, i, dtype)
                || t.shape() != first.shape()
                || !t.layout().is_contiguous()
        })
    };
    let checks_values = row.divides && dtype.is_whole();
    let fits = given.len() == row.arity && !checks_values && !mode::listening();
    if !fits || given.iter().enumerate().any(apart) {
        return None;
    }
    let one = |(i, x): (usize, &Operand)| match *x {
        Operand::Number(number) => Some(One::new(number, own_dtype(row, i, dtype))),
        Operand::Tensor(_) => None,
    };
    let ones: SmallVec<[Option<One>; 3]> = given.iter().enumerate().map(one).collect();
    let ins: SmallVec<[Flat; 3]> = given
        .iter()
        .zip(&ones)
        .filter_map(|(x, one)| one.as_ref().map(Flat::One).or(x.as_tensor().map(Tensor::flat)))
        .collect();
    then(first, &ins)
}

/// The result where numbers need not be tensors; on the tape they are.
fn beside_numbers(row: &'static Row, dtype: DType, given: &[Operand]) -> Result<Option<Tensor>> {
    let result = flat(row, dtype, given, |first, ins| {
        in_order(row, dtype, &Layout::contiguous(*first.shape()), ins)
    });
    let Some(output) = result else { return Ok(None) };
    let wanted = given.iter().filter_map(Operand::as_tensor).any(Tensor::requires_grad);
    if mode::grad_enabled() && wanted && output.dtype().is_differentiable() {
        let tensors = tensors(row, dtype, given)?;
        let refs: SmallVec<[&Tensor; 3]> = tensors.iter().collect();
        tape::push(&Op::Pointwise(row), &refs, std::slice::from_ref(&output))?;
    }
    Ok(Some(output))
}

/// Whether the result was written over `target`, where numbers need not be tensors and nobody
/// wants a gradient.
fn written_beside_numbers(row: &Row, target: &Tensor, given: &[Operand]) -> bool {
    let dtype = target.dtype();
    let meets = |t: &Tensor| {
        t.buffer().same(target.buffer()) && (t.layout(), t.dtype()) != (target.layout(), dtype)
    };
    let tensors = || given.iter().filter_map(Operand::as_tensor);
    let tracked = mode::grad_enabled() && tensors().any(Tensor::requires_grad);
    if row.out.of(dtype) != dtype || tracked || tensors().any(meets) {
        return false;
    }
    let written = flat(row, dtype, given, |first, ins| {
        let tile = row.tile.get(dtype)?;
        let fits = first.shape() == target.shape() && target.layout().is_contiguous();
        fits.then(|| chain::flat(tile, ins, target.span(), target.numel(), row.flops as usize))
    });
    if written.is_some() {
        changed(target, row.name);
    }
    written.is_some()
}
