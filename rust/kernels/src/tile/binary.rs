//! Arithmetic of two operands of one dtype.

use super::TileSet;
use super::kernel::{Bi, Map2};
use crate::complex::Complex;
use crate::dtype::DType;
use crate::math::Real;

/// `ops!(type; Name(a, b) => expression; …)`: functions for one type.
macro_rules! ops {
    ($t:ty; $($op:ident($a:ident, $b:ident) => $e:expr;)+) => {
        $(impl Bi<$t, $t> for $op {
            #[inline(always)]
            fn f($a: $t, $b: $t) -> $t {
                $e
            }
        })+
    };
}

macro_rules! names {
    ($($op:ident)+) => {
        $(pub(crate) struct $op;)+
    };
}
names!(Add Sub Mul Div Max Min ClampMin ClampMax Remainder FloorDivide TruncDivide LeakyRelu Elu
    Atan2 BinaryCrossEntropy And Or Xor);

macro_rules! float_ops {
    ($t:ident) => {
        ops! { $t;
            Add(a, b) => a + b;
            Sub(a, b) => a - b;
            Mul(a, b) => a * b;
            Div(a, b) => a / b;
            Max(a, b) => {
                let larger = if a > b { a } else { b };
                // Equal numbers have equal bits but for the zeros, where +0 is the larger.
                let equal = $t::from_bits(a.to_bits() & b.to_bits());
                let larger = if a == b { equal } else { larger };
                if a.is_nan() { a } else { larger }
            };
            Min(a, b) => {
                let smaller = if a < b { a } else { b };
                let equal = $t::from_bits(a.to_bits() | b.to_bits());
                let smaller = if a == b { equal } else { smaller };
                if a.is_nan() { a } else { smaller }
            };
            ClampMin(x, low) => if x < low || low.is_nan() { low } else { x };
            ClampMax(x, high) => if x > high || (high.is_nan() && !x.is_nan()) { high } else { x };
            TruncDivide(a, b) => (a / b).trunc();
            BinaryCrossEntropy(p, t) => {
                let (yes, no) = (Real::log(p), Real::log1p(-p));
                let yes = if yes < -100.0 { -100.0 } else { yes };
                let no = if no < -100.0 { -100.0 } else { no };
                (t - 1.0) * no - t * yes
            };
            Remainder(a, b) => {
                let m = a % b;
                if m != 0.0 && (m < 0.0) != (b < 0.0) { m + b } else { m }
            };
            FloorDivide(a, b) => {
                let m = a % b;
                let down = m != 0.0 && (m < 0.0) != (b < 0.0);
                let q = (a - m) / b - if down { 1.0 } else { 0.0 };
                let floor = q.floor();
                let floor = if q - floor > 0.5 { floor + 1.0 } else { floor };
                let floor = if q == 0.0 { (0.0 as $t).copysign(a / b) } else { floor };
                if b == 0.0 { a / b } else { floor }
            };
            LeakyRelu(x, slope) => if x > 0.0 { x } else { x * slope };
            Elu(x, alpha) => {
                // Of a large x, e^x - 1 would overflow; it is not wanted there.
                let low = if x > 0.0 { 0.0 } else { x };
                if x > 0.0 { x } else { low.expm1() * alpha }
            };
        }
    };
}
float_ops!(f32);
float_ops!(f64);
ops! { f32; Atan2(y, x) => f64::from(y).atan2(f64::from(x)) as f32; }
ops! { f64; Atan2(y, x) => y.atan2(x); }

macro_rules! int_ops {
    ($t:ident) => {
        ops! { $t;
            Add(a, b) => a.wrapping_add(b);
            Sub(a, b) => a.wrapping_sub(b);
            Mul(a, b) => a.wrapping_mul(b);
            Max(a, b) => a.max(b);
            Min(a, b) => a.min(b);
            ClampMin(x, low) => x.max(low);
            ClampMax(x, high) => x.min(high);
            And(a, b) => a & b;
            Or(a, b) => a | b;
            Xor(a, b) => a ^ b;
            Remainder(a, b) => {
                if b == 0 {
                    return 0;
                }
                let m = a.wrapping_rem(b);
                #[allow(unused_comparisons)]
                if m != 0 && (m < 0) != (b < 0) { m + b } else { m }
            };
            TruncDivide(a, b) => if b == 0 { 0 } else { a.wrapping_div(b) };
            FloorDivide(a, b) => {
                if b == 0 {
                    return 0;
                }
                let m = a.wrapping_rem(b);
                #[allow(unused_comparisons)]
                let down = m != 0 && (m < 0) != (b < 0);
                a.wrapping_div(b).wrapping_sub(<$t>::from(down))
            };
        }
    };
}
int_ops!(i32);
int_ops!(i64);
int_ops!(u8);
int_ops!(u64);

const fn floats<F: Bi<f32, f32> + Bi<f64, f64>>() -> TileSet {
    TileSet::new()
        .with::<Map2<F, f32, f32>>(DType::F32)
        .with::<Map2<F, f64, f64>>(DType::F64)
        .halves::<Map2<F, f32, f32>>()
}

/// A function that integers have.
trait Whole: Bi<i32, i32> + Bi<i64, i64> + Bi<u8, u8> + Bi<u64, u64> {}
impl<F: Bi<i32, i32> + Bi<i64, i64> + Bi<u8, u8> + Bi<u64, u64>> Whole for F {}

const fn ints<F: Whole>(set: TileSet) -> TileSet {
    set.with::<Map2<F, i32, i32>>(DType::I32)
        .with::<Map2<F, i64, i64>>(DType::I64)
        .with::<Map2<F, u8, u8>>(DType::U8)
        .lean::<Map2<F, u64, u64>>(DType::U64)
        .narrow_ints::<Map2<F, i32, i32>, Map2<F, i64, i64>>()
}

/// Numbers by `F`, truth values by `B`.
const fn all<F, B>() -> TileSet
where
    F: Bi<f32, f32> + Bi<f64, f64> + Whole,
    B: Bi<u8, u8>,
{
    ints::<F>(floats::<F>()).with::<Map2<B, u8, u8>>(DType::Bool)
}

const fn complex<F>(set: TileSet) -> TileSet
where
    F: Bi<Complex<f32>, Complex<f32>> + Bi<Complex<f64>, Complex<f64>>,
{
    set.lean::<Map2<F, Complex<f32>, Complex<f32>>>(DType::C64)
        .lean::<Map2<F, Complex<f64>, Complex<f64>>>(DType::C128)
}

const fn bits<F: Whole>() -> TileSet {
    ints::<F>(TileSet::new()).with::<Map2<F, u8, u8>>(DType::Bool)
}

macro_rules! complex_ops {
    ($t:ty) => {
        ops! { $t;
            Add(a, b) => a + b;
            Sub(a, b) => a - b;
            Mul(a, b) => a * b;
            Div(a, b) => a / b;
        }
    };
}

complex_ops!(Complex<f32>);
complex_ops!(Complex<f64>);

/// a + b; integers wrap, truth values are or-ed.
pub static ADD: TileSet = complex::<Add>(all::<Add, Or>());
/// a - b; integers wrap.
pub static SUB: TileSet = complex::<Sub>(ints::<Sub>(floats::<Sub>()));
/// a b; integers wrap, truth values are and-ed.
pub static MUL: TileSet = complex::<Mul>(all::<Mul, And>());
/// a / b.
pub static DIV: TileSet = complex::<Div>(floats::<Div>());
/// The larger; NaN if either is. +0 is larger than -0.
pub static MAXIMUM: TileSet = all::<Max, Or>();
/// The smaller; NaN if either is. -0 is smaller than +0.
pub static MINIMUM: TileSet = all::<Min, And>();
/// max(x, low); NaN if either is.
pub static CLAMP_MIN: TileSet = ints::<ClampMin>(floats::<ClampMin>());
/// min(x, high); NaN if either is.
pub static CLAMP_MAX: TileSet = ints::<ClampMax>(floats::<ClampMax>());
/// a - b ⌊a / b⌋, exact, with the sign of b. An integer's remainder by 0 is 0.
pub static REMAINDER: TileSet = ints::<Remainder>(floats::<Remainder>());
/// ⌊a / b⌋. An integer divided by 0 is 0.
pub static FLOOR_DIVIDE: TileSet = ints::<FloorDivide>(floats::<FloorDivide>());
/// a / b rounded towards 0. An integer divided by 0 is 0.
pub static TRUNC_DIVIDE: TileSet = ints::<TruncDivide>(floats::<TruncDivide>());
/// Cross entropy of probability a with target b; logarithms are at least -100.
pub static BINARY_CROSS_ENTROPY: TileSet = floats::<BinaryCrossEntropy>();
/// x where positive, else x times the second operand.
pub static LEAKY_RELU: TileSet = floats::<LeakyRelu>();
/// x where positive, else (e^x - 1) times the second operand.
pub static ELU: TileSet = floats::<Elu>();
/// The angle of the point (b, a), by the system's double-precision function.
pub static ATAN2: TileSet = floats::<Atan2>();
/// Bitwise and.
pub static AND: TileSet = bits::<And>();
/// Bitwise or.
pub static OR: TileSet = bits::<Or>();
/// Bitwise exclusive or.
pub static XOR: TileSet = bits::<Xor>();
