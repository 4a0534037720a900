//! What is known of each subject, folded from the log of decisions: what it asked to do, and what is said to have run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use policy_core::entity::EntityRef;
use policy_core::question::Purpose;
use policy_core::shared::Shared;
use policy_core::time::{Span, Timestamp};
use proviso_api::findings::EvidenceClass;
use proviso_api::operations::ExecutionPhase;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::event::EvidenceRecord;
use crate::app::event::{DecisionRecord, ExecutionRecord, OBSERVED};
use crate::app::state::{Kinds, Remembered};
use crate::reconcile::{Account, CallKind, Decided, Evidence, Said};

/// How long decisions and evidence are kept in memory; the log keeps them for ever.
const KEPT: Span = Span::from_seconds(8 * 86_400);
/// And how many decisions at most.
const MOST: usize = 100_000;

/// The accounts of all subjects. Each is shared with whoever compares it, so that comparing holds up nobody.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Accounts {
    #[serde(with = "crate::pairs::shared")]
    by_subject: BTreeMap<EntityRef, Arc<Account>>,
    // By whom each evaluation is remembered: found anew in the accounts.
    #[serde(skip)]
    subjects: BTreeMap<SmolStr, Shared<CallKind>>,
    /// What a source has said under one name and phase.
    #[serde(with = "crate::pairs::shared")]
    said: BTreeMap<(String, String, u8), Arc<Said>>,
    // Oldest first: found anew in the accounts.
    #[serde(skip)]
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
#[derive(Debug, Clone)]
enum Kept {
    Decided(SmolStr),
    /// Whose, and its position.
    Evidence(Box<(EntityRef, u64)>),
}

impl Accounts {
    /// Forgets nothing from here on.
    pub const fn keep_all(&mut self) {
        self.keep_all = true;
    }

    /// At a start: what a snapshot leaves out, and what is there once.
    pub(in crate::app) fn resume(&mut self, kinds: &mut Kinds) {
        let mut order = BTreeMap::new();
        for (subject, account) in &mut self.by_subject {
            let account = Arc::make_mut(account);
            for (evaluation, decided) in &mut account.decided {
                let decided = Arc::make_mut(decided);
                decided.kind = kinds.known(decided.kind.clone());
                if decided.allow == *evaluation {
                    decided.allow = evaluation.clone();
                }
                decided.evaluation = evaluation.clone();
                self.subjects.insert(evaluation.clone(), decided.kind.clone());
                order.insert(decided.seq, (decided.at, Kept::Decided(evaluation.clone())));
            }
            for (seq, evidence) in &account.evidence {
                order.insert(*seq, (evidence.recorded_at, Kept::Evidence(Box::new((subject.clone(), *seq)))));
            }
        }
        self.order = order.into_values().collect();
    }

    /// A use was asked for.
    pub(in crate::app) fn decided(&mut self, of: &Remembered, decision: &DecisionRecord, allow: SmolStr) {
        if decision.purpose != Purpose::Use {
            return;
        }
        let decided = Decided {
            seq: of.seq,
            evaluation: of.evaluation.clone(),
            at: of.at,
            kind: of.kind.clone(),
            call: decision.call.clone(),
            input_digest: decision.input_digest,
            permitted: decision.answer.outcome.permits(),
            exception: decision.exception.clone(),
            grant: decision.answer.grant.clone(),
            allow,
        };
        self.subjects.insert(of.evaluation.clone(), of.kind.clone());
        self.order.push_back((of.at, Kept::Decided(of.evaluation.clone())));
        self.decisions = self.decisions.saturating_add(1);
        let account = self.account(&decision.subject);
        account.decided.insert(of.evaluation.clone(), Arc::new(decided));
        self.forget(of.at);
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
        let evaluation = execution.evaluation.as_str();
        let Some(subject) = self.subject_of(evaluation).cloned() else { return };
        let decided = self.by_subject.get(&subject).and_then(|account| account.decided.get(evaluation));
        let allow = decided.map_or(evaluation, |decided| decided.allow.as_str());
        let id = format!("{allow}/{}", execution.call);
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
        let evidence =
            Evidence { seq, class, source, id, credential: Some(execution.credential.clone()), recorded_at: at, said };
        self.keep(subject, evidence);
    }

    /// Evidence came.
    pub fn evidence(&mut self, (seq, at): (u64, Timestamp), record: EvidenceRecord) {
        let named = record.said.evaluation.as_ref().and_then(|evaluation| self.subject_of(evaluation));
        let Some(subject) = named.cloned().or_else(|| record.said.subject.clone()) else { return };
        let EvidenceRecord { id, source, class, credential, said, .. } = record;
        self.keep(subject, Evidence { seq, class, source, id, credential, recorded_at: at, said });
    }

    fn keep(&mut self, subject: EntityRef, evidence: Evidence) {
        self.said.entry(name_of(&evidence)).or_insert_with(|| Arc::new(evidence.said.clone()));
        let (seq, at) = (evidence.seq, evidence.recorded_at);
        if evidence.class == EvidenceClass::Reported {
            let count = self.reported.entry(subject.clone()).or_default();
            *count = count.saturating_add(1);
        }
        self.order.push_back((at, Kept::Evidence(Box::new((subject.clone(), seq)))));
        self.account(&subject).evidence.insert(seq, Arc::new(evidence));
        self.forget(at);
    }

    /// Whose evaluation it was.
    pub fn subject_of(&self, evaluation: &str) -> Option<&EntityRef> {
        self.subjects.get(evaluation).map(|kind| &kind.subject)
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
                    let Some(kind) = self.subjects.remove(&evaluation) else { continue };
                    let account = self.account(&kind.subject);
                    account.decided.remove(&evaluation);
                    account.since = account.since.max(Some(just_after(at)));
                }
                Kept::Evidence(of) => {
                    let (subject, seq) = *of;
                    let account = self.account(&subject);
                    account.since = account.since.max(Some(just_after(at)));
                    let Some(evidence) = account.evidence.remove(&seq) else { continue };
                    self.said.remove(&name_of(&evidence));
                    let is_reported = evidence.class == EvidenceClass::Reported;
                    if let Some(count) = self.reported.get_mut(&subject).filter(|_| is_reported) {
                        *count = count.saturating_sub(1);
                    }
                }
            }
        }
    }
}

/// The first instant that is still known of.
fn just_after(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_add(1))
}

/// Under which name and phase which source said it.
fn name_of(evidence: &Evidence) -> (String, String, u8) {
    (evidence.source.clone(), evidence.id.clone(), phase(evidence.said.phase))
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
