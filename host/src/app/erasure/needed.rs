//! What the running gate still needs: nothing of it is erased. Taken from the folded state at one moment, with the
//! versions that it was read at, so that an erasure is admitted only while all of it still holds.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Exception, Phase};
use policy_core::time::{Span, Timestamp};
use proviso_api::findings::FindingState;
use serde_json::Value;

use super::event::HoldTarget;
use super::kept::Kept;
use crate::app::state::{DENIALS_KEPT, State};
use crate::identity::TokenFacts;
use crate::store::VersionKey;

/// INVARIANT (R3, R4, R7): for so long the gate looks back at what is over: denials that sheets try, uses that are
/// repeated and reported, credentials that just ended. What is younger is needed.
pub(super) const LOOKED_AT: Span = DENIALS_KEPT;

/// An exception as an erasure sees it.
pub(super) struct Standing {
    /// When it was over for good, or why it is needed.
    pub over: Result<Timestamp, Kept>,
    /// Its task.
    pub task: String,
    /// Who asked, and for or through whom: whose data it is.
    pub of: Vec<EntityRef>,
    /// What it was read at.
    pub versions: [(VersionKey, u64); 2],
}

/// What is needed.
pub(super) struct Needed {
    pub now: Timestamp,
    pub exceptions: BTreeMap<String, Standing>,
    /// Denials that exceptions were made from, each with its exception.
    pub refused: BTreeMap<u64, String>,
    /// Tasks that somebody can still act in.
    pub live_tasks: BTreeSet<String>,
    /// Tasks that were ended.
    pub ended_tasks: BTreeSet<String>,
    /// Positions of decisions and evidence that findings rest on which are not resolved.
    pub findings: BTreeSet<u64>,
    pub holds: Vec<HoldTarget>,
    pub holds_version: (VersionKey, u64),
    /// The versions of credentials.
    pub credentials: BTreeMap<String, (VersionKey, u64)>,
}

impl Needed {
    pub fn of(state: &State, now: Timestamp) -> Self {
        let renewed: BTreeSet<&String> = state
            .exceptions
            .values()
            .filter(|entry| over(&entry.exception, now).is_err())
            .filter_map(|entry| entry.exception.request.renews.as_ref().map(|renews| &renews.of))
            .collect();
        let mut refused = BTreeMap::new();
        let mut exceptions = BTreeMap::new();
        for (id, entry) in &state.exceptions {
            let exception = &entry.exception;
            let over =
                over(exception, now).and_then(|end| if renewed.contains(id) { Err(Kept::Renewed) } else { Ok(end) });
            refused.insert(entry.origin.refused_seq, id.clone());
            let request = &exception.request;
            let hops = request.question.chain.iter().map(|hop| &hop.entity);
            let of = [&request.requester, &request.question.call.subject].into_iter().chain(&request.asker).chain(hops);
            let versions = [VersionKey::Exception(id.clone()), VersionKey::Routing(id.clone())];
            let standing = Standing {
                over,
                task: request.question.task.to_string(),
                of: of.cloned().collect(),
                versions: versions.map(|key| state.version(key)),
            };
            exceptions.insert(id.clone(), standing);
        }
        let mut live_tasks = BTreeSet::new();
        let mut credentials = BTreeMap::new();
        for standing in exceptions.values().filter(|standing: &&Standing| standing.over.is_err()) {
            live_tasks.insert(standing.task.clone());
        }
        for (token, _) in state.registry.list(now) {
            // Who had a token in it a moment ago gets the next one.
            if let TokenFacts::Agent { task, .. } = &token.facts
                && now < token.expires_at.plus(LOOKED_AT)
            {
                live_tasks.insert(task.clone());
            }
            credentials.insert(token.id.clone(), state.version(VersionKey::Identity(token.id.clone())));
        }
        Self {
            now,
            exceptions,
            refused,
            live_tasks,
            ended_tasks: state.ended_tasks.clone(),
            findings: state
                .findings
                .all()
                .filter(|finding| finding.state != FindingState::Resolved)
                .flat_map(|finding| finding.facts.evidence.iter().chain(&finding.facts.decisions))
                .copied()
                .collect(),
            holds: state.holds.values().map(|hold| hold.target.clone()).collect(),
            holds_version: state.version(VersionKey::Holds),
            credentials,
        }
    }

    /// Whether what ended then is old enough for the gate, and as old as is wanted.
    pub fn is_old(&self, end: Timestamp, older_than: Option<Span>) -> Result<bool, Kept> {
        if older_than.is_some_and(|age| end.plus(age) > self.now) {
            return Ok(false);
        }
        if end.plus(LOOKED_AT) > self.now { Err(Kept::TooNew) } else { Ok(true) }
    }

    /// INVARIANT (R2): what a task was permitted counts for as long as anybody can act in it.
    pub fn task_over(&self, task: &str) -> Result<(), Kept> {
        if self.ended_tasks.contains(task) || !self.live_tasks.contains(task) { Ok(()) } else { Err(Kept::TaskOpen) }
    }

    /// Whether an exception that something belongs to is over; one that was erased is.
    pub fn exception_over(&self, exception: Option<&str>) -> Result<(), Kept> {
        match exception.and_then(|id| self.exceptions.get(id)) {
            Some(standing) => standing.over.map(drop),
            None => Ok(()),
        }
    }

    /// Whose an exception is that is still known.
    pub fn of_exception(&self, id: &str) -> impl Iterator<Item = &EntityRef> {
        self.exceptions.get(id).into_iter().flat_map(|standing| &standing.of)
    }

    /// Whether a hold covers an exception by its id.
    pub fn holds_exception(&self, id: &str) -> bool {
        self.holds.iter().any(|target| matches!(target, HoldTarget::Exception(held) if held == id))
    }

    /// Whether a hold covers somebody of whom this speaks.
    pub fn holds_any(&self, text: &Value) -> bool {
        self.holds.iter().any(|target| matches!(target, HoldTarget::Entity(entity) if mentions(text, entity)))
    }
}

/// When an exception was over for good: nothing brings it back, and nobody looks at it any more.
fn over(exception: &Exception, now: Timestamp) -> Result<Timestamp, Kept> {
    let end = exception.ended_at(now).ok_or(Kept::ExceptionOpen)?;
    // One that is used up comes back where a use is given back in its window.
    let end = match &exception.phase {
        Phase::Exhausted { grant, .. } => end.max(grant.grant.scope.not_after),
        _ => end,
    };
    if end > now {
        return Err(Kept::ExceptionOpen);
    }
    let used = exception.phase.grant().is_some_and(|held| !held.taken.is_empty());
    let unopened = used && exception.terms.review_within.is_some() && exception.reviews.is_empty();
    if unopened || exception.reviews.iter().any(|review| review.closed.is_none()) {
        return Err(Kept::ReviewOpen);
    }
    // A review that is opened or closed later is a look at it, too.
    let looked = exception.reviews.iter().filter_map(|review| review.closed.as_ref()).map(|closing| closing.at);
    let end = looked.max().map_or(end, |looked| end.max(looked));
    if end.plus(LOOKED_AT) > now { Err(Kept::TooNew) } else { Ok(end) }
}

/// Whether something speaks of somebody, anywhere: as a reference, or written as `TYPE::ID`.
pub(super) fn mentions(value: &Value, entity: &EntityRef) -> bool {
    match value {
        Value::Object(members) => {
            let is_it = members.get("type").is_some_and(|kind| *kind == *entity.kind)
                && members.get("id").is_some_and(|id| *id == *entity.id);
            is_it || members.values().any(|member| mentions(member, entity))
        }
        Value::Array(items) => items.iter().any(|item| mentions(item, entity)),
        Value::String(text) => *text == entity.to_string(),
        _ => false,
    }
}
