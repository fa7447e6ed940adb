//! The one summation tree of this crate.
//!
//! Elements are cut into blocks of [`BLOCK`]. Within a block element `i` goes to lane
//! `i % LANES`, lanes are added in order and then folded in halves; the blocks' sums are
//! added pairwise (Higham, "The accuracy of floating point summation", 1993). Fewer
//! than `LANES` elements are added in order. The tree depends on the length alone: not on
//! strides, threads or instruction set.

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

impl<T: crate::float::Float> Fold<T> for Add {
    type Acc = T;
    const START: T = T::ZERO;
    #[inline(always)]
    fn lift(x: T) -> T {
        x
    }
    #[inline(always)]
    fn join(a: T, b: T) -> T {
        a + b
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

/// Folds `map` of at most [`BLOCK`] elements; `short` says that the whole row has fewer
/// than [`LANES`].
#[inline(always)]
fn block<A: Copy, T: Copy, F: Fold<T>>(row: &[A], map: impl Fn(A) -> T) -> F::Acc {
    let mut acc = [F::START; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            acc[l] = F::join(acc[l], F::lift(map(chunk[l])));
        }
    }
    for (a, &x) in acc.iter_mut().zip(rest) {
        *a = F::join(*a, F::lift(map(x)));
    }
    fold_lanes::<T, F>(acc)
}

#[inline(always)]
fn in_order<A: Copy, T: Copy, F: Fold<T>>(row: &[A], map: impl Fn(A) -> T) -> F::Acc {
    row.iter().fold(F::START, |acc, &x| F::join(acc, F::lift(map(x))))
}

/// Folds one block of a row of `total` elements.
#[inline(always)]
pub(crate) fn fold_block<T: Copy, F: Fold<T>>(row: &[T], total: usize) -> F::Acc {
    if total < LANES { in_order::<T, T, F>(row, |x| x) } else { block::<T, T, F>(row, |x| x) }
}

/// Sums of blocks, added pairwise as they come.
struct Pairwise<A> {
    level: [A; 48],
    count: usize,
}

impl<A: Copy> Pairwise<A> {
    #[inline(always)]
    fn push(&mut self, mut x: A, join: impl Fn(A, A) -> A) {
        let mut level = 0;
        while self.count >> level & 1 == 1 {
            x = join(self.level[level], x);
            level += 1;
        }
        self.level[level] = x;
        self.count += 1;
    }

    #[inline(always)]
    fn finish(&self, start: A, join: impl Fn(A, A) -> A) -> A {
        let mut total = None;
        for level in 0..48 {
            if self.count >> level & 1 == 1 {
                let x = self.level[level];
                total = Some(total.map_or(x, |t| join(x, t)));
            }
        }
        total.unwrap_or(start)
    }
}

/// Folds a whole row through `map`.
#[inline(always)]
pub(crate) fn fold_map<A: Copy, T: Copy, F: Fold<T>>(
    row: &[A],
    map: impl Fn(A) -> T + Copy,
) -> F::Acc {
    if row.len() < LANES {
        return in_order::<A, T, F>(row, map);
    }
    if row.len() <= BLOCK {
        return block::<A, T, F>(row, map);
    }
    let mut sums = Pairwise { level: [F::START; 48], count: 0 };
    for part in row.chunks(BLOCK) {
        sums.push(block::<A, T, F>(part, map), F::join);
    }
    sums.finish(F::START, F::join)
}

/// Sum of `map` over a row.
#[inline(always)]
pub(crate) fn sum<T: crate::float::Float>(row: &[T], map: impl Fn(T) -> T + Copy) -> T {
    fold_map::<T, T, Add>(row, map)
}

#[inline(always)]
fn block2<T: crate::float::Float>(a: &[T], b: &[T], map: impl Fn(T, T) -> T) -> T {
    let mut acc = [T::ZERO; LANES];
    let ((ac, ar), (bc, br)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (x, y) in ac.iter().zip(bc) {
        for l in 0..LANES {
            acc[l] += map(x[l], y[l]);
        }
    }
    for ((s, &x), &y) in acc.iter_mut().zip(ar).zip(br) {
        *s += map(x, y);
    }
    fold_lanes::<T, Add>(acc)
}

/// Sum of `map` over the pairs of two rows of one length.
#[inline(always)]
pub(crate) fn sum2<T: crate::float::Float>(a: &[T], b: &[T], map: impl Fn(T, T) -> T + Copy) -> T {
    if a.len() < LANES {
        return a.iter().zip(b).fold(T::ZERO, |acc, (&x, &y)| acc + map(x, y));
    }
    if a.len() <= BLOCK {
        return block2(a, b, map);
    }
    let mut sums = Pairwise { level: [T::ZERO; 48], count: 0 };
    for (x, y) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        sums.push(block2(x, y, map), |p, q| p + q);
    }
    sums.finish(T::ZERO, |p, q| p + q)
}

/// The greater one; NaN counts as the greatest.
#[inline(always)]
pub(crate) fn max<T: crate::float::Float>(row: &[T]) -> T {
    fold_map::<T, T, Max>(row, |x| x)
}

/// Maximum of floats; NaN wins.
#[derive(Clone, Copy)]
pub(crate) struct Max;

impl<T: crate::float::Float> Fold<T> for Max {
    type Acc = T;
    const START: T = T::NEG_INFINITY;
    #[inline(always)]
    fn lift(x: T) -> T {
        x
    }
    #[inline(always)]
    #[allow(clippy::eq_op)]
    fn join(a: T, b: T) -> T {
        if b > a || b != b { b } else { a }
    }
}
