//! The findings, folded from the ledger.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use proviso_api::findings::{FindingOutcome, FindingState};
use serde::{Deserialize, Serialize};

use super::event::{FindingEvent, FindingFacts};

/// A finding as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// What was found, with all evidence since and who looks after it now.
    pub facts: FindingFacts,
    /// How it stands.
    pub state: FindingState,
    /// How it was resolved.
    pub outcome: Option<FindingOutcome>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// What was stopped for it.
    pub acted: BTreeSet<String>,
    /// Where its events stand in the ledger, oldest first.
    pub steps: Vec<u64>,
}

impl Finding {
    /// A finding at its beginning.
    pub fn opened(facts: FindingFacts, at: Timestamp, steps: Vec<u64>) -> Self {
        Self {
            facts,
            state: FindingState::Open,
            outcome: None,
            opened_at: at,
            changed_at: at,
            acted: BTreeSet::new(),
            steps,
        }
    }
}

/// All findings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Findings {
    by_id: BTreeMap<String, Finding>,
    #[serde(with = "crate::pairs")]
    by_subject: BTreeMap<EntityRef, BTreeSet<String>>,
}

impl Findings {
    /// Folds the event of the ledger record `seq`. One of a finding that nobody opened changes nothing. Returns whose
    /// finding was resolved: there may be room for another one now.
    pub fn apply(&mut self, seq: u64, event: FindingEvent) -> Option<EntityRef> {
        let (id, at) = (event.id().to_owned(), at(&event));
        if let FindingEvent::Opened { finding, at } = event {
            self.by_subject.entry(finding.subject.clone()).or_default().insert(id.clone());
            self.by_id.entry(id).or_insert_with(|| Finding::opened(*finding, at, vec![seq]));
            return None;
        }
        let finding = self.by_id.get_mut(&id)?;
        finding.steps.push(seq);
        finding.changed_at = finding.changed_at.max(at);
        match event {
            FindingEvent::EvidenceAdded { evidence, decisions, strength, about, .. } => {
                let facts = &mut finding.facts;
                (facts.evidence, facts.decisions, facts.strength, facts.about) = (evidence, decisions, strength, about);
            }
            FindingEvent::Assigned { to, .. } => finding.facts.owner = Some(to),
            FindingEvent::StateChanged { state, outcome, .. } => {
                (finding.state, finding.outcome) = (state, outcome);
            }
            FindingEvent::Acted { act, .. } => drop(finding.acted.insert(act)),
            FindingEvent::Opened { .. } | FindingEvent::Commented { .. } => {}
        }
        (finding.state == FindingState::Resolved).then(|| finding.facts.subject.clone())
    }

    /// One finding.
    pub fn get(&self, id: &str) -> Option<&Finding> {
        self.by_id.get(id)
    }

    /// All of them, by id.
    pub fn all(&self) -> impl Iterator<Item = &Finding> {
        self.by_id.values()
    }

    /// Those of one subject.
    pub fn of<'a>(&'a self, subject: &EntityRef) -> impl Iterator<Item = &'a Finding> {
        let ids = self.by_subject.get(subject).into_iter().flatten();
        ids.filter_map(|id| self.by_id.get(id))
    }

    /// How many are not resolved.
    pub fn unresolved(&self) -> usize {
        self.all().filter(|finding| finding.state != FindingState::Resolved).count()
    }
}

const fn at(event: &FindingEvent) -> Timestamp {
    match event {
        FindingEvent::Opened { at, .. }
        | FindingEvent::EvidenceAdded { at, .. }
        | FindingEvent::Assigned { at, .. }
        | FindingEvent::Commented { at, .. }
        | FindingEvent::StateChanged { at, .. }
        | FindingEvent::Acted { at, .. } => *at,
    }
}
