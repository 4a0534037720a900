//! The passkeys of a person: which there are, and ending one.

use policy_core::entity::EntityRef;
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::passkeys::{PasskeyLine, PasskeyList};

use super::WAITS;
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::refusal::Refusal;
use crate::app::sessions::hold_own_page;
use crate::app::state::State;
use crate::identity::{HeldPasskey, IdentityEvent, OpenSession, Passkey, PersonSession, Standing};
use crate::store::VersionKey;

/// From when on a passkey counts for votes of every tier.
pub(super) fn counts_from(passkey: &Passkey) -> Timestamp {
    if passkey.first { passkey.added_at } else { passkey.added_at.plus(WAITS) }
}

/// Those of a person that nobody has ended.
pub(super) fn own<'a>(state: &'a State, person: &EntityRef) -> Vec<&'a HeldPasskey> {
    let mut own = state.registry.passkeys().of(person);
    own.retain(|held| held.standing != Standing::Ended);
    own
}

impl App {
    /// The own ones.
    pub fn passkeys(&self, person: &PersonSession) -> PasskeyList {
        let now = self.now();
        let state = self.state();
        let line = |held: &HeldPasskey| PasskeyLine {
            id: held.passkey.id.clone(),
            label: text::visible(&held.passkey.label, 64),
            algorithm: held.passkey.algorithm.clone(),
            state: held.standing.word().to_owned(),
            synced: held.passkey.backup_eligible,
            added_at: held.passkey.added_at,
            used_at: held.used_at,
            counts_from: counts_from(&held.passkey),
        };
        let passkeys = own(&state, &person.person).into_iter().map(line).collect();
        PasskeyList { now, rp_id: self.party().map(|party| party.rp_id), passkeys }
    }

    /// Whether this person could sign a vote now.
    pub(in crate::app) fn can_sign(&self, state: &State, person: &EntityRef) -> bool {
        self.takes_passkeys() && state.registry.passkeys().of(person).iter().any(|held| held.is_live())
    }

    /// The ends of what was added lately in sessions that somebody ends: a session that is not one's own leaves nothing
    /// behind. Whoever signs out of their own keeps what they added.
    pub(in crate::app) fn added_lately(
        &self,
        state: &State,
        ending: &[&OpenSession],
        now: Timestamp,
        by: Option<&EntityRef>,
    ) -> Vec<IdentityEvent> {
        let of = |open: &&OpenSession| {
            let (session, person) = (open.facts.id.clone(), open.facts.person.clone());
            let own = own(state, &person).into_iter();
            let lately = own.filter(move |held| {
                held.passkey.session == session && held.is_live() && now < held.passkey.added_at.plus(WAITS)
            });
            let by = by.cloned().unwrap_or(person.clone());
            let ends =
                lately.map(|held| IdentityEvent::PasskeyEnded { id: held.passkey.id.clone(), by: by.clone(), at: now });
            ends.collect::<Vec<_>>()
        };
        ending.iter().flat_map(of).collect()
    }

    /// Ends all of somebody's, as an operator.
    pub(in crate::app) async fn end_passkeys_of(&self, person: &EntityRef, by: &EntityRef) -> Result<(), Refusal> {
        let now = self.now();
        self.admit(|state| {
            let ids = own(state, person).into_iter().map(|held| held.passkey.id.clone());
            let event = |id| IdentityEvent::PasskeyEnded { id, by: by.clone(), at: now };
            let records = ids.map(|id| self.ledger(now, &LedgerEvent::Identity(event(id))));
            Ok(Proposal { expected: Vec::new(), records: records.collect::<Result<_, _>>()?, answer: () })
        })
        .await
        .map(drop)
    }

    /// Ends one of the own ones, and the sessions that it made.
    ///
    /// # Errors
    /// `no_such_passkey`, also for somebody else's; `own_page_needed`.
    pub async fn end_passkey(&self, person: &PersonSession, id: &str) -> Result<(), Refusal> {
        hold_own_page(person)?;
        let now = self.now();
        self.admit(|state| {
            self.still_stands(state, person, now)?;
            let held = own(state, &person.person).into_iter().find(|held| held.passkey.id == id);
            let held = held.ok_or_else(|| {
                let shown = text::visible(id, 80);
                Refusal::not_found("no_such_passkey", format!("you have no passkey `{shown}`"))
            })?;
            let (id, by) = (held.passkey.id.clone(), person.person.clone());
            let sessions = state.registry.sessions_of_passkey(&id);
            let event = IdentityEvent::PasskeyEnded { id: id.clone(), by, at: now };
            let mut record = self.ledger(now, &LedgerEvent::Identity(event))?;
            // INVARIANT (R7): a vote under way in such a session conflicts with its end.
            record.touches.extend(sessions.into_iter().map(VersionKey::Identity));
            let expected = [VersionKey::Identity(id), VersionKey::Identity(person.id.clone())];
            let expected = expected.map(|key| state.version(key)).to_vec();
            Ok(Proposal { expected, records: vec![record], answer: () })
        })
        .await
        .map(drop)
    }
}
