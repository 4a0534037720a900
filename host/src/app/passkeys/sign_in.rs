//! Signing in by a passkey: who it is, the authenticator says; nobody names themselves before.

use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::passkeys::{PasskeySignIn, PasskeySignInChallenge};
use proviso_api::session::Session;

use super::asserted::unknown;
use super::challenge::Purpose;
use super::list::counts_from;
use super::{ASSURANCE, unavailable};
use crate::app::App;
use crate::app::refusal::Refusal;
use crate::app::sessions::{Entry, Whence};
use crate::identity::Passkey;

impl App {
    /// What the browser asks any authenticator with.
    ///
    /// # Errors
    /// `passkeys_unavailable`.
    pub fn begin_passkey_sign_in(&self) -> Result<PasskeySignInChallenge, Refusal> {
        let party = self.party().ok_or_else(unavailable)?;
        let (challenge, held) = self.challenge(Purpose::SignIn, self.now())?;
        let (expires_at, challenge) = (challenge.expires_at(), challenge.plain());
        Ok(PasskeySignInChallenge { challenge, held, expires_at, rp_id: party.rp_id })
    }

    /// Signs in: the session's secret, for the cookie, and the reply.
    ///
    /// # Errors
    /// `passkeys_unavailable`; `challenge_over`; `other_challenge`; `unknown_passkey`; `bad_assertion`; `passkey_cloned`;
    /// `unknown_person`; `departed_person`.
    pub async fn sign_in_by_passkey(&self, body: PasskeySignIn, whence: Whence) -> Result<(String, Session), Refusal> {
        let party = self.party().ok_or_else(unavailable)?;
        let challenge = self.challenged(&body.held, &Purpose::SignIn, self.now())?;
        let used = self.asserted(&body.assertion, (&challenge, &challenge.plain()), &party)?;
        let person = used.passkey.person.clone();
        // INVARIANT (R4): the authenticator means the person whose passkey it is.
        if body.user != self.user_handle(&person) && !sabotaged!("r4_handle_of_another") {
            return Err(unknown());
        }
        self.known_person(&person)?;
        self.answered(&challenge)?;
        self.hold_counter(&used).await?;
        let entry = Entry {
            same_user: used.passkey.same_user,
            assurance: self.passkey_assurance(&used.passkey, self.now()),
            passkey: Some(used),
            whence,
            ..Entry::by_link(person)
        };
        self.open_session(entry, |_| Ok(())).await
    }

    /// How strongly a passkey signs in: as the bundle calls it, or as little as it knows a word for.
    ///
    /// INVARIANT (R4): one that somebody may have added to another's session a moment ago is worth no more than such a
    /// session.
    fn passkey_assurance(&self, passkey: &Passkey, now: Timestamp) -> String {
        let step_ups = self.policy().step_ups();
        let counts = now >= counts_from(passkey) || sabotaged!("r4_new_passkey_counts");
        let known = step_ups.iter().find(|word| counts && *word == ASSURANCE).or_else(|| step_ups.first());
        known.cloned().unwrap_or_else(|| crate::app::identities::ASSURANCE.to_owned())
    }
}
