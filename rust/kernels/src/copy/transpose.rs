//! Transposing in blocks.

use crate::cpu::{Work, dispatch};

/// Edge of the largest block: two cache lines of the most common element.
pub(super) const EDGE: usize = 16;
/// Edge of the block that is turned in registers.
const TURN: usize = 8;

/// Writes `dst[i * to + j] = src[i + j * from]` for i below `height` and j below `width`,
/// where `(from, to)` are the strides.
///
/// # Safety
/// Both must be accessible at those places, without overlap.
pub(super) unsafe fn band<T: Copy + Default>(
    src: *const T,
    dst: *mut T,
    (from, to): (usize, usize),
    height: usize,
    width: usize,
) {
    dispatch(Band { src, dst, from, to, height, width });
}

struct Band<T> {
    src: *const T,
    dst: *mut T,
    from: usize,
    to: usize,
    height: usize,
    width: usize,
}

impl<T: Copy + Default> Work for Band<T> {
    type Out = ();

    #[inline(always)]
    fn run(self) {
        let (full_i, full_j) = (self.height / TURN * TURN, self.width / TURN * TURN);
        for j0 in (0..full_j).step_by(EDGE) {
            for i in (0..full_i).step_by(TURN) {
                for j in (j0..full_j.min(j0 + EDGE)).step_by(TURN) {
                    // SAFETY: the block lies inside `height` and `width`.
                    unsafe { self.block(i, j) };
                }
            }
        }
        self.single(0..full_i, full_j..self.width);
        self.single(full_i..self.height, 0..self.width);
    }
}

impl<T: Copy + Default> Band<T> {
    /// # Safety
    /// Rows `i..i + TURN` and columns `j..j + TURN` must lie inside the band.
    #[inline(always)]
    unsafe fn block(&self, i: usize, j: usize) {
        let mut block = [[T::default(); TURN]; TURN];
        for (c, column) in block.iter_mut().enumerate() {
            let at = self.src.wrapping_add(i + (j + c) * self.from);
            // SAFETY: inside the band, of which the caller of `band` vouches.
            *column = unsafe { at.cast::<[T; TURN]>().read() };
        }
        let rows: [[T; TURN]; TURN] = std::array::from_fn(|r| std::array::from_fn(|c| block[c][r]));
        for (r, row) in rows.into_iter().enumerate() {
            let at = self.dst.wrapping_add((i + r) * self.to + j);
            // SAFETY: as above.
            unsafe { at.cast::<[T; TURN]>().write(row) };
        }
    }

    #[inline(always)]
    fn single(&self, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) {
        for i in rows {
            for j in columns.clone() {
                // SAFETY: inside the band, of which the caller of `band` vouches.
                unsafe { *self.dst.add(i * self.to + j) = *self.src.add(i + j * self.from) };
            }
        }
    }
}
