//! Time as the runner supplies it: the crate itself reads no clock.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What deadlines, time to live, the age of answers and the delays of retries are measured with.
pub trait Clock: Send + Sync {
    /// Nanoseconds since an origin of the clock's own.
    fn now_ns(&self) -> u64;

    /// Waits.
    fn sleep_ns(&self, ns: u64);

    /// Whether a node's time is the work it declared with `Io::charge` (in back-tests and replay, where no other time
    /// is the same twice) and not what passed on the clock.
    fn counts_work(&self) -> bool;
}

/// A clock that stands still until somebody sleeps or moves it; nodes' time is the work they declare.
#[derive(Debug, Default)]
pub struct VirtualClock {
    now: AtomicU64,
    sleeps: Mutex<Vec<u64>>,
}

impl VirtualClock {
    /// Moves the clock on.
    pub fn advance_ns(&self, ns: u64) {
        self.now.fetch_add(ns, Ordering::SeqCst);
    }

    /// Takes the sleeps so far, in order, in nanoseconds.
    pub fn take_sleeps(&self) -> Vec<u64> {
        self.sleeps.lock().map(|mut s| std::mem::take(&mut *s)).unwrap_or_default()
    }
}

impl Clock for VirtualClock {
    fn now_ns(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn sleep_ns(&self, ns: u64) {
        self.advance_ns(ns);
        if let Ok(mut sleeps) = self.sleeps.lock() {
            sleeps.push(ns);
        }
    }

    fn counts_work(&self) -> bool {
        true
    }
}
