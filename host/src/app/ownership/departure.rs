//! What somebody leaves behind: all that needs another owner.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::effective_state;
use policy_core::text;
use proviso_api::findings::FindingState;
use proviso_api::ownership::{
    Departure, GroupLine, LeftAgent, LeftCredential, LeftException, LeftLock, OwnerSource, Part,
};

use crate::app::App;
use crate::app::refusal::Refusal;
use crate::app::state::State;

impl App {
    /// All that needs a new owner when this person leaves, and which groups they are in, from where.
    ///
    /// # Errors
    /// `unknown_person`.
    pub fn departure(&self, user: &str) -> Result<Departure, Refusal> {
        let person = EntityRef::new(self.policy().person_type(), user);
        let now = self.now();
        let state = self.state();
        let departed_at = state.ownership.departed(&person);
        if departed_at.is_none() && !self.policy().people().contains(&person) {
            let shown = text::visible(user, 80);
            return Err(Refusal::not_found("unknown_person", format!("the bundle knows no person `{shown}`")));
        }
        // Only the bundle puts people into groups.
        let group = |group| GroupLine { group, source: OwnerSource::Bundle };
        let deputies = state
            .routing
            .deputies()
            .filter(|deputy| now < deputy.end())
            .filter(|deputy| deputy.deputyship.absent == person || deputy.deputyship.deputy == person);
        Ok(Departure {
            now,
            departed_at,
            groups: self.policy().groups_of(&person).into_iter().map(group).collect(),
            agents: self.left_agents(&state, &person),
            exceptions: self.left_exceptions(&state, &person),
            findings: state
                .findings
                .all()
                .filter(|finding| finding.state != FindingState::Resolved)
                .filter(|finding| finding.facts.owner.as_ref() == Some(&person))
                .map(|finding| finding.facts.id.clone())
                .collect(),
            locks: state
                .locks_now(now)
                .filter(|entry| entry.by == person)
                .map(|entry| LeftLock {
                    id: entry.lock.id.clone(),
                    reason: text::visible(&entry.reason, 200),
                    at: entry.at,
                })
                .collect(),
            deputies: deputies.map(|deputy| deputy.deputyship.id.clone()).collect(),
            credentials: state
                .registry
                .list(now)
                .into_iter()
                .filter(|(token, word)| *word == "live" && token.facts.person() == Some(&person))
                .map(|(token, _)| LeftCredential {
                    id: token.id.clone(),
                    kind: token.facts.word().to_owned(),
                    what: token.facts.line(),
                    expires_at: token.expires_at,
                })
                .collect(),
            person,
        })
    }

    fn left_agents(&self, state: &State, person: &EntityRef) -> Vec<LeftAgent> {
        let left = self.all_agents(state).into_iter().filter_map(|agent| {
            let owners = self.owners_now(state, &agent);
            let source = match state.ownership.of_agent(&agent).is_empty() {
                true => OwnerSource::Bundle,
                false => OwnerSource::HandOver,
            };
            owners.contains(person).then_some(LeftAgent { agent, owners, source })
        });
        left.collect()
    }

    /// Requests and grants that are not over.
    fn left_exceptions(&self, state: &State, person: &EntityRef) -> Vec<LeftException> {
        let now = self.now();
        let open = state.exceptions.iter().filter(|(_, entry)| State::is_open(entry) && !entry.exception.is_over(now));
        let left = open.filter_map(|(id, entry)| {
            let exception = &entry.exception;
            let mut parts = Vec::new();
            if self.owners_of_exception(state, id).contains(person) {
                parts.push(Part::Owner);
            }
            if exception.request.requester == *person {
                parts.push(Part::Requester);
            }
            if exception.votes.iter().any(|vote| vote.person == *person) {
                parts.push(Part::Voter);
            }
            (!parts.is_empty()).then(|| LeftException {
                id: id.clone(),
                state: effective_state(exception, now).word.to_owned(),
                says: self.policy().says(&exception.request.question),
                parts,
            })
        });
        left.collect()
    }
}
