//! The one summation tree of this crate.
//!
//! Elements are cut into blocks of [`BLOCK`]. Within a block element `i` goes to lane
//! `i % LANES`, lanes are added in order and then folded in halves; the blocks' sums are
//! added pairwise (Higham, "The accuracy of floating point summation", 1993). Fewer
//! than `LANES` elements are added in order. The tree depends on the length alone: not on
//! strides, threads or instruction set.

use crate::float::{Float, Stored};

/// Partial sums that run side by side.
pub(crate) const LANES: usize = 16;
/// Elements that are summed before the pairwise tree begins.
pub(crate) const BLOCK: usize = 512;

/// An associative operation with a neutral element that is folded over `T`s.
pub(crate) trait Fold<T: Copy>: Copy {
    type Acc: Copy + Send + Sync;
    const START: Self::Acc;
    fn lift(x: T) -> Self::Acc;
    fn join(a: Self::Acc, b: Self::Acc) -> Self::Acc;
}

/// Addition of floats.
#[derive(Clone, Copy)]
pub(crate) struct Add;

impl<T: Stored> Fold<T> for Add {
    type Acc = T::Wide;
    const START: T::Wide = T::Wide::ZERO;
    #[inline(always)]
    fn lift(x: T) -> T::Wide {
        x.load()
    }
    #[inline(always)]
    fn join(a: T::Wide, b: T::Wide) -> T::Wide {
        a + b
    }
}

/// What is done to an element before it is folded. A trait and not a closure, because
/// closures need not be inlined into the code that is compiled for wide registers.
pub(crate) trait Map<T>: Copy {
    type Out: Copy;
    fn at(self, x: T) -> Self::Out;
}

/// The element itself.
#[derive(Clone, Copy)]
pub(crate) struct Same;

impl<T: Copy> Map<T> for Same {
    type Out = T;
    #[inline(always)]
    fn at(self, x: T) -> T {
        x
    }
}

/// The square of the distance from a number.
#[derive(Clone, Copy)]
pub(crate) struct SquareFrom<T>(pub(crate) T);

impl<T: Stored> Map<T> for SquareFrom<T::Wide> {
    type Out = T::Wide;
    #[inline(always)]
    fn at(self, x: T) -> T::Wide {
        (x.load() - self.0) * (x.load() - self.0)
    }
}

/// e to the distance from a number.
#[derive(Clone, Copy)]
pub(crate) struct ExpFrom<T>(pub(crate) T);

impl<T: Stored> Map<T> for ExpFrom<T::Wide> {
    type Out = T::Wide;
    #[inline(always)]
    fn at(self, x: T) -> T::Wide {
        (x.load() - self.0).exp()
    }
}

/// Halves the lanes until one is left.
#[inline(always)]
pub(crate) fn fold_lanes<T: Copy, F: Fold<T>>(mut acc: [F::Acc; LANES]) -> F::Acc {
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            acc[l] = F::join(acc[l], acc[l + width]);
        }
        width /= 2;
    }
    acc[0]
}

/// Folds one block.
#[inline(always)]
fn block<T: Copy, F: Fold<M::Out>, M: Map<T>>(row: &[T], map: M) -> F::Acc {
    let mut acc = [F::START; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            acc[l] = F::join(acc[l], F::lift(map.at(chunk[l])));
        }
    }
    for (a, &x) in acc.iter_mut().zip(rest) {
        *a = F::join(*a, F::lift(map.at(x)));
    }
    fold_lanes::<M::Out, F>(acc)
}

#[inline(always)]
fn in_order<T: Copy, F: Fold<M::Out>, M: Map<T>>(row: &[T], map: M) -> F::Acc {
    let mut acc = F::START;
    for &x in row {
        acc = F::join(acc, F::lift(map.at(x)));
    }
    acc
}

/// Folds one block of a row of `total` elements.
#[inline(always)]
pub(crate) fn fold_block<T: Copy, F: Fold<T>>(row: &[T], total: usize) -> F::Acc {
    if total < LANES { in_order::<T, F, Same>(row, Same) } else { block::<T, F, Same>(row, Same) }
}

/// Sums of blocks, joined pairwise as they come: the sum of `2^l` blocks waits at level `l`.
struct Pairwise<A> {
    level: [A; 48],
    count: usize,
}

impl<A: Copy> Pairwise<A> {
    #[inline(always)]
    fn push<T: Copy, F: Fold<T, Acc = A>>(&mut self, mut x: A) {
        let mut level = 0;
        while self.count >> level & 1 == 1 {
            x = F::join(self.level[level], x);
            level += 1;
        }
        self.level[level] = x;
        self.count += 1;
    }

    #[inline(always)]
    fn finish<T: Copy, F: Fold<T, Acc = A>>(&self) -> A {
        let mut level = self.count.trailing_zeros() as usize;
        let mut total = self.level[level];
        while self.count >> (level + 1) != 0 {
            level += 1;
            if self.count >> level & 1 == 1 {
                total = F::join(self.level[level], total);
            }
        }
        total
    }
}

/// Folds a whole row.
#[inline(always)]
fn fold<T: Copy, F: Fold<M::Out>, M: Map<T>>(row: &[T], map: M) -> F::Acc {
    if row.len() < LANES {
        return in_order::<T, F, M>(row, map);
    }
    if row.len() <= BLOCK {
        return block::<T, F, M>(row, map);
    }
    let mut sums = Pairwise { level: [F::START; 48], count: 0 };
    for part in row.chunks(BLOCK) {
        sums.push::<M::Out, F>(block::<T, F, M>(part, map));
    }
    sums.finish::<M::Out, F>()
}

/// Sum of a row.
#[inline(always)]
pub(crate) fn sum<T: Stored>(row: &[T]) -> T::Wide {
    fold::<T, Add, Same>(row, Same)
}

/// Sum of `map` over a row.
#[inline(always)]
pub(crate) fn sum_of<T: Stored>(row: &[T], map: impl Map<T, Out = T::Wide>) -> T::Wide {
    fold::<T, Add, _>(row, map)
}

#[inline(always)]
fn block_dot<A: Stored, B: Stored<Wide = A::Wide>>(a: &[A], b: &[B]) -> A::Wide {
    let mut acc = [A::Wide::ZERO; LANES];
    let ((ac, ar), (bc, br)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (x, y) in ac.iter().zip(bc) {
        for l in 0..LANES {
            acc[l] += x[l].load() * y[l].load();
        }
    }
    for ((s, &x), &y) in acc.iter_mut().zip(ar).zip(br) {
        *s += x.load() * y.load();
    }
    fold_lanes::<A, Add>(acc)
}

/// Sum of the products of two rows of one length.
#[inline(always)]
pub(crate) fn dot<A: Stored, B: Stored<Wide = A::Wide>>(a: &[A], b: &[B]) -> A::Wide {
    if a.len() < LANES {
        let mut sum = A::Wide::ZERO;
        for (&x, &y) in a.iter().zip(b) {
            sum += x.load() * y.load();
        }
        return sum;
    }
    if a.len() <= BLOCK {
        return block_dot(a, b);
    }
    let mut sums = Pairwise { level: [A::Wide::ZERO; 48], count: 0 };
    for (x, y) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        sums.push::<A, Add>(block_dot(x, y));
    }
    sums.finish::<A, Add>()
}

/// The greatest of a row, NaN if there is one, `-inf` of nothing.
#[inline(always)]
pub(crate) fn max<T: Stored>(row: &[T]) -> T::Wide {
    fold::<T, Max, Same>(row, Same)
}

/// Maximum of floats; NaN wins.
#[derive(Clone, Copy)]
pub(crate) struct Max;

impl<T: Stored> Fold<T> for Max {
    type Acc = T::Wide;
    const START: T::Wide = T::Wide::NEG_INFINITY;
    #[inline(always)]
    fn lift(x: T) -> T::Wide {
        x.load()
    }
    #[inline(always)]
    #[allow(clippy::eq_op)]
    fn join(a: T::Wide, b: T::Wide) -> T::Wide {
        if b > a || b != b { b } else { a }
    }
}
