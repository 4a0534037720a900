//! What a signed-in person sees of one exception.

use policy_core::console::Act;
use policy_core::json;
use policy_core::lifecycle::{
    Actor, Allowed, Exception, May, Rejection, Taken, allowed, effective_state, is_strong_enough,
};
use policy_core::presence::Presence;
use policy_core::time::Timestamp;
use proviso_api::exceptions::{ExceptionDetail, UseLine};
use proviso_api::operations::ExecutionPhase;
use proviso_api::ownership::Owned;

use super::App;
use super::console::{About, Rights, blank, without_arguments};
use super::history::is_silent;
use super::refusal::{Refusal, RefusalKind};
use super::state::{Entry, State};
use crate::identity::PersonSession;

/// What a stored payload of our own may hold.
pub(super) const STORED: json::Limits = json::Limits { max_bytes: 64 << 20, max_depth: 120 };
/// For how many exceptions it is written down in one go what time has done to them.
const MOST_REFRESHED: usize = 500;

impl App {
    /// One exception with its history.
    ///
    /// # Errors
    /// `unknown_exception`; `not_permitted_here`.
    pub async fn exception(&self, person: &PersonSession, id: &str) -> Result<ExceptionDetail, Refusal> {
        let about = About::exception_of(&self.state(), id);
        self.hold_act(person, Act::View, &about).await?;
        self.refresh_for_view(id).await?;
        let now = self.now();
        let (position, mut exception, uses, reopens, reopened_as) = {
            let state = self.state();
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            let reopens = entry.origin.reopens.as_ref().map(|reopens| reopens.of.clone());
            (state.position, entry.exception.clone(), uses(entry, now), reopens, state.reopened_as(id))
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
            routed_on: allowed.approve.is_yes() && self.goes_to_others(&exception, &person.person, now).await?,
            attention: self.attention(&person.person, now),
            undo_until: self.undo_until(&exception, person, now),
            reopens,
            reopened_as,
            waiting: self.waits_for(id),
            friction: Some(self.friction(&exception)),
            exception,
        })
    }

    /// What this person may do now with an exception, as policy sees them.
    pub(super) async fn allowed(
        &self,
        exception: &Exception,
        person: &PersonSession,
        now: Timestamp,
    ) -> Result<Allowed, Refusal> {
        let eligible = self.is_approver(exception, person, now).await?;
        Ok(self.allowed_when(exception, person, eligible, now))
    }

    /// The same where it is known already whether policy lets them approve it.
    pub(super) fn allowed_when(
        &self,
        exception: &Exception,
        person: &PersonSession,
        eligible: bool,
        now: Timestamp,
    ) -> Allowed {
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
        allowed
    }

    pub(super) fn allowed_if(
        &self,
        exception: &Exception,
        person: &PersonSession,
        eligible: bool,
        now: Timestamp,
    ) -> Allowed {
        let step_ups = self.policy().step_ups();
        // R4: a session that an agent could have made itself votes for nobody.
        let eligible = eligible && self.votes_count(person);
        let can_show = self.can_show(person, now);
        let with = |assurance: &str| {
            let strong_enough = is_strong_enough(&exception.terms, assurance, &step_ups);
            allowed(exception, Actor::Person { person: &person.person, eligible, strong_enough, can_show }, now)
        };
        let by_session = with(&person.assurance);
        let mut may = match can_show < Presence::Signature {
            true => by_session,
            // A vote may be signed; the other acts go by the session.
            false => Allowed { approve: with(&self.with_passkey(&person.assurance)).approve, ..by_session },
        };
        self.limit_member(&mut may, exception, &person.person, now);
        may
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
            let open = state.exceptions.iter().filter(|(_, entry)| State::is_open(entry));
            let due =
                open.filter(|(_, entry)| entry.exception.is_over(now) || entry.exception.needs_judging(active, now));
            due.map(|(id, _)| id.clone()).take(MOST_REFRESHED).collect()
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
        | Rejection::PresenceNeeded
        | Rejection::NewPerson
        | Rejection::NotPermittedHere => RefusalKind::Forbidden,
        Rejection::Exists
        | Rejection::Closed
        | Rejection::NoVote
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
        | Rejection::OneAdministrator
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
