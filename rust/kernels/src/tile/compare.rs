//! Comparisons and logic of two operands: truth values, whatever the operands' dtype.

use super::TileSet;
use super::kernel::{Bi, Map2};
use crate::dtype::DType;

macro_rules! truths {
    ($($(#[$doc:meta])+ $set:ident, $op:ident($a:ident, $b:ident) => $e:expr;)+) => {
        $(struct $op;
        truths!(@ $op($a, $b) => $e; f32 f64 i32 i64 u8);
        $(#[$doc])+
        pub static $set: TileSet = TileSet::new()
            .with::<Map2<$op, u8, u8>>(DType::Bool)
            .with::<Map2<$op, u8, u8>>(DType::U8)
            .with::<Map2<$op, i32, u8>>(DType::I32)
            .with::<Map2<$op, i64, u8>>(DType::I64)
            .with::<Map2<$op, f32, u8>>(DType::F32)
            .with::<Map2<$op, f64, u8>>(DType::F64);)+
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

truths! {
    /// Whether a equals b.
    EQ, Eq(a, b) => a == b;
    /// Whether a differs from b.
    NE, Ne(a, b) => a != b;
    /// Whether a is less than b.
    LT, Lt(a, b) => a < b;
    /// Whether a is at most b.
    LE, Le(a, b) => a <= b;
    /// Whether a is greater than b.
    GT, Gt(a, b) => a > b;
    /// Whether a is at least b.
    GE, Ge(a, b) => a >= b;
    /// Whether both are not zero.
    LOGICAL_AND, LogicalAnd(a, b) => (a != Default::default()) & (b != Default::default());
    /// Whether either is not zero.
    LOGICAL_OR, LogicalOr(a, b) => (a != Default::default()) | (b != Default::default());
    /// Whether one of the two is not zero.
    LOGICAL_XOR, LogicalXor(a, b) => (a != Default::default()) ^ (b != Default::default());
}
