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
fn range(dtype: DType) -> Option<(i128, i128)> {
    if dtype == DType::Bool || !dtype.is_whole() {
        return None;
    }
    let bits = 8 * dtype.size() as u32;
    Some(if dtype.is_signed() {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    } else {
        (0, (1 << bits) - 1)
    })
}

/// A number without its fraction.
fn whole(number: Scalar) -> i128 {
    match number {
        Scalar::Bool(b) => i128::from(b),
        Scalar::Int(i) => i128::from(i),
        Scalar::Uint(u) => i128::from(u),
        Scalar::Float(f) | Scalar::Complex(f, _) => f as i128,
    }
}

#[cold]
fn refuse(op: &str, number: Scalar, dtype: DType) -> Error {
    let (low, high) = range(dtype).unwrap_or_default();
    let got = match number {
        Scalar::Float(f) => f.to_string(),
        Scalar::Bool(_) | Scalar::Int(_) | Scalar::Uint(_) => whole(number).to_string(),
        Scalar::Complex(..) => number.to_string(),
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
        Scalar::Int(_) | Scalar::Uint(_) => (low..=high).contains(&whole(number)),
        // The end of int64 is no float, but the next number is.
        Scalar::Float(f) => f.trunc() >= low as f64 && f.trunc() < high as f64 + 1.0,
        Scalar::Complex(..) => false,
    };
    if fits { Ok(()) } else { Err(refuse(op, number, dtype)) }
}

/// What becomes of `number` as operand `i` of `row`, which would compute in `dtype`: as
/// [`Unfit`] says.
pub fn number(row: &Row, i: usize, number: Scalar, dtype: DType) -> Result<Fit> {
    let Some((low, high)) = range(dtype) else { return Ok(Fit::As(number)) };
    let n = whole(number);
    if i == 1 && n < 0 && std::ptr::eq(row, &rows::POW) {
        return Err(negative_power(n));
    }
    if (low..=high).contains(&n) {
        return Ok(Fit::As(number));
    }
    // Of clamp's limits the last is the upper one.
    let upper = row.name != "clamp_min" && i + 1 == row.arity;
    match row.unfit {
        Unfit::Wrap if i64::try_from(n).is_ok() => Ok(Fit::As(number)),
        Unfit::Widen if i64::try_from(n).is_ok() && dtype != DType::U64 => Ok(Fit::Widen),
        Unfit::Limit if n > high && upper => Ok(Fit::As(limit(high))),
        Unfit::Limit if n < low && !upper => Ok(Fit::As(limit(low))),
        Unfit::Limit | Unfit::Refuse | Unfit::Wrap | Unfit::Widen => {
            Err(refuse(row.name, number, dtype))
        }
    }
}

/// An end of a range.
fn limit(n: i128) -> Scalar {
    i64::try_from(n).map_or(Scalar::Uint(u64::MAX), Scalar::Int)
}

#[cold]
fn negative_power(n: i128) -> Error {
    let what = format_args!(
        "whole numbers to negative powers are not whole, expected an exponent of at least 0, got \
         {n}. Use a float exponent"
    );
    Error::runtime(rows::POW.name, what)
}
