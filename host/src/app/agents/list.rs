//! Who acts: the bundle's workloads, and whoever else has asked.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::effective_state;
use policy_core::question::LockTarget;
use policy_core::time::Timestamp;
use proviso_api::agents::{AgentLine, AgentList};

use crate::app::App;
use crate::app::console::About;
use crate::app::listing::{PageWanted, Place};
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;

/// What is counted of an agent's exceptions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    grants: u32,
    requests: u32,
}

impl App {
    /// The agents that this person may see, by id.
    ///
    /// # Errors
    /// `bad_page_token`; `limit` where the module gives no answer.
    pub async fn agents(&self, person: &PersonSession, page: &PageWanted) -> Result<AgentList, Refusal> {
        let now = self.now();
        let (position, counts, all) = {
            let state = self.state();
            let mut all: BTreeSet<EntityRef> = self.policy().subjects().into_iter().collect();
            all.extend(state.accounts.subjects().cloned());
            let counts = counts(&state, now);
            all.extend(counts.keys().cloned());
            (state.position, counts, all)
        };
        let place = |agent: &EntityRef| -> Place { (0, agent.to_string()) };
        let all = all.into_iter().map(|agent| (place(&agent), agent)).collect();
        let mut walk = self.walk(all, page, &person.person, &"agents")?;
        let mut agents = Vec::new();
        while let Some(some) = walk.some() {
            let seen = self.may_see(person, Act::View, some.iter().map(About::agent), now).await?;
            let seen = some.iter().zip(seen).filter(|(_, seen)| *seen).map(|(agent, _)| agent);
            let mut lines = self.agent_lines(seen, &counts, now);
            walk.saw(lines.len());
            agents.append(&mut lines);
        }
        Ok(AgentList { now, position, agents, next: self.next_page(walk)? })
    }

    fn agent_lines<'a>(
        &self,
        agents: impl Iterator<Item = &'a EntityRef>,
        counts: &BTreeMap<EntityRef, Counts>,
        now: Timestamp,
    ) -> Vec<AgentLine> {
        let state = self.state();
        let of = |agent: &EntityRef| counts.get(agent).copied().unwrap_or_default();
        agents.map(|agent| self.agent_line(&state, agent, of(agent), now)).collect()
    }

    pub(super) fn agent_line(&self, state: &State, agent: &EntityRef, counts: Counts, now: Timestamp) -> AgentLine {
        let on_it = LockTarget::Subject(agent.clone());
        AgentLine {
            known: self.policy().knows(agent),
            owners: self.owners_now(state, agent),
            grants: counts.grants,
            requests: counts.requests,
            locked: state.locks_in_force(now).any(|lock| lock.target == on_it),
            asked_at: state.accounts.last_asked(agent),
            agent: agent.clone(),
        }
    }
}

/// The live grants and open requests of each subject.
pub(super) fn counts(state: &State, now: Timestamp) -> BTreeMap<EntityRef, Counts> {
    let mut counts: BTreeMap<EntityRef, Counts> = BTreeMap::new();
    for entry in state.exceptions.values() {
        let subject = &entry.exception.request.question.call.subject;
        let of = counts.entry(subject.clone()).or_default();
        match effective_state(&entry.exception, now).word {
            "granted" | "not_active" => of.grants = of.grants.saturating_add(1),
            "requested" | "unconfirmed" => of.requests = of.requests.saturating_add(1),
            _ => {}
        }
    }
    counts
}
