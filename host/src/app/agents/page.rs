//! One agent, with everything that lets it do something today.

use std::collections::BTreeSet;

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::question::LockTarget;
use policy_core::time::Timestamp;
use proviso_api::agents::{AgentReply, PolicyMention};
use proviso_api::ownership::Owned;

use super::list::counts;
use crate::app::App;
use crate::app::console::About;
use crate::app::listing::PageWanted;
use crate::app::queue::ExceptionsWanted;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;

impl App {
    /// One agent.
    ///
    /// # Errors
    /// `not_permitted_here`; `unknown_agent` for whom neither bundle nor record knows; `too_many_looks`; `limit`.
    pub async fn agent(&self, person: &PersonSession, agent: &EntityRef) -> Result<AgentReply, Refusal> {
        let about = About::agent(agent);
        self.hold_act(person, Act::View, &about).await?;
        let now = self.now();
        let (position, line) = {
            let state = self.state();
            let counts = counts(&state, now).remove(agent);
            let known = self.policy().knows(agent) || state.accounts.last_asked(agent).is_some() || counts.is_some();
            if !known || !self.policy().is_subject(&agent.kind) {
                return Err(Refusal::not_found("unknown_agent", "neither bundle nor record knows such an agent")
                    .help("take the agent's type and id from the list of agents"));
            }
            (state.position, self.agent_line(&state, agent, counts.unwrap_or_default(), now))
        };
        let looks = [Act::ViewRecord, Act::ViewArguments];
        let asked: Vec<(Act, About)> = looks.iter().map(|act| (*act, about.clone())).collect();
        let answers = self.may_each(person, &asked, now).await?;
        let may: Vec<bool> = answers.iter().map(|answer| answer.permitted && answer.persons < 2).collect();
        let hidden: Vec<Act> = looks.into_iter().zip(&may).filter(|(_, may)| !**may).map(|(act, _)| act).collect();
        let (stage, subject) = (Some("current".to_owned()), Some(agent.clone()));
        let current = ExceptionsWanted { stage, subject, ..ExceptionsWanted::default() };
        let mut exceptions = Vec::new();
        let mut page = PageWanted::default();
        loop {
            let list = self.exceptions(person, &current, &page).await?;
            exceptions.extend(list.exceptions);
            match list.next {
                Some(token) => page.token = Some(token),
                None => break,
            }
        }
        let (tasks, people) = self.stands_in(agent, now);
        let grants: Vec<String> = exceptions.iter().filter_map(|line| line.grant.clone()).collect();
        let mut locks = self.locks_seen_by(person).await?.locks;
        locks.retain(|line| match &line.lock.target {
            LockTarget::Subject(of) => of == agent,
            LockTarget::Task(task) => tasks.contains(task),
            LockTarget::Grant(grant) => grants.contains(grant),
            LockTarget::Person(of) => people.contains(of),
            // What is stopped for everybody is stopped for it, too.
            LockTarget::Tool(_) | LockTarget::Server(_) => true,
        });
        // Its calls are asked again of the module, which others wait for, too.
        let _turn = self.turn_to_look(&person.person).await?;
        let (calls, more_calls) = match may.as_slice() {
            [true, sees] => self.calls_today(agent, *sees, now).await?,
            _ => (Vec::new(), 0),
        };
        Ok(AgentReply {
            now,
            position,
            line,
            owner: self.owner(&Owned::Agent(agent.clone())).ok(),
            attributes: self.policy().attributes(agent),
            locks,
            exceptions,
            policies: self.mentions(agent),
            calls,
            more_calls,
            hidden,
        })
    }

    /// The tasks of what an agent holds or asks for now, and the people that it acts for in these.
    fn stands_in(&self, agent: &EntityRef, now: Timestamp) -> (BTreeSet<String>, BTreeSet<EntityRef>) {
        let state = self.state();
        let (mut tasks, mut people) = (BTreeSet::new(), BTreeSet::new());
        for entry in state.exceptions.values().filter(|entry| State::is_open(entry)) {
            let request = &entry.exception.request;
            if request.question.call.subject == *agent && !entry.exception.is_over(now) {
                tasks.insert(request.question.task.to_string());
                people.insert(request.requester.clone());
                people.extend(request.question.chain.iter().map(|hop| hop.entity.clone()));
            }
        }
        (tasks, people)
    }

    fn mentions(&self, agent: &EntityRef) -> Vec<PolicyMention> {
        let told = self.policy().about(agent).into_iter();
        let told = told.map(|told| PolicyMention {
            policy: told.policy,
            folder: told.folder.path().to_owned(),
            file: told.file,
            line: told.line,
            actions: told.actions,
            resources: told.resources,
            resources_in_all: u32::try_from(told.resources_in_all).unwrap_or(u32::MAX),
            looks_at_the_call: told.looks_at_the_call,
            text: told.text,
        });
        told.collect()
    }
}
