//! What the next bundle says otherwise, and whom no rule can tell from another.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::question::EntityFact;
use policy_core::value::Value;

use crate::Bundle;

/// What is another thing in the next bundle.
pub(super) struct Changed {
    /// The rules themselves are: then everything may be.
    rules: bool,
    /// Who and what is, or is told by something that is.
    facts: BTreeSet<EntityRef>,
}

impl Changed {
    pub fn of(old: &Bundle, new: &Bundle) -> Self {
        let of_rules =
            |path: &str| path.starts_with("console/") || path.ends_with(".cedarschema") || path == "bundle.toml";
        let rules = |bundle: &Bundle| -> BTreeMap<String, String> {
            let files = bundle.files.iter().filter(|(path, _)| of_rules(path));
            files.map(|(path, text)| (path.clone(), text.clone())).collect()
        };
        let mut facts: BTreeSet<EntityRef> = BTreeSet::new();
        for (here, there) in [(old, new), (new, old)] {
            let differ = here.facts.values().filter(|fact| there.facts.get(&fact.uid) != Some(*fact));
            facts.extend(differ.map(|fact| fact.uid.clone()));
        }
        // Whoever is told by what changed, at however many removes, may be another, too.
        loop {
            let before = facts.len();
            for fact in old.facts.values().chain(new.facts.values()) {
                if fact.parents.iter().any(|uid| facts.contains(uid)) || fact.attrs.values().any(|at| holds(at, &facts))
                {
                    facts.insert(fact.uid.clone());
                }
            }
            if facts.len() == before {
                return Self { rules: rules(old) != rules(new), facts };
            }
        }
    }

    /// Whether what somebody may do about this may be another thing.
    pub fn touches(&self, person: &EntityRef, about: Option<&EntityRef>) -> bool {
        self.rules || self.facts.contains(person) || about.is_some_and(|about| self.facts.contains(about))
    }
}

fn holds(value: &Value, any: &BTreeSet<EntityRef>) -> bool {
    match value {
        Value::Entity(uid) => any.contains(uid),
        Value::Set(items) => items.iter().any(|item| holds(item, any)),
        Value::Record(members) => members.values().any(|member| holds(member, any)),
        _ => false,
    }
}

/// One agent of each kind that no rule can tell from another: alike in all that both bundles say of them, and named by
/// nothing.
pub(super) fn unlike(old: &Bundle, new: &Bundle) -> Vec<EntityRef> {
    let rules = || old.files.iter().chain(&new.files).filter(|(path, _)| path.starts_with("console/"));
    // How a text writes an odd character is many ways.
    let is_plain = |id: &str| id.chars().all(|one| one.is_ascii_graphic() && one != '"' && one != '\\');
    let is_written = |id: &str| !is_plain(id) || rules().any(|(_, text)| text.contains(id));
    let all = || old.facts.values().chain(new.facts.values());
    let mut told: BTreeSet<&EntityRef> = BTreeSet::new();
    for fact in all() {
        told.extend(&fact.parents);
        fact.attrs.values().for_each(|value| entities(value, &mut told));
    }
    let facts = |bundle: &Bundle, agent: &EntityRef| {
        let fact: Option<&EntityFact> = bundle.facts.get(agent);
        fact.map(|fact| (fact.attrs.clone(), fact.parents.clone(), bundle.owners(agent)))
    };
    let mut kinds = BTreeSet::new();
    let mut agents = new.subjects();
    agents.retain(|agent| {
        let named = (told.contains(agent) || is_written(&agent.id)).then(|| agent.id.clone());
        kinds.insert((agent.kind.clone(), named, facts(old, agent), facts(new, agent)))
    });
    agents
}

fn entities<'a>(value: &'a Value, into: &mut BTreeSet<&'a EntityRef>) {
    match value {
        Value::Entity(uid) => drop(into.insert(uid)),
        Value::Set(items) => items.iter().for_each(|item| entities(item, into)),
        Value::Record(members) => members.values().for_each(|member| entities(member, into)),
        _ => {}
    }
}
