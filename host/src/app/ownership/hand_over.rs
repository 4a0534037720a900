//! Handing over an agent or an exception, and saying that somebody left.

use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::Phase;
use policy_core::text;
use proviso_api::ownership::{HandOwnerRequest, Owned, OwnerReply};

use super::event::OwnershipEvent;
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::console::About;
use crate::app::event::LedgerEvent;
use crate::app::people::{rejected, unknown_exception};
use crate::app::refusal::Refusal;
use crate::app::settings::Operator;
use crate::app::state::State;
use crate::app::stops::check_reason;
use crate::app::tasks::OPERATOR;
use crate::identity::PersonSession;
use crate::store::VersionKey;

impl App {
    /// Hands over what the person owns. Both sides vote on nothing of it for 30 days (R4).
    ///
    /// # Errors
    /// `not_yours`; `unknown_agent`, `unknown_exception`; `unknown_person`, `departed_person`; `owns_already`;
    /// `voted_already` of an open request; `reason_needed`; `single_user_required`.
    pub async fn hand_over_owner(
        &self,
        person: &PersonSession,
        request: HandOwnerRequest,
    ) -> Result<OwnerReply, Refusal> {
        // INVARIANT (R4): what an agent could have signed in itself hands nothing over.
        self.hold_session(person)?;
        let from = request.from.clone().unwrap_or_else(|| person.person.clone());
        if from != person.person {
            return Err(Refusal::forbidden("not_yours", "what somebody else owns is theirs to hand over"));
        }
        let about = About::owned(&self.state(), &request.of);
        self.hold_act(person, Act::HandOver, &about).await?;
        self.give(&from, &person.person, Some(person), &request).await
    }

    /// The same for whoever sits at the Unix socket, such as for somebody who has left.
    ///
    /// # Errors
    /// As [`Self::hand_over_owner`]; `not_yours` where `from` owns none of it.
    pub async fn hand_over_owner_as(&self, by: &Operator, request: HandOwnerRequest) -> Result<OwnerReply, Refusal> {
        let owners = self.owner(&request.of)?.owners;
        let from = match (&request.from, owners.as_slice()) {
            (Some(from), _) => from.clone(),
            (None, [only]) => only.clone(),
            (None, _) => return Err(Refusal::bad("not_yours", "several own it").help("name one of them with `--from`")),
        };
        self.give(&from, &EntityRef::new(OPERATOR, &by.name), None, &request).await
    }

    async fn give(
        &self,
        from: &EntityRef,
        by: &EntityRef,
        session: Option<&PersonSession>,
        request: &HandOwnerRequest,
    ) -> Result<OwnerReply, Refusal> {
        check_reason(&request.reason, "a hand-over")?;
        let now = self.now();
        self.admit(|state| {
            if let Some(person) = session {
                self.still_stands(state, person, now)?;
            }
            let before = match &request.of {
                Owned::Agent(agent) => self.owners_now(state, agent),
                Owned::Exception(id) => self.owners_of_exception(state, id),
            };
            if !before.contains(from) {
                return Err(Refusal::forbidden("not_yours", "who does not own it cannot hand it over"));
            }
            self.hold_heir(state, &request.to)?;
            if before.contains(&request.to) {
                return Err(Refusal::conflict("owns_already", "that person owns it already"));
            }
            if let Owned::Exception(id) = &request.of {
                hold_vote(state, id, &request.to)?;
            }
            let mut owners: Vec<EntityRef> = before.into_iter().filter(|owner| owner != from).collect();
            owners.push(request.to.clone());
            owners.sort();
            let event = OwnershipEvent::OwnerHandedOver {
                of: request.of.clone(),
                from: from.clone(),
                to: request.to.clone(),
                owners,
                by: by.clone(),
                reason: text::visible(&request.reason, 2_000),
                at: now,
            };
            let record = self.ledger(now, &LedgerEvent::Ownership(event))?;
            let mut keys = vec![VersionKey::Ownership, VersionKey::Bundle];
            keys.extend(session.map(|person| VersionKey::Identity(person.id.clone())));
            if let Owned::Exception(id) = &request.of {
                keys.push(VersionKey::Exception(id.clone()));
            }
            let page = session.and_then(|person| state.page_of(&person.id));
            let expected = keys.into_iter().map(|key| state.version(key)).chain(page).collect();
            Ok(Proposal { expected, records: vec![record], answer: () })
        })
        .await?;
        self.owner(&request.of)
    }

    /// Whoever gets something must be there.
    fn hold_heir(&self, state: &State, person: &EntityRef) -> Result<(), Refusal> {
        if !self.policy().people().contains(person) {
            return Err(Refusal::bad("unknown_person", "that is no person of the active bundle"));
        }
        hold_present(state, person)
    }

    /// Says that somebody left: their sessions and links end at once, and they decide nothing any more. Said already is
    /// done.
    ///
    /// # Errors
    /// `unknown_person`; `reason_needed`; `record_unavailable`.
    pub async fn departed(&self, by: &Operator, user: &str, reason: &str) -> Result<(), Refusal> {
        self.say_of(&EntityRef::new(OPERATOR, &by.name), user, reason, true).await
    }

    /// Says that somebody is back.
    ///
    /// # Errors
    /// As [`Self::departed`].
    pub async fn returned(&self, by: &Operator, user: &str, reason: &str) -> Result<(), Refusal> {
        self.say_of(&EntityRef::new(OPERATOR, &by.name), user, reason, false).await
    }

    /// Says that somebody left, or is back.
    pub(in crate::app) async fn say_of(
        &self,
        by: &EntityRef,
        user: &str,
        reason: &str,
        left: bool,
    ) -> Result<(), Refusal> {
        check_reason(reason, "this")?;
        let now = self.now();
        let person = EntityRef::new(self.policy().person_type(), user);
        self.admit(|state| {
            let known = self.policy().people().contains(&person) || state.ownership.departed(&person).is_some();
            if !known {
                return Err(Refusal::bad("unknown_person", "that is no person of the active bundle"));
            }
            let (person, by) = (person.clone(), by.clone());
            let is_new = left != state.ownership.departed(&person).is_some();
            let reason = text::visible(reason, 2_000);
            let event = match left {
                true => OwnershipEvent::PersonDeparted { person, by, reason, at: now },
                false => OwnershipEvent::PersonReturned { person, by, reason, at: now },
            };
            let records = if is_new { vec![self.ledger(now, &LedgerEvent::Ownership(event))?] } else { Vec::new() };
            Ok(Proposal { expected: vec![state.version(VersionKey::Ownership)], records, answer: () })
        })
        .await
        .map(drop)
    }
}

/// INVARIANT (R4): who left decides nothing, and nothing is minted in their name.
pub(in crate::app) fn hold_present(state: &State, person: &EntityRef) -> Result<(), Refusal> {
    match state.ownership.departed(person) {
        Some(at) => Err(Refusal::conflict("departed_person", format!("that person left at {at}"))),
        None => Ok(()),
    }
}

/// INVARIANT (R4): an open request is handed to nobody who has approved it.
fn hold_vote(state: &State, id: &str, to: &EntityRef) -> Result<(), Refusal> {
    let exception = &state.exceptions.get(id).ok_or_else(unknown_exception)?.exception;
    let approved = |vote: &policy_core::lifecycle::Vote| vote.person == *to && vote.stands_for_it();
    if exception.phase == Phase::Requested && exception.votes.iter().any(approved) {
        return Err(rejected(policy_core::lifecycle::Rejection::VotedAlready));
    }
    Ok(())
}
