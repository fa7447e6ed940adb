//! Which operation last changed a buffer in place: for error texts only.

use std::cell::RefCell;

const REMEMBERED: usize = 256;

struct Ring {
    entries: [(u64, &'static str); REMEMBERED],
    next: usize,
}

thread_local! {
    static RING: RefCell<Ring> =
        const { RefCell::new(Ring { entries: [(0, ""); REMEMBERED], next: 0 }) };
}

/// Remembers that operation `op` changed buffer `id`.
pub fn note(id: u64, op: &'static str) {
    RING.with_borrow_mut(|ring| {
        let at = ring.next;
        ring.entries[at] = (id, op);
        ring.next = (at + 1) % REMEMBERED;
    });
}

/// ` by <op>_`, if the last change of buffer `id` is still remembered.
pub fn last(id: u64) -> String {
    RING.with_borrow(|ring| {
        let newest_first =
            (1..=REMEMBERED).map(|back| ring.entries[(ring.next + REMEMBERED - back) % REMEMBERED]);
        newest_first
            .into_iter()
            .find(|entry| entry.0 == id)
            .map_or_else(String::new, |(_, op)| format!(" by {op}_"))
    })
}
