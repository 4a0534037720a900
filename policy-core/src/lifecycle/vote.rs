//! Voting: who may, on what, and what the last vote makes (R4, R5).

use super::command::{Context, VoteDecision};
use super::decide::{LONGEST_TEXT, MOST_VERSIONS};
use super::event::Event;
use super::evolve::evolve;
use super::judge::{approvals_that_count, has_quorum, inside_terms, is_strong_enough, strictest};
use super::rejection::Rejection;
use super::state::{Exception, Phase, Version, Vote};
use crate::containment::{check_scope, input_names, within};
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::{Grant, MOST_MEMBERS, ResourceScope, Scope};
use crate::outcome::Terms;

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
}

impl Exception {
    /// What keeps a person from voting, whatever policy says: separation of duty (R4).
    pub(super) fn conflict_of(&self, person: &EntityRef) -> Option<Rejection> {
        let question = &self.request.question;
        if *person == self.request.requester {
            Some(Rejection::IsRequester)
        } else if *person == question.call.subject || question.chain.iter().any(|hop| hop.entity == *person) {
            Some(Rejection::InChain)
        } else if self.request.owners.contains(person) {
            Some(Rejection::IsOwner)
        } else {
            None
        }
    }
}

pub(super) fn vote(exception: &Exception, ballot: Ballot, context: &Context) -> Result<Vec<Event>, Rejection> {
    // The same vote again is done already. The sheet's digest binds it to one version of one exception.
    let again = |vote: &Vote| {
        vote.person == ballot.person
            && vote.decision == ballot.decision
            && vote.sheet == ballot.sheet
            && vote.reason == ballot.reason
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
    if let Some(conflict) = exception.conflict_of(&ballot.person) {
        return Err(conflict);
    }
    let eligibility = context.eligible.iter().find(|eligibility| eligibility.person == ballot.person);
    let groups = match eligibility {
        Some(eligibility) if eligibility.eligible => eligibility.groups.clone(),
        _ => return Err(Rejection::NotEligible),
    };
    // INVARIANT (R4): terms are asked again at each vote; the strictest since the request count.
    let terms = match &context.terms {
        Some(terms) => strictest(&exception.terms, terms, &context.tiers, &context.step_ups),
        // A refusal needs no terms: it widens nothing.
        None if ballot.decision != VoteDecision::Approve => exception.terms.clone(),
        None => return Err(Rejection::NotRequestable),
    };
    if !is_strong_enough(&terms, &ballot.assurance, &context.step_ups) {
        return Err(Rejection::StepUpNeeded);
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

fn current(exception: &Exception) -> Result<&Version, Rejection> {
    exception.current().ok_or(Rejection::Unknown)
}

fn check_reason(ballot: &Ballot, terms: &Terms) -> Result<(), Rejection> {
    if ballot.reason.chars().count() > LONGEST_TEXT {
        return Err(Rejection::TextTooLong);
    }
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
    let question = &exception.request.question;
    let current = current(exception)?;
    check_scope(&ballot.scope, &question.call, context.now).map_err(|_| Rejection::BadScope)?;
    // INVARIANT (R5): a vote narrows or leaves as it is.
    within(&ballot.scope, &current.scope, question).map_err(|_| Rejection::Widens)?;
    inside_terms(&ballot.scope, &terms, context.now)?;
    members(exception, &ballot.scope, context)?;

    let mut events = Vec::new();
    if context.bundle != exception.bundle || terms != exception.terms {
        events.push(Event::ExceptionRejudged { terms: terms.clone(), bundle: context.bundle, at: context.now });
    }
    let mut number = current.number;
    if ballot.scope == current.scope {
        let counted = approvals_that_count(exception, &terms, context);
        if counted.contains_key(&ballot.person.to_string()) {
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

    // The quorum is counted on the state that these events make, by the same fold that everybody else uses.
    let folded = events.iter().try_fold(Some(exception.clone()), evolve);
    let after = folded.ok().flatten().ok_or(Rejection::Closed)?;
    if has_quorum(&after, &terms, context) {
        let grant = Box::new(grant(&after, &terms, context)?);
        events.push(Event::ExceptionGranted { grant, at: context.now });
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
            inside: ballot.inside,
            at: context.now,
        }),
    }
}

/// What a grant of this scope would name one by one (R3): a group's members now, or the several resources of one call.
fn members(exception: &Exception, scope: &Scope, context: &Context) -> Result<Vec<EntityRef>, Rejection> {
    let mut members = match &scope.resource {
        ResourceScope::In(_) if context.members.is_empty() => return Err(Rejection::BadGroup),
        ResourceScope::In(_) => context.members.clone(),
        ResourceScope::Is(_) => match exception.request.question.call.resources.as_slice() {
            [_] => Vec::new(),
            several => several.to_vec(),
        },
    };
    members.sort();
    members.dedup();
    if members.len() > MOST_MEMBERS { Err(Rejection::BadGroup) } else { Ok(members) }
}

fn grant(exception: &Exception, terms: &Terms, context: &Context) -> Result<Grant, Rejection> {
    let version = current(exception)?;
    let question = &exception.request.question;
    let begin = version.scope.not_before.map_or(context.now, |begin| begin.max(context.now));
    let scope = Scope {
        not_after: version.scope.not_after.min(begin.plus(terms.max_duration)),
        max_uses: version.scope.max_uses.min(terms.max_uses),
        ..version.scope.clone()
    };
    Ok(Grant {
        id: context.grant_id.clone(),
        exception: exception.request.id.clone(),
        version: version.number,
        subject: question.call.subject.clone(),
        task: question.task.clone(),
        chain: question.chain.clone(),
        enforcement_point: question.enforcement_point.clone().ok_or(Rejection::NoEnforcementPoint)?,
        server: question.call.server.clone(),
        tool: question.call.tool,
        action: question.call.action.clone(),
        members: members(exception, &scope, context)?,
        scope,
        input_digest: question.call.input_digest,
        input_names: input_names(&question.call),
    })
}
