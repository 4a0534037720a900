//! What is asked of `console/`, with what the bundle knows of who asks and of what it is about.

use policy_core::abi::{ABI_VERSION, Console, ConsoleAct, Voter};
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;

use crate::Bundle;

impl Bundle {
    /// The question what this person may do. What is about an agent that the bundle does not know is about the gate: of
    /// an agent that is gone the record stays, for whoever looks after the whole.
    pub fn console_question(&self, person: &Voter, now: Timestamp, mut acts: Vec<ConsoleAct>) -> Console {
        let mut uids = vec![person.person.clone()];
        uids.extend(person.groups.iter().filter(|group| self.knows(group)).cloned());
        for act in &mut acts {
            act.about = act.about.take().map(|agent| self.shorten(&agent)).filter(|agent| self.is_agent(agent));
            if act.about.is_none() {
                (act.owners, act.requester) = (Vec::new(), None);
            }
            uids.extend(act.about.iter().chain(&act.owners).chain(&act.requester).cloned());
        }
        uids.sort();
        uids.dedup();
        let mut around = self.nothing();
        self.add_people(&mut around, &uids);
        let bundle = self.digests.bundle;
        Console { v: ABI_VERSION, bundle, person: person.clone(), now, entities: around.entities, acts }
    }

    /// An act without what no policy of `console/` looks at: what is alike then has one answer.
    pub fn lean_act(&self, act: ConsoleAct) -> ConsoleAct {
        self.console_reads.lean(act)
    }

    /// Whether the bundle knows this group, and lets such a person be in it.
    pub fn may_be_in(&self, person: &EntityRef, group: &EntityRef) -> bool {
        self.knows(group) && crate::brought::may_be_in(&self.rules, person, group)
    }

    /// Whether something can be asked about this agent itself.
    fn is_agent(&self, agent: &EntityRef) -> bool {
        let config = &self.rules.config;
        let is_subject = config.types.subjects.iter().any(|kind| config.short(kind) == agent.kind);
        is_subject && self.fact(agent).is_some()
    }

    /// Whether the bundle says itself who may do what in Proviso.
    pub fn has_console(&self) -> bool {
        self.files.keys().any(|path| path.starts_with("console/"))
    }
}
