//! What a stream knows of what its reader may see.

use std::collections::BTreeMap;

use policy_core::time::{Span, Timestamp};

/// How long it is known, and of how many matters.
const KNOWN_FOR: Span = Span::from_seconds(5);
const MOST_KNOWN: usize = 1_000;

/// What a stream knows of what its reader may see: a grant that is used a thousand times a second is no thousand
/// questions.
#[derive(Debug)]
pub struct Seen<T> {
    since: Option<Timestamp>,
    matters: BTreeMap<T, bool>,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { since: None, matters: BTreeMap::new() }
    }
}

impl<T: Ord> Seen<T> {
    /// The hour, hand-overs and the record may change what somebody sees: nothing is known for long.
    pub(super) fn get(&mut self, matter: &T, now: Timestamp) -> Option<bool> {
        let fresh = self.since.is_some_and(|since| since <= now && now < since.plus(KNOWN_FOR));
        if !fresh || self.matters.len() >= MOST_KNOWN {
            self.matters.clear();
            self.since = Some(now);
        }
        self.matters.get(matter).copied()
    }

    pub(super) fn keep(&mut self, matter: T, seen: bool) {
        self.matters.insert(matter, seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_for_long_nor_without_bound() {
        let at = |seconds: u64| Timestamp::from_millis(1_000).plus(Span::from_seconds(seconds));
        let mut seen = Seen::default();
        assert_eq!(seen.get(&"a", at(0)), None);
        seen.keep("a", true);
        assert_eq!(seen.get(&"a", at(4)), Some(true));
        assert_eq!(seen.get(&"a", at(5)), None, "it may have changed");
        seen.keep("a", true);
        assert_eq!(seen.get(&"a", at(3)), None, "a clock that was set back makes nothing last longer");
        let mut seen = Seen::default();
        for matter in 0..=MOST_KNOWN {
            assert_eq!(seen.get(&matter, at(0)), None);
            seen.keep(matter, true);
        }
        assert!(seen.matters.len() <= MOST_KNOWN);
    }
}
