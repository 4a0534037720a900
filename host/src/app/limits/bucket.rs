//! How often somebody may ask: a bucket of tokens for each subject, each task and each subject's reports, in memory.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;

use crate::app::sweep::Sweep;

/// How many buckets are kept at least before the full ones are thrown away.
const MOST_BUCKETS: usize = 10_000;
/// The parts of a token: a thousandth is a millisecond's worth of one token a second.
const PARTS: u64 = 1_000;
/// How many subjects that ask all they may a task bears: one alone uses up no task that it shares.
const SUBJECTS_OF_A_TASK: u32 = 4;
/// How often each call may be reported: that it is sent, what came of it, and once more where an answer was lost.
const REPORTS_OF_A_CALL: u32 = 3;

/// How often a subject may ask, whatever it asks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Evaluations a second, in the long run.
    pub evaluations: u32,
    /// And at once, after a pause.
    pub burst: u32,
    /// New credentials of other issuers an hour.
    pub credentials: u32,
}

/// Ten new credentials a minute: each is a record, and is known for nine days.
const CREDENTIALS: u32 = 600;

impl Allowance {
    /// So many a second; ten seconds' worth at once.
    pub const fn each_second(evaluations: u32) -> Self {
        Self { evaluations, burst: evaluations.saturating_mul(10), credentials: CREDENTIALS }
    }
}

impl Default for Allowance {
    /// 50 a second: more than any agent asks that waits for answers, less than what would fill a disk in a day.
    fn default() -> Self {
        Self::each_second(50)
    }
}

/// Of what is counted how often it is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counted {
    /// A subject's questions, in all its tasks: a further task's credential gives it no more.
    Subject(EntityRef),
    /// A task's questions, by all its subjects: a further subject gives it no more than a few have.
    Task(String),
    /// What is reported of a subject's calls: no question waits for it, nor it for a question.
    Reports(EntityRef),
}

impl Counted {
    /// What it may, where this is what a subject may ask.
    const fn allowance(&self, subject: Allowance) -> Allowance {
        let times = match self {
            Self::Subject(_) => 1,
            Self::Task(_) => SUBJECTS_OF_A_TASK,
            Self::Reports(_) => REPORTS_OF_A_CALL,
        };
        let (evaluations, burst) = (subject.evaluations.saturating_mul(times), subject.burst.saturating_mul(times));
        Allowance { evaluations, burst, ..subject }
    }
}

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    by_counted: BTreeMap<Counted, Bucket>,
    swept: Sweep,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    parts: u64,
    at: u64,
}

impl Bucket {
    fn filled(self, allowance: Allowance, now: u64) -> u64 {
        let gained = now.saturating_sub(self.at).saturating_mul(allowance.evaluations.into());
        self.parts.saturating_add(gained).min(full(allowance))
    }
}

impl Buckets {
    /// Takes a token of each at this instant of the boot clock, in milliseconds; or of none.
    ///
    /// # Errors
    /// In how many seconds each has one again, where one has none.
    pub(super) fn take(&mut self, counted: &[Counted], subject: Allowance, now: u64) -> Result<(), u32> {
        if self.swept.is_due(self.by_counted.len(), MOST_BUCKETS) {
            self.by_counted.retain(|counted, bucket| {
                let allowance = counted.allowance(subject);
                bucket.filled(allowance, now) < full(allowance)
            });
            self.swept.done(self.by_counted.len());
        }
        let mut wait = None;
        for one in counted {
            let allowance = one.allowance(subject);
            let bucket = self.by_counted.entry(one.clone()).or_insert(Bucket { parts: full(allowance), at: now });
            *bucket = Bucket { parts: bucket.filled(allowance, now), at: now };
            if bucket.parts < PARTS {
                let millis = PARTS.saturating_sub(bucket.parts).div_ceil(u64::from(allowance.evaluations).max(1));
                wait = wait.max(Some(u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX).max(1)));
            }
        }
        if let Some(wait) = wait {
            return Err(wait);
        }
        for one in counted {
            if let Some(bucket) = self.by_counted.get_mut(one) {
                bucket.parts = bucket.parts.saturating_sub(PARTS);
            }
        }
        Ok(())
    }
}

fn full(allowance: Allowance) -> u64 {
    u64::from(allowance.burst).saturating_mul(PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_its_rate_and_each_has_its_own() {
        let allowance = Allowance { evaluations: 2, burst: 3, ..Allowance::default() };
        let mut buckets = Buckets::default();
        let mut take = |subject: &str, now: u64| {
            buckets.take(&[Counted::Subject(EntityRef::new("Agent", subject))], allowance, now)
        };
        for (subject, now, expected) in [
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
            assert_eq!(take(subject, now), expected, "{subject} {now}");
        }
    }

    #[test]
    fn what_one_bucket_refuses_is_taken_from_no_other() {
        let allowance = Allowance { evaluations: 1, burst: 1, ..Allowance::default() };
        let mut buckets = Buckets::default();
        let subject = |name: &str| Counted::Subject(EntityRef::new("Agent", name));
        let mut ask =
            |name: &str, task: &str| buckets.take(&[subject(name), Counted::Task(task.to_owned())], allowance, 0);
        for (name, task, expected) in [
            ("a", "t", Ok(())),
            // Its own bucket is empty in every task, and no task pays for that.
            ("a", "t", Err(1)),
            ("a", "u", Err(1)),
            ("b", "t", Ok(())),
            ("c", "t", Ok(())),
            ("d", "t", Ok(())),
            // A task bears four of them; who comes too late keeps what it has for another task.
            ("e", "t", Err(1)),
            ("e", "u", Ok(())),
        ] {
            assert_eq!(ask(name, task), expected, "{name} in {task}");
        }
    }

    #[test]
    fn reports_are_counted_apart_from_questions() {
        let allowance = Allowance { evaluations: 1, burst: 1, ..Allowance::default() };
        let mut buckets = Buckets::default();
        let agent = EntityRef::new("Agent", "a");
        assert_eq!(buckets.take(&[Counted::Subject(agent.clone())], allowance, 0), Ok(()));
        for expected in [Ok(()), Ok(()), Ok(()), Err(1)] {
            assert_eq!(buckets.take(&[Counted::Reports(agent.clone())], allowance, 0), expected);
        }
    }
}
