//! Other acts than votes on requests that are signed: for another bundle, after a restore, in an emergency, on a lock,
//! for an erasure.

use policy_core::digest::Digest;
use policy_core::presence::{ActStatement, STATEMENT_VERSION, SignedAct, act_challenge};
use proviso_api::acts::SignedSheet;
use proviso_api::passkeys::{ActChallengeRequest, VoteChallenge, VoteSignature};

use super::challenge::Purpose;
use super::shown::Shown;
use crate::app::App;
use crate::app::refusal::Refusal;
use crate::identity::PersonSession;

/// The longest id or digest that an act is about.
const LONGEST: usize = 256;

/// What is decided: which act, about what, and the digest of what was shown of it.
pub(in crate::app) struct Decided<'a> {
    pub act: SignedAct,
    pub about: &'a str,
    pub shown: Digest,
    pub reason: &'a str,
}

impl App {
    /// What the page makes the challenge of an act of. Nothing is told of what it is about, which need not be there.
    ///
    /// # Errors
    /// `bad_input`; `passkeys_unavailable`; `no_passkey`.
    pub fn act_challenge(&self, person: &PersonSession, body: ActChallengeRequest) -> Result<VoteChallenge, Refusal> {
        if body.about.is_empty() || body.about.len() > LONGEST {
            return Err(Refusal::bad("bad_input", "`about` is no digest and no id"));
        }
        self.signing_challenge(person, purpose(person, body.act, &body.about))
    }

    /// Verifies the signature that came with an act.
    ///
    /// # Errors
    /// As [`Self::signed_by`].
    pub(in crate::app) async fn signed_act(
        &self,
        person: &PersonSession,
        decided: Decided<'_>,
        signature: Option<&VoteSignature>,
    ) -> Result<Shown, Refusal> {
        let Some(signature) = signature else { return Ok(Shown::nothing()) };
        let Decided { act, about, shown, reason } = decided;
        let (person_of, about_of, reason) = (person.person.clone(), about.to_owned(), reason.to_owned());
        let statement =
            ActStatement { v: STATEMENT_VERSION, act, person: person_of, about: about_of, shown, reason }.text();
        let statement = statement.map_err(|error| Refusal::bad("bad_input", error.to_string()))?;
        self.signed_by(person, &purpose(person, act, about), (statement, act_challenge), signature).await
    }

    /// The same of what is decided on an exception, by its decision sheet as it was shown: rebuilt here, byte for byte.
    ///
    /// # Errors
    /// `stale_sheet` where nobody could be shown that; as [`Self::signed_by`].
    pub(in crate::app) async fn signed_sheet(
        &self,
        person: &PersonSession,
        (act, id): (SignedAct, &str),
        reason: &str,
        signed: Option<&SignedSheet>,
    ) -> Result<Shown, Refusal> {
        let Some(SignedSheet { as_of, signature }) = signed else { return Ok(Shown::nothing()) };
        let sheet = self.shown(person, id, Some(*as_of)).await.map_err(|refusal| match refusal.code {
            "unknown_position" => Refusal::conflict("stale_sheet", "that position is not in the ledger"),
            _ => refusal,
        })?;
        let shown = sheet.sheet.digest().map_err(|error| Refusal::bad("bad_input", error.to_string()))?;
        self.signed_act(person, Decided { act, about: id, shown, reason }, Some(signature)).await
    }
}

fn purpose(person: &PersonSession, act: SignedAct, about: &str) -> Purpose {
    Purpose::Act { session: person.id.clone(), act, about: about.to_owned() }
}
