//! What is known of each subject, folded from the log of decisions: what it asked to do, and what is said to have run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use policy_core::entity::EntityRef;
use policy_core::question::Purpose;
use policy_core::time::{Span, Timestamp};
use proviso_api::findings::EvidenceClass;
use proviso_api::operations::ExecutionPhase;
use serde::{Deserialize, Serialize};

use super::event::EvidenceRecord;
use crate::app::event::{DecisionRecord, ExecutionRecord, OBSERVED};
use crate::reconcile::{Account, Decided, Evidence, Said};

/// How long decisions and evidence are kept in memory; the log keeps them for ever.
const KEPT: Span = Span::from_seconds(8 * 86_400);
/// And how many decisions at most.
const MOST: usize = 100_000;

/// The accounts of all subjects. Each is shared with whoever compares it, so that comparing holds up nobody.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Accounts {
    #[serde(with = "crate::pairs::shared")]
    by_subject: BTreeMap<EntityRef, Arc<Account>>,
    /// Whose evaluation it was.
    subjects: BTreeMap<String, EntityRef>,
    /// What a source has said under one name and phase.
    #[serde(with = "crate::pairs::shared")]
    said: BTreeMap<(String, String, u8), Arc<Said>>,
    /// Oldest first.
    order: VecDeque<(Timestamp, Kept)>,
    decisions: usize,
    /// How many pieces of each subject are its own word.
    #[serde(with = "crate::pairs")]
    reported: BTreeMap<EntityRef, usize>,
    keep_all: bool,
    /// Since when nothing was erased.
    whole_since: Option<Timestamp>,
}

/// What is forgotten one day.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Kept {
    Decided(String),
    Evidence { subject: EntityRef, seq: u64, reported: bool, name: (String, String, u8) },
}

impl Accounts {
    /// Forgets nothing from here on.
    pub const fn keep_all(&mut self) {
        self.keep_all = true;
    }

    /// A use was asked for.
    pub fn decided(
        &mut self,
        (seq, at): (u64, Timestamp),
        decision: &DecisionRecord,
        allow: String,
        point: Option<String>,
    ) {
        if decision.purpose != Purpose::Use {
            return;
        }
        let decided = Decided {
            seq,
            evaluation: decision.evaluation.clone(),
            at,
            credential: decision.credential.clone(),
            point,
            call: decision.call.clone(),
            subject: decision.subject.clone(),
            task: decision.task.clone(),
            server: decision.server.clone(),
            action: decision.action.clone(),
            tools: decision.tools.clone(),
            input_digest: decision.input_digest,
            permitted: decision.answer.outcome.permits(),
            exception: decision.exception.clone(),
            grant: decision.answer.grant.clone(),
            allow,
        };
        self.subjects.insert(decided.evaluation.clone(), decided.subject.clone());
        self.order.push_back((at, Kept::Decided(decided.evaluation.clone())));
        self.decisions = self.decisions.saturating_add(1);
        let account = self.account(&decision.subject);
        account.decided.insert(decided.evaluation.clone(), Arc::new(decided));
        self.forget(at);
    }

    /// Everybody of whom something is known.
    pub fn subjects(&self) -> impl Iterator<Item = &EntityRef> {
        self.by_subject.keys()
    }

    /// What a subject asked for of late, in no order.
    pub fn asked_by(&self, subject: &EntityRef) -> Vec<Arc<Decided>> {
        self.by_subject.get(subject).map(|account| account.decided.values().cloned().collect()).unwrap_or_default()
    }

    /// When a subject last asked for something.
    pub fn last_asked(&self, subject: &EntityRef) -> Option<Timestamp> {
        self.by_subject.get(subject)?.decided.values().map(|decided| decided.at).max()
    }

    /// A call's own report came. What it is told under is the allow and the call: a repeat's report is the same call's.
    pub fn reported(&mut self, (seq, at): (u64, Timestamp), execution: &ExecutionRecord, source: String) {
        let Some(subject) = self.subjects.get(&execution.evaluation).cloned() else { return };
        let decided = self.by_subject.get(&subject).and_then(|account| account.decided.get(&execution.evaluation));
        let allow = decided.map_or_else(|| execution.evaluation.clone(), |decided| decided.allow.clone());
        let class = if execution.evidence == OBSERVED { EvidenceClass::Observed } else { EvidenceClass::Reported };
        let sent = execution.phase == ExecutionPhase::Sending;
        let said = Said {
            subject: None,
            task: None,
            action: None,
            server: None,
            // Of what comes back it is another digest.
            input_digest: execution.digest.filter(|_| sent),
            evaluation: Some(execution.evaluation.clone()),
            call: Some(execution.call.clone()),
            grant: None,
            host: execution.host.clone(),
            started_at: execution.started_at,
            ended_at: execution.ended_at,
            phase: execution.phase,
            trace: None,
            parent: None,
        };
        let evidence = Evidence {
            seq,
            class,
            source,
            id: format!("{allow}/{}", execution.call),
            credential: Some(execution.credential.clone()),
            recorded_at: at,
            said,
        };
        self.keep(subject, evidence);
    }

    /// Evidence came.
    pub fn evidence(&mut self, (seq, at): (u64, Timestamp), record: EvidenceRecord) {
        let named = record.said.evaluation.as_ref().and_then(|evaluation| self.subjects.get(evaluation));
        let Some(subject) = named.cloned().or_else(|| record.said.subject.clone()) else { return };
        let EvidenceRecord { id, source, class, credential, said, .. } = record;
        self.keep(subject, Evidence { seq, class, source, id, credential, recorded_at: at, said });
    }

    fn keep(&mut self, subject: EntityRef, evidence: Evidence) {
        let name = (evidence.source.clone(), evidence.id.clone(), phase(evidence.said.phase));
        self.said.entry(name.clone()).or_insert_with(|| Arc::new(evidence.said.clone()));
        let (seq, at) = (evidence.seq, evidence.recorded_at);
        let reported = evidence.class == EvidenceClass::Reported;
        if reported {
            let count = self.reported.entry(subject.clone()).or_default();
            *count = count.saturating_add(1);
        }
        self.order.push_back((at, Kept::Evidence { subject: subject.clone(), seq, reported, name }));
        self.account(&subject).evidence.insert(seq, Arc::new(evidence));
        self.forget(at);
    }

    /// Whose evaluation it was.
    pub fn subject_of(&self, evaluation: &str) -> Option<&EntityRef> {
        self.subjects.get(evaluation)
    }

    /// How many pieces of evidence of a subject are reported ones.
    pub fn reported_of(&self, subject: &EntityRef) -> usize {
        self.reported.get(subject).copied().unwrap_or(0)
    }

    /// What a source has said under this name and phase before.
    pub fn said(&self, source: &str, id: &str, of: ExecutionPhase) -> Option<&Said> {
        self.said.get(&(source.to_owned(), id.to_owned(), phase(of))).map(Arc::as_ref)
    }

    /// Something else changed for a subject: it is compared again.
    pub fn touch(&mut self, subject: &EntityRef) {
        self.account(subject);
    }

    /// A decision or evidence of this time was erased, of whomever: from then on no account says that it knows all of it.
    pub fn erased(&mut self, at: Timestamp) {
        self.whole_since = self.whole_since.max(Some(just_after(at)));
    }

    /// At the end of history: also of whom nothing was written since.
    pub fn settle(&mut self) {
        for account in self.by_subject.values_mut().filter(|account| account.since < self.whole_since) {
            Arc::make_mut(account).since = self.whole_since;
        }
    }

    /// The account of one subject.
    pub fn of(&self, subject: &EntityRef) -> Option<&Arc<Account>> {
        self.by_subject.get(subject)
    }

    /// All accounts.
    pub fn all(&self) -> impl Iterator<Item = (&EntityRef, &Arc<Account>)> {
        self.by_subject.iter()
    }

    /// The account of a subject, to be changed.
    fn account(&mut self, subject: &EntityRef) -> &mut Account {
        let account = Arc::make_mut(self.by_subject.entry(subject.clone()).or_default());
        account.version = account.version.wrapping_add(1);
        account.since = account.since.max(self.whole_since);
        account
    }

    /// Forgets what is old; from then on no account says that it knows all of that time.
    fn forget(&mut self, now: Timestamp) {
        while let Some((at, _)) = self.order.front() {
            if self.keep_all || (self.decisions <= MOST && now < at.plus(KEPT)) {
                break;
            }
            let Some((at, kept)) = self.order.pop_front() else { break };
            match kept {
                Kept::Decided(evaluation) => {
                    self.decisions = self.decisions.saturating_sub(1);
                    let Some(subject) = self.subjects.remove(&evaluation) else { continue };
                    let account = self.account(&subject);
                    account.decided.remove(&evaluation);
                    account.since = account.since.max(Some(just_after(at)));
                }
                Kept::Evidence { subject, seq, reported, name } => {
                    self.said.remove(&name);
                    if let Some(count) = self.reported.get_mut(&subject).filter(|_| reported) {
                        *count = count.saturating_sub(1);
                    }
                    let account = self.account(&subject);
                    account.evidence.remove(&seq);
                    account.since = account.since.max(Some(just_after(at)));
                }
            }
        }
    }
}

/// The first instant that is still known of.
fn just_after(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_add(1))
}

/// A phase as a part of a name.
const fn phase(phase: ExecutionPhase) -> u8 {
    match phase {
        ExecutionPhase::Sending => 0,
        ExecutionPhase::Executed => 1,
        ExecutionPhase::Failed => 2,
        ExecutionPhase::OutcomeUnknown => 3,
    }
}
