//! Using a grant, and giving a use back (R3).

use super::afterwards::review_after_use;
use super::command::Context;
use super::decide::check_reason;
use super::event::Event;
use super::evolve::evolve;
use super::rejection::Rejection;
use super::state::{Exception, Phase};
use super::vote::may_decide;
use crate::entity::EntityRef;
use crate::sabotaged;

pub(super) fn consume(
    exception: &Exception,
    call: String,
    evaluation: String,
    amounts: Vec<i64>,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let Phase::Granted(state) = &exception.phase else { return Err(Rejection::NotUsable) };
    let scope = &state.grant.scope;
    // INVARIANT (R9): what a restored record says of it may be old; it is no permit until people say that it stands.
    if exception.is_unconfirmed() {
        return Err(Rejection::Unconfirmed);
    }
    // INVARIANT (R6): never at `not_after` or later, never before `not_before`.
    let over = context.now >= scope.not_after && !sabotaged!("r6_grant_outlives");
    if over || context.now < state.begins() {
        return Err(Rejection::NotUsable);
    }
    // INVARIANT (R4): judged under the bundle that is active, and at a later start again, or not usable until it is.
    let judged = context.bundle == exception.bundle || sabotaged!("r4_not_judged_again");
    if !judged || state.awaits_activation() {
        return Err(Rejection::NotUsable);
    }
    // INVARIANT (R3): never more uses than were granted.
    if state.uses >= scope.max_uses {
        return Err(Rejection::NotUsable);
    }
    if state.spend(&amounts).is_none() {
        return Err(Rejection::OverBudget);
    }
    if state.rate_left(context.now) == Some(0) {
        return Err(Rejection::OverRate);
    }
    let last = state.uses.saturating_add(1) >= scope.max_uses;
    let mut events = vec![Event::GrantUsed { call, evaluation, amounts, at: context.now }];
    if last {
        events.push(Event::GrantExhausted { at: context.now });
        let folded = events.iter().try_fold(Some(exception.clone()), evolve).ok().flatten();
        events.extend(folded.and_then(|used_up| review_after_use(&used_up, context.now, context.now)));
    }
    Ok(events)
}

pub(super) fn give_back(
    exception: &Exception,
    by: EntityRef,
    evaluation: String,
    reason: String,
    assurance: &str,
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let state = exception.phase.grant().ok_or(Rejection::NoGrant)?;
    may_decide(exception, &by, assurance, &exception.terms, context)?;
    let taken = state.taken.iter().find(|taken| taken.evaluation == evaluation).ok_or(Rejection::NoSuchUse)?;
    // INVARIANT (R3): one use is given back once.
    if taken.given_back.is_some() {
        return Ok(Vec::new());
    }
    let usable = matches!(exception.phase, Phase::Granted(_) | Phase::Exhausted { .. });
    // INVARIANT (R6): what time has ended stays ended.
    if !usable || context.now >= state.grant.scope.not_after {
        return Err(Rejection::Closed);
    }
    check_reason(&reason)?;
    Ok(vec![Event::UseGivenBack { evaluation, by, reason, at: context.now }])
}
