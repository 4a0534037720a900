//! Of which people another bundle says something else: who decides nothing about it.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::Policy;
use policy_core::entity::EntityRef;
use policy_core::question::EntityFact;
use policy_core::value::Value;

use super::tree;
use crate::Bundle;
use crate::bundle::Folder;

/// Where a policy gives somebody a part in Proviso itself.
const OF_PEOPLE: [Folder; 2] = [Folder::Approve, Folder::Console];
/// How many it takes to activate another bundle that is not proved narrower.
const ENOUGH: usize = 2;

/// The people of both bundles of whom `new` says something else than `old`, sorted: the person, what they are in, what
/// is theirs, whom an issuer's subject is taken for, and a policy on people that names them.
///
/// INVARIANT (R4): nobody has a say in a change of what they are themselves.
pub fn named(old: &Bundle, new: &Bundle) -> Vec<EntityRef> {
    let people: BTreeSet<EntityRef> = old.people().into_iter().chain(new.people()).collect();
    let changed = changed_facts(old, new);
    let mut named = who_gain(old, new);
    for fact in &changed {
        named.extend(people.iter().filter(|person| fact.uid == **person || mentions(fact, person)).cloned());
    }
    let moved: BTreeSet<&EntityRef> = changed.iter().map(|fact| &fact.uid).collect();
    let policies = changed_policies(old, new);
    let mapped = changed_issuers(old, new);
    for person in &people {
        // A group that is another one now is another for all who are in it. Whoever is in others now is so by a fact of
        // theirs, or by one of a group that they were in.
        let by_group = ancestors(old, person).iter().any(|group| moved.contains(group));
        let long = new.rules.config.long(&person.kind);
        let by_policy = policies.iter().any(|policy| tree::names(policy, &long, person));
        let by_issuer = mapped.iter().any(|target| is_mapped_to(target, person));
        if by_group || by_policy || by_issuer {
            named.insert(person.clone());
        }
    }
    named.into_iter().collect()
}

/// Who may do more in Proviso by `new`, by whatever words a policy means them: where two who gain nothing are left to
/// decide about it, and where it is one alone. Else administrators could never change what all of them may.
fn who_gain(old: &Bundle, new: &Bundle) -> BTreeSet<EntityRef> {
    let (before, after) = (old.may_at_the_gate(), new.may_at_the_gate());
    let gain: BTreeSet<EntityRef> = after.difference(&before).map(|(person, _)| person.clone()).collect();
    let others = old.activators().into_keys().filter(|person| !gain.contains(person)).count();
    if gain.len() == 1 || others >= ENOUGH { gain } else { BTreeSet::new() }
}

/// Every fact that the other bundle has otherwise or not at all, from either side.
fn changed_facts<'a>(old: &'a Bundle, new: &'a Bundle) -> Vec<&'a EntityFact> {
    let differs = |here: &'a Bundle, there: &Bundle| {
        here.facts.values().filter(|fact| there.facts.get(&fact.uid) != Some(fact)).collect::<Vec<_>>()
    };
    differs(old, new).into_iter().chain(differs(new, old)).collect()
}

fn mentions(fact: &EntityFact, person: &EntityRef) -> bool {
    fact.parents.contains(person) || fact.attrs.values().any(|value| holds(value, person))
}

fn holds(value: &Value, person: &EntityRef) -> bool {
    match value {
        Value::Entity(uid) => uid == person,
        Value::Set(items) => items.iter().any(|item| holds(item, person)),
        Value::Record(members) => members.values().any(|member| holds(member, person)),
        _ => false,
    }
}

/// What somebody is in, directly or through another.
fn ancestors(bundle: &Bundle, person: &EntityRef) -> BTreeSet<EntityRef> {
    let (mut seen, mut wanted) = (BTreeSet::new(), vec![person.clone()]);
    while let Some(uid) = wanted.pop() {
        let parents = bundle.facts.get(&uid).into_iter().flat_map(|fact| &fact.parents);
        let more: Vec<EntityRef> = parents.filter(|parent| seen.insert((*parent).clone())).cloned().collect();
        wanted.extend(more);
    }
    seen
}

/// Every policy on people that the other bundle has otherwise or not at all, from either side.
fn changed_policies<'a>(old: &'a Bundle, new: &'a Bundle) -> Vec<&'a Policy> {
    let mut changed = Vec::new();
    for (here, there) in [(old, new), (new, old)] {
        for folder in OF_PEOPLE {
            let other = there.rules.policies.set(folder);
            let same = |policy: &&Policy| {
                other.policy(policy.id()).is_some_and(|other| other.to_json().ok() == policy.to_json().ok())
            };
            changed.extend(here.rules.policies.set(folder).policies().filter(|policy| !same(policy)));
        }
    }
    changed
}

/// Whom the subjects of issuers are taken for, where the two bundles do not say the same.
fn changed_issuers<'a>(old: &'a Bundle, new: &'a Bundle) -> BTreeSet<&'a str> {
    let flat = |bundle: &'a Bundle| -> BTreeMap<(&'a str, &'a str), &'a str> {
        let issuers = bundle.rules.config.issuers.iter();
        let each = |(issuer, patterns): (&'a String, &'a BTreeMap<String, String>)| {
            patterns.iter().map(move |(pattern, target)| ((issuer.as_str(), pattern.as_str()), target.as_str()))
        };
        issuers.flat_map(each).collect()
    };
    let (before, after) = (flat(old), flat(new));
    let differs = |here: &BTreeMap<_, &'a str>, there: &BTreeMap<_, &'a str>| {
        here.iter().filter(|(key, target)| there.get(*key) != Some(target)).map(|(_, target)| *target).collect()
    };
    let (mut all, more): (BTreeSet<&str>, BTreeSet<&str>) = (differs(&before, &after), differs(&after, &before));
    all.extend(more);
    all
}

/// Whether a target means this person: `TYPE::id`, or a beginning of it that ends with `*`.
fn is_mapped_to(target: &str, person: &EntityRef) -> bool {
    let whole = person.to_string();
    target.strip_suffix('*').map_or(target == whole, |start| whole.starts_with(start))
}
