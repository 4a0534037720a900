//! Renewal: how a request stands to an earlier exception. What an agent calls its request decides none of it.

use super::command::Context;
use super::judge::is_no_longer_than;
use super::rejection::Rejection;
use super::request::{Renewal, RequestFacts};
use super::state::Exception;
use crate::containment::{lies_inside_grant, overlaps_grant};
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
    // What was not called a renewal counts as one, so that no other name is a way past the cap; but it may be wider, and
    // is a new request then: widening is one (R5), and people decide on it as on any other.
    if !renewal.declared {
        return Ok(());
    }
    // INVARIANT (R5): a declared renewal lies inside its predecessor: at another time, and for no longer.
    let inside = lies_inside_grant(&facts.scope, &facts.question, &held.grant)
        && is_no_longer_than(&facts.scope, held.length(), context.now);
    if inside { Ok(()) } else { Err(Rejection::Widens) }
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
