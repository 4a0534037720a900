//! What an act is about, as policy sees it.

use policy_core::abi::ConsoleAct;
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::Exception;
use policy_core::question::LockTarget;
use proviso_api::ownership::Owned;
use proviso_api::stops::RevocationTarget;

use crate::app::App;
use crate::app::state::State;

/// What an act is about: an agent, with what is known of the matter; or the gate as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::app) struct About {
    agent: Option<EntityRef>,
    /// Whose owners count besides the agent's.
    exception: Option<String>,
    requester: Option<EntityRef>,
    action: Option<String>,
    tier: Option<String>,
    task: Option<String>,
}

impl About {
    /// The gate as a whole.
    pub const GATE: Self = Self { agent: None, exception: None, requester: None, action: None, tier: None, task: None };

    /// An agent.
    pub fn agent(agent: &EntityRef) -> Self {
        Self { agent: Some(agent.clone()), ..Self::GATE }
    }

    /// What an agent did or would do.
    pub fn action_of(agent: &EntityRef, action: &str) -> Self {
        Self { action: Some(action.to_owned()), ..Self::agent(agent) }
    }

    /// An exception.
    pub fn exception(exception: &Exception) -> Self {
        let question = &exception.request.question;
        Self {
            agent: Some(question.call.subject.clone()),
            exception: Some(exception.request.id.clone()),
            requester: Some(exception.request.requester.clone()),
            action: Some(question.call.action.to_string()),
            tier: Some(exception.terms.tier.clone()),
            task: Some(question.task.to_string()),
        }
    }

    /// The exception of this id; the gate where there is none.
    pub fn exception_of(state: &State, id: &str) -> Self {
        state.exceptions.get(id).map_or(Self::GATE, |entry| Self::exception(&entry.exception))
    }

    /// What a lock is on.
    pub fn target(state: &State, target: &LockTarget) -> Self {
        match target {
            LockTarget::Subject(agent) => Self::agent(agent),
            LockTarget::Grant(grant) => {
                state.by_grant(grant).map_or(Self::GATE, |entry| Self::exception(&entry.exception))
            }
            LockTarget::Task(task) => Self { task: Some(task.clone()), ..Self::GATE },
            LockTarget::Person(_) | LockTarget::Tool(_) | LockTarget::Server(_) => Self::GATE,
        }
    }

    /// What is taken away from.
    pub fn revocation(target: &RevocationTarget) -> Self {
        match target {
            RevocationTarget::Subject(agent) => Self::agent(agent),
            RevocationTarget::Task(task) => Self { task: Some(task.clone()), ..Self::GATE },
            RevocationTarget::Person(_) | RevocationTarget::Approver(_) | RevocationTarget::Credential(_) => Self::GATE,
        }
    }

    /// What somebody owns.
    pub fn owned(state: &State, of: &Owned) -> Self {
        match of {
            Owned::Agent(agent) => Self::agent(agent),
            Owned::Exception(id) => Self::exception_of(state, id),
        }
    }

    /// The task, where it is about what was done in one.
    pub fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }

    /// The agent, where it is about one.
    pub const fn of(&self) -> Option<&EntityRef> {
        self.agent.as_ref()
    }
}

impl App {
    /// The act as policy is asked about it: with who owns the agent, or the exception, now.
    pub(super) fn console_act(&self, state: &State, act: Act, about: &About) -> ConsoleAct {
        let mut owners = about.agent.as_ref().map_or_else(Vec::new, |agent| self.owners_now(state, agent));
        if let Some(id) = &about.exception {
            owners.extend(self.owners_of_exception(state, id));
        }
        owners.sort();
        owners.dedup();
        self.policy().lean_act(ConsoleAct {
            act,
            about: about.agent.clone(),
            owners,
            requester: about.requester.clone(),
            action: about.action.clone(),
            tier: about.tier.clone(),
            task: about.task.clone(),
        })
    }
}
