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
    Gate(Box<Gate>),
    /// Who may sign in or call.
    Identity(Identity),
    /// Who is told.
    Routing(serde::de::IgnoredAny),
    /// What ran otherwise than it was approved.
    Finding(serde::de::IgnoredAny),
    /// Who owns what, and who has left: a vote was asked for under the owners that its request names.
    Ownership(Ownership),
    /// What somebody was not permitted to do: nothing came of it.
    Console(serde::de::IgnoredAny),
    /// What may become the active bundle, and the votes on it.
    Policy(Box<Policy>),
    /// Who is here, and since when: a vote's person was judged when it was cast.
    Membership(serde::de::IgnoredAny),
}

/// An event of who may sign in or call: those of passkeys, which sign votes.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Identity {
    PasskeyAdded {
        passkey: PasskeyFacts,
    },
    PasskeyUsed {
        id: String,
        counter: u32,
    },
    PasskeySuspended {
        id: String,
    },
    PasskeyEnded {
        id: String,
    },
    #[serde(other)]
    Other,
}

/// An event of what may become the active bundle: that it is proposed, the votes, which are signed, and a module that
/// they activated.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Policy {
    BundleProposed {
        proposal: Proposed,
    },
    ActivationVoted(BundleVote),
    ModuleActivated {
        module: String,
        people: ActivatedBy,
    },
    #[serde(other)]
    Other,
}

/// What is proposed: a bundle, or in its place another module under it.
#[derive(Debug, Deserialize)]
pub(super) struct Proposed {
    pub(super) bundle: String,
    pub(super) other_module: Option<String>,
}

/// A vote on a bundle or module.
#[derive(Debug, Deserialize)]
pub(super) struct BundleVote {
    pub(super) bundle: String,
    pub(super) list: String,
    pub(super) by: Entity,
    pub(super) activates: bool,
    #[serde(default)]
    pub(super) reason: String,
    /// What it had to be cast with; earlier releases say nothing, and took a session.
    #[serde(default)]
    pub(super) presence: Presence,
    #[serde(default)]
    pub(super) proof: Proof,
}

/// Whose votes activated a bundle or module, and by which list.
#[derive(Debug, Deserialize)]
pub(super) struct ActivatedBy {
    pub(super) list: String,
    pub(super) people: Vec<Entity>,
    #[serde(default)]
    pub(super) narrower: bool,
}

/// A bundle that became the active one.
#[derive(Debug, Deserialize)]
pub(super) struct Activation {
    pub(super) bundle: String,
    /// Absent where an operator activated it.
    pub(super) people: Option<ActivatedBy>,
}

/// An event of who owns what and who has left: whoever leaves signs no more.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Ownership {
    PersonDeparted {
        person: Entity,
    },
    #[serde(other)]
    Other,
}

/// A passkey as it was added.
#[derive(Debug, Deserialize)]
pub(super) struct PasskeyFacts {
    pub(super) id: String,
    pub(super) person: Entity,
    pub(super) credential: String,
    pub(super) key: String,
    pub(super) rp_id: String,
    #[serde(default)]
    pub(super) counter: u32,
    #[serde(default)]
    pub(super) backup_eligible: bool,
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
    /// The lock that is lifted or goes on; the erasure that is proposed, confirmed or over.
    pub(super) id: Option<String>,
    /// Who: a person, or an operating-system user by name.
    pub(super) by: Option<Value>,
    /// The lock that was set.
    pub(super) lock: Option<Value>,
    /// The groups of who set it: any of their members lifts it alone.
    #[serde(default)]
    pub(super) groups: Vec<String>,
    /// When it ends by itself; of an erasure, until when it can be confirmed.
    pub(super) until: Option<Instant>,
    /// What is to be erased.
    pub(super) plan: Option<Value>,
    /// Why.
    pub(super) reason: Option<String>,
    /// The proposal by which something was erased, and the two people whose it is.
    pub(super) proposal: Option<String>,
    #[serde(default)]
    pub(super) people: Vec<Entity>,
    /// What lifting it, or such a yes, had to be shown with.
    #[serde(default)]
    pub(super) presence: Presence,
    #[serde(default)]
    pub(super) proof: Proof,
    /// The bundle that became the active one.
    pub(super) activation: Option<Activation>,
    /// Whether from this start on what decides beside votes is shown as a vote is.
    #[serde(default)]
    pub(super) acts_shown: bool,
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
        version: Box<Version>,
    },
    VoteCast {
        vote: Box<Vote>,
    },
    VoteWithdrawn {
        by: Entity,
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
    pub(super) reason: String,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) proof: Proof,
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
    pub(super) scope: Kept,
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
    /// What an approval must have been cast with; earlier releases say nothing, and took a session.
    #[serde(default)]
    pub(super) presence: Presence,
}

/// From weakest to strongest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Presence {
    #[default]
    Session,
    Authentication,
    Signature,
}

impl Presence {
    /// The presence of this word in a bundle.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "session" => Some(Self::Session),
            "authentication" => Some(Self::Authentication),
            "signature" => Some(Self::Signature),
            _ => None,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Emergency {
    pub(super) by: Entity,
    #[serde(default)]
    pub(super) reason: String,
    pub(super) decide_by: Instant,
    #[serde(default)]
    pub(super) proof: Proof,
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) number: u32,
    pub(super) scope: Kept,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vote {
    pub(super) person: Entity,
    pub(super) decision: String,
    pub(super) version: u32,
    pub(super) groups: Vec<String>,
    #[serde(default)]
    pub(super) inside: bool,
    #[serde(default)]
    pub(super) sheet: String,
    #[serde(default)]
    pub(super) as_of: u64,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) proof: Proof,
    pub(super) at: Instant,
    /// Whether a later event took it back; a vote as it is cast never says so.
    #[serde(skip)]
    pub(super) withdrawn: bool,
}

/// What a vote was cast with.
#[derive(Debug, Default, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(super) enum Proof {
    #[default]
    Session,
    Authentication,
    Signature(Box<Signature>),
}

impl Proof {
    pub(super) const fn presence(&self) -> Presence {
        match self {
            Self::Session => Presence::Session,
            Self::Authentication => Presence::Authentication,
            Self::Signature(_) => Presence::Signature,
        }
    }
}

/// An assertion of WebAuthn, whole.
#[derive(Debug, Deserialize)]
pub(super) struct Signature {
    pub(super) passkey: String,
    pub(super) key: String,
    pub(super) rp_id: String,
    pub(super) origin: String,
    pub(super) nonce: String,
    pub(super) statement: String,
    pub(super) credential: String,
    pub(super) authenticator_data: String,
    pub(super) client_data: String,
    pub(super) signature: String,
}

/// A scope, and the very JSON that it was read from.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Kept {
    pub(super) scope: Scope,
    pub(super) value: Value,
}

impl TryFrom<Value> for Kept {
    type Error = serde_json::Error;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        Ok(Self { scope: serde_json::from_value(value.clone())?, value })
    }
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
