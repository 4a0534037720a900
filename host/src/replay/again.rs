//! One record, asked again.

use audit_verify::FaultKind;
use audit_verify::source::{StoredPayload, StoredRecord};
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::leaf::Leaf;
use policy_core::question::SealedQuestion;
use policy_core::text;
use serde::de::DeserializeOwned;

use super::bench::Bench;
use super::classes::Class;
use super::{judged, searched};
use crate::app::event::{DECISION, DecisionRecord, QUESTION, QUESTIONS, SEARCH, SearchRecord};
use crate::app::outcome_word;

/// What a stored payload of our own may hold.
pub(super) const STORED: json::Limits = json::Limits { max_bytes: 64 << 20, max_depth: 120 };
/// How much of a kind that nobody knows is told.
const LONGEST_KIND: usize = 60;

/// A record whose payloads are those that its leaf commits to.
pub(super) struct Opened<'a> {
    pub(super) leaf: Leaf,
    stored: &'a StoredRecord,
}

impl<'a> Opened<'a> {
    /// INVARIANT (R10): nothing is evaluated that is not what the leaf commits to.
    pub(super) fn open(stored: &'a StoredRecord) -> Result<Self, Class> {
        let unreadable = || Class::disagreed("record_unreadable", "its leaf cannot be read");
        let leaf: Leaf = json::read_as(&stored.bytes, STORED).map_err(|_| unreadable())?;
        let commitments = audit_verify::leaf::Leaf::read(&stored.bytes).ok_or_else(unreadable)?;
        commitments.hold_payloads(&stored.payloads).map_err(|kind| match kind {
            FaultKind::PayloadMissing(_) => Class::disagreed("payload_missing", kind.to_string()),
            _ => Class::disagreed("payload_altered", kind.to_string()),
        })?;
        let asked = [DECISION, SEARCH].iter().any(|name| leaf.commitments.contains_key(*name));
        if asked && stored.payloads.iter().any(StoredPayload::is_erased) {
            // INVARIANT (R10): what cannot be asked again agrees with nothing.
            return Err(Class::Erased);
        }
        Ok(Self { leaf, stored })
    }

    /// Whether the leaf tells of this payload.
    pub(super) fn commits(&self, name: &str) -> bool {
        self.leaf.commitments.contains_key(name)
    }

    /// A payload, read.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, Class> {
        let unreadable = |why: String| Class::disagreed("record_unreadable", format!("its payload `{name}`: {why}"));
        let bytes = self.stored.payload(name).ok_or_else(|| unreadable("it is not there".to_owned()))?;
        json::read_as(bytes, STORED).map_err(|error| unreadable(error.to_string()))
    }

    pub(super) fn module(&self) -> Result<Digest, Class> {
        self.leaf.module.ok_or_else(|| Class::disagreed("leaf_differs", "its leaf names no module"))
    }

    /// The decision, where its leaf tells the same of it.
    pub(super) fn decision(&self) -> Result<DecisionRecord, Class> {
        let decision: DecisionRecord = self.read(DECISION)?;
        let answer = &decision.answer;
        let same = self.leaf.outcome.as_deref() == Some(outcome_word(answer.outcome));
        if same && self.leaf.policies == answer.policies {
            Ok(decision)
        } else {
            let told = judged::told(answer);
            Err(Class::disagreed(
                "leaf_differs",
                format!("its leaf tells of another outcome than its decision: {told}"),
            ))
        }
    }

    /// The question, where it is the one that the decision and the leaf tell of.
    pub(super) fn question(&self, decision: &DecisionRecord) -> Result<SealedQuestion, Class> {
        let question: SealedQuestion = self.read(QUESTION)?;
        let call = &question.call;
        let same = self.leaf.bundle == Some(question.bundle)
            && self.leaf.at == question.now
            && decision.input_digest == Some(call.input_digest)
            && decision.action == call.action
            && decision.task == question.task
            && decision.purpose == question.purpose
            && decision.server == call.server;
        if same {
            Ok(question)
        } else {
            Err(Class::disagreed("question_differs", "its question is of another call than its decision"))
        }
    }

    /// A record that is neither a decision nor a search.
    pub(super) fn other(&self) -> Class {
        Class::NotEvaluated(text::visible(&self.leaf.kind, LONGEST_KIND))
    }
}

/// Asks a record's questions again, on the module and the bundle that it names.
pub(super) fn again(bench: &mut Bench<'_>, stored: &StoredRecord) -> Class {
    evaluate(bench, stored).unwrap_or_else(|class| class)
}

fn evaluate(bench: &mut Bench<'_>, stored: &StoredRecord) -> Result<Class, Class> {
    let record = Opened::open(stored)?;
    if record.commits(SEARCH) {
        let (search, questions): (SearchRecord, Vec<SealedQuestion>) = (record.read(SEARCH)?, record.read(QUESTIONS)?);
        if questions.iter().any(|question| Some(question.bundle) != record.leaf.bundle) {
            return Err(Class::disagreed("question_differs", "a question of it is of another bundle"));
        }
        return searched::page(bench, (record.module()?, record.leaf.bundle), &search, &questions);
    }
    if !record.commits(DECISION) {
        return Ok(record.other());
    }
    let decision = record.decision()?;
    if !record.commits(QUESTION) {
        return Ok(judged::unsealed(&decision));
    }
    let question = record.question(&decision)?;
    if let Some(class) = judged::unasked(&decision) {
        return Ok(class);
    }
    let answer = bench.ask(record.module()?, &question)?;
    let class = judged::held(&decision, &question, &answer);
    if matches!(class, Class::Disagreed { .. }) && withheld(bench, &question) {
        // What was never stored may have decided it: that is no proof of either.
        return Ok(Class::NotEvaluated(WITHHELD.to_owned()));
    }
    Ok(class)
}

/// What is told of a question whose `@secret` arguments were never stored.
pub(super) const WITHHELD: &str = "withheld";

/// Whether a question had arguments that its bundle calls secret.
pub(super) fn withheld(bench: &Bench<'_>, question: &SealedQuestion) -> bool {
    use policy_core::value::Value;
    let Some(input) = &question.call.input else { return false };
    let Some(bundle) = bench.kept.accepted(&question.bundle) else { return false };
    let there = |at: &Vec<String>| {
        at.iter().try_fold(input, |value, name| match value {
            Value::Record(members) => members.get(name),
            _ => None,
        })
    };
    bundle.secrets(&question.call.action).iter().any(|at| there(at).is_some())
}
