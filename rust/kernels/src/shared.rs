//! Handing parts of one output to several threads.

use std::marker::PhantomData;
use std::ops::Range;

use crate::threads;

/// A mutable slice whose disjoint parts are written by different threads.
pub(crate) struct Shared<'a, T> {
    ptr: *mut T,
    len: usize,
    life: PhantomData<&'a mut [T]>,
}

// SAFETY: `part` hands out slices that its callers keep disjoint.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(data: &'a mut [T]) -> Shared<'a, T> {
        Shared { ptr: data.as_mut_ptr(), len: data.len(), life: PhantomData }
    }

    /// The elements of `range`.
    ///
    /// # Safety
    /// No two live parts may overlap.
    #[allow(clippy::mut_from_ref)]
    #[inline(always)]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: in bounds by the assertion, disjoint by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(range.start), range.len()) }
    }
}

/// Splits `out` into rows of `width` elements and calls `body(first_row, rows)` on parts,
/// possibly on several threads. `cost` is the number of scalar operations per row.
pub(crate) fn split_rows<T: Send>(
    out: &mut [T],
    width: usize,
    cost: usize,
    body: impl Fn(usize, &mut [T]) + Sync,
) {
    if out.is_empty() {
        return;
    }
    let rows = out.len() / width;
    let out = Shared::new(out);
    threads::for_ranges(rows, 1, cost, |range| {
        // SAFETY: `for_ranges` gives disjoint ranges.
        body(range.start, unsafe { out.part(range.start * width..range.end * width) });
    });
}
