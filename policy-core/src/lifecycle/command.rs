//! What may be asked of an exception, and what deciding needs to know.

use serde::{Deserialize, Serialize};

use super::emergency::EmergencyBlocked;
use super::request::RequestFacts;
use super::review::{Disposition, ReviewOutcome};
use super::state::Exception;
use crate::abi::Eligibility;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::outcome::Terms;
use crate::presence::Proof;
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
    expect(clippy::large_enum_variant, reason = "a command is made once, and taken apart at once")
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
        /// Whether an approval is of whatever lies inside that scope, too.
        inside: bool,
        /// What shows that the person is there, verified by the host.
        proof: Proof,
    },
    /// Take the own approval back while it waits for others.
    Withdraw {
        /// Who.
        by: EntityRef,
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
    /// End what hangs on a task that has ended: an open request is cancelled, a grant revoked.
    EndTask {
        /// Who ended the task.
        by: EntityRef,
        /// Why.
        reason: String,
    },
    /// Write down that time has ended it.
    Lapse,
    /// Hold it against the bundle that is active now, or against any at its later start (R4).
    Rejudge,
    /// Take a grant out of use until it is judged under another bundle, or asked for anew: whom it was made for is another.
    Suspend {
        /// Why: a stable code.
        reason: String,
    },
    /// Answer a vote that asks. Stops no clock.
    Answer {
        /// Who.
        by: EntityRef,
        /// Which vote asked, by its place among the votes, from 0.
        vote: u32,
        /// The answer.
        words: String,
    },
    /// Keep the words of a repeat of the very same request. Touches neither deadline nor terms nor uses.
    Fold {
        /// The evaluation that refused it again.
        evaluation: String,
        /// The words that it came with.
        justification: String,
    },
    /// Declare an emergency. The context's terms are those asked with `emergency`.
    DeclareEmergency {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// How strongly the person has signed in.
        assurance: String,
        /// What shows that the person is there, verified by the host.
        proof: Proof,
    },
    /// Give a use back that nobody reported.
    GiveBack {
        /// Who.
        by: EntityRef,
        /// The evaluation that consumed it.
        evaluation: String,
        /// Why.
        reason: String,
        /// How strongly the person has signed in.
        assurance: String,
    },
    /// Say that it still stands, though it was made before the epoch that the gate is in.
    Confirm {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// How strongly the person has signed in.
        assurance: String,
        /// What shows that the person is there, verified by the host.
        proof: Proof,
    },
    /// Open the review that the terms demand after use, where the end's own command has not: an exception that ended
    /// under an older release.
    OpenReview,
    /// Close a review.
    CloseReview {
        /// Which.
        review: String,
        /// Who.
        by: EntityRef,
        /// What was found.
        outcome: ReviewOutcome,
        /// In the person's words.
        note: String,
    },
    /// Judge a closed exception. The last one stands.
    Dispose {
        /// Who.
        by: EntityRef,
        /// How.
        disposition: Disposition,
        /// In the person's words; may be empty.
        note: String,
    },
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
    /// The exception that a request renews, where it renews one.
    pub predecessor: Option<Box<Exception>>,
    /// The tiers of which the subject has an exception with an overdue review.
    pub overdue_tiers: Vec<String>,
    /// Whose overdue emergency reviews stop a further emergency of this subject.
    pub emergency_blocked: EmergencyBlocked,
}
