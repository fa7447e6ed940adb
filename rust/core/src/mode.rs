//! Switches of the current thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// The tape is on.
const GRAD: u32 = 1;
/// A static graph is being recorded.
const RECORDING: u32 = 2;
/// The recording is told to look away.
const UNSEEN: u32 = 4;
/// The recording does not note what happens.
const PAUSED: u32 = 8;

thread_local! {
    static MODE: Cell<u32> = const { Cell::new(GRAD) };
}

fn set(bit: u32, on: bool) -> bool {
    let before = MODE.get();
    MODE.set(if on { before | bit } else { before & !bit });
    before & bit != 0
}

/// The number of the recording before.
static RECORDINGS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static GENERATION: Cell<u32> = const { Cell::new(0) };
}

/// The switches that a static graph depends on, as one word.
pub fn key() -> u32 {
    MODE.get() & GRAD
}

/// Whether operations on this thread put nodes on the tape.
pub fn grad_enabled() -> bool {
    MODE.get() & GRAD != 0
}

/// Switches the tape on or off for this thread; returns what it was.
pub fn set_grad_enabled(on: bool) -> bool {
    set(GRAD, on)
}

/// Runs `body` with the tape on or off.
pub fn with_grad<T>(on: bool, body: impl FnOnce() -> T) -> T {
    let _restore = Restore(set_grad_enabled(on));
    body()
}

struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        set_grad_enabled(self.0);
    }
}

/// Whether this thread records a static graph.
pub fn recording() -> bool {
    MODE.get() & (RECORDING | PAUSED) == RECORDING
}

/// Starts or ends a recording of its own number.
pub(crate) fn set_recording(on: bool) {
    if on {
        // Zero stands for "no recording".
        let number = RECORDINGS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        GENERATION.set(number);
    }
    set(RECORDING, on);
}

/// The number of this thread's recording; 0 outside of recordings.
pub(crate) fn generation() -> u32 {
    if recording() { GENERATION.get() } else { 0 }
}

/// Lets things be done beside a recording, unseen by it; returns what it was.
pub fn set_paused(on: bool) -> bool {
    set(PAUSED, on)
}

/// Lets values be read for printing while a graph is recorded; returns what it was.
pub fn set_unseen(on: bool) -> bool {
    set(UNSEEN, on)
}

/// Whether values may be read for printing.
pub(crate) fn unseen() -> bool {
    MODE.get() & UNSEEN != 0
}
