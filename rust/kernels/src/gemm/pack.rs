//! Copying operands into the order in which the kernels read them.

use super::simd::Simd;
use super::view::Mat;
use crate::cpu::Work;

/// Copies a strip of a matrix: `to[p * step + i] = from(i, p)` for `i < rows`, `p < k`.
///
/// The rows of the left operand become strips of a tile's height; the columns of the
/// right one strips of a tile's width. Elements of a term beyond `rows` get no meaning;
/// nothing beyond `k * step` is written.
pub(super) struct Strip<S: Simd> {
    pub from: Mat<S::T>,
    pub rows: usize,
    pub k: usize,
    pub to: *mut S::T,
    pub step: usize,
}

impl<S: Simd> Work for Strip<S> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        debug_assert!(self.rows <= self.step);
        // SAFETY: the strip lies in the checked window of `from`; `to` holds `k * step`.
        unsafe {
            // From the last rows to the first: whole vectors may spill into the next
            // term's first rows, which are written after them.
            let groups = self.rows.div_ceil(S::LANES);
            for first in (0..groups).rev().map(|g| g * S::LANES) {
                let rows = S::LANES.min(self.rows - first);
                let (from, to) = (self.from.at(first, 0), self.to.add(first));
                // Terms for which a whole vector stays inside the strip.
                let room = self.k * self.step - first;
                let whole = match room.checked_sub(S::LANES) {
                    Some(rest) => (rest / self.step + 1).min(self.k),
                    None => 0,
                };
                if self.from.down == 1 {
                    copy::<S>(from, rows, self.k, to, self.step, whole);
                } else if self.from.along == 1 {
                    turn::<S>(from, rows, self.k, to, self.step, whole);
                } else {
                    scatter::<S>(from, rows, 0..self.k, to, self.step);
                }
            }
        }
    }
}

/// The rows of a term are neighbours: plain copies.
#[inline(always)]
unsafe fn copy<S: Simd>(
    from: Mat<S::T>,
    rows: usize,
    k: usize,
    to: *mut S::T,
    step: usize,
    whole: usize,
) {
    // SAFETY: by the contract of `Strip`; masks and `whole` keep inside the strip.
    unsafe {
        let mask = S::mask(rows);
        for p in 0..whole {
            S::load_part(from.at(0, p).ptr, mask).store(to.add(p * step));
        }
        for p in whole..k {
            S::load_part(from.at(0, p).ptr, mask).store_part(to.add(p * step), mask);
        }
    }
}

/// The terms of a row are neighbours: four terms of all rows are transposed at a time.
#[inline(always)]
unsafe fn turn<S: Simd>(
    from: Mat<S::T>,
    rows: usize,
    k: usize,
    to: *mut S::T,
    step: usize,
    whole: usize,
) {
    // SAFETY: by the contract of `Strip`; rows that are not there are read as the last,
    // and `whole` keeps the stores inside the strip.
    unsafe {
        let fours = whole / 4 * 4;
        let mut all = (rows == S::LANES).then(|| Rows::new(from));
        for p in (0..fours).step_by(4) {
            let columns = match &mut all {
                Some(all) => all.next::<S>(),
                None => S::turn(|i| from.at(i.min(rows - 1), p).ptr),
            };
            for (q, column) in columns.into_iter().enumerate() {
                column.store(to.add((p + q) * step));
            }
        }
        scatter::<S>(from, rows, fours..k, to, step);
    }
}

/// Pointers into [`Simd::LANES`] rows whose terms are neighbours: one for every fourth
/// row, which leaves the others one, two and three strides away.
#[derive(Clone, Copy)]
pub(super) struct Rows<T> {
    fours: [*const T; 4],
    step: usize,
    three: usize,
}

impl<T: Copy> Rows<T> {
    #[inline(always)]
    pub(super) fn new(from: Mat<T>) -> Rows<T> {
        let fours = std::array::from_fn(|g| from.at(4 * g, 0).ptr);
        // LLVM must not see how they hang together: it would make long chains of additions.
        let (fours, three) = std::hint::black_box((fours, 3 * from.down));
        Rows { fours, step: from.down, three }
    }

    /// The next four terms of all rows, transposed.
    ///
    /// # Safety
    /// They must lie in memory, and the machine must have the instruction set.
    #[inline(always)]
    pub(super) unsafe fn next<S: Simd<T = T>>(&mut self) -> [S; 4] {
        let Rows { fours, step, three } = *self;
        let steps = [0, step, 2 * step, three];
        // SAFETY: by the caller's promise.
        let out = unsafe { S::turn(|i| fours[i / 4].wrapping_add(steps[i % 4])) };
        self.fours = fours.map(|p| p.wrapping_add(4));
        out
    }
}

/// Number by number.
#[inline(always)]
unsafe fn scatter<S: Simd>(
    from: Mat<S::T>,
    rows: usize,
    terms: std::ops::Range<usize>,
    to: *mut S::T,
    step: usize,
) {
    for p in terms {
        for i in 0..rows {
            // SAFETY: by the contract of `Strip`.
            unsafe { *to.add(p * step + i) = *from.at(i, p).ptr };
        }
    }
}
