//! When a map is looked through for what is old. Each entry pays for two looks at most, however many there are.

use serde::{Deserialize, Serialize};

/// How many entries the last look left.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Sweep(usize);

impl Sweep {
    /// Whether to look through so many: where they are twice those that the last look left, and not fewer than these.
    pub const fn is_due(self, entries: usize, least: usize) -> bool {
        entries >= least && entries >= self.0.saturating_mul(2)
    }

    /// It was looked, and so many are left.
    pub const fn done(&mut self, left: usize) {
        self.0 = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_looked_at_less_often_the_more_there_is() {
        // Nothing is ever old.
        let (mut sweep, mut looked_at) = (Sweep::default(), 0);
        for entries in 0..100_000 {
            if sweep.is_due(entries, 1_000) {
                looked_at += entries;
                sweep.done(entries);
            }
        }
        assert_eq!(looked_at, 1_000 * 127);
        // Where all of it was old, the next look is at as few as the first.
        sweep.done(0);
        assert_eq!([999, 1_000].map(|entries| sweep.is_due(entries, 1_000)), [false, true]);
    }
}
