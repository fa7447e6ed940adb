//! Instructions of one operand.

use super::TileSet;
use super::kernel::{Map1, Un};
use crate::complex::Complex;
use crate::dtype::DType;
use crate::half::{BF16, F16};
use crate::math::Real;

/// `op!(Name: type => expression, …)`: a function of `x` for each type.
macro_rules! op {
    ($op:ident($x:ident): $($t:ty => $e:expr),+ $(,)?) => {
        pub(crate) struct $op;
        $(impl Un<$t, $t> for $op {
            #[inline(always)]
            fn f($x: $t) -> $t {
                $e
            }
        })+
    };
}

/// The sign of a float of sixteen bits.
const SIGN_BIT: u16 = 0x8000;

op!(Conj(x): f32 => x, f64 => x, Complex<f32> => x.conj(), Complex<f64> => x.conj());

impl Un<Complex<f32>, f32> for Abs {
    #[inline(always)]
    fn f(x: Complex<f32>) -> f32 {
        x.abs()
    }
}

impl Un<Complex<f64>, f64> for Abs {
    #[inline(always)]
    fn f(x: Complex<f64>) -> f64 {
        x.abs()
    }
}

/// A function of `x` that both float types have.
macro_rules! real_op {
    ($op:ident: $f:ident) => {
        op!($op(x): f32 => Real::$f(x), f64 => Real::$f(x));
    };
}

op!(Neg(x): f32 => -x, f64 => -x, i32 => x.wrapping_neg(), i64 => x.wrapping_neg(),
    u8 => x.wrapping_neg(), u64 => x.wrapping_neg(), F16 => F16::from_bits(x.to_bits() ^ SIGN_BIT),
    BF16 => BF16::from_bits(x.to_bits() ^ SIGN_BIT), Complex<f32> => -x, Complex<f64> => -x);
op!(Abs(x): f32 => x.abs(), f64 => x.abs(), i32 => x.wrapping_abs(), i64 => x.wrapping_abs(),
    u8 => x, u64 => x, F16 => F16::from_bits(x.to_bits() & !SIGN_BIT),
    BF16 => BF16::from_bits(x.to_bits() & !SIGN_BIT));
op!(Sign(x): f32 => sign_f32(x), f64 => sign_f64(x), i32 => x.signum(), i64 => x.signum(),
    u8 => x.min(1), u64 => x.min(1));
op!(Square(x): f32 => x * x, f64 => x * x, i32 => x.wrapping_mul(x), i64 => x.wrapping_mul(x),
    u8 => x.wrapping_mul(x), u64 => x.wrapping_mul(x), Complex<f32> => x * x,
    Complex<f64> => x * x);
op!(Floor(x): f32 => x.floor(), f64 => x.floor(), i32 => x, i64 => x, u8 => x, u64 => x);
op!(Ceil(x): f32 => x.ceil(), f64 => x.ceil(), i32 => x, i64 => x, u8 => x, u64 => x);
op!(Round(x): f32 => x.round_ties_even(), f64 => x.round_ties_even(), i32 => x, i64 => x,
    u8 => x, u64 => x);
op!(Trunc(x): f32 => x.trunc(), f64 => x.trunc(), i32 => x, i64 => x, u8 => x, u64 => x);
op!(Relu(x): f32 => if x <= 0.0 { 0.0 } else { x }, f64 => if x <= 0.0 { 0.0 } else { x },
    i32 => x.max(0), i64 => x.max(0), u8 => x, u64 => x);
op!(Sqrt(x): f32 => x.sqrt(), f64 => x.sqrt());
op!(Rsqrt(x): f32 => 1.0 / x.sqrt(), f64 => 1.0 / x.sqrt());
op!(Reciprocal(x): f32 => 1.0 / x, f64 => 1.0 / x);
real_op!(Exp: exp);
real_op!(Expm1: expm1);
real_op!(Log: log);
real_op!(Log1p: log1p);
real_op!(Tanh: tanh);
real_op!(Sigmoid: sigmoid);
real_op!(Erf: erf);
real_op!(Gelu: gelu);
real_op!(GeluTanh: gelu_tanh);
real_op!(Silu: silu);
real_op!(Softplus: softplus);

#[inline(always)]
fn sign_f32(x: f32) -> f32 {
    let s = if x > 0.0 { 1.0 } else { 0.0 };
    if x < 0.0 { -1.0 } else { s }
}

#[inline(always)]
fn sign_f64(x: f64) -> f64 {
    let s = if x > 0.0 { 1.0 } else { 0.0 };
    if x < 0.0 { -1.0 } else { s }
}

macro_rules! circular {
    ($op:ident, $f:ident, $far:ident) => {
        struct $op;
        impl<T: Real> Un<T, T> for $op {
            #[inline(always)]
            fn f(x: T) -> T {
                x.$f()
            }
            #[inline(always)]
            fn rare(x: &T) -> bool {
                x.far()
            }
            #[inline(always)]
            fn slow(x: T) -> T {
                x.$far()
            }
            const HAS_RARE: bool = true;
        }
    };
}
circular!(Sin, sin, sin_far);
circular!(Cos, cos, cos_far);

/// A test of one number.
macro_rules! test {
    ($op:ident($x:ident): $($t:ty),+ => $e:expr) => {
        struct $op;
        $(impl Un<$t, u8> for $op {
            #[inline(always)]
            fn f($x: $t) -> u8 {
                u8::from($e)
            }
        })+
    };
}
test!(IsNan(x): f32, f64 => x.is_nan());
test!(IsInf(x): f32, f64 => x.is_infinite());
test!(IsFinite(x): f32, f64 => x.is_finite());
test!(Not(x): f32, f64, i32, i64, u8, u64, Complex<f32>, Complex<f64> => x == Default::default());

const fn floats<F: Un<f32, f32> + Un<f64, f64>>() -> TileSet {
    TileSet::new()
        .with::<Map1<F, f32, f32>>(DType::F32)
        .with::<Map1<F, f64, f64>>(DType::F64)
        .halves::<Map1<F, f32, f32>>()
}

const fn numbers<F>() -> TileSet
where
    F: Un<f32, f32> + Un<f64, f64> + Un<i32, i32> + Un<i64, i64> + Un<u8, u8> + Un<u64, u64>,
{
    floats::<F>()
        .with::<Map1<F, i32, i32>>(DType::I32)
        .with::<Map1<F, i64, i64>>(DType::I64)
        .with::<Map1<F, u8, u8>>(DType::U8)
        .lean::<Map1<F, u64, u64>>(DType::U64)
        .narrow_ints::<Map1<F, i32, i32>, Map1<F, i64, i64>>()
}

/// Numbers whose bits a function of the sign alone changes.
const fn signs<F>() -> TileSet
where
    F: Un<f32, f32> + Un<f64, f64> + Un<i32, i32> + Un<i64, i64> + Un<u8, u8> + Un<u64, u64>,
    F: Un<F16, F16> + Un<BF16, BF16>,
{
    numbers::<F>().lean::<Map1<F, F16, F16>>(DType::F16).lean::<Map1<F, BF16, BF16>>(DType::BF16)
}

const fn complex<F>(set: TileSet) -> TileSet
where
    F: Un<Complex<f32>, Complex<f32>> + Un<Complex<f64>, Complex<f64>>,
{
    set.lean::<Map1<F, Complex<f32>, Complex<f32>>>(DType::C64)
        .lean::<Map1<F, Complex<f64>, Complex<f64>>>(DType::C128)
}

const fn float_tests<F: Un<f32, u8> + Un<f64, u8>>() -> TileSet {
    TileSet::new()
        .with::<Map1<F, f32, u8>>(DType::F32)
        .with::<Map1<F, f64, u8>>(DType::F64)
        .halves::<Map1<F, f32, u8>>()
}

/// -x; integers wrap.
pub static NEG: TileSet = complex::<Neg>(signs::<Neg>());
/// |x|; integers wrap, complex numbers give real ones.
pub static ABS: TileSet = signs::<Abs>()
    .lean::<Map1<Abs, Complex<f32>, f32>>(DType::C64)
    .lean::<Map1<Abs, Complex<f64>, f64>>(DType::C128);
/// The conjugate of a complex number; a real one is its own.
pub static CONJ: TileSet = complex::<Conj>(floats::<Conj>());
/// -1, 0 or 1; 0 of NaN.
pub static SIGN: TileSet = numbers::<Sign>();
/// x²; integers wrap.
pub static SQUARE: TileSet = complex::<Square>(numbers::<Square>());
/// Largest integer not above x.
pub static FLOOR: TileSet = numbers::<Floor>();
/// Smallest integer not below x.
pub static CEIL: TileSet = numbers::<Ceil>();
/// Nearest integer, halves to even.
pub static ROUND: TileSet = numbers::<Round>();
/// The integer part.
pub static TRUNC: TileSet = numbers::<Trunc>();
/// max(x, 0); NaN stays.
pub static RELU: TileSet = numbers::<Relu>();
/// Square root, correctly rounded.
pub static SQRT: TileSet = floats::<Sqrt>();
/// 1 / √x within 1.5 ulp.
pub static RSQRT: TileSet = floats::<Rsqrt>();
/// 1 / x, correctly rounded.
pub static RECIPROCAL: TileSet = floats::<Reciprocal>();
/// See [`Real::exp`].
pub static EXP: TileSet = floats::<Exp>();
/// See [`Real::expm1`].
pub static EXPM1: TileSet = floats::<Expm1>();
/// See [`Real::log`].
pub static LOG: TileSet = floats::<Log>();
/// See [`Real::log1p`].
pub static LOG1P: TileSet = floats::<Log1p>();
/// See [`Real::sin`]; large arguments take a slow way.
pub static SIN: TileSet = floats::<Sin>();
/// See [`Real::cos`]; large arguments take a slow way.
pub static COS: TileSet = floats::<Cos>();
/// See [`Real::tanh`].
pub static TANH: TileSet = floats::<Tanh>();
/// See [`Real::sigmoid`].
pub static SIGMOID: TileSet = floats::<Sigmoid>();
/// See [`Real::erf`].
pub static ERF: TileSet = floats::<Erf>();
/// See [`Real::gelu`].
pub static GELU: TileSet = floats::<Gelu>();
/// See [`Real::gelu_tanh`].
pub static GELU_TANH: TileSet = floats::<GeluTanh>();
/// See [`Real::silu`].
pub static SILU: TileSet = floats::<Silu>();
/// See [`Real::softplus`].
pub static SOFTPLUS: TileSet = floats::<Softplus>();
/// Whether x is NaN.
pub static ISNAN: TileSet = float_tests::<IsNan>();
/// Whether x is infinite.
pub static ISINF: TileSet = float_tests::<IsInf>();
/// Whether x is neither NaN nor infinite.
pub static ISFINITE: TileSet = float_tests::<IsFinite>();
/// Whether x is zero.
pub static LOGICAL_NOT: TileSet = float_tests::<Not>()
    .with::<Map1<Not, i32, u8>>(DType::I32)
    .with::<Map1<Not, i64, u8>>(DType::I64)
    .with::<Map1<Not, u8, u8>>(DType::U8)
    .with::<Map1<Not, u8, u8>>(DType::Bool)
    .lean::<Map1<Not, u64, u8>>(DType::U64)
    .narrow_ints::<Map1<Not, i32, u8>, Map1<Not, i64, u8>>()
    .lean::<Map1<Not, Complex<f32>, u8>>(DType::C64)
    .lean::<Map1<Not, Complex<f64>, u8>>(DType::C128);
