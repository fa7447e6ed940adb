//! Switches of the current thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// The tape is on.
const GRAD: u32 = 1;
/// A static graph is being recorded.
const RECORDING: u32 = 2;
/// The recording is told to look away.
const UNSEEN: u32 = 4;
/// The rest counts recordings.
const GENERATION: u32 = 8;

thread_local! {
    static MODE: Cell<u32> = const { Cell::new(GRAD) };
}

fn set(bit: u32, on: bool) -> bool {
    let before = MODE.get();
    MODE.set(if on { before | bit } else { before & !bit });
    before & bit != 0
}

static EPOCH: AtomicU64 = AtomicU64::new(1);

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
    MODE.get() & RECORDING != 0
}

/// Starts or ends a recording of its own number.
pub(crate) fn set_recording(on: bool) {
    if on {
        MODE.set(MODE.get().wrapping_add(GENERATION));
    }
    set(RECORDING, on);
}

/// The number of this thread's recording; 0 outside of recordings.
pub(crate) fn generation() -> u32 {
    let mode = MODE.get();
    if mode & RECORDING == 0 { 0 } else { mode / GENERATION }
}

/// Lets values be read for printing while a graph is recorded; returns what it was.
pub fn set_unseen(on: bool) -> bool {
    set(UNSEEN, on)
}

/// Whether values may be read for printing.
pub(crate) fn unseen() -> bool {
    MODE.get() & UNSEEN != 0
}

/// A number that changes whenever something changes that a recorded graph may depend on
/// without reading it as a tensor: module attributes, hyperparameters, `requires_grad`.
pub fn epoch() -> u64 {
    EPOCH.load(Ordering::Relaxed)
}

/// Declares such a change.
pub fn bump_epoch() {
    EPOCH.fetch_add(1, Ordering::Relaxed);
}
