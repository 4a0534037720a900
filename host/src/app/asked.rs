//! How a request stands, for who asked: ARAP's task, and taking it back.

use std::time::Duration;

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Command, Exception, Phase, Vote, VoteDecision, approvals_that_count, decide};
use policy_core::text;
use policy_core::time::{Span, Timestamp};
use proviso_api::access_request::{Links, Progress, Task, TaskDisplay, TaskQuestion, TaskReply, TaskResult};
use tokio::sync::broadcast::error::RecvError;

use super::App;
use super::append::Proposal;
use super::asker::Asker;
use super::people::rejected;
use super::refusal::{Refusal, RefusalKind};
use crate::identity::Credential;
use crate::store::VersionKey;

/// The longest that a status answer may wait for a decision, in seconds.
pub const LONGEST_WAIT: u64 = 60;
/// How many may wait at once.
pub(super) const MOST_WAITING: usize = 256;
/// How long a request is told of after it and its grant are over.
const TOLD_FOR: Span = Span::from_seconds(7 * 86_400);

/// How a request stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The task.
    pub reply: TaskReply,
    /// When to look again, in seconds; none once it is decided, and none after an answer that waited as long as it might.
    pub retry_after: Option<u32>,
}

impl Standing {
    /// Whether there is something for who asked to do: it is decided, or a question waits for an answer.
    fn is_news(&self) -> bool {
        let questions = self.reply.task.display.iter().flat_map(|display| &display.questions);
        self.reply.task.status != PENDING || questions.into_iter().any(|question| !question.answered)
    }
}

/// The status of what nobody has decided yet.
const PENDING: &str = "pending";
/// How much of an approver's words an agent is told.
const SAID: usize = 500;

impl App {
    /// How a request stands, for the agent that asked: at once, or when there is news within this time: it is decided, or
    /// somebody asks what nobody has answered.
    ///
    /// # Errors
    /// `unknown_task`, the same for another agent's request; `task_expired` a week after it and its grant were over.
    pub async fn request_status(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        id: &str,
        wait: Duration,
    ) -> Result<Standing, Refusal> {
        let mut changes = self.subscribe();
        let standing = self.standing(caller, subject, id)?;
        if wait.is_zero() || standing.is_news() {
            return Ok(standing);
        }
        // Where too many wait, this agent's or all together, nobody is refused: they are told at once, and when to look
        // again.
        let agent = Asker::of(caller, subject)?.agent.subject;
        let Some(_own) = self.place_to_wait(&agent) else { return Ok(standing) };
        let Ok(_waiting) = self.0.waiting.try_acquire() else { return Ok(standing) };
        let _told = self.begin_to_wait(id);
        let left = standing.reply.task.expires_at.map(|end| end.since(self.now()).seconds().saturating_add(1));
        let wait = left.map_or(wait, |left| wait.min(Duration::from_secs(left)));
        let news = async {
            loop {
                match changes.recv().await {
                    Ok(change) if change.exception.as_deref() != Some(id) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => match self.standing(caller, subject, id) {
                        Ok(standing) if !standing.is_news() => {}
                        _ => break,
                    },
                    Err(RecvError::Closed) => break,
                }
            }
        };
        // News, or the time is over: either way it is told as it stands now, to whom may still be told.
        let waited = tokio::time::timeout(wait, news).await.is_err();
        let standing = self.standing(caller, subject, id)?;
        // Who has waited its time out has waited: it may ask again at once.
        Ok(Standing { retry_after: standing.retry_after.filter(|_| !waited), ..standing })
    }

    fn standing(&self, caller: &Credential, subject: Option<&Credential>, id: &str) -> Result<Standing, Refusal> {
        self.own_request(caller, subject, id)?;
        let now = self.now();
        let (asked, over) = {
            let state = self.state();
            self.hold_credentials(&state, &Asker::of(caller, subject)?, now)?;
            let exception = &state.exceptions.get(id).ok_or_else(unknown_task)?.exception;
            let end = exception.phase.grant().map(|held| held.grant.scope.not_after);
            (exception.request.requested_at, end.into_iter().fold(exception.decide_by(), Timestamp::max))
        };
        if now >= over.plus(TOLD_FOR) {
            return Err(Refusal::new(RefusalKind::Gone, "task_expired", "the request has been over for too long")
                .help("evaluate the call again"));
        }
        let reply = self.task(id)?;
        let pending = reply.task.status == PENDING;
        // ARAP: from a few seconds to a minute, the longer it takes.
        let pause = (now.since(asked).seconds() / 10).clamp(2, 60);
        Ok(Standing { retry_after: pending.then_some(u32::try_from(pause).unwrap_or(60)), reply })
    }

    /// Takes a request back.
    ///
    /// # Errors
    /// `unknown_task`; `invalid_task_state` when it is decided.
    pub async fn cancel(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        id: &str,
        reason: &str,
    ) -> Result<TaskReply, Refusal> {
        let by = self.own_request(caller, subject, id)?;
        let now = self.now();
        let context = self.bare_context(now)?;
        self.admit(|state| {
            let entry = state.exceptions.get(id).ok_or_else(unknown_task)?;
            let command = Command::Cancel { by: by.clone(), reason: reason.to_owned() };
            let over = || {
                Refusal::conflict("invalid_task_state", "the request is decided or over")
                    .help("look how it stands; a new need is a new request")
            };
            let events = decide(Some(&entry.exception), command, &context).map_err(|rejection| {
                let code = rejection.code();
                if code == "text_too_long" {
                    return rejected(rejection);
                }
                over()
            })?;
            // ARAP: what is cancelled is over like all else, and is told so.
            if events.is_empty() {
                return Err(over());
            }
            let expected = vec![state.version(VersionKey::Exception(id.to_owned()))];
            Ok(Proposal { expected, records: self.exception_records(now, id, events)?, answer: () })
        })
        .await?;
        self.task(id)
    }

    /// The agent, if this request is for it or was made by it. Also an agent alone may look after what it asked for.
    pub(super) fn own_request(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        id: &str,
    ) -> Result<EntityRef, Refusal> {
        let asker = Asker::of(caller, subject)?;
        let state = self.state();
        let entry = state.exceptions.get(id).ok_or_else(unknown_task)?;
        let question = &entry.exception.request.question;
        let point =
            asker.point.as_ref().is_none_or(|point| question.enforcement_point.as_deref() == Some(point.name.as_str()));
        let ours = question.call.subject == asker.agent.subject
            || entry.exception.request.asker.as_ref() == Some(&asker.agent.subject);
        // INVARIANT (R3): what was asked with an agent's own credential is not for a point's word, nor the other way round.
        let shown = question.vouched == asker.agent.is_vouched();
        if ours && shown && question.task == asker.agent.task && point {
            Ok(asker.agent.subject)
        } else {
            Err(unknown_task())
        }
    }

    /// A request as ARAP's task.
    pub(super) fn task(&self, id: &str) -> Result<TaskReply, Refusal> {
        let now = self.now();
        let state = self.state();
        let exception = &state.exceptions.get(id).ok_or_else(unknown_task)?.exception;
        let granted = exception.phase.grant();
        let status = match &exception.phase {
            _ if granted.is_some() => "approved",
            Phase::Denied { .. } => "denied",
            Phase::Cancelled { .. } => "cancelled",
            Phase::Lapsed { .. } => "expired",
            _ if exception.is_over(now) => "expired",
            _ => PENDING,
        };
        let reason = match &exception.phase {
            Phase::Denied { reason, .. } => Some(text::visible(reason, SAID)),
            _ => None,
        };
        let scope = granted.map(|held| held.grant.scope.clone());
        let questions = if status == PENDING { questions(exception) } else { Vec::new() };
        let url = &self.settings().public_url;
        let approvals = exception.terms.approvals;
        let task = Task {
            id: id.to_owned(),
            status: status.to_owned(),
            status_endpoint: format!("{url}/access/v1/requests/{id}"),
            expires_at: (status == PENDING).then_some(exception.decide_by()),
            progress: (status == PENDING)
                .then(|| Progress { current_step: self.votes(exception).min(approvals), total_steps: approvals }),
            display: (reason.is_some() || scope.is_some() || !questions.is_empty()).then_some(TaskDisplay {
                reason,
                granted: scope,
                questions,
            }),
            links: Links {
                cancel: format!("{url}/access/v1/requests/{id}/cancel"),
                review: format!("{url}/exceptions/{id}"),
            },
        };
        let grant = granted.map(|held| held.grant.id.clone());
        drop(state);
        let approval = match grant {
            Some(grant) => self.approval_to_carry(&grant)?,
            None => None,
        };
        let result = approval.map(|approval| TaskResult { mode: "reevaluate".to_owned(), approval });
        Ok(TaskReply { task, result })
    }

    /// How many approvals of the current version there are. Who of them is still eligible is asked when the last lands.
    pub(super) fn votes(&self, exception: &Exception) -> u32 {
        let eligible = exception.votes.iter().map(|vote| policy_core::abi::Eligibility {
            person: vote.person.clone(),
            eligible: true,
            groups: vote.groups.clone(),
            policies: Vec::new(),
            errors: Vec::new(),
        });
        let Ok(context) = self.bare_context(self.now()) else { return 0 };
        let context = policy_core::lifecycle::Context { eligible: eligible.collect(), ..context };
        u32::try_from(approvals_that_count(exception, &exception.terms, &context).len()).unwrap_or(u32::MAX)
    }
}

/// The votes that ask something. INVARIANT (R11): data, bounded, and without a word of who asks.
fn questions(exception: &Exception) -> Vec<TaskQuestion> {
    asks(exception)
        .map(|(place, vote)| TaskQuestion {
            vote: place,
            words: text::visible(&vote.reason, SAID),
            asked_at: vote.at,
            answered: is_answered(exception, place),
        })
        .collect()
}

/// The votes that ask what nobody has answered yet, by their places among the votes.
pub(super) fn open_questions(exception: &Exception) -> impl Iterator<Item = u32> {
    asks(exception).map(|(place, _)| place).filter(|place| !is_answered(exception, *place))
}

fn asks(exception: &Exception) -> impl Iterator<Item = (u32, &Vote)> {
    (0..).zip(&exception.votes).filter(|(_, vote)| vote.decision == VoteDecision::Ask)
}

fn is_answered(exception: &Exception, place: u32) -> bool {
    exception.answers.iter().any(|answer| answer.vote == place)
}

fn unknown_task() -> Refusal {
    Refusal::not_found("unknown_task", "there is no such request")
}
