//! Where memory comes from.
//!
//! Every allocation whose size a user decides goes through this module and can fail: a
//! kernel then returns [`Fault::Memory`] before it has written anything. What may allocate
//! elsewhere is bounded by the number of dimensions, operands or instructions.

use std::cell::{Cell, UnsafeCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::Fault;
use crate::buffer::Buffer;
use crate::threads;

/// Whether any thread ever asked for failures.
static ARMED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The allocation of this thread that fails: 1 for the next one, 0 for none.
    static COUNTDOWN: Cell<u64> = const { Cell::new(0) };
}

/// For tests: lets the `n`th allocation from here on fail on this thread (0: none), and
/// returns what was left of the last countdown (0: it fired, or there was none).
pub fn fail_allocation(n: u64) -> u64 {
    ARMED.store(true, Ordering::Relaxed);
    COUNTDOWN.replace(n)
}

/// Whether an allocation may be tried.
#[inline]
pub(crate) fn granted() -> bool {
    !ARMED.load(Ordering::Relaxed) || counted()
}

#[cold]
fn counted() -> bool {
    let left = COUNTDOWN.get();
    COUNTDOWN.set(left.saturating_sub(1));
    left != 1
}

/// At least `len` bytes with unspecified contents.
pub fn try_buffer(len: usize) -> Result<Buffer, Fault> {
    Buffer::try_new(len).ok_or(Fault::Memory { bytes: len })
}

/// An empty list with room for `len` elements.
pub fn try_list<T>(len: usize) -> Result<Vec<T>, Fault> {
    let fault = Fault::Memory { bytes: len.saturating_mul(size_of::<T>()) };
    let mut list = Vec::new();
    if granted() && list.try_reserve_exact(len).is_ok() { Ok(list) } else { Err(fault) }
}

/// `len` times `value`.
pub fn try_vec<T: Clone>(value: T, len: usize) -> Result<Vec<T>, Fault> {
    let mut list = try_list(len)?;
    list.resize(len, value);
    Ok(list)
}

/// Buffers of one length for threads that work on parts of one kernel, taken in advance so
/// that the kernel fails before it writes or not at all.
pub(crate) struct Shelf(Mutex<Vec<Buffer>>);

impl Shelf {
    /// A shelf for a kernel of `parts` parts, as many as can be worked on at a time.
    pub(crate) fn new(parts: usize, len: usize) -> Result<Shelf, Fault> {
        let count = threads::num_threads().min(parts).max(1);
        let buffers: Result<Vec<Buffer>, Fault> = (0..count).map(|_| try_buffer(len)).collect();
        Ok(Shelf(Mutex::new(buffers?)))
    }

    fn buffers(&self) -> MutexGuard<'_, Vec<Buffer>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Calls `body` with a buffer that nobody else has meanwhile.
    pub(crate) fn lend(&self, body: impl FnOnce(&Buffer)) {
        let mut taken = self.buffers().pop();
        while taken.is_none() {
            std::thread::yield_now();
            taken = self.buffers().pop();
        }
        let buffer = taken.expect("the loop ends with one");
        body(&buffer);
        self.buffers().push(buffer);
    }
}

/// A block that is always there: the working memory of those who must not fail.
#[repr(align(64))]
struct Reserve(UnsafeCell<[u8; RESERVE]>);

// SAFETY: the bytes are handed out by `reserve` only, to one holder of the lock at a time.
unsafe impl Sync for Reserve {}

/// Bytes of the reserve: 256 registers and 512 operands of a chain in tiles of 8 KiB.
pub(crate) const RESERVE: usize = 768 * 8192;

static BLOCK: Reserve = Reserve(UnsafeCell::new([0; RESERVE]));
static TURN: Mutex<()> = Mutex::new(());

/// The reserve, until the guard is dropped. Others wait.
pub(crate) fn reserve() -> (MutexGuard<'static, ()>, *mut u8) {
    let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    (turn, BLOCK.0.get().cast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_allocation_fails_and_no_other() {
        assert_eq!(fail_allocation(2), 0);
        assert!(try_buffer(10).is_ok());
        assert_eq!(try_vec(0u64, 5), Err(Fault::Memory { bytes: 40 }));
        assert_eq!(try_vec(7u64, 2), Ok(vec![7, 7]));
        assert_eq!(fail_allocation(0), 0);
    }

    #[test]
    fn what_no_memory_holds_is_a_fault() {
        assert!(try_buffer(usize::MAX).is_err());
        assert!(try_list::<u64>(usize::MAX / 4).is_err());
        assert!(Buffer::try_zeroed(1 << 62).is_none());
    }
}
