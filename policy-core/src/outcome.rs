//! What an evaluation answers: four outcomes, each with a reason code, and the terms of a requestable denial.

mod words;

pub use words::{Words, words_of};

use serde::{Deserialize, Serialize};

use crate::grant::Rate;
use crate::presence::Presence;
use crate::time::Span;

/// The four outcomes. Only the first two let a call pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Delegated scope permits it.
    PermittedByScope,
    /// A live grant covers it.
    PermittedByException,
    /// Refused, and may be asked for.
    RequestableDenial,
    /// Refused.
    Denial,
}

impl Outcome {
    /// Whether the call may run.
    pub const fn permits(self) -> bool {
        matches!(self, Self::PermittedByScope | Self::PermittedByException)
    }
}

/// Why an outcome is what it is: stable codes, the same in API, command line, page and module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A policy in `scope/` permits it.
    Scope,
    /// A grant covers it.
    Exception,
    /// Nothing permits it, and `approval/request/` says that it may be asked for.
    ApprovalRequired,
    /// Nothing permits it and nobody may ask for it.
    NotPermitted,
    /// A policy in `guardrails/` forbids it.
    Guardrail,
    /// A policy in `guardrails/` could not be evaluated (R2).
    GuardrailError,
    /// A hop of the chain may not do it.
    Chain,
    /// A lock stops it.
    Locked,
    /// The arguments are not what the action's schema says.
    BadInput,
    /// The action is not in the schema, or not for this subject or resource type.
    UnknownAction,
    /// A type that the schema does not know or Cedar cannot name.
    UnknownType,
    /// An entity that the bundle does not know and whose type has a required attribute.
    UnknownEntity,
    /// A version that this build does not speak.
    UnknownVersion,
    /// The terms demand something that this gate cannot check, or could not be evaluated.
    TermsUnavailable,
    /// It may be asked for, but by a credential that is bound to a key alone, and this one is not.
    BindingRequired,
    /// The evaluation ran out of fuel, time or memory, or trapped (R10: replayed as its kind only).
    Limit,
    /// The record could not be written (R1).
    RecordUnavailable,
    /// What the outcome read changed four times in a row while it was made.
    Contended,
    /// The gate cannot trust its clock, or cannot tell how fresh it is (R6, R7).
    ClockUnsafe,
    /// Policy demands that a copy of the record holds this before it is allowed, and none did in time.
    CopyLate,
}

/// An error in one policy. In a guardrail it denies; elsewhere it means that the policy did not match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyError {
    /// The policy's `@id`, or the grant's id.
    pub policy: String,
    /// What Cedar says, bounded.
    pub message: String,
}

/// What policy demands of a request. Written as annotations on the permits in `approval/request/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The strongest tier that matched.
    pub tier: String,
    /// How many distinct persons must approve, at least 1.
    pub approvals: u32,
    /// Groups of which each must give at least one vote, sorted.
    pub groups: Vec<String>,
    /// The longest validity.
    pub max_duration: Span,
    /// The most uses.
    pub max_uses: u32,
    /// The sign-in strength that a vote needs, where one is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<String>,
    /// What a vote to approve must at least be cast with. Terms of earlier releases, which do not say, took a session.
    #[serde(default, skip_serializing_if = "Presence::is_session")]
    pub presence: Presence,
    /// How soon after the end a review is due, where one is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_within: Option<Span>,
    /// How long people have to decide; [`Terms::DECIDE_WITHIN`] when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decide_within: Option<Span>,
    /// How long after the request a grant may begin; absent: it begins when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_time: Option<Span>,
    /// How many uses in how long; absent: as fast as its uses last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rate: Option<Rate>,
    /// How often a grant may be renewed; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_renewals: Option<u32>,
    /// How long after a grant's end a request that overlaps it counts as its renewal, whatever the agent calls it;
    /// absent: only what is asked for as a renewal is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_period: Option<Span>,
    /// The groups that are told first; empty: those in `groups`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// The groups that are told next, in this order, when nobody has decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<String>,
    /// How many persons must approve in a declared emergency; absent: as many as without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_approvals: Option<u32>,
    /// How long after a refusal whatever lies inside the refused request is not asked again; [`Terms::SILENCE`] when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<Span>,
    /// Whether an agent other than the subject may ask.
    #[serde(default, skip_serializing_if = "is_false")]
    pub for_another: bool,
    /// Whether only credentials that are bound to a key of their holder's may ask, and use what was granted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub binding: bool,
    /// The tier that the permits say, where the call's arguments hold what cannot be shown as what it is: `tier` is the
    /// next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised_from: Option<String>,
    /// The `@id`s of the permits that matched, sorted.
    pub policies: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Terms {
    /// How long people have to decide where the terms do not say: 8 hours.
    pub const DECIDE_WITHIN: Span = Span::from_seconds(8 * 3600);
    /// How long a refusal silences what lies inside it where the terms do not say: an hour.
    pub const SILENCE: Span = Span::from_seconds(3600);

    /// How long people have to decide.
    pub fn decide_within(&self) -> Span {
        self.decide_within.unwrap_or(Self::DECIDE_WITHIN)
    }

    /// How long a refusal silences what lies inside it.
    pub fn silence(&self) -> Span {
        self.silence.unwrap_or(Self::SILENCE)
    }
}

/// An evaluation's answer. Its members stand in the order of their names, in which they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The policies that erred, sorted.
    pub errors: Vec<PolicyError>,
    /// The grant that covers the call, for [`Outcome::PermittedByException`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
    /// The policies that decided, by `@id`, sorted.
    pub policies: Vec<String>,
    /// Its reason.
    pub reason: Reason,
    /// The terms, for [`Outcome::RequestableDenial`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
}
