//! After the end: reviews and dispositions.

use super::command::Context;
use super::decide::{check_reason, check_text};
use super::event::Event;
use super::rejection::Rejection;
use super::review::{Disposed, Disposition, Review, ReviewClosing, ReviewKind, ReviewOutcome};
use super::state::{Exception, Phase};
use super::uses::GrantState;
use super::vote::eligible_groups;
use crate::entity::EntityRef;
use crate::outcome::Terms;
use crate::time::{Span, Timestamp};

/// How soon after it was granted an emergency is reviewed where the terms do not say: a day.
const EMERGENCY_REVIEW: Span = Span::from_seconds(86_400);

impl Exception {
    /// The review that is open and past its date the longest.
    pub fn overdue_review(&self, now: Timestamp) -> Option<&Review> {
        self.reviews.iter().filter(|review| review.is_overdue(now)).min_by_key(|review| review.due)
    }

    /// When it ended: its grant was used up, taken away or ran out, or the request was decided, taken back or not decided
    /// in time. Nothing while it is open.
    pub fn ended_at(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.phase {
            Phase::Denied { at, .. }
            | Phase::Cancelled { at, .. }
            | Phase::Revoked { at, .. }
            | Phase::Exhausted { at, .. } => Some(*at),
            Phase::Lapsed { grant: Some(state), .. } => Some(state.grant.scope.not_after),
            Phase::Lapsed { grant: None, .. } => Some(self.decide_by()),
            Phase::Granted(state) | Phase::Suspended { grant: Some(state), .. } if self.is_over(now) => {
                Some(state.grant.scope.not_after)
            }
            Phase::Requested | Phase::Suspended { grant: None, .. } if self.is_over(now) => Some(self.decide_by()),
            Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } => None,
        }
    }

    fn review(&self, kind: ReviewKind, due: Timestamp, now: Timestamp) -> Event {
        let id = format!("{}.r{}", self.request.id, self.reviews.len().saturating_add(1));
        Event::ReviewOpened { review: Review { id, kind, due, opened_at: now, closed: None } }
    }
}

/// The review of what was granted in an emergency.
pub(super) fn emergency_review(exception: &Exception, terms: &Terms, now: Timestamp) -> Option<Event> {
    exception.emergency.as_ref()?;
    let due = now.plus(terms.review_within.unwrap_or(EMERGENCY_REVIEW));
    Some(exception.review(ReviewKind::Emergency, due, now))
}

/// The review that the terms demand after use, where the grant was used and has ended at `end`.
pub(super) fn review_after_use(exception: &Exception, end: Timestamp, now: Timestamp) -> Option<Event> {
    let within = exception.terms.review_within?;
    exception.phase.grant().filter(|state| state.was_used())?;
    let mut reviews = exception.reviews.iter().filter(|review| review.kind == ReviewKind::AfterUse);
    // One is enough; only what was used again after it was closed is looked at again.
    if reviews.any(|review| review.closed.is_none() || review.opened_at >= end) {
        return None;
    }
    Some(exception.review(ReviewKind::AfterUse, end.plus(within), now))
}

pub(super) fn open_review(exception: &Exception, context: &Context) -> Result<Vec<Event>, Rejection> {
    let end = exception.ended_at(context.now).ok_or(Rejection::NotClosed)?;
    let used = exception.phase.grant().is_some_and(GrantState::was_used);
    if !used || exception.terms.review_within.is_none() {
        return Err(Rejection::NoSuchReview);
    }
    Ok(review_after_use(exception, end, context.now).into_iter().collect())
}

pub(super) fn close_review(
    exception: &Exception,
    id: String,
    by: EntityRef,
    outcome: ReviewOutcome,
    note: String,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let review = exception.reviews.iter().find(|review| review.id == id).ok_or(Rejection::NoSuchReview)?;
    if exception.has_decided(&by) {
        return Err(Rejection::HasVoted);
    }
    may_judge(exception, &by, context)?;
    match &review.closed {
        Some(closed) if closed.by == by && closed.outcome == outcome && closed.note == note => return Ok(Vec::new()),
        Some(_) => return Err(Rejection::Closed),
        None => {}
    }
    if outcome == ReviewOutcome::Appropriate { check_text(&note) } else { check_reason(&note) }?;
    let closing = ReviewClosing { by, outcome, note, at: context.now };
    Ok(vec![Event::ReviewClosed { id, closing: Box::new(closing) }])
}

pub(super) fn dispose(
    exception: &Exception,
    by: EntityRef,
    disposition: Disposition,
    note: String,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    exception.ended_at(context.now).ok_or(Rejection::NotClosed)?;
    may_judge(exception, &by, context)?;
    check_text(&note)?;
    let stands = exception.disposition.as_ref();
    if stands.is_some_and(|last| last.by == by && last.disposition == disposition && last.note == note) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::DispositionSet { disposed: Box::new(Disposed { disposition, by, note, at: context.now }) }])
}

/// People judge: whom policy lets approve the like, and nobody their own.
fn may_judge(exception: &Exception, by: &EntityRef, context: &Context) -> Result<(), Rejection> {
    if by.kind != context.person_type {
        return Err(Rejection::NotEligible);
    }
    eligible_groups(exception, by, context).map(drop)
}

impl Exception {
    /// Whether a person had a part in what is reviewed: voted, declared the emergency, or gave a use back.
    pub(super) fn has_decided(&self, person: &EntityRef) -> bool {
        let mut taken = self.phase.grant().into_iter().flat_map(|state| &state.taken);
        self.votes.iter().any(|vote| vote.person == *person)
            || self.emergency.as_ref().is_some_and(|emergency| emergency.by == *person)
            || taken.any(|taken| taken.given_back.as_ref().is_some_and(|back| back.by == *person))
    }
}
