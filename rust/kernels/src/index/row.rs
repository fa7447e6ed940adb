//! Whole slices at the places of a one-dimensional index.

use super::{Plus, places, widened, with_terms};
use crate::Checked;
use crate::buffer::Arg;
use crate::complex::Complex;
use crate::cpu::{Work, dispatch};
use crate::dtype::by_width;
use crate::shape::Shape;
use crate::shared::{Shared, split_rows};
use crate::threads;
use crate::walk::Walk;

/// `out[.., i, ..] = input[.., index[i], ..]` along `dim`.
///
/// `input` has any dtype and strides; `index` is 1-D, i32 or i64, any stride; `out` is
/// contiguous. With `wrap`, negative indices count from the end.
pub fn select(input: Arg, dim: usize, index: Arg, wrap: bool, out: Arg) -> Checked {
    assert_eq!(index.layout.shape.len(), 1, "a 1-D index");
    assert_eq!(input.dtype, out.dtype, "dtypes");
    let shape = &input.layout.shape;
    let mut expected = *shape;
    expected[dim] = index.numel();
    assert_eq!(out.layout.shape, expected, "shapes");
    let at = places(index, shape[dim], wrap)?;
    by_width!(out.dtype.width(), T => {
        copy_rows(input.ptr() as *const T, input, dim, &at, out.words_mut::<T>());
    });
    Ok(())
}

struct Source<T>(*const T);
// SAFETY: the elements are only read.
unsafe impl<T: Sync> Sync for Source<T> {}

fn copy_rows<T: Copy + Send + Sync>(
    data: *const T,
    input: Arg,
    dim: usize,
    at: &[usize],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    let data = Source(data);
    let (shape, strides) = (&input.layout.shape, &input.layout.strides);
    let outer = Walk::new(&Shape::new(&shape[..dim]), &Shape::new(&strides[..dim]));
    let inner = Walk::new(&Shape::new(&shape[dim + 1..]), &Shape::new(&strides[dim + 1..]));
    let (width, step) = (inner.numel(), strides[dim]);
    let straight = inner.inner() == (width, 1) || width == 1;
    split_rows(out, width, width.max(4), |first, out| {
        let data = &data;
        for (r, row) in out.chunks_exact_mut(width).enumerate() {
            let (o, i) = ((first + r) / at.len(), (first + r) % at.len());
            let from = data.0.wrapping_add(outer.offset(o) + at[i] * step);
            if straight {
                // SAFETY: places are checked, and the window lies inside its buffer.
                unsafe { copy_short(from, row.as_mut_ptr(), width) };
            } else {
                copy_strided(from, inner, row);
            }
        }
    });
}

/// Copies without a call where rows are a few elements long.
///
/// # Safety
/// As `copy_nonoverlapping`.
#[inline(always)]
unsafe fn copy_short<T: Copy>(from: *const T, to: *mut T, len: usize) {
    // SAFETY: by the caller's promise.
    unsafe {
        if len == 1 {
            *to = *from;
        } else {
            std::ptr::copy_nonoverlapping(from, to, len);
        }
    }
}

fn copy_strided<T: Copy>(from: *const T, inner: Walk, row: &mut [T]) {
    let mut n = 0;
    for (offset, run, stride) in inner.runs(0..row.len()) {
        for k in 0..run {
            // SAFETY: places are checked, and the window lies inside its buffer.
            row[n + k] = unsafe { *from.add(offset + k * stride) };
        }
        n += run;
    }
}

/// `out[.., index[i], ..] += source[.., i, ..]` along `dim`, for `i` in order.
///
/// `out` and `source` are contiguous and of one dtype; `index` is 1-D, i32 or i64, any
/// stride. With `wrap`, negative indices count from the end.
pub fn add(out: Arg, dim: usize, index: Arg, wrap: bool, source: Arg) -> Checked {
    assert_eq!(index.layout.shape.len(), 1, "a 1-D index");
    assert_eq!(source.dtype, out.dtype, "dtypes");
    let shape = &out.layout.shape;
    let mut expected = *shape;
    expected[dim] = index.numel();
    assert_eq!(source.layout.shape, expected, "shapes");
    let at = places(index, shape[dim], wrap)?;
    let inner: usize = shape[dim + 1..].iter().product();
    let size = [shape[..dim].iter().product(), shape[dim], inner];
    widened(out, source, |out, source| {
        with_terms!(out.dtype, T => {
            add_rows(out.slice_mut::<T>(), size, &at, source.slice::<T>());
        });
        Ok(())
    })
}

/// Threads take columns (or outer slices), so that every place sees its terms in order.
fn add_rows<T: Plus>(out: &mut [T], [outer, len, inner]: [usize; 3], at: &[usize], source: &[T]) {
    if out.is_empty() || at.is_empty() {
        return;
    }
    let out = Shared::new(out);
    let (parts, align) = if outer > 1 { (outer, 1) } else { (inner, 32) };
    threads::for_ranges(parts, align, at.len() * outer * inner / parts * 4, |range| {
        let (slices, columns) = if outer > 1 { (range, 0..inner) } else { (0..1, range) };
        for o in slices {
            dispatch(AddRows {
                out: &out,
                start: o * len * inner + columns.start,
                inner,
                at,
                source: &source[o * at.len() * inner + columns.start..],
                width: columns.len(),
            });
        }
    });
}

struct AddRows<'a, T> {
    out: &'a Shared<'a, T>,
    start: usize,
    inner: usize,
    at: &'a [usize],
    source: &'a [T],
    width: usize,
}

impl<T: Plus> Work for AddRows<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        for (i, &place) in self.at.iter().enumerate() {
            let start = self.start + place * self.inner;
            // SAFETY: each column of each slice is written by one thread.
            let row = unsafe { self.out.part(start..start + self.width) };
            for (x, &s) in row.iter_mut().zip(&self.source[i * self.inner..][..self.width]) {
                *x = x.plus(s);
            }
        }
    }
}
