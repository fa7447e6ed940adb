//! Products with few rows, which read the right operand once and in place.

use std::ops::Range;

use super::Out;
use super::pack::Rows;
use super::simd::Simd;
use super::view::{Mat, Problem};
use crate::cpu::{Work, dispatch};
use crate::threads;

/// Most rows that are worked on without packing a right operand with adjacent terms.
pub(super) const ROWS: usize = 8;
/// Columns that one row is added up for at a time, in the first-level cache.
const SPAN: usize = 512;

/// One row times a matrix whose rows have adjacent elements.
pub(super) fn one_row<S: Simd>(p: &Problem<S::T>, out: Out<S::T>) {
    threads::for_ranges(p.n, 8 * S::LANES, p.k / 4 + 1, |range| {
        dispatch(OneRow::<S> { a: p.a, b: p.b, k: p.k, block: p.block, out, range });
    });
}

struct OneRow<S: Simd> {
    a: Mat<S::T>,
    b: Mat<S::T>,
    k: usize,
    block: usize,
    out: Out<S::T>,
    range: Range<usize>,
}

impl<S: Simd> Work for OneRow<S> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let mut sums = [S::ZERO; SPAN];
        for first in self.range.clone().step_by(SPAN) {
            let n = SPAN.min(self.range.end - first);
            let out = self.out.at(first);
            for p in (0..self.k).step_by(self.block) {
                let k = self.block.min(self.k - p);
                let (a, b) = (self.a.at(0, p), self.b.at(p, first));
                // SAFETY: all of it lies in the windows that `Problem::new` checked, and
                // `range` belongs to this thread.
                unsafe {
                    add_terms::<S>(a, b, k, n, sums.as_mut_ptr());
                    flush::<S>(sums.as_ptr(), out, n, p > 0);
                }
            }
        }
    }
}

/// `sums = a b`, eight terms at a time, each sum one chain.
#[inline(always)]
unsafe fn add_terms<S: Simd>(a: Mat<S::T>, b: Mat<S::T>, k: usize, n: usize, sums: *mut S::T) {
    // SAFETY: by the caller's promise.
    unsafe {
        let eights = k / 8 * 8;
        for p in (0..eights).step_by(8) {
            add_rows::<S, 8>(a.at(0, p), b.at(p, 0), n, sums, p > 0);
        }
        for p in eights..k {
            add_rows::<S, 1>(a.at(0, p), b.at(p, 0), n, sums, p > 0);
        }
    }
}

/// `K` terms of every sum.
#[inline(always)]
unsafe fn add_rows<S: Simd, const K: usize>(
    a: Mat<S::T>,
    b: Mat<S::T>,
    n: usize,
    sums: *mut S::T,
    more: bool,
) {
    // SAFETY: by the caller's promise; masks keep to the columns, `sums` holds whole
    // vectors.
    unsafe {
        let mut x = [S::zero(); K];
        let mut rows = [b.ptr; K];
        for i in 0..K {
            x[i] = S::splat(a.at(0, i).ptr);
            rows[i] = b.at(i, 0).ptr;
        }
        let whole = n / S::LANES * S::LANES;
        let mut at = 0;
        while at < whole {
            let mut acc = if more { S::load(sums.add(at)) } else { S::zero() };
            for i in 0..K {
                acc = acc.madd(x[i], S::load(rows[i].add(at)));
            }
            acc.store(sums.add(at));
            at += S::LANES;
        }
        if at < n {
            let mask = S::mask(n - at);
            let mut acc = if more { S::load(sums.add(at)) } else { S::zero() };
            for i in 0..K {
                acc = acc.madd(x[i], S::load_part(rows[i].add(at), mask));
            }
            acc.store(sums.add(at));
        }
    }
}

/// Writes sums, or adds them to what is there.
#[inline(always)]
unsafe fn flush<S: Simd>(sums: *const S::T, out: *mut S::T, n: usize, more: bool) {
    // SAFETY: by the caller's promise; `sums` holds whole vectors.
    unsafe {
        for at in (0..n).step_by(S::LANES) {
            let (x, out) = (S::load(sums.add(at)), out.add(at));
            if n - at >= S::LANES {
                if more { S::load(out).add(x) } else { x }.store(out);
            } else {
                let mask = S::mask(n - at);
                if more { S::load_part(out, mask).add(x) } else { x }.store_part(out, mask);
            }
        }
    }
}

/// At most [`ROWS`] rows times a matrix whose columns have adjacent elements: four terms
/// of a vector of columns are transposed in registers.
pub(super) fn few_rows<S: Simd>(p: &Problem<S::T>, out: Out<S::T>) {
    let cost = p.m * p.k / 8 + p.k / 4 + 1;
    threads::for_ranges(p.n, 2 * S::LANES, cost, |range| {
        dispatch(FewRows::<S> { p, out, range });
    });
}

struct FewRows<'a, S: Simd> {
    p: &'a Problem<S::T>,
    out: Out<S::T>,
    range: Range<usize>,
}

impl<S: Simd> Work for FewRows<'_, S> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let FewRows { p, out, range } = self;
        for first in range.clone().step_by(2 * S::LANES) {
            let n = (2 * S::LANES).min(range.end - first);
            // SAFETY: the columns lie in the windows that `Problem::new` checked, and
            // `range` belongs to this thread.
            unsafe {
                let mut row = 0;
                while p.m - row >= 4 {
                    columns::<S, 4>(p, row, out, first, n);
                    row += 4;
                }
                match p.m - row {
                    3 => columns::<S, 3>(p, row, out, first, n),
                    2 => columns::<S, 2>(p, row, out, first, n),
                    1 => columns::<S, 1>(p, row, out, first, n),
                    _ => {}
                }
            }
        }
    }
}

/// `M` rows and up to two vectors of columns.
#[inline(always)]
unsafe fn columns<S: Simd, const M: usize>(
    p: &Problem<S::T>,
    row: usize,
    out: Out<S::T>,
    first: usize,
    n: usize,
) {
    // SAFETY: by the caller's promise; columns that are not there are read as the last.
    unsafe {
        let c = out.at(row * p.n + first);
        for k0 in (0..p.k).step_by(p.block) {
            let k = p.block.min(p.k - k0);
            let (a, b) = (p.a.at(row, k0), p.b.at(k0, first));
            let mut acc = [[S::zero(); 2]; M];
            let fours = k / 4 * 4;
            if n == 2 * S::LANES {
                let mut x = Rows::new(b.turned());
                let mut y = Rows::new(b.at(0, S::LANES).turned());
                for q in (0..fours).step_by(4) {
                    let (x, y) = (x.next::<S>(), y.next::<S>());
                    add_columns::<S, M>(&mut acc, a.at(0, q), &x, &y);
                }
            } else {
                let column = |q: usize, i: usize| b.at(q, i.min(n - 1)).ptr;
                for q in (0..fours).step_by(4) {
                    let x = S::turn(|i| column(q, i));
                    let y = S::turn(|i| column(q, S::LANES + i));
                    add_columns::<S, M>(&mut acc, a.at(0, q), &x, &y);
                }
            }
            for q in fours..k {
                let mut near = [S::ZERO; 64];
                for (i, near) in near.iter_mut().enumerate().take(n) {
                    *near = *b.at(q, i).ptr;
                }
                let x = S::load(near.as_ptr());
                let y = S::load(near.as_ptr().add(S::LANES));
                add_columns::<S, M>(&mut acc, a.at(0, q), &[x], &[y]);
            }
            for (i, acc) in acc.iter().enumerate() {
                let mut near = [S::ZERO; 64];
                acc[0].store(near.as_mut_ptr());
                acc[1].store(near.as_mut_ptr().add(S::LANES));
                flush::<S>(near.as_ptr(), c.add(i * p.n), n, k0 > 0);
            }
        }
    }
}

#[inline(always)]
unsafe fn add_columns<S: Simd, const M: usize>(
    acc: &mut [[S; 2]; M],
    a: Mat<S::T>,
    x: &[S],
    y: &[S],
) {
    for (q, (&x, &y)) in x.iter().zip(y).enumerate() {
        for (i, acc) in acc.iter_mut().enumerate() {
            // SAFETY: by the caller's promise.
            unsafe {
                let a = S::splat(a.at(i, q).ptr);
                acc[0] = acc[0].madd(a, x);
                acc[1] = acc[1].madd(a, y);
            }
        }
    }
}
