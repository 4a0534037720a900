//! Executions: what one source says of one call, put together from its pieces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy_core::time::Timestamp;
use proviso_api::findings::EvidenceClass;
use proviso_api::operations::ExecutionPhase;

use super::facts::{Account, Evidence, Said};
use super::matching::agrees;

/// One call, as one source tells it.
#[derive(Debug, Clone)]
pub(super) struct Execution {
    /// Who tells.
    pub source: String,
    /// The source's name of it.
    pub id: String,
    pub class: EvidenceClass,
    pub credential: Option<String>,
    /// Positions of the pieces.
    pub pieces: BTreeSet<u64>,
    /// What the pieces say together: the first word on each member counts, the last on the phase.
    pub said: Said,
    /// When the first piece was recorded: it began before that.
    pub seen: Timestamp,
    /// When the last piece was recorded.
    pub heard: Timestamp,
}

impl Execution {
    fn new(evidence: &Evidence) -> Self {
        Self {
            source: evidence.source.clone(),
            id: evidence.id.clone(),
            class: evidence.class,
            credential: evidence.credential.clone(),
            pieces: BTreeSet::from([evidence.seq]),
            said: evidence.said.clone(),
            seen: evidence.recorded_at,
            heard: evidence.recorded_at,
        }
    }

    /// When it began, as well as that is known.
    pub fn began(&self) -> Timestamp {
        self.said.started_at.unwrap_or(self.seen)
    }

    /// When it ended, as well as that is known.
    pub fn ended(&self) -> Timestamp {
        let is_told = self.said.started_at.is_some() || self.said.phase == ExecutionPhase::Sending;
        let heard = if is_told { self.began() } else { self.heard };
        self.said.ended_at.unwrap_or(heard).max(self.began())
    }

    /// Whether this one's pieces and that one's are of the same call: one lies inside the other, in one trace.
    fn holds(&self, other: &Self) -> bool {
        let beside = self.said.parent.is_some() && self.said.parent == other.said.parent;
        self.said.trace.is_some()
            && !beside
            && agrees(self.said.input_digest.as_ref(), other.said.input_digest.as_ref())
            && agrees(self.said.call.as_ref(), other.said.call.as_ref())
            && (&self.source, &self.said.trace, &self.said.action)
                == (&other.source, &other.said.trace, &other.said.action)
            && self.began() <= other.began()
            && other.ended() <= self.ended()
    }

    fn take(&mut self, other: Self) {
        let first = |mine: &mut Option<_>, theirs: Option<_>| {
            if mine.is_none() {
                *mine = theirs;
            }
        };
        let theirs = other.said;
        first(&mut self.said.task, theirs.task);
        first(&mut self.said.action, theirs.action);
        first(&mut self.said.server, theirs.server);
        first(&mut self.said.evaluation, theirs.evaluation);
        first(&mut self.said.call, theirs.call);
        first(&mut self.said.grant, theirs.grant);
        first(&mut self.said.host, theirs.host);
        self.said.subject = self.said.subject.take().or(theirs.subject);
        self.said.input_digest = self.said.input_digest.or(theirs.input_digest);
        self.said.started_at = self.said.started_at.or(theirs.started_at);
        self.said.ended_at = self.said.ended_at.or(theirs.ended_at);
        if rank(self.said.phase) < rank(theirs.phase) {
            self.said.phase = theirs.phase;
        }
        self.pieces.extend(other.pieces);
        self.seen = self.seen.min(other.seen);
        self.heard = self.heard.max(other.heard);
    }
}

/// How much a word on a call says. What is known beats what is not, and an error is not forgotten.
const fn rank(phase: ExecutionPhase) -> u8 {
    match phase {
        ExecutionPhase::Sending => 0,
        ExecutionPhase::OutcomeUnknown => 1,
        ExecutionPhase::Executed => 2,
        ExecutionPhase::Failed => 3,
    }
}

/// The account's executions, by source and then by when they began.
pub(super) fn executions(account: &Account) -> Vec<Execution> {
    // The words on one execution in the order of what they say, and not of when they came.
    let mut words: Vec<&Evidence> = account.evidence.values().map(Arc::as_ref).collect();
    words.sort_by_key(|evidence| (rank(evidence.said.phase), evidence.seq));
    let mut by_name: BTreeMap<(&str, &str), Execution> = BTreeMap::new();
    for evidence in words {
        let piece = Execution::new(evidence);
        match by_name.get_mut(&(evidence.source.as_str(), evidence.id.as_str())) {
            Some(execution) => execution.take(piece),
            None => drop(by_name.insert((&evidence.source, &evidence.id), piece)),
        }
    }
    let mut all: Vec<Execution> = by_name.into_values().collect();
    // Outermost first, so that whatever lies inside comes after what it lies in.
    all.sort_by(|a, b| {
        let key = |execution: &Execution| (execution.began(), std::cmp::Reverse(execution.ended()));
        (&a.source, key(a), &a.id).cmp(&(&b.source, key(b), &b.id))
    });
    let mut whole: Vec<Execution> = Vec::with_capacity(all.len());
    // In each trace, the one that began last and is still open can hold the next one.
    let mut open: BTreeMap<[Option<String>; 3], usize> = BTreeMap::new();
    for execution in all {
        if execution.said.trace.is_some() {
            let said = &execution.said;
            let within = [Some(execution.source.clone()), said.trace.clone(), said.action.clone()];
            let outer = open.get(&within).and_then(|at| whole.get_mut(*at));
            if let Some(outer) = outer.filter(|outer| outer.holds(&execution)) {
                outer.take(execution);
                continue;
            }
            open.insert(within, whole.len());
        }
        whole.push(execution);
    }
    whole
}
