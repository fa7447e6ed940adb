//! What the row kernels need from floating-point elements, and the way from a dtype to a type.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, Neg, Sub};

use crate::dtype::Element;
use crate::half::{BF16, F16};
use crate::math::{double, single};

/// A floating-point number that is computed with.
pub(crate) trait Float:
    Stored<Wide = Self>
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + DivAssign
    + Sum
    + Into<f64>
{
    const ZERO: Self;
    const ONE: Self;
    const NEG_INFINITY: Self;
    fn from_f64(x: f64) -> Self;
    fn sqrt(self) -> Self;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
}

/// A floating-point element: loaded, computed with as a [`Stored::Wide`], and rounded once
/// when it is stored.
pub(crate) trait Stored: Element {
    /// What it is computed in.
    type Wide: Float;
    /// Whether that is the element itself, so that results may wait where they will be.
    const DIRECT: bool;
    /// The same number.
    fn load(self) -> Self::Wide;
    /// The nearest element.
    fn store(x: Self::Wide) -> Self;
}

macro_rules! float {
    ($t:ty, $exp:path, $ln:path) => {
        impl Stored for $t {
            type Wide = $t;
            const DIRECT: bool = true;
            #[inline(always)]
            fn load(self) -> $t {
                self
            }
            #[inline(always)]
            fn store(x: $t) -> $t {
                x
            }
        }

        impl Float for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = <$t>::NEG_INFINITY;
            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $ln(self)
            }
        }
    };
}

float!(f32, single::exp, single::log);
float!(f64, double::exp, double::log);

macro_rules! half {
    ($($t:ty)+) => {$(
        impl Stored for $t {
            type Wide = f32;
            const DIRECT: bool = false;
            #[inline(always)]
            fn load(self) -> f32 {
                self.to_f32()
            }
            #[inline(always)]
            fn store(x: f32) -> $t {
                <$t>::from_f32(x)
            }
        }
    )+};
}

half!(F16 BF16);

/// Calls a generic function with the Rust type of a float dtype.
macro_rules! with_float {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::dtype::DType::F16 => {
                type $T = $crate::half::F16;
                $body
            }
            $crate::dtype::DType::BF16 => {
                type $T = $crate::half::BF16;
                $body
            }
            $crate::dtype::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::dtype::DType::F64 => {
                type $T = f64;
                $body
            }
            other => panic!("a float dtype, got {other}"),
        }
    };
}

/// Calls a generic function with the Rust type of a whole dtype.
macro_rules! with_whole {
    ($dtype:expr, $T:ident => $body:expr) => {
        $crate::float::with_whole!($dtype, $T => $body; other => panic!("a whole dtype, got {other}"))
    };
    ($dtype:expr, $T:ident => $body:expr; $($rest:tt)*) => {
        match $dtype {
            $crate::dtype::DType::U8 | $crate::dtype::DType::Bool => {
                type $T = u8;
                $body
            }
            $crate::dtype::DType::I8 => {
                type $T = i8;
                $body
            }
            $crate::dtype::DType::I16 => {
                type $T = i16;
                $body
            }
            $crate::dtype::DType::I32 => {
                type $T = i32;
                $body
            }
            $crate::dtype::DType::I64 => {
                type $T = i64;
                $body
            }
            $crate::dtype::DType::U16 => {
                type $T = u16;
                $body
            }
            $crate::dtype::DType::U32 => {
                type $T = u32;
                $body
            }
            $crate::dtype::DType::U64 => {
                type $T = u64;
                $body
            }
            $($rest)*
        }
    };
}

/// Calls a generic function with the Rust type of a dtype whose elements have an order.
macro_rules! with_ordered {
    ($dtype:expr, $T:ident => $body:expr) => {
        $crate::float::with_ordered!(
            $dtype, $T => $body; other => panic!("a dtype with an order, got {other}"))
    };
    ($dtype:expr, $T:ident => $body:expr; $($rest:tt)*) => {
        $crate::float::with_whole!($dtype, $T => $body;
            $crate::dtype::DType::F16 => {
                type $T = $crate::half::F16;
                $body
            }
            $crate::dtype::DType::BF16 => {
                type $T = $crate::half::BF16;
                $body
            }
            $crate::dtype::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::dtype::DType::F64 => {
                type $T = f64;
                $body
            }
            $($rest)*
        )
    };
}

/// Calls a generic function with the Rust type of any dtype.
macro_rules! with_element {
    ($dtype:expr, $T:ident => $body:expr) => {
        $crate::float::with_ordered!($dtype, $T => $body;
            $crate::dtype::DType::C64 => {
                type $T = $crate::complex::Complex<f32>;
                $body
            }
            $crate::dtype::DType::C128 => {
                type $T = $crate::complex::Complex<f64>;
                $body
            }
        )
    };
}

pub(crate) use {with_element, with_float, with_ordered, with_whole};
