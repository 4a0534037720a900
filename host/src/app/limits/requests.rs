//! What counts as the very same request, what a refusal silences, and how many requests and grants there may be.

use std::collections::BTreeSet;

use policy_core::containment;
use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Scope};
use policy_core::lifecycle::{Exception, Phase, RequestFacts};
use policy_core::time::{Span, Timestamp};

use super::super::refusal::{Refusal, RefusalKind};
use super::super::state::{Entry, State};

/// How many requests of one subject, and in one task, may be open at once.
const MOST_OPEN: usize = 20;
/// How many grants of one subject, and in one task, may be live or asked for at once.
const MOST_LIVE: usize = 60;
/// And how many requests a subject may make in an hour, whatever became of them: each stays in memory and record.
const MOST_AN_HOUR: usize = 200;
const HOUR: Span = Span::from_seconds(3_600);
/// By how much the asked durations of the very same request differ, since each begins when it is asked.
const ABOUT: u64 = 60;

/// The open request that asks for the very same.
///
/// INVARIANT (R3): another subject, chain, task, server, tool definition, enforcement point, action, resource, argument,
/// scope or mark is another request.
pub(in crate::app) fn same_request(state: &State, facts: &RequestFacts, now: Timestamp) -> Option<String> {
    let mut open = state.exceptions.iter().filter(|(_, entry)| is_open(entry, now));
    let same = open.find(|(_, entry)| {
        let theirs = &entry.exception.request;
        let (a, b) = (&theirs.question, &facts.question);
        a.call == b.call
            && a.task == b.task
            && a.chain == b.chain
            && a.enforcement_point == b.enforcement_point
            && theirs.requester == facts.requester
            && theirs.asker == facts.asker
            && theirs.renews == facts.renews
            && theirs.emergency == facts.emergency
            && same_terms(theirs, facts)
    });
    same.map(|(id, _)| id.clone())
}

/// Whether both ask for the same scope: to the same instant, or for as long.
fn same_terms(theirs: &RequestFacts, ours: &RequestFacts) -> bool {
    let long = |facts: &RequestFacts| facts.scope.not_after.since(facts.requested_at).seconds();
    let as_long = theirs.scope.not_after == ours.scope.not_after || long(theirs).abs_diff(long(ours)) <= ABOUT;
    as_long && Scope { not_after: ours.scope.not_after, ..theirs.scope.clone() } == ours.scope
}

/// Refuses a request that lies inside one that was refused a while ago.
///
/// # Errors
/// `refused_recently`, with when the silence ends.
pub(in crate::app) fn hold_silence(
    state: &State,
    facts: &RequestFacts,
    undone: Option<&str>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(until) = silenced(state, facts, undone, now) else { return Ok(()) };
    let wait = u32::try_from(until.since(now).seconds().saturating_add(1)).unwrap_or(u32::MAX);
    let detail = "this, or something that it lies in, was refused a while ago";
    Err(Refusal::new(RefusalKind::TooMany, "refused_recently", detail)
        .retry_after(wait)
        .help("read why it was refused; asking again before `Retry-After` reaches nobody"))
}

/// Until when a refusal silences this request, if one does. One that was undone, or is by this request, silences nobody.
///
/// Time and uses are not looked at: the refused thing for a minute less, or once more, is the refused thing.
fn silenced(state: &State, facts: &RequestFacts, undone: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let reopens = |entry: &'_ Entry| entry.origin.reopens.as_ref().map(|reopens| reopens.of.clone());
    let undone: BTreeSet<String> =
        state.exceptions.values().filter_map(reopens).chain(undone.map(ToOwned::to_owned)).collect();
    let refused = state.exceptions.values().filter(|entry| !undone.contains(&entry.exception.request.id));
    let refused = refused.filter_map(|entry| match &entry.exception.phase {
        Phase::Denied { at, .. } => Some((&entry.exception, at.plus(entry.exception.terms.silence()))),
        _ => None,
    });
    let inside = refused.filter(|(exception, until)| now < *until && lies_inside(facts, exception));
    inside.map(|(_, until)| until).max()
}

fn lies_inside(facts: &RequestFacts, refused: &Exception) -> bool {
    let (ours, theirs) = (&facts.question, &refused.request.question);
    // An agent beside it of the same owner is no other need: else a refusal is one agent's, and the next one asks.
    let same_hands = ours.call.subject == theirs.call.subject
        || facts.owners.iter().any(|owner| refused.request.owners.contains(owner));
    let same = same_hands
        && ours.task == theirs.task
        && ours.call.action == theirs.call.action
        && ours.call.server == theirs.call.server;
    if !same {
        return false;
    }
    let outer = &refused.request.scope;
    // A scope for exactly the arguments names them by the call's digest alone. Conditions that leave each of them one
    // value are the same call in other words.
    if outer.arguments == ArgumentScope::Exact {
        return containment::pins_arguments(&facts.scope, &ours.call)
            && ours.call.input_digest == theirs.call.input_digest
            && ours.call.resources == theirs.call.resources;
    }
    let inner =
        Scope { resource: facts.scope.resource.clone(), arguments: facts.scope.arguments.clone(), ..outer.clone() };
    containment::within(&inner, outer, ours).is_ok()
}

/// Whether there is room for one more request.
///
/// # Errors
/// `too_many_requests` or `too_many_grants`, with when it is worth asking again.
pub(in crate::app) fn room_for(state: &State, subject: &EntityRef, task: &str, now: Timestamp) -> Result<(), Refusal> {
    let (mut open, mut live, mut recent, mut oldest) = ([0usize; 2], [0usize; 2], 0usize, now);
    for entry in state.exceptions.values() {
        let question = &entry.exception.request.question;
        let ours = [question.call.subject == *subject, question.task == *task];
        let (is_open, is_live) = (is_open(entry, now), State::is_open(entry) && !entry.exception.is_over(now));
        for (index, ours) in ours.into_iter().enumerate() {
            if let (Some(open), Some(live)) = (open.get_mut(index), live.get_mut(index)) {
                *open += usize::from(ours && is_open);
                *live += usize::from(ours && is_live);
            }
        }
        let [by_subject, _] = ours;
        let asked = entry.exception.request.requested_at;
        if by_subject && asked.plus(HOUR) > now {
            recent += 1;
            oldest = oldest.min(asked);
        }
    }
    let too_many = |code, detail: String, wait: u64| {
        let wait = u32::try_from(wait.clamp(1, 3_600)).unwrap_or(60);
        Err(Refusal::new(RefusalKind::TooMany, code, detail).retry_after(wait))
    };
    if open.iter().any(|open| *open >= MOST_OPEN) {
        return too_many("too_many_requests", format!("this agent or task has {MOST_OPEN} open requests"), 60)
            .map_err(|refusal| refusal.help("wait for them to be decided, or cancel some"));
    }
    if recent >= MOST_AN_HOUR {
        let wait = oldest.plus(HOUR).since(now).seconds().saturating_add(1);
        return too_many(
            "too_many_requests",
            format!("this agent has made {MOST_AN_HOUR} requests within an hour"),
            wait,
        );
    }
    if live.iter().any(|live| *live >= MOST_LIVE) {
        return too_many("too_many_grants", format!("this agent or task holds or asks for {MOST_LIVE} grants"), 60)
            .map_err(|refusal| refusal.help("use those, or wait until some have ended"));
    }
    Ok(())
}

fn is_open(entry: &Entry, now: Timestamp) -> bool {
    matches!(entry.exception.phase, Phase::Requested) && !entry.exception.is_over(now)
}
