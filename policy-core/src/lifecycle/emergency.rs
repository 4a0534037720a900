//! Declaring an emergency: a person's act, with a reason. It may shorten what time there is, never the number of persons,
//! unless policy says so.

use super::command::Context;
use super::decide::check_reason;
use super::event::Event;
use super::judge::{demanded, inside_terms, is_there};
use super::rejection::Rejection;
use super::request::Emergency;
use super::review::ReviewKind;
use super::state::{Exception, Phase};
use super::vote::{granted_with, may_decide};
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::outcome::Terms;
use crate::presence::Proof;
use crate::time::Timestamp;

/// Whose emergency reviews are open and past their date: of them nobody has a further emergency, and nobody decides on
/// one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmergencyBlocked {
    /// Whether the subject has one.
    pub subject: bool,
    /// Who declared such an emergency or voted for it.
    pub people: Vec<EntityRef>,
}

impl EmergencyBlocked {
    /// Of these exceptions, those that stop a further emergency of a subject.
    pub fn of<'a>(subject: &EntityRef, all: impl Iterator<Item = &'a Exception>, now: Timestamp) -> Self {
        let mut blocked = Self::default();
        for exception in all.filter(|exception| exception.has_overdue_emergency(now)) {
            blocked.subject |= exception.request.question.call.subject == *subject;
            let approvals = exception.votes.iter().filter(|vote| vote.stands_for_it());
            let declared = exception.emergency.iter().map(|emergency| &emergency.by);
            blocked.people.extend(approvals.map(|vote| &vote.person).chain(declared).cloned());
        }
        blocked.people.sort();
        blocked.people.dedup();
        blocked
    }

    /// Whether this person may decide on an emergency of the subject.
    ///
    /// # Errors
    /// `emergency_blocked`.
    pub fn check(&self, person: &EntityRef) -> Result<(), Rejection> {
        if self.subject || self.people.contains(person) { Err(Rejection::EmergencyBlocked) } else { Ok(()) }
    }
}

impl Exception {
    fn has_overdue_emergency(&self, now: Timestamp) -> bool {
        self.reviews.iter().any(|review| review.kind == ReviewKind::Emergency && review.is_overdue(now))
    }

    /// Whether votes on a declared emergency are wanted.
    pub fn is_open_emergency(&self) -> bool {
        self.emergency.is_some() && self.phase == Phase::Requested
    }
}

pub(super) fn declare(
    exception: &Exception,
    by: EntityRef,
    reason: String,
    (assurance, proof): (&str, Proof),
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    if exception.phase != Phase::Requested {
        return Err(Rejection::Closed);
    }
    if exception.is_over(context.now) {
        return Err(Rejection::TooLate);
    }
    if exception.is_unconfirmed() {
        return Err(Rejection::Unconfirmed);
    }
    let strictest = demanded(exception, context).ok_or(Rejection::NotRequestable)?;
    may_decide(exception, &by, assurance, &strictest, context)?;
    // INVARIANT (R4): what may make fewer votes enough is shown as a vote is.
    if !is_there(&strictest, &proof) {
        return Err(Rejection::PresenceNeeded);
    }
    context.emergency_blocked.check(&by)?;
    if context.overdue_tiers.contains(&strictest.tier) {
        return Err(Rejection::ReviewOverdue);
    }
    check_reason(&reason)?;
    if exception.emergency.is_some() {
        return Ok(Vec::new());
    }
    let asked = context.terms.as_ref().ok_or(Rejection::NotRequestable)?;
    // INVARIANT (R4): never fewer persons than without an emergency, unless this policy says how many.
    let approvals = asked.emergency_approvals.map_or(strictest.approvals, |approvals| approvals.max(1));
    let terms = Terms { approvals, ..strictest };
    let within = asked.decide_within.map_or(exception.decide_by(), |within| context.now.plus(within));
    let decide_by = exception.decide_by().min(within);
    let emergency = Emergency { by, reason, decide_by, proof, at: context.now };
    let events =
        vec![Event::EmergencyDeclared { emergency: Box::new(emergency), terms: terms.clone(), bundle: context.bundle }];
    // The votes that there are may be enough now; where the scope has to be narrowed first, a vote does that.
    let asked_at = exception.request.requested_at;
    match exception.current() {
        Some(version) if inside_terms(&shortened(&version.scope, &terms), &terms, asked_at, context.now).is_ok() => {
            granted_with(exception, events, &terms, context)
        }
        _ => Ok(events),
    }
}

/// The scope with the validity that the terms leave it.
pub(super) fn shortened(scope: &Scope, terms: &Terms) -> Scope {
    let valid_for = scope.valid_for.map(|valid_for| valid_for.min(terms.max_duration));
    Scope { valid_for, ..scope.clone() }
}
