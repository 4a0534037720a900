//! A start that does not read everything first: from a snapshot that the gate wrote itself, with all that came behind it
//! read and verified before the gate is ready, and the rest behind its back.
//!
//! - `sealed`: the bytes, and that nobody but this gate and this release wrote them.
//! - `place`: the file. What is erased is in none before anybody hears of it.
//! - `resume`: a start from it. Whatever does not fit is no error of its own: the start reads everything, as without one.
//! - `pass`: both logs read once more from their first record, and folded beside what is believed.
//! - `behind`: the thread that does so, and writes the next snapshot.
//!
//! A snapshot is no authority of its own: its tree leads to the heads that are signed, and all that was believed by it is
//! folded anew. No snapshot is ever made of what the running gate holds in memory. The heads that it names are heads that
//! were seen, as those beside the database are: a record that is older than it, or another one, is refused.

mod behind;
mod pass;
mod place;
mod resume;
mod sealed;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::store::types::Log;

pub(super) use behind::{Begun, Behind};
pub(super) use place::{Gone, Place, named_heads};
pub(super) use resume::{Resumed, resume};
pub(super) use sealed::{Unfit, seal};

/// How far both logs were folded, the ledger's part first.
///
/// A state is folded from cut to cut: a snapshot is made of the one before and of what came behind it. Whoever folds the
/// same records anew stops at the same places, so that it does not matter whether a record of the ledger and a decision
/// that was written before it commute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cut {
    /// How many records of the ledger.
    pub ledger: u64,
    /// How many decisions.
    pub decisions: u64,
}

impl Cut {
    /// How many of one log.
    pub(super) const fn of(&self, log: Log) -> u64 {
        match log {
            Log::Ledger => self.ledger,
            Log::Decisions => self.decisions,
        }
    }

    /// How many of both.
    pub(super) const fn records(&self) -> u64 {
        self.ledger.saturating_add(self.decisions)
    }
}
