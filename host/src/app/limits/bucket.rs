//! How often somebody may ask: a bucket of tokens for each subject and task, in memory.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;

/// How many buckets are kept before the full ones are thrown away.
const MOST_BUCKETS: usize = 10_000;
/// The parts of a token: a thousandth is a millisecond's worth of one token a second.
const PARTS: u64 = 1_000;

/// How often a subject may ask in one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Evaluations a second, in the long run.
    pub evaluations: u32,
    /// And at once, after a pause.
    pub burst: u32,
}

impl Allowance {
    /// So many a second; ten seconds' worth at once.
    pub const fn each_second(evaluations: u32) -> Self {
        Self { evaluations, burst: evaluations.saturating_mul(10) }
    }
}

impl Default for Allowance {
    /// 50 a second: more than any agent asks that waits for answers, less than what would fill a disk in a day.
    fn default() -> Self {
        Self::each_second(50)
    }
}

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Buckets(BTreeMap<(EntityRef, String), Bucket>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    parts: u64,
    at: u64,
}

impl Bucket {
    fn filled(self, allowance: Allowance, now: u64) -> u64 {
        let gained = now.saturating_sub(self.at).saturating_mul(allowance.evaluations.into());
        self.parts.saturating_add(gained).min(u64::from(allowance.burst).saturating_mul(PARTS))
    }
}

impl Buckets {
    /// Takes a token at this instant of the boot clock, in milliseconds.
    ///
    /// # Errors
    /// In how many seconds there is one again, where there is none.
    pub(super) fn take(&mut self, key: (EntityRef, String), allowance: Allowance, now: u64) -> Result<(), u32> {
        let full = u64::from(allowance.burst).saturating_mul(PARTS);
        if self.0.len() >= MOST_BUCKETS {
            self.0.retain(|_, bucket| bucket.filled(allowance, now) < full);
        }
        let bucket = self.0.entry(key).or_insert(Bucket { parts: full, at: now });
        let parts = bucket.filled(allowance, now);
        *bucket = Bucket { parts, at: now };
        if let Some(left) = parts.checked_sub(PARTS) {
            bucket.parts = left;
            return Ok(());
        }
        let millis = (PARTS - parts).div_ceil(u64::from(allowance.evaluations).max(1));
        Err(u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate_and_each_has_its_own() {
        let allowance = Allowance { evaluations: 2, burst: 3 };
        let mut buckets = Buckets::default();
        let mut take =
            |task: &str, now: u64| buckets.take((EntityRef::new("Agent", "a"), task.to_owned()), allowance, now);
        for (task, now, expected) in [
            ("t", 0, Ok(())),
            ("t", 0, Ok(())),
            ("t", 0, Ok(())),
            ("t", 0, Err(1)),
            ("u", 0, Ok(())),
            ("t", 499, Err(1)),
            ("t", 500, Ok(())),
            ("t", 500, Err(1)),
            // A clock that runs back gives nothing and takes nothing.
            ("t", 100, Err(1)),
            ("t", 60_000, Ok(())),
            ("t", 60_000, Ok(())),
            ("t", 60_000, Ok(())),
            ("t", 60_000, Err(1)),
        ] {
            assert_eq!(take(task, now), expected, "{task} {now}");
        }
    }
}
