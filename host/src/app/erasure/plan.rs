//! What of the log of decisions is erased: every record is looked at once, in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use audit_verify::erasure::Erased;
use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::question::{Purpose, SealedQuestion};
use policy_core::time::{Span, Timestamp};
use serde_json::Value;

use super::event::Lost;
use super::kept::Kept;
use super::needed::{Needed, mentions};
use super::report::ErasureReport;
use super::selection::{Class, Selection, Who};
use super::span::Spans;
use crate::app::event::{CLAIMED, DECISION, DecisionRecord, EXECUTION, ExecutionRecord, QUESTION, QUESTIONS, SEARCH};
use crate::app::findings::{EVIDENCE, EvidenceRecord};
use crate::app::people::STORED;
use crate::store::{Log, Record, VersionKey};

/// The most payloads in one record of an erasure: what the writer does at once keeps nobody waiting.
const AT_ONCE: u64 = 2_000;
/// For how long a report may follow the call that it is about.
const REPORTED_WITHIN: Span = Span::from_seconds(3 * 86_400);

/// What one record of an erasure takes out.
#[derive(Default)]
pub(super) struct Part {
    /// Of the log of decisions.
    pub spans: Spans,
    /// Of the ledger, by name and record.
    pub ledger: BTreeSet<(&'static str, u64)>,
    pub counts: BTreeMap<Class, u64>,
    pub lost: Lost,
    pub exceptions: Vec<String>,
    pub credentials: Vec<String>,
    pub tasks: BTreeSet<String>,
    pub expected: BTreeMap<VersionKey, u64>,
}

impl Part {
    pub fn count(&mut self, class: Class, payloads: u64) {
        let count = self.counts.entry(class).or_default();
        *count = count.saturating_add(payloads);
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.spans.payloads() >= AT_ONCE || self.ledger.len() as u64 >= AT_ONCE
    }

    /// The payloads as the record tells them.
    pub fn erased(mut self) -> Vec<Erased> {
        let mut before = None;
        for (name, seq) in self.ledger {
            // What stands between two records of the ledger may have a payload of this name, and stay.
            if before != Some((name, seq.wrapping_sub(1))) {
                self.spans.pass(Log::Ledger, name);
            }
            self.spans.add(Log::Ledger, name, seq);
            before = Some((name, seq));
        }
        self.spans.erased()
    }
}

/// A permitted call, for the reports that follow it.
struct Call {
    at: Timestamp,
    evaluation: String,
}

/// What a report needs to know of its call.
#[derive(Clone, Default)]
struct Known {
    selected: bool,
    held: bool,
    /// Whom it is about, where one record is meant.
    of: Vec<EntityRef>,
}

/// Looks through the log of decisions.
pub(super) struct Decisions<'a> {
    selection: &'a Selection,
    needed: &'a Needed,
    calls: BTreeMap<String, Known>,
    order: VecDeque<Call>,
    part: Part,
}

impl<'a> Decisions<'a> {
    pub fn new(selection: &'a Selection, needed: &'a Needed) -> Self {
        Self { selection, needed, calls: BTreeMap::new(), order: VecDeque::new(), part: Part::default() }
    }

    /// Takes the next record. A part, where one is full.
    pub fn take(&mut self, record: &Record, report: &mut ErasureReport) -> Option<Part> {
        if self.selection.is_record(Log::Decisions, record.leaf.seq) {
            report.of.extend(self.about(record));
        }
        let taken = self.look(record, report);
        for (name, _) in &record.payloads {
            match taken.iter().find(|(taken, _)| taken == name) {
                Some((_, class)) => {
                    self.part.spans.add(Log::Decisions, name, record.leaf.seq);
                    self.part.count(*class, 1);
                }
                None => self.part.spans.pass(Log::Decisions, name),
            }
        }
        for name in &record.erased {
            self.part.spans.pass(Log::Decisions, name);
        }
        self.part.is_full().then(|| std::mem::take(&mut self.part))
    }

    /// What is left.
    pub fn end(self) -> Option<Part> {
        Some(self.part).filter(|part| !part.is_empty())
    }

    fn look(&mut self, record: &Record, report: &mut ErasureReport) -> Vec<(&'static str, Class)> {
        let looked = if let Some(bytes) = record.payload(EXECUTION) {
            self.execution(record, bytes)
        } else if let Some(bytes) = record.payload(EVIDENCE) {
            self.evidence(record, bytes)
        } else if let Some(bytes) = record.payload(SEARCH) {
            self.search(record, bytes)
        } else if let Some(bytes) = record.payload(DECISION) {
            self.decision(record, bytes, report)
        } else {
            Ok(Vec::new())
        };
        looked.unwrap_or_else(|why| {
            report.keep(why);
            Vec::new()
        })
    }

    fn decision(
        &mut self,
        record: &Record,
        bytes: &[u8],
        report: &mut ErasureReport,
    ) -> Result<Vec<(&'static str, Class)>, Kept> {
        // One that cannot be read says nothing of whom it is about.
        let Ok(decision) = json::read_as::<DecisionRecord>(bytes, STORED) else { return Ok(Vec::new()) };
        let (seq, at) = (record.leaf.seq, record.leaf.at);
        let selected = match &self.selection.who {
            Who::Person(entity) | Who::Agent(entity) => decision.subject == *entity || decision.actors.contains(entity),
            Who::Record(..) => self.selection.is_record(Log::Decisions, seq),
            Who::Anybody => true,
        };
        // What was refused and then asked for belongs to the exception, too.
        let exception = decision.exception.as_deref().or_else(|| self.needed.refused.get(&seq).map(String::as_str));
        let held = self.needed.holds_any(&value(bytes)) || exception.is_some_and(|id| self.needed.holds_exception(id));
        self.remember(at, &decision, selected, held);
        let arguments: Vec<&'static str> =
            [QUESTION, CLAIMED].into_iter().filter(|name| record.payload(name).is_some()).collect();
        let wants = |class| selected && self.selection.has(class);
        let (whole, part) = (wants(Class::Decisions), wants(Class::Arguments) && !arguments.is_empty());
        if !(whole || part) || !self.needed.is_old(at, self.selection.older_than)? {
            return Ok(Vec::new());
        }
        if held {
            return Err(Kept::OnHold);
        }
        self.hold_finding(seq)?;
        self.needed.exception_over(exception)?;
        let mut taken: Vec<(&'static str, Class)> = arguments.iter().map(|name| (*name, Class::Arguments)).collect();
        let permits = decision.answer.outcome.permits();
        if whole {
            let past = permits && decision.purpose == Purpose::Use && !decision.done.is_empty();
            match self.needed.task_over(&decision.task) {
                Err(why) if past && !part => return Err(why),
                Err(why) if past => report.keep(why),
                _ => {
                    taken.push((DECISION, Class::Decisions));
                    self.part.lost.findings += u64::from(permits);
                    if past && !self.needed.ended_tasks.contains(&decision.task) {
                        self.part.tasks.insert(decision.task.clone());
                    }
                }
            }
        }
        if record.payload(QUESTION).is_some() {
            self.part.lost.replays += 1;
            self.part.lost.previews += u64::from(!permits);
        }
        self.expect_exception(exception);
        Ok(taken)
    }

    fn execution(&mut self, record: &Record, bytes: &[u8]) -> Result<Vec<(&'static str, Class)>, Kept> {
        let Ok(execution) = json::read_as::<ExecutionRecord>(bytes, STORED) else { return Ok(Vec::new()) };
        let call = self.calls.get(&execution.evaluation);
        let selected = match &self.selection.who {
            Who::Person(_) | Who::Agent(_) => call.is_some_and(|call| call.selected),
            Who::Record(..) => self.selection.is_record(Log::Decisions, record.leaf.seq),
            Who::Anybody => true,
        };
        if !selected
            || !self.selection.has(Class::Executions)
            || !self.needed.is_old(record.leaf.at, self.selection.older_than)?
        {
            return Ok(Vec::new());
        }
        let exception = execution.exception.as_deref();
        if call.is_some_and(|call| call.held) || exception.is_some_and(|id| self.needed.holds_exception(id)) {
            return Err(Kept::OnHold);
        }
        self.hold_finding(record.leaf.seq)?;
        self.needed.exception_over(exception)?;
        self.expect_exception(exception);
        self.part.lost.findings += 1;
        Ok(vec![(EXECUTION, Class::Executions)])
    }

    fn evidence(&mut self, record: &Record, bytes: &[u8]) -> Result<Vec<(&'static str, Class)>, Kept> {
        let Ok(evidence) = json::read_as::<EvidenceRecord>(bytes, STORED) else { return Ok(Vec::new()) };
        let call = evidence.said.evaluation.as_ref().and_then(|evaluation| self.calls.get(evaluation));
        let selected = match &self.selection.who {
            Who::Person(entity) | Who::Agent(entity) => {
                evidence.said.subject.as_ref() == Some(entity) || call.is_some_and(|call| call.selected)
            }
            Who::Record(..) => self.selection.is_record(Log::Decisions, record.leaf.seq),
            Who::Anybody => true,
        };
        let age = self.selection.older_than;
        if !selected || !self.selection.has(Class::Executions) || !self.needed.is_old(record.leaf.at, age)? {
            return Ok(Vec::new());
        }
        if call.is_some_and(|call| call.held) || self.needed.holds_any(&value(bytes)) {
            return Err(Kept::OnHold);
        }
        self.hold_finding(record.leaf.seq)?;
        self.part.lost.findings += 1;
        Ok(vec![(EVIDENCE, Class::Executions)])
    }

    /// Whom a record is about: who acted, for or through whom, and whose the exception is that it belongs to.
    fn about(&self, record: &Record) -> Vec<EntityRef> {
        let (mut of, mut exception) = (Vec::new(), self.needed.refused.get(&record.leaf.seq).cloned());
        let of_call = |evaluation: &str| self.calls.get(evaluation).map(|call| call.of.clone()).unwrap_or_default();
        let read = |name: &str| record.payload(name);
        if let Some(decision) = read(DECISION).and_then(stored::<DecisionRecord>) {
            of.extend(of_decision(&decision).cloned());
            exception = exception.or(decision.exception);
        }
        if let Some(execution) = read(EXECUTION).and_then(stored::<ExecutionRecord>) {
            of.extend(of_call(&execution.evaluation));
            exception = exception.or(execution.exception);
        }
        if let Some(evidence) = read(EVIDENCE).and_then(stored::<EvidenceRecord>) {
            of.extend(evidence.said.evaluation.as_deref().map(of_call).unwrap_or_default());
            of.extend(evidence.said.subject);
        }
        if let Some(query) = read(SEARCH).map(value).as_ref().and_then(|search| search.get("query")) {
            spoken_of(query, &mut of);
        }
        // A query names neither who searches where they are looked for by their kind alone, nor in whose name: what was
        // asked of the module for it does.
        for question in read(QUESTIONS).and_then(stored::<Vec<SealedQuestion>>).unwrap_or_default() {
            of.push(question.call.subject);
            of.extend(question.chain.into_iter().map(|hop| hop.entity));
        }
        of.extend(exception.iter().flat_map(|id| self.needed.of_exception(id)).cloned());
        of
    }

    /// What a finding rests on stays until that is resolved.
    fn hold_finding(&self, seq: u64) -> Result<(), Kept> {
        if self.needed.findings.contains(&seq) { Err(Kept::FindingOpen) } else { Ok(()) }
    }

    fn search(&mut self, record: &Record, bytes: &[u8]) -> Result<Vec<(&'static str, Class)>, Kept> {
        let (text, seq) = (value(bytes), record.leaf.seq);
        let selected = match &self.selection.who {
            Who::Person(entity) | Who::Agent(entity) => asked_by(&text, entity),
            Who::Record(..) => self.selection.is_record(Log::Decisions, seq),
            Who::Anybody => true,
        };
        let age = self.selection.older_than;
        if !selected || !self.selection.has(Class::Searches) || !self.needed.is_old(record.leaf.at, age)? {
            return Ok(Vec::new());
        }
        if self.needed.holds_any(&text) {
            return Err(Kept::OnHold);
        }
        let questions = record.payload(QUESTIONS).map(|_| (QUESTIONS, Class::Searches));
        self.part.lost.replays += u64::from(questions.is_some());
        Ok([(SEARCH, Class::Searches)].into_iter().chain(questions).collect())
    }

    /// Keeps what a report will need to know of a call, for as long as one may come.
    fn remember(&mut self, at: Timestamp, decision: &DecisionRecord, selected: bool, held: bool) {
        while let Some(first) = self.order.front()
            && first.at.plus(REPORTED_WITHIN) < at
        {
            self.calls.remove(&first.evaluation);
            self.order.pop_front();
        }
        if decision.answer.outcome.permits() {
            let evaluation = decision.evaluation.clone();
            let of = matches!(self.selection.who, Who::Record(..)).then(|| of_decision(decision).cloned().collect());
            self.calls.insert(evaluation.clone(), Known { selected, held, of: of.unwrap_or_default() });
            self.order.push_back(Call { at, evaluation });
        }
    }

    fn expect_exception(&mut self, exception: Option<&str>) {
        if let Some(standing) = exception.and_then(|id| self.needed.exceptions.get(id)) {
            self.part.expected.extend(standing.versions.iter().cloned());
        }
    }
}

/// Who acted, and for or through whom.
fn of_decision(decision: &DecisionRecord) -> impl Iterator<Item = &EntityRef> {
    std::iter::once(&decision.subject).chain(&decision.actors)
}

fn stored<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    json::read_as(bytes, STORED).ok()
}

/// All of whom a query speaks.
fn spoken_of(query: &Value, of: &mut Vec<EntityRef>) {
    match query {
        Value::Object(members) => {
            of.extend(serde_json::from_value::<EntityRef>(query.clone()));
            members.values().for_each(|member| spoken_of(member, of));
        }
        Value::Array(items) => items.iter().for_each(|item| spoken_of(item, of)),
        _ => {}
    }
}

/// Whether a search is this subject's own, or about it.
fn asked_by(search: &Value, entity: &EntityRef) -> bool {
    search.get("query").is_some_and(|query| mentions(query, entity))
}

/// A payload as JSON.
pub(super) fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}
