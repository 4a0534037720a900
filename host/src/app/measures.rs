//! What operators look at: how long requests wait, how long people take to decide, how old the record's heads are, and
//! what is stopped. Folded along with the state, so that a restart loses nothing of it. Nothing here names anybody, and
//! nothing is decided on it.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::lifecycle::{Event, Exception, Phase};
use policy_core::question::LockTarget;
use policy_core::time::Timestamp;
use proviso_api::findings::{EvidenceClass, FindingKind, FindingState};
use serde::{Deserialize, Serialize};

use super::App;
use super::findings::Findings;
use crate::store::{Log, Verified};

/// The upper bounds of what is counted apart, in seconds: from half a minute to a day.
pub const BOUNDS: [u64; 8] = [30, 60, 300, 900, 3_600, 14_400, 28_800, 86_400];

/// How long something took, as a histogram.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// How many took at most so long, for each of [`BOUNDS`]; those that took longer are in none.
    pub within: [u64; BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// How long they took together, in milliseconds.
    pub sum: u64,
}

impl Took {
    fn add(&mut self, millis: u64) {
        for (within, bound) in self.within.iter_mut().zip(BOUNDS) {
            *within = within.saturating_add(u64::from(millis <= bound.saturating_mul(1_000)));
        }
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(millis);
    }
}

/// What is folded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Measures {
    /// Exceptions that want votes, by id. Whether time has ended one is a comparison (R6).
    waiting: BTreeSet<String>,
    /// Exceptions that the active bundle suspends.
    suspended: BTreeSet<String>,
    /// From the request to the grant, and to the refusal.
    granted: Took,
    denied: Took,
    /// The newest record's time in each log.
    newest: BTreeMap<Log, Timestamp>,
}

impl Measures {
    /// A record was written.
    pub(super) fn recorded(&mut self, log: Log, at: Timestamp) {
        self.newest.insert(log, at);
    }

    /// Something happened to an exception, which is this now.
    pub(super) fn follow(&mut self, id: &str, exception: &Exception, event: &Event) {
        keep(&mut self.waiting, id, exception.phase == Phase::Requested);
        keep(&mut self.suspended, id, matches!(exception.phase, Phase::Suspended { .. }));
        let (took, at) = match event {
            Event::ExceptionGranted { at, .. } => (&mut self.granted, at),
            Event::ExceptionDenied { at, .. } => (&mut self.denied, at),
            _ => return,
        };
        let since = at.millis().saturating_sub(exception.request.requested_at.millis());
        took.add(u64::try_from(since).unwrap_or(0));
    }
}

fn keep(among: &mut BTreeSet<String>, id: &str, belongs: bool) {
    if !belongs {
        among.remove(id);
    } else if !among.contains(id) {
        among.insert(id.to_owned());
    }
}

/// What waits for a decision, of one tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub requests: u64,
    /// How long the oldest has waited, in milliseconds; nothing where none waits.
    pub oldest: u64,
}

/// What an operator looks at, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// What waits, by tier: each of the active bundle's, and each of what was asked under another.
    pub waiting: BTreeMap<String, Waiting>,
    /// How long people took, by what they decided.
    pub decided: [(&'static str, Took); 2],
    /// How long ago each log's newest head was signed, in milliseconds; none for an empty log.
    pub heads: Vec<(&'static str, u64)>,
    /// Exceptions that the active bundle suspends.
    pub suspended: u64,
    /// Locks in force, by what they stop.
    pub locks: Vec<(&'static str, u64)>,
    /// Findings that nobody has resolved, by kind and by what the strongest evidence for them is worth.
    pub findings: Vec<(FindingKind, EvidenceClass, u64)>,
    /// Whether the clock is doubted, and no exception honoured (R6).
    pub clock_doubted: bool,
    /// How much of the record was verified since the start.
    pub verified: Verified,
    /// Whether it was found not to be what is believed, and no exception is honoured (R9).
    pub record_doubted: bool,
}

/// What can be locked, in the words of the API.
const TARGETS: [&str; 6] = ["subject", "person", "task", "tool", "server", "grant"];

const fn word(target: &LockTarget) -> &'static str {
    match target {
        LockTarget::Subject(_) => "subject",
        LockTarget::Person(_) => "person",
        LockTarget::Task(_) => "task",
        LockTarget::Tool(_) => "tool",
        LockTarget::Server(_) => "server",
        LockTarget::Grant(_) => "grant",
    }
}

impl App {
    /// What an operator looks at, now.
    pub fn measured(&self) -> Measured {
        let state = self.state();
        let reading = self.0.time.read(self.0.folded.newest());
        let now = reading.now;
        let measures = &state.measures;
        let open = |id: &String| {
            let exception = state.exceptions.get(id).map(|entry| &entry.exception);
            exception.filter(|exception| !exception.is_over(now))
        };
        let mut waiting: BTreeMap<String, Waiting> =
            self.policy().tiers().into_iter().map(|tier| (tier, Waiting::default())).collect();
        for exception in measures.waiting.iter().filter_map(open) {
            let of_tier = waiting.entry(exception.terms.tier.clone()).or_default();
            of_tier.requests = of_tier.requests.saturating_add(1);
            of_tier.oldest = of_tier.oldest.max(age(exception.request.requested_at, now));
        }
        let in_force = |target: &str| state.locks_in_force(now).filter(|lock| word(&lock.target) == target).count();
        Measured {
            waiting,
            decided: [("granted", measures.granted.clone()), ("denied", measures.denied.clone())],
            heads: measures.newest.iter().map(|(log, at)| (log.name(), age(*at, now))).collect(),
            suspended: count(measures.suspended.iter().filter_map(open).count()),
            locks: TARGETS.into_iter().map(|target| (target, count(in_force(target)))).collect(),
            findings: unresolved(&state.findings),
            clock_doubted: !reading.safe || state.clock_doubted,
            verified: self.folded().verified(),
            record_doubted: self.folded().is_doubted(),
        }
    }
}

/// How many findings are not resolved: of each kind and strength, also where it is none.
fn unresolved(findings: &Findings) -> Vec<(FindingKind, EvidenceClass, u64)> {
    let mut counts: BTreeMap<(FindingKind, EvidenceClass), u64> = BTreeMap::new();
    for finding in findings.all().filter(|finding| finding.state != FindingState::Resolved) {
        let of_these = counts.entry((finding.facts.what, finding.facts.strength)).or_default();
        *of_these = of_these.saturating_add(1);
    }
    let all = FindingKind::ALL.into_iter().flat_map(|kind| EvidenceClass::ALL.map(|strength| (kind, strength)));
    all.map(|key| (key.0, key.1, counts.get(&key).copied().unwrap_or(0))).collect()
}

fn age(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.millis().saturating_sub(since.millis())).unwrap_or(0)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_is_counted_in_each_bound_that_it_is_within() {
        let mut took = Took::default();
        for millis in [0, 30_000, 30_001, 86_400_000, 86_400_001] {
            took.add(millis);
        }
        assert_eq!((took.within, took.count), ([2, 3, 3, 3, 3, 3, 3, 4], 5));
        assert_eq!(took.sum, 172_860_002);
    }
}
