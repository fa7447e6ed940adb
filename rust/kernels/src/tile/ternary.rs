//! Instructions of three operands.

use super::TileSet;
use super::kernel::{Map3, Tri};
use crate::complex::Complex;
use crate::dtype::DType;

struct Where;

impl<T> Tri<u8, T> for Where {
    #[inline(always)]
    fn f(condition: u8, a: T, b: T) -> T {
        if condition != 0 { a } else { b }
    }
}

struct Clamp;

macro_rules! clamp {
    ($($t:ty => |$x:ident, $low:ident, $high:ident| $e:expr),+) => {
        $(impl Tri<$t, $t> for Clamp {
            #[inline(always)]
            fn f($x: $t, $low: $t, $high: $t) -> $t {
                $e
            }
        })+
    };
}

clamp!(
    f32 => |x, low, high| {
        let x = if x < low || low.is_nan() { low } else { x };
        if x > high || (high.is_nan() && !x.is_nan()) { high } else { x }
    },
    f64 => |x, low, high| {
        let x = if x < low || low.is_nan() { low } else { x };
        if x > high || (high.is_nan() && !x.is_nan()) { high } else { x }
    },
    i32 => |x, low, high| x.max(low).min(high),
    i64 => |x, low, high| x.max(low).min(high),
    u8 => |x, low, high| x.max(low).min(high),
    u64 => |x, low, high| x.max(low).min(high)
);

/// The second operand where the first (truth values) holds, else the third.
pub static WHERE: TileSet = TileSet::new()
    .with::<Map3<Where, u8, u8>>(DType::Bool)
    .with::<Map3<Where, u8, u8>>(DType::U8)
    .with::<Map3<Where, u8, i32>>(DType::I32)
    .with::<Map3<Where, u8, i64>>(DType::I64)
    .with::<Map3<Where, u8, f32>>(DType::F32)
    .with::<Map3<Where, u8, f64>>(DType::F64)
    .moving::<Map3<Where, u8, u8>>(DType::I8, &[DType::U8, DType::I8, DType::I8])
    .moving::<Map3<Where, u8, u16>>(DType::I16, &[DType::U8, DType::I16, DType::I16])
    .moving::<Map3<Where, u8, u16>>(DType::U16, &[DType::U8, DType::U16, DType::U16])
    .moving::<Map3<Where, u8, u16>>(DType::F16, &[DType::U8, DType::F16, DType::F16])
    .moving::<Map3<Where, u8, u16>>(DType::BF16, &[DType::U8, DType::BF16, DType::BF16])
    .moving::<Map3<Where, u8, i32>>(DType::U32, &[DType::U8, DType::U32, DType::U32])
    .moving::<Map3<Where, u8, i64>>(DType::U64, &[DType::U8, DType::U64, DType::U64])
    .moving::<Map3<Where, u8, i64>>(DType::C64, &[DType::U8, DType::C64, DType::C64])
    .lean::<Map3<Where, u8, Complex<f64>>>(DType::C128);

/// min(max(x, low), high); NaN if any of them is.
pub static CLAMP: TileSet = TileSet::new()
    .with::<Map3<Clamp, u8, u8>>(DType::U8)
    .with::<Map3<Clamp, i32, i32>>(DType::I32)
    .with::<Map3<Clamp, i64, i64>>(DType::I64)
    .with::<Map3<Clamp, f32, f32>>(DType::F32)
    .with::<Map3<Clamp, f64, f64>>(DType::F64)
    .lean::<Map3<Clamp, u64, u64>>(DType::U64)
    .halves::<Map3<Clamp, f32, f32>>()
    .narrow_ints::<Map3<Clamp, i32, i32>, Map3<Clamp, i64, i64>>();
