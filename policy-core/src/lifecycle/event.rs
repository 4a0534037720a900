//! What happened to an exception. Persisted and hashed: every variant and member is for ever.

use serde::{Deserialize, Serialize};

use super::confirm::Confirmation;
use super::request::{Answer, Emergency, Repeat, RequestFacts};
use super::review::{Disposed, Review, ReviewClosing};
use super::state::{Version, Vote};
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Grant;
use crate::outcome::Terms;
use crate::shared::Shared;
use crate::time::Timestamp;

/// An approval that counted when a grant was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Whose.
    pub person: EntityRef,
    /// The groups that it counted for: those that the terms demanded, of the ones that policy saw the person in then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// An event of one exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was asked for.
    ExceptionRequested {
        /// What was asked.
        request: Shared<RequestFacts>,
        /// The terms then.
        terms: Terms,
        /// The bundle that it was judged under.
        bundle: Digest,
    },
    /// A vote narrowed the scope. Earlier approvals are of another version from here on.
    ScopeNarrowed {
        /// The new version.
        version: Version,
    },
    /// A person voted.
    VoteCast {
        /// The vote.
        vote: Box<Vote>,
    },
    /// A person took the own approval back while it waited for others: it counts no more.
    VoteWithdrawn {
        /// Who.
        by: EntityRef,
        /// When.
        at: Timestamp,
    },
    /// The terms got stricter, or the bundle changed and it still holds.
    ExceptionRejudged {
        /// The strictest terms since the request.
        terms: Terms,
        /// The bundle that it was judged under.
        bundle: Digest,
        /// When.
        at: Timestamp,
    },
    /// The last vote that was needed made a grant.
    ExceptionGranted {
        /// The grant.
        grant: Shared<Grant>,
        /// When.
        at: Timestamp,
        /// The approvals that counted, so that nobody has to ask which groups policy saw people in then. Records of
        /// earlier releases name none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        counted: Vec<Counted>,
    },
    /// A person refused it.
    ExceptionDenied {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// Who asked took it back.
    ExceptionCancelled {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// One use was consumed.
    GrantUsed {
        /// The call's id.
        call: String,
        /// The evaluation's id.
        evaluation: String,
        /// What it took from each budget.
        amounts: Vec<i64>,
        /// When.
        at: Timestamp,
    },
    /// The last use was consumed.
    GrantExhausted {
        /// When.
        at: Timestamp,
    },
    /// A person took the grant away.
    GrantRevoked {
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A newly active bundle would not grant it on the votes it has, or no longer lets anybody request it.
    GrantSuspended {
        /// The strictest terms since the request, where the bundle still has terms for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terms: Option<Box<Terms>>,
        /// The bundle.
        bundle: Digest,
        /// What it would not grant: a [`super::Rejection`] code.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// It was noticed that time had ended it.
    ExceptionLapsed {
        /// When it was noticed.
        at: Timestamp,
    },
    /// Somebody answered a vote that asks.
    QuestionAnswered {
        /// The answer.
        answer: Box<Answer>,
    },
    /// The very same was asked again while it was open.
    RequestFolded {
        /// The repeat.
        repeat: Box<Repeat>,
    },
    /// A person who may vote declared an emergency.
    EmergencyDeclared {
        /// Who, why, and until when votes count.
        emergency: Box<Emergency>,
        /// The terms from here on.
        terms: Terms,
        /// The bundle that they were asked under.
        bundle: Digest,
    },
    /// A grant that begins later was judged again at its start and holds (R4).
    GrantActivated {
        /// The strictest terms since the request.
        terms: Terms,
        /// The bundle that it was judged under.
        bundle: Digest,
        /// When.
        at: Timestamp,
    },
    /// A use whose outcome nobody reported was given back.
    UseGivenBack {
        /// The evaluation that had consumed it.
        evaluation: String,
        /// Who.
        by: EntityRef,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A review is due.
    ReviewOpened {
        /// The review.
        review: Review,
    },
    /// A review was closed.
    ReviewClosed {
        /// Which.
        id: String,
        /// By whom and how.
        closing: Box<ReviewClosing>,
    },
    /// A closed exception was judged.
    DispositionSet {
        /// By whom and how.
        disposed: Box<Disposed>,
    },
    /// The gate was restored, and what it knew of this may be old. It is no record of its own: the record that begins an
    /// epoch is this event of whatever was open then.
    ExceptionUnconfirmed {
        /// The epoch that began.
        epoch: u64,
        /// When.
        at: Timestamp,
    },
    /// A person who may vote on it says that it still stands.
    ConfirmationGiven {
        /// Who and why.
        confirmation: Box<Confirmation>,
    },
    /// The last confirmation that was needed was given: it stands as before.
    ExceptionConfirmed {
        /// In which epoch.
        epoch: u64,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// The event's kind, as in JSON and in a leaf.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ExceptionRequested { .. } => "exception_requested",
            Self::ScopeNarrowed { .. } => "scope_narrowed",
            Self::VoteCast { .. } => "vote_cast",
            Self::VoteWithdrawn { .. } => "vote_withdrawn",
            Self::ExceptionRejudged { .. } => "exception_rejudged",
            Self::ExceptionGranted { .. } => "exception_granted",
            Self::ExceptionDenied { .. } => "exception_denied",
            Self::ExceptionCancelled { .. } => "exception_cancelled",
            Self::GrantUsed { .. } => "grant_used",
            Self::GrantExhausted { .. } => "grant_exhausted",
            Self::GrantRevoked { .. } => "grant_revoked",
            Self::GrantSuspended { .. } => "grant_suspended",
            Self::ExceptionLapsed { .. } => "exception_lapsed",
            Self::QuestionAnswered { .. } => "question_answered",
            Self::RequestFolded { .. } => "request_folded",
            Self::EmergencyDeclared { .. } => "emergency_declared",
            Self::GrantActivated { .. } => "grant_activated",
            Self::UseGivenBack { .. } => "use_given_back",
            Self::ReviewOpened { .. } => "review_opened",
            Self::ReviewClosed { .. } => "review_closed",
            Self::DispositionSet { .. } => "disposition_set",
            Self::ExceptionUnconfirmed { .. } => "exception_unconfirmed",
            Self::ConfirmationGiven { .. } => "confirmation_given",
            Self::ExceptionConfirmed { .. } => "exception_confirmed",
        }
    }
}
