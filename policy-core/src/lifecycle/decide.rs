//! What a command does to an exception: the events, or why not. Pure and total.

use super::afterwards::{close_review, dispose, open_review, review_after_use};
use super::asked::{answer, fold};
use super::command::{Command, Context};
use super::confirm::confirm;
use super::consume::{consume, give_back};
use super::emergency::declare;
use super::event::Event;
use super::judge::{inside_terms, rejudge};
use super::rejection::Rejection;
use super::renewal::check_renewal;
use super::request::RequestFacts;
use super::state::{Exception, Phase};
use super::vote::{Ballot, vote};
use super::withdraw::withdraw;
use crate::containment::check_scope;
use crate::entity::EntityRef;

/// The longest justification or reason, in characters.
const LONGEST_TEXT: usize = 2_000;
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
        Command::Request(facts) if *exception.request == *facts => Ok(Vec::new()),
        Command::Request(_) => Err(Rejection::Exists),
        Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside, proof } => {
            let ballot = Ballot { person, decision, scope, sheet, as_of, reason, assurance, inside, proof };
            vote(exception, ballot, context)
        }
        Command::Withdraw { by } => withdraw(exception, by, context),
        Command::Cancel { by, reason } => cancel(exception, by, reason, context),
        Command::Use { call, evaluation, amounts } => consume(exception, call, evaluation, amounts, context),
        Command::Revoke { by, reason } => revoke(exception, by, reason, context),
        Command::EndTask { by, reason } => end_task(exception, by, reason, context),
        Command::Lapse => lapse(exception, context),
        Command::Rejudge => Ok(rejudge(exception, context)),
        Command::Suspend { reason } => Ok(suspend(exception, reason, context)),
        Command::Answer { by, vote, words } => answer(exception, by, vote, words, context),
        Command::Fold { evaluation, justification } => fold(exception, evaluation, justification, context),
        Command::DeclareEmergency { by, reason, assurance, proof } => {
            declare(exception, by, reason, (&assurance, proof), context)
        }
        Command::GiveBack { by, evaluation, reason, assurance } => {
            give_back(exception, by, evaluation, reason, &assurance, context)
        }
        Command::Confirm { by, reason, assurance, proof } => {
            confirm(exception, by, reason, (assurance, proof), context)
        }
        Command::OpenReview => open_review(exception, context),
        Command::CloseReview { review, by, outcome, note } => {
            close_review(exception, review, by, outcome, note, context)
        }
        Command::Dispose { by, disposition, note } => dispose(exception, by, disposition, note, context),
    }
}

/// Whether a text is short enough.
pub(super) fn check_text(text: &str) -> Result<(), Rejection> {
    if text.chars().count() > LONGEST_TEXT { Err(Rejection::TextTooLong) } else { Ok(()) }
}

/// Whether a text says something, and is short enough.
pub(super) fn check_reason(reason: &str) -> Result<(), Rejection> {
    if reason.trim().is_empty() { Err(Rejection::ReasonNeeded) } else { check_text(reason) }
}

fn request(mut facts: Box<RequestFacts>, context: &Context) -> Result<Vec<Event>, Rejection> {
    let terms = context.terms.clone().ok_or(Rejection::NotRequestable)?;
    // INVARIANT (R6): nobody has longer to decide than the terms say.
    facts.decide_by = facts.decide_by.min(context.now.plus(terms.decide_within()));
    // INVARIANT (R3): a grant is for one enforcement point.
    if facts.question.enforcement_point.is_none() {
        return Err(Rejection::NoEnforcementPoint);
    }
    // By default an agent asks for itself alone.
    if facts.is_for_another() && !terms.for_another {
        return Err(Rejection::NotForAnother);
    }
    check_text(&facts.justification)?;
    if facts.decide_by <= context.now {
        return Err(Rejection::TooLate);
    }
    if context.overdue_tiers.contains(&terms.tier) {
        return Err(Rejection::ReviewOverdue);
    }
    check_scope(&facts.scope, &facts.question.call, context.now).map_err(|_| Rejection::BadScope)?;
    inside_terms(&facts.scope, &terms, facts.requested_at, context.now)?;
    check_renewal(&facts, &terms, context)?;
    Ok(vec![Event::ExceptionRequested { request: (*facts).into(), terms, bundle: context.bundle }])
}

fn cancel(exception: &Exception, by: EntityRef, reason: String, context: &Context) -> Result<Vec<Event>, Rejection> {
    if !exception.is_own(&by) {
        return Err(Rejection::NotYours);
    }
    check_text(&reason)?;
    match &exception.phase {
        Phase::Cancelled { .. } => Ok(Vec::new()),
        Phase::Requested | Phase::Suspended { grant: None, .. } if exception.is_over(context.now) => {
            Err(Rejection::TooLate)
        }
        Phase::Requested | Phase::Suspended { grant: None, .. } => {
            Ok(vec![Event::ExceptionCancelled { by, reason, at: context.now }])
        }
        _ => Err(Rejection::Closed),
    }
}

fn revoke(exception: &Exception, by: EntityRef, reason: String, context: &Context) -> Result<Vec<Event>, Rejection> {
    match &exception.phase {
        Phase::Revoked { .. } => return Ok(Vec::new()),
        _ if exception.may_be_used_again(context.now) => {}
        Phase::Requested | Phase::Suspended { grant: None, .. } => return Err(Rejection::NoGrant),
        _ => return Err(Rejection::Closed),
    }
    check_reason(&reason)?;
    Ok(revoked(exception, by, reason, context))
}

/// A grant that is live; whatever else it is, it permits nothing already.
fn suspend(exception: &Exception, reason: String, context: &Context) -> Vec<Event> {
    match &exception.phase {
        Phase::Granted(_) if !exception.is_over(context.now) => {
            vec![Event::GrantSuspended { terms: None, bundle: context.bundle, reason, at: context.now }]
        }
        _ => Vec::new(),
    }
}

fn revoked(exception: &Exception, by: EntityRef, reason: String, context: &Context) -> Vec<Event> {
    // What was used up had ended before, and its review was opened then.
    let end = exception.ended_at(context.now).unwrap_or(context.now);
    let mut events = vec![Event::GrantRevoked { by, reason, at: context.now }];
    events.extend(review_after_use(exception, end, context.now));
    events
}

/// Ends what hangs on a task; what has ended by itself is left as it is.
fn end_task(exception: &Exception, by: EntityRef, reason: String, context: &Context) -> Result<Vec<Event>, Rejection> {
    check_text(&reason)?;
    // INVARIANT (R7): what is used up could be given back, so it ends here as well.
    if exception.ended_at(context.now).is_some() && !exception.may_be_used_again(context.now) {
        return Ok(Vec::new());
    }
    Ok(match exception.phase.grant() {
        None => vec![Event::ExceptionCancelled { by, reason, at: context.now }],
        Some(_) => revoked(exception, by, reason, context),
    })
}

fn lapse(exception: &Exception, context: &Context) -> Result<Vec<Event>, Rejection> {
    match &exception.phase {
        Phase::Lapsed { .. } => Ok(Vec::new()),
        _ if exception.is_over(context.now) => {
            let end = exception.ended_at(context.now).unwrap_or(context.now);
            let mut events = vec![Event::ExceptionLapsed { at: context.now }];
            events.extend(review_after_use(exception, end, context.now));
            Ok(events)
        }
        Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } => Err(Rejection::NotUp),
        _ => Err(Rejection::Closed),
    }
}
