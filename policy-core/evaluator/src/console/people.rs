//! Whom a bundle's `console/` would ever permit something: what an invitation can lead to is known before anybody comes.
//!
//! Told by what `entities.json` declares. Doubt is yes: what cannot be tried is taken as permitted.

use std::collections::BTreeSet;

use policy_core::abi::{ConsoleAct, Voter};
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;

use super::console;
use super::matters::Matters;
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
        let gate = [about_the_gate(act)];
        let strongest = self.rules.config.step_ups.last().map_or("", String::as_str);
        self.people().into_iter().filter(|person| self.tried((person, strongest), &gate, from)).collect()
    }

    /// Whether a person may ever do one of these, to the gate or to any agent, in whatever matter and by whatever
    /// sign-in.
    pub fn may_ever(&self, person: &EntityRef, acts: &[Act]) -> bool {
        // What nobody can try, such as what a rule wants a task to be called, could be permitted; nor can all of time be.
        let reads = self.console_reads.clone().told(self.facts.values());
        let Ok(matters) = Matters::of(&[(self, &reads)]) else { return true };
        if self.console_reads.has("now") {
            return true;
        }
        let agents: Vec<Option<EntityRef>> =
            std::iter::once(None).chain(self.subjects().into_iter().map(Some)).collect();
        let parts = agents.iter().map(|agent| matters.parts(agent.as_ref()).len());
        let tried = parts.fold(0, usize::saturating_add).saturating_mul(acts.len()).saturating_mul(matters.count());
        if tried > MOST_TRIED {
            return true;
        }
        let (all, people) = (matters.all(), self.people());
        let mut tried = Vec::new();
        for act in acts {
            for agent in &agents {
                let parts = matters.parts(agent.as_ref());
                let each = parts.iter().flat_map(|part| all.iter().map(move |matter| (part, matter)));
                tried.extend(each.map(|(part, matter)| matter.act((*act, agent.as_ref()), (person, *part), &people)));
            }
        }
        let from = Timestamp::from_millis(0);
        matters.assurances.iter().any(|assurance| self.tried((person, assurance), &tried, from))
    }

    /// Whether one of these is permitted at one hour at least.
    fn tried(&self, (person, assurance): (&EntityRef, &str), acts: &[ConsoleAct], from: Timestamp) -> bool {
        let voter = Voter::new(person.clone(), assurance.to_owned());
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

const fn about_the_gate(act: Act) -> ConsoleAct {
    ConsoleAct { act, about: None, owners: Vec::new(), requester: None, action: None, tier: None, task: None }
}
