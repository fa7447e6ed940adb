//! The blocked product (Goto & van de Geijn, "Anatomy of high-performance matrix
//! multiplication", 2008; Van Zee & van de Geijn, "BLIS", 2015).
//!
//! Columns are cut into panels of two vectors, rows into panels of a register tile's
//! height, terms into blocks of [`Problem::block`]. The right operand is packed once for all threads,
//! the left one by whoever works on its rows; either is read in place where that is as
//! good. Tasks are blocks of the result, and never share one.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::Out;
use super::kernel::Tile;
use super::pack::Strip;
use super::simd::Simd;
use super::view::{MOST, Mat, Problem};
use crate::cpu::dispatch;
use crate::memory;
use crate::threads;

/// Bytes of the packed right operand at a time: they stay in the last-level cache.
const PACKED: usize = 8 << 20;
/// Columns at a time: bounds the panels that the first- and second-level tables see.
const NC: usize = 8192;
/// Bytes of a right operand that may stay in place: they fit the first-level cache.
const NEAR: usize = 24 << 10;
/// Scalar multiplications below which a product stays on one thread.
const ALONE: usize = 1 << 19;

/// How a product is cut.
struct Cut {
    /// Rows of a register tile.
    rows: usize,
    /// Columns of a register tile.
    width: usize,
    /// Row panels in a task.
    tall: usize,
    /// Column panels in a task.
    wide: usize,
    pack_a: bool,
    pack_b: bool,
}

impl Cut {
    fn new<S: Simd>(p: &Problem<S::T>) -> Cut {
        let size = size_of::<S::T>();
        let panels = p.m.div_ceil(S::ROWS);
        let rows = p.m.div_ceil(panels);
        let width = 2 * S::LANES;
        let columns = p.n.div_ceil(width);
        // Rows that lie a multiple of 4 KiB apart compete for the same places of a cache.
        let clash = |step: usize| (step * size).is_multiple_of(4096);
        let tall = panels.div_ceil(4).clamp(3, 8).min(panels);
        let wide = columns.div_ceil(8usize.div_ceil(panels.div_ceil(tall)));
        Cut {
            rows,
            width,
            tall,
            wide,
            pack_a: p.a.along != 1 && p.n > width && p.m * p.k > 4096
                || p.n > 4 * width && p.m * p.k > 4096
                || p.k > 64 && p.m > 8 && clash(p.a.down),
            pack_b: p.b.along != 1
                || panels > 3 && p.k * p.n * size > NEAR
                || panels > 1 && p.k > 64 && clash(p.b.down),
        }
    }
}

/// `out = a b` for one matrix.
pub(super) fn run<S: Simd>(p: &Problem<S::T>, out: Out<S::T>) {
    let cut = Cut::new::<S>(p);
    if !cut.pack_b && !cut.pack_a && p.k <= p.block && p.m * p.n * p.k <= ALONE {
        return small::<S>(p, &cut, out);
    }
    if !cut.pack_b {
        let b = Right { p, packed: None, columns: 0..p.n, terms: 0..p.k };
        return tasks::<S>(p, &cut, &b, out);
    }
    let columns = NC.min(p.n);
    let deep = (PACKED / size_of::<S::T>() / columns / p.block).max(1) * p.block;
    let rounded = columns.next_multiple_of(S::LANES);
    match memory::try_buffer(rounded * deep.min(p.k) * size_of::<S::T>()) {
        Ok(buffer) => strips::<S>(p, &cut, buffer.as_ptr(), columns, deep, out),
        Err(_) => near::<S>(p, &cut, out),
    }
}

/// A panel of the right operand at its largest: two vectors of 64 bytes times a block.
#[repr(align(64))]
struct Near([MaybeUninit<u8>; 128 * MOST]);

/// Without memory to pack into, one panel at a time fits the stack.
#[cold]
#[inline(never)]
fn near<S: Simd>(p: &Problem<S::T>, cut: &Cut, out: Out<S::T>) {
    let mut panel = Near([MaybeUninit::uninit(); 128 * MOST]);
    strips::<S>(p, cut, panel.0.as_mut_ptr().cast(), cut.width, p.block, out);
}

/// The product, `columns` columns and `deep` terms of the right operand at a time, packed
/// to `place`.
fn strips<S: Simd>(
    p: &Problem<S::T>,
    cut: &Cut,
    place: *mut u8,
    columns: usize,
    deep: usize,
    out: Out<S::T>,
) {
    let packed = Out(place as *mut S::T);
    for first in (0..p.n).step_by(columns) {
        for term in (0..p.k).step_by(deep) {
            let b = Right {
                p,
                packed: Some(packed),
                columns: first..(first + columns).min(p.n),
                terms: term..(term + deep).min(p.k),
            };
            b.pack::<S>(cut.width);
            tasks::<S>(p, cut, &b, out);
        }
    }
}

/// A product of which nothing is packed and whose terms are one block.
fn small<S: Simd>(p: &Problem<S::T>, cut: &Cut, out: Out<S::T>) {
    for first in (0..p.n).step_by(cut.width) {
        let cols = cut.width.min(p.n - first);
        let right = (p.b.at(0, first).ptr, p.b.down);
        panel::<S>(
            p,
            cut,
            0..p.m,
            |row, _| p.a.at(row, 0),
            right,
            p.k,
            false,
            first,
            cols,
            false,
            out,
        );
    }
}

/// Some columns and terms of the right operand, packed or in place.
struct Right<'a, T> {
    p: &'a Problem<T>,
    packed: Option<Out<T>>,
    columns: Range<usize>,
    terms: Range<usize>,
}

impl<T: Copy + Send + Sync> Right<'_, T> {
    /// Columns, rounded up to whole vectors.
    fn rounded(&self, lanes: usize) -> usize {
        self.columns.len().next_multiple_of(lanes)
    }

    /// Packs block after block of terms, panel after panel.
    fn pack<S: Simd<T = T>>(&self, width: usize) {
        let to = self.packed.expect("a place to pack into");
        let panels = self.columns.len().div_ceil(width);
        let parts = panels * self.terms.len().div_ceil(self.p.block);
        threads::for_ranges(parts, 1, self.p.block * width / 4, |range| {
            for part in range {
                let (block, panel) = (part / panels, part % panels);
                let (at, first) = (self.terms.start + block * self.p.block, panel * width);
                let cols = width.min(self.columns.len() - first);
                let k = self.p.block.min(self.terms.end - at);
                let place = block * self.p.block * self.rounded(S::LANES) + first * k;
                dispatch(Strip::<S> {
                    from: self.p.b.at(at, self.columns.start + first).turned(),
                    rows: cols,
                    k,
                    to: to.at(place),
                    step: cols.next_multiple_of(S::LANES),
                });
            }
        });
    }

    /// First element and row stride of a panel that starts at column `first`, for the `k`
    /// terms from `at`.
    #[inline(always)]
    fn panel<S: Simd<T = T>>(
        &self,
        at: usize,
        k: usize,
        first: usize,
        cols: usize,
    ) -> (*const T, usize) {
        match self.packed {
            None => (self.p.b.at(at, first).ptr, self.p.b.down),
            Some(packed) => {
                let place = (at - self.terms.start) * self.rounded(S::LANES)
                    + (first - self.columns.start) * k;
                (packed.at(place), cols.next_multiple_of(S::LANES))
            }
        }
    }
}

/// All blocks of the result for the terms and columns of `b`.
fn tasks<S: Simd>(p: &Problem<S::T>, cut: &Cut, b: &Right<S::T>, out: Out<S::T>) {
    let (tall, wide) = (cut.tall * cut.rows, cut.wide * cut.width);
    let high = p.m.div_ceil(tall);
    let across = b.columns.len().div_ceil(wide);
    let task = |i: usize| {
        // Tasks that follow each other share their columns.
        let (r, c) = (i % high * tall, b.columns.start + i / high * wide);
        let rows = r..(r + tall).min(p.m);
        block::<S>(p, cut, b, rows, c..(c + wide).min(b.columns.end), out);
    };
    if p.m * b.columns.len() * b.terms.len() <= ALONE {
        (0..high * across).for_each(task);
    } else {
        threads::run(high * across, task);
    }
}

/// One block of the result, block after block of terms.
fn block<S: Simd>(
    p: &Problem<S::T>,
    cut: &Cut,
    b: &Right<S::T>,
    rows: Range<usize>,
    columns: Range<usize>,
    out: Out<S::T>,
) {
    // Without memory the rows are read where they lie.
    let bytes = rows.len() * p.block * size_of::<S::T>();
    let buffer = if cut.pack_a { memory::try_buffer(bytes).ok() } else { None };
    for at in b.terms.clone().step_by(p.block) {
        let k = p.block.min(b.terms.end - at);
        let packed = buffer.as_ref().map(|buffer| {
            let to = buffer.as_ptr() as *mut S::T;
            for first in rows.clone().step_by(cut.rows) {
                let height = cut.rows.min(rows.end - first);
                dispatch(Strip::<S> {
                    from: p.a.at(first, at),
                    rows: height,
                    k,
                    to: to.wrapping_add((first - rows.start) * k),
                    step: height,
                });
            }
            to as *const S::T
        });
        for first in columns.clone().step_by(cut.width) {
            let cols = cut.width.min(columns.end - first);
            let packed_b = b.packed.is_some() && first + cols < columns.end;
            let right = b.panel::<S>(at, k, first, cols);
            let left = |row: usize, height: usize| match packed {
                None => p.a.at(row, at),
                Some(packed) => {
                    Mat { ptr: packed.wrapping_add((row - rows.start) * k), down: 1, along: height }
                }
            };
            panel::<S>(p, cut, rows.clone(), left, right, k, at > 0, first, cols, packed_b, out);
        }
    }
}

/// One panel of columns of a block of the result.
#[inline(always)]
fn panel<S: Simd>(
    p: &Problem<S::T>,
    cut: &Cut,
    rows: Range<usize>,
    left: impl Fn(usize, usize) -> Mat<S::T>,
    (b, b_down): (*const S::T, usize),
    k: usize,
    more: bool,
    first: usize,
    cols: usize,
    ahead: bool,
    out: Out<S::T>,
) {
    for (i, row) in rows.clone().step_by(cut.rows).enumerate() {
        let height = cut.rows.min(rows.end - row);
        let a = left(row, height);
        let tile = Tile {
            k,
            a: a.ptr,
            a_down: a.down,
            a_along: a.along,
            b,
            b_down,
            ahead: if i < 2 && ahead { b.wrapping_add(k * (b_down + i * S::LANES)) } else { b },
            c: out.at(row * p.n + first),
            c_down: p.n,
            cols,
            more,
        };
        let kernel = S::kernel(height, cols.div_ceil(S::LANES));
        // SAFETY: the tile lies in the windows that `Problem::new` checked (or in what was
        // packed from them), and the task alone writes these elements of the result.
        unsafe { kernel(&tile) };
    }
}
