//! Voting: who may, on what, and what the last vote makes (R4, R5).

use super::afterwards::emergency_review;
use super::command::{Context, VoteDecision};
use super::decide::{MOST_VERSIONS, check_text};
use super::emergency::shortened;
use super::event::Event;
use super::evolve::evolve;
use super::grant::{grant, members};
use super::judge::{approvals_that_count, counted, demanded, has_quorum, inside_terms, is_strong_enough, is_there};
use super::rejection::Rejection;
use super::state::{Exception, Phase, Version, Vote};
use crate::containment::{check_scope, within};
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::outcome::Terms;
use crate::presence::Proof;
use crate::sabotaged;

/// A vote as it arrives.
pub(super) struct Ballot {
    pub person: EntityRef,
    pub decision: VoteDecision,
    pub scope: Scope,
    pub sheet: Digest,
    pub as_of: u64,
    pub reason: String,
    pub assurance: String,
    pub inside: bool,
    pub proof: Proof,
}

impl Exception {
    /// Whether the person has said yes to whatever lies inside a version.
    pub(super) fn approved_inside(&self, person: &EntityRef) -> bool {
        let approvals = self.votes.iter().filter(|vote| vote.person == *person);
        approvals.into_iter().any(|vote| vote.stands_for_it() && vote.inside)
    }
}

pub(super) fn vote(exception: &Exception, ballot: Ballot, context: &Context) -> Result<Vec<Event>, Rejection> {
    // The same vote again is done already. The sheet's digest binds it to one version of one exception.
    let again = |vote: &Vote| {
        vote.person == ballot.person
            && vote.decision == ballot.decision
            && vote.sheet == ballot.sheet
            && vote.reason == ballot.reason
            && vote.inside == ballot.inside
    };
    if exception.votes.iter().any(again) {
        return Ok(Vec::new());
    }
    if exception.phase != Phase::Requested {
        return Err(Rejection::Closed);
    }
    // INVARIANT (R6): votes count before `decide_by`.
    if exception.is_over(context.now) {
        return Err(Rejection::TooLate);
    }
    let groups = eligible_groups(exception, &ballot.person, context)?;
    // INVARIANT (R4): terms are asked again at each vote; the strictest since the request count.
    let terms = match demanded(exception, context) {
        Some(terms) => terms,
        // A refusal needs no terms: it widens nothing.
        None if ballot.decision != VoteDecision::Approve => exception.terms.clone(),
        None => return Err(Rejection::NotRequestable),
    };
    // A refusal widens nothing, and a question neither: for those a session will do.
    if ballot.decision == VoteDecision::Approve {
        hold_presence(&ballot, &terms, context)?;
    }
    check_reason(&ballot, &terms)?;
    match ballot.decision {
        VoteDecision::Approve => approve(exception, ballot, groups, terms, context),
        VoteDecision::Refuse => {
            let (by, reason, at) = (ballot.person.clone(), ballot.reason.clone(), context.now);
            let vote = cast(ballot, current(exception)?.number, groups, context);
            Ok(vec![vote, Event::ExceptionDenied { by, reason, at }])
        }
        VoteDecision::Ask => Ok(vec![cast(ballot, current(exception)?.number, groups, context)]),
    }
}

/// INVARIANT (R4): who approves is signed in as strongly as the terms demand, and there.
fn hold_presence(ballot: &Ballot, terms: &Terms, context: &Context) -> Result<(), Rejection> {
    if !is_strong_enough(terms, &ballot.assurance, &context.step_ups) {
        return Err(Rejection::StepUpNeeded);
    }
    if is_there(terms, &ballot.proof) { Ok(()) } else { Err(Rejection::PresenceNeeded) }
}

/// The groups of a person who may vote, as policy sees them now.
pub(super) fn eligible_groups(
    exception: &Exception,
    person: &EntityRef,
    context: &Context,
) -> Result<Vec<String>, Rejection> {
    if let Some(conflict) = exception.conflict_of(person) {
        return Err(conflict);
    }
    match context.eligible.iter().find(|eligibility| eligibility.person == *person) {
        Some(eligibility) if eligibility.eligible || sabotaged!("r4_stranger") => Ok(eligibility.groups.clone()),
        _ => Err(Rejection::NotEligible),
    }
}

/// Whether this is somebody who may vote, signed in as strongly as these terms demand (R4).
pub(super) fn may_decide(
    exception: &Exception,
    person: &EntityRef,
    assurance: &str,
    terms: &Terms,
    context: &Context,
) -> Result<(), Rejection> {
    eligible_groups(exception, person, context)?;
    if is_strong_enough(terms, assurance, &context.step_ups) { Ok(()) } else { Err(Rejection::StepUpNeeded) }
}

fn current(exception: &Exception) -> Result<&Version, Rejection> {
    exception.current().ok_or(Rejection::Unknown)
}

fn check_reason(ballot: &Ballot, terms: &Terms) -> Result<(), Rejection> {
    check_text(&ballot.reason)?;
    let needed = ballot.decision != VoteDecision::Approve || terms.approvals >= 2;
    if needed && ballot.reason.trim().is_empty() { Err(Rejection::ReasonNeeded) } else { Ok(()) }
}

fn approve(
    exception: &Exception,
    ballot: Ballot,
    groups: Vec<String>,
    terms: Terms,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    // INVARIANT (R9): a refusal or a decision of before may be lost: no approval counts until somebody has looked.
    if exception.is_unconfirmed() {
        return Err(Rejection::Unconfirmed);
    }
    if context.overdue_tiers.contains(&terms.tier) {
        return Err(Rejection::ReviewOverdue);
    }
    // Whoever declared it: who may not declare one grants none either.
    if exception.is_open_emergency() {
        context.emergency_blocked.check(&ballot.person)?;
    }
    let question = &exception.request.question;
    let current = current(exception)?;
    check_scope(&ballot.scope, &question.call, context.now).map_err(|_| Rejection::BadScope)?;
    // INVARIANT (R5): a vote narrows or leaves as it is.
    if !sabotaged!("r5_widens") {
        within(&ballot.scope, &current.scope, question).map_err(|_| Rejection::Widens)?;
    }
    // Terms that let it be valid for less shorten what is granted; whatever else they forbid has to be narrowed.
    inside_terms(&shortened(&ballot.scope, &terms), &terms, exception.request.requested_at, context.now)?;
    members(exception, &ballot.scope, context)?;

    let mut events = Vec::new();
    if context.bundle != exception.bundle || terms != exception.terms {
        events.push(Event::ExceptionRejudged { terms: terms.clone(), bundle: context.bundle, at: context.now });
    }
    let mut number = current.number;
    if ballot.scope == current.scope {
        let counted = approvals_that_count(exception, &terms, context);
        let widened = ballot.inside && !exception.approved_inside(&ballot.person);
        if counted.contains_key(&ballot.person.to_string()) && !widened {
            return Err(Rejection::VotedAlready);
        }
    } else {
        if exception.versions.len() >= MOST_VERSIONS {
            return Err(Rejection::TooManyVersions);
        }
        number = number.saturating_add(1);
        let by = Some(ballot.person.clone());
        events.push(Event::ScopeNarrowed { version: Version { number, scope: ballot.scope.clone(), by } });
    }
    events.push(cast(ballot, number, groups, context));

    granted_with(exception, events, &terms, context)
}

/// These events, and the grant where they complete the quorum.
pub(super) fn granted_with(
    exception: &Exception,
    mut events: Vec<Event>,
    terms: &Terms,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    // The quorum is counted on the state that these events make, by the same fold that everybody else uses.
    let folded = events.iter().try_fold(Some(exception.clone()), evolve);
    let after = folded.ok().flatten().ok_or(Rejection::Closed)?;
    if has_quorum(&after, terms, context) {
        let grant = grant(&after, terms, context)?.into();
        let counted = counted(&after, terms, context);
        events.push(Event::ExceptionGranted { grant, at: context.now, counted });
        events.extend(emergency_review(&after, terms, context.now));
    }
    Ok(events)
}

fn cast(ballot: Ballot, version: u32, groups: Vec<String>, context: &Context) -> Event {
    Event::VoteCast {
        vote: Box::new(Vote {
            person: ballot.person,
            decision: ballot.decision,
            version,
            sheet: ballot.sheet,
            as_of: ballot.as_of,
            reason: ballot.reason,
            groups,
            assurance: ballot.assurance,
            inside: ballot.inside && ballot.decision == VoteDecision::Approve,
            proof: ballot.proof,
            at: context.now,
            withdrawn: None,
        }),
    }
}
