//! Events as the ledger's payloads hold them: the members that a check needs. Others are not looked at.

use serde::Deserialize;
use serde_json::Value;

use super::time::{Instant, Length};
use crate::erasure::Erased;

/// A ledger payload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Event {
    /// Of one exception.
    Exception { id: String, event: Box<Of> },
    /// Of the gate as a whole.
    Gate(Gate),
    /// Who may sign in or call.
    Identity(serde::de::IgnoredAny),
    /// Who is told.
    Routing(serde::de::IgnoredAny),
    /// What ran otherwise than it was approved.
    Finding(serde::de::IgnoredAny),
    /// Who owns what: a vote was asked for under the owners that its request names.
    Ownership(serde::de::IgnoredAny),
    /// What somebody was not permitted to do: nothing came of it.
    Console(serde::de::IgnoredAny),
    /// What may become the active bundle: no grant says by whom that was decided.
    Policy(serde::de::IgnoredAny),
}

/// An event of the gate as a whole.
#[derive(Debug, Deserialize)]
pub(super) struct Gate {
    pub(super) kind: String,
    /// The public key that signs heads from here on.
    pub(super) key: Option<String>,
    /// What was erased.
    #[serde(default)]
    pub(super) erased: Vec<Erased>,
}

/// An event of one exception.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Of {
    ExceptionRequested {
        request: Box<Request>,
        terms: Terms,
    },
    ScopeNarrowed {
        version: Version,
    },
    VoteCast {
        vote: Vote,
    },
    ExceptionRejudged {
        terms: Terms,
    },
    EmergencyDeclared {
        emergency: Emergency,
        terms: Terms,
    },
    ExceptionGranted {
        grant: Box<Grant>,
        at: Instant,
        #[serde(default)]
        counted: Vec<Counted>,
    },
    GrantActivated {
        terms: Terms,
    },
    GrantUsed {
        call: String,
        evaluation: String,
        amounts: Vec<i64>,
        at: Instant,
    },
    UseGivenBack {
        evaluation: String,
    },
    GrantSuspended {},
    GrantExhausted {},
    GrantRevoked {},
    ExceptionDenied {},
    ExceptionCancelled {},
    ExceptionLapsed {},
    QuestionAnswered {},
    RequestFolded {},
    ReviewOpened {},
    ReviewClosed {},
    DispositionSet {},
    ConfirmationGiven {
        confirmation: Confirmation,
    },
    ExceptionConfirmed {},
}

/// One person's word, after a restore, that an exception of before still stands.
#[derive(Debug, Deserialize)]
pub(super) struct Confirmation {
    pub(super) by: Entity,
    #[serde(default)]
    pub(super) groups: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Entity {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) question: Question,
    pub(super) requester: Entity,
    pub(super) asker: Option<Entity>,
    pub(super) owners: Vec<Entity>,
    pub(super) scope: Scope,
    pub(super) decide_by: Instant,
}

#[derive(Debug, Deserialize)]
pub(super) struct Question {
    pub(super) call: Call,
    pub(super) task: String,
    pub(super) chain: Value,
    pub(super) enforcement_point: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Call {
    pub(super) subject: Entity,
    pub(super) action: String,
    pub(super) input_digest: String,
    pub(super) server: Option<String>,
    pub(super) tool: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Terms {
    pub(super) approvals: u32,
    pub(super) groups: Vec<String>,
    pub(super) max_duration: Length,
    pub(super) max_uses: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct Emergency {
    pub(super) decide_by: Instant,
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) scope: Scope,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vote {
    pub(super) person: Entity,
    pub(super) decision: String,
    pub(super) version: u32,
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) inside: bool,
    pub(super) at: Instant,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Scope {
    pub(super) resource: Value,
    pub(crate) arguments: Value,
    pub(super) not_before: Option<Instant>,
    pub(super) not_after: Instant,
    pub(super) max_uses: u32,
    pub(super) valid_for: Option<Length>,
    #[serde(default)]
    pub(super) budgets: Vec<Budget>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Budget {
    pub(super) at: Vec<String>,
    pub(super) max: i64,
}

/// An approval that the gate says counted when the grant was made.
#[derive(Debug, Deserialize)]
pub(super) struct Counted {
    pub(super) person: Entity,
    #[serde(default)]
    pub(super) groups: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) exception: String,
    pub(crate) version: u32,
    pub(crate) subject: Entity,
    pub(crate) task: String,
    pub(crate) chain: Value,
    pub(crate) enforcement_point: String,
    pub(crate) server: Option<String>,
    pub(crate) tool: Option<String>,
    pub(crate) action: String,
    pub(crate) scope: Scope,
    pub(crate) input_digest: String,
}
