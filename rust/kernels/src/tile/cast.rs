//! Conversions between dtypes.

use super::kernel::{Map1, Un};
use super::{Tile, Versions};
use crate::complex::Complex;
use crate::cpu::{Isa, isa};
use crate::dtype::{DType, Element};
use crate::half::{BF16, F16};

struct To;

macro_rules! to {
    ($(|$x:ident: $from:ty| $($to:ty)+ => $e:expr;)+) => {
        $($(impl Un<$from, $to> for To {
            #[inline(always)]
            fn f($x: $from) -> $to {
                $e as $to
            }
        })+)+
    };
}

/// From and to halves, by way of `f32`; from and to complex numbers, by the real part.
macro_rules! around {
    ($($from:ty)+) => {$(
        impl Un<$from, F16> for To {
            #[inline(always)]
            fn f(x: $from) -> F16 {
                F16::from_f32(<To as Un<$from, f32>>::f(x))
            }
        }
        impl Un<$from, BF16> for To {
            #[inline(always)]
            fn f(x: $from) -> BF16 {
                BF16::from_f32(<To as Un<$from, f32>>::f(x))
            }
        }
        impl Un<$from, Complex<f32>> for To {
            #[inline(always)]
            fn f(x: $from) -> Complex<f32> {
                Complex { re: <To as Un<$from, f32>>::f(x), im: 0.0 }
            }
        }
        impl Un<$from, Complex<f64>> for To {
            #[inline(always)]
            fn f(x: $from) -> Complex<f64> {
                Complex { re: <To as Un<$from, f64>>::f(x), im: 0.0 }
            }
        }
    )+};
}

macro_rules! complex {
    ($($from:ty)+) => {$(
        impl Un<$from, F16> for To {
            #[inline(always)]
            fn f(x: $from) -> F16 {
                F16::from_f32(x.re as f32)
            }
        }
        impl Un<$from, BF16> for To {
            #[inline(always)]
            fn f(x: $from) -> BF16 {
                BF16::from_f32(x.re as f32)
            }
        }
        impl Un<$from, Complex<f32>> for To {
            #[inline(always)]
            fn f(x: $from) -> Complex<f32> {
                Complex { re: x.re as f32, im: x.im as f32 }
            }
        }
        impl Un<$from, Complex<f64>> for To {
            #[inline(always)]
            fn f(x: $from) -> Complex<f64> {
                Complex { re: x.re.into(), im: x.im.into() }
            }
        }
    )+};
}

macro_rules! numbers {
    ($m:ident!) => {
        $m! {
            |x: u8| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: i8| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: i16| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: i32| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: i64| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: u16| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: u32| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: u64| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: f32| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: f64| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x;
            |x: F16| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x.to_f32();
            |x: BF16| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x.to_f32();
            |x: Complex<f32>| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x.re;
            |x: Complex<f64>| u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 => x.re;
        }
    };
}

numbers!(to!);
around!(u8 i8 i16 i32 i64 u16 u32 u64 f32 f64 F16 BF16);
complex!(Complex<f32> Complex<f64>);

struct Truth;

impl<T: Default + PartialEq> Un<T, u8> for Truth {
    #[inline(always)]
    fn f(x: T) -> u8 {
        u8::from(x != T::default())
    }
}

/// What stays in its dtype keeps its bits.
struct Same;

impl<T> Un<T, T> for Same {
    #[inline(always)]
    fn f(x: T) -> T {
        x
    }
}

/// The conversions of one dtype, by the dtype of the result.
type Targets = [Versions; DType::COUNT];

const fn row<T: Element + Default>(from: DType, common: bool) -> Targets
where
    To: Un<T, u8> + Un<T, i8> + Un<T, i16> + Un<T, i32> + Un<T, i64> + Un<T, u16> + Un<T, u32>,
    To: Un<T, u64> + Un<T, F16> + Un<T, BF16> + Un<T, f32> + Un<T, f64>,
    To: Un<T, Complex<f32>> + Un<T, Complex<f64>>,
{
    let mut row = [Versions::lean::<Map1<Truth, T, u8>>(); DType::COUNT];
    macro_rules! set {
        ($get:ident: $($dtype:ident $to:ty)+) => {
            $(row[DType::$dtype as usize] = Versions::$get::<Map1<To, T, $to>>();)+
        };
    }
    set!(lean: I8 i8 I16 i16 U16 u16 U32 u32 U64 u64 F16 F16 BF16 BF16);
    set!(lean: C64 Complex<f32> C128 Complex<f64>);
    if common {
        row[DType::Bool as usize] = Versions::of::<Map1<Truth, T, u8>>();
        set!(of: U8 u8 I32 i32 I64 i64 F32 f32 F64 f64);
    } else {
        set!(lean: U8 u8 I32 i32 I64 i64 F32 f32 F64 f64);
    }
    if !matches!(from, DType::Bool) {
        row[from as usize] = Versions::of::<Map1<Same, T, T>>();
    }
    row
}

static CASTS: [Targets; DType::COUNT] = {
    let mut casts = [row::<u8>(DType::Bool, true); DType::COUNT];
    macro_rules! set {
        ($common:literal: $($dtype:ident $t:ty)+) => {
            $(casts[DType::$dtype as usize] = row::<$t>(DType::$dtype, $common);)+
        };
    }
    set!(true: U8 u8 I32 i32 I64 i64 F32 f32 F64 f64);
    set!(false: I8 i8 I16 i16 U16 u16 U32 u32 U64 u64 F16 F16 BF16 BF16);
    set!(false: C64 Complex<f32> C128 Complex<f64>);
    casts
};

/// The tile that converts `from` to `to`. Floats become integers by truncation and
/// saturation (NaN becomes 0), integers narrow by dropping bits, complex numbers lose their
/// imaginary part, and truth values are what is not zero. Whatever becomes a float of sixteen
/// bits is a `f32` on the way.
pub fn cast(from: DType, to: DType) -> Tile {
    cast_for(from, to, isa())
}

/// [`cast`] for a given instruction set.
pub(super) fn cast_for(from: DType, to: DType, isa: Isa) -> Tile {
    CASTS[from as usize][to as usize].get(isa)
}
