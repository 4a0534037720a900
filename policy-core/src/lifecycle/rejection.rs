//! Why a command is refused.

use serde::{Deserialize, Serialize};
use thiserror::Error;

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
    /// The terms demand more than a session: a signature of the vote, or an authentication just now.
    #[error("the terms demand that the vote is signed by a passkey, or by an authentication just now")]
    PresenceNeeded,
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
    /// No approval of this person's waits here.
    #[error("no approval of this person's waits here")]
    NoVote,
    /// The votes that it has are not what the terms demand.
    #[error("the votes that it has are not what the terms demand")]
    NotEnoughVotes,
    /// It would be used faster than its rate.
    #[error("the grant would be used faster than its rate")]
    OverRate,
    /// The chain of renewals is as long as policy lets it be, or policy lets nothing be renewed.
    #[error("it cannot be renewed again: policy caps the chain")]
    RenewalCap,
    /// Another agent than the subject asks, and policy does not let it.
    #[error("policy does not let an agent ask for another")]
    NotForAnother,
    /// An emergency review of this subject or this person is overdue.
    #[error("no emergency can be declared while an emergency review is overdue")]
    EmergencyBlocked,
    /// A review of an exception of this tier is overdue for this subject.
    #[error("a review is overdue: no exception of this tier until it is closed")]
    ReviewOverdue,
    /// There is no such vote, or it asks nothing.
    #[error("there is no such question")]
    NoQuestion,
    /// The question has been answered as often as it can be.
    #[error("the question has been answered often enough")]
    TooManyAnswers,
    /// The grant remembers no such use.
    #[error("the grant remembers no such use")]
    NoSuchUse,
    /// There is no such review, or none is demanded.
    #[error("there is no such review")]
    NoSuchReview,
    /// Who voted, or declared the emergency, does not review.
    #[error("who voted or declared the emergency cannot review it")]
    HasVoted,
    /// It is still open.
    #[error("the exception is still open")]
    NotClosed,
    /// It was made before the gate was restored, and nobody has said since that it still stands.
    #[error("it was made before the gate was restored, and waits to be confirmed")]
    Unconfirmed,
    /// Who came by an invitation is new for a day. The lifecycle itself never says so.
    #[error("who came by an invitation less than a day ago decides on nothing above the lowest tier")]
    NewPerson,
    /// What takes two approvers waits for a second administrator. The lifecycle itself never says so.
    #[error("what takes two approvers is not granted before a second administrator is here")]
    OneAdministrator,
    /// `console/` does not permit the person to do this. The lifecycle itself never says so.
    #[error("the bundle does not let this person do this here")]
    NotPermittedHere,
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
            Self::PresenceNeeded => "presence_needed",
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
            Self::NoVote => "no_vote",
            Self::NotEnoughVotes => "not_enough_votes",
            Self::OverRate => "over_rate",
            Self::RenewalCap => "renewal_cap",
            Self::NotForAnother => "not_for_another",
            Self::EmergencyBlocked => "emergency_blocked",
            Self::ReviewOverdue => "review_overdue",
            Self::NoQuestion => "no_question",
            Self::TooManyAnswers => "too_many_answers",
            Self::NoSuchUse => "no_such_use",
            Self::NoSuchReview => "no_such_review",
            Self::HasVoted => "has_voted",
            Self::NotClosed => "not_closed",
            Self::Unconfirmed => "unconfirmed",
            Self::NewPerson => "new_person",
            Self::OneAdministrator => "one_administrator",
            Self::NotPermittedHere => "not_permitted_here",
        }
    }

    /// What to do about it, without a capital and a full stop: the same in API, command line and page.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Unknown => "check the id; the queue lists what there is",
            Self::Exists => "look at the exception that is there",
            Self::Closed => {
                "it has ended, and nothing is left to take away or to decide; ask for a new exception where one is still needed"
            }
            Self::TooLate => "let the agent ask again; nothing is decided after its time",
            Self::NotRequestable => "what policy forbids cannot be asked for; ask for something that it offers",
            Self::IsRequester | Self::InChain | Self::IsOwner | Self::NotEligible => "somebody else decides this one",
            Self::VotedAlready => "somebody else gives the votes that are missing",
            Self::StepUpNeeded => "sign in more strongly, as the terms say",
            Self::PresenceNeeded => "decide it on the dashboard's page, with a passkey of yours; the page You adds one",
            Self::Widens => "ask for a new exception where more is needed",
            Self::BadScope => "give a window that is ahead, at least one use, and conditions that can hold",
            Self::TooManyVersions => "approve the newest version, refuse it, or let the agent ask again",
            Self::ReasonNeeded => "say why, in up to 2000 characters",
            Self::TextTooLong => "say it in up to 2000 characters",
            Self::BadGroup => "name one resource, or a group of at most 256",
            Self::NotUsable => "ask for a new exception, or wait until this one begins",
            Self::OverBudget => "ask for a new exception with a larger budget",
            Self::NotUp => "wait until its time has ended",
            Self::NoEnforcementPoint => "evaluate the call through an enforcement point first",
            Self::NotYours => "let the one who asked take it back, or refuse it",
            Self::NoGrant => "there is nothing to take away; refuse the request instead",
            Self::NoVote => "look at who has voted; a grant that was made is revoked",
            Self::NotEnoughVotes => "let more people vote, as the terms say",
            Self::OverRate => "wait, and call more slowly",
            Self::RenewalCap => {
                "wait until the renewal period of that chain has passed; what recurs so often belongs into a rule of the bundle"
            }
            Self::NotForAnother => "let the agent itself ask",
            Self::EmergencyBlocked => "close the emergency review that is overdue first",
            Self::ReviewOverdue => "close the review that is overdue first",
            Self::NoQuestion => "look at the questions that stand in the history",
            Self::TooManyAnswers => "vote on what has been said",
            Self::NoSuchUse => "take the id of a use from the history",
            Self::NoSuchReview => "look at the reviews that are open",
            Self::HasVoted => "somebody who neither asked nor voted closes it",
            Self::NotClosed => "wait until it has ended, or end it first",
            Self::Unconfirmed => "let people who may approve it look at it and confirm it first",
            Self::NewPerson => "let somebody decide who has been here for longer, or wait until the day is over",
            Self::OneAdministrator => {
                "let the administrator invite a second one, and whoever runs the gate confirm it by `proviso admin confirm`; docs/people.md says how"
            }
            Self::NotPermittedHere => {
                "let somebody do it whom the bundle's `console/` permits it; docs/console.md says how that is read"
            }
        }
    }
}
