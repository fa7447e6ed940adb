//! Running sums.

use std::ops::Range;

use crate::buffer::Arg;
use crate::dtype::{DType, Element};
use crate::half::{BF16, F16};
use crate::shared::Shared;
use crate::threads;

/// Columns that are summed side by side, where there are many, and where there are few.
const WIDTH: usize = 256;
const NARROW: usize = 32;
/// From this many tiles of [`WIDTH`] columns on there are many.
const MANY: usize = 8;

/// `out[.., i, ..] = input[.., 0, ..] + … + input[.., i, ..]` along `dim`, added in order; or
/// `input[.., i, ..] + …` up to the last, added from the last on, if `reverse`.
///
/// Both contiguous and of one shape. Floats keep their dtype, all being summed in f64; integers and bool give i64 (wrapping).
pub fn cumsum(input: Arg, dim: usize, reverse: bool, out: Arg) {
    assert_eq!(input.layout.shape, out.layout.shape, "shapes");
    let shape = &input.layout.shape;
    let size = [shape[..dim].iter().product(), shape[dim], shape[dim + 1..].iter().product()];
    match input.dtype {
        DType::F16 => scan::<F16, f64, F16>(input, out, size, reverse),
        DType::BF16 => scan::<BF16, f64, BF16>(input, out, size, reverse),
        DType::F32 => scan::<f32, f64, f32>(input, out, size, reverse),
        DType::F64 => scan::<f64, f64, f64>(input, out, size, reverse),
        DType::I64 => scan::<i64, i64, i64>(input, out, size, reverse),
        DType::I32 => scan::<i32, i64, i64>(input, out, size, reverse),
        DType::I16 => scan::<i16, i64, i64>(input, out, size, reverse),
        DType::I8 => scan::<i8, i64, i64>(input, out, size, reverse),
        DType::U64 => scan::<u64, i64, i64>(input, out, size, reverse),
        DType::U32 => scan::<u32, i64, i64>(input, out, size, reverse),
        DType::U16 => scan::<u16, i64, i64>(input, out, size, reverse),
        DType::U8 | DType::Bool => scan::<u8, i64, i64>(input, out, size, reverse),
        DType::C64 | DType::C128 => panic!("a real dtype, got {}", input.dtype),
    }
}

/// Sums of this type.
trait Sum: Copy {
    /// What changes no bits when it is added.
    const START: Self;
    fn plus(self, x: Self) -> Self;
}

impl Sum for f64 {
    const START: f64 = -0.0;
    #[inline(always)]
    fn plus(self, x: f64) -> f64 {
        self + x
    }
}

impl Sum for i64 {
    const START: i64 = 0;
    #[inline(always)]
    fn plus(self, x: i64) -> i64 {
        self.wrapping_add(x)
    }
}

/// What is summed as `S`.
trait Term<S>: Copy {
    fn term(self) -> S;
}

macro_rules! terms {
    ($($t:ty as $sum:ty: |$x:ident| $e:expr;)+) => {
        $(impl Term<$sum> for $t {
            #[inline(always)]
            fn term(self) -> $sum {
                let $x = self;
                $e
            }
        })+
    };
}

terms! {
    F16 as f64: |x| x.to_f32().into();
    BF16 as f64: |x| x.to_f32().into();
    f32 as f64: |x| x.into();
    f64 as f64: |x| x;
    i64 as i64: |x| x;
    i32 as i64: |x| x.into();
    i16 as i64: |x| x.into();
    i8 as i64: |x| x.into();
    u64 as i64: |x| x as i64;
    u32 as i64: |x| x.into();
    u16 as i64: |x| x.into();
    u8 as i64: |x| x.into();
}

/// What a sum is stored as.
trait Store<S> {
    fn store(sum: S) -> Self;
}

impl Store<f64> for f32 {
    #[inline(always)]
    fn store(sum: f64) -> f32 {
        sum as f32
    }
}

impl Store<f64> for F16 {
    #[inline(always)]
    fn store(sum: f64) -> F16 {
        F16::from_f32(sum as f32)
    }
}

impl Store<f64> for BF16 {
    #[inline(always)]
    fn store(sum: f64) -> BF16 {
        BF16::from_f32(sum as f32)
    }
}

impl<S: Sum> Store<S> for S {
    #[inline(always)]
    fn store(sum: S) -> S {
        sum
    }
}

fn scan<A, S, T>(input: Arg, out: Arg, [outer, len, inner]: [usize; 3], reverse: bool)
where
    A: Element + Term<S>,
    S: Sum,
    T: Element + Store<S>,
{
    let (x, y) = (input.slice::<A>(), out.slice_mut::<T>());
    if y.is_empty() {
        return;
    }
    let y = Shared::new(y);
    let width = if outer * inner.div_ceil(WIDTH) >= MANY { WIDTH } else { NARROW };
    let tiles = inner.div_ceil(width);
    threads::for_ranges(outer * tiles, 1, len * inner.min(width) * 2, |range| {
        for task in range {
            let (o, first) = (task / tiles, task % tiles * width);
            let columns = first..inner.min(first + width);
            if inner == 1 {
                let span = o * len..(o + 1) * len;
                // SAFETY: each row is written by one thread.
                run_row::<A, S, T>(&x[span.clone()], unsafe { y.part(span) }, reverse);
            } else {
                run_columns::<A, S, T>(x, &y, [o * len * inner, len, inner], columns, reverse);
            }
        }
    });
}

fn run_row<A, S, T>(x: &[A], y: &mut [T], reverse: bool)
where
    A: Term<S>,
    S: Sum,
    T: Store<S>,
{
    let mut sum = S::START;
    let mut step = |(y, &x): (&mut T, &A)| {
        sum = sum.plus(x.term());
        *y = T::store(sum);
    };
    if reverse {
        y.iter_mut().zip(x).rev().for_each(&mut step);
    } else {
        y.iter_mut().zip(x).for_each(&mut step);
    }
}

/// Some columns of one slab of `len` rows.
fn run_columns<A, S, T>(
    x: &[A],
    y: &Shared<T>,
    [slab, len, inner]: [usize; 3],
    columns: Range<usize>,
    reverse: bool,
) where
    A: Term<S>,
    S: Sum,
    T: Element + Store<S>,
{
    let mut sums = [S::START; WIDTH];
    for i in 0..len {
        let row = slab + inner * if reverse { len - 1 - i } else { i };
        let span = row + columns.start..row + columns.end;
        // SAFETY: each column of each slab is written by one thread.
        let y = unsafe { y.part(span.clone()) };
        for ((sum, y), &x) in sums.iter_mut().zip(y).zip(&x[span]) {
            *sum = sum.plus(x.term());
            *y = T::store(*sum);
        }
    }
}

#[cfg(test)]
mod tests;
