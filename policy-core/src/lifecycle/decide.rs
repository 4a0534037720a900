//! What a command does to an exception: the events, or why not. Pure and total.

use super::command::{Command, Context};
use super::event::Event;
use super::judge::{has_quorum, inside_terms, strictest};
use super::rejection::Rejection;
use super::request::RequestFacts;
use super::state::{Exception, Phase};
use super::vote::{Ballot, vote};
use crate::containment::check_scope;
use crate::entity::EntityRef;

/// The longest justification or reason, in characters.
pub(super) const LONGEST_TEXT: usize = 2_000;
/// The most versions of a scope, the request's among them.
pub(super) const MOST_VERSIONS: usize = 5;

/// Decides a command on an exception, or on nothing. No events: it is done already.
///
/// A use repeated within its ten seconds is the gate's to notice, by call id and digest; here every use consumes.
///
/// # Errors
/// Why the command is refused. Nothing has changed then.
pub fn decide(state: Option<&Exception>, command: Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    let (command, exception) = match (command, state) {
        (Command::Request(facts), None) => return request(facts, context),
        (_, None) => return Err(Rejection::Unknown),
        (command, Some(exception)) => (command, exception),
    };
    match command {
        Command::Request(facts) if exception.request == *facts => Ok(Vec::new()),
        Command::Request(_) => Err(Rejection::Exists),
        Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside } => {
            let ballot = Ballot { person, decision, scope, sheet, as_of, reason, assurance, inside };
            vote(exception, ballot, context)
        }
        Command::Cancel { by, reason } => cancel(exception, by, reason, context),
        Command::Use { call, evaluation, amounts } => consume(exception, call, evaluation, amounts, context),
        Command::Revoke { by, reason } => revoke(exception, by, reason, context),
        Command::Lapse => lapse(exception, context),
        Command::Rejudge => Ok(rejudge(exception, context)),
        Command::EndTask { .. }
        | Command::Answer { .. }
        | Command::Fold { .. }
        | Command::DeclareEmergency { .. }
        | Command::GiveBack { .. }
        | Command::OpenReview
        | Command::CloseReview { .. }
        | Command::Dispose { .. } => Err(Rejection::Closed),
    }
}

fn request(facts: Box<RequestFacts>, context: &Context) -> Result<Vec<Event>, Rejection> {
    let terms = context.terms.clone().ok_or(Rejection::NotRequestable)?;
    // INVARIANT (R3): a grant is for one enforcement point.
    if facts.question.enforcement_point.is_none() {
        return Err(Rejection::NoEnforcementPoint);
    }
    if facts.justification.chars().count() > LONGEST_TEXT {
        return Err(Rejection::TextTooLong);
    }
    if facts.decide_by <= context.now {
        return Err(Rejection::TooLate);
    }
    check_scope(&facts.scope, &facts.question.call, context.now).map_err(|_| Rejection::BadScope)?;
    inside_terms(&facts.scope, &terms, context.now)?;
    Ok(vec![Event::ExceptionRequested { request: facts, terms, bundle: context.bundle }])
}

fn cancel(exception: &Exception, by: EntityRef, reason: String, context: &Context) -> Result<Vec<Event>, Rejection> {
    if by != exception.request.requester && by != exception.request.question.call.subject {
        return Err(Rejection::NotYours);
    }
    if reason.chars().count() > LONGEST_TEXT {
        return Err(Rejection::TextTooLong);
    }
    match &exception.phase {
        Phase::Cancelled { .. } => Ok(Vec::new()),
        Phase::Requested if exception.is_over(context.now) => Err(Rejection::TooLate),
        Phase::Requested => Ok(vec![Event::ExceptionCancelled { by, reason, at: context.now }]),
        _ => Err(Rejection::Closed),
    }
}

fn consume(
    exception: &Exception,
    call: String,
    evaluation: String,
    amounts: Vec<i64>,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let Phase::Granted(state) = &exception.phase else { return Err(Rejection::NotUsable) };
    let scope = &state.grant.scope;
    // INVARIANT (R6): never at `not_after` or later, never before `not_before`.
    if context.now >= scope.not_after || scope.not_before.is_some_and(|begin| context.now < begin) {
        return Err(Rejection::NotUsable);
    }
    // INVARIANT (R4): judged under the bundle that is active, or not usable until it is.
    if context.bundle != exception.bundle {
        return Err(Rejection::NotUsable);
    }
    // INVARIANT (R3): never more uses than were granted.
    if state.uses >= scope.max_uses {
        return Err(Rejection::NotUsable);
    }
    if state.spend(&amounts).is_none() {
        return Err(Rejection::OverBudget);
    }
    let last = state.uses.saturating_add(1) >= scope.max_uses;
    let mut events = vec![Event::GrantUsed { call, evaluation, amounts, at: context.now }];
    if last {
        events.push(Event::GrantExhausted { at: context.now });
    }
    Ok(events)
}

fn revoke(exception: &Exception, by: EntityRef, reason: String, context: &Context) -> Result<Vec<Event>, Rejection> {
    match &exception.phase {
        Phase::Revoked { .. } => return Ok(Vec::new()),
        Phase::Granted(_) | Phase::Suspended { grant: Some(_), .. } if !exception.is_over(context.now) => {}
        Phase::Requested | Phase::Suspended { grant: None, .. } => return Err(Rejection::NoGrant),
        _ => return Err(Rejection::Closed),
    }
    if reason.trim().is_empty() {
        return Err(Rejection::ReasonNeeded);
    }
    if reason.chars().count() > LONGEST_TEXT {
        return Err(Rejection::TextTooLong);
    }
    Ok(vec![Event::GrantRevoked { by, reason, at: context.now }])
}

fn lapse(exception: &Exception, context: &Context) -> Result<Vec<Event>, Rejection> {
    match &exception.phase {
        Phase::Lapsed { .. } => Ok(Vec::new()),
        _ if exception.is_over(context.now) => Ok(vec![Event::ExceptionLapsed { at: context.now }]),
        Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } => Err(Rejection::NotUp),
        _ => Err(Rejection::Closed),
    }
}

/// Holds what is open against the bundle that is active now (R4). What is closed, or over in time, is left alone.
fn rejudge(exception: &Exception, context: &Context) -> Vec<Event> {
    let open = matches!(exception.phase, Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. });
    if !open || exception.is_over(context.now) || context.bundle == exception.bundle {
        return Vec::new();
    }
    let terms =
        context.terms.as_ref().map(|terms| strictest(&exception.terms, terms, &context.tiers, &context.step_ups));
    let verdict = match &terms {
        None => Err(Rejection::NotRequestable),
        Some(terms) => match exception.phase.grant() {
            // A pending request only has to be requestable: each vote is held against the terms by itself.
            None => Ok(()),
            Some(_) if !has_quorum(exception, terms, context) => Err(Rejection::NotEnoughVotes),
            Some(state) => inside_terms(&state.grant.scope, terms, state.granted_at),
        },
    };
    let (bundle, at) = (context.bundle, context.now);
    match (verdict, terms) {
        (Ok(()), Some(terms)) => vec![Event::ExceptionRejudged { terms, bundle, at }],
        (Ok(()), None) => Vec::new(),
        (Err(reason), terms) => {
            vec![Event::GrantSuspended { terms: terms.map(Box::new), bundle, reason: reason.code().into(), at }]
        }
    }
}
