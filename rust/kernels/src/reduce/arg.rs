//! Positions of extremes.

use super::View;
use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::dtype::Element;
use crate::float::with_ordered;
use crate::shared::split_rows;

/// Columns that are searched side by side.
const WIDTH: usize = 256;

pub(super) fn run(max: bool, view: View, input: Arg, out: Arg) {
    let out = out.slice_mut::<i64>();
    with_ordered!(input.dtype, T => {
        let data = Data(input.ptr() as *const T);
        if view.across() {
            let (width, _) = view.kept.inner();
            split_rows(out, width, view.len * width * 2, |first, out| {
                dispatch(Across { data, view, first, out, max });
            });
        } else {
            split_rows(out, 1, view.len * 2, |first, out| {
                dispatch(Along { data, view, first, out, max });
            });
        }
    });
}

#[derive(Clone, Copy)]
struct Data<T>(*const T);

// SAFETY: the elements are only read.
unsafe impl<T: Sync> Sync for Data<T> {}

/// Whether `b` replaces the best so far; NaN replaces all but NaN.
#[inline(always)]
#[allow(clippy::eq_op)]
fn better<T: Element + PartialOrd>(max: bool, best: T, b: T) -> bool {
    (if max { b > best } else { b < best }) || (b != b && best == best)
}

struct Along<'a, T> {
    data: Data<T>,
    view: View,
    first: usize,
    out: &'a mut [i64],
    max: bool,
}

impl<T: Element + PartialOrd> Work for Along<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        for (o, out) in self.out.iter_mut().enumerate() {
            let data = self.data.0.wrapping_add(self.view.kept.offset(self.first + o));
            // SAFETY: the window lies inside its buffer and is not empty.
            let mut best = unsafe { *data };
            let (mut place, mut base) = (0, 0);
            for (offset, run, stride) in self.view.folded.runs(0..self.view.len) {
                for i in 0..run {
                    // SAFETY: as above.
                    let x = unsafe { *data.add(offset + i * stride) };
                    if better(self.max, best, x) {
                        (best, place) = (x, base + i);
                    }
                }
                base += run;
            }
            *out = place as i64;
        }
    }
}

struct Across<'a, T> {
    data: Data<T>,
    view: View,
    first: usize,
    out: &'a mut [i64],
    max: bool,
}

impl<T: Element + PartialOrd> Work for Across<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let (width, _) = self.view.kept.inner();
        let outer = self.view.kept.outer();
        for (o, out) in self.out.chunks_mut(width).enumerate() {
            let start = self.data.0.wrapping_add(outer.offset(self.first + o));
            for (tile, out) in out.chunks_mut(WIDTH).enumerate() {
                let data = start.wrapping_add(tile * WIDTH);
                // SAFETY: the window lies inside its buffer and is not empty.
                unsafe { columns(data, self.view, out, self.max) };
            }
        }
    }
}

/// # Safety
/// `data` must point to the first of `out.len()` neighbouring columns of `view`.
#[inline(always)]
unsafe fn columns<T: Element + PartialOrd>(data: *const T, view: View, out: &mut [i64], max: bool) {
    // SAFETY: by the caller's promise.
    let row = |at: usize| unsafe { std::slice::from_raw_parts(data.add(at), out.len()) };
    let mut best = [row(0)[0]; WIDTH];
    best[..out.len()].copy_from_slice(row(0));
    let mut place = [0i64; WIDTH];
    let mut i = 0;
    for (offset, run, stride) in view.folded.runs(0..view.len) {
        for k in 0..run {
            for ((best, place), &x) in best.iter_mut().zip(&mut place).zip(row(offset + k * stride))
            {
                let take = better(max, *best, x);
                *best = if take { x } else { *best };
                *place = if take { i } else { *place };
            }
            i += 1;
        }
    }
    out.copy_from_slice(&place[..out.len()]);
}
