//! Copying the process while other threads work.
//!
//! A child of `fork` has one thread and all locks as they were: one that another thread held
//! stays locked for ever, and what that thread was writing stays half written. So the process is
//! copied only while no other thread is in the middle of something. Whoever works without the
//! interpreter's lock says so by a [`Section`]; a fork waits until all sections have ended and
//! lets none begin before it is done. Work under the interpreter's lock needs none: the thread
//! that forks holds that lock.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::threads;

/// Sections that have begun and not ended.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Whether a fork waits or happens.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Between two looks at what is awaited.
const PAUSE: Duration = Duration::from_micros(50);

/// Work that must not be cut in two by a fork. It must not contain another section, nor wait for
/// a thread that may fork.
#[must_use]
pub struct Section(());

/// Begins a section; waits while a fork happens.
pub fn section() -> Section {
    loop {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        if !CLOSED.load(Ordering::SeqCst) {
            return Section(());
        }
        INSIDE.fetch_sub(1, Ordering::SeqCst);
        while CLOSED.load(Ordering::SeqCst) {
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits until no section is open and keeps new ones out. One of the two functions below must
/// follow, in each process. The caller is in no section.
pub fn before() {
    while CLOSED.swap(true, Ordering::SeqCst) {
        std::thread::sleep(PAUSE);
    }
    while INSIDE.load(Ordering::SeqCst) > 0 {
        std::thread::sleep(PAUSE);
    }
}

/// Lets sections begin again.
pub fn after_in_parent() {
    CLOSED.store(false, Ordering::SeqCst);
}

/// Lets sections begin again, with workers of this process's own.
pub fn after_in_child() {
    threads::forget_workers();
    CLOSED.store(false, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn a_fork_waits_for_sections_and_keeps_new_ones_out() {
        static STEPS: AtomicUsize = AtomicUsize::new(0);
        let open = section();
        let fork = std::thread::spawn(|| {
            before();
            let seen = STEPS.load(Ordering::SeqCst);
            after_in_parent();
            seen
        });
        while !CLOSED.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let late = std::thread::spawn(|| drop(section()));
        STEPS.store(1, Ordering::SeqCst);
        drop(open);
        assert_eq!(fork.join().ok(), Some(1));
        assert!(late.join().is_ok());
        assert_eq!(INSIDE.load(Ordering::SeqCst), 0);
    }
}
