//! How long a lane waits after a failure.

use std::time::Duration;

use crate::random::Random;

/// The shortest and the longest pause, in milliseconds.
const SHORTEST: u64 = 1_000;
const LONGEST: u64 = 60_000;

/// The pause after so many failures in a row: twice as long each time, with up to a fifth on top, so that what failed
/// together does not come again together.
pub(super) fn pause(failures: u32, random: &dyn Random) -> Duration {
    let doubled = SHORTEST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    let mut byte = [0; 1];
    // Without randomness they come together, and that is all.
    let jitter =
        random.fill(&mut byte).map_or(0, |()| doubled.saturating_mul(u64::from(u8::from_be_bytes(byte))) / 1_280);
    Duration::from_millis(doubled.saturating_add(jitter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn it_waits_longer_each_time_and_a_minute_at_most() {
        for (failures, least) in [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (99, 60), (u32::MAX, 60)] {
            let waited = pause(failures, &SystemRandom);
            let least = Duration::from_secs(least);
            assert!(waited >= least && waited <= least + least / 5, "{failures}: {waited:?}");
        }
    }
}
