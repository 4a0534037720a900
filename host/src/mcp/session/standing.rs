//! How a request stands: looking, as often as the gate allows, and telling it.

use proviso_api::access_request::TaskReply;
use serde_json::{Value, json};

use super::{Action, Answer, Ask, Rest, Session, Told, Waiting};
use crate::mcp::own_tools::Errand;
use crate::mcp::sentences::{self, Failure};

/// How long between two looks at a request where the gate does not say, in milliseconds: it may answer at once.
const PAUSE: u64 = 1_000;
/// How long one look lasts at most, in seconds: less than what stands between here and the gate cuts off.
const LONGEST_LOOK: u64 = 25;

impl Session {
    /// Looks how a request stands, or waits until it may be looked at again.
    pub(super) fn look(&mut self, key: &str, now: u64) {
        let Some(state) = self.errands.get(key) else { return };
        let Errand::Wait { request, .. } = &state.errand else { return };
        let until = state.until;
        // ARAP 11: nobody looks before the time that the gate said.
        if let Some(rest) = self.rests.get(request).filter(|rest| now < rest.until) {
            if now >= until {
                let told = rest.told.clone();
                return self.tell_standing(key, &told);
            }
            return self.pause(key, rest.until.min(until) - now);
        }
        // The gate answers once there is news: nobody looks every second.
        let wait = until.saturating_sub(now).div_ceil(1_000).min(LONGEST_LOOK);
        let request = request.clone();
        self.ask(Waiting::ErrandStatus(key.to_owned()), Ask::Status { request, wait });
    }

    pub(super) fn errand_looked(&mut self, key: &str, answer: Result<Answer, Failure>, now: u64) {
        let told = match answer {
            Ok(Answer::Task(told)) => told,
            Ok(_) => return self.fail_errand(key, &Failure::AllowIncomplete),
            Err(failure) => return self.fail_errand(key, &failure),
        };
        self.rest(&told, now);
        // An errand that was cancelled meanwhile is gone.
        let Some(state) = self.errands.get(key) else { return };
        let nothing_new = told.reply.task.status == "pending" && !sentences::asks_something(&told.reply);
        if nothing_new && now < state.until {
            self.pause(key, PAUSE.min(state.until - now));
        } else {
            self.tell_standing(key, &told);
        }
    }

    fn pause(&mut self, key: &str, millis: u64) {
        let ticket = self.ticket(Waiting::ErrandPause(key.to_owned()));
        self.out.push(Action::After(ticket, millis));
    }

    /// Remembers until when a request is not looked at again, and what is told of it until then.
    fn rest(&mut self, told: &Told, now: u64) {
        self.rests.retain(|_, rest| now < rest.until);
        if let Some(seconds) = told.retry_after {
            let until = now.saturating_add(seconds.saturating_mul(1_000));
            self.rests.insert(told.reply.task.id.clone(), Rest { until, told: told.clone() });
        }
    }

    /// What is told of a request until it is looked at again holds that this question has its answer.
    pub(super) fn remember_answer(&mut self, request: &str, question: u32) {
        let display = self.rests.get_mut(request).and_then(|rest| rest.told.reply.task.display.as_mut());
        for asked in display.into_iter().flat_map(|display| &mut display.questions) {
            asked.answered |= asked.vote == question;
        }
    }

    pub(super) fn tell_standing(&mut self, key: &str, told: &Told) {
        if let Some(approval) = &told.approval {
            self.approvals.approved(&told.reply.task.id, approval);
        }
        let sentence = sentences::standing(&told.reply);
        self.finish_errand(key, &sentence, &standing_data(&told.reply), false);
    }
}

/// How a request stands, as data for a model.
///
/// INVARIANT (R11): people's words are data; the gate has bounded them and made visible what cannot be seen.
/// ARAP 21.3.4: where people review is for people.
fn standing_data(reply: &TaskReply) -> Value {
    let task = &reply.task;
    let mut data = json!({"request": task.id, "status": task.status});
    let Some(members) = data.as_object_mut() else { return data };
    if let Some(at) = task.expires_at {
        members.insert("decide_by".to_owned(), json!(at));
    }
    if let Some(progress) = &task.progress {
        members.insert("approvals".to_owned(), json!({"have": progress.current_step, "need": progress.total_steps}));
    }
    if let Some(display) = &task.display {
        if let Some(reason) = &display.reason {
            members.insert("reason".to_owned(), reason.clone().into());
        }
        if let Some(granted) = &display.granted {
            members.insert("granted".to_owned(), json!(granted));
        }
        let questions = display.questions.iter().map(|asked| {
            json!({"question": asked.vote, "words": asked.words, "asked_at": asked.asked_at, "answered": asked.answered})
        });
        if !display.questions.is_empty() {
            members.insert("questions".to_owned(), questions.collect());
        }
    }
    if let Some(result) = &reply.result {
        members.insert("approved_until".to_owned(), json!(result.approval.approved_until));
    }
    data
}
