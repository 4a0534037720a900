//! Calls that something stopped after they began: a revoke, a lock, the end of the task.

use std::collections::VecDeque;

use proviso_api::operations::ExecutionPhase;
use serde_json::json;

use super::call::{Exchange, Stage};
use super::{Action, Session};
use crate::mcp::{reply, sentences};

impl Session {
    /// Calls off what is under way by these evaluations. Whether the upstream obeys is its own affair: the outcome is
    /// unknown, and the client hears so. Nobody tells it who stopped the call, or why.
    pub(super) fn stopped(&mut self, evaluations: &[String]) {
        let is_stopped = |held: &[String]| held.iter().any(|evaluation| evaluations.contains(evaluation));
        let keys: Vec<String> = self
            .calls
            .iter()
            .filter(|(_, call)| {
                is_stopped(&call.evaluations) || call.announcing.as_ref().is_some_and(|id| evaluations.contains(id))
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in keys {
            self.call_off(&key);
        }
        let (stopped, kept): (VecDeque<Exchange>, VecDeque<Exchange>) =
            std::mem::take(&mut self.exchanges).into_iter().partition(|exchange| is_stopped(&exchange.evaluations));
        self.exchanges = kept;
        for exchange in stopped {
            self.report_all(&exchange.evaluations, &exchange.call, ExecutionPhase::OutcomeUnknown, None);
        }
    }

    fn call_off(&mut self, key: &str) {
        let Some(call) = self.calls.remove(key) else { return };
        // The upstream knows a call that the proxy has repeated under the proxy's own id.
        let repeated = self.continued.iter().find(|(_, original)| *original == key).map(|(own, _)| own.clone());
        let known_as = repeated.as_deref().unwrap_or(key).to_owned();
        self.continued.retain(|_, original| original != key);
        self.asked.retain(|_, asked| asked.call.as_deref() != Some(key));
        if call.stage == Stage::Sent
            && let Ok(id) = serde_json::from_str::<serde_json::Value>(&known_as)
        {
            let params = json!({"requestId": id, "reason": "stopped"});
            let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
            self.out.push(Action::ToUpstream(reply::line(&cancel)));
        }
        self.note(format!("a call of {} was called off", sentences::quoted(call.name())));
        let sentence = sentences::stopped(call.name(), call.begun);
        self.say_refused(&call, &sentence, &json!({"reason": "stopped"}), reply::refusal_code(call.era));
        self.report_outcome_unknown(&call);
    }
}
