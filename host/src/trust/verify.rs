//! From a text that somebody sent to what its issuer says, each check in its order: form, issuer, kind, algorithm, key,
//! signature, and only then what it claims.

use std::sync::Arc;

use policy_core::digest::Digest;
use policy_core::sabotaged;
use policy_core::time::Timestamp;

use super::Moment;
use super::chain::{parties, text};
use super::claims;
use super::config::{Issuer, Kind, PointEntry};
use super::dpop::{BoundTo, bound_to};
use super::fault::TokenFault;
use super::jws::{self, Compact};
use super::signature::Algorithm;
use super::spiffe;

/// Whom the gate believes besides itself: `proviso serve --identities FILE`.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    pub(super) issuers: Vec<Arc<Issuer>>,
    pub(super) points: Vec<PointEntry>,
}

/// Somebody, in an issuer's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Party {
    /// Whose subject it is.
    pub issuer: String,
    /// The subject.
    pub subject: String,
}

/// What an issuer says of who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Who says it: the trust domain as `spiffe://NAME`, or `iss`.
    pub issuer: String,
    /// The id of the key that signed it.
    pub key: String,
    /// The token's own id.
    pub id: Option<String>,
    /// The digest of what is signed, by which a token without an id is known again.
    pub digest: Digest,
    /// When it was issued, or the earliest that it can have been.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// Who acts.
    pub actor: Party,
    /// On whose behalf, from the current actor inward.
    pub behind: Vec<Party>,
    /// The task, where the configured claim says one.
    pub task: Option<String>,
    /// What the agent is built of, where the entry names a claim for it.
    pub build: Option<String>,
    /// What it is bound to.
    pub bound: Option<BoundTo>,
    /// The names of the claims that it carries and that nothing here believes, sorted.
    pub unread: Vec<String>,
}

/// The claims that are read of every token.
const READ: [&str; 10] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "client_id", "cnf"];
/// How many names of unread claims are kept.
const MOST_UNREAD: usize = 32;

impl Identities {
    /// Whether a bearer's credential has the form of a token of another issuer.
    pub fn looks_like_one(text: &str) -> bool {
        jws::looks_like_one(text)
    }

    /// The enforcement point that this is, where the configuration says so.
    pub fn point(&self, party: &Party) -> Option<&PointEntry> {
        self.points.iter().find(|point| point.party == *party)
    }

    /// Whether this is the name of an issuer here.
    pub fn knows(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|known| known.name == issuer)
    }

    /// Verifies a token. `resource` is the one that it was shown to, where that is not the gate: then it must be for that
    /// one. `audience` is the gate's own URL, for issuers whose entries name none.
    ///
    /// # Errors
    /// The first check that fails.
    pub async fn verify(
        &self,
        text: &str,
        resource: Option<&str>,
        audience: &str,
        moment: Moment,
    ) -> Result<VerifiedToken, TokenFault> {
        let token = Compact::read(text, false)?;
        let issuer = self.issuer_of(&token)?;
        let algorithm = Algorithm::named(&token.algorithm).filter(|named| issuer.algorithms.contains(named));
        let algorithm = algorithm.ok_or(TokenFault::Algorithm)?;
        let id = token.key.as_deref().ok_or(TokenFault::Key)?;
        let key = issuer.keys.find(id, algorithm, moment.boot).await?;
        // INVARIANT (R8): nothing of a token is believed but under its issuer's own key.
        if !sabotaged!("r8_signature_believed") {
            algorithm.verify(&key, token.signed.as_bytes(), &token.signature)?;
        }
        let times = claims::hold(issuer, &token.claims, (resource, audience), moment.now)?;
        let (actor, behind) = parties(issuer, &token.claims)?;
        let task = text_claim(&token, &issuer.task)?;
        // INVARIANT (R3): where the entry names the build, a token that does not say it says nothing.
        let build = match &issuer.build {
            Some(name) => Some(text_claim(&token, name)?.ok_or(TokenFault::Claim("the claim of the build"))?),
            None => None,
        };
        let bound = bound_to(&token.claims)?;
        // INVARIANT (R8): what the entry demands is there, and is that and nothing else.
        if !issuer.bound.is_none_or(|demanded| demanded.is_met_by(bound.as_ref())) {
            return Err(TokenFault::Binding);
        }
        let mut unread: Vec<String> = token.claims.keys().filter(|name| !is_read(issuer, name)).cloned().collect();
        unread.sort();
        unread.truncate(MOST_UNREAD);
        Ok(VerifiedToken {
            issuer: issuer.name.clone(),
            key: id.to_owned(),
            id: self::text(&token.claims, "jti").map(str::to_owned),
            digest: Digest::of(token.signed.as_bytes()),
            issued_at: times.issued_at,
            expires_at: times.expires_at,
            actor,
            behind,
            task,
            build,
            bound,
            unread,
        })
    }

    /// Whose token this says it is. The kind decides which claim says it, so that no issuer's token is taken for
    /// another's.
    fn issuer_of(&self, token: &Compact<'_>) -> Result<&Issuer, TokenFault> {
        let kind = token.kind.as_deref();
        let is_access = kind
            .is_some_and(|kind| kind.eq_ignore_ascii_case("at+jwt") || kind.eq_ignore_ascii_case("application/at+jwt"));
        let name = match kind {
            _ if is_access => text(&token.claims, "iss").ok_or(TokenFault::Claim("iss"))?.to_owned(),
            None | Some("JWT" | "JOSE") => {
                let subject = text(&token.claims, "sub").ok_or(TokenFault::Claim("sub"))?;
                // Whoever has access tokens of another kind learns that it is the kind.
                let iss = text(&token.claims, "iss");
                let known = |issuer: &Arc<Issuer>| issuer.kind == Kind::AccessToken && iss == Some(&issuer.name);
                match spiffe::trust_domain(subject) {
                    Some(domain) => format!("spiffe://{domain}"),
                    None if self.issuers.iter().any(known) => return Err(TokenFault::Type),
                    None => return Err(TokenFault::TrustDomain),
                }
            }
            Some(_) => return Err(TokenFault::Type),
        };
        let kind = if is_access { Kind::AccessToken } else { Kind::JwtSvid };
        let mut known = self.issuers.iter().filter(|issuer| issuer.name == name);
        known.find(|issuer| issuer.kind == kind).map(AsRef::as_ref).ok_or(TokenFault::Issuer)
    }
}

/// A configured claim, which is a text where it is there.
fn text_claim(token: &Compact<'_>, name: &str) -> Result<Option<String>, TokenFault> {
    if !token.claims.contains_key(name) {
        return Ok(None);
    }
    text(&token.claims, name).map(|text| Some(text.to_owned())).ok_or(TokenFault::Claim("a configured claim"))
}

fn is_read(issuer: &Issuer, name: &str) -> bool {
    READ.contains(&name) || issuer.task == name || issuer.build.as_deref() == Some(name)
}
