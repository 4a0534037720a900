//! What time it is, and whether that can be believed (R6).

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use policy_core::time::Timestamp;

use crate::clock::Clock;

/// How far wall clock and boot clock, or wall clock and record, may be apart: 30 s, in milliseconds.
const MOST_APART: i64 = 30_000;

/// Reads the two clocks against each other.
pub struct TimeKeeper {
    clock: Arc<dyn Clock>,
    /// Wall clock and boot clock when they were last believed, in milliseconds.
    anchor: Mutex<(i64, u64)>,
    /// The latest time that was given out: time never runs back for whoever asks here.
    latest: AtomicI64,
    doubted: AtomicBool,
}

/// A reading of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The time: by wall clock or by elapsed boot time, whichever is later, so that whatever ends, ends at the first.
    pub now: Timestamp,
    /// How far the wall clock is from where it should be, in milliseconds.
    pub apart: i64,
    /// Whether exceptions may be honoured.
    pub safe: bool,
}

impl TimeKeeper {
    /// Believes the clocks as they are now.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let anchor = Mutex::new((clock.now().millis(), clock.boot()));
        Self { clock, anchor, latest: AtomicI64::new(0), doubted: AtomicBool::new(false) }
    }

    /// Reads the clocks. `newest` is the newest record's time.
    ///
    /// INVARIANT (R6): once doubted, the clock stays doubted until [`Self::trust`].
    pub fn read(&self, newest: Option<Timestamp>) -> Reading {
        let wall = self.clock.now().millis();
        let (start_wall, start_boot) = *self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = i64::try_from(self.clock.boot().saturating_sub(start_boot)).unwrap_or(i64::MAX);
        let expected = start_wall.saturating_add(elapsed);
        let newest = newest.map_or(0, Timestamp::millis);
        let apart = wall.saturating_sub(expected);
        let behind = newest.saturating_sub(wall);
        if apart.saturating_abs() > MOST_APART || behind > MOST_APART {
            self.doubted.store(true, Ordering::Release);
        }
        let now = wall.max(expected).max(newest);
        let now = self.latest.fetch_max(now, Ordering::AcqRel).max(now);
        let apart = if behind > MOST_APART { -behind } else { apart };
        Reading { now: Timestamp::from_millis(now), apart, safe: !self.doubted.load(Ordering::Acquire) }
    }

    /// An operator says that the wall clock is right: time counts from it again.
    pub fn trust(&self) -> Timestamp {
        let now = self.clock.now();
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner) = (now.millis(), self.clock.boot());
        self.latest.store(now.millis(), Ordering::Release);
        self.doubted.store(false, Ordering::Release);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::FakeClock;

    #[test]
    fn doubt_stays_until_an_operator_trusts_the_clock_again() {
        // (wall moves by, boot moves by, newest record ahead of wall by, believed afterwards), in seconds
        for (wall, boot, ahead, safe) in [
            (60, 60, 0, true),
            (60, 31, 0, true),
            (60, 29, 0, false),
            (0, 31, 0, false),
            (-31, 0, 0, false),
            (-30, 0, 0, true),
            (0, 0, 30, true),
            (0, 0, 31, false),
        ] {
            let clock = FakeClock::new("2026-11-22T12:00:00Z");
            let keeper = TimeKeeper::new(clock.clone());
            clock.shift(wall * 1000, boot * 1000);
            let newest = clock.now().millis() + ahead * 1000;
            let newest = Some(Timestamp::from_millis(newest)).filter(|_| ahead > 0);
            assert_eq!(keeper.read(newest).safe, safe, "{wall} {boot} {ahead}");
            clock.shift((boot - wall) * 1000, 0);
            assert_eq!(keeper.read(None).safe, safe, "it comes back by itself: {wall} {boot} {ahead}");
            keeper.trust();
            assert!(keeper.read(None).safe);
        }
    }

    #[test]
    fn time_is_the_later_of_both_clocks_and_never_runs_back() {
        let clock = FakeClock::new("2026-11-22T12:00:00Z");
        let keeper = TimeKeeper::new(clock.clone());
        clock.shift(0, 20_000);
        assert_eq!(keeper.read(None).now, "2026-11-22T12:00:20Z".parse().unwrap());
        clock.shift(25_000, 0);
        assert_eq!(keeper.read(None).now, "2026-11-22T12:00:25Z".parse().unwrap());
        clock.shift(-10_000, 0);
        assert_eq!(keeper.read(None).now, "2026-11-22T12:00:25Z".parse().unwrap());
    }
}
