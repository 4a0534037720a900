//! What the next bundle would let one person do alone that takes two today: all of it, or no answer.
//!
//! Everybody of the next bundle is asked about everything that it lets them do anew, in each matter and by each sign-in
//! that a rule can tell from another, at each moment at which a rule on the time may change its mind. What is the same in
//! both bundles is not asked, and what is alike is asked once.

mod changed;
mod today;

use std::collections::BTreeMap;

use cedar_policy::{ActionConstraint, Policy};
use policy_core::abi::{ConsoleAct, ConsoleAnswer, Voter};
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use thiserror::Error;

use self::changed::{Changed, unlike};
use self::today::{Asked, Today};
use super::console;
use super::matters::{Matter, Matters, Part};
use super::reads::Reads;
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

/// Nobody can tell what one person could do alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TooMuch {
    /// Not in time.
    #[error("whether one person could do alone what takes two takes more than {MOST_ASKED} questions to tell")]
    Questions,
    /// A rule looks at something of which not every case can be tried.
    #[error(
        "whether one person could do alone what takes two cannot be told: a rule on it in `console/` looks at \
         `context.{0}` in a way of which not every case can be tried"
    )]
    Beyond(&'static str),
}

/// What one person could do alone under `new` that takes two under `old`, from this moment on, sorted: each act once.
///
/// INVARIANT (R4): what takes two people today takes two under the next bundle, whatever the matter and however they are
/// signed in. Where not all of it can be tried there is no answer, and the next bundle is refused (R8).
///
/// # Errors
/// [`TooMuch`].
pub fn alone(old: &Bundle, new: &Bundle, from: Timestamp) -> Result<Vec<Alone>, TooMuch> {
    let acts = by_two(old);
    if acts.is_empty() {
        return Ok(Vec::new());
    }
    let (before, after) = (reads(old, &acts), reads(new, &acts));
    // INVARIANT (R8): what is too much is counted before it is made: no bundle takes the memory that it would need.
    if too_many(before.most_moments(), after.most_moments()) {
        return Err(TooMuch::Questions);
    }
    let matters = if sabotaged!("r4_one_matter_tried") {
        Matters::of(&[(old, &Reads::default()), (new, &Reads::default())])
    } else {
        Matters::of(&[(old, &before), (new, &after)])
    };
    let mut moments = before.moments(from);
    moments.extend(after.moments(from));
    let each = matters.as_ref().map_or(1, Matters::count).saturating_mul(acts.len()).saturating_mul(moments.len());
    let changed = Changed::of(old, new);
    let about: Vec<Option<EntityRef>> = std::iter::once(None).chain(unlike(old, new).into_iter().map(Some)).collect();
    let (mut people, mut left) = (Vec::new(), MOST_ASKED);
    for person in new.people() {
        let about = about.iter().map(Option::as_ref).filter(|about| changed.touches(&person, *about));
        let about: Vec<Option<&EntityRef>> = about.collect();
        if about.is_empty() {
            continue;
        }
        let matters = matters.as_ref().map_err(|&member| TooMuch::Beyond(member))?;
        let parts: usize = about.iter().map(|about| matters.parts(*about).len()).sum();
        left = left.checked_sub(parts.saturating_mul(each)).ok_or(TooMuch::Questions)?;
        people.push((person, about));
    }
    // What nobody can try stands as it stood where nothing is another thing, and is not made either.
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let Ok(matters) = matters else { return Ok(Vec::new()) };
    let all = matters.all();
    let people_before = old.people();
    let mut today = Today::new(old, &people_before, &matters, left);
    let mut found: BTreeMap<Act, Alone> = BTreeMap::new();
    let others = new.people();
    for (person, about) in &people {
        let asked: Vec<(Act, Option<&EntityRef>, Part, &Matter)> = {
            let parts =
                about.iter().flat_map(|about| matters.parts(*about).into_iter().map(move |part| (*about, part)));
            let parts: Vec<(Option<&EntityRef>, Part)> = parts.collect();
            let each = parts.iter().flat_map(|part| all.iter().map(move |matter| (*part, matter)));
            each.flat_map(|((about, part), matter)| acts.iter().map(move |act| (*act, about, part, matter))).collect()
        };
        let wanted: Vec<ConsoleAct> = asked
            .iter()
            .map(|(act, about, part, matter)| matter.act((*act, *about), (person, *part), &others))
            .collect();
        for assurance in &matters.assurances {
            for now in &moments {
                let answers = answers(new, (person, assurance), *now, &wanted);
                for (&(act, about, part, matter), answer) in asked.iter().zip(answers) {
                    if !answer.permitted || answer.persons > 1 || found.contains_key(&act) {
                        continue;
                    }
                    let asked = Asked { act, about, matter, assurance, now: *now };
                    if today.takes_two(asked, person, part)? {
                        let person = person.clone();
                        found.insert(act, Alone { act, person, policies: answer.policies });
                    }
                }
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Whether so many moments are more than anything may be asked about.
const fn too_many(before: usize, after: usize) -> bool {
    before.saturating_add(after) > MOST_ASKED
}

/// What somebody who is signed in so strongly is answered, in the order of the acts. What gives no answer permits
/// nothing.
fn answers(
    bundle: &Bundle,
    (person, assurance): (&EntityRef, &str),
    now: Timestamp,
    acts: &[ConsoleAct],
) -> Vec<ConsoleAnswer> {
    let voter = Voter::new(person.clone(), assurance.to_owned());
    let nothing = || ConsoleAnswer { permitted: false, persons: 1, policies: Vec::new(), errors: Vec::new() };
    let some = acts.chunks(AT_ONCE).flat_map(|some| {
        let answers = console(&bundle.rules, &bundle.console_question(&voter, now, some.to_vec()));
        answers.unwrap_or_else(|_| some.iter().map(|_| nothing()).collect())
    });
    some.collect()
}

/// What the policies look at that may be about one of these.
fn reads(bundle: &Bundle, acts: &[Act]) -> Reads {
    let policies = bundle.rules.policies.set(Folder::Console).policies();
    Reads::among(policies.filter(|policy| acts.iter().any(|act| admits(*act, policy)))).told(bundle.facts.values())
}

/// The acts that a policy which demands two people may be about.
fn by_two(bundle: &Bundle) -> Vec<Act> {
    let demands = &bundle.rules.policies.by_two;
    let policies = bundle.rules.policies.set(Folder::Console).policies();
    let policies: Vec<&Policy> = policies.filter(|policy| demands.contains(&policy.id().to_string())).collect();
    Act::ALL.into_iter().filter(|act| policies.iter().any(|policy| admits(*act, policy))).collect()
}

/// Whether a policy's scope may be about this.
fn admits(act: Act, policy: &Policy) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => uid.id().unescaped() == act.word(),
        ActionConstraint::In(uids) => {
            let is_act = |word: &str| Act::ALL.iter().any(|act| act.word() == word);
            uids.iter().any(|uid| uid.id().unescaped() == act.word() || !is_act(uid.id().unescaped()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_too_many_from_the_first_that_nothing_may_be_asked_about() {
        for (before, after, many) in [
            (1, 1, false),
            (MOST_ASKED, 0, false),
            (0, MOST_ASKED, false),
            (1, MOST_ASKED, true),
            (usize::MAX, 1, true),
        ] {
            assert_eq!(too_many(before, after), many, "{before} and {after}");
        }
    }
}
