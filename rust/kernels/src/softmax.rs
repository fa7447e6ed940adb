//! softmax, log-softmax and log-sum-exp along one dimension.
//!
//! The maximum is subtracted first, so nothing overflows (Blanchard, Higham & Higham,
//! "Accurately computing the log-sum-exp and softmax functions", 2021).

use crate::Checked;
use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::float::{Float, Stored, with_float};
use crate::lanes::{self, ExpFrom};
use crate::layout::Layout;
use crate::memory::{Shelf, try_buffer};
use crate::shape::Shape;
use crate::shared::{Shared, split_rows};
use crate::threads;

/// Scalar operations per element, for the decision to use threads.
const COST: usize = 8;
/// Columns that are moved together when the dimension is not the last.
const TILE: usize = 16;

/// What [`forward`] computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// softmax.
    Plain,
    /// softmax, where rows of nothing but `-inf` give 0.
    Masked,
    /// The logarithm of softmax.
    Log,
}

/// `out = softmax(input)`, or another form of it, along `dim`; floats, all contiguous
/// and of one shape. Rows of nothing but `-inf` give NaN, if not masked.
pub fn forward(form: Form, input: Arg, dim: usize, out: Arg) -> Checked {
    assert_eq!(input.layout.shape, out.layout.shape, "shapes");
    with_float!(out.dtype, T => {
        let (x, y) = (input.slice::<T>(), out.slice_mut::<T>());
        let shape = &out.layout.shape;
        match form {
            Form::Plain => rows(shape, dim, [x], y, SoftRow),
            Form::Masked => rows(shape, dim, [x], y, MaskedRow),
            Form::Log => rows(shape, dim, [x], y, LogRow),
        }
    })
}

/// Gradient of [`forward`] from its result `y`: `y (g - sum(g y))`, or for the logarithm
/// `g - exp(y) sum(g)`.
pub fn backward(log: bool, y: Arg, grad: Arg, dim: usize, out: Arg) -> Checked {
    assert_eq!(y.layout.shape, out.layout.shape, "shapes");
    assert_eq!(grad.layout.shape, out.layout.shape, "shapes");
    with_float!(out.dtype, T => {
        let (ys, gs, d) = (y.slice::<T>(), grad.slice::<T>(), out.slice_mut::<T>());
        let shape = &out.layout.shape;
        if log {
            rows(shape, dim, [ys, gs], d, LogRowBackward)
        } else {
            rows(shape, dim, [ys, gs], d, RowBackward)
        }
    })
}

/// `out = ln(sum(exp(input)))` along `dim`, which `out` lacks (or has with size 1).
/// Rows of `-inf` give `-inf`, rows with `+inf` give `+inf`.
pub fn logsumexp(input: Arg, dim: usize, out: Arg) -> Checked {
    let (outer, len, inner) = view(&input.layout.shape, dim);
    assert_eq!(out.numel(), outer * inner, "one result per row");
    with_float!(out.dtype, T => {
        let (x, y) = (input.slice::<T>(), out.slice_mut::<T>());
        if inner == 1 {
            split_rows(y, 1, len.max(1) * COST, |first, y| {
                dispatch(Lse { x: &x[first * len..(first + y.len()) * len], y, len });
            });
            Ok(())
        } else {
            lse_columns(x, y, [outer, len, inner])
        }
    })
}

/// `[outer, len, inner]` of a contiguous shape seen along `dim`.
fn view(shape: &Shape, dim: usize) -> (usize, usize, usize) {
    (shape[..dim].iter().product(), shape[dim], shape[dim + 1..].iter().product())
}

/// What is done to one row. A trait and not a closure, because closures need not be
/// inlined into the code that is compiled for wide registers.
trait RowOp<T, const N: usize>: Copy + Sync {
    fn apply(self, inputs: [&[T]; N], out: &mut [T]);
}

#[derive(Clone, Copy)]
struct SoftRow;

impl<T: Stored> RowOp<T, 1> for SoftRow {
    #[inline(always)]
    fn apply(self, [x]: [&[T]; 1], y: &mut [T]) {
        soft_row(x, lanes::max(x), y);
    }
}

/// `y = softmax(x)`, of which `max` is the greatest.
#[inline(always)]
fn soft_row<T: Stored>(x: &[T], max: T::Wide, y: &mut [T]) {
    if T::DIRECT {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = T::store((x.load() - max).exp());
        }
        let scale = T::Wide::ONE / lanes::sum(y);
        for y in y {
            *y = T::store(y.load() * scale);
        }
    } else {
        // The terms would be rounded where they wait.
        let scale = T::Wide::ONE / lanes::sum_of(x, ExpFrom(max));
        for (y, &x) in y.iter_mut().zip(x) {
            *y = T::store((x.load() - max).exp() * scale);
        }
    }
}

#[derive(Clone, Copy)]
struct MaskedRow;

impl<T: Stored> RowOp<T, 1> for MaskedRow {
    #[inline(always)]
    fn apply(self, [x]: [&[T]; 1], y: &mut [T]) {
        let max = lanes::max(x);
        if max == T::Wide::NEG_INFINITY {
            y.fill(T::store(T::Wide::ZERO));
        } else {
            soft_row(x, max, y);
        }
    }
}

#[derive(Clone, Copy)]
struct LogRow;

impl<T: Stored> RowOp<T, 1> for LogRow {
    #[inline(always)]
    fn apply(self, [x]: [&[T]; 1], y: &mut [T]) {
        log_row(x, y);
    }
}

/// `y = log_softmax(x)`.
#[inline(always)]
pub(crate) fn log_row<T: Stored>(x: &[T], y: &mut [T]) {
    let max = lanes::max(x);
    let log = lanes::sum_of(x, ExpFrom(max)).ln();
    for (y, &x) in y.iter_mut().zip(x) {
        *y = T::store((x.load() - max) - log);
    }
}

#[derive(Clone, Copy)]
struct RowBackward;

impl<T: Stored> RowOp<T, 2> for RowBackward {
    #[inline(always)]
    fn apply(self, [y, g]: [&[T]; 2], d: &mut [T]) {
        let dot = lanes::dot(g, y);
        for ((d, &y), &g) in d.iter_mut().zip(y).zip(g) {
            *d = T::store(y.load() * (g.load() - dot));
        }
    }
}

#[derive(Clone, Copy)]
struct LogRowBackward;

impl<T: Stored> RowOp<T, 2> for LogRowBackward {
    #[inline(always)]
    fn apply(self, [y, g]: [&[T]; 2], d: &mut [T]) {
        let sum = lanes::sum(g);
        for ((d, &y), &g) in d.iter_mut().zip(y).zip(g) {
            *d = T::store(g.load() - y.load().exp() * sum);
        }
    }
}

#[inline(always)]
fn lse_row<T: Stored>(x: &[T]) -> T {
    let max = lanes::max(x);
    if max == T::Wide::NEG_INFINITY || max == -T::Wide::NEG_INFINITY {
        return T::store(max);
    }
    T::store(max + lanes::sum_of(x, ExpFrom(max)).ln())
}

struct Lse<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
    len: usize,
}

impl<T: Stored> Work for Lse<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        for (i, y) in self.y.iter_mut().enumerate() {
            *y = lse_row(&self.x[i * self.len..(i + 1) * self.len]);
        }
    }
}

/// Brings the columns together as rows first.
fn lse_columns<T: Stored>(x: &[T], y: &mut [T], [outer, len, inner]: [usize; 3]) -> Checked {
    let shape = Shape::new(&[outer, inner, len]);
    let turned = try_buffer(shape.numel() * T::DTYPE.size())?;
    let layout = Layout::contiguous(shape);
    let t = Arg::new(&turned, T::DTYPE, &layout).slice_mut::<T>();
    for o in 0..outer {
        for k in 0..len {
            for i in 0..inner {
                t[(o * inner + i) * len + k] = x[(o * len + k) * inner + i];
            }
        }
    }
    split_rows(y, 1, len.max(1) * COST, |first, y| {
        dispatch(Lse { x: &t[first * len..(first + y.len()) * len], y, len });
    });
    Ok(())
}

/// Applies `body` to all rows along `dim` of contiguous arrays of one shape.
fn rows<T: Stored, const N: usize>(
    shape: &Shape,
    dim: usize,
    inputs: [&[T]; N],
    out: &mut [T],
    op: impl RowOp<T, N>,
) -> Checked {
    let (outer, len, inner) = view(shape, dim);
    if out.is_empty() {
        return Ok(());
    }
    if inner == 1 {
        split_rows(out, len, len * COST, |first, out| {
            let span = first * len..first * len + out.len();
            dispatch(Rows { inputs: inputs.map(|x| &x[span.clone()]), out, len, op });
        });
        return Ok(());
    }
    let tiles = inner.div_ceil(TILE);
    // A gap between rows: a power of two apart, they would share few cache places.
    let gap = len + TILE;
    let layout = Layout::contiguous(Shape::new(&[(N + 1) * TILE * gap]));
    let shelf = Shelf::new(outer * tiles, layout.numel() * T::DTYPE.size())?;
    let out = Shared::new(out);
    threads::for_ranges(outer * tiles, 1, len * TILE * COST, |range| {
        shelf.lend(|tmp| {
            let tmp = Arg::new(tmp, T::DTYPE, &layout).slice_mut::<T>();
            for tile in range {
                let (o, first) = (tile / tiles, tile % tiles * TILE);
                let width = TILE.min(inner - first);
                dispatch(Columns {
                    inputs,
                    out: &out,
                    tmp: &mut *tmp,
                    at: o * len * inner + first,
                    width,
                    len,
                    gap,
                    inner,
                    op,
                });
            }
        });
    });
    Ok(())
}

struct Rows<'a, T, F, const N: usize> {
    inputs: [&'a [T]; N],
    out: &'a mut [T],
    len: usize,
    op: F,
}

impl<T: Stored, F: RowOp<T, N>, const N: usize> Work for Rows<'_, T, F, N> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        for (i, out) in self.out.chunks_exact_mut(self.len).enumerate() {
            let span = i * self.len..(i + 1) * self.len;
            self.op.apply(self.inputs.map(|x| &x[span.clone()]), out);
        }
    }
}

/// A few neighbouring columns: turned into rows, worked on, turned back.
struct Columns<'a, T, F, const N: usize> {
    inputs: [&'a [T]; N],
    out: &'a Shared<'a, T>,
    tmp: &'a mut [T],
    at: usize,
    width: usize,
    len: usize,
    gap: usize,
    inner: usize,
    op: F,
}

impl<T: Stored, F: RowOp<T, N>, const N: usize> Work for Columns<'_, T, F, N> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let Columns { inputs, out, tmp, at, width, len, gap, inner, op } = self;
        let size = TILE * gap;
        for (n, x) in inputs.iter().enumerate() {
            for k in 0..len {
                for (c, &v) in x[at + k * inner..][..width].iter().enumerate() {
                    tmp[n * size + c * gap + k] = v;
                }
            }
        }
        let (from, to) = tmp.split_at_mut(N * size);
        for c in 0..width {
            let mut parts: [&[T]; N] = [&[]; N];
            for (n, part) in parts.iter_mut().enumerate() {
                *part = &from[n * size + c * gap..][..len];
            }
            op.apply(parts, &mut to[c * gap..][..len]);
        }
        for k in 0..len {
            let start = at + k * inner;
            // SAFETY: tiles of columns are disjoint, and each has one worker.
            let row = unsafe { out.part(start..start + width) };
            for (c, v) in row.iter_mut().enumerate() {
                *v = to[c * gap + k];
            }
        }
    }
}

#[cfg(test)]
mod tests;
