//! Conversions between dtypes.

use super::kernel::{Map1, Un};
use super::{Tile, Versions};
use crate::cpu::{Isa, isa};
use crate::dtype::{DType, Element};

struct To;

macro_rules! to {
    ($($from:ident => $($to:ident)+;)+) => {
        $($(impl Un<$from, $to> for To {
            #[inline(always)]
            fn f(x: $from) -> $to {
                x as $to
            }
        })+)+
    };
}
to! {
    u8 => u8 i32 i64 f32 f64;
    i32 => u8 i32 i64 f32 f64;
    i64 => u8 i32 i64 f32 f64;
    f32 => u8 i32 i64 f32 f64;
    f64 => u8 i32 i64 f32 f64;
}

struct Truth;

impl<T: Default + PartialEq> Un<T, u8> for Truth {
    #[inline(always)]
    fn f(x: T) -> u8 {
        u8::from(x != T::default())
    }
}

/// The conversions of one dtype, by the dtype of the result.
type Targets = [Versions; DType::COUNT];

const fn row<T: Element + Default>() -> Targets
where
    To: Un<T, u8> + Un<T, i32> + Un<T, i64> + Un<T, f32> + Un<T, f64>,
{
    [
        Versions::of::<Map1<Truth, T, u8>>(),
        Versions::of::<Map1<To, T, u8>>(),
        Versions::of::<Map1<To, T, i32>>(),
        Versions::of::<Map1<To, T, i64>>(),
        Versions::of::<Map1<To, T, f32>>(),
        Versions::of::<Map1<To, T, f64>>(),
    ]
}

static CASTS: [Targets; DType::COUNT] =
    [row::<u8>(), row::<u8>(), row::<i32>(), row::<i64>(), row::<f32>(), row::<f64>()];

/// The tile that converts `from` to `to`. Floats become integers by truncation and
/// saturation (NaN becomes 0), integers narrow by dropping bits, and truth values are
/// what is not zero.
pub fn cast(from: DType, to: DType) -> Tile {
    cast_for(from, to, isa())
}

/// [`cast`] for a given instruction set.
pub(super) fn cast_for(from: DType, to: DType, isa: Isa) -> Tile {
    CASTS[from as usize][to as usize].get(isa)
}
