//! A vote that is signed: the challenge, and what shows that the voter is there.

use policy_core::lifecycle::VoteDecision;
use policy_core::outcome::Terms;
use policy_core::presence::{Presence, Proof, Signature, Statement, challenge};
use policy_core::sabotaged;
use policy_core::sheet::Ballot;
use policy_core::time::Timestamp;
use proviso_api::passkeys::{VoteChallenge, VoteSignature};

use super::asserted::{UsedPasskey, unknown};
use super::challenge::Purpose;
use super::list::counts_from;
use super::{ASSURANCE, unavailable};
use crate::app::App;
use crate::app::people::unknown_exception;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;

/// The signature that came with a vote, verified; or that none came.
pub(in crate::app) struct Shown(Option<(UsedPasskey, Box<Signature>)>);

impl App {
    /// What the page makes the challenge of. Nothing is told of the exception.
    ///
    /// # Errors
    /// `unknown_exception`; `passkeys_unavailable`; `no_passkey`.
    pub async fn vote_challenge(&self, person: &PersonSession, id: &str) -> Result<VoteChallenge, Refusal> {
        self.hold_deciding(person, id).await?;
        let party = self.party().ok_or_else(unavailable)?;
        let credentials: Vec<String> = {
            let state = self.state();
            state.exceptions.get(id).ok_or_else(unknown_exception)?;
            let own = state.registry.passkeys().of(&person.person);
            own.iter().filter(|held| held.is_live()).map(|held| held.passkey.credential.clone()).collect()
        };
        if credentials.is_empty() {
            return Err(Refusal::conflict("no_passkey", "you have no passkey that signs"));
        }
        let (challenge, held) = self.challenge(purpose(person, id), self.now())?;
        let expires_at = challenge.expires_at();
        Ok(VoteChallenge { nonce: challenge.nonce, held, expires_at, rp_id: party.rp_id, credentials })
    }

    /// Verifies the signature that came with a vote.
    ///
    /// # Errors
    /// `passkeys_unavailable`; `challenge_over`; `other_challenge`; `unknown_passkey`; `bad_assertion`; `passkey_cloned`.
    pub(in crate::app) async fn signed_with(
        &self,
        person: &PersonSession,
        id: &str,
        ballot: &Ballot,
        signature: Option<&VoteSignature>,
    ) -> Result<Shown, Refusal> {
        let now = self.now();
        let Some(signature) = signature else { return Ok(Shown(None)) };
        let party = self.party().ok_or_else(unavailable)?;
        let answered = self.challenged(&signature.held, &purpose(person, id), now)?;
        let statement = Statement::of(id, &person.person, ballot).text();
        let statement = statement.map_err(|error| Refusal::bad("bad_input", error.to_string()))?;
        // INVARIANT (R9): what is signed is this vote, word by word, and the digest of the sheet in it: a signature of
        // another is none.
        let meant = challenge(&answered.nonce, &statement);
        let assertion = &signature.assertion;
        let used = self.asserted(assertion, (&answered, &meant), &party)?;
        // INVARIANT (R4): nobody votes by another's passkey.
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

impl Shown {
    /// The voter with the strength that the signature gives. A fresh authentication whose strength it does not take is not
    /// spent by it.
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

    /// Holds the passkey as it stands now, and a new one against the tier that is voted on.
    ///
    /// # Errors
    /// `unknown_passkey`; `passkey_too_new`; `single_user_required`.
    pub fn hold(
        &self,
        app: &App,
        state: &State,
        (decision, tier): (VoteDecision, &str),
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
        let low = app.policy().tiers().first().is_some_and(|lowest| lowest == tier);
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

fn purpose(person: &PersonSession, id: &str) -> Purpose {
    Purpose::Vote { session: person.id.clone(), exception: id.to_owned() }
}
