//! Comparisons and logic of two operands: truth values, whatever the operands' dtype.

use super::TileSet;
use super::kernel::{Bi, Map2};
use crate::complex::Complex;
use crate::dtype::DType;

macro_rules! truths {
    ($($(#[$doc:meta])+ $set:ident, $op:ident($a:ident, $b:ident) => $e:expr $(, $complex:ident)?;)+) => {
        $(struct $op;
        truths!(@ $op($a, $b) => $e; f32 f64 i32 i64 u8 u64);
        $(#[$doc])+
        pub static $set: TileSet = TileSet::new()
            .with::<Map2<$op, u8, u8>>(DType::Bool)
            .with::<Map2<$op, u8, u8>>(DType::U8)
            .with::<Map2<$op, i32, u8>>(DType::I32)
            .with::<Map2<$op, i64, u8>>(DType::I64)
            .with::<Map2<$op, f32, u8>>(DType::F32)
            .with::<Map2<$op, f64, u8>>(DType::F64)
            .lean::<Map2<$op, u64, u8>>(DType::U64)
            .halves::<Map2<$op, f32, u8>>()
            .narrow_ints::<Map2<$op, i32, u8>, Map2<$op, i64, u8>>()
            $(.$complex::<$op>())?;)+
    };
    (@ $op:ident($a:ident, $b:ident) => $e:expr; $t:ident $($rest:ident)*) => {
        impl Bi<$t, u8> for $op {
            #[inline(always)]
            fn f($a: $t, $b: $t) -> u8 {
                u8::from($e)
            }
        }
        truths!(@ $op($a, $b) => $e; $($rest)*);
    };
    (@ $op:ident($a:ident, $b:ident) => $e:expr;) => {};
}

impl TileSet {
    /// Adds the comparison for complex numbers.
    const fn complex_truths<F>(self) -> TileSet
    where
        F: Bi<Complex<f32>, u8> + Bi<Complex<f64>, u8>,
    {
        self.lean::<Map2<F, Complex<f32>, u8>>(DType::C64)
            .lean::<Map2<F, Complex<f64>, u8>>(DType::C128)
    }
}

macro_rules! complex_truths {
    ($($op:ident($a:ident, $b:ident) => $e:expr;)+) => {
        $(complex_truths!(@ $op($a, $b) => $e; Complex<f32>);
        complex_truths!(@ $op($a, $b) => $e; Complex<f64>);)+
    };
    (@ $op:ident($a:ident, $b:ident) => $e:expr; $t:ty) => {
        impl Bi<$t, u8> for $op {
            #[inline(always)]
            fn f($a: $t, $b: $t) -> u8 {
                u8::from($e)
            }
        }
    };
}

complex_truths! {
    Eq(a, b) => a == b;
    Ne(a, b) => a != b;
    LogicalAnd(a, b) => (a != Default::default()) & (b != Default::default());
    LogicalOr(a, b) => (a != Default::default()) | (b != Default::default());
    LogicalXor(a, b) => (a != Default::default()) ^ (b != Default::default());
}

truths! {
    /// Whether a equals b.
    EQ, Eq(a, b) => a == b, complex_truths;
    /// Whether a differs from b.
    NE, Ne(a, b) => a != b, complex_truths;
    /// Whether a is less than b.
    LT, Lt(a, b) => a < b;
    /// Whether a is at most b.
    LE, Le(a, b) => a <= b;
    /// Whether a is greater than b.
    GT, Gt(a, b) => a > b;
    /// Whether a is at least b.
    GE, Ge(a, b) => a >= b;
    /// Whether both are not zero.
    LOGICAL_AND, LogicalAnd(a, b) => (a != Default::default()) & (b != Default::default()), complex_truths;
    /// Whether either is not zero.
    LOGICAL_OR, LogicalOr(a, b) => (a != Default::default()) | (b != Default::default()), complex_truths;
    /// Whether one of the two is not zero.
    LOGICAL_XOR, LogicalXor(a, b) => (a != Default::default()) ^ (b != Default::default()), complex_truths;
}
