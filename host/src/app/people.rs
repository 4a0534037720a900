//! What a signed-in person sees: the queue, and one exception.

use policy_core::console::Act;
use policy_core::json;
use policy_core::lifecycle::{
    Actor, Allowed, Exception, May, Rejection, Taken, allowed, effective_state, is_strong_enough,
};
use policy_core::time::Timestamp;
use proviso_api::exceptions::{ExceptionDetail, ExceptionLine, ExceptionList, UseLine};
use proviso_api::operations::ExecutionPhase;
use proviso_api::ownership::Owned;

use super::App;
use super::console::{About, Rights, blank, without_arguments};
use super::history::is_silent;
use super::refusal::{Refusal, RefusalKind};
use super::state::Entry;
use crate::identity::PersonSession;

/// What a stored payload of our own may hold.
pub(super) const STORED: json::Limits = json::Limits { max_bytes: 64 << 20, max_depth: 120 };
/// How many lines a list has at most: the newest.
const MOST_LINES: usize = 500;
/// For how many open requests policy is asked whether this person may vote.
const MOST_ASKED: usize = 100;

impl App {
    /// The exceptions, newest first. `state` is a state's word; absent: all. `undisposed`: only closed ones that nobody
    /// has judged yet.
    ///
    /// # Errors
    /// `bad_state` for a word that is none.
    pub async fn exceptions(
        &self,
        person: &PersonSession,
        state: Option<&str>,
        undisposed: bool,
    ) -> Result<ExceptionList, Refusal> {
        const WORDS: [&str; 11] = [
            "requested",
            "granted",
            "not_active",
            "unconfirmed",
            "denied",
            "cancelled",
            "lapsed",
            "expired",
            "suspended",
            "revoked",
            "exhausted",
        ];
        if let Some(word) = state.filter(|word| !WORDS.contains(word)) {
            let shown = policy_core::text::visible(word, 40);
            return Err(Refusal::bad("bad_state", format!("`{shown}` is no state of an exception"))
                .help(format!("one of {}", WORDS.join(", "))));
        }
        self.refresh_all().await;
        let now = self.now();
        let (position, mut found) = {
            let held = self.state();
            let all = held.exceptions.values().map(|entry| &entry.exception);
            let found: Vec<Exception> = all
                .filter(|exception| state.is_none_or(|word| effective_state(exception, now).word == word))
                .filter(|exception| {
                    !undisposed || (exception.disposition.is_none() && exception.ended_at(now).is_some())
                })
                .cloned()
                .collect();
            (held.position, found)
        };
        found.sort_by(|a, b| (b.request.requested_at, &b.request.id).cmp(&(a.request.requested_at, &a.request.id)));
        found.truncate(MOST_LINES);
        let rights = self.rights(person, &found, Rights::OF_A_LINE, now).await?;
        let mut exceptions = Vec::with_capacity(found.len());
        let mut left = MOST_ASKED;
        for (exception, rights) in found.into_iter().zip(rights) {
            let Some(rights) = rights else { continue };
            // Without asking policy: whoever may not vote even then, may not vote.
            let wanted = |allowed: &Allowed| allowed.approve.is_yes() || allowed.confirm.is_yes();
            let maybe = left > 0 && rights.decides() && wanted(&self.allowed_if(&exception, person, true, now));
            left -= usize::from(maybe);
            let needs_me = maybe && self.allowed(&exception, person, now).await.is_ok_and(|allowed| wanted(&allowed));
            exceptions.push(self.line(&exception, &rights, needs_me, now));
        }
        Ok(ExceptionList { now, position, exceptions })
    }

    fn line(&self, exception: &Exception, rights: &Rights, needs_me: bool, now: Timestamp) -> ExceptionLine {
        let question = &exception.request.question;
        let held = exception.phase.grant();
        let scope = exception.current().map_or(&exception.request.scope, |version| &version.scope);
        ExceptionLine {
            id: exception.request.id.clone(),
            state: effective_state(exception, now).word.to_owned(),
            says: if rights.has(Act::ViewArguments) {
                self.policy().says(question)
            } else {
                without_arguments(question)
            },
            subject: question.call.subject.clone(),
            task: question.task.clone(),
            action: question.call.action.clone(),
            resources: question.call.resources.clone(),
            tier: exception.terms.tier.clone(),
            votes: self.votes(exception),
            approvals: exception.terms.approvals,
            requested_at: exception.request.requested_at,
            decide_by: exception.decide_by(),
            not_after: held.map(|held| held.grant.scope.not_after),
            uses: held.map_or(0, |held| held.uses),
            max_uses: held.map_or(scope.max_uses, |held| held.grant.scope.max_uses),
            needs_me,
            repeated: exception.repeated,
            emergency: exception.emergency.is_some(),
            says_emergency: exception.request.emergency,
            disposition: exception.disposition.as_ref().map(|disposed| disposed.disposition),
            hidden: rights.hidden(),
        }
    }

    /// One exception with its history.
    ///
    /// # Errors
    /// `unknown_exception`; `not_permitted_here`.
    pub async fn exception(&self, person: &PersonSession, id: &str) -> Result<ExceptionDetail, Refusal> {
        let about = About::exception_of(&self.state(), id);
        self.hold_act(person, Act::View, &about).await?;
        self.refresh_for_view(id).await?;
        let now = self.now();
        let (position, mut exception, uses) = {
            let state = self.state();
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            (state.position, entry.exception.clone(), uses(entry, now))
        };
        let mut allowed = self.allowed(&exception, person, now).await?;
        let rights = self.rights(person, std::slice::from_ref(&exception), Rights::ALL, now).await?;
        let rights = rights.into_iter().flatten().next().unwrap_or_default();
        rights.limit(&mut allowed);
        let mut history = if rights.has(Act::ViewRecord) { self.history(id)? } else { Vec::new() };
        let mut says = self.policy().says(&exception.request.question);
        if !rights.has(Act::ViewArguments) {
            says = without_arguments(&exception.request.question);
            blank(&mut exception);
            history.iter_mut().for_each(|line| line.said = None);
        }
        Ok(ExceptionDetail {
            now,
            position,
            state: effective_state(&exception, now).word.to_owned(),
            says,
            allowed,
            history,
            uses,
            owner: self.owner(&Owned::Exception(id.to_owned())).ok(),
            hidden: rights.hidden(),
            exception,
        })
    }

    /// What this person may do now with an exception, as policy sees them.
    async fn allowed(&self, exception: &Exception, person: &PersonSession, now: Timestamp) -> Result<Allowed, Refusal> {
        let eligible = self.is_approver(exception, person, now).await?;
        let mut allowed = self.allowed_if(exception, person, eligible, now);
        if allowed.approve.is_yes() && self.hold_seat(exception, &person.person, now).is_err() {
            allowed.approve = May::No(Rejection::NotEligible);
        }
        let blocked = self.state().emergency_blocked(&exception.request.question.call.subject, now);
        if let Err(rejection) = blocked.check(&person.person) {
            if exception.is_open_emergency() && allowed.approve.is_yes() {
                allowed.approve = May::No(rejection);
            }
            if allowed.declare_emergency.is_yes() {
                allowed.declare_emergency = May::No(rejection);
            }
        }
        Ok(allowed)
    }

    pub(super) fn allowed_if(
        &self,
        exception: &Exception,
        person: &PersonSession,
        eligible: bool,
        now: Timestamp,
    ) -> Allowed {
        let strong_enough = is_strong_enough(&exception.terms, &person.assurance, &self.policy().step_ups());
        // R4: a session that an agent could have made itself votes for nobody.
        let eligible = eligible && self.votes_count(person);
        allowed(exception, Actor::Person { person: &person.person, eligible, strong_enough }, now)
    }

    /// Whether this session's votes count: not when its link was minted under the gate's own user (R4).
    pub(super) fn votes_count(&self, person: &PersonSession) -> bool {
        !person.same_user || self.settings().single_user
    }

    /// Before a view: what time and bundle have done. A view works without it, too.
    async fn refresh_for_view(&self, id: &str) -> Result<(), Refusal> {
        match self.refresh(id).await {
            Err(refusal) if refusal.kind == RefusalKind::Unavailable || refusal.code == "contended" => Ok(()),
            other => other,
        }
    }

    pub(super) async fn refresh_all(&self) {
        let now = self.now();
        let active = self.policy().digest();
        let due: Vec<String> = {
            let state = self.state();
            let open = state.exceptions.iter().filter(|(_, entry)| super::state::State::is_open(entry));
            let due =
                open.filter(|(_, entry)| entry.exception.is_over(now) || entry.exception.needs_judging(active, now));
            due.map(|(id, _)| id.clone()).take(MOST_LINES).collect()
        };
        for id in due {
            if let Err(refusal) = self.refresh_for_view(&id).await {
                tracing::warn!(code = refusal.code, exception = id, "an exception could not be judged again");
            }
        }
    }
}

/// The newest uses of an exception's grant, each with what was reported of it.
fn uses(entry: &Entry, now: Timestamp) -> Vec<UseLine> {
    let taken = entry.exception.phase.grant().map(|held| held.taken.as_slice()).unwrap_or_default();
    let reported = |taken: &Taken| match entry.reports.get(&taken.evaluation).copied() {
        Some(ExecutionPhase::Sending) if is_silent(taken.at, now) => Some(ExecutionPhase::OutcomeUnknown),
        reported => reported,
    };
    let line = |taken: &Taken| UseLine {
        evaluation: taken.evaluation.clone(),
        call: taken.call.clone(),
        at: taken.at,
        reported: reported(taken),
        given_back: taken.given_back.is_some(),
    };
    taken.iter().map(line).collect()
}

/// A rejection of the lifecycle as a refusal, with its own code.
pub(super) fn rejected(rejection: Rejection) -> Refusal {
    let kind = match rejection {
        Rejection::Unknown | Rejection::NoQuestion | Rejection::NoSuchUse | Rejection::NoSuchReview => {
            RefusalKind::NotFound
        }
        Rejection::IsRequester
        | Rejection::InChain
        | Rejection::IsOwner
        | Rejection::NotEligible
        | Rejection::NotYours
        | Rejection::HasVoted
        | Rejection::NotForAnother
        | Rejection::StepUpNeeded
        | Rejection::NotPermittedHere => RefusalKind::Forbidden,
        Rejection::Exists
        | Rejection::Closed
        | Rejection::TooLate
        | Rejection::VotedAlready
        | Rejection::TooManyVersions
        | Rejection::NotUsable
        | Rejection::NoGrant
        | Rejection::NotEnoughVotes
        | Rejection::NotClosed
        | Rejection::TooManyAnswers
        | Rejection::OverRate
        | Rejection::RenewalCap
        | Rejection::EmergencyBlocked
        | Rejection::ReviewOverdue
        | Rejection::Unconfirmed
        | Rejection::NotUp => RefusalKind::Conflict,
        Rejection::NotRequestable
        | Rejection::Widens
        | Rejection::BadScope
        | Rejection::ReasonNeeded
        | Rejection::TextTooLong
        | Rejection::BadGroup
        | Rejection::OverBudget
        | Rejection::NoEnforcementPoint => RefusalKind::BadRequest,
    };
    Refusal::new(kind, rejection.code(), rejection.to_string()).help(rejection.help())
}

/// There is no such exception.
pub(super) fn unknown_exception() -> Refusal {
    Refusal::not_found("unknown_exception", "there is no such exception")
}
