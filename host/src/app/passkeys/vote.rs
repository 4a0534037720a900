//! A vote that is signed: the challenge, and what shows that the voter is there.

use policy_core::outcome::Terms;
use policy_core::presence::{Presence, Statement, challenge};
use policy_core::sheet::Ballot;
use policy_core::time::Timestamp;
use proviso_api::passkeys::{VoteChallenge, VoteSignature};

use super::ASSURANCE;
use super::challenge::Purpose;
use super::shown::Shown;
use crate::app::App;
use crate::app::people::unknown_exception;
use crate::app::refusal::Refusal;
use crate::identity::PersonSession;

impl App {
    /// What the page makes the challenge of. Nothing is told of the exception.
    ///
    /// # Errors
    /// `unknown_exception`; `passkeys_unavailable`; `no_passkey`.
    pub async fn vote_challenge(&self, person: &PersonSession, id: &str) -> Result<VoteChallenge, Refusal> {
        self.hold_deciding(person, id).await?;
        self.state().exceptions.get(id).ok_or_else(unknown_exception)?;
        self.signing_challenge(person, purpose(person, id))
    }

    /// Verifies the signature that came with a vote.
    ///
    /// # Errors
    /// As [`Self::signed_by`].
    pub(in crate::app) async fn signed_with(
        &self,
        person: &PersonSession,
        id: &str,
        ballot: &Ballot,
        signature: Option<&VoteSignature>,
    ) -> Result<Shown, Refusal> {
        let Some(signature) = signature else { return Ok(Shown::nothing()) };
        let statement = Statement::of(id, &person.person, ballot).text();
        let statement = statement.map_err(|error| Refusal::bad("bad_input", error.to_string()))?;
        self.signed_by(person, &purpose(person, id), (statement, challenge), signature).await
    }

    /// The stronger of a session's word and a passkey's, as the bundle ranks them.
    pub(in crate::app) fn with_passkey(&self, assurance: &str) -> String {
        let step_ups = self.policy().step_ups();
        let rank = |word: &str| step_ups.iter().position(|known| known == word);
        if rank(ASSURANCE) > rank(assurance) { ASSURANCE.to_owned() } else { assurance.to_owned() }
    }

    /// The most that this person can show with a vote.
    pub(in crate::app) fn can_show(&self, person: &PersonSession, now: Timestamp) -> Presence {
        let state = self.state();
        if self.can_sign(&state, &person.person) {
            Presence::Signature
        } else if self.fresh_authentication(&state, person, now).is_some() {
            Presence::Authentication
        } else {
            Presence::Session
        }
    }

    /// What of terms about a voter's presence this gate can check, with this word for the sign-in.
    pub(in crate::app) fn checks_presence(&self, terms: &Terms, strong: impl Fn(&str) -> bool) -> bool {
        let signs = self.takes_passkeys() && strong(&self.with_passkey(crate::app::identities::ASSURANCE));
        let afresh = self.ways().providers.iter().flat_map(|way| way.step_up.values()).any(|word| strong(word));
        match terms.presence {
            Presence::Session => true,
            Presence::Authentication => signs || afresh,
            Presence::Signature => signs,
        }
    }
}

fn purpose(person: &PersonSession, id: &str) -> Purpose {
    Purpose::Vote { session: person.id.clone(), exception: id.to_owned() }
}
