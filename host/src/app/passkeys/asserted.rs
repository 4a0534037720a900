//! What an authenticator answered, held against the passkey that it is of.

use audit_verify::webauthn::{Assertion, AssertionFault, Expected, PublicKey, Verified, verify};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::digest::Digest;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::passkeys::PasskeyAssertion;

use super::challenge::{Challenge, over};
use super::party::Party;
use crate::app::App;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::identity::{HeldPasskey, IdentityEvent, Passkey};
use crate::store::VersionKey;

/// A passkey that has just signed.
#[derive(Debug, Clone)]
pub(in crate::app) struct UsedPasskey {
    /// It.
    pub passkey: Passkey,
    /// What it counts now.
    pub counter: u32,
    /// When the challenge was made that it answered.
    pub asked_at: Timestamp,
}

impl UsedPasskey {
    /// What a use reads, and expects to be as it was.
    pub fn version(&self, state: &State) -> (VersionKey, u64) {
        state.version(VersionKey::Identity(self.passkey.id.clone()))
    }

    /// What is written down of it: nothing where it does not count.
    pub fn event(&self, at: Timestamp) -> Option<IdentityEvent> {
        (self.counter > 0).then(|| IdentityEvent::PasskeyUsed {
            id: self.passkey.id.clone(),
            counter: self.counter,
            at,
        })
    }

    /// Refuses one whose counter has not grown since it was verified: another decision by it came in between.
    ///
    /// # Errors
    /// `unknown_passkey`; `challenge_over`.
    pub fn grows(&self, state: &State) -> Result<(), Refusal> {
        if self.still_signs(state)?.has_grown(self.counter) || sabotaged!("r4_cloned_passkey") {
            return Ok(());
        }
        Err(over())
    }

    /// The passkey as it stands now, where it still signs.
    ///
    /// # Errors
    /// `unknown_passkey`.
    pub fn still_signs<'a>(&self, state: &'a State) -> Result<&'a HeldPasskey, Refusal> {
        let held = state.registry.passkeys().get(&self.passkey.id);
        held.filter(|held| held.is_live()).ok_or_else(unknown)
    }
}

impl App {
    /// Holds an assertion against the passkey that it says it is of. Its counter is looked at where it is used.
    ///
    /// # Errors
    /// `unknown_passkey`; `bad_assertion`.
    pub(super) fn asserted(
        &self,
        assertion: &PasskeyAssertion,
        (challenge, meant): (&Challenge, &Digest),
        party: &Party,
    ) -> Result<UsedPasskey, Refusal> {
        let passkey = {
            let state = self.state();
            let held = state.registry.passkeys().by_credential(&assertion.credential);
            held.filter(|held| held.is_live()).ok_or_else(unknown)?.passkey.clone()
        };
        let verified = check(assertion, meant, party, &passkey).map_err(|fault| {
            tracing::warn!(check = fault.word(), passkey = passkey.id, "an assertion does not hold");
            bad(fault)
        })?;
        // One that never could be in several places, and now can, is another.
        if verified.backup_eligible != passkey.backup_eligible && !sabotaged!("r9_signature_unchecked") {
            return Err(bad(AssertionFault::Backup));
        }
        Ok(UsedPasskey { passkey, counter: verified.counter, asked_at: challenge.at() })
    }
}

fn check(
    assertion: &PasskeyAssertion,
    challenge: &Digest,
    party: &Party,
    passkey: &Passkey,
) -> Result<Verified, AssertionFault> {
    let read = |text: &str, fault| bytes(text).ok_or(fault);
    let authenticator_data = read(&assertion.authenticator_data, AssertionFault::AuthenticatorData)?;
    let client_data = read(&assertion.client_data, AssertionFault::ClientData)?;
    let signature = read(&assertion.signature, AssertionFault::Signature)?;
    let key = PublicKey::read(&read(&passkey.key, AssertionFault::Key)?)?;
    let assertion =
        Assertion { authenticator_data: &authenticator_data, client_data: &client_data, signature: &signature };
    // INVARIANT (R9): what an authenticator signed counts only as an answer to this gate's very challenge, at this gate's
    // own address.
    let expected = Expected { challenge: challenge.as_bytes(), origin: &party.origin, rp_id: &party.rp_id };
    match verify(&assertion, &expected, &key) {
        Err(_) if sabotaged!("r9_signature_unchecked") => {
            Ok(Verified { counter: 0, backup_eligible: false, backed_up: false })
        }
        checked => checked,
    }
}

/// Bytes as browsers' pages write them.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The very bytes as they are kept.
pub(super) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// No check of an assertion is told by its reason alone: which one failed is.
pub(super) fn bad(fault: AssertionFault) -> Refusal {
    let what = format!("what the authenticator answered does not hold: {fault}");
    Refusal::new(RefusalKind::Forbidden, "bad_assertion", what)
}

pub(super) fn unknown() -> Refusal {
    Refusal::new(RefusalKind::Forbidden, "unknown_passkey", "this gate knows no such passkey, or it has ended")
}
