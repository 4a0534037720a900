//! The binding token: what ties a request to the denial that it answers, for whoever holds our public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::digest::Digest;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::jws::{Parties, seconds};
use super::keys::BindingKeys;

/// How long a token is valid at most. A retired key is published for as long at least.
pub(super) const LONGEST_LIFE: Span = Span::from_seconds(15 * 60);

/// The header's `typ`.
const KIND: &str = "arap-binding+jwt";

/// What a token says of a denial (ARAP, binding token integrity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingClaims {
    /// The evaluation that refused. One token for each, so it is the token's id, too.
    pub evaluation: String,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Until when the denial can be answered.
    pub denial_expires_at: Timestamp,
    /// The members of the denied question's context that are bound, sorted.
    pub members: Vec<String>,
    /// The digest of subject, resource, action and these members.
    pub binding: Digest,
}

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It is not ours, for somebody else, altered, or signed by a key that counts no more.
    #[error("the binding token is not one that this gate's keys stand for")]
    Invalid,
    /// It was ours, and is over.
    #[error("the binding token has expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    aud: Vec<String>,
    iat: i64,
    exp: i64,
    jti: String,
    evaluation_id: String,
    denial_expires_at: Timestamp,
    binding_context_members: Vec<String>,
    binding_hash: String,
}

impl BindingKeys {
    /// Signs. Absent: there is no key that can.
    pub fn sign(&self, parties: &Parties, claims: &BindingClaims) -> Option<String> {
        let issued = claims.issued_at.millis().div_euclid(1000);
        let wire = Wire {
            iss: parties.issuer.clone(),
            aud: vec![parties.audience.clone()],
            iat: issued,
            // Not a moment later than the denial itself.
            exp: claims.denial_expires_at.millis().div_euclid(1000).min(issued.saturating_add(seconds(LONGEST_LIFE))),
            jti: claims.evaluation.clone(),
            evaluation_id: claims.evaluation.clone(),
            denial_expires_at: claims.denial_expires_at,
            binding_context_members: claims.members.clone(),
            binding_hash: URL_SAFE_NO_PAD.encode(claims.binding.as_bytes()),
        };
        self.seal(KIND, &wire)
    }

    /// What a token proves.
    ///
    /// # Errors
    /// [`TokenError`]: it proves nothing.
    pub fn verify(&self, parties: &Parties, token: &str, now: Timestamp) -> Result<BindingClaims, TokenError> {
        let (wire, key) = self.unseal::<Wire>(KIND, parties, token, now).map_err(|_| TokenError::Invalid)?;
        let life = wire.exp.saturating_sub(wire.iat);
        let within = (0..=seconds(LONGEST_LIFE)).contains(&life);
        let until = Timestamp::from_millis(wire.exp.saturating_mul(1000));
        if !key.signed_at(wire.iat) || !within || wire.jti != wire.evaluation_id || until > wire.denial_expires_at {
            return Err(TokenError::Invalid);
        }
        let hash = URL_SAFE_NO_PAD.decode(&wire.binding_hash).ok().and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let claims = BindingClaims {
            evaluation: wire.evaluation_id,
            issued_at: Timestamp::from_millis(wire.iat.saturating_mul(1000)),
            denial_expires_at: wire.denial_expires_at,
            members: wire.binding_context_members,
            binding: Digest::from_bytes(hash.ok_or(TokenError::Invalid)?),
        };
        if now >= until { Err(TokenError::Expired) } else { Ok(claims) }
    }
}
