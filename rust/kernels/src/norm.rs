//! Rows with mean 0 and variance 1: the core of layer, batch, group and instance norm.
//!
//! Two passes (mean, then centred squares), so there is no cancellation.

use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::float::{Float, Stored, with_float};
use crate::lanes::{self, SquareFrom};
use crate::shared::Shared;
use crate::threads;

/// Scalar operations per element, for the decision to use threads.
const COST: usize = 4;

/// `out = (x - mean) / sqrt(var + eps)` for each row of `len` elements, `var` being the
/// biased variance, and `rstd = 1 / sqrt(var + eps)`.
///
/// `input` and `out` are contiguous floats, seen as `[rows, len]`; `rstd` is contiguous with
/// `rows` elements, of f32 for floats of sixteen bits.
pub fn standardize(input: Arg, len: usize, eps: f64, out: Arg, rstd: Arg) {
    let rows = row_count(input, len);
    assert!(out.numel() == input.numel() && rstd.numel() == rows, "numbers of elements");
    with_float!(out.dtype, T => {
        let (x, y, r) = (input.slice::<T>(), out.slice_mut::<T>(), rstd.slice_mut());
        let (y, r) = (Shared::new(y), Shared::new(r));
        threads::for_ranges(rows, 1, len * COST, |range| {
            let span = range.start * len..range.end * len;
            // SAFETY: the ranges of rows are disjoint.
            let (y, r) = unsafe { (y.part(span.clone()), r.part(range)) };
            dispatch(Forward { x: &x[span], y, r, len, eps: <T as Stored>::Wide::from_f64(eps) });
        });
    });
}

/// Gradient of [`standardize`]: `rstd (g - mean(g) - xhat mean(g xhat))` per row.
pub fn standardize_backward(xhat: Arg, rstd: Arg, grad: Arg, len: usize, out: Arg) {
    let rows = row_count(xhat, len);
    assert!(
        out.numel() == xhat.numel() && grad.numel() == xhat.numel() && rstd.numel() == rows,
        "numbers of elements"
    );
    with_float!(out.dtype, T => {
        let (x, r, g) = (xhat.slice::<T>(), rstd.slice(), grad.slice::<T>());
        let d = Shared::new(out.slice_mut::<T>());
        threads::for_ranges(rows, 1, len * COST, |range| {
            let span = range.start * len..range.end * len;
            // SAFETY: the ranges of rows are disjoint.
            let d = unsafe { d.part(span.clone()) };
            dispatch(Backward { x: &x[span.clone()], g: &g[span], r: &r[range], d, len });
        });
    });
}

fn row_count(input: Arg, len: usize) -> usize {
    assert!(len > 0 && input.numel().is_multiple_of(len), "whole rows");
    input.numel() / len
}

struct Forward<'a, T: Stored> {
    x: &'a [T],
    y: &'a mut [T],
    r: &'a mut [T::Wide],
    len: usize,
    eps: T::Wide,
}

impl<T: Stored> Work for Forward<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let n = T::Wide::from_f64(self.len as f64);
        let rows = self.x.chunks_exact(self.len).zip(self.y.chunks_exact_mut(self.len));
        for ((x, y), r) in rows.zip(self.r) {
            let mean = lanes::sum(x) / n;
            let var = lanes::sum_of(x, SquareFrom(mean)) / n;
            let rstd = T::Wide::ONE / (var + self.eps).sqrt();
            *r = rstd;
            for (y, &x) in y.iter_mut().zip(x) {
                *y = T::store((x.load() - mean) * rstd);
            }
        }
    }
}

struct Backward<'a, T: Stored> {
    x: &'a [T],
    g: &'a [T],
    r: &'a [T::Wide],
    d: &'a mut [T],
    len: usize,
}

impl<T: Stored> Work for Backward<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let n = T::Wide::from_f64(self.len as f64);
        let inputs = self.x.chunks_exact(self.len).zip(self.g.chunks_exact(self.len));
        for (((x, g), d), &r) in inputs.zip(self.d.chunks_exact_mut(self.len)).zip(self.r) {
            let mean = lanes::sum(g) / n;
            let slope = lanes::dot(g, x) / n;
            for ((d, &g), &x) in d.iter_mut().zip(g).zip(x) {
                *d = T::store(r * (g.load() - mean - x.load() * slope));
            }
        }
    }
}

#[cfg(test)]
mod tests;
