//! What an administrator ends for others: their sessions, an account that was linked, and that they are here at all.

use policy_core::entity::EntityRef;
use policy_core::text;
use proviso_api::people::UnlinkAccountRequest;
use proviso_api::sessions::SessionsEnded;

use super::administrators::hold_other;
use super::event::MembershipEvent;
use crate::app::App;
use crate::app::event::LedgerEvent;
use crate::app::refusal::Refusal;
use crate::app::stops::check_reason;
use crate::identity::{IdentityEvent, OpenSession, PersonSession};
use crate::store::NewRecord;

impl App {
    /// Ends all sessions of somebody else.
    ///
    /// # Errors
    /// `not_permitted_here`, `second_person_needed`; `own_person`; `unknown_person`.
    pub async fn end_sessions_of(&self, person: &PersonSession, user: &str) -> Result<SessionsEnded, Refusal> {
        self.hold_administrator_alone(person).await?;
        let of = self.somebody(user)?;
        hold_other(&person.person, &of)?;
        let ended = self.end_sessions(Some(person.person.clone()), |open| open.facts.person == of).await?;
        Ok(SessionsEnded { ended })
    }

    /// Says that somebody else has left.
    ///
    /// # Errors
    /// `not_permitted_here`, `second_person_needed`; `own_person`; `unknown_person`; `reason_needed`.
    pub async fn end_person(&self, person: &PersonSession, user: &str, reason: &str) -> Result<(), Refusal> {
        self.hold_administrator_alone(person).await?;
        hold_other(&person.person, &EntityRef::new(self.policy().person_type(), user))?;
        self.say_of(&person.person, user, reason, true).await
    }

    /// Takes an account that two administrators linked away again: it signs nobody in, and its sessions end. It stays that
    /// person's for good, and can be linked to nobody else.
    ///
    /// # Errors
    /// `not_permitted_here`, `second_person_needed`; `own_person`; `unknown_account_link`; `reason_needed`.
    pub async fn unlink_account(
        &self,
        person: &PersonSession,
        user: &str,
        request: &UnlinkAccountRequest,
    ) -> Result<SessionsEnded, Refusal> {
        self.hold_administrator_alone(person).await?;
        check_reason(&request.reason, "unlinking an account")?;
        let of = EntityRef::new(self.policy().person_type(), user);
        hold_other(&person.person, &of)?;
        let now = self.now();
        let (ended, _) = self
            .admit(|state| {
                self.still_stands(state, person, now)?;
                let mut accounts = state.members.accounts_of(&of);
                let found = accounts
                    .find(|(_, subject, linked)| linked.provider == request.provider && *subject == request.subject);
                let (issuer, subject, _) = found.ok_or_else(|| {
                    Refusal::not_found("unknown_account_link", "no such account was linked to that person")
                })?;
                let event = MembershipEvent::AccountUnlinked {
                    person: of.clone(),
                    issuer: issuer.to_owned(),
                    subject: subject.to_owned(),
                    by: person.person.clone(),
                    reason: text::visible(&request.reason, 2_000),
                    at: now,
                };
                // INVARIANT (R7): what came in by it is out, and a vote under way there conflicts with that.
                let by_it = |open: &&OpenSession| {
                    let account = open.facts.account.as_ref();
                    account.is_some_and(|account| account.issuer == issuer && account.subject == subject)
                };
                let end = |open: &OpenSession| {
                    let (session, by) = (open.facts.id.clone(), Some(person.person.clone()));
                    self.ledger(now, &LedgerEvent::Identity(IdentityEvent::SignedOut { session, by, at: now }))
                };
                let ended: Vec<NewRecord> =
                    state.registry.open_sessions(now).filter(by_it).map(end).collect::<Result<_, _>>()?;
                let answer = ended.len();
                let records = ended.into_iter().chain([self.member_record(event)?]).collect();
                Ok(Self::member_proposal(state, Some(person), records, answer))
            })
            .await?;
        Ok(SessionsEnded { ended })
    }
}
