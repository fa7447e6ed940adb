//! Working memory of the thread, kept from one kernel to the next.

use std::cell::Cell;
use std::ptr::NonNull;

use crate::buffer::Buffer;

thread_local! {
    static SPARE: Cell<Option<Buffer>> = const { Cell::new(None) };
}

/// Aligned memory with unspecified contents, given back when dropped.
pub(super) struct Scratch(Option<Buffer>);

impl Scratch {
    /// At least `len` bytes; none is taken for 0.
    pub(super) fn take(len: usize) -> Scratch {
        if len == 0 {
            return Scratch(None);
        }
        let spare = SPARE.take().filter(|buffer| buffer.len() >= len);
        Scratch(Some(spare.unwrap_or_else(|| Buffer::new(len))))
    }

    pub(super) fn ptr(&self) -> *mut u8 {
        self.0.as_ref().map_or(NonNull::dangling().as_ptr(), Buffer::as_ptr)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(buffer) = self.0.take() {
            // The thread may be ending; then the buffer just goes.
            let _ = SPARE.try_with(|spare| spare.set(Some(buffer)));
        }
    }
}
