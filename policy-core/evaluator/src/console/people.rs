//! Whom a bundle's `console/` would ever permit something: what an invitation can lead to is known before anybody comes.
//!
//! Told by what `entities.json` declares, with everybody as strongly signed in as there is. Doubt is yes: what cannot be
//! tried is taken as permitted.

use std::collections::BTreeSet;

use policy_core::abi::{ConsoleAct, Voter};
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;

use super::console;
use crate::Bundle;

const HOUR: i64 = 3_600_000;
const WEEK: i64 = 7 * 24;
/// How many questions are tried of one person at most.
const MOST_TRIED: usize = 50_000;
/// How many are asked at once.
const AT_ONCE: usize = 64;

impl Bundle {
    /// The people who may do this to the gate as a whole, alone or with another, at one hour at least of the week from
    /// here.
    pub fn who_may(&self, act: Act, from: Timestamp) -> BTreeSet<EntityRef> {
        let gate = [about(act, None, Vec::new())];
        self.people().into_iter().filter(|person| self.tried(person, &gate, from)).collect()
    }

    /// Whether a person may ever do one of these, to the gate or to any agent, in whatever matter.
    pub fn may_ever(&self, person: &EntityRef, acts: &[Act]) -> bool {
        // What a rule wants a task to be called nobody can try, nor all of time.
        if self.console_reads.has("task") || self.console_reads.has("now") {
            return true;
        }
        let mut tried = Vec::new();
        for act in acts {
            for agent in std::iter::once(None).chain(self.subjects().into_iter().map(Some)) {
                self.matters(person, *act, agent.as_ref(), &mut tried);
                if tried.len() > MOST_TRIED {
                    return true;
                }
            }
        }
        self.tried(person, &tried, Timestamp::from_millis(0))
    }

    /// Each matter in which a rule could be asked about this.
    fn matters(&self, person: &EntityRef, act: Act, agent: Option<&EntityRef>, into: &mut Vec<ConsoleAct>) {
        let reads = |member: &str| agent.is_some() && self.console_reads.has(member);
        let mut owners = vec![agent.map_or_else(Vec::new, |agent| self.owners(agent))];
        if reads("owners") {
            owners.push(vec![person.clone()]);
        }
        let requesters: &[Option<EntityRef>] = &[None, Some(person.clone())];
        let requesters = requesters.iter().take(if reads("requester") { 2 } else { 1 });
        let words = |wanted: bool, known: Vec<&String>| -> Vec<Option<String>> {
            let known = known.into_iter().filter(|_| wanted).map(|word| Some(word.clone()));
            std::iter::once(None).chain(known).collect()
        };
        let tiers = words(self.console_reads.has("tier"), self.rules.config.tiers.iter().collect());
        let actions = words(self.console_reads.has("action"), self.rules.actions.keys().collect());
        for requester in requesters {
            for owners in &owners {
                for tier in &tiers {
                    for action in &actions {
                        into.push(ConsoleAct {
                            requester: requester.clone(),
                            tier: tier.clone(),
                            action: action.clone(),
                            ..about(act, agent.cloned(), owners.clone())
                        });
                    }
                }
            }
        }
    }

    /// Whether one of these is permitted at one hour at least.
    fn tried(&self, person: &EntityRef, acts: &[ConsoleAct], from: Timestamp) -> bool {
        let assurance = self.rules.config.step_ups.last().cloned().unwrap_or_default();
        let voter = Voter::new(person.clone(), assurance);
        let hours = if self.console_reads.has("now") { WEEK } else { 1 };
        acts.chunks(AT_ONCE).any(|some| {
            (0..hours).any(|hour| {
                let now = Timestamp::from_millis(from.millis().saturating_add(hour.saturating_mul(HOUR)));
                let answers = console(&self.rules, &self.console_question(&voter, now, some.to_vec()));
                // INVARIANT (R8): what gives no answer could give a yes elsewhere.
                answers.map_or(true, |answers| answers.iter().any(|answer| answer.permitted))
            })
        })
    }
}

const fn about(act: Act, agent: Option<EntityRef>, owners: Vec<EntityRef>) -> ConsoleAct {
    ConsoleAct { act, about: agent, owners, requester: None, action: None, tier: None, task: None }
}
