//! Folds with a neutral element: sums, products, extremes, any and all.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::View;
use crate::Checked;
use crate::buffer::Arg;
use crate::complex::Complex;
use crate::cpu::{Work, dispatch};
use crate::dtype::{DType, Element, Width};
use crate::float::{Float, Stored, with_float, with_ordered, with_whole};
use crate::half::{BF16, F16};
use crate::lanes::{self, BLOCK, Fold, LANES};
use crate::layout::Layout;
use crate::memory;
use crate::shape::Shape;
use crate::shared::Shared;
use crate::threads;

/// Columns that are folded side by side: their lanes fill half of a first-level cache.
const WIDTH: usize = 256;

pub(super) fn sum(view: View, input: Arg, out: Arg) -> Checked {
    with_whole!(input.dtype, T => fold::<T, IntSum>(view, input, out);
        DType::F16 => floats::<F16, lanes::Add>(view, input, out, |sum| sum),
        DType::BF16 => floats::<BF16, lanes::Add>(view, input, out, |sum| sum),
        DType::F32 => fold::<f32, lanes::Add>(view, input, out),
        DType::F64 => fold::<f64, lanes::Add>(view, input, out),
        DType::C64 => fold::<Complex<f32>, ComplexSum>(view, input, out),
        DType::C128 => fold::<Complex<f64>, ComplexSum>(view, input, out)
    )
}

pub(super) fn mean(view: View, input: Arg, out: Arg) -> Checked {
    with_float!(out.dtype, T => {
        let len = <T as Stored>::Wide::from_f64(view.len as f64);
        floats::<T, lanes::Add>(view, input, out, |sum| sum / len)
    })
}

pub(super) fn prod(view: View, input: Arg, out: Arg) -> Checked {
    with_whole!(input.dtype, T => fold::<T, IntMul>(view, input, out);
        DType::F16 => floats::<F16, Mul>(view, input, out, |product| product),
        DType::BF16 => floats::<BF16, Mul>(view, input, out, |product| product),
        DType::F32 => fold::<f32, Mul>(view, input, out),
        DType::F64 => fold::<f64, Mul>(view, input, out),
        DType::C64 | DType::C128 => panic!("a real dtype, got {}", input.dtype)
    )
}

pub(super) fn extreme(max: bool, view: View, input: Arg, out: Arg) -> Checked {
    with_ordered!(input.dtype, T => {
        if max { fold::<T, Max>(view, input, out) } else { fold::<T, Min>(view, input, out) }
    })
}

pub(super) fn any(view: View, input: Arg, out: Arg) -> Checked {
    truth::<Any>(view, input, out)
}

pub(super) fn all(view: View, input: Arg, out: Arg) -> Checked {
    truth::<All>(view, input, out)
}

/// Of whole numbers the width decides what is zero.
fn truth<F: Truths>(view: View, input: Arg, out: Arg) -> Checked {
    if input.dtype.is_whole() {
        let dtype = match input.dtype.width() {
            Width::W1 => DType::U8,
            Width::W2 => DType::U16,
            Width::W4 => DType::U32,
            Width::W8 | Width::W16 => DType::U64,
        };
        let input = Arg { dtype, ..input };
        return match input.dtype.width() {
            Width::W1 => fold::<u8, F>(view, input, out),
            Width::W2 => fold::<u16, F>(view, input, out),
            Width::W4 => fold::<u32, F>(view, input, out),
            Width::W8 | Width::W16 => fold::<u64, F>(view, input, out),
        };
    }
    if input.dtype.is_complex() {
        return if input.dtype == DType::C64 {
            fold::<Complex<f32>, F>(view, input, out)
        } else {
            fold::<Complex<f64>, F>(view, input, out)
        };
    }
    with_float!(input.dtype, T => fold::<T, F>(view, input, out))
}

/// What folds elements of any kind to a truth value.
trait Truths:
    Fold<u8, Acc = u8>
    + Fold<u16, Acc = u8>
    + Fold<u32, Acc = u8>
    + Fold<u64, Acc = u8>
    + Fold<F16, Acc = u8>
    + Fold<BF16, Acc = u8>
    + Fold<f32, Acc = u8>
    + Fold<f64, Acc = u8>
    + Fold<Complex<f32>, Acc = u8>
    + Fold<Complex<f64>, Acc = u8>
{
}
impl Truths for Any {}
impl Truths for All {}

/// [`fold`] of floats, which are stored once they are whole and `finish`ed.
fn floats<T: Stored, F: Fold<T, Acc = T::Wide>>(
    view: View,
    input: Arg,
    out: Arg,
    finish: impl Fn(T::Wide) -> T::Wide,
) -> Checked {
    let layout = Layout::contiguous(Shape::new(&[out.numel()]));
    let buffer;
    let sums = if T::DIRECT {
        out
    } else {
        buffer = memory::try_buffer(out.numel().saturating_mul(size_of::<T::Wide>()))?;
        Arg::new(&buffer, T::Wide::DTYPE, &layout)
    };
    fold::<T, F>(view, input, sums)?;
    if T::DIRECT {
        out.slice_mut::<T>().iter_mut().for_each(|x| *x = T::store(finish(x.load())));
    } else {
        let sums = sums.slice::<T::Wide>();
        out.slice_mut::<T>().iter_mut().zip(sums).for_each(|(x, &sum)| *x = T::store(finish(sum)));
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Mul;
#[derive(Clone, Copy)]
struct ComplexSum;
#[derive(Clone, Copy)]
struct IntSum;
#[derive(Clone, Copy)]
struct IntMul;
#[derive(Clone, Copy)]
struct Max;
#[derive(Clone, Copy)]
struct Min;
#[derive(Clone, Copy)]
struct Any;
#[derive(Clone, Copy)]
struct All;

/// Implements [`Fold`] for one element type.
macro_rules! fold {
    ($op:ty, $t:ty => $acc:ty, $start:expr, |$x:ident| $lift:expr, |$a:ident, $b:ident| $join:expr) => {
        impl Fold<$t> for $op {
            type Acc = $acc;
            const START: $acc = $start;
            #[inline(always)]
            fn lift($x: $t) -> $acc {
                $lift
            }
            #[inline(always)]
            fn join($a: $acc, $b: $acc) -> $acc {
                $join
            }
        }
    };
}

macro_rules! float_folds {
    ($($t:ident)*) => {$(
        fold!(Mul, $t => $t, 1.0, |x| x, |a, b| a * b);
        fold!(Max, $t => $t, $t::NEG_INFINITY, |x| x, |a, b| if b > a || b.is_nan() { b } else { a });
        fold!(Min, $t => $t, $t::INFINITY, |x| x, |a, b| if b < a || b.is_nan() { b } else { a });
        fold!(Any, $t => u8, 0, |x| u8::from(x != 0.0), |a, b| a | b);
        fold!(All, $t => u8, 1, |x| u8::from(x != 0.0), |a, b| a & b);
    )*};
}

#[allow(clippy::eq_op)]
mod halves {
    use super::{All, Any, BF16, F16, Fold, Max, Min, Mul};

    macro_rules! half_folds {
        ($($t:ident $infinity:literal)*) => {$(
            fold!(Mul, $t => f32, 1.0, |x| x.to_f32(), |a, b| a * b);
            fold!(Max, $t => $t, $t::from_bits($infinity | 0x8000), |x| x,
                |a, b| if b > a || b != b { b } else { a });
            fold!(Min, $t => $t, $t::from_bits($infinity), |x| x,
                |a, b| if b < a || b != b { b } else { a });
            fold!(Any, $t => u8, 0, |x| u8::from(x.to_bits() & 0x7fff != 0), |a, b| a | b);
            fold!(All, $t => u8, 1, |x| u8::from(x.to_bits() & 0x7fff != 0), |a, b| a & b);
        )*};
    }

    half_folds!(F16 0x7c00 BF16 0x7f80);
}

macro_rules! int_folds {
    ($($t:ident)*) => {$(
        fold!(IntSum, $t => i64, 0, |x| x as i64, |a, b| a.wrapping_add(b));
        fold!(IntMul, $t => i64, 1, |x| x as i64, |a, b| a.wrapping_mul(b));
        fold!(Max, $t => $t, $t::MIN, |x| x, |a, b| a.max(b));
        fold!(Min, $t => $t, $t::MAX, |x| x, |a, b| a.min(b));
    )*};
}

macro_rules! word_folds {
    ($($t:ident)*) => {$(
        fold!(Any, $t => u8, 0, |x| u8::from(x != 0), |a, b| a | b);
        fold!(All, $t => u8, 1, |x| u8::from(x != 0), |a, b| a & b);
    )*};
}

macro_rules! complex_folds {
    ($($t:ty)*) => {$(
        fold!(ComplexSum, $t => $t, Complex { re: 0.0, im: 0.0 }, |x| x, |a, b| a + b);
        fold!(Any, $t => u8, 0, |x| u8::from(x != Default::default()), |a, b| a | b);
        fold!(All, $t => u8, 1, |x| u8::from(x != Default::default()), |a, b| a & b);
    )*};
}

float_folds!(f32 f64);
int_folds!(u8 i8 i16 i32 i64 u16 u32 u64);
word_folds!(u8 u16 u32 u64);
complex_folds!(Complex<f32> Complex<f64>);

/// First every block of every result, in parallel; then the pairwise tree over blocks.
fn fold<T: Element, F: Fold<T>>(view: View, input: Arg, out: Arg) -> Checked
where
    F::Acc: Element,
{
    let data = input.ptr() as *const T;
    assert!(T::is(input.dtype));
    let out = out.slice_mut::<F::Acc>();
    let blocks = view.len.div_ceil(BLOCK);
    if blocks == 0 {
        out.fill(F::START);
    } else if blocks == 1 {
        fold_blocks::<T, F>(view, data, 1, out);
    } else {
        let width = out.len();
        let size = blocks.saturating_mul(width);
        let buffer = memory::try_buffer(size.saturating_mul(size_of::<F::Acc>()))?;
        let layout = Layout::contiguous(Shape::new(&[size]));
        let sums = Arg::new(&buffer, F::Acc::DTYPE, &layout).slice_mut::<F::Acc>();
        fold_blocks::<T, F>(view, data, blocks, sums);
        join_blocks(sums, width, F::join);
        out.copy_from_slice(&sums[..width]);
    }
    Ok(())
}

/// Folds the rows of `sums` pairwise into the first.
fn join_blocks<A: Copy>(sums: &mut [A], width: usize, join: impl Fn(A, A) -> A) {
    let mut rows = sums.len() / width;
    while rows > 1 {
        for i in 0..rows / 2 {
            for c in 0..width {
                sums[i * width + c] = join(sums[2 * i * width + c], sums[(2 * i + 1) * width + c]);
            }
        }
        if rows % 2 == 1 {
            sums.copy_within((rows - 1) * width..rows * width, rows / 2 * width);
        }
        rows = rows.div_ceil(2);
    }
}

/// Writes block `b` of result `o` to `sums[b * results + o]`.
fn fold_blocks<T: Element, F: Fold<T>>(
    view: View,
    data: *const T,
    blocks: usize,
    sums: &mut [F::Acc],
) {
    let results = sums.len() / blocks;
    let cost = view.len.min(BLOCK);
    let source = Source { data, view, results };
    let sums = Shared::new(sums);
    if view.across() {
        let (width, _) = view.kept.inner();
        let tiles = width.div_ceil(WIDTH);
        let tasks = results / width * tiles * blocks;
        threads::for_ranges(tasks, 1, cost * width.min(WIDTH), |range| {
            dispatch(Across::<T, F> {
                source: &source,
                tiles,
                sums: &sums,
                range,
                fold: PhantomData,
            });
        });
    } else {
        threads::for_ranges(results * blocks, 1, cost, |range| {
            dispatch(Along::<T, F> {
                source: &source,
                blocks,
                sums: &sums,
                range,
                fold: PhantomData,
            });
        });
    }
}

struct Source<T> {
    data: *const T,
    view: View,
    results: usize,
}

// SAFETY: the elements are only read.
unsafe impl<T: Sync> Sync for Source<T> {}

impl<T: Element> Source<T> {
    fn block(&self, b: usize) -> Range<usize> {
        b * BLOCK..((b + 1) * BLOCK).min(self.view.len)
    }
}

/// One block of one result at a time, its elements brought together first if need be.
struct Along<'a, T, F: Fold<T>>
where
    T: Copy,
{
    source: &'a Source<T>,
    blocks: usize,
    sums: &'a Shared<'a, F::Acc>,
    range: Range<usize>,
    fold: PhantomData<F>,
}

impl<T: Element, F: Fold<T>> Work for Along<'_, T, F> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Source { data, view, results } = *self.source;
        let mut near = [MaybeUninit::<T>::uninit(); BLOCK];
        let unit = view.folded.inner().1 == 1 || view.len == 1;
        for task in self.range {
            let (o, b) = (task / self.blocks, task % self.blocks);
            let at = view.kept.offset(o);
            let mut n = 0;
            let mut straight = None;
            let block = self.source.block(b);
            let len = block.len();
            for (offset, run, stride) in view.folded.runs(block) {
                // SAFETY: the window lies inside its buffer, as `Arg::ptr` checked; the
                // runs have `len <= BLOCK` elements together.
                unsafe {
                    let from = data.add(at + offset);
                    if unit && run == len {
                        straight = Some(std::slice::from_raw_parts(from, run));
                    } else {
                        for i in 0..run {
                            near[n + i].write(*from.add(i * stride));
                        }
                    }
                }
                n += run;
            }
            // SAFETY: if not `straight`, the first `len` elements were written.
            let row = straight.unwrap_or_else(|| unsafe {
                std::slice::from_raw_parts(near.as_ptr().cast(), len)
            });
            let sum = lanes::fold_block::<T, F>(row, view.len);
            // SAFETY: each place belongs to one task.
            unsafe { self.sums.part(b * results + o..b * results + o + 1)[0] = sum };
        }
    }
}

/// One block of many neighbouring results at a time.
struct Across<'a, T, F: Fold<T>>
where
    T: Copy,
{
    source: &'a Source<T>,
    tiles: usize,
    sums: &'a Shared<'a, F::Acc>,
    range: Range<usize>,
    fold: PhantomData<F>,
}

impl<T: Element, F: Fold<T>> Work for Across<'_, T, F> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Source { data, view, results } = *self.source;
        let (width, _) = view.kept.inner();
        let outer = view.kept.outer();
        let per_block = results / width * self.tiles;
        let mut acc = [[MaybeUninit::<F::Acc>::uninit(); WIDTH]; LANES];
        for task in self.range {
            let (b, tile) = (task / per_block, task % per_block);
            let (o, first) = (tile / self.tiles, tile % self.tiles * WIDTH);
            let columns = WIDTH.min(width - first);
            let start = outer.offset(o) + first;
            let place = b * results + o * width + first;
            // SAFETY: each place belongs to one task.
            let out = unsafe { self.sums.part(place..place + columns) };
            // Fewer elements than lanes are added in order.
            let lanes = if view.len < LANES { 1 } else { LANES };
            for lane in &mut acc[..lanes] {
                lane[..columns].fill(MaybeUninit::new(F::START));
            }
            let mut i = 0;
            for (offset, run, stride) in view.folded.runs(self.source.block(b)) {
                for k in 0..run {
                    let row = data.wrapping_add(start + offset + k * stride);
                    // SAFETY: the window lies inside its buffer, as `Arg::ptr` checked.
                    let row = unsafe { std::slice::from_raw_parts(row, columns) };
                    // SAFETY: the first `columns` places of the lanes in use were filled.
                    add_row::<T, F>(unsafe { filled(&mut acc[i % lanes][..columns]) }, row);
                    i += 1;
                }
            }
            // SAFETY: as above.
            let sums = unsafe {
                join_lanes::<T, F>(&mut acc, lanes, columns);
                filled(&mut acc[0][..columns])
            };
            out.copy_from_slice(sums);
        }
    }
}

/// What was written, as plain values.
///
/// # Safety
/// All of `lane` was written.
#[inline(always)]
unsafe fn filled<A>(lane: &mut [MaybeUninit<A>]) -> &mut [A] {
    // SAFETY: a written place is laid out as its value.
    unsafe { &mut *(std::ptr::from_mut(lane) as *mut [A]) }
}

/// [`lanes::fold_lanes`] of all columns.
///
/// # Safety
/// The first `columns` places of the first `lanes` lanes were written.
#[inline(always)]
unsafe fn join_lanes<T: Element, F: Fold<T>>(
    acc: &mut [[MaybeUninit<F::Acc>; WIDTH]],
    lanes: usize,
    columns: usize,
) {
    let mut half = lanes / 2;
    while half > 0 {
        let (low, high) = acc.split_at_mut(half);
        for (a, b) in low.iter_mut().zip(high) {
            // SAFETY: both lie among the lanes in use.
            let (a, b) = unsafe { (filled(&mut a[..columns]), filled(&mut b[..columns])) };
            for (a, &mut b) in a.iter_mut().zip(b) {
                *a = F::join(*a, b);
            }
        }
        half /= 2;
    }
}

#[inline(always)]
fn add_row<T: Element, F: Fold<T>>(acc: &mut [F::Acc], row: &[T]) {
    for (a, &x) in acc.iter_mut().zip(row) {
        *a = F::join(*a, F::lift(x));
    }
}
