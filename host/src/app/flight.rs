//! The calls under way: permitted, and nobody has reported their end.

use std::collections::{BTreeMap, VecDeque};

use policy_core::entity::EntityRef;
use policy_core::question::LockTarget;
use policy_core::time::{Span, Timestamp};
use proviso_api::operations::ExecutionPhase;
use proviso_api::stops::CallInFlight;
use serde::{Deserialize, Serialize};

use super::event::DecisionRecord;
use super::policy::Policy;
use super::reply::VALID_FOR;

/// How long a permitted call waits for the report that its bytes leave before it is forgotten.
const BEGINS_WITHIN: Span = Span::from_seconds(60);
/// How long after that report it counts as under way.
const ENDS_WITHIN: Span = Span::from_seconds(2 * 86_400);

/// A permitted call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Flight {
    /// When it was permitted.
    pub at: Timestamp,
    /// The credential that asked.
    pub credential: String,
    /// The exception, where one permitted it.
    pub exception: Option<String>,
    grant: Option<String>,
    call: Option<String>,
    subject: EntityRef,
    actors: Vec<EntityRef>,
    task: String,
    what: What,
    sending: bool,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct What {
    action: String,
    tools: Vec<String>,
    server: Option<String>,
}

/// The calls under way, by evaluation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Flights {
    calls: BTreeMap<String, Flight>,
    /// Oldest first; twice where one was asked about again.
    order: VecDeque<(Timestamp, String)>,
    /// Who was last permitted what, and when.
    #[serde(with = "crate::pairs::nested")]
    users: BTreeMap<What, BTreeMap<EntityRef, Timestamp>>,
}

impl Flights {
    /// A use was permitted.
    pub fn begin(&mut self, at: Timestamp, decision: &DecisionRecord) {
        let what =
            What { action: decision.action.clone(), tools: decision.tools.clone(), server: decision.server.clone() };
        self.users.entry(what.clone()).or_default().insert(decision.subject.clone(), at);
        let flight = Flight {
            at,
            credential: decision.credential.clone(),
            exception: decision.exception.clone(),
            grant: decision.answer.grant.clone(),
            call: decision.call.clone(),
            subject: decision.subject.clone(),
            actors: decision.actors.clone(),
            task: decision.task.clone(),
            what,
            sending: false,
        };
        self.calls.insert(decision.evaluation.clone(), flight);
        self.order.push_back((at, decision.evaluation.clone()));
    }

    /// Something was reported of it.
    pub fn reported(&mut self, evaluation: &str, phase: ExecutionPhase) {
        match phase {
            ExecutionPhase::Sending => {
                if let Some(flight) = self.calls.get_mut(evaluation) {
                    flight.sending = true;
                }
            }
            ExecutionPhase::Executed | ExecutionPhase::Failed | ExecutionPhase::OutcomeUnknown => {
                self.calls.remove(evaluation);
            }
        }
    }

    /// Forgets what cannot begin any more, and what nobody will report the end of.
    pub fn forget(&mut self, now: Timestamp) {
        while let Some((at, evaluation)) = self.order.front() {
            if now < at.plus(BEGINS_WITHIN) {
                return;
            }
            match self.calls.get(evaluation) {
                Some(flight) if flight.sending && now < flight.at.plus(ENDS_WITHIN) => {
                    let later = (flight.at.plus(ENDS_WITHIN), evaluation.clone());
                    let place = self.order.partition_point(|(other, _)| *other <= later.0);
                    self.order.insert(place, later);
                }
                _ => {
                    self.calls.remove(evaluation);
                }
            }
            self.order.pop_front();
        }
    }

    /// Who was permitted a call of this tool, or on this server, within so long. Of nothing else.
    pub(super) fn users<'a>(
        &'a self,
        target: &'a LockTarget,
        policy: &'a Policy,
        now: Timestamp,
        within: Span,
    ) -> impl Iterator<Item = &'a EntityRef> {
        let used = self.users.iter().filter(move |(what, _)| what.is_stopped_by(target, policy));
        let recent = used.flat_map(|(_, users)| users).filter(move |(_, at)| now < at.plus(within));
        recent.map(|(subject, _)| subject)
    }

    /// A call under way.
    pub fn of(&self, evaluation: &str) -> Option<&Flight> {
        self.calls.get(evaluation)
    }

    /// The calls under way, by evaluation: their bytes have left, or may still leave by the allow that they have.
    pub fn now(&self, now: Timestamp) -> impl Iterator<Item = (&String, &Flight)> {
        let life = Span::from_seconds(u64::from(VALID_FOR));
        self.calls.iter().filter(move |(_, flight)| flight.sending || now < flight.at.plus(life))
    }
}

impl What {
    /// Whether a lock on a tool or a server is one on this.
    fn is_stopped_by(&self, target: &LockTarget, policy: &Policy) -> bool {
        match target {
            LockTarget::Tool(tool) => policy.is_call_of(tool, &self.action, &self.tools),
            LockTarget::Server(server) => self.server.as_ref() == Some(server),
            LockTarget::Subject(_) | LockTarget::Person(_) | LockTarget::Task(_) | LockTarget::Grant(_) => false,
        }
    }
}

impl Flight {
    /// Whether a lock on this stops it, as the active bundle names tools.
    pub(super) fn is_stopped_by(&self, target: &LockTarget, policy: &Policy) -> bool {
        match target {
            LockTarget::Subject(entity) | LockTarget::Person(entity) => self.acts_for(entity),
            LockTarget::Task(task) => self.task == *task,
            LockTarget::Tool(_) | LockTarget::Server(_) => self.what.is_stopped_by(target, policy),
            LockTarget::Grant(grant) => self.is_of(grant),
        }
    }

    /// Whether this grant permitted it.
    pub fn is_of(&self, grant: &str) -> bool {
        self.grant.as_deref() == Some(grant)
    }

    /// Whether this is who acts, or for whom.
    pub fn acts_for(&self, entity: &EntityRef) -> bool {
        self.subject == *entity || self.actors.contains(entity)
    }

    /// The task.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// As it is told.
    pub fn line(&self, evaluation: &str) -> CallInFlight {
        CallInFlight {
            evaluation_id: evaluation.to_owned(),
            call: self.call.clone(),
            subject: self.subject.clone(),
            task: self.task.clone(),
            action: self.what.action.clone(),
            server: self.what.server.clone(),
            grant: self.grant.clone(),
            at: self.at,
            sending: self.sending,
        }
    }
}
