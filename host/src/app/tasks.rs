//! A task is the one unit of work that an agent acts in. It can end, and ends what hangs on it.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::question::LockTarget;
use policy_core::text;
use proviso_api::stops::TaskEnded;

use super::App;
use super::console::About;
use super::refusal::Refusal;
use super::settings::Operator;
use super::stops::HeldStop;
use crate::identity::PersonSession;

/// The type that a user of the operating system is recorded under.
pub(super) const OPERATOR: &str = "operator";

impl App {
    /// Ends a task: its grants are dead, its open requests closed, and nothing more is allowed or asked for in it.
    /// Of one that is over already nothing is written.
    ///
    /// # Errors
    /// `reason_needed`; `no_such_task`; `stop_unrecorded` when it holds but could not be recorded.
    pub async fn end_task(&self, person: &PersonSession, task: &str, reason: &str) -> Result<TaskEnded, Refusal> {
        let about = About::target(&self.state(), &LockTarget::Task(task.to_owned()));
        self.hold_act(person, Act::Revoke, &about).await?;
        self.end_task_by(person.person.clone(), task, reason).await
    }

    /// The same, for whoever sits at the Unix socket.
    ///
    /// # Errors
    /// As [`Self::end_task`].
    pub async fn end_task_as(&self, by: &Operator, task: &str, reason: &str) -> Result<TaskEnded, Refusal> {
        self.end_task_by(EntityRef::new(OPERATOR, &by.name), task, reason).await
    }

    async fn end_task_by(&self, by: EntityRef, task: &str, reason: &str) -> Result<TaskEnded, Refusal> {
        super::stops::check_reason(reason, "the end of a task")?;
        let known = {
            let state = self.state();
            let asked = |entry: &super::state::Entry| entry.exception.request.question.task == task;
            state.registry.actors_in(task).next().is_some() || state.exceptions.values().any(asked)
        };
        if !known {
            let shown = text::visible(task, 80);
            return Err(Refusal::not_found("no_such_task", format!("nobody acts in a task `{shown}`"))
                .help("`proviso token list` shows the tasks that tokens were minted for"));
        }
        let stop = HeldStop::EndTask { task: task.to_owned(), by, reason: reason.to_owned() };
        let stopped = self.stop(stop).await?;
        let calls_in_flight = self.calls_in_flight(|flight| flight.task() == task);
        Ok(TaskEnded { grants: stopped.grants, requests: stopped.requests, calls_in_flight })
    }
}
