//! What an actor may do with an exception now, and why not the rest. Server and page call the same.

use serde::{Deserialize, Serialize};

use super::command::VoteDecision;
use super::rejection::Rejection;
use super::state::{Exception, Phase};
use crate::entity::EntityRef;
use crate::time::Timestamp;

/// Who would act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor<'a> {
    /// A person, signed in.
    Person {
        /// Who.
        person: &'a EntityRef,
        /// Whether `approval/approve/` permits the person to vote.
        eligible: bool,
        /// Whether the sign-in is as strong as the terms demand: [`super::is_strong_enough`].
        strong_enough: bool,
    },
    /// A workload identity.
    Agent {
        /// Who.
        subject: &'a EntityRef,
    },
}

/// Whether one thing is allowed. In JSON `"yes"`, or `{"no": "is_requester"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// It is.
    Yes,
    /// It is not.
    No(Rejection),
}

impl May {
    /// Whether it is.
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }

    /// Why not.
    pub const fn why_not(self) -> Option<Rejection> {
        match self {
            Self::Yes => None,
            Self::No(rejection) => Some(rejection),
        }
    }

    fn of(checked: Result<(), Rejection>) -> Self {
        checked.map_or_else(Self::No, |()| Self::Yes)
    }
}

/// What an actor may do now. Deciding is held against scope, terms and reasons besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// Vote to approve the current version. One who has may still narrow it, which makes a new version.
    pub approve: May,
    /// Vote to refuse.
    pub refuse: May,
    /// Ask the agent or its owner something.
    pub ask: May,
    /// Take the request back.
    pub cancel: May,
    /// Take the grant away.
    pub revoke: May,
}

/// What an actor may do now with this exception, as [`super::decide`] would answer.
pub fn allowed(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Allowed {
    let vote = |decision| May::of(may_vote(exception, actor, decision, now));
    Allowed {
        approve: vote(VoteDecision::Approve),
        refuse: vote(VoteDecision::Refuse),
        ask: vote(VoteDecision::Ask),
        cancel: May::of(may_cancel(exception, actor, now)),
        revoke: May::of(may_revoke(exception, actor, now)),
    }
}

fn may_vote(exception: &Exception, actor: Actor<'_>, decision: VoteDecision, now: Timestamp) -> Result<(), Rejection> {
    if exception.phase != Phase::Requested {
        return Err(Rejection::Closed);
    }
    if exception.is_over(now) {
        return Err(Rejection::TooLate);
    }
    // INVARIANT (R4): only people vote; an agent is nobody's approver.
    let Actor::Person { person, eligible, strong_enough } = actor else { return Err(Rejection::NotEligible) };
    if let Some(conflict) = exception.conflict_of(person) {
        return Err(conflict);
    }
    if !eligible {
        return Err(Rejection::NotEligible);
    }
    if !strong_enough {
        return Err(Rejection::StepUpNeeded);
    }
    let version = exception.current().map(|version| version.number);
    let voted = exception
        .votes
        .iter()
        .any(|vote| vote.person == *person && vote.decision == VoteDecision::Approve && Some(vote.version) == version);
    if decision == VoteDecision::Approve && voted { Err(Rejection::VotedAlready) } else { Ok(()) }
}

fn may_cancel(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    let (Actor::Person { person: actor, .. } | Actor::Agent { subject: actor }) = actor;
    if *actor != exception.request.requester && *actor != exception.request.question.call.subject {
        Err(Rejection::NotYours)
    } else if exception.phase != Phase::Requested {
        Err(Rejection::Closed)
    } else if exception.is_over(now) {
        Err(Rejection::TooLate)
    } else {
        Ok(())
    }
}

/// Every signed-in person may take a grant away: it only narrows, and its reason is on record (R7).
fn may_revoke(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    if matches!(actor, Actor::Agent { .. }) {
        return Err(Rejection::NotEligible);
    }
    match &exception.phase {
        Phase::Requested | Phase::Suspended { grant: None, .. } => Err(Rejection::NoGrant),
        Phase::Granted(_) | Phase::Suspended { .. } if !exception.is_over(now) => Ok(()),
        _ => Err(Rejection::Closed),
    }
}
