//! Folding events into state. Accepts every event ever written, refuses none on policy grounds.

use crate::sabotaged;
use thiserror::Error;

use super::confirm::Unconfirmed;
use super::event::Event;
use super::request::Repeat;
use super::state::{Exception, Phase, Version};
use super::uses::{GivenBack, GrantState, Taken};
use crate::time::Timestamp;

/// How many repeats a state keeps.
pub(super) const MOST_REPEATS: usize = 100;

/// An event that cannot have happened in this state: the history is damaged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the event `{event}` cannot follow the state `{state}`")]
pub struct CorruptHistory {
    /// The event's kind.
    pub event: &'static str,
    /// The state's word, or `nothing`.
    pub state: &'static str,
}

/// The state after this event.
///
/// # Errors
/// When the event cannot follow the state.
pub fn evolve(state: Option<Exception>, event: &Event) -> Result<Option<Exception>, CorruptHistory> {
    let Some(mut exception) = state else {
        return match event {
            Event::ExceptionRequested { request, terms, bundle } => Ok(Some(Exception {
                versions: vec![Version { number: 1, scope: request.scope.clone(), by: None }],
                request: request.clone(),
                terms: terms.clone(),
                bundle: *bundle,
                votes: Vec::new(),
                phase: Phase::Requested,
                answers: Vec::new(),
                repeats: Vec::new(),
                repeated: 0,
                emergency: None,
                reviews: Vec::new(),
                disposition: None,
                unconfirmed: None,
            })),
            _ => Err(CorruptHistory { event: event.kind(), state: "nothing" }),
        };
    };
    let word = exception.phase.word();
    let followed = if is_beside(event) { beside(&mut exception, event) } else { step(&mut exception, event) };
    match followed {
        Some(()) => Ok(Some(exception)),
        None => Err(CorruptHistory { event: event.kind(), state: word }),
    }
}

/// Whether an event leaves the phase as it is, whatever it is.
const fn is_beside(event: &Event) -> bool {
    matches!(
        event,
        Event::QuestionAnswered { .. }
            | Event::RequestFolded { .. }
            | Event::VoteWithdrawn { .. }
            | Event::EmergencyDeclared { .. }
            | Event::ReviewOpened { .. }
            | Event::ReviewClosed { .. }
            | Event::DispositionSet { .. }
            | Event::ExceptionUnconfirmed { .. }
            | Event::ConfirmationGiven { .. }
            | Event::ExceptionConfirmed { .. }
    )
}

/// What leaves the phase as it is. Nothing where the event cannot follow.
fn beside(exception: &mut Exception, event: &Event) -> Option<()> {
    match event {
        Event::QuestionAnswered { answer } if (answer.vote as usize) < exception.votes.len() => {
            exception.answers.push((**answer).clone());
        }
        Event::RequestFolded { repeat } => fold(exception, repeat),
        Event::VoteWithdrawn { by, at } => exception.take_back(by, *at)?,
        Event::EmergencyDeclared { emergency, terms, bundle } if exception.emergency.is_none() => {
            exception.emergency = Some((**emergency).clone());
            exception.terms = terms.clone();
            exception.bundle = *bundle;
        }
        Event::ReviewOpened { review } if !exception.reviews.iter().any(|known| known.id == review.id) => {
            exception.reviews.push(review.clone());
        }
        Event::ReviewClosed { id, closing } => {
            let mut open = exception.reviews.iter_mut().filter(|review| review.closed.is_none());
            open.find(|review| review.id == *id)?.closed = Some((**closing).clone());
        }
        Event::DispositionSet { disposed } => exception.disposition = Some((**disposed).clone()),
        Event::ExceptionUnconfirmed { epoch, .. } if exception.can_be_doubted() => {
            exception.unconfirmed = Some(Unconfirmed { epoch: *epoch, confirmations: Vec::new() });
        }
        Event::ConfirmationGiven { confirmation } => {
            exception.unconfirmed.as_mut()?.confirmations.push((**confirmation).clone());
        }
        Event::ExceptionConfirmed { epoch, .. } => {
            exception.unconfirmed.take_if(|unconfirmed| unconfirmed.epoch == *epoch)?;
        }
        _ => return None,
    }
    Some(())
}

/// Keeps the first repeats and the newest one; those between are counted, and stand in the record.
fn fold(exception: &mut Exception, repeat: &Repeat) {
    let before = exception.repeats.last().map_or(&exception.request.justification, |newest| &newest.justification);
    let changed = *before != repeat.justification;
    if exception.repeats.len() >= MOST_REPEATS {
        exception.repeats.pop();
    }
    exception.repeats.push(Repeat { changed, ..repeat.clone() });
    exception.repeated = exception.repeated.saturating_add(1);
}

/// What may move the phase. Nothing where the event cannot follow.
fn step(exception: &mut Exception, event: &Event) -> Option<()> {
    let phase = std::mem::replace(&mut exception.phase, Phase::Requested);
    exception.phase = match (event, phase) {
        (Event::GrantRevoked { .. }, phase @ Phase::Granted(_)) if sabotaged!("r7_revoke_ignored") => phase,
        (Event::ScopeNarrowed { version }, Phase::Requested) if follows(exception, version) => {
            exception.versions.push(version.clone());
            Phase::Requested
        }
        (Event::VoteCast { vote }, Phase::Requested) => {
            exception.votes.push((**vote).clone());
            Phase::Requested
        }
        (
            Event::ExceptionRejudged { terms, bundle, at },
            phase @ (Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. }),
        ) => {
            exception.terms = terms.clone();
            exception.bundle = *bundle;
            match phase {
                // A later bundle grants it again, on the votes it has.
                Phase::Granted(grant) | Phase::Suspended { grant: Some(grant), .. } => {
                    Phase::Granted(activated(grant, *at))
                }
                _ => Phase::Requested,
            }
        }
        (Event::GrantActivated { terms, bundle, at }, Phase::Granted(grant)) => {
            exception.terms = terms.clone();
            exception.bundle = *bundle;
            Phase::Granted(activated(grant, *at))
        }
        (Event::ExceptionGranted { grant, at, .. }, Phase::Requested) => {
            Phase::Granted(Box::new(GrantState::new(grant.clone(), *at)))
        }
        (Event::ExceptionDenied { by, reason, at }, Phase::Requested) => {
            Phase::Denied { by: by.clone(), reason: reason.clone(), at: *at }
        }
        (Event::ExceptionCancelled { by, reason, at }, Phase::Requested | Phase::Suspended { grant: None, .. }) => {
            Phase::Cancelled { by: by.clone(), reason: reason.clone(), at: *at }
        }
        (Event::GrantUsed { call, evaluation, amounts, at }, Phase::Granted(mut grant))
            if amounts.len() == grant.spent.len() =>
        {
            let (call, evaluation, amounts) = (call.clone(), evaluation.clone(), amounts.clone());
            grant.take(Taken { call, evaluation, amounts, at: *at, given_back: None });
            Phase::Granted(grant)
        }
        (Event::UseGivenBack { evaluation, by, reason, at }, phase) => {
            given_back(phase, evaluation, GivenBack { by: by.clone(), reason: reason.clone(), at: *at })?
        }
        (Event::GrantExhausted { at }, Phase::Granted(grant)) => Phase::Exhausted { grant, at: *at },
        (
            Event::GrantRevoked { by, reason, at },
            Phase::Granted(grant) | Phase::Suspended { grant: Some(grant), .. } | Phase::Exhausted { grant, .. },
        ) => Phase::Revoked { grant, by: by.clone(), reason: reason.clone(), at: *at },
        (
            Event::GrantSuspended { terms, bundle, reason, at },
            phase @ (Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. }),
        ) => {
            exception.bundle = *bundle;
            if let Some(terms) = terms {
                exception.terms = (**terms).clone();
            }
            Phase::Suspended { grant: grant_of(phase), reason: reason.clone(), at: *at }
        }
        (Event::ExceptionLapsed { at }, phase @ (Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. })) => {
            Phase::Lapsed { grant: grant_of(phase), at: *at }
        }
        _ => return None,
    };
    Some(())
}

/// Whether this is the next version.
fn follows(exception: &Exception, version: &Version) -> bool {
    exception.current().is_some_and(|current| current.number.checked_add(1) == Some(version.number))
}

/// A grant that was judged at this instant: at or after its start it is active.
fn activated(mut grant: Box<GrantState>, at: Timestamp) -> Box<GrantState> {
    if grant.awaits_activation() && at >= grant.begins() {
        grant.activated_at = Some(at);
    }
    grant
}

/// The phase after one use was given back: what was used up no longer is.
fn given_back(phase: Phase, evaluation: &str, back: GivenBack) -> Option<Phase> {
    match phase {
        Phase::Granted(mut grant) | Phase::Exhausted { mut grant, .. } => {
            grant.give_back(evaluation, back).then_some(Phase::Granted(grant))
        }
        _ => None,
    }
}

fn grant_of(phase: Phase) -> Option<Box<GrantState>> {
    match phase {
        Phase::Granted(grant) => Some(grant),
        Phase::Suspended { grant, .. } => grant,
        _ => None,
    }
}
