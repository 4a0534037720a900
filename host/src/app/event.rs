//! What stands in the payloads of records. Persisted and hashed: every variant and member is for ever.

mod decision;

use std::collections::BTreeMap;

use audit_verify::erasure::PAYLOADS_ERASED;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::lifecycle;
use policy_core::outcome::Evaluation;
use policy_core::presence::{Presence, Proof};
use policy_core::question::Lock;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use decision::{DecisionRecord, ExecutionRecord, OBSERVED, REPORTED, SearchRecord};

use super::activation::{ActivatedBy, PolicyEvent};
use super::console::ConsoleEvent;
use super::epoch::EpochFact;
use super::erasure::{ConfirmedErasure, EndedErasure, Erasure, Hold, ProposedErasure};
use super::findings::FindingEvent;
use super::membership::MembershipEvent;
use super::ownership::OwnershipEvent;
use super::routing::RoutingEvent;
use crate::identity::IdentityEvent;

/// The payload that holds a ledger record's event.
pub const EVENT: &str = "event";
/// The payload that holds what surrounds a request: a [`RequestOrigin`]; with a repeat, a [`FoldOrigin`].
pub const ORIGIN: &str = "origin";
/// The payload that holds an activated bundle's files.
pub const BUNDLE: &str = "bundle";
/// The payload that holds a decision: a [`DecisionRecord`].
pub const DECISION: &str = "decision";
/// The payload that holds the sealed question.
pub const QUESTION: &str = "question";
/// The payload that holds a question that could not be sealed, as it was claimed.
pub const CLAIMED: &str = "claimed";
/// The payload that holds a search: a [`SearchRecord`].
pub const SEARCH: &str = "search";
/// The payload that holds the sealed questions of a search, in the order they were judged in.
pub const QUESTIONS: &str = "questions";
/// The payload that holds a report: an [`ExecutionRecord`].
pub const EXECUTION: &str = "execution";

/// An event of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerEvent {
    /// Of one exception.
    Exception {
        /// Its id.
        id: String,
        /// What happened.
        event: Box<lifecycle::Event>,
    },
    /// Of credentials and sessions.
    Identity(IdentityEvent),
    /// Of the gate as a whole.
    Gate(GateEvent),
    /// Of who is told of exceptions, and who stands in for whom.
    Routing(RoutingEvent),
    /// Of what ran otherwise than it was approved.
    Finding(FindingEvent),
    /// Of who owns what, and who has left.
    Ownership(OwnershipEvent),
    /// Of what people may not do here.
    Console(ConsoleEvent),
    /// Of what may become the active bundle.
    Policy(PolicyEvent),
    /// Of how people come in and go.
    Membership(MembershipEvent),
}

/// What happened to the gate as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GateEvent {
    /// It was started.
    GateStarted {
        /// The operating-system user.
        by: String,
        /// Whether agents and gate may share an operating-system user.
        single_user: bool,
        /// The policy module that it runs; not told by earlier releases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        module: Option<Digest>,
        /// Whether confirmations and emergencies are shown as the terms demand of votes; earlier releases took a
        /// session.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        acts_shown: bool,
        /// When.
        at: Timestamp,
    },
    /// A bundle became the active one.
    BundleActivated {
        /// What was activated.
        activation: Box<ActivationFact>,
    },
    /// Something was stopped.
    Locked {
        /// The lock.
        lock: Lock,
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
        /// The groups that its setter was in: any of their members lifts it at once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<String>,
        /// When it ends unless it is renewed. Absent: it stays until it is lifted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A lock that ends by itself goes on.
    LockRenewed {
        /// The lock's id.
        id: String,
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When it ends now.
        until: Timestamp,
        /// When.
        at: Timestamp,
    },
    /// Somebody from outside the setter's groups wants a lock lifted. A second one lifts it.
    LiftVoted {
        /// The lock's id.
        id: String,
        /// Who.
        by: EntityRef,
        /// How strongly they were signed in; not told by earlier releases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assurance: Option<String>,
        /// What it had to be shown with; absent: a session.
        #[serde(default, skip_serializing_if = "Presence::is_session")]
        presence: Presence,
        /// What showed that they were there; absent: a session.
        #[serde(default, skip_serializing_if = "Proof::is_session")]
        proof: Box<Proof>,
        /// When.
        at: Timestamp,
    },
    /// A lock was lifted.
    Unlocked {
        /// The lock's id.
        id: String,
        /// Who.
        by: EntityRef,
        /// What it had to be shown with; absent: a session.
        #[serde(default, skip_serializing_if = "Presence::is_session")]
        presence: Presence,
        /// What showed that they were there; absent: a session.
        #[serde(default, skip_serializing_if = "Proof::is_session")]
        proof: Box<Proof>,
        /// When.
        at: Timestamp,
    },
    /// Another key signs binding tokens and approvals from here on.
    SigningKeyRotated {
        /// The new key's id.
        kid: String,
        /// The operating-system user.
        by: String,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Another key signs the tokens of agents and enforcement points from here on.
    CredentialKeyRotated {
        /// The new key's id.
        kid: String,
        /// The operating-system user.
        by: String,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Another key signs the heads of the record from the next head on. The head over this record is the old key's.
    LogKeyRotated {
        /// The new public key: Ed25519, in base64.
        key: String,
        /// The operating-system user.
        by: String,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A task is over, and with it all that hangs on it.
    TaskEnded {
        /// The task.
        task: String,
        /// Who: a person, or `operator::NAME` of the operating system.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A subject was refused for asking too much: one line for all of an interval.
    Limited {
        /// Who.
        subject: EntityRef,
        /// In which task.
        task: String,
        /// What there was too much of.
        what: String,
        /// How often it was refused since the line before.
        refused: u64,
        /// When.
        at: Timestamp,
    },
    /// The gate was told to stop.
    GateStopped {
        /// When.
        at: Timestamp,
    },
    /// The clock ran back, or disagrees (R6): exceptions are suspended.
    ClockDoubted {
        /// How far the two clocks are apart, in milliseconds.
        apart: i64,
        /// When, as the gate believes.
        at: Timestamp,
    },
    /// Texts were taken out of the record for good.
    PayloadsErased(Box<Erasure>),
    /// Somebody wants texts taken out, and another has to confirm it.
    ErasureProposed(Box<ProposedErasure>),
    /// The second of two people confirmed it.
    ErasureConfirmed(Box<ConfirmedErasure>),
    /// It was carried out, or taken back.
    ErasureEnded(Box<EndedErasure>),
    /// What a legal hold covers is not erased.
    HoldPlaced {
        /// The hold.
        hold: Box<Hold>,
    },
    /// A hold was lifted.
    HoldLifted {
        /// Its id.
        id: String,
        /// The operating-system user.
        by: String,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// An operator says that the clock is right again.
    ClockTrusted {
        /// The operating-system user.
        by: String,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// An allow was recorded, and not given: what it used stays used.
    AllowWithheld {
        /// The evaluation.
        evaluation: String,
        /// The exception whose grant permitted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exception: Option<String>,
        /// Why: the code that was answered.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// The record is one that was restored: what was made before it is honoured no more until it is made or confirmed
    /// anew.
    EpochBegun {
        /// Why, from where, and what is missing.
        epoch: Box<EpochFact>,
    },
}

/// An activation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationFact {
    /// The bundle.
    pub bundle: Digest,
    /// The operating-system user; or the people, in words.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The people who activated it; absent where an operator did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Box<ActivatedBy>>,
    /// How many files changed, by folder.
    pub changed: Vec<(String, u32)>,
    /// The digest of each file by its path.
    pub files: BTreeMap<String, Digest>,
    /// Who owns which subject, sorted by subject: separation of duty looks 30 days back (R4).
    pub owners: Vec<(EntityRef, Vec<EntityRef>)>,
}

/// What surrounds a request for an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestOrigin {
    /// The credential that asked.
    pub credential: String,
    /// The agent's credential, where an enforcement point asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_credential: Option<String>,
    /// What the agent is built of, where its issuer says so: a grant is for that alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// The caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// The digest of what was sent.
    pub body: Digest,
    /// What the gate answered when the call was refused.
    pub refused: Evaluation,
    /// The position of that answer in the log of decisions.
    pub refused_seq: u64,
    /// The refusal that was undone by this, a moment after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopens: Option<Reopens>,
}

/// A refused request that was opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopens {
    /// The exception that was refused. It stays refused.
    pub of: String,
    /// Who had refused it.
    pub by: EntityRef,
}

/// What surrounds a repeat that folded, where it came with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldOrigin {
    /// The credential that asked.
    pub credential: String,
    /// The caller's idempotency key.
    pub idempotency_key: String,
    /// The digest of what was sent.
    pub body: Digest,
}

impl LedgerEvent {
    /// The record's kind.
    pub fn kind(&self) -> String {
        match self {
            Self::Exception { event, .. } => event.kind().to_owned(),
            Self::Identity(event) => event.kind().to_owned(),
            Self::Gate(event) => event.kind().to_owned(),
            Self::Routing(event) => event.kind().to_owned(),
            Self::Finding(event) => event.kind().to_owned(),
            Self::Ownership(event) => event.kind().to_owned(),
            Self::Console(event) => event.kind().to_owned(),
            Self::Policy(event) => event.kind().to_owned(),
            Self::Membership(event) => event.kind().to_owned(),
        }
    }
}

impl GateEvent {
    /// The kind of [`Self::ClockTrusted`].
    pub const TRUSTED: &'static str = "clock_trusted";

    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::GateStarted { .. } => "gate_started",
            Self::BundleActivated { .. } => "bundle_activated",
            Self::Locked { .. } => "locked",
            Self::LockRenewed { .. } => "lock_renewed",
            Self::LiftVoted { .. } => "lift_voted",
            Self::Unlocked { .. } => "unlocked",
            Self::TaskEnded { .. } => "task_ended",
            Self::Limited { .. } => "limited",
            Self::GateStopped { .. } => "gate_stopped",
            Self::SigningKeyRotated { .. } => "signing_key_rotated",
            Self::CredentialKeyRotated { .. } => "credential_key_rotated",
            Self::LogKeyRotated { .. } => "log_key_rotated",
            Self::PayloadsErased(_) => PAYLOADS_ERASED,
            Self::ErasureProposed(_) => "erasure_proposed",
            Self::ErasureConfirmed(_) => "erasure_confirmed",
            Self::ErasureEnded(_) => "erasure_ended",
            Self::HoldPlaced { .. } => "hold_placed",
            Self::HoldLifted { .. } => "hold_lifted",
            Self::ClockDoubted { .. } => "clock_doubted",
            Self::ClockTrusted { .. } => Self::TRUSTED,
            Self::AllowWithheld { .. } => "allow_withheld",
            Self::EpochBegun { .. } => "epoch_begun",
        }
    }
}
