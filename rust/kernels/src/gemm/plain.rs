//! Products of integers, by three loops.

use super::view::{Mat, Problem};
use crate::dtype::Element;
use crate::shared::split_rows;

/// Multiply and add as integers do it: wrapping.
pub(super) trait Wrapping: Element {
    const ZERO: Self;
    fn madd(self, x: Self, y: Self) -> Self;
}

macro_rules! wrapping {
    ($($t:ty)*) => {$(
        impl Wrapping for $t {
            const ZERO: Self = 0;
            #[inline(always)]
            fn madd(self, x: Self, y: Self) -> Self {
                self.wrapping_add(x.wrapping_mul(y))
            }
        }
    )*};
}

wrapping!(i8 i16 i32 i64 u8 u16 u32 u64);

pub(super) fn run<T: Wrapping>(p: &Problem<T>, out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    split_rows(out, p.n, p.n * p.k, |first, rows| {
        for (r, row) in rows.chunks_exact_mut(p.n).enumerate() {
            let (batch, i) = ((first + r) / p.m, (first + r) % p.m);
            let (a, b) = p.operands(batch);
            row.fill(T::ZERO);
            for k in 0..p.k {
                // SAFETY: `(i, k)` lies in the window that `Problem::new` checked.
                let x = unsafe { *a.at(i, k).ptr };
                add_row(row, x, b.at(k, 0));
            }
        }
    });
}

fn add_row<T: Wrapping>(row: &mut [T], x: T, b: Mat<T>) {
    if b.along == 1 {
        // SAFETY: a row of the window that `Problem::new` checked.
        let b = unsafe { std::slice::from_raw_parts(b.ptr, row.len()) };
        row.iter_mut().zip(b).for_each(|(o, &y)| *o = o.madd(x, y));
    } else {
        for (j, o) in row.iter_mut().enumerate() {
            // SAFETY: as above.
            *o = o.madd(x, unsafe { *b.at(0, j).ptr });
        }
    }
}
