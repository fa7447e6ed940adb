//! Sparse times dense, and dense times dense at sparse places.

use std::ops::Range;

use super::structure::guard;
use super::{Int, with_int};
use crate::Checked;
use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::float::{Float, Stored, with_float};
use crate::lanes;
use crate::shared::Shared;
use crate::threads;

/// `out = A dense` with A in CSR form.
///
/// `crow` `[rows + 1]`, `col` `[nnz]` (both i32 or both i64) and `values` `[nnz]` (f32 or
/// f64) are contiguous, `dense` is `[cols, n]` with neighbouring elements of a row
/// adjacent, `out` is `[rows, n]` and contiguous. Each sum runs in the order of entries.
pub fn spmm(crow: Arg, col: Arg, values: Arg, dense: Arg, out: Arg) -> Checked {
    let (cols, n) = matrix(dense);
    assert_eq!(out.layout.shape[..], [crow.numel() - 1, n], "shape of out");
    assert_eq!(values.numel(), col.numel(), "one value per entry");
    assert!(values.dtype == out.dtype && dense.dtype == out.dtype, "one dtype");
    let (step, unit) = (dense.layout.strides[0], dense.layout.strides[1]);
    assert!(unit == 1 || n <= 1, "rows of dense with adjacent elements");
    with_int!(crow.dtype, I => with_float!(out.dtype, T => {
        let (crow, col) = (crow.slice::<I>(), col.slice::<I>());
        guard(crow, col, cols)?;
        let product = Product {
            crow,
            col,
            values: values.slice::<T>(),
            dense: Dense(dense.ptr() as *const T),
            step,
            n,
        };
        product.run(out.slice_mut::<T>());
    }));
    Ok(())
}

/// `out[e] = dot(a[row of e], b[column of e])` for every entry `e`.
///
/// `a` is `[rows, n]`, `b` `[cols, n]`, `out` `[nnz]`; all contiguous, f32 or f64.
pub fn sddmm(crow: Arg, col: Arg, a: Arg, b: Arg, out: Arg) -> Checked {
    let ((rows, n), (cols, nb)) = (matrix(a), matrix(b));
    assert!(n == nb && rows + 1 == crow.numel() && out.numel() == col.numel(), "shapes");
    with_int!(crow.dtype, I => with_float!(out.dtype, T => {
        let (crow, col) = (crow.slice::<I>(), col.slice::<I>());
        guard(crow, col, cols)?;
        let (a, b, out) = (a.slice::<T>(), b.slice::<T>(), Shared::new(out.slice_mut::<T>()));
        split_entries(crow, n * 2, |range| {
            dispatch(Dots { crow, col, a, b, n, out: &out, range });
        });
    }));
    Ok(())
}

fn matrix(arg: Arg) -> (usize, usize) {
    assert_eq!(arg.layout.shape.len(), 2, "a matrix");
    (arg.layout.shape[0], arg.layout.shape[1])
}

/// Calls `body` with ranges of rows that hold about equally many entries (a row counts as
/// two entries, so that empty rows cost something too).
fn split_entries<I: Int>(crow: &[I], cost: usize, body: impl Fn(Range<usize>) + Sync) {
    let rows = crow.len() - 1;
    let base = crow[0].at();
    let weight = |row: usize| crow[row].at() - base + 2 * row;
    let bound = |target: usize| {
        let (mut low, mut high) = (0, rows);
        while low < high {
            let mid = (low + high) / 2;
            if weight(mid) < target { low = mid + 1 } else { high = mid }
        }
        low
    };
    threads::for_ranges(weight(rows), 1, cost, |range| {
        let end = if range.end == weight(rows) { rows } else { bound(range.end) };
        let rows = bound(range.start)..end;
        if !rows.is_empty() {
            body(rows);
        }
    });
}

#[derive(Clone, Copy)]
struct Dense<T>(*const T);
// SAFETY: the elements are only read.
unsafe impl<T: Sync> Sync for Dense<T> {}

#[derive(Clone, Copy)]
struct Product<'a, I, T> {
    crow: &'a [I],
    col: &'a [I],
    values: &'a [T],
    dense: Dense<T>,
    step: usize,
    n: usize,
}

impl<I: Int, T: Stored> Product<'_, I, T> {
    fn run(&self, out: &mut [T]) {
        if out.is_empty() {
            return;
        }
        let out = Shared::new(out);
        split_entries(self.crow, self.n * 2, |rows| {
            // SAFETY: the ranges of rows are disjoint.
            let out = unsafe { out.part(rows.start * self.n..rows.end * self.n) };
            dispatch(Multiply { product: self, rows, out });
        });
    }

    /// `row[..W] = sum of values * dense[col][first..first + W]`, kept in registers.
    #[inline(always)]
    fn strip<const W: usize>(&self, entries: Range<usize>, first: usize, row: &mut [T]) {
        let mut acc = [T::Wide::ZERO; W];
        let (col, values) = (&self.col[entries.clone()], &self.values[entries]);
        for (c, &v) in col.iter().zip(values) {
            // SAFETY: `guard` checked the column; `first + W <= n`.
            let x: [T; W] =
                unsafe { *self.dense.0.add(c.at() * self.step + first).cast::<[T; W]>() };
            for i in 0..W {
                acc[i] += v.load() * x[i].load();
            }
        }
        row[first..first + W].copy_from_slice(&acc.map(T::store));
    }

    #[inline(always)]
    fn row(&self, entries: Range<usize>, row: &mut [T]) {
        let mut first = 0;
        while self.n - first >= 64 {
            self.strip::<64>(entries.clone(), first, row);
            first += 64;
        }
        if self.n - first >= 32 {
            self.strip::<32>(entries.clone(), first, row);
            first += 32;
        }
        if self.n - first >= 16 {
            self.strip::<16>(entries.clone(), first, row);
            first += 16;
        }
        if self.n - first >= 8 {
            self.strip::<8>(entries.clone(), first, row);
            first += 8;
        }
        if self.n - first >= 4 {
            self.strip::<4>(entries.clone(), first, row);
            first += 4;
        }
        if first < self.n && self.n >= 4 {
            // Some columns twice, with the same result.
            self.strip::<4>(entries, self.n - 4, row);
            return;
        }
        while first < self.n {
            self.strip::<1>(entries.clone(), first, row);
            first += 1;
        }
    }
}

struct Multiply<'a, I, T> {
    product: &'a Product<'a, I, T>,
    rows: Range<usize>,
    out: &'a mut [T],
}

impl<I: Int, T: Stored> Work for Multiply<'_, I, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let p = self.product;
        for (r, row) in self.rows.zip(self.out.chunks_exact_mut(p.n)) {
            p.row(p.crow[r].at()..p.crow[r + 1].at(), row);
        }
    }
}

struct Dots<'a, I, T> {
    crow: &'a [I],
    col: &'a [I],
    a: &'a [T],
    b: &'a [T],
    n: usize,
    out: &'a Shared<'a, T>,
    range: Range<usize>,
}

impl<I: Int, T: Stored> Work for Dots<'_, I, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let n = self.n;
        for r in self.range {
            let entries = self.crow[r].at()..self.crow[r + 1].at();
            // SAFETY: the rows, and so their entries, are disjoint between threads.
            let out = unsafe { self.out.part(entries.clone()) };
            let a = &self.a[r * n..(r + 1) * n];
            for (out, c) in out.iter_mut().zip(&self.col[entries]) {
                *out = T::store(lanes::dot(a, &self.b[c.at() * n..(c.at() + 1) * n]));
            }
        }
    }
}
