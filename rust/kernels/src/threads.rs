//! A pool of persistent workers.
//!
//! `run(parts, body)` calls `body(0..parts)`, each part once, on this thread and any idle
//! workers. Workers only *help*: the caller takes parts too and waits solely for parts
//! that a worker has begun. So nothing hangs when the workers are busy or not allowed;
//! results never depend on who did which part.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};

/// Turns of the waiting loop before a worker parks: some tens of microseconds.
const SPINS: u32 = 1 << 14;

/// Scalar operations that one more thread must get to be worth waking.
pub const GRAIN: usize = 1 << 15;

struct Job {
    body: *const (dyn Fn(usize) + Sync),
    parts: usize,
    next: AtomicUsize,
    panicked: AtomicBool,
}

struct Pool {
    limit: AtomicUsize,
    started: AtomicUsize,
    /// Held by the one caller that the workers help at present.
    turn: Mutex<()>,
    job: AtomicPtr<Job>,
    /// Counts jobs, so that a worker knows a new one from the last.
    epoch: AtomicU64,
    /// Workers that may be looking at `job`.
    inside: AtomicUsize,
    parked: Mutex<usize>,
    wake: Condvar,
}

/// The pool, once it is made. It is never freed: workers refer to it.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(std::ptr::null_mut());

fn pool() -> &'static Pool {
    let pool = POOL.load(Ordering::Acquire);
    // SAFETY: what is stored came from `Box::leak` and is only ever shared.
    if pool.is_null() { first_pool() } else { unsafe { &*pool } }
}

#[cold]
fn first_pool() -> &'static Pool {
    let from_env = std::env::var("WEFT_NUM_THREADS").ok().and_then(|v| v.parse().ok());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let limit = from_env.filter(|&n| n > 0).unwrap_or(cores).min(MAX_THREADS);
    let made: *mut Pool = Box::leak(Box::new(Pool::new(limit)));
    let null = std::ptr::null_mut();
    let pool = match POOL.compare_exchange(null, made, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => made,
        Err(other) => other,
    };
    // SAFETY: as in `pool`.
    unsafe { &*pool }
}

/// Starts with a new pool, in the child of a fork: the workers exist in its parent only, and
/// may have held the old pool's locks.
pub(crate) fn forget_workers() {
    let fresh: *mut Pool = Box::leak(Box::new(Pool::new(num_threads())));
    POOL.store(fresh, Ordering::Release);
}

/// Most threads that can be asked for.
pub const MAX_THREADS: usize = 256;

/// How many threads work on one kernel at most.
pub fn num_threads() -> usize {
    pool().limit.load(Ordering::Relaxed)
}

/// Sets how many threads work on one kernel at most (at least 1, at most [`MAX_THREADS`]).
pub fn set_num_threads(n: usize) {
    pool().limit.store(n.clamp(1, MAX_THREADS), Ordering::Relaxed);
}

/// Calls `body` with each of `0..parts` once, possibly on several threads at a time.
///
/// # Panics
/// When `body` panicked in any part, after all parts have ended.
pub fn run(parts: usize, body: impl Fn(usize) + Sync) {
    let pool = pool();
    let threads = pool.limit.load(Ordering::Relaxed).min(parts);
    if threads <= 1 {
        return (0..parts).for_each(body);
    }
    let Ok(_turn) = pool.turn.try_lock() else {
        return (0..parts).for_each(body);
    };
    pool.start(threads - 1);
    pool.share(parts, &body);
}

/// Splits `0..len` into ranges that start at multiples of `align` and calls `body` on each.
/// `cost` is the number of scalar operations per item: little work stays on this thread.
pub fn for_ranges(
    len: usize,
    align: usize,
    cost: usize,
    body: impl Fn(std::ops::Range<usize>) + Sync,
) {
    let work = len.saturating_mul(cost.max(1));
    let threads = num_threads().min(work / GRAIN).max(1);
    if threads == 1 {
        if len > 0 {
            body(0..len);
        }
        return;
    }
    // A few parts per thread even out what else the machine is doing.
    let parts = (threads * 4).min(work / GRAIN).max(1);
    let step = len.div_ceil(parts).next_multiple_of(align.max(1));
    run(len.div_ceil(step), |part| {
        let start = part * step;
        body(start..(start + step).min(len));
    });
}

impl Pool {
    fn new(limit: usize) -> Pool {
        Pool {
            limit: AtomicUsize::new(limit),
            started: AtomicUsize::new(0),
            turn: Mutex::new(()),
            job: AtomicPtr::new(std::ptr::null_mut()),
            epoch: AtomicU64::new(0),
            inside: AtomicUsize::new(0),
            parked: Mutex::new(0),
            wake: Condvar::new(),
        }
    }

    fn start(&'static self, workers: usize) {
        while self.started.load(Ordering::Relaxed) < workers {
            let index = self.started.fetch_add(1, Ordering::Relaxed);
            let worker = move || self.serve(index);
            let spawned = std::thread::Builder::new().name(format!("weft-{index}")).spawn(worker);
            if spawned.is_err() {
                break;
            }
        }
    }

    fn share(&self, parts: usize, body: &(dyn Fn(usize) + Sync)) {
        // SAFETY: only the lifetime is erased; `job` is withdrawn and every worker has
        // left it before this function returns.
        let body: *const (dyn Fn(usize) + Sync) = unsafe {
            std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(body)
        };
        let next = AtomicUsize::new(0);
        let mut job = Job { body, parts, next, panicked: AtomicBool::new(false) };
        let job_ptr: *mut Job = &raw mut job;
        self.job.store(job_ptr, Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        if *self.parked.lock().expect("no panic while parked") > 0 {
            self.wake.notify_all();
        }
        // SAFETY: `job` outlives this call; it is only read through shared references.
        let job = unsafe { &*job_ptr };
        job.work();
        self.job.store(std::ptr::null_mut(), Ordering::SeqCst);
        while self.inside.load(Ordering::SeqCst) > 0 {
            std::hint::spin_loop();
        }
        assert!(!job.panicked.load(Ordering::Relaxed), "a kernel panicked on a worker thread");
    }

    fn serve(&self, index: usize) {
        let mut seen = 0;
        loop {
            seen = self.wait(seen);
            if index + 1 >= self.limit.load(Ordering::Relaxed) {
                continue;
            }
            self.inside.fetch_add(1, Ordering::SeqCst);
            let job = self.job.load(Ordering::SeqCst);
            if !job.is_null() {
                // SAFETY: `inside` was raised before `job` was read as present, so its
                // owner waits in `share` until `inside` is lowered again.
                unsafe { (*job).work() };
            }
            self.inside.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn wait(&self, seen: u64) -> u64 {
        for turn in 0..SPINS {
            let epoch = self.epoch.load(Ordering::SeqCst);
            if epoch != seen {
                return epoch;
            }
            if turn % 64 == 63 {
                std::thread::yield_now();
            } else {
                std::hint::spin_loop();
            }
        }
        let mut parked = self.parked.lock().expect("no panic while parked");
        *parked += 1;
        while self.epoch.load(Ordering::SeqCst) == seen {
            parked = self.wake.wait(parked).expect("no panic while parked");
        }
        *parked -= 1;
        self.epoch.load(Ordering::SeqCst)
    }
}

impl Job {
    fn work(&self) {
        // SAFETY: the owner of the job keeps `body` alive while anyone works on it.
        let body = unsafe { &*self.body };
        loop {
            let part = self.next.fetch_add(1, Ordering::Relaxed);
            if part >= self.parts {
                return;
            }
            if catch_unwind(AssertUnwindSafe(|| body(part))).is_err() {
                self.panicked.store(true, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_runs_once() {
        set_num_threads(4);
        for parts in [0, 1, 2, 7, 1000] {
            let counts: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
            run(parts, |i| {
                counts[i].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|c| c.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn ranges_cover_everything_in_aligned_pieces() {
        set_num_threads(4);
        let len = 1_000_003;
        let sum = AtomicUsize::new(0);
        for_ranges(len, 64, 1, |range| {
            assert_eq!(range.start % 64, 0);
            sum.fetch_add(range.len(), Ordering::Relaxed);
        });
        assert_eq!(sum.load(Ordering::Relaxed), len);
    }

    #[test]
    fn a_panic_in_a_part_reaches_the_caller_and_the_pool_lives_on() {
        set_num_threads(4);
        let result = catch_unwind(|| run(100, |i| assert!(i != 50)));
        assert!(result.is_err());
        let sum = AtomicUsize::new(0);
        run(100, |i| {
            sum.fetch_add(i, Ordering::Relaxed);
        });
        assert_eq!(sum.load(Ordering::Relaxed), 4950);
    }

    #[test]
    fn a_nested_run_does_not_hang() {
        set_num_threads(4);
        let sum = AtomicUsize::new(0);
        run(8, |_| {
            run(8, |i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
        });
        assert_eq!(sum.load(Ordering::Relaxed), 8 * 28);
    }
}
