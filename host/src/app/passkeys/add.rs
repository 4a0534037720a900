//! Adding a passkey: by whoever is signed in, in the very session that asked for the challenge.

use audit_verify::webauthn::{Expected, Registered, register};
use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use proviso_api::passkeys::{AddPasskey, PasskeyChallenge, PasskeyList};

use super::asserted::{bad, bytes, text};
use super::challenge::Purpose;
use super::list::own;
use super::{MOST, unavailable};
use crate::app::App;
use crate::app::append::{Proposal, passkeys_of};
use crate::app::event::LedgerEvent;
use crate::app::identities::no_randomness;
use crate::app::limits::Often;
use crate::app::refusal::Refusal;
use crate::app::sessions::hold_own_page;
use crate::app::state::State;
use crate::identity::{HeldPasskey, IdentityEvent, Passkey, PersonSession, Standing};
use crate::random;
use crate::store::VersionKey;

/// The longest name that a person gives one.
const LONGEST_LABEL: usize = 64;
const HANDLE: &[u8] = b"proviso-passkey-user-v1\0";

impl App {
    /// What an authenticator knows a person by: it tells nothing of them, and is the same for each of their passkeys.
    pub(super) fn user_handle(&self, person: &EntityRef) -> String {
        text(self.keys().code(HANDLE, person.to_string().as_bytes()).as_bytes())
    }

    /// What the browser asks the authenticator with.
    ///
    /// # Errors
    /// `passkeys_unavailable`; `too_many_passkeys`; `own_page_needed`.
    pub fn begin_passkey(&self, person: &PersonSession) -> Result<PasskeyChallenge, Refusal> {
        hold_own_page(person)?;
        let party = self.party().ok_or_else(unavailable)?;
        let exclude = {
            let state = self.state();
            let own = own(&state, &person.person);
            hold_number(own.len())?;
            own.iter().filter(|held| stands(held)).map(|held| held.passkey.credential.clone()).collect()
        };
        let (challenge, held) = self.challenge(Purpose::Add(person.id.clone()), self.now())?;
        Ok(PasskeyChallenge {
            challenge: challenge.plain(),
            held,
            expires_at: challenge.expires_at(),
            rp_id: party.rp_id,
            user: self.user_handle(&person.person),
            name: person.person.id.to_string(),
            exclude,
        })
    }

    /// Adds it: the own ones from then on.
    ///
    /// # Errors
    /// `passkeys_unavailable`; `challenge_over`; `other_challenge`; `bad_assertion`; `bad_label`; `passkey_taken`;
    /// `too_many_passkeys`; `too_often`.
    pub async fn add_passkey(&self, person: &PersonSession, body: AddPasskey) -> Result<PasskeyList, Refusal> {
        let party = self.party().ok_or_else(unavailable)?;
        let now = self.now();
        let label = label(&body.label)?;
        let challenge = self.challenged(&body.held, &Purpose::Add(person.id.clone()), now)?;
        let (object, client_data) = (bytes(&body.attestation_object), bytes(&body.client_data));
        let meant = challenge.plain();
        let expected = Expected { challenge: meant.as_bytes(), origin: &party.origin, rp_id: &party.rp_id };
        let registered = register(&object.unwrap_or_default(), &client_data.unwrap_or_default(), &expected);
        let Registered { credential, key, algorithm, verified } = registered.map_err(bad)?;
        self.answered(&challenge)?;
        let passkey = Passkey {
            id: random::id(self.random(), "key").map_err(|_| no_randomness())?,
            person: person.person.clone(),
            credential: text(&credential),
            key: text(&key),
            algorithm: algorithm.to_owned(),
            rp_id: party.rp_id,
            origin: party.origin,
            label,
            counter: verified.counter,
            backup_eligible: verified.backup_eligible,
            first: false,
            same_user: person.same_user,
            session: person.id.clone(),
            added_at: now,
        };
        let slot = self.slot(Often::Passkeys, &person.person)?;
        self.admit(|state| self.added(state, person, &passkey, now)).await?;
        slot.spent();
        Ok(self.passkeys(person))
    }

    fn added(
        &self,
        state: &State,
        person: &PersonSession,
        passkey: &Passkey,
        now: Timestamp,
    ) -> Result<Proposal<()>, Refusal> {
        self.still_stands(state, person, now)?;
        // INVARIANT (R4): a credential is one person's, and stays it.
        let known = state.registry.passkeys().by_credential(&passkey.credential);
        if known.is_some_and(|held| held.standing != Standing::EarlierEpoch || held.passkey.person != passkey.person) {
            return Err(Refusal::conflict("passkey_taken", "this passkey was added before"));
        }
        hold_number(own(state, &person.person).len())?;
        // Those of before a restore say nothing any more, not even that there was one.
        let before = state.registry.passkeys().of(&person.person);
        let first = before.iter().all(|held| held.standing == Standing::EarlierEpoch);
        let passkey = Passkey { first, ..passkey.clone() };
        let keys = [
            VersionKey::Identity(passkey.credential.clone()),
            VersionKey::Identity(person.id.clone()),
            // Two at once are not both the first.
            VersionKey::Identity(passkeys_of(&person.person)),
            VersionKey::Ownership,
        ];
        let expected = keys.map(|key| state.version(key)).to_vec();
        let event = LedgerEvent::Identity(IdentityEvent::PasskeyAdded { passkey: Box::new(passkey) });
        Ok(Proposal { expected, records: vec![self.ledger(now, &event)?], answer: () })
    }
}

/// Whether a passkey is one that an authenticator is asked to make no second of.
fn stands(held: &HeldPasskey) -> bool {
    held.standing != Standing::EarlierEpoch
}

fn hold_number(number: usize) -> Result<(), Refusal> {
    if number < MOST {
        return Ok(());
    }
    Err(Refusal::conflict("too_many_passkeys", format!("a person has at most {MOST} passkeys")))
}

fn label(text: &str) -> Result<String, Refusal> {
    let label = text.trim();
    let fits = (1..=LONGEST_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_control);
    if fits { Ok(label.to_owned()) } else { Err(Refusal::bad("bad_label", "that is no name for a passkey")) }
}
