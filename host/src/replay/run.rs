//! The whole replay: the ledger for what its records name, and then the decisions, on every processor.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use audit_verify::erasure::{self, Erasures};
use audit_verify::leaf::Leaf;
use audit_verify::log::{LogCheck, Trust};
use audit_verify::run::{LEDGER, LogReport, Progress};
use audit_verify::source::{Entry, LogSize, Source, StoredRecord};
use audit_verify::{Fault, FaultKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy_core::json;
use policy_core::question::Purpose;
use policy_core::time::Timestamp;
use thiserror::Error;

use super::again::{STORED, again};
use super::bench::Bench;
use super::classes::{Class, Counts, Disagreement};
use super::deal::{Gone, deal};
use super::kept::{Kept, ModuleFiles};
use super::proposed::{Change, Proposed};
use super::span::Span;
use super::spool::Spool;
use crate::app::event::{DECISION, DecisionRecord, EVENT, GateEvent, LedgerEvent};

/// How many disagreements are told one by one. All are counted.
const MOST_TOLD: usize = 100;

/// What is to be asked again.
pub struct Replay<'a> {
    /// The record.
    pub source: &'a dyn Source,
    /// The keys that its heads are believed by.
    pub trust: &'a Trust,
    /// Which of its decisions.
    pub span: Span,
    /// The modules that it names.
    pub modules: &'a ModuleFiles,
    /// Another bundle than the recorded ones, where that is the question.
    pub proposed: Option<&'a Proposed>,
    /// On how many threads.
    pub threads: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// The counts, which add up.
    pub counts: Counts,
    /// The first disagreements.
    pub disagreements: Vec<Disagreement>,
    /// The logs that were read, each as it was signed.
    pub logs: Vec<LogReport>,
}

/// Why there is no report.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The record is not what was signed: what was asked again of it proves nothing.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// A thread ended, or the counts do not add up.
    #[error("the replay itself is broken: {0}")]
    Broken(&'static str),
    /// What changes could not be put aside.
    #[error("what changes could not be put aside: {0}")]
    Spool(#[from] io::Error),
}

/// How many records a thread is dealt at once, and how many bytes of them: waking it for each would cost as much as asking.
const CHUNK: usize = 32;
const CHUNK_BYTES: usize = 256 * 1024;

/// One record for a thread.
struct Job {
    stored: StoredRecord,
    /// What its bytes say, as they were held against the log.
    leaf: Leaf,
    /// What its task was permitted before, where the proposed bundle looks at that.
    done: BTreeSet<String>,
}

/// Records for a thread, in their order.
#[derive(Default)]
struct Chunk {
    jobs: Vec<Job>,
    bytes: usize,
}

impl Chunk {
    fn push(&mut self, job: Job) {
        let payloads = job.stored.payloads.iter().filter_map(|payload| payload.content.as_ref());
        let bytes: usize = payloads.map(|content| content.bytes.len()).sum();
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(job.stored.bytes.len());
        self.jobs.push(job);
    }

    const fn is_full(&self) -> bool {
        self.jobs.len() >= CHUNK || self.bytes >= CHUNK_BYTES
    }
}

/// What a thread made of it.
struct Outcome {
    seq: u64,
    class: Class,
    change: Option<Change>,
}

impl Replay<'_> {
    /// Asks again.
    ///
    /// # Errors
    /// The first record that is not what was signed.
    pub fn run(&self, spool: &mut Spool, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Report, ReplayError> {
        let sizes = self.source.logs()?;
        let names: Vec<&str> = sizes.iter().map(|size| size.log.as_str()).collect();
        let mut kept = Kept::new(self.modules);
        let mut erasures = Erasures::default();
        let mut trust = self.trust.for_logs(&names);
        let mut logs = Vec::new();
        if names.contains(&LEDGER) {
            let (report, believed) = self.ledger(trust, &mut kept, &mut erasures)?;
            logs.push(report);
            trust = believed;
        }
        let mut taken = Taken { counts: Counts::default(), disagreements: Vec::new(), spool };
        let mut read = 0u64;
        for size in sizes.iter().filter(|size| size.log != LEDGER) {
            let (report, believed) =
                self.decisions(size, trust, (&kept, &mut erasures), &mut taken, &mut read, progress)?;
            logs.push(report);
            trust = believed;
        }
        let Taken { counts, disagreements, .. } = taken;
        // INVARIANT (R10): every record that was read is counted, and counted once.
        if counts.records != read || counts.sum() != read {
            return Err(ReplayError::Broken("its counts do not add up"));
        }
        Ok(Report { counts, disagreements, logs })
    }

    /// Gathers the bundles, and the keys that sign from some record on.
    fn ledger(&self, trust: Trust, kept: &mut Kept<'_>, erasures: &mut Erasures) -> Result<(LogReport, Trust), Fault> {
        let mut check = LogCheck::new(LEDGER, trust, &[])?;
        self.source.read(LEDGER, &mut |entry| {
            let Entry::Record(record) = &entry else { return check.take(&entry).map(drop) };
            let leaf = check.place(record)?;
            match leaf.kind.as_str() {
                "bundle_activated" => kept.take(record),
                // Both are believed only as the leaf commits to them.
                "log_key_rotated" => {
                    leaf.hold_payloads(&record.payloads).map_err(|kind| fault(LEDGER, record.seq, kind))?;
                    named_key(record).into_iter().for_each(|key| check.name_key(key));
                }
                erasure::PAYLOADS_ERASED => {
                    leaf.hold_payloads(&record.payloads).map_err(|kind| fault(LEDGER, record.seq, kind))?;
                    let said = record.payload(EVENT).and_then(erasure::read).unwrap_or_default();
                    erasures.take(record.seq, &said).map_err(|kind| fault(LEDGER, record.seq, kind))?;
                }
                _ => {}
            }
            Ok(())
        })?;
        ended(LEDGER, check)
    }

    fn decisions(
        &self,
        size: &LogSize,
        trust: Trust,
        (kept, erasures): (&Kept<'_>, &mut Erasures),
        taken: &mut Taken<'_>,
        read: &mut u64,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(LogReport, Trust), ReplayError> {
        let LogSize { log, records } = size;
        let mut check = LogCheck::new(log, trust, &[])?;
        let mut done = self.proposed.filter(|proposed| proposed.mentions_done()).map(|_| Done::default());
        let proposed = self.proposed;
        let make = || {
            let mut bench = Bench::new(kept);
            move |chunk: Chunk| -> Vec<Outcome> {
                chunk.jobs.into_iter().map(|job| one(&mut bench, proposed, job)).collect()
            }
        };
        let mut gone = false;
        let fed = deal(
            self.threads,
            make,
            |dealer| {
                let mut chunk = Chunk::default();
                let mut hand_on = |chunk: &mut Chunk, seq: u64| {
                    dealer(std::mem::take(chunk)).map_err(|Gone| {
                        gone = true;
                        fault(log, seq, FaultKind::Unreadable("a thread has ended".to_owned()))
                    })
                };
                self.source.read(log, &mut |entry| {
                    let Entry::Record(stored) = entry else { return check.take(&entry).map(drop) };
                    let leaf = check.place(&stored)?;
                    // INVARIANT (R10): what is gone was erased by a record that says so, or the replay ends.
                    erasures.hold(log, &stored).map_err(|kind| fault(log, leaf.seq, kind))?;
                    progress(Progress { log, done: check.size(), of: *records });
                    let at = leaf.at.parse::<Timestamp>().map_err(|_| fault(log, leaf.seq, FaultKind::NoLeaf))?;
                    let before = done.as_mut().map(|done| done.see(&stored)).unwrap_or_default();
                    if !self.span.holds(leaf.seq, at) {
                        return Ok(());
                    }
                    *read = read.saturating_add(1);
                    let seq = leaf.seq;
                    chunk.push(Job { stored, leaf, done: before });
                    if chunk.is_full() { hand_on(&mut chunk, seq) } else { Ok(()) }
                })?;
                if chunk.jobs.is_empty() { Ok(()) } else { hand_on(&mut chunk, *records) }
            },
            |results: Vec<Outcome>| results.into_iter().for_each(|result| taken.take(log, result)),
        );
        if gone {
            return Err(ReplayError::Broken("a thread ended before its work did"));
        }
        fed?;
        Ok(ended(log, check)?)
    }
}

fn one(bench: &mut Bench<'_>, proposed: Option<&Proposed>, job: Job) -> Outcome {
    let (class, change) = match proposed {
        Some(proposed) => proposed.compare(bench, &job.stored, job.done),
        None => (again(bench, &job.stored, &job.leaf), None),
    };
    Outcome { seq: job.stored.seq, class, change }
}

/// What is taken of the results, in the order of the record.
struct Taken<'a> {
    counts: Counts,
    disagreements: Vec<Disagreement>,
    spool: &'a mut Spool,
}

impl Taken<'_> {
    fn take(&mut self, log: &str, result: Outcome) {
        self.counts.add(&result.class);
        if let Some(change) = &result.change {
            self.spool.put(change);
        }
        if let Class::Disagreed { code, message } = result.class
            && self.disagreements.len() < MOST_TOLD
        {
            self.disagreements.push(Disagreement { log: log.to_owned(), seq: result.seq, code, message });
        }
    }
}

/// What each task was permitted before a record, from the records before it.
#[derive(Default)]
pub(super) struct Done(BTreeMap<String, BTreeSet<String>>);

impl Done {
    /// What stood before this record; then what it adds.
    pub(super) fn see(&mut self, stored: &StoredRecord) -> BTreeSet<String> {
        let read = |bytes| json::read_as::<DecisionRecord>(bytes, STORED).ok();
        let Some(decision) = stored.payload(DECISION).and_then(read) else { return BTreeSet::new() };
        let permitted = decision.answer.outcome.permits() && decision.purpose == Purpose::Use;
        let before = self.0.get(&decision.task).cloned().unwrap_or_default();
        if permitted {
            self.0.entry(decision.task).or_default().extend(decision.done);
        }
        before
    }
}

fn ended(log: &str, check: LogCheck) -> Result<(LogReport, Trust), Fault> {
    let records = check.size();
    let (head, trust) = check.end()?;
    Ok((LogReport { log: log.to_owned(), records, head: head.map(|head| head.note) }, trust))
}

/// The public key that a record names.
fn named_key(record: &StoredRecord) -> Option<[u8; 32]> {
    match json::read_as(record.payload(EVENT)?, STORED).ok()? {
        LedgerEvent::Gate(GateEvent::LogKeyRotated { key, .. }) => STANDARD.decode(key).ok()?.try_into().ok(),
        _ => None,
    }
}

fn fault(log: &str, seq: u64, kind: FaultKind) -> Fault {
    Fault { log: log.to_owned(), seq, kind }
}
