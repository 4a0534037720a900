//! Who may say that something is erased, and what a yes writes.

use policy_core::abi::Voter;
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::VoteDecision;
use policy_core::presence::{Presence, Proof};
use policy_core::question::LockTarget;
use policy_core::time::Timestamp;

use crate::app::App;
use crate::app::console::About;
use crate::app::event::{GateEvent, LedgerEvent};
use crate::app::passkeys::Shown;
use crate::app::refusal::Refusal;
use crate::app::sessions::hold_fresh;
use crate::app::state::State;
use crate::identity::PersonSession;
use crate::store::{NewRecord, VersionKey};

/// The versions that a yes was decided on.
type Expected = Vec<(VersionKey, u64)>;

impl App {
    /// Whether the bundle lets this person erase, alone or with another.
    ///
    /// # Errors
    /// `not_permitted_here`; `single_user_required`.
    pub(super) async fn hold_eraser(&self, person: &PersonSession) -> Result<(), Refusal> {
        // INVARIANT (R4): what an agent could have signed in itself erases nothing.
        self.hold_session(person)?;
        self.hold_some(person, &[Act::Erase], &About::GATE).await.map(drop)
    }

    /// The same of somebody who said so before: by the bundle that is active now.
    pub(super) async fn still_erases(&self, voter: &Voter, now: Timestamp) -> Result<bool, Refusal> {
        let answers = self.may_voter(voter, &[(Act::Erase, About::GATE)], now).await?;
        Ok(!answers.is_empty() && answers.iter().all(|answer| answer.permitted))
    }

    /// Whether this person is here, is not new and is locked by nobody.
    ///
    /// # Errors
    /// `departed`; `new_person`; `locked`.
    pub(super) fn hold_settled_person(&self, state: &State, person: &EntityRef, now: Timestamp) -> Result<(), Refusal> {
        if state.ownership.departed(person).is_some() {
            return Err(Refusal::forbidden("departed", "who has left erases nothing"));
        }
        // INVARIANT (R4): whoever is new for a day decides on nothing that cannot be taken back.
        if state.members.new_until(person, now).is_some() {
            return Err(Refusal::forbidden("new_person", "who came in within the last day erases nothing yet"));
        }
        if state.locks_in_force(now).any(|lock| lock.target == LockTarget::Person(person.clone())) {
            return Err(Refusal::forbidden("locked", "whom a lock is on erases nothing"));
        }
        Ok(())
    }

    /// What shows that this person is there, where that is as much as the bundle demands.
    ///
    /// # Errors
    /// `presence_needed`; what is wrong with a signature; what [`Self::hold_settled_person`] refuses.
    pub(super) fn yes(
        &self,
        state: &State,
        (person, there): (&PersonSession, &Shown),
        demanded: Presence,
        now: Timestamp,
    ) -> Result<Proof, Refusal> {
        self.still_stands(state, person, now)?;
        self.hold_settled_person(state, &person.person, now)?;
        there.hold(self, state, (VoteDecision::Approve, None), now)?;
        if let Some(used) = there.used() {
            used.grows(state)?;
        }
        hold_fresh(state, person, now)?;
        there.demanded(self, state, (person, demanded), now)
    }

    /// The records of a yes, and all that it was decided on.
    pub(super) fn yes_records(
        &self,
        state: &State,
        (person, there): (&PersonSession, &Shown),
        (event, about): (GateEvent, &str),
        now: Timestamp,
    ) -> Result<(Expected, Vec<NewRecord>), Refusal> {
        let keys = [
            VersionKey::Erasures,
            VersionKey::Bundle,
            VersionKey::Locks,
            VersionKey::Ownership,
            VersionKey::Members,
            VersionKey::Identity(person.id.clone()),
        ];
        let passkey = there.used().map(|used| used.version(state));
        let page = state.page_of(&person.id);
        let expected = keys.map(|key| state.version(key)).into_iter().chain(passkey).chain(page).collect();
        let used = self.sign_in_used(state, person, (about, true), now)?;
        let signed = there.used().and_then(|used| used.event(now));
        let signed = signed.map(|event| self.ledger(now, &LedgerEvent::Identity(event))).transpose()?;
        let first = self.ledger(now, &LedgerEvent::Gate(event))?;
        Ok((expected, std::iter::once(first).chain(used).chain(signed).collect()))
    }
}
