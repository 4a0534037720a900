//! What an agent is built of, where its issuer says so, is part of what a grant is bound to: another value uses none of its
//! grants, and suspends them.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Command, Phase, decide};
use policy_core::sabotaged;
use smol_str::SmolStr;

use crate::app::App;
use crate::app::append::Proposal;
use crate::app::refusal::Refusal;
use crate::app::state::{Entry, State};
use crate::identity::AgentCredential;
use crate::store::VersionKey;

/// Why a grant is suspended, as records and pages say it.
pub(in crate::app) const BUILD_CHANGED: &str = "build_changed";

/// Whether a grant may be used by an agent of this build. What another agent asked for on its behalf was asked without it.
///
/// INVARIANT (R3): an agent that says what it is built of, and one that does not, are two.
pub(in crate::app) fn is_of_build(entry: &Entry, build: Option<&str>) -> bool {
    entry.exception.request.is_for_another() || entry.origin.build.as_deref() == build || sabotaged!("r3_build")
}

impl App {
    /// Suspends the grants of this agent in its task that were approved for another build, before any is looked at.
    pub(in crate::app) async fn suspend_in_task(&self, agent: &AgentCredential) -> Result<(), Refusal> {
        // A point's word says nothing of what an agent is built of.
        if agent.is_vouched() {
            return Ok(());
        }
        let others: Vec<String> = {
            let state = self.state();
            let grants = self.index().find(&agent.subject, &agent.task);
            let entries = grants.iter().filter_map(|grant| state.by_grant(grant));
            others(entries, agent.build.as_deref())
        };
        self.suspend(others).await
    }

    /// The same in all its tasks, when an agent of this build is first seen.
    pub(super) async fn suspend_of(&self, subject: &EntityRef, build: Option<&str>) -> Result<(), Refusal> {
        let others = {
            let state = self.state();
            others(granted_to(&state, subject), build)
        };
        self.suspend(others).await
    }

    async fn suspend(&self, ids: Vec<String>) -> Result<(), Refusal> {
        for id in ids {
            let now = self.now();
            let context = self.bare_context(now)?;
            self.admit(|state| {
                let exception = state.exceptions.get(&id).map(|entry| &entry.exception);
                let events = decide(exception, Command::Suspend { reason: BUILD_CHANGED.to_owned() }, &context);
                let expected = vec![state.version(VersionKey::Exception(id.clone()))];
                let records = self.exception_records(now, &id, events.unwrap_or_default())?;
                Ok(Proposal { expected, records, answer: () })
            })
            .await?;
        }
        Ok(())
    }
}

fn granted_to<'a>(state: &'a State, subject: &'a EntityRef) -> impl Iterator<Item = &'a Entry> {
    let from = (subject.clone(), SmolStr::default());
    let of = state.granted.range(from..).take_while(move |((of, _), _)| of == subject);
    of.flat_map(|(_, ids)| ids).filter_map(|id| state.exceptions.get(id))
}

fn others<'a>(entries: impl Iterator<Item = &'a Entry>, build: Option<&str>) -> Vec<String> {
    let live = entries.filter(|entry| matches!(entry.exception.phase, Phase::Granted(_)));
    let others = live.filter(|entry| !is_of_build(entry, build));
    others.map(|entry| entry.exception.request.id.clone()).collect()
}
