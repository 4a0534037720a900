//! What a bundle's `console/` may not come to by itself: that nobody could activate the next bundle.
//!
//! Told by the people and agents that `entities.json` declares, each asked as strongly signed in as there is.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::abi::{ConsoleAct, ConsoleAnswer, Voter};
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;

use crate::Bundle;
use crate::bundle::BundleError;
use crate::console::console;

/// Monday, 2026-11-23, 12:00 UTC: where a rule looks at the hour, a week of hours is tried from here.
const NOON: i64 = 1_795_435_200_000;
const HOUR: i64 = 3_600_000;
const WEEK: i64 = 7 * 24;

impl Bundle {
    /// What is wrong with who may do what.
    pub(crate) fn console_errors(&self) -> Vec<BundleError> {
        if !self.has_console() {
            return Vec::new();
        }
        let asked = self.asked(&[Act::Activate]);
        let able: BTreeSet<&EntityRef> =
            asked.iter().filter(|(_, _, answer)| answer.permitted).map(|(person, ..)| person).collect();
        let enough = |(_, _, answer): &(EntityRef, ConsoleAct, ConsoleAnswer)| {
            answer.permitted && usize::try_from(answer.persons).is_ok_and(|persons| persons <= able.len())
        };
        // INVARIANT (R4): a bundle that nobody could replace would hold for ever.
        if asked.iter().any(enough) {
            return Vec::new();
        }
        let message = match able.len() {
            0 => "nobody could activate the next bundle".to_owned(),
            _ => "activating takes two people, and one alone could do it".to_owned(),
        };
        let help = "permit `Proviso::Action::\"activate\"` on the gate to people of entities.json, to two where the permit \
                    says `@persons(\"2\")`";
        let first = self.files.keys().find(|path| path.starts_with("console/"));
        vec![BundleError::new(first.map_or("console", String::as_str), 1, "nobody_activates", message, help)]
    }

    /// Who may do what about the gate, at some hour of a week.
    pub(crate) fn may_at_the_gate(&self) -> BTreeSet<(EntityRef, Act)> {
        let asked = self.asked(&Act::ALL).into_iter();
        asked.filter(|(_, _, answer)| answer.permitted).map(|(person, act, _)| (person, act.act)).collect()
    }

    /// Whether a policy of the bundle's own `console/` looks at the time.
    pub fn console_looks_at_the_time(&self) -> bool {
        self.has_console() && self.console_reads.has("now")
    }

    /// Who may activate another bundle, as strongly signed in as there is and at some hour of a week: how many people
    /// `console/` demands of each.
    pub fn activators(&self) -> BTreeMap<EntityRef, u32> {
        let mut able: BTreeMap<EntityRef, u32> = BTreeMap::new();
        for (person, _, answer) in self.asked(&[Act::Activate]) {
            if answer.permitted {
                let persons = able.entry(person).or_insert(answer.persons);
                *persons = (*persons).min(answer.persons);
            }
        }
        able
    }

    /// What everybody of the bundle may do of this to the gate.
    fn asked(&self, acts: &[Act]) -> Vec<(EntityRef, ConsoleAct, ConsoleAnswer)> {
        let people = self.people();
        let assurance = self.rules.config.step_ups.last().cloned().unwrap_or_default();
        let hours = if self.console_reads.has("now") { WEEK } else { 1 };
        let of_the_gate = |act: &Act| ConsoleAct {
            act: *act,
            about: None,
            owners: Vec::new(),
            requester: None,
            action: None,
            tier: None,
            task: None,
        };
        let all: Vec<ConsoleAct> = acts.iter().map(of_the_gate).collect();
        let mut found = Vec::new();
        for person in people {
            let voter = Voter::new(person.clone(), assurance.clone());
            for hour in 0..hours {
                let now = Timestamp::from_millis(NOON.saturating_add(hour.saturating_mul(HOUR)));
                let question = self.console_question(&voter, now, all.clone());
                let answers = console(&self.rules, &question).unwrap_or_default();
                found.extend(all.iter().cloned().zip(answers).map(|(act, answer)| (person.clone(), act, answer)));
            }
        }
        found
    }
}
