//! What the next bundle would let one person do alone that takes two today: all of it, or no answer.
//!
//! Everybody of the next bundle is asked about everything that it lets them do anew, at each moment at which a rule on
//! the time may change its mind. What is the same in both bundles is not asked, and what is alike is asked once.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::ActionConstraint;
use policy_core::abi::{ConsoleAct, ConsoleAnswer, Voter};
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::question::EntityFact;
use policy_core::time::Timestamp;
use policy_core::value::Value;
use thiserror::Error;

use super::console;
use crate::Bundle;
use crate::bundle::Folder;

/// How many answers are asked for at most.
const MOST_ASKED: usize = 1_000_000;
/// How many are asked for at once.
const AT_ONCE: usize = 256;

/// One person could do alone what takes two under the bundle before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alone {
    /// What.
    pub act: Act,
    /// One who could.
    pub person: EntityRef,
    /// By which policies, by `@id`.
    pub policies: Vec<String>,
}

/// Nobody can tell in time what one person could do alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("whether one person could do alone what takes two takes more than {MOST_ASKED} questions to tell")]
pub struct TooMuch;

/// What one person could do alone under `new` that takes two under `old`, from this moment on, sorted: each act once.
///
/// INVARIANT (R4): what takes two people today takes two under the next bundle. Where not all of it can be tried there
/// is no answer, and the next bundle is refused (R8).
///
/// # Errors
/// [`TooMuch`].
pub fn alone(old: &Bundle, new: &Bundle, from: Timestamp) -> Result<Vec<Alone>, TooMuch> {
    let acts = by_two(old);
    if acts.is_empty() {
        return Ok(Vec::new());
    }
    // INVARIANT (R8): what is too much is counted before it is made: no bundle takes the memory that it would need.
    if old.console_reads.most_moments().saturating_add(new.console_reads.most_moments()) > MOST_ASKED {
        return Err(TooMuch);
    }
    let changed = Changed::of(old, new);
    let about: Vec<Option<EntityRef>> = std::iter::once(None).chain(unlike(old, new).into_iter().map(Some)).collect();
    let mut moments = old.console_reads.moments(from);
    moments.extend(new.console_reads.moments(from));
    let wanted = |person: &EntityRef| -> Vec<ConsoleAct> {
        let about = about.iter().filter(|about| changed.touches(person, about.as_ref()));
        let each = about.flat_map(|about| acts.iter().map(move |act| (*act, about.clone())));
        each.map(|(act, about)| asked_of(new, act, about)).collect()
    };
    let people = new.people();
    let mut asking = Asking { old, left: MOST_ASKED, least: BTreeMap::new() };
    for person in &people {
        let about = about.iter().filter(|about| changed.touches(person, about.as_ref())).count();
        asking.spend(about.saturating_mul(acts.len()).saturating_mul(moments.len()))?;
    }
    let mut found: BTreeMap<Act, Alone> = BTreeMap::new();
    for person in people {
        let wanted = wanted(&person);
        for now in &moments {
            for (act, answer) in answers(new, &person, *now, &wanted) {
                let does_alone = answer.permitted && answer.persons < 2 && !found.contains_key(&act.act);
                if does_alone && asking.takes_two(&act, *now)? {
                    found.insert(act.act, Alone { act: act.act, person: person.clone(), policies: answer.policies });
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

/// The bundle before, asked about what somebody does alone under the next one.
struct Asking<'a> {
    old: &'a Bundle,
    left: usize,
    least: BTreeMap<(Act, Option<EntityRef>, Timestamp), bool>,
}

impl Asking<'_> {
    fn spend(&mut self, asked: usize) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(asked).ok_or(TooMuch)?;
        Ok(())
    }

    /// Whether somebody may do it at that moment, and nobody may do it alone.
    fn takes_two(&mut self, act: &ConsoleAct, now: Timestamp) -> Result<bool, TooMuch> {
        let key = (act.act, act.about.clone(), now);
        if let Some(known) = self.least.get(&key) {
            return Ok(*known);
        }
        let people = self.old.people();
        self.spend(people.len())?;
        let act = [asked_of(self.old, act.act, act.about.clone())];
        let mut least: Option<u32> = None;
        for person in &people {
            for (_, answer) in answers(self.old, person, now, &act) {
                if answer.permitted {
                    least = Some(least.map_or(answer.persons, |least| least.min(answer.persons)));
                }
            }
        }
        let takes_two = least.is_some_and(|least| least > 1);
        self.least.insert(key, takes_two);
        Ok(takes_two)
    }
}

/// What somebody, as strongly signed in as there is, is answered. What gives no answer permits nothing.
fn answers(
    bundle: &Bundle,
    person: &EntityRef,
    now: Timestamp,
    acts: &[ConsoleAct],
) -> Vec<(ConsoleAct, ConsoleAnswer)> {
    let assurance = bundle.rules.config.step_ups.last().cloned().unwrap_or_default();
    let voter = Voter::new(person.clone(), assurance);
    let some = acts.chunks(AT_ONCE).flat_map(|some| {
        let answers = console(&bundle.rules, &bundle.console_question(&voter, now, some.to_vec()));
        some.iter().cloned().zip(answers.unwrap_or_default())
    });
    some.collect()
}

fn asked_of(bundle: &Bundle, act: Act, about: Option<EntityRef>) -> ConsoleAct {
    let owners = about.iter().flat_map(|agent| bundle.owners(agent)).collect();
    ConsoleAct { act, about, owners, requester: None, action: None, tier: None, task: None }
}

/// The acts that a policy which demands two people may be about.
fn by_two(bundle: &Bundle) -> Vec<Act> {
    let demands = &bundle.rules.policies.by_two;
    let policies = bundle.rules.policies.set(Folder::Console).policies();
    let scopes: Vec<ActionConstraint> = policies
        .filter(|policy| demands.contains(&policy.id().to_string()))
        .map(|policy| policy.action_constraint())
        .collect();
    let admits = |act: &Act, scope: &ActionConstraint| match scope {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => uid.id().unescaped() == act.word(),
        ActionConstraint::In(uids) => {
            let is_act = |word: &str| Act::ALL.iter().any(|act| act.word() == word);
            uids.iter().any(|uid| uid.id().unescaped() == act.word() || !is_act(uid.id().unescaped()))
        }
    };
    Act::ALL.into_iter().filter(|act| scopes.iter().any(|scope| admits(act, scope))).collect()
}

/// What is another thing in the next bundle.
struct Changed {
    /// The rules themselves are: then everything may be.
    rules: bool,
    /// Who and what is, or is told by something that is.
    facts: BTreeSet<EntityRef>,
}

impl Changed {
    fn of(old: &Bundle, new: &Bundle) -> Self {
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

    fn touches(&self, person: &EntityRef, about: Option<&EntityRef>) -> bool {
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
fn unlike(old: &Bundle, new: &Bundle) -> Vec<EntityRef> {
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
