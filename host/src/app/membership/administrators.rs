//! Who is an administrator and here: by the active bundle and by the record, and by nothing that anybody sets.

use std::sync::Arc;

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::Rejection;
use policy_core::time::Timestamp;
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::app::append::Proposal;
use crate::app::console::About;
use crate::app::event::LedgerEvent;
use crate::app::people::rejected;
use crate::app::policy::Policy;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;
use crate::store::{NewRecord, VersionKey};

use super::event::MembershipEvent;

impl App {
    /// The administrators who have come in and not left, sorted.
    pub(in crate::app) fn administrators_here(&self, state: &State) -> Vec<EntityRef> {
        let here = |person: &&EntityRef| self.is_administrator_here(state, person);
        self.policy().administrators(self.now()).iter().filter(here).cloned().collect()
    }

    /// Works out who looks after people under the active bundle, before it is asked: see [`Policy::administrators`].
    pub async fn know_administrators(&self) {
        self.know_administrators_of(&self.policy()).await;
    }

    /// The same of a bundle that is about to be the active one.
    pub(in crate::app) async fn know_administrators_of(&self, policy: &Arc<Policy>) {
        let (policy, now) = (Arc::clone(policy), self.now());
        if spawn_blocking(move || policy.know_administrators(now)).await.is_err() {
            tracing::warn!("who looks after people could not be worked out beforehand");
        }
    }

    /// Whether this person is one of them.
    pub(super) fn is_administrator_here(&self, state: &State, person: &EntityRef) -> bool {
        let known = self.policy().administrators(self.now()).contains(person);
        known && state.members.enrolled(person).is_some() && state.ownership.departed(person).is_none()
    }

    /// Refuses whoever may not look after people: how many people the bundle demands.
    pub(super) async fn hold_administrator(&self, person: &PersonSession) -> Result<u32, Refusal> {
        self.hold_some(person, &[Act::Administer], &About::GATE).await
    }

    /// The same for what one administrator does alone.
    pub(super) async fn hold_administrator_alone(&self, person: &PersonSession) -> Result<(), Refusal> {
        self.hold_act(person, Act::Administer, &About::GATE).await
    }

    /// The record of an event of membership.
    pub(super) fn member_record(&self, event: MembershipEvent) -> Result<NewRecord, Refusal> {
        self.ledger(self.now(), &LedgerEvent::Membership(event))
    }

    /// What is written about members, decided on all that it read.
    pub(super) fn member_proposal<T>(
        state: &State,
        session: Option<&PersonSession>,
        records: Vec<NewRecord>,
        answer: T,
    ) -> Proposal<T> {
        let keys = [VersionKey::Members, VersionKey::Bundle, VersionKey::Ownership];
        let page = session.and_then(|person| state.page_of(&person.id));
        let session = session.map(|person| VersionKey::Identity(person.id.clone()));
        let expected = keys.into_iter().chain(session).map(|key| state.version(key)).chain(page).collect();
        Proposal { expected, records, answer }
    }
}

/// INVARIANT (R4): whoever is new for a day lets in nobody, and is nobody's second yes: what they may not decide
/// themselves yet, nobody whom they let in decides for them.
pub(super) fn hold_known(state: &State, person: &EntityRef, now: Timestamp) -> Result<(), Refusal> {
    match state.members.new_until(person, now) {
        Some(_) => Err(rejected(Rejection::NewPerson)),
        None => Ok(()),
    }
}

/// INVARIANT (R4): nobody says of themselves who they are here.
pub(super) fn hold_other(by: &EntityRef, person: &EntityRef) -> Result<(), Refusal> {
    if by != person || policy_core::sabotaged!("r4_own_person") {
        return Ok(());
    }
    Err(Refusal::forbidden("own_person", "nobody changes what they are themselves"))
}
