//! Working memory of the thread, kept from one kernel to the next.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::MutexGuard;

use crate::buffer::Buffer;
use crate::memory;

thread_local! {
    static SPARE: Cell<Option<Buffer>> = const { Cell::new(None) };
}

/// Aligned memory with unspecified contents, given back when dropped.
///
/// Where there is none, threads take turns with the reserve: an elementwise kernel always
/// ends, also where it could no longer take back what it has written.
pub(super) struct Scratch {
    own: Option<Buffer>,
    _turn: Option<MutexGuard<'static, ()>>,
    ptr: *mut u8,
}

impl Scratch {
    /// At least `len` bytes; none is taken for 0.
    pub(super) fn take(len: usize) -> Scratch {
        if len == 0 {
            return Scratch { own: None, _turn: None, ptr: NonNull::dangling().as_ptr() };
        }
        let spare = SPARE.take().filter(|buffer| buffer.len() >= len);
        match spare.map_or_else(|| memory::try_buffer(len), Ok) {
            Ok(buffer) => Scratch { ptr: buffer.as_ptr(), own: Some(buffer), _turn: None },
            Err(_) => Self::reserve(len),
        }
    }

    #[cold]
    fn reserve(len: usize) -> Scratch {
        assert!(len <= memory::RESERVE, "{len} bytes of scratch memory");
        let (turn, ptr) = memory::reserve();
        Scratch { own: None, _turn: Some(turn), ptr }
    }

    pub(super) fn ptr(&self) -> *mut u8 {
        self.ptr
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(buffer) = self.own.take() {
            // The thread may be ending; then the buffer just goes.
            let _ = SPARE.try_with(|spare| spare.set(Some(buffer)));
        }
    }
}
