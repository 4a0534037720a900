//! A clock that tests set.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use policy_core::time::Timestamp;
use proviso::clock::Clock;

/// Both clocks of a gate under test.
#[derive(Debug)]
pub struct TestClock {
    wall: AtomicI64,
    boot: AtomicU64,
}

impl TestClock {
    /// 2026-11-22T12:00:00Z, an hour after the machine started.
    pub fn new() -> Self {
        Self { wall: AtomicI64::new(1_795_348_800_000), boot: AtomicU64::new(3_600_000) }
    }

    /// Time passes.
    pub fn advance(&self, seconds: u32) {
        self.boot.fetch_add(u64::from(seconds) * 1000, Ordering::SeqCst);
        self.set_back(-i64::from(seconds));
    }

    /// Somebody sets the wall clock back, by so many seconds.
    pub fn set_back(&self, seconds: i64) {
        self.wall.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall.load(Ordering::SeqCst))
    }

    fn boot(&self) -> u64 {
        self.boot.load(Ordering::SeqCst)
    }
}
