//! What the gate decided, what is said to have run, and what comes of comparing the two.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::shared::Shared;
use policy_core::time::{Span, Timestamp};
use proviso_api::findings::{EvidenceClass, FindingKind};
use proviso_api::operations::ExecutionPhase;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// What many calls have in common: who makes them, by which credential and in which task, and what they do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallKind {
    /// Who acts.
    pub subject: EntityRef,
    /// In which task.
    pub task: String,
    /// The credential that asked.
    pub credential: String,
    /// The enforcement point's name, where one asked.
    pub point: Option<String>,
    /// The upstream server.
    pub server: Option<String>,
    /// The action, in the bundle's words.
    pub action: String,
    /// The tools that it names, where no `[[tool]]` gave it an action.
    pub tools: Vec<String>,
}

/// A use that was asked for, permitted or not. Very many are remembered, so what they have in common is there once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Its position in the log of decisions.
    pub seq: u64,
    /// The evaluation.
    pub evaluation: SmolStr,
    /// When.
    pub at: Timestamp,
    /// Who asked for what.
    pub kind: Shared<CallKind>,
    /// The call's id, as the caller gave it.
    pub call: Option<String>,
    /// The digest of the canonical arguments.
    pub input_digest: Option<Digest>,
    /// Whether it was permitted.
    pub permitted: bool,
    /// The exception whose grant permitted it.
    pub exception: Option<String>,
    /// That grant.
    pub grant: Option<String>,
    /// The evaluation that consumed the use: a repeat of the same call is no second allow.
    pub allow: SmolStr,
}

/// What a source says of something that ran. Persisted as part of a record: every member is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<EntityRef>,
    /// In which task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The action, or the tool as its server names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// On which server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The digest of the canonical arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<Digest>,
    /// The evaluation that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<String>,
    /// The call's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The grant that it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// On which host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What is said of it.
    pub phase: ExecutionPhase,
    /// The trace that a span of telemetry is part of: a span inside another one of the same tool is the same call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// The span around it: two that have the same one stand beside each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its position in the log of decisions.
    pub seq: u64,
    /// What it is worth.
    pub class: EvidenceClass,
    /// Who says so.
    pub source: String,
    /// The source's own name of what ran; several words on one execution share it.
    pub id: String,
    /// The credential that reports: its call ids are those of its own evaluations.
    pub credential: Option<String>,
    /// When it was recorded: it ran before that.
    pub recorded_at: Timestamp,
    /// What it says.
    pub said: Said,
}

/// A grant, as far as comparing takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFact {
    /// The exception.
    pub exception: String,
    /// The grant.
    pub grant: String,
    /// In which task.
    pub task: String,
    /// For what.
    pub action: String,
    /// When it ends, this instant not included.
    pub not_after: Timestamp,
    /// Whether anything was ever permitted by it.
    pub used: bool,
    /// When somebody took it away.
    pub revoked_at: Option<Timestamp>,
}

/// All that is known of one subject. Each fact is shared: who copies the account while it grows copies no fact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What it asked to do, by evaluation.
    #[serde(with = "crate::pairs::shared")]
    pub decided: BTreeMap<SmolStr, Arc<Decided>>,
    /// What is said to have run, by position.
    #[serde(with = "crate::pairs::shared")]
    pub evidence: BTreeMap<u64, Arc<Evidence>>,
    /// From when on every decision is still known. Absent: from the beginning.
    pub since: Option<Timestamp>,
    /// Changes with everything that is added.
    pub version: u64,
}

/// What the active bundle says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The action that a tool of a server is.
    pub actions: BTreeMap<(String, String), String>,
    /// The enforcement points that declare to report, each with its delay.
    pub reports_within: BTreeMap<String, Span>,
}

/// A difference that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// What kind.
    pub kind: FindingKind,
    /// What it is about: together with kind and subject it is the same finding, however often it is found.
    pub key: String,
    /// In which task, where that is known.
    pub task: Option<String>,
    /// What the strongest evidence for it is worth.
    pub strength: EvidenceClass,
    /// Which of several alike it was cannot be told.
    pub ambiguous: bool,
    /// Positions of the evidence.
    pub evidence: BTreeSet<u64>,
    /// Positions of the decisions that it is held against.
    pub decisions: BTreeSet<u64>,
    /// The exception that it is about.
    pub exception: Option<String>,
    /// What ran, or was to run: the action, as it is known best.
    pub action: Option<String>,
    /// What differs, or the names of the tasks or hosts.
    pub about: Vec<String>,
    /// When the first of what it is about happened.
    pub at: Timestamp,
}

/// What comes of one subject's account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// The differences, by kind and key.
    pub findings: BTreeMap<(FindingKind, String), Drawn>,
    /// When time alone may find something more.
    pub next: Option<Timestamp>,
    /// How many calls ran, each source counted by itself.
    pub executions: usize,
    /// Those of which a decision was found.
    pub matched: usize,
    /// Those of which it cannot be told which of several alike they are.
    pub ambiguous: usize,
    /// Those from before what is still known: they are judged by no one here.
    pub too_old: usize,
}

impl Reconciled {
    /// Keeps a difference; the same one once, with all that speaks for it.
    pub(super) fn draw(&mut self, drawn: Drawn) {
        match self.findings.get_mut(&(drawn.kind, drawn.key.clone())) {
            None => drop(self.findings.insert((drawn.kind, drawn.key.clone()), drawn)),
            Some(held) => {
                held.strength = held.strength.max(drawn.strength);
                held.ambiguous |= drawn.ambiguous;
                held.evidence.extend(drawn.evidence);
                held.decisions.extend(drawn.decisions);
                held.at = held.at.min(drawn.at);
                held.about.extend(drawn.about);
                held.about.sort();
                held.about.dedup();
            }
        }
    }

    /// Something may be found then, without anything happening.
    pub(super) fn look_again(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}
