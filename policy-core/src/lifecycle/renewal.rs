//! Renewal, repetition and silence: how a request stands to an earlier exception. What an agent calls its request decides
//! none of it.

use super::command::Context;
use super::rejection::Rejection;
use super::request::{Renewal, RequestFacts};
use super::state::{Exception, Phase};
use crate::containment::{lies_inside, lies_inside_grant, overlaps_grant};
use crate::grant::Scope;
use crate::outcome::Terms;
use crate::time::Timestamp;

/// Whether a request may follow what it says that it renews.
pub(super) fn check_renewal(facts: &RequestFacts, terms: &Terms, context: &Context) -> Result<(), Rejection> {
    let Some(renewal) = &facts.renews else { return Ok(()) };
    let predecessor = context.predecessor.as_ref().filter(|predecessor| predecessor.request.id == renewal.of);
    let predecessor = predecessor.ok_or(Rejection::Unknown)?;
    // The chain is counted by its links; a number that does not follow is doubt (R8).
    if renewal.number != next_number(predecessor) || renewal.number > terms.max_renewals.unwrap_or(0) {
        return Err(Rejection::RenewalCap);
    }
    let held = predecessor.phase.grant().ok_or(Rejection::NoGrant)?;
    // INVARIANT (R5): a renewal lies inside its predecessor in all but time.
    if renewal.declared && !lies_inside_grant(&facts.scope, &facts.question, &held.grant) {
        return Err(Rejection::Widens);
    }
    Ok(())
}

fn next_number(predecessor: &Exception) -> u32 {
    predecessor.request.renews.as_ref().map_or(0, |renewal| renewal.number).saturating_add(1)
}

/// What a request would renew, whatever the agent calls it: of the subject's exceptions the one whose grant it overlaps
/// and that is live or ended within the period that the terms state. Of several the one farthest along its chain.
/// Nothing where the terms state no period.
pub fn renewal_of<'a>(
    facts: &RequestFacts,
    terms: &Terms,
    earlier: impl Iterator<Item = &'a Exception>,
    now: Timestamp,
) -> Option<Renewal> {
    let period = terms.renewal_period?;
    let recent = earlier.filter(|exception| {
        let ended = exception.ended_at(now);
        let recent = ended.is_none_or(|ended| now < ended.plus(period));
        recent
            && exception.request.id != facts.id
            && exception.phase.grant().is_some_and(|held| {
                overlaps_grant(&facts.scope, &facts.question, &held.grant, &exception.request.question)
            })
    });
    let last = recent.max_by_key(|exception| (next_number(exception), exception.request.id.clone()))?;
    Some(Renewal { of: last.request.id.clone(), number: next_number(last), declared: false })
}

/// Whether a request is the very same as one that is open: by the same asker for the same subject, chain, task, server,
/// enforcement point, tool definition, action, resource, arguments and terms, with the same mark. Its words may differ.
pub fn is_repeat(open: &RequestFacts, again: &RequestFacts) -> bool {
    let (first, second) = (&open.question, &again.question);
    first.call == second.call
        && first.task == second.task
        && first.chain == second.chain
        && first.enforcement_point == second.enforcement_point
        && open.requester == again.requester
        && open.asker == again.asker
        && open.renews == again.renews
        && open.emergency == again.emergency
        && same_terms(&open.scope, &again.scope)
}

/// Whether two scopes ask for the same; where validity counts from the start, the end of the time to decide is no part
/// of it.
fn same_terms(first: &Scope, second: &Scope) -> bool {
    let floating = first.valid_for.is_some() && second.valid_for.is_some();
    let not_after = if floating { second.not_after } else { first.not_after };
    *second == Scope { not_after, ..first.clone() }
}

/// Until when a refusal silences a request: where it lies inside what was refused, for the same subject in the same task.
/// Nothing where it does not, or the silence is over.
pub fn silenced_until(refused: &Exception, facts: &RequestFacts, now: Timestamp) -> Option<Timestamp> {
    let Phase::Denied { at, .. } = &refused.phase else { return None };
    let until = at.plus(refused.terms.silence());
    let request = &refused.request;
    let task = facts.question.task == request.question.task;
    let inside = task && lies_inside(&facts.scope, &facts.question, &request.scope, &request.question);
    (now < until && inside).then_some(until)
}
