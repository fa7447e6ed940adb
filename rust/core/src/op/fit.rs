//! Numbers that an integer dtype cannot hold.

use weft_kernels::{DType, Scalar};

use super::pointwise::{Row, Unfit, rows};
use crate::error::{Error, Result};

/// What becomes of a number among the operands of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// This number takes its place.
    As(Scalar),
    /// All operands become int64.
    Widen,
}

/// The least and the greatest element of an integer dtype; `None` where every number has one.
fn range(dtype: DType) -> Option<(i64, i64)> {
    match dtype {
        DType::U8 => Some((0, i64::from(u8::MAX))),
        DType::I32 => Some((i64::from(i32::MIN), i64::from(i32::MAX))),
        DType::I64 => Some((i64::MIN, i64::MAX)),
        DType::Bool | DType::F32 | DType::F64 => None,
    }
}

#[cold]
fn refuse(op: &str, number: Scalar, dtype: DType) -> Error {
    let (low, high) = range(dtype).unwrap_or_default();
    let got = match number {
        Scalar::Float(f) => f.to_string(),
        other => other.as_i64().to_string(),
    };
    let what = format_args!("number out of range, expected {low} to {high} for {dtype}, got {got}");
    Error::runtime(op, what)
}

/// Checks that an element of `dtype` can hold a number, after truncation of a real one. As in
/// torch, a negative number wraps among unsigned ones if its size has an element.
pub fn expect(op: &str, number: Scalar, dtype: DType) -> Result<()> {
    let Some((low, high)) = range(dtype) else { return Ok(()) };
    let low = if low == 0 { -high } else { low };
    let fits = match number {
        Scalar::Bool(_) => true,
        Scalar::Int(i) => (low..=high).contains(&i),
        // The end of int64 is no float, but the next number is.
        Scalar::Float(f) => f.trunc() >= low as f64 && f.trunc() < high as f64 + 1.0,
    };
    if fits { Ok(()) } else { Err(refuse(op, number, dtype)) }
}

/// What becomes of `number` as operand `i` of `row`, which would compute in `dtype`: as
/// [`Unfit`] says.
pub fn number(row: &Row, i: usize, number: Scalar, dtype: DType) -> Result<Fit> {
    let Some((low, high)) = range(dtype) else { return Ok(Fit::As(number)) };
    let n = number.as_i64();
    if i == 1 && n < 0 && std::ptr::eq(row, &rows::POW) {
        return Err(negative_power(n));
    }
    if (low..=high).contains(&n) {
        return Ok(Fit::As(number));
    }
    // Of clamp's limits the last is the upper one.
    let upper = row.name != "clamp_min" && i + 1 == row.arity;
    match row.unfit {
        Unfit::Wrap => Ok(Fit::As(number)),
        Unfit::Widen => Ok(Fit::Widen),
        Unfit::Limit if n > high && upper => Ok(Fit::As(Scalar::Int(high))),
        Unfit::Limit if n < low && !upper => Ok(Fit::As(Scalar::Int(low))),
        Unfit::Limit | Unfit::Refuse => Err(refuse(row.name, number, dtype)),
    }
}

#[cold]
fn negative_power(n: i64) -> Error {
    let what = format_args!(
        "whole numbers to negative powers are not whole, expected an exponent of at least 0, got \
         {n}. Use a float exponent"
    );
    Error::runtime(rows::POW.name, what)
}
