//! Powers.

use std::marker::PhantomData;

use super::kernel::{Bi, Kernel, Map2, input, output};
use super::{Operand, TileSet};
use crate::dtype::{DType, Element};
use crate::math::{double, single};

/// A float type's powers.
trait Power: Copy + PartialEq {
    /// The exponents 2, 3, 1/2 and -1.
    const COMMON: [Self; 4];
    fn pow(self, y: Self) -> Self;
    fn root(self) -> Self;
    fn times(self, y: Self) -> Self;
    fn inverse(self) -> Self;
}

macro_rules! power {
    ($t:ty, $module:ident) => {
        impl Power for $t {
            const COMMON: [$t; 4] = [2.0, 3.0, 0.5, -1.0];
            #[inline(always)]
            fn pow(self, y: $t) -> $t {
                $module::pow(self, y)
            }
            #[inline(always)]
            fn root(self) -> $t {
                $module::root(self)
            }
            #[inline(always)]
            fn times(self, y: $t) -> $t {
                self * y
            }
            #[inline(always)]
            fn inverse(self) -> $t {
                1.0 / self
            }
        }
    };
}
power!(f32, single);
power!(f64, double);

struct FloatPow<T>(PhantomData<T>);

impl<T: Power + Element> Kernel for FloatPow<T> {
    const INS: &'static [DType] = &[T::DTYPE, T::DTYPE];
    const OUT: DType = T::DTYPE;
    #[inline(always)]
    unsafe fn run(ins: &[Operand], out: *mut u8, n: usize) {
        // SAFETY: the contract of `run`.
        let (x, y) = unsafe { (input::<T>(ins, 0, n), input::<T>(ins, 1, n)) };
        // SAFETY: as above.
        pow_run(x, y, unsafe { output::<T>(out, n) });
    }
}

#[inline(always)]
fn map<T: Copy>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(x);
    }
}

/// A run with one common exponent goes a shorter way to the same bits.
#[inline(always)]
fn pow_run<T: Power>(x: &[T], y: &[T], out: &mut [T]) {
    let [two, three, half, minus_one] = T::COMMON;
    let Some(&first) = y.first() else { return };
    let common = T::COMMON.contains(&first) && y.iter().fold(true, |same, &y| same & (y == first));
    if !common {
        for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
            *out = x.pow(y);
        }
    } else if first == two {
        map(x, out, |x| x.times(x));
    } else if first == three {
        map(x, out, |x| x.times(x).times(x));
    } else if first == half {
        map(x, out, T::root);
    } else {
        debug_assert!(first == minus_one);
        map(x, out, T::inverse);
    }
}

struct IntPow;

macro_rules! int_pow {
    ($($t:ident)+) => {
        $(impl Bi<$t, $t> for IntPow {
            #[inline(always)]
            fn f(x: $t, y: $t) -> $t {
                #[allow(unused_comparisons)]
                if y >= 0 {
                    return wrapping_pow(x as i64, y as u64) as $t;
                }
                // 1 / x^-y rounded towards 0.
                match x as i64 {
                    1 => 1,
                    -1 => if y & 1 == 0 { 1 } else { (0 as $t).wrapping_sub(1) },
                    _ => 0,
                }
            }
        })+
    };
}
int_pow!(i32 i64 u8 u64);

#[inline(always)]
fn wrapping_pow(mut x: i64, mut y: u64) -> i64 {
    let mut power = 1i64;
    while y > 0 {
        if y & 1 == 1 {
            power = power.wrapping_mul(x);
        }
        x = x.wrapping_mul(x);
        y >>= 1;
    }
    power
}

/// x^y with the special cases of C's `pow`; 1 ulp for `f32`, the system's bound for `f64`.
/// Integers wrap; with a negative exponent they are 1/x^|y| rounded towards zero.
pub static POW: TileSet = TileSet::new()
    .with::<FloatPow<f32>>(DType::F32)
    .with::<FloatPow<f64>>(DType::F64)
    .with::<Map2<IntPow, i32, i32>>(DType::I32)
    .with::<Map2<IntPow, i64, i64>>(DType::I64)
    .with::<Map2<IntPow, u8, u8>>(DType::U8)
    .lean::<Map2<IntPow, u64, u64>>(DType::U64)
    .halves::<FloatPow<f32>>()
    .narrow_ints::<Map2<IntPow, i32, i32>, Map2<IntPow, i64, i64>>();
