//! The calls that an agent asked for of late, each asked again of the module as it stands now.

use std::collections::BTreeSet;

use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::outcome::Outcome;
use policy_core::question::{Purpose, SealedQuestion};
use policy_core::time::Timestamp;
use proviso_api::agents::CallToday;

use crate::app::App;
use crate::app::console::without_arguments;
use crate::app::event::QUESTION;
use crate::app::people::STORED;
use crate::app::refusal::Refusal;
use crate::store::Log;

/// How many different calls are asked again.
const MOST_CALLS: usize = 40;

impl App {
    /// The newest different calls, and how many more there were.
    pub(super) async fn calls_today(
        &self,
        agent: &EntityRef,
        sees_arguments: bool,
        now: Timestamp,
    ) -> Result<(Vec<CallToday>, u32), Refusal> {
        let asked = {
            let state = self.state();
            let mut seen = BTreeSet::new();
            let mut asked = state.accounts.asked_by(agent);
            asked.sort_by_key(|decided| std::cmp::Reverse(decided.seq));
            asked.retain(|decided| {
                let kind = &decided.kind;
                seen.insert((kind.action.clone(), kind.task.clone(), decided.input_digest))
            });
            asked
        };
        let more = u32::try_from(asked.len().saturating_sub(MOST_CALLS)).unwrap_or(u32::MAX);
        let mut calls = Vec::new();
        for decided in asked.into_iter().take(MOST_CALLS) {
            let record = self.store().record(Log::Decisions, decided.seq).map_err(|error| self.unreadable(&error))?;
            let bytes = record.as_ref().and_then(|record| record.payload(QUESTION));
            // One that was never sealed, or was erased, is asked of nobody.
            let Some(before) = bytes.and_then(|bytes| json::read_as::<SealedQuestion>(bytes, STORED).ok()) else {
                continue;
            };
            let question = self.as_of_now(&before, now);
            let (answer, _) = self.judge(&question).await;
            let grant = answer.grant.as_ref().filter(|_| answer.outcome == Outcome::PermittedByException);
            let exception = grant.and_then(|grant| self.state().grants.get(grant).cloned());
            calls.push(CallToday {
                says: if sees_arguments { self.policy().says(&question) } else { without_arguments(&question) },
                action: question.call.action.to_string(),
                resources: question.call.resources.clone(),
                task: question.task.to_string(),
                asked_at: decided.at,
                seq: decided.seq,
                permitted_then: decided.permitted,
                outcome: answer.outcome,
                reason: answer.reason,
                policies: answer.policies,
                exception,
            });
        }
        Ok((calls, more))
    }

    /// A recorded question as it would be sealed now: with today's facts, grants with their counters, and locks.
    pub(in crate::app) fn as_of_now(&self, before: &SealedQuestion, now: Timestamp) -> SealedQuestion {
        let mut question = self.policy().refresh(before, &[], now, before.requested.clone());
        question.purpose = Purpose::Question;
        question.requested = self.smallest_request(&question, now);
        let state = self.state();
        question.locks = self.locks_on(&state, &question, now);
        question.candidates = self.live_candidates(&state, &question);
        question
    }
}
