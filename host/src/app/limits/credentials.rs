//! How much that is new a subject brings within an hour: credentials of other issuers, of which one that puts something
//! new into each token would else fill record and memory with what nobody shows twice; and what people do again and again.

use std::collections::{BTreeMap, VecDeque};

use policy_core::entity::EntityRef;

/// An hour, in milliseconds.
const HOUR: u64 = 3_600_000;
/// So many subjects are remembered before those that brought nothing for an hour are forgotten.
const MOST_SUBJECTS: usize = 16_384;

/// When each subject brought one, within the hour.
#[derive(Debug, Default)]
pub(super) struct Brought(BTreeMap<EntityRef, VecDeque<u64>>);

impl Brought {
    /// Takes one more of this subject at this instant of the boot clock, in milliseconds.
    ///
    /// # Errors
    /// In how many seconds it may bring one again.
    pub(super) fn take(&mut self, subject: &EntityRef, most: u32, now: u64) -> Result<(), u32> {
        let is_old = |at: u64| now.saturating_sub(at) >= HOUR;
        if self.0.len() >= MOST_SUBJECTS {
            self.0.retain(|_, times| times.back().is_some_and(|last| !is_old(*last)));
        }
        let times = self.0.entry(subject.clone()).or_default();
        while times.front().is_some_and(|first| is_old(*first)) {
            times.pop_front();
        }
        if times.len() < usize::try_from(most).unwrap_or(usize::MAX) {
            times.push_back(now);
            return Ok(());
        }
        let left = times.front().map_or(HOUR, |first| first.saturating_add(HOUR).saturating_sub(now));
        Err(u32::try_from(left.div_ceil(1_000)).unwrap_or(u32::MAX).max(1))
    }

    /// One that was taken at this instant came to nothing.
    pub(super) fn give_back(&mut self, subject: &EntityRef, at: u64) {
        let Some(times) = self.0.get_mut(subject) else { return };
        if let Some(place) = times.iter().rposition(|taken| *taken == at) {
            times.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_has_its_own_hour() {
        let mut brought = Brought::default();
        let mut take = |subject: &str, now: u64| brought.take(&EntityRef::new("Agent", subject), 2, now);
        for (subject, now, expected) in [
            ("a", 0, Ok(())),
            ("a", 60_000, Ok(())),
            ("a", 60_000, Err(3_540)),
            ("b", 60_000, Ok(())),
            ("a", HOUR - 1, Err(1)),
            ("a", HOUR, Ok(())),
            ("a", HOUR, Err(60)),
            // A clock that runs back gives nothing.
            ("a", 0, Err(3_660)),
        ] {
            assert_eq!(take(subject, now), expected, "{subject} at {now}");
        }
    }

    #[test]
    fn who_brought_nothing_for_an_hour_is_forgotten() {
        let mut brought = Brought::default();
        for number in 0..MOST_SUBJECTS {
            assert_eq!(brought.take(&EntityRef::new("Agent", number.to_string()), 1, 0), Ok(()));
        }
        assert_eq!(brought.take(&EntityRef::new("Agent", "late"), 1, HOUR), Ok(()));
        assert_eq!(brought.0.len(), 1);
    }
}
