//! The passkeys of people, folded from the ledger, and votes held against them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::wire::{Entity, Event, Identity, Kept, Of, PasskeyFacts, Proof, Signature, Vote};
use crate::hash::{TreeHash, sha256};
use crate::webauthn::{Assertion, AssertionFault, Expected, PublicKey, Verified, verify};

/// What stands before nonce and digest in what a vote's challenge is the SHA-256 of.
const DOMAIN: &[u8] = b"proviso-vote-v1\0";

/// The same of another act's.
const ACT_DOMAIN: &[u8] = b"proviso-act-v1\0";

/// What somebody decided beside votes on requests, as its record says.
#[derive(Debug)]
pub(super) struct Act<'a> {
    pub(super) act: &'static str,
    pub(super) person: &'a Entity,
    pub(super) about: &'a str,
    /// The digest of what was shown, where the record tells it; that of a decision sheet it does not.
    pub(super) shown: Option<&'a str>,
    pub(super) reason: &'a str,
}

impl Act<'_> {
    fn hold_words(&self, statement: &str) -> Result<(), SignatureFault> {
        let said: Value = serde_json::from_str(statement).map_err(|_| SignatureFault::Unreadable)?;
        let shown = self.shown.map_or_else(|| said.get("shown").cloned().unwrap_or_default(), |shown| json!(shown));
        let words: [(&'static str, Value); 5] = [
            ("act", json!(self.act)),
            ("person", json!({"type": self.person.kind, "id": self.person.id})),
            ("about", json!(self.about)),
            ("shown", shown),
            ("reason", json!(self.reason)),
        ];
        let other = words.iter().find(|(name, value)| said.get(name) != Some(value));
        other.map_or(Ok(()), |(name, _)| Err(SignatureFault::OtherWords(name)))
    }
}

/// What is wrong with the signature of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureFault {
    /// No record says that there is such a passkey.
    #[error("no record adds the passkey that it is by")]
    Unknown,
    /// The passkey is another person's.
    #[error("the passkey that it is by is another person's")]
    OfAnother,
    /// The passkey was over when the vote was cast.
    #[error("the passkey that it is by had ended before")]
    Ended,
    /// The key in the vote is not the passkey's.
    #[error("the key that came with it is not the passkey's")]
    OtherKey,
    /// What was signed is not this vote.
    #[error("what was signed says another `{0}` than the vote")]
    OtherWords(&'static str),
    /// The page that asked for it is none of the passkey's name.
    #[error("the page that asked for it is none of the name that the passkey is for")]
    Elsewhere,
    /// The counter of the passkey has not grown.
    #[error("the passkey's counter has not grown: somebody has a copy of it")]
    Counter,
    /// Another kind of authenticator than the one that was registered.
    #[error("it is of another kind of authenticator than the passkey's")]
    OtherAuthenticator,
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable,
    /// A check of WebAuthn fails.
    #[error("{0}")]
    Assertion(#[from] AssertionFault),
}

/// The passkeys that nobody has ended.
#[derive(Debug, Default)]
pub(super) struct Passkeys(BTreeMap<String, Held>);

#[derive(Debug)]
struct Held {
    facts: PasskeyFacts,
    counter: u32,
    ended: bool,
}

impl Passkeys {
    /// Folds what happened to one.
    pub(super) fn take(&mut self, event: Identity) {
        match event {
            Identity::PasskeyAdded { passkey } => {
                let counter = passkey.counter;
                self.0.insert(passkey.id.clone(), Held { facts: passkey, counter, ended: false });
            }
            Identity::PasskeyUsed { id, counter } => {
                if let Some(held) = self.0.get_mut(&id) {
                    held.counter = held.counter.max(counter);
                }
            }
            Identity::PasskeySuspended { id } | Identity::PasskeyEnded { id } => {
                if let Some(held) = self.0.get_mut(&id) {
                    held.ended = true;
                }
            }
            Identity::Other => {}
        }
    }

    /// Somebody left: none of theirs of before is believed, also where they come back.
    pub(super) fn end_of(&mut self, person: &Entity) {
        let theirs = self.0.values_mut().filter(|held| held.facts.person == *person);
        theirs.for_each(|held| held.ended = true);
    }

    /// The record was restored: none of before is believed.
    pub(super) fn end_all(&mut self) {
        self.0.values_mut().for_each(|held| held.ended = true);
    }

    /// Holds a signed vote on this version of this exception.
    pub(super) fn hold(&mut self, exception: &str, vote: &Vote, scope: Option<&Kept>) -> Result<bool, SignatureFault> {
        let Proof::Signature(signature) = &vote.proof else { return Ok(false) };
        self.hold_signature(&vote.person, signature, DOMAIN, |statement| {
            hold_words(exception, vote, Some(scope.ok_or(SignatureFault::OtherWords("grant"))?), statement)
        })
    }

    /// Holds a signed act.
    pub(super) fn hold_act(&mut self, act: &Act<'_>, proof: &Proof) -> Result<bool, SignatureFault> {
        let Proof::Signature(signature) = proof else { return Ok(false) };
        self.hold_signature(act.person, signature, ACT_DOMAIN, |statement| act.hold_words(statement))
    }

    fn hold_signature(
        &mut self,
        person: &Entity,
        signature: &Signature,
        domain: &[u8],
        words: impl FnOnce(&str) -> Result<(), SignatureFault>,
    ) -> Result<bool, SignatureFault> {
        let held = self.0.get_mut(&signature.passkey).ok_or(SignatureFault::Unknown)?;
        if held.facts.person != *person {
            return Err(SignatureFault::OfAnother);
        }
        if held.ended {
            return Err(SignatureFault::Ended);
        }
        if held.facts.key != signature.key || held.facts.credential != signature.credential {
            return Err(SignatureFault::OtherKey);
        }
        words(&signature.statement)?;
        if signature.rp_id != held.facts.rp_id || !is_page_of(&signature.origin, &signature.rp_id) {
            return Err(SignatureFault::Elsewhere);
        }
        let verified = check(signature, domain)?;
        if verified.counter <= held.counter && (verified.counter, held.counter) != (0, 0) {
            return Err(SignatureFault::Counter);
        }
        if verified.backup_eligible != held.facts.backup_eligible {
            return Err(SignatureFault::OtherAuthenticator);
        }
        held.counter = held.counter.max(verified.counter);
        Ok(true)
    }
}

/// Who signed a vote, as its record alone says: whose the passkey is, another record does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedVote {
    /// Who voted: `TYPE` and id.
    pub person: Value,
    /// By which passkey.
    pub passkey: String,
    /// What it signs with.
    pub algorithm: &'static str,
    /// For which name it is.
    pub rp_id: String,
}

/// The signature of a vote in a record by itself, where the record is of one that is signed.
///
/// # Errors
/// Which check it fails.
pub fn signed_vote(event: &str) -> Result<Option<SignedVote>, SignatureFault> {
    let Ok(Event::Exception { id, event }) = serde_json::from_str::<Event>(event) else { return Ok(None) };
    let Of::VoteCast { vote } = *event else { return Ok(None) };
    let Proof::Signature(signature) = &vote.proof else { return Ok(None) };
    // The scope stands in another record.
    hold_words(&id, &vote, None, &signature.statement)?;
    check(signature, DOMAIN)?;
    let key = URL_SAFE_NO_PAD.decode(&signature.key).map_err(|_| SignatureFault::Unreadable)?;
    Ok(Some(SignedVote {
        person: json!({"type": vote.person.kind, "id": vote.person.id}),
        passkey: signature.passkey.clone(),
        algorithm: PublicKey::read(&key)?.algorithm(),
        rp_id: signature.rp_id.clone(),
    }))
}

/// The assertion by itself: the key that came with it signed the statement that came with it.
pub(super) fn check(signature: &Signature, domain: &[u8]) -> Result<Verified, SignatureFault> {
    let read = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| SignatureFault::Unreadable);
    let nonce = TreeHash::from_hex(&signature.nonce).ok_or(SignatureFault::Unreadable)?;
    let challenge = TreeHash::over(&[domain, nonce.as_bytes(), &sha256(signature.statement.as_bytes())]);
    let (authenticator_data, client_data) = (read(&signature.authenticator_data)?, read(&signature.client_data)?);
    let signed = read(&signature.signature)?;
    let assertion =
        Assertion { authenticator_data: &authenticator_data, client_data: &client_data, signature: &signed };
    let expected = Expected { challenge: challenge.as_bytes(), origin: &signature.origin, rp_id: &signature.rp_id };
    Ok(verify(&assertion, &expected, &PublicKey::read(&read(&signature.key)?)?)?)
}

/// What was signed says what the vote says, member by member.
fn hold_words(exception: &str, vote: &Vote, scope: Option<&Kept>, statement: &str) -> Result<(), SignatureFault> {
    let said: Value = serde_json::from_str(statement).map_err(|_| SignatureFault::Unreadable)?;
    let person = json!({"type": vote.person.kind, "id": vote.person.id});
    let grant = scope.map_or_else(|| said.get("grant").cloned().unwrap_or_default(), |scope| scope.value.clone());
    let words: [(&'static str, Value); 8] = [
        ("exception", json!(exception)),
        ("person", person),
        ("decision", json!(vote.decision)),
        ("sheet", json!(vote.sheet)),
        ("as_of", json!(vote.as_of)),
        ("grant", grant),
        ("inside", json!(vote.inside)),
        ("reason", json!(vote.reason)),
    ];
    let other = words.iter().find(|(name, value)| said.get(name) != Some(value));
    other.map_or(Ok(()), |(name, _)| Err(SignatureFault::OtherWords(name)))
}

/// Whether a page of this origin may ask for credentials of this name.
fn is_page_of(origin: &str, rp_id: &str) -> bool {
    let (scheme, rest) = origin.split_once("://").unwrap_or_default();
    let host = rest.split_once(':').map_or(rest, |(host, _)| host);
    let inside = host == rp_id || host.strip_suffix(rp_id).is_some_and(|before| before.ends_with('.'));
    let local = host == "localhost" || host.ends_with(".localhost");
    let safe = scheme == "https" || (scheme == "http" && local);
    !rp_id.is_empty() && safe && inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_of_a_name_by_whole_labels_and_over_tls() {
        for (origin, rp_id, is) in [
            ("https://gate.example", "gate.example", true),
            ("https://gate.example:8443", "gate.example", true),
            ("https://a.gate.example", "gate.example", true),
            ("http://localhost:7777", "localhost", true),
            ("http://gate.localhost:7777", "gate.localhost", true),
            ("http://evil.example.localhost.evil", "localhost", false),
            ("http://gate.example", "gate.example", false),
            ("https://evilgate.example", "gate.example", false),
            ("https://gate.example.evil", "gate.example", false),
            ("https://gate.example", "", false),
            ("gate.example", "gate.example", false),
        ] {
            assert_eq!(is_page_of(origin, rp_id), is, "{origin} {rp_id}");
        }
    }
}
