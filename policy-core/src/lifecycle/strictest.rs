//! The stricter of two terms in every part.

use crate::grant::Rate;
use crate::outcome::Terms;

/// The stricter of two in every part: what counts when terms are asked again (R4).
pub fn strictest(first: &Terms, second: &Terms, tiers: &[String], step_ups: &[String]) -> Terms {
    Terms {
        tier: stronger(&first.tier, &second.tier, tiers).clone(),
        approvals: first.approvals.max(second.approvals),
        groups: union(&first.groups, &second.groups),
        max_duration: first.max_duration.min(second.max_duration),
        max_uses: first.max_uses.min(second.max_uses),
        step_up: match (&first.step_up, &second.step_up) {
            (Some(first), Some(second)) => Some(stronger(first, second, step_ups).clone()),
            (first, second) => first.clone().or_else(|| second.clone()),
        },
        presence: first.presence.max(second.presence),
        review_within: either(first.review_within, second.review_within, Ord::min),
        decide_within: by_effect(first, second, Terms::decide_within, |first, second| first <= second).decide_within,
        lead_time: both(first.lead_time, second.lead_time, Ord::min),
        max_rate: either(first.max_rate, second.max_rate, Rate::strictest),
        max_renewals: both(first.max_renewals, second.max_renewals, Ord::min),
        renewal_period: either(first.renewal_period, second.renewal_period, Ord::max),
        notify: in_order(told_first(first, second), told_first(second, first)),
        escalate: in_order(&first.escalate, &second.escalate),
        emergency_approvals: both(first.emergency_approvals, second.emergency_approvals, Ord::max),
        silence: by_effect(first, second, Terms::silence, |first, second| first >= second).silence,
        for_another: first.for_another && second.for_another,
        binding: first.binding || second.binding,
        raised_from: raised_from(first, second, tiers),
        policies: union(&first.policies, &second.policies),
    }
}

/// What the stronger tier was raised from: nothing where one of the two says it outright.
fn raised_from(first: &Terms, second: &Terms, tiers: &[String]) -> Option<String> {
    let tier = stronger(&first.tier, &second.tier, tiers);
    match (first.tier == *tier, second.tier == *tier) {
        (true, true) => Some(stronger(first.raised_from.as_ref()?, second.raised_from.as_ref()?, tiers).clone()),
        (true, false) => first.raised_from.clone(),
        _ => second.raised_from.clone(),
    }
}

/// The terms of the two whose part is the stricter, as it takes effect where it is not said.
fn by_effect<'a, T>(
    first: &'a Terms,
    second: &'a Terms,
    part: impl Fn(&Terms) -> T,
    stricter: impl Fn(T, T) -> bool,
) -> &'a Terms {
    if stricter(part(first), part(second)) { first } else { second }
}

/// What only both together allow.
fn both<T>(first: Option<T>, second: Option<T>, stricter: impl Fn(T, T) -> T) -> Option<T> {
    Some(stricter(first?, second?))
}

/// What either alone demands.
fn either<T: Copy>(first: Option<T>, second: Option<T>, stricter: impl Fn(T, T) -> T) -> Option<T> {
    both(first, second, stricter).or(first).or(second)
}

/// Who is told first by one of two terms: where only the other one names somebody, the groups that must vote.
const fn told_first<'a>(terms: &'a Terms, other: &Terms) -> &'a [String] {
    if terms.notify.is_empty() && !other.notify.is_empty() { terms.groups.as_slice() } else { terms.notify.as_slice() }
}

fn in_order(first: &[String], second: &[String]) -> Vec<String> {
    let mut all = first.to_vec();
    all.extend(second.iter().filter(|name| !first.contains(name)).cloned());
    all
}

/// The stronger of two words of a list from weakest to strongest. A word that the list does not know is the strongest:
/// what nobody can weigh, nobody has met.
fn stronger<'a>(first: &'a String, second: &'a String, ranks: &[String]) -> &'a String {
    let rank = |word: &String| ranks.iter().position(|known| known == word).unwrap_or(usize::MAX);
    if rank(second) > rank(first) { second } else { first }
}

fn union(first: &[String], second: &[String]) -> Vec<String> {
    let mut all: Vec<String> = first.iter().chain(second).cloned().collect();
    all.sort();
    all.dedup();
    all
}
