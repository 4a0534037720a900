//! Matching what ran with what was decided, as pure functions: facts, rules and the time in, findings out.
//!
//! No I/O, no clock, no state of its own, and nothing that depends on the order in which facts came: whoever has the same
//! facts finds the same. Whether a finding is new, who is told and what is stopped is `app::findings`'s.
//! The match key and what it cannot tell apart are written down in `docs/reconcile.md`.

mod at_once;
mod execution;
mod facts;
mod judge;
mod matching;
#[cfg(test)]
mod tests;

use policy_core::time::{Span, Timestamp};

use crate::app::VALID_FOR;

pub use facts::{Account, CallKind, Decided, Drawn, Evidence, GrantFact, Reconciled, Rules, Said};
pub use judge::reconcile;

/// How far the clocks of others may be off.
const SKEW: Span = Span::from_seconds(30);
/// How long an allow is good.
const ALLOW: Span = Span::from_seconds(VALID_FOR as u64);
/// How long after a decision what runs without one of its own is still told to be after that one.
const BEHIND: Span = Span::from_seconds(3_600);
/// How long after `sending` a call goes without a word before its outcome counts as unknown.
const TOLD_WITHIN: Span = Span::from_seconds(60);
/// How close, in milliseconds, two calls that are alike may be before nobody can tell which is which by time.
const ALIKE: i64 = 1_000;

/// This long before.
fn before(at: Timestamp, span: Span) -> Timestamp {
    let millis = i64::try_from(span.seconds().saturating_mul(1_000)).unwrap_or(i64::MAX);
    Timestamp::from_millis(at.millis().saturating_sub(millis))
}
