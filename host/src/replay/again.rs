//! One record, asked again.

use audit_verify::FaultKind;
use audit_verify::source::{StoredPayload, StoredRecord};
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::leaf::Leaf;
use policy_core::outcome::Reason;
use policy_core::question::{Purpose, SealedQuestion};
use policy_core::text;
use policy_core::time::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

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
        let commitments = audit_verify::leaf::Leaf::read(&stored.bytes).ok_or_else(unreadable)?;
        Self::of(stored, &commitments)
    }

    /// The same with a leaf of these very bytes that was read before.
    pub(super) fn of(stored: &'a StoredRecord, commitments: &audit_verify::leaf::Leaf) -> Result<Self, Class> {
        let unreadable = || Class::disagreed("record_unreadable", "its leaf cannot be read");
        let leaf: Leaf = json::read_as(&stored.bytes, STORED).map_err(|_| unreadable())?;
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
        json::read_as(self.bytes(name)?, STORED).map_err(|error| unreadable(error.to_string()))
    }

    fn bytes(&self, name: &str) -> Result<&'a [u8], Class> {
        let missing = || format!("its payload `{name}`: it is not there");
        self.stored.payload(name).ok_or_else(|| Class::disagreed("record_unreadable", missing()))
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
        let told = (question.bundle, question.now, question.purpose, question.task.as_str());
        self.hold(decision, told, (&call.action, call.input_digest, call.server.as_deref()))?;
        Ok(question)
    }

    /// The same, as far as it is looked at here.
    fn outlined(&self, decision: &DecisionRecord) -> Result<Outlined, Class> {
        let question: Outlined = self.read(QUESTION)?;
        let call = &question.call;
        let told = (question.bundle, question.now, question.purpose, question.task.as_str());
        self.hold(decision, told, (&call.action, call.input_digest, call.server.as_deref()))?;
        Ok(question)
    }

    /// Whether a question tells what its decision and its leaf tell.
    fn hold(
        &self,
        decision: &DecisionRecord,
        (bundle, now, purpose, task): (Digest, Timestamp, Purpose, &str),
        (action, input_digest, server): (&str, Digest, Option<&str>),
    ) -> Result<(), Class> {
        let same = self.leaf.bundle == Some(bundle)
            && self.leaf.at == now
            && decision.input_digest == Some(input_digest)
            && decision.action == action
            && decision.task == task
            && decision.purpose == purpose
            && decision.server.as_deref() == server;
        if same {
            Ok(())
        } else {
            Err(Class::disagreed("question_differs", "its question is of another call than its decision"))
        }
    }

    /// A record that is neither a decision nor a search.
    pub(super) fn other(&self) -> Class {
        Class::NotEvaluated(text::visible(&self.leaf.kind, LONGEST_KIND))
    }
}

/// What of a recorded question is looked at here; the rest of it is the module's to read.
#[derive(Debug, Deserialize)]
struct Outlined {
    bundle: Digest,
    now: Timestamp,
    call: OutlinedCall,
    task: String,
    purpose: Purpose,
    candidates: Vec<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct OutlinedCall {
    action: String,
    input_digest: Digest,
    #[serde(default)]
    server: Option<String>,
}

/// Asks a record's questions again, on the module and the bundle that it names. `leaf` is what its bytes say.
pub(super) fn again(bench: &mut Bench<'_>, stored: &StoredRecord, leaf: &audit_verify::leaf::Leaf) -> Class {
    evaluate(bench, stored, leaf).unwrap_or_else(|class| class)
}

fn evaluate(bench: &mut Bench<'_>, stored: &StoredRecord, leaf: &audit_verify::leaf::Leaf) -> Result<Class, Class> {
    let record = Opened::of(stored, leaf)?;
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
    if let Some(class) = judged::unasked(&decision) {
        record.question(&decision)?;
        return Ok(class);
    }
    let outlined = record.outlined(&decision)?;
    let answer = bench.ask_recorded(record.module()?, outlined.bundle, record.bytes(QUESTION)?)?;
    let class = judged::held(&decision, outlined.candidates.len(), &answer);
    let unread = matches!(answer.reason, Reason::BadInput | Reason::UnknownVersion);
    if !unread && !matches!(class, Class::Disagreed { .. }) {
        return Ok(class);
    }
    // What the module does not take may be no question at all: no record agrees with that.
    let question = record.question(&decision)?;
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
