//! Taking grants away: one, or all of a task, a subject, a person, an approver or a credential.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::VoteDecision;
use policy_core::text;
use proviso_api::stops::{RevocationReply, RevocationTarget, RevokeReply};

use super::super::App;
use super::super::console::About;
use super::super::flight::Flight;
use super::super::people::unknown_exception;
use super::super::refusal::Refusal;
use super::super::state::Entry;
use super::{HeldStop, check_reason};
use crate::identity::PersonSession;

impl App {
    /// Takes a grant away.
    ///
    /// # Errors
    /// `unknown_grant`; what the lifecycle rejects; `stop_unrecorded` when it holds but could not be recorded.
    pub async fn revoke(&self, person: &PersonSession, grant: &str, reason: &str) -> Result<RevokeReply, Refusal> {
        let unknown = || Refusal::not_found("unknown_grant", "there is no such grant");
        let exception = self.state().grants.get(grant).cloned().ok_or_else(unknown)?;
        let about = About::exception_of(&self.state(), &exception);
        self.hold_act(person, Act::Revoke, &about).await?;
        let stop =
            HeldStop::Revoke { exception: exception.clone(), by: person.person.clone(), reason: reason.to_owned() };
        self.stop(stop).await?;
        let calls_in_flight = self.calls_in_flight(|flight| flight.is_of(grant));
        let state = self.state();
        let entry = state.exceptions.get(&exception).ok_or_else(unknown_exception)?;
        Ok(RevokeReply { state: entry.exception.phase.word().to_owned(), position: state.position, calls_in_flight })
    }

    /// Takes away every live grant of one of these, in one transaction.
    ///
    /// # Errors
    /// `reason_needed`; `bad_name`; `stop_unrecorded` when it holds but could not be recorded.
    pub async fn revoke_all(
        &self,
        person: &PersonSession,
        target: RevocationTarget,
        reason: &str,
    ) -> Result<RevocationReply, Refusal> {
        check_reason(reason, "a revoke")?;
        let named = match &target {
            RevocationTarget::Subject(entity)
            | RevocationTarget::Person(entity)
            | RevocationTarget::Approver(entity) => entity.id.as_str(),
            RevocationTarget::Task(id) | RevocationTarget::Credential(id) => id,
        };
        if !text::is_identifier(named) {
            return Err(Refusal::bad("bad_name", "nothing has such an id"));
        }
        self.hold_act(person, Act::Revoke, &About::revocation(&target)).await?;
        let (by, reason) = (person.person.clone(), reason.to_owned());
        let stopped = self.stop(HeldStop::RevokeAll { target: target.clone(), by, reason }).await?;
        let caught = |flight: &Flight| {
            stopped.grants.iter().any(|grant| flight.is_of(grant))
                || match &target {
                    RevocationTarget::Subject(entity) | RevocationTarget::Person(entity) => flight.acts_for(entity),
                    RevocationTarget::Task(task) => flight.task() == task,
                    RevocationTarget::Approver(_) | RevocationTarget::Credential(_) => false,
                }
        };
        let calls_in_flight = self.calls_in_flight(caught);
        Ok(RevocationReply { grants: stopped.grants, position: self.state().position, calls_in_flight })
    }
}

/// Whether an exception is one of the target's.
pub(super) fn concerns(target: &RevocationTarget, entry: &Entry) -> bool {
    let exception = &entry.exception;
    let question = &exception.request.question;
    let in_chain = |entity: &EntityRef| question.chain.iter().any(|hop| hop.entity == *entity);
    match target {
        RevocationTarget::Subject(subject) => question.call.subject == *subject || in_chain(subject),
        RevocationTarget::Person(person) => exception.request.requester == *person || in_chain(person),
        RevocationTarget::Task(task) => question.task == *task,
        // Any vote for it, on whichever version: what this person touched is what is in doubt.
        RevocationTarget::Approver(person) => {
            let mut votes = exception.votes.iter();
            votes.any(|vote| vote.person == *person && vote.decision == VoteDecision::Approve)
        }
        RevocationTarget::Credential(id) => {
            entry.origin.credential == *id || entry.origin.subject_credential.as_ref() == Some(id)
        }
    }
}
