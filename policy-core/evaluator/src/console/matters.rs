//! In which matters a rule of `console/` could be asked: each case of what these rules look at, tried one by one.
//!
//! What a rule looks at and nobody can enumerate is said by name: no case of it is left out silently.

use std::collections::BTreeSet;

use policy_core::abi::ConsoleAct;
use policy_core::console::Act;
use policy_core::entity::EntityRef;

use super::reads::Reads;
use crate::Bundle;

/// All that rules could be asked in.
pub(super) struct Matters {
    tiers: Vec<Option<String>>,
    actions: Vec<Option<String>>,
    tasks: Vec<Option<String>>,
    /// How strongly somebody may be signed in.
    pub assurances: Vec<String>,
    owners: bool,
    requester: bool,
}

/// One matter, whoever has a part in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Matter {
    tier: Option<String>,
    action: Option<String>,
    task: Option<String>,
}

/// What part somebody has in a matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    /// Whether they are an owner.
    pub owns: bool,
    /// Who asks.
    pub asks: Asks,
}

/// Who asks, as somebody sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asks {
    /// Nobody: it is about no request.
    Nobody,
    /// They themselves.
    Oneself,
    /// Somebody else.
    Another,
}

impl Matters {
    /// The cases of what these policies of these bundles look at, or what of it nobody can enumerate.
    pub fn of(asked: &[(&Bundle, &Reads)]) -> Result<Self, &'static str> {
        let is_beyond = |member: &&'static str| asked.iter().any(|(_, reads)| reads.is_beyond(member));
        // INVARIANT (R8): what a rule wants a task to be called, and which sets of people it tells apart, nobody can try.
        if let Some(member) = ["task", "owners", "requester"].into_iter().find(is_beyond) {
            return Err(member);
        }
        let reads = |member: &str| asked.iter().any(|(_, reads)| reads.has(member));
        let named: BTreeSet<String> = asked.iter().flat_map(|(_, reads)| reads.words()).cloned().collect();
        // Longer than each of them, so that it is none of them.
        let another: String = named.iter().map(String::as_str).chain(["another"]).collect();
        let words = |member: &str, known: BTreeSet<&String>| -> Vec<Option<String>> {
            if !reads(member) {
                return vec![None];
            }
            let all: BTreeSet<&String> = known.into_iter().chain(&named).chain([&another]).collect();
            std::iter::once(None).chain(all.into_iter().cloned().map(Some)).collect()
        };
        let configs = || asked.iter().map(|(bundle, _)| &bundle.rules.config);
        let strongest = asked.last().and_then(|(bundle, _)| bundle.rules.config.step_ups.last());
        let assurances = words("assurance", configs().flat_map(|config| &config.step_ups).collect());
        let assurances: Vec<String> = assurances.into_iter().flatten().collect();
        Ok(Self {
            tiers: words("tier", configs().flat_map(|config| &config.tiers).collect()),
            actions: words("action", asked.iter().flat_map(|(bundle, _)| bundle.rules.actions.keys()).collect()),
            // That there is a task is all that is looked at.
            tasks: if reads("task") { vec![None, Some(another.clone())] } else { vec![None] },
            assurances: if assurances.is_empty() { vec![strongest.cloned().unwrap_or_default()] } else { assurances },
            owners: reads("owners"),
            requester: reads("requester"),
        })
    }

    /// How many there are, by so many sign-ins each.
    pub fn count(&self) -> usize {
        let counts = [&self.tiers, &self.actions, &self.tasks].map(Vec::len);
        counts.into_iter().fold(self.assurances.len(), usize::saturating_mul)
    }

    /// Each of them.
    pub fn all(&self) -> Vec<Matter> {
        let mut all = Vec::new();
        for tier in &self.tiers {
            for action in &self.actions {
                for task in &self.tasks {
                    all.push(Matter { tier: tier.clone(), action: action.clone(), task: task.clone() });
                }
            }
        }
        all
    }

    /// Each part that somebody may have in one that is about this. Of the gate nobody is an owner, and nobody asks for it.
    pub fn parts(&self, about: Option<&EntityRef>) -> Vec<Part> {
        let owns: &[bool] = if about.is_some() && self.owners { &[false, true] } else { &[false] };
        let asks: &[Asks] = if about.is_some() && self.requester {
            &[Asks::Nobody, Asks::Oneself, Asks::Another]
        } else {
            &[Asks::Nobody]
        };
        owns.iter().flat_map(|owns| asks.iter().map(move |asks| Part { owns: *owns, asks: *asks })).collect()
    }
}

impl Matter {
    /// The act in this matter as `person` would be asked about it, who has this part in it. `people` has those who may be
    /// another.
    pub fn act(
        &self,
        (act, about): (Act, Option<&EntityRef>),
        (person, part): (&EntityRef, Part),
        people: &[EntityRef],
    ) -> ConsoleAct {
        ConsoleAct {
            act,
            about: about.cloned(),
            owners: if part.owns { vec![person.clone()] } else { Vec::new() },
            requester: match part.asks {
                Asks::Nobody => None,
                Asks::Oneself => Some(person.clone()),
                Asks::Another => people.iter().find(|other| *other != person).cloned(),
            },
            action: self.action.clone(),
            tier: self.tier.clone(),
            task: self.task.clone(),
        }
    }
}
