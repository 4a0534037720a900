//! Proof of possession: whoever shows a token that is bound to a key shows with each request that the key is theirs, for
//! this request, once (DPoP, RFC 9449), or comes over a connection whose certificate it is bound to (RFC 8705).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::digest::Digest;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use serde_json::{Map, Value};

use super::certificate::ClientCertificates;
use super::chain::text;
use super::fault::TokenFault;
use super::jwk::{public_key, thumbprint};
use super::jws::Compact;
use super::signature::Algorithm;

/// How far a proof's time may be from ours, either way.
const WINDOW: Span = Span::from_seconds(60);
/// How many proofs are remembered at once: one more is refused, and none is forgotten for it.
const MOST: usize = 200_000;
/// How many of them may be of one key, so that nobody's proofs keep those of others out.
const MOST_OF_ONE: u32 = 10_000;
/// The longest id of a proof.
const LONGEST_ID: usize = 256;

/// The algorithms that a proof may be signed with.
pub const PROOF_ALGORITHMS: &str = "ES256 ES384 EdDSA PS256 PS384 PS512 RS256 RS384 RS512";

/// What a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundTo {
    /// The key with this thumbprint (`cnf.jkt`).
    Key(String),
    /// The client's certificate with this thumbprint (`cnf.x5t#S256`, RFC 8705).
    Certificate(String),
}

impl BoundTo {
    /// As records hold it: the thumbprint of a key, or of a certificate under the name of its claim.
    pub fn told(&self) -> String {
        match self {
            Self::Key(thumbprint) => thumbprint.clone(),
            Self::Certificate(thumbprint) => format!("{CERTIFICATE}:{thumbprint}"),
        }
    }
}

/// The member of `cnf` that names a certificate.
const CERTIFICATE: &str = "x5t#S256";

/// How a token was shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The token.
    pub token: &'a str,
    /// Whether it came as one that is bound: `Authorization: DPoP`, or an agent's with a proof beside it.
    pub as_bound: bool,
    /// The proof.
    pub proof: Option<&'a str>,
    /// The resource that it was shown to, where that is another than the gate: the enforcement point's.
    pub resource: Option<&'a str>,
    /// The request's method.
    pub method: &'a str,
    /// The request's address without query, as people reach the gate.
    pub url: &'a str,
    /// What the other end of the connection showed of its own. Never of an agent behind an enforcement point: that one's
    /// connection is the point's.
    pub certificate: Option<&'a ClientCertificates>,
}

/// The proofs that were seen.
#[derive(Debug)]
pub struct Proofs {
    /// When the gate began to remember: what a proof of before was used for, nobody knows any more.
    since: Timestamp,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    by_id: BTreeSet<Digest>,
    /// How many are remembered of each key.
    by_key: BTreeMap<Digest, u32>,
    /// Each with its key.
    by_end: BTreeMap<Timestamp, Vec<(Digest, Digest)>>,
}

impl Seen {
    fn forget(&mut self, now: Timestamp) {
        while let Some(old) = self.by_end.first_entry().filter(|entry| *entry.key() < now) {
            for (id, key) in old.remove() {
                self.by_id.remove(&id);
                let left = self.by_key.get(&key).map_or(0, |count| count.saturating_sub(1));
                if left == 0 {
                    self.by_key.remove(&key);
                } else {
                    self.by_key.insert(key, left);
                }
            }
        }
    }

    fn is_full(&self, key: &Digest) -> bool {
        self.by_id.len() >= MOST || self.by_key.get(key).is_some_and(|count| *count >= MOST_OF_ONE)
    }
}

impl Proofs {
    /// None yet.
    pub fn since(now: Timestamp) -> Self {
        Self { since: now, seen: Mutex::default() }
    }

    /// Holds a token that is bound to a key or a certificate, or to nothing, against how it was shown.
    ///
    /// # Errors
    /// `Binding`.
    pub fn hold(&self, bound: Option<&BoundTo>, shown: &Shown<'_>, now: Timestamp) -> Result<(), TokenFault> {
        match (bound, shown.proof.filter(|_| shown.as_bound)) {
            (None, None) if !shown.as_bound => Ok(()),
            // INVARIANT (R8): a token that is bound opens nothing without what it is bound to.
            (Some(_), None) if sabotaged!("r8_proof_not_asked") => Ok(()),
            (Some(BoundTo::Key(key)), Some(proof)) => self.hold_proof(key, proof, shown, now),
            // INVARIANT (R3): the very certificate whose key this connection's other end has.
            (Some(BoundTo::Certificate(bound)), None) if !shown.as_bound => {
                let there = shown.certificate.and_then(ClientCertificates::thumbprint);
                let same = there.as_ref() == Some(bound) || (there.is_some() && sabotaged!("r3_any_certificate"));
                if same { Ok(()) } else { Err(TokenFault::Binding) }
            }
            _ => Err(TokenFault::Binding),
        }
    }

    fn hold_proof(&self, key: &str, proof: &str, shown: &Shown<'_>, now: Timestamp) -> Result<(), TokenFault> {
        let read = Compact::read(proof, true).map_err(|_| TokenFault::Binding)?;
        let jwk = read.header.get("jwk").and_then(Value::as_object).ok_or(TokenFault::Binding)?;
        let fits = read.kind.as_deref() == Some("dpop+jwt") && thumbprint(jwk).as_deref() == Some(key);
        if !fits || is_private(jwk) {
            return Err(TokenFault::Binding);
        }
        let (algorithm, public) = Algorithm::named(&read.algorithm).zip(public_key(jwk)).ok_or(TokenFault::Binding)?;
        algorithm.verify(&public, read.signed.as_bytes(), &read.signature).map_err(|_| TokenFault::Binding)?;
        let ath = URL_SAFE_NO_PAD.encode(Digest::of(shown.token.as_bytes()).as_bytes());
        let says = |name: &str, expected: &str| text(&read.claims, name) == Some(expected);
        // INVARIANT (R3): for this request, with this token.
        if !(says("htm", shown.method) && says("htu", shown.url) && says("ath", &ath)) {
            return Err(TokenFault::Binding);
        }
        let made = read.claims.get("iat").and_then(Value::as_i64).and_then(|seconds| seconds.checked_mul(1_000));
        let made = Timestamp::from_millis(made.ok_or(TokenFault::Binding)?);
        let in_time = now <= made.plus(WINDOW) && made <= now.plus(WINDOW);
        let id = text(&read.claims, "jti").filter(|id| id.len() <= LONGEST_ID).ok_or(TokenFault::Binding)?;
        // INVARIANT (R3): a proof says whole seconds, so one of the second in which this began may have been used before.
        let remembered = made > self.since;
        if !in_time || !remembered || !self.is_first(key, id, made, now) {
            return Err(TokenFault::Binding);
        }
        Ok(())
    }

    /// INVARIANT (R3): a proof is good once.
    fn is_first(&self, key: &str, id: &str, made: Timestamp, now: Timestamp) -> bool {
        let (id, key) = (Digest::of(format!("{key} {id}").as_bytes()), Digest::of(key.as_bytes()));
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(now);
        if seen.is_full(&key) || (!seen.by_id.insert(id) && !sabotaged!("r3_proof_again")) {
            return false;
        }
        *seen.by_key.entry(key).or_default() += 1;
        seen.by_end.entry(made.plus(WINDOW)).or_default().push((id, key));
        true
    }
}

/// Whether somebody sent the secret half of their key.
fn is_private(jwk: &Map<String, Value>) -> bool {
    ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| jwk.contains_key(*name))
}

/// What a token is bound to. By two things at once, or by anything else, is what this gate cannot check.
pub(super) fn bound_to(claims: &Map<String, Value>) -> Result<Option<BoundTo>, TokenFault> {
    match claims.get("cnf") {
        None => Ok(None),
        Some(Value::Object(cnf)) if cnf.len() == 1 => {
            let key = text(cnf, "jkt").map(|jkt| BoundTo::Key(jkt.to_owned()));
            let certificate = || text(cnf, CERTIFICATE).map(|print| BoundTo::Certificate(print.to_owned()));
            key.or_else(certificate).map(Some).ok_or(TokenFault::Binding)
        }
        Some(_) => Err(TokenFault::Binding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_keys_proofs_keep_no_other_out_and_make_room_when_they_are_old() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let proofs = Proofs::since(at(0));
        for number in 0..MOST_OF_ONE {
            assert!(proofs.is_first("flood", &number.to_string(), at(1), at(1)), "{number}");
        }
        assert!(!proofs.is_first("flood", "one more", at(1), at(1)));
        assert!(proofs.is_first("quiet", "first", at(1), at(1)));
        assert!(!proofs.is_first("quiet", "first", at(1), at(1)), "good once");
        assert!(proofs.is_first("flood", "later", at(62), at(62)));
        assert_eq!(proofs.seen.lock().unwrap().by_key.len(), 1, "what is over is forgotten");
    }
}
