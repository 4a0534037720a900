//! The counts, as pure functions of exceptions.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Exception, Phase, Vote, VoteDecision};
use policy_core::time::Timestamp;
use proviso_api::past::{DayCount, DayTimes, Narrowed, Part, Recurring, TeamTimes, Times};

use super::day_of;
use crate::app::past::time_to_decide;

/// How many people make a team whose times are told to others.
const TEAM: usize = 5;
/// How many recurring calls are told.
const MOST_RECURRING: usize = 10;

/// Requests by day, tier and what became of them.
pub(super) fn day_counts(all: &[Exception], from: Timestamp, now: Timestamp) -> Vec<DayCount> {
    let mut counts: BTreeMap<(u32, String, &'static str), u32> = BTreeMap::new();
    for exception in all {
        let day = day_of(exception.request.requested_at, from);
        let count = counts.entry((day, exception.terms.tier.clone(), outcome(exception, now))).or_default();
        *count = count.saturating_add(1);
    }
    let told = counts.into_iter();
    told.map(|((day, tier, outcome), count)| DayCount { day, tier, outcome: outcome.to_owned(), count }).collect()
}

fn outcome(exception: &Exception, now: Timestamp) -> &'static str {
    match &exception.phase {
        _ if exception.phase.grant().is_some() => "granted",
        Phase::Denied { .. } => "denied",
        Phase::Requested if !exception.is_over(now) => "open",
        _ => "undecided",
    }
}

/// How long deciding took, by the day of the request.
pub(super) fn day_times(all: &[Exception], from: Timestamp) -> Vec<DayTimes> {
    let mut by_day: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for exception in all {
        if let Some(time) = time_to_decide(exception) {
            by_day.entry(day_of(exception.request.requested_at, from)).or_default().push(time.seconds());
        }
    }
    by_day.into_iter().filter_map(|(day, seconds)| Some(DayTimes { day, times: of_seconds(seconds)? })).collect()
}

/// How long after the request the votes came that are meant.
pub(super) fn times(all: &[Exception], meant: impl Fn(&Vote) -> bool) -> Option<Times> {
    let seconds = all.iter().flat_map(|exception| {
        let asked = exception.request.requested_at;
        let votes = exception.votes.iter().filter(|vote| vote.decision != VoteDecision::Ask && meant(vote));
        votes.map(move |vote| vote.at.since(asked).seconds())
    });
    of_seconds(seconds.collect())
}

fn of_seconds(mut seconds: Vec<u64>) -> Option<Times> {
    seconds.sort_unstable();
    let last = seconds.len().checked_sub(1)?;
    let at = |part: usize| seconds.get(last.saturating_mul(part) / 100).copied();
    Some(Times { decided: u32::try_from(seconds.len()).unwrap_or(u32::MAX), half: at(50)?, most: at(95)? })
}

/// The times of each group of which enough people decided that nobody's own can be read from them.
pub(super) fn teams(all: &[Exception], groups: &BTreeMap<EntityRef, Vec<String>>) -> Vec<TeamTimes> {
    let mut people: BTreeMap<&str, BTreeSet<&EntityRef>> = BTreeMap::new();
    for vote in all.iter().flat_map(|exception| &exception.votes) {
        if vote.decision == VoteDecision::Ask {
            continue;
        }
        for group in groups.get(&vote.person).into_iter().flatten() {
            people.entry(group).or_default().insert(&vote.person);
        }
    }
    let enough = people.into_iter().filter(|(_, people)| people.len() >= TEAM);
    let told = enough.filter_map(|(group, people)| {
        let times = times(all, |vote| people.contains(&vote.person))?;
        let count = u32::try_from(people.len()).unwrap_or(u32::MAX);
        Some(TeamTimes { group: group.to_owned(), people: count, times })
    });
    told.collect()
}

/// What was asked for more than once, most often first.
pub(super) fn recurring(all: &[Exception]) -> Vec<Recurring> {
    let mut found: BTreeMap<(String, String), (Recurring, BTreeSet<String>)> = BTreeMap::new();
    for exception in all {
        let call = &exception.request.question.call;
        let resource = call.resources.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let fresh = || {
            let (action, resource) = (call.action.to_string(), resource.clone());
            (Recurring { action, resource, agent: None, asked: 0, granted: 0, refused: 0 }, BTreeSet::new())
        };
        let (line, agents) = found.entry((call.action.to_string(), resource.clone())).or_insert_with(fresh);
        agents.insert(call.subject.id.to_string());
        line.asked = line.asked.saturating_add(1);
        line.granted = line.granted.saturating_add(u32::from(exception.phase.grant().is_some()));
        line.refused = line.refused.saturating_add(u32::from(matches!(exception.phase, Phase::Denied { .. })));
    }
    let mut lines: Vec<Recurring> = found
        .into_values()
        .filter(|(line, _)| line.asked > 1)
        .map(|(line, agents)| Recurring { agent: agents.first().filter(|_| agents.len() == 1).cloned(), ..line })
        .collect();
    lines.sort_by(|a, b| b.asked.cmp(&a.asked).then_with(|| (&a.action, &a.resource).cmp(&(&b.action, &b.resource))));
    lines.truncate(MOST_RECURRING);
    lines
}

/// What was granted of what was asked.
pub(super) fn narrowed(all: &[Exception]) -> Narrowed {
    let mut sum = Narrowed::default();
    for exception in all {
        let Some(held) = exception.phase.grant() else { continue };
        let (asked, given) = (&exception.request.scope, &held.grant.scope);
        // A length that was asked for began when it was granted.
        let asked_from_then = asked.granted_at(held.granted_at, None);
        sum.grants = sum.grants.saturating_add(1);
        let narrower = asked.arguments != given.arguments
            || asked.resource != given.resource
            || asked.max_uses != given.max_uses
            || asked_from_then.not_after > given.not_after;
        sum.narrower = sum.narrower.saturating_add(u32::from(narrower));
        let seconds = asked_from_then.not_after.since(held.granted_at).seconds();
        sum.asked_seconds = sum.asked_seconds.saturating_add(seconds);
        sum.granted_seconds = sum.granted_seconds.saturating_add(held.length().seconds());
        sum.asked_uses = sum.asked_uses.saturating_add(u64::from(asked.max_uses));
        sum.granted_uses = sum.granted_uses.saturating_add(u64::from(given.max_uses));
        sum.taken_uses = sum.taken_uses.saturating_add(u64::from(held.uses));
    }
    sum
}

/// Grants that ended without a use, of all that ended.
pub(super) fn unused(all: &[Exception], now: Timestamp) -> Part {
    let ended = all.iter().filter(|exception| exception.ended_at(now).is_some());
    ended.filter_map(|exception| exception.phase.grant()).fold(Part::default(), |part, held| Part {
        count: part.count.saturating_add(u32::from(held.uses == 0)),
        of: part.of.saturating_add(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_and_most_are_of_what_there_is() {
        assert_eq!(of_seconds(Vec::new()), None);
        assert_eq!(of_seconds(vec![7]), Some(Times { decided: 1, half: 7, most: 7 }));
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(of_seconds(hundred), Some(Times { decided: 100, half: 50, most: 95 }));
    }
}
