//! Folding events into state. Accepts every event ever written, refuses none on policy grounds.

use thiserror::Error;

use super::event::Event;
use super::state::{Exception, GrantState, Phase, Version};

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
    let corrupt = |state: Option<&Exception>| CorruptHistory {
        event: event.kind(),
        state: state.map_or("nothing", |exception| exception.phase.word()),
    };
    let Some(mut exception) = state else {
        let Event::ExceptionRequested { request, terms, bundle } = event else { return Err(corrupt(None)) };
        return Ok(Some(Exception {
            versions: vec![Version { number: 1, scope: request.scope.clone(), by: None }],
            request: (**request).clone(),
            terms: terms.clone(),
            bundle: *bundle,
            votes: Vec::new(),
            phase: Phase::Requested,
        }));
    };
    let phase = exception.phase.clone();
    exception.phase = match (event, phase) {
        (Event::ScopeNarrowed { version }, Phase::Requested) if follows(&exception, version) => {
            exception.versions.push(version.clone());
            Phase::Requested
        }
        (Event::VoteCast { vote }, Phase::Requested) => {
            exception.votes.push((**vote).clone());
            Phase::Requested
        }
        (
            Event::ExceptionRejudged { terms, bundle, .. },
            phase @ (Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. }),
        ) => {
            exception.terms = terms.clone();
            exception.bundle = *bundle;
            match phase {
                // A later bundle grants it again, on the votes it has.
                Phase::Suspended { grant: Some(grant), .. } => Phase::Granted(grant),
                Phase::Suspended { grant: None, .. } => Phase::Requested,
                phase => phase,
            }
        }
        (Event::ExceptionGranted { grant, at }, Phase::Requested) => {
            let spent = vec![0; grant.scope.budgets.len()];
            Phase::Granted(Box::new(GrantState { grant: (**grant).clone(), granted_at: *at, uses: 0, spent }))
        }
        (Event::ExceptionDenied { by, reason, at }, Phase::Requested) => {
            Phase::Denied { by: by.clone(), reason: reason.clone(), at: *at }
        }
        (Event::ExceptionCancelled { by, reason, at }, Phase::Requested) => {
            Phase::Cancelled { by: by.clone(), reason: reason.clone(), at: *at }
        }
        (Event::GrantUsed { amounts, .. }, Phase::Granted(mut grant)) if amounts.len() == grant.spent.len() => {
            grant.uses = grant.uses.saturating_add(1);
            for (spent, amount) in grant.spent.iter_mut().zip(amounts) {
                *spent = spent.saturating_add(*amount);
            }
            Phase::Granted(grant)
        }
        (Event::GrantExhausted { at }, Phase::Granted(grant)) => Phase::Exhausted { grant, at: *at },
        (
            Event::GrantRevoked { by, reason, at },
            Phase::Granted(grant) | Phase::Suspended { grant: Some(grant), .. },
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
        (_, phase) => {
            exception.phase = phase;
            return Err(corrupt(Some(&exception)));
        }
    };
    Ok(Some(exception))
}

/// Whether this is the next version.
fn follows(exception: &Exception, version: &Version) -> bool {
    exception.current().is_some_and(|current| current.number.checked_add(1) == Some(version.number))
}

fn grant_of(phase: Phase) -> Option<Box<GrantState>> {
    match phase {
        Phase::Granted(grant) => Some(grant),
        Phase::Suspended { grant, .. } => grant,
        _ => None,
    }
}
