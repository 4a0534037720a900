//! What people are told of retention, holds and erasures: numbers, and never whom it was about.

use std::collections::{BTreeMap, VecDeque};

use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::retention::{ClassCount, Erased, ErasureLine, HoldLine as ToldHold, KeptFor, RetentionReply};
use serde::{Deserialize, Serialize};

use super::by_two::ErasureProposals;
use super::event::{Erasure, HoldTarget, Lost};
use super::report::ErasureReport;
use super::retention::RETENTION;
use super::selection::Class;
use crate::app::App;

/// How many erasures are told one by one.
const TOLD: usize = 50;
/// How much of a reason is told.
const SAID: usize = 2_000;

/// What was erased, folded from records.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Erasures {
    counts: BTreeMap<Class, u64>,
    lost: Lost,
    /// The newest, oldest first.
    runs: VecDeque<Run>,
    earlier: u64,
    /// When it was last looked what is older than it is kept.
    looked_at: Option<Timestamp>,
    /// What people proposed.
    pub(in crate::app) proposals: ErasureProposals,
}

/// One erasure, which may be several records.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Run {
    /// Its first record, without what it names: whom, and which payloads.
    first: Erasure,
    counts: BTreeMap<Class, u64>,
    lost: Lost,
}

impl Erasures {
    /// When it was last looked what is older than it is kept.
    pub fn looked_at(&self) -> Option<Timestamp> {
        self.looked_at
    }

    /// One more record. That it was looked, of a day, is a record too, and erases nothing.
    pub fn add(&mut self, erasure: &Erasure) {
        if erasure.erased.is_empty() {
            if erasure.by == RETENTION {
                self.looked_at = Some(erasure.at);
            }
            return;
        }
        add(&mut self.counts, &erasure.counts);
        self.lost.add(erasure.lost);
        if let Some(run) = self.runs.back_mut().filter(|run| run.first.run == erasure.run) {
            add(&mut run.counts, &erasure.counts);
            run.lost.add(erasure.lost);
            return;
        }
        let first = Erasure {
            of: None,
            erased: Vec::new(),
            exceptions: Vec::new(),
            credentials: Vec::new(),
            tasks: Vec::new(),
            ..erasure.clone()
        };
        self.runs.push_back(Run { first, counts: erasure.counts.clone(), lost: erasure.lost });
        if self.runs.len() > TOLD {
            self.runs.pop_front();
            self.earlier = self.earlier.saturating_add(1);
        }
    }
}

fn add(to: &mut BTreeMap<Class, u64>, more: &BTreeMap<Class, u64>) {
    for (class, payloads) in more {
        let count = to.entry(*class).or_default();
        *count = count.saturating_add(*payloads);
    }
}

fn told(counts: &BTreeMap<Class, u64>, lost: Lost) -> Erased {
    let Lost { replays, previews, exceptions, findings } = lost;
    let count = |(class, count): (&Class, &u64)| ClassCount { class: class.word().to_owned(), count: *count };
    Erased { payloads: counts.iter().map(count).collect(), replays, previews, exceptions, findings }
}

/// A report's numbers.
pub(super) fn told_report(report: &ErasureReport) -> Erased {
    told(&report.erased, report.lost)
}

impl App {
    /// What is kept for how long, what is on hold, and what was erased, in numbers.
    pub fn retention(&self) -> RetentionReply {
        let now = self.now();
        let holds = self.holds();
        let state = self.state();
        let erasures = &state.erased;
        let keep = self.settings().retention.keep.iter();
        RetentionReply {
            now,
            position: state.position,
            keep: keep.map(|(class, age)| KeptFor { class: class.word().to_owned(), age: *age }).collect(),
            looked_at: erasures.looked_at,
            holds: holds
                .into_iter()
                .map(|hold| {
                    let (of, exception) = match hold.target {
                        HoldTarget::Entity(entity) => (Some(entity), None),
                        HoldTarget::Exception(id) => (None, Some(id)),
                    };
                    let reason = text::visible(&hold.reason, SAID);
                    ToldHold { id: hold.id, of, exception, reason, by: hold.by, at: hold.at }
                })
                .collect(),
            erased: told(&erasures.counts, erasures.lost),
            erasures: erasures
                .runs
                .iter()
                .rev()
                .map(|run| ErasureLine {
                    run: run.first.run.clone(),
                    what: run.first.what.clone(),
                    older_than: run.first.older_than,
                    by: run.first.by.clone(),
                    people: run.first.people.clone(),
                    reason: text::visible(&run.first.reason, SAID),
                    at: run.first.at,
                    erased: told(&run.counts, run.lost),
                })
                .collect(),
            earlier: erasures.earlier,
            proposals: Vec::new(),
            you_may_erase: false,
            presence: self.policy().acts_presence(),
        }
    }
}

#[cfg(test)]
mod tests {
    use policy_core::digest::Digest;

    use super::*;

    fn erasure(run: &str, payloads: u64) -> Erasure {
        let one = |seq| audit_verify::erasure::Erased {
            log: "ledger".into(),
            name: "event".into(),
            ranges: vec![(seq, seq)],
            payloads: 1,
        };
        Erasure {
            run: run.into(),
            what: "person".into(),
            of: Some(Digest::of(b"whom")),
            older_than: None,
            classes: vec![],
            by: "root".into(),
            reason: "asked".into(),
            at: Timestamp::from_millis(0),
            proposal: None,
            people: vec![],
            erased: (0..payloads).map(one).collect(),
            counts: BTreeMap::from([(Class::Decisions, payloads)]),
            lost: Lost { replays: payloads, ..Lost::default() },
            exceptions: vec![],
            credentials: vec![],
            tasks: vec![],
        }
    }

    #[test]
    fn records_of_one_run_are_one_line_and_a_day_without_is_none() {
        let mut erasures = Erasures::default();
        for (run, payloads) in [("era_a", 2), ("era_a", 3), ("era_b", 0), ("era_c", 1)] {
            erasures.add(&erasure(run, payloads));
        }
        assert_eq!((erasures.runs.len(), erasures.earlier, erasures.looked_at()), (2, 0, None));
        erasures.add(&Erasure { by: RETENTION.into(), ..erasure("era_d", 0) });
        assert_eq!((erasures.runs.len(), erasures.looked_at()), (2, Some(Timestamp::from_millis(0))));
        assert_eq!(told(&erasures.counts, erasures.lost).replays, 6);
        let first = erasures.runs.front().map(|run| (run.counts.get(&Class::Decisions).copied(), run.first.of));
        assert_eq!(first, Some((Some(5), None)), "whom it was about is kept nowhere");
    }

    #[test]
    fn what_is_told_one_by_one_does_not_grow_for_ever() {
        let mut erasures = Erasures::default();
        for number in 0..TOLD + 7 {
            erasures.add(&erasure(&format!("era_{number}"), 1));
        }
        assert_eq!((erasures.runs.len(), erasures.earlier), (TOLD, 7));
        assert_eq!(told(&erasures.counts, erasures.lost).payloads.first().map(|line| line.count), Some(57));
    }
}
