//! Products of floats of sixteen bits: blocks of both operands are widened on the stack and
//! multiplied as `f32` is, and the sums are rounded once.

use std::mem::MaybeUninit;

use super::view::{MOST, Mat, Problem};
use super::{Out, float32};
use crate::cpu::{Work, dispatch};
use crate::float::Stored;
use crate::threads;
use crate::walk::Walk;

/// Rows and columns of the result that are worked on at a time.
const EDGE: usize = 64;

/// `out = a b`, with the bits of the product of the widened operands, rounded.
pub(super) fn run<T: Stored<Wide = f32>>(p: &Problem<T>, out: &mut [T]) {
    if p.k == 0 {
        out.fill(T::store(0.0));
    }
    if out.is_empty() || p.k == 0 {
        return;
    }
    let (down, across) = (p.m.div_ceil(EDGE), p.n.div_ceil(EDGE));
    let out = Out(out.as_mut_ptr());
    let cost = EDGE.min(p.m) * EDGE.min(p.n) * p.k / 8 + 16;
    threads::for_ranges(p.batch * down * across, 1, cost, |range| {
        let mut space = MaybeUninit::uninit();
        for task in range {
            let (batch, block) = (task / (down * across), task % (down * across));
            let (row, column) = (block / across * EDGE, block % across * EDGE);
            let (a, b) = p.operands(batch);
            let size = [EDGE.min(p.m - row), EDGE.min(p.n - column), p.k];
            let to = out.at((batch * p.m + row) * p.n + column);
            let block = Block { a: a.at(row, 0), b: b.at(0, column), size, terms: p.block };
            block.run(&mut space, Mat { ptr: to, down: p.n, along: 1 });
        }
    });
}

/// What a block of the result needs.
struct Space {
    left: [f32; EDGE * MOST],
    right: [f32; EDGE * MOST],
    part: [f32; EDGE * EDGE],
    sums: [f32; EDGE * EDGE],
}

/// A block of the result, as the product of some rows and some columns.
struct Block<T> {
    a: Mat<T>,
    b: Mat<T>,
    size: [usize; 3],
    terms: usize,
}

impl<T: Stored<Wide = f32>> Block<T> {
    fn run(&self, space: &mut MaybeUninit<Space>, to: Mat<T>) {
        let [m, n, k] = self.size;
        let space = space.as_mut_ptr();
        // SAFETY: the places exist, and are written before they are read; the operands' blocks
        // lie in the windows that `Problem::new` checked, and `to` belongs to this task.
        unsafe {
            let left = (&raw mut (*space).left).cast::<f32>();
            let right = (&raw mut (*space).right).cast::<f32>();
            let part = (&raw mut (*space).part).cast::<f32>();
            let sums = (&raw mut (*space).sums).cast::<f32>();
            for at in (0..k).step_by(self.terms) {
                let terms = self.terms.min(k - at);
                dispatch(Widen { from: self.a.at(0, at), size: [m, terms], to: left });
                dispatch(Widen { from: self.b.at(at, 0), size: [terms, n], to: right });
                let product = Problem {
                    batch: 1,
                    m,
                    n,
                    k: terms,
                    block: terms,
                    a: Mat { ptr: left.cast_const(), down: terms, along: 1 },
                    b: Mat { ptr: right.cast_const(), down: n, along: 1 },
                    steps: [Walk::POINT; 2],
                };
                float32(&product, Out(if at == 0 { sums } else { part }));
                if at > 0 {
                    let part = std::slice::from_raw_parts(part, m * n);
                    let sums = std::slice::from_raw_parts_mut(sums, m * n);
                    sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
                }
            }
            let sums = std::slice::from_raw_parts(sums, m * n);
            dispatch(Narrow { sums, to: to.ptr.cast_mut(), down: to.down, n });
        }
    }
}

/// Widens a block into neighbouring places.
struct Widen<T> {
    from: Mat<T>,
    size: [usize; 2],
    to: *mut f32,
}

impl<T: Stored<Wide = f32>> Work for Widen<T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let [m, n] = self.size;
        // SAFETY: `Block::run` keeps inside the operand and the space.
        unsafe {
            for i in 0..m {
                let row = std::slice::from_raw_parts_mut(self.to.add(i * n), n);
                let from = self.from.at(i, 0);
                if from.along == 1 {
                    let from = std::slice::from_raw_parts(from.ptr, n);
                    row.iter_mut().zip(from).for_each(|(x, y)| *x = y.load());
                } else {
                    for (j, x) in row.iter_mut().enumerate() {
                        *x = (*from.at(0, j).ptr).load();
                    }
                }
            }
        }
    }
}

/// Rounds the sums into the result.
struct Narrow<'a, T> {
    sums: &'a [f32],
    to: *mut T,
    down: usize,
    n: usize,
}

impl<T: Stored<Wide = f32>> Work for Narrow<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        for (i, sums) in self.sums.chunks_exact(self.n).enumerate() {
            // SAFETY: `Block::run` keeps inside the result.
            let row = unsafe { std::slice::from_raw_parts_mut(self.to.add(i * self.down), self.n) };
            row.iter_mut().zip(sums).for_each(|(x, &sum)| *x = T::store(sum));
        }
    }
}
