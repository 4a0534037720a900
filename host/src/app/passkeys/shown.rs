//! What showed that a person is there who decides: a signature by a passkey, verified; or that none came.

use policy_core::digest::Digest;
use policy_core::lifecycle::{Rejection, VoteDecision};
use policy_core::presence::{Presence, Proof, Signature};
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::passkeys::{VoteChallenge, VoteSignature};

use super::asserted::{UsedPasskey, unknown};
use super::challenge::Purpose;
use super::list::counts_from;
use super::unavailable;
use crate::app::App;
use crate::app::people::rejected;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;

/// The signature that came, verified; or that none came.
pub(in crate::app) struct Shown(Option<(UsedPasskey, Box<Signature>)>);

impl App {
    /// A challenge for whoever has a passkey that signs.
    ///
    /// # Errors
    /// `passkeys_unavailable`; `no_passkey`.
    pub(super) fn signing_challenge(&self, person: &PersonSession, purpose: Purpose) -> Result<VoteChallenge, Refusal> {
        let party = self.party().ok_or_else(unavailable)?;
        let credentials: Vec<String> = {
            let state = self.state();
            let own = state.registry.passkeys().of(&person.person);
            own.iter().filter(|held| held.is_live()).map(|held| held.passkey.credential.clone()).collect()
        };
        if credentials.is_empty() {
            return Err(Refusal::conflict("no_passkey", "you have no passkey that signs"));
        }
        let (challenge, held) = self.challenge(purpose, self.now())?;
        let expires_at = challenge.expires_at();
        Ok(VoteChallenge { nonce: challenge.nonce, held, expires_at, rp_id: party.rp_id, credentials })
    }

    /// Verifies a signature of a statement, whose challenge is made like this, in answer to what was asked for this
    /// purpose.
    ///
    /// # Errors
    /// `passkeys_unavailable`; `challenge_over`; `other_challenge`; `unknown_passkey`; `bad_assertion`;
    /// `passkey_cloned`.
    pub(super) async fn signed_by(
        &self,
        person: &PersonSession,
        purpose: &Purpose,
        (statement, challenge): (String, fn(&Digest, &str) -> Digest),
        signature: &VoteSignature,
    ) -> Result<Shown, Refusal> {
        let party = self.party().ok_or_else(unavailable)?;
        let answered = self.challenged(&signature.held, purpose, self.now())?;
        // INVARIANT (R9): what is signed is this decision, word by word, and the digest of what was shown in it: a
        // signature of another is none.
        let meant = challenge(&answered.nonce, &statement);
        let assertion = &signature.assertion;
        let used = self.asserted(assertion, (&answered, &meant), &party)?;
        // INVARIANT (R4): nobody decides by another's passkey.
        if used.passkey.person != person.person && !sabotaged!("r4_passkey_of_another") {
            return Err(unknown());
        }
        self.answered(&answered)?;
        self.hold_counter(&used).await?;
        let signature = Box::new(Signature {
            passkey: used.passkey.id.clone(),
            key: used.passkey.key.clone(),
            rp_id: party.rp_id,
            origin: party.origin,
            nonce: answered.nonce,
            statement,
            credential: assertion.credential.clone(),
            authenticator_data: assertion.authenticator_data.clone(),
            client_data: assertion.client_data.clone(),
            signature: assertion.signature.clone(),
        });
        Ok(Shown(Some((used, signature))))
    }
}

impl Shown {
    /// No signature came.
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// What shows that the person is there, where that is as much as is demanded.
    ///
    /// # Errors
    /// `presence_needed`.
    pub fn demanded(
        &self,
        app: &App,
        state: &State,
        (person, demanded): (&PersonSession, Presence),
        now: Timestamp,
    ) -> Result<Proof, Refusal> {
        let proof = self.proof(app, state, person, now);
        // INVARIANT (R4): what decides on every tier is shown as the strongest of them demands.
        if proof.presence() >= demanded || sabotaged!("r4_unsigned_act") {
            return Ok(proof);
        }
        Err(rejected(Rejection::PresenceNeeded))
    }

    /// The voter with the strength that the signature gives. A fresh authentication whose strength it does not take is
    /// not spent by it.
    pub fn voter(&self, app: &App, person: PersonSession) -> PersonSession {
        if self.0.is_none() {
            return person;
        }
        let assurance = app.with_passkey(&person.assurance);
        let is_fresh = person.is_fresh && assurance == person.assurance;
        PersonSession { assurance, is_fresh, ..person }
    }

    /// What shows that the voter is there, as it stands now: the signature, an authentication just now, or the session.
    pub fn proof(&self, app: &App, state: &State, person: &PersonSession, now: Timestamp) -> Proof {
        match &self.0 {
            Some((_, signature)) => Proof::Signature(signature.clone()),
            None => app
                .fresh_authentication(state, person, now)
                .map_or(Proof::Session, |fresh| Proof::Authentication(Box::new(fresh))),
        }
    }

    /// Holds the passkey as it stands now, and a new one against the tier that is decided on; absent: all of them.
    ///
    /// # Errors
    /// `unknown_passkey`; `passkey_too_new`; `single_user_required`.
    pub fn hold(
        &self,
        app: &App,
        state: &State,
        (decision, tier): (VoteDecision, Option<&str>),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(used) = self.used() else { return Ok(()) };
        used.still_signs(state)?;
        // INVARIANT (R4): what an agent could have added itself votes for nobody.
        if used.passkey.same_user && !app.settings().single_user {
            let what =
                "this passkey was added by a sign-in under the gate's own operating-system user, so it cannot vote";
            return Err(Refusal::forbidden("single_user_required", what).help("add one in a session of your own"));
        }
        // INVARIANT (R4): whoever adds a passkey to somebody's session does not vote by it on what counts before that
        // person could see it.
        let low = app.policy().tiers().first().is_some_and(|lowest| tier == Some(lowest));
        let counts = low || decision != VoteDecision::Approve || now >= counts_from(&used.passkey);
        if counts || sabotaged!("r4_new_passkey_counts") {
            return Ok(());
        }
        let what = "this passkey was added less than a day ago, and votes on nothing above the lowest tier until then";
        Err(Refusal::forbidden("passkey_too_new", what))
    }

    /// The passkey that signed.
    pub fn used(&self) -> Option<&UsedPasskey> {
        self.0.as_ref().map(|(used, _)| used)
    }
}
