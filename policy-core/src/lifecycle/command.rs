//! What may be asked of an exception, what deciding needs to know, and why it may refuse.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::state::RequestFacts;
use crate::abi::Eligibility;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::outcome::Terms;
use crate::time::Timestamp;

/// A vote's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoteDecision {
    /// Yes, to this version.
    Approve,
    /// No, to any version.
    Refuse,
    /// A question to the agent or its owner. Stops no clock.
    Ask,
}

/// What may be asked of an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::large_enum_variant,
        reason = "a command is made once and taken apart at once, never kept in numbers"
    )
)]
pub enum Command {
    /// Ask for an exception. The only command on nothing.
    Request(Box<RequestFacts>),
    /// Vote.
    Vote {
        /// Who.
        person: EntityRef,
        /// What.
        decision: VoteDecision,
        /// The scope that is voted on: the current version's, or one inside it, which makes a new version.
        scope: Scope,
        /// The digest of decision sheet, grant and preview, which the server has rebuilt and found equal.
        sheet: Digest,
        /// The ledger position that the sheet was rendered at.
        as_of: u64,
        /// Why.
        reason: String,
        /// How strongly the person has signed in.
        assurance: String,
    },
    /// Take the request back.
    Cancel {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
    },
    /// Consume one use.
    Use {
        /// The call's id, as the enforcement point gave it.
        call: String,
        /// The evaluation's id.
        evaluation: String,
        /// What the call takes from each budget.
        amounts: Vec<i64>,
    },
    /// Take the grant away.
    Revoke {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
    },
    /// Write down that time has ended it.
    Lapse,
    /// Hold it against the bundle that is active now (R4).
    Rejudge,
}

/// What deciding needs to know. Nothing here is state of the exception.
#[derive(Debug, Clone)]
pub struct Context {
    /// The time.
    pub now: Timestamp,
    /// The active bundle.
    pub bundle: Digest,
    /// What `approval/request/` says now; absent when it can no longer be requested.
    pub terms: Option<Terms>,
    /// What `approval/approve/` says now of everybody who voted to approve and of who votes, sorted by person.
    pub eligible: Vec<Eligibility>,
    /// The bundle's step-ups from weakest to strongest.
    pub step_ups: Vec<String>,
    /// The bundle's tiers from weakest to strongest.
    pub tiers: Vec<String>,
    /// The person type, `User`: which entities of the chain are people.
    pub person_type: String,
    /// The current members of the group, where the voted scope is one.
    pub members: Vec<EntityRef>,
    /// The id for a grant, drawn by the host.
    pub grant_id: String,
}

/// Why a command is refused. The code is stable, the same in API, command line and page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// There is no such exception.
    #[error("there is no such exception")]
    Unknown,
    /// There is one with that id.
    #[error("there is an exception with that id already")]
    Exists,
    /// It is no longer open for this.
    #[error("the exception is closed")]
    Closed,
    /// The time to decide has passed.
    #[error("the time to decide has passed")]
    TooLate,
    /// Policy no longer lets anybody ask for it.
    #[error("policy no longer lets anybody request this")]
    NotRequestable,
    /// The voter asked for it.
    #[error("who asks cannot vote")]
    IsRequester,
    /// The voter stands in the chain.
    #[error("who stands in the chain cannot vote")]
    InChain,
    /// The voter owns the agent, or did in the 30 days before the request.
    #[error("who owns the agent, or did in the 30 days before, cannot vote")]
    IsOwner,
    /// `approval/approve/` does not permit the voter.
    #[error("policy does not let this person approve this")]
    NotEligible,
    /// The voter approved this version already.
    #[error("this person has voted on this version already")]
    VotedAlready,
    /// The sign-in is weaker than the terms demand.
    #[error("the terms demand a stronger sign-in")]
    StepUpNeeded,
    /// The scope lies outside the version that it would narrow, or outside the terms.
    #[error("the scope lies outside what was asked for, or outside the terms")]
    Widens,
    /// The scope itself is wrong: an empty window, no uses, a condition that cannot hold.
    #[error("the scope makes no sense")]
    BadScope,
    /// Five versions have been made.
    #[error("at most five versions can be made")]
    TooManyVersions,
    /// A reason is demanded.
    #[error("a reason is needed")]
    ReasonNeeded,
    /// A text is too long.
    #[error("the text is too long")]
    TextTooLong,
    /// The resource group has more members than a grant may cover, or none.
    #[error("a resource group in a grant has 1 to 256 members")]
    BadGroup,
    /// The grant cannot be used now.
    #[error("the grant cannot be used: it has not begun, has ended, or is used up")]
    NotUsable,
    /// A budget would be passed, or an amount is negative.
    #[error("the grant's budget would be passed")]
    OverBudget,
    /// It is not up yet.
    #[error("its time has not ended")]
    NotUp,
    /// The refused question names no enforcement point, and nobody else could use a grant (R3).
    #[error("a grant is for one enforcement point, and the refused call came through none")]
    NoEnforcementPoint,
    /// Only the requester or the subject takes a request back.
    #[error("only who asked can take the request back")]
    NotYours,
    /// There is nothing to take away.
    #[error("no grant has been made")]
    NoGrant,
    /// The votes that it has are not what the terms demand.
    #[error("the votes that it has are not what the terms demand")]
    NotEnoughVotes,
}

impl Rejection {
    /// The stable code, as in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Exists => "exists",
            Self::Closed => "closed",
            Self::TooLate => "too_late",
            Self::NotRequestable => "not_requestable",
            Self::IsRequester => "is_requester",
            Self::InChain => "in_chain",
            Self::IsOwner => "is_owner",
            Self::NotEligible => "not_eligible",
            Self::VotedAlready => "voted_already",
            Self::StepUpNeeded => "step_up_needed",
            Self::Widens => "widens",
            Self::BadScope => "bad_scope",
            Self::TooManyVersions => "too_many_versions",
            Self::ReasonNeeded => "reason_needed",
            Self::TextTooLong => "text_too_long",
            Self::BadGroup => "bad_group",
            Self::NotUsable => "not_usable",
            Self::OverBudget => "over_budget",
            Self::NotUp => "not_up",
            Self::NoEnforcementPoint => "no_enforcement_point",
            Self::NotYours => "not_yours",
            Self::NoGrant => "no_grant",
            Self::NotEnoughVotes => "not_enough_votes",
        }
    }
}
