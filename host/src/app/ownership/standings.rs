//! Who has what, all at once, and where bundle and log disagree.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;
use proviso_api::findings::FindingState;
use proviso_api::ownership::{Disagreement, OwnershipReply, PersonLine, StillNamed};

use crate::app::App;
use crate::app::state::State;

/// How many people are told.
const MOST: usize = 500;

impl App {
    /// Who has what, and where bundle and log disagree on it.
    pub fn ownership(&self) -> OwnershipReply {
        let now = self.now();
        let state = self.state();
        let policy = self.policy();
        let mut people: BTreeMap<EntityRef, PersonLine> = BTreeMap::new();
        for person in
            policy.people().into_iter().chain(state.ownership.all_departed().map(|(person, _)| person.clone()))
        {
            let (departed_at, groups) = (state.ownership.departed(&person), policy.groups_of(&person));
            let line = PersonLine {
                person: person.clone(),
                departed_at,
                groups,
                agents: 0,
                exceptions: 0,
                findings: 0,
                deputies: 0,
            };
            people.insert(person, line);
        }
        self.count_owned(&state, &mut people);
        let mut people: Vec<PersonLine> = people.into_values().collect();
        let has = |line: &PersonLine| line.agents.saturating_add(line.exceptions).saturating_add(line.findings);
        people.sort_by_key(|line| {
            let gone = line.departed_at.is_some() && has(line) > 0;
            (std::cmp::Reverse(gone), std::cmp::Reverse(has(line)), line.person.clone())
        });
        let more = u64::try_from(people.len().saturating_sub(MOST)).unwrap_or(u64::MAX);
        people.truncate(MOST);
        let disagreements = state.ownership.agents().filter_map(|(agent, given)| {
            let bundle = policy.owners(agent);
            let (agent, hand_over, by) = (agent.clone(), given.owners.clone(), given.by.clone());
            (bundle != hand_over).then_some(Disagreement { agent, bundle, hand_over, since: given.at, by })
        });
        let disagreements = disagreements.collect();
        let declared = policy.all_owners();
        let named = state.ownership.all_departed().filter_map(|(person, departed_at)| {
            let groups = policy.groups_of(person);
            let owned = declared.iter().filter(|(_, owners)| owners.contains(person));
            let agents: Vec<EntityRef> = owned.map(|(agent, _)| agent.clone()).collect();
            let still = !groups.is_empty() || !agents.is_empty();
            still.then(|| StillNamed { person: person.clone(), departed_at, groups, agents })
        });
        let gone = named.collect();
        OwnershipReply { now, position: state.position, people, more, disagreements, gone }
    }

    fn count_owned(&self, state: &State, people: &mut BTreeMap<EntityRef, PersonLine>) {
        let now = self.now();
        let mut count = |person: &EntityRef, what: fn(&mut PersonLine) -> &mut u64| {
            if let Some(line) = people.get_mut(person) {
                let held = what(line);
                *held = held.saturating_add(1);
            }
        };
        for agent in self.all_agents(state) {
            self.owners_now(state, &agent).iter().for_each(|owner| count(owner, |line| &mut line.agents));
        }
        for (id, entry) in &state.exceptions {
            if State::is_open(entry) && !entry.exception.is_over(now) {
                let owners = self.owners_of_exception(state, id);
                owners.iter().for_each(|owner| count(owner, |line| &mut line.exceptions));
            }
        }
        for finding in state.findings.all().filter(|finding| finding.state != FindingState::Resolved) {
            finding.facts.owner.iter().for_each(|owner| count(owner, |line| &mut line.findings));
        }
        for deputy in state.routing.deputies().filter(|deputy| now < deputy.end()) {
            count(&deputy.deputyship.absent, |line| &mut line.deputies);
            count(&deputy.deputyship.deputy, |line| &mut line.deputies);
        }
    }

    /// Every agent that somebody owns, by the bundle or by a hand-over. Sorted.
    pub(super) fn all_agents(&self, state: &State) -> Vec<EntityRef> {
        let declared = self.policy().all_owners().into_iter().map(|(agent, _)| agent);
        let mut agents: Vec<EntityRef> =
            declared.chain(state.ownership.agents().map(|(agent, _)| agent.clone())).collect();
        agents.sort();
        agents.dedup();
        agents
    }
}
