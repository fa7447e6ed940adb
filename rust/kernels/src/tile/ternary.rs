//! Instructions of three operands.

use super::TileSet;
use super::kernel::{Map3, Tri};
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
    u8 => |x, low, high| x.max(low).min(high)
);

/// The second operand where the first (truth values) holds, else the third.
pub static WHERE: TileSet = TileSet::new()
    .with::<Map3<Where, u8, u8>>(DType::Bool)
    .with::<Map3<Where, u8, u8>>(DType::U8)
    .with::<Map3<Where, u8, i32>>(DType::I32)
    .with::<Map3<Where, u8, i64>>(DType::I64)
    .with::<Map3<Where, u8, f32>>(DType::F32)
    .with::<Map3<Where, u8, f64>>(DType::F64);

/// min(max(x, low), high); NaN if any of them is.
pub static CLAMP: TileSet = TileSet::new()
    .with::<Map3<Clamp, u8, u8>>(DType::U8)
    .with::<Map3<Clamp, i32, i32>>(DType::I32)
    .with::<Map3<Clamp, i64, i64>>(DType::I64)
    .with::<Map3<Clamp, f32, f32>>(DType::F32)
    .with::<Map3<Clamp, f64, f64>>(DType::F64);
