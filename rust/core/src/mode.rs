//! Switches of the current thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// The tape is on.
const GRAD: u32 = 1;
/// Somebody listens.
const LISTENING: u32 = 2;
/// Values are read for printing, of which nobody is told.
const UNSEEN: u32 = 4;
/// The listener is not told what happens.
const PAUSED: u32 = 8;

thread_local! {
    static MODE: Cell<u32> = const { Cell::new(GRAD) };
}

fn set(bit: u32, on: bool) -> bool {
    let before = MODE.get();
    MODE.set(if on { before | bit } else { before & !bit });
    before & bit != 0
}

/// The number of the listener before.
static LISTENERS: AtomicU32 = AtomicU32::new(0);

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

/// Whether somebody listens to what this thread does: a recording of a static graph.
pub fn listening() -> bool {
    MODE.get() & (LISTENING | PAUSED) == LISTENING
}

/// A listener of its own number begins to listen, or ends.
pub(crate) fn set_listening(on: bool) {
    if on {
        // Zero stands for "nobody".
        let number = LISTENERS.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        GENERATION.set(number);
    }
    set(LISTENING, on);
}

/// The number of this thread's listener; 0 while nobody listens.
pub(crate) fn generation() -> u32 {
    if listening() { GENERATION.get() } else { 0 }
}

/// Lets things be done that the listener is not told; returns what it was.
pub fn set_paused(on: bool) -> bool {
    set(PAUSED, on)
}

/// Lets values be read for printing while somebody listens; returns what it was.
pub fn set_unseen(on: bool) -> bool {
    set(UNSEEN, on)
}

/// Whether values may be read for printing.
pub(crate) fn unseen() -> bool {
    MODE.get() & UNSEEN != 0
}
