//! What an actor may do with an exception now, and why not the rest. Server and page call the same.

use serde::{Deserialize, Serialize};

use super::command::VoteDecision;
use super::confirm::may_still_come;
use super::rejection::Rejection;
use super::state::{Exception, Phase};
use crate::entity::EntityRef;
use crate::presence::Presence;
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
        /// The most that the person can show with a vote.
        can_show: Presence,
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
    /// Answer a vote that asks.
    pub answer: May,
    /// Declare an emergency.
    pub declare_emergency: May,
    /// Give a use back.
    pub give_back: May,
    /// Close a review that is open.
    pub close_review: May,
    /// Judge it, closed as it is.
    pub dispose: May,
    /// Say that it still stands, though it was made before the gate was restored.
    pub confirm: May,
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
        answer: May::of(may_answer(exception, actor, now)),
        declare_emergency: May::of(may_declare(exception, actor, now)),
        give_back: May::of(may_give_back(exception, actor, now)),
        close_review: May::of(may_close_review(exception, actor)),
        dispose: May::of(may_dispose(exception, actor, now)),
        confirm: May::of(may_confirm(exception, actor, now)),
    }
}

fn may_vote(exception: &Exception, actor: Actor<'_>, decision: VoteDecision, now: Timestamp) -> Result<(), Rejection> {
    if exception.phase != Phase::Requested {
        return Err(Rejection::Closed);
    }
    if exception.is_over(now) {
        return Err(Rejection::TooLate);
    }
    if decision != VoteDecision::Approve {
        // For a refusal and a question a session will do.
        return judge(exception, actor).map(drop);
    }
    let person = decider(exception, actor)?;
    hold_shown(exception, actor)?;
    if exception.is_unconfirmed() {
        return Err(Rejection::Unconfirmed);
    }
    let version = exception.current().map_or(0, |version| version.number);
    let mut approvals = exception.votes.iter().filter(|vote| vote.stands_for_it());
    let voted = approvals.any(|vote| vote.person == *person && (vote.version == version || vote.inside));
    if voted { Err(Rejection::VotedAlready) } else { Ok(()) }
}

/// Whether the actor can show as much as the terms demand.
fn hold_shown(exception: &Exception, actor: Actor<'_>) -> Result<(), Rejection> {
    match actor {
        Actor::Person { can_show, .. } if can_show >= exception.terms.presence => Ok(()),
        Actor::Person { .. } | Actor::Agent { .. } => Err(Rejection::PresenceNeeded),
    }
}

/// The person who acts, where it is one who may vote.
fn decider<'a>(exception: &Exception, actor: Actor<'a>) -> Result<&'a EntityRef, Rejection> {
    // INVARIANT (R4): only people vote; an agent is nobody's approver.
    let Actor::Person { person, eligible, strong_enough, .. } = actor else { return Err(Rejection::NotEligible) };
    if let Some(conflict) = exception.conflict_of(person) {
        return Err(conflict);
    }
    if !eligible {
        return Err(Rejection::NotEligible);
    }
    if strong_enough { Ok(person) } else { Err(Rejection::StepUpNeeded) }
}

fn may_cancel(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    if !exception.is_own(who(actor)) {
        return Err(Rejection::NotYours);
    }
    match exception.phase {
        Phase::Requested | Phase::Suspended { grant: None, .. } if exception.is_over(now) => Err(Rejection::TooLate),
        Phase::Requested | Phase::Suspended { grant: None, .. } => Ok(()),
        _ => Err(Rejection::Closed),
    }
}

const fn who(actor: Actor<'_>) -> &EntityRef {
    let (Actor::Person { person: who, .. } | Actor::Agent { subject: who }) = actor;
    who
}

/// Every signed-in person may take a grant away: it only narrows, and its reason is on record (R7).
fn may_revoke(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    if matches!(actor, Actor::Agent { .. }) {
        return Err(Rejection::NotEligible);
    }
    match &exception.phase {
        Phase::Requested | Phase::Suspended { grant: None, .. } => Err(Rejection::NoGrant),
        _ if exception.may_be_used_again(now) => Ok(()),
        _ => Err(Rejection::Closed),
    }
}

fn may_answer(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    if !exception.votes.iter().any(|vote| vote.decision == VoteDecision::Ask) {
        return Err(Rejection::NoQuestion);
    }
    if !exception.is_own(who(actor)) && !exception.request.owners.contains(who(actor)) {
        return Err(Rejection::NotYours);
    }
    match exception.phase {
        Phase::Requested | Phase::Suspended { grant: None, .. } if exception.is_over(now) => Err(Rejection::TooLate),
        Phase::Requested | Phase::Suspended { grant: None, .. } => Ok(()),
        _ => Err(Rejection::Closed),
    }
}

fn may_declare(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    if exception.phase != Phase::Requested || exception.emergency.is_some() {
        return Err(Rejection::Closed);
    }
    if exception.is_over(now) {
        return Err(Rejection::TooLate);
    }
    decider(exception, actor)?;
    hold_shown(exception, actor)?;
    if exception.is_unconfirmed() { Err(Rejection::Unconfirmed) } else { Ok(()) }
}

fn may_confirm(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    let Some(unconfirmed) = &exception.unconfirmed else { return Err(Rejection::Closed) };
    may_still_come(exception, now)?;
    let person = decider(exception, actor)?;
    hold_shown(exception, actor)?;
    let has = unconfirmed.confirmations.iter().any(|given| given.by == *person);
    if has { Err(Rejection::VotedAlready) } else { Ok(()) }
}

fn may_give_back(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    let state = exception.phase.grant().ok_or(Rejection::NoGrant)?;
    decider(exception, actor)?;
    if state.taken.iter().all(|taken| taken.given_back.is_some()) {
        return Err(Rejection::NoSuchUse);
    }
    let usable = matches!(exception.phase, Phase::Granted(_) | Phase::Exhausted { .. });
    if usable && now < state.grant.scope.not_after { Ok(()) } else { Err(Rejection::Closed) }
}

fn may_close_review(exception: &Exception, actor: Actor<'_>) -> Result<(), Rejection> {
    if exception.reviews.iter().all(|review| review.closed.is_some()) {
        return Err(Rejection::NoSuchReview);
    }
    if exception.has_decided(who(actor)) {
        return Err(Rejection::HasVoted);
    }
    judge(exception, actor).map(drop)
}

fn may_dispose(exception: &Exception, actor: Actor<'_>, now: Timestamp) -> Result<(), Rejection> {
    exception.ended_at(now).ok_or(Rejection::NotClosed)?;
    judge(exception, actor).map(drop)
}

/// The person who acts, where it is one who may judge afterwards: whom policy lets approve the like, and nobody their own.
fn judge<'a>(exception: &Exception, actor: Actor<'a>) -> Result<&'a EntityRef, Rejection> {
    let Actor::Person { person, eligible, .. } = actor else { return Err(Rejection::NotEligible) };
    if let Some(conflict) = exception.conflict_of(person) {
        return Err(conflict);
    }
    if eligible { Ok(person) } else { Err(Rejection::NotEligible) }
}
