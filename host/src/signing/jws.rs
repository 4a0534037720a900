//! What all that is signed here has in common: one algorithm, a kind of its own, a published key, one issuer and one
//! audience.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use policy_core::time::{Span, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::{KeyRing, PublicKey};

/// The longest text that is looked at.
pub(super) const LONGEST: usize = 16 * 1024;

/// Who signs and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// The policy decision point: the gate's own URL.
    pub issuer: String,
    /// Whom it is for.
    pub audience: String,
}

/// Why a signed text is none of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotOurs {
    /// It is no such text, or no published key of ours has signed it.
    Signature,
    /// Somebody else signed it with our key.
    Issuer,
    /// It is for somebody else.
    Audience,
}

impl KeyRing {
    /// Signs claims under a `typ`: a text of another kind that the same key signs is none of this kind (RFC 8725, 3.11).
    /// Absent: there is no key that can, or it would be longer than what is looked at.
    pub(super) fn seal<W: Serialize>(&self, kind: &str, claims: &W) -> Option<String> {
        let (kid, secret) = self.signing()?;
        let header = Header { typ: Some(kind.to_owned()), kid: Some(kid), ..Header::new(Algorithm::EdDSA) };
        let text = jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&secret)).ok()?;
        (text.len() <= LONGEST).then_some(text)
    }

    /// The claims of a signed text, and the key that stands for them. How long they count is the caller's to say.
    pub(super) fn unseal<W: DeserializeOwned>(
        &self,
        kind: &str,
        parties: &Parties,
        text: &str,
        now: Timestamp,
    ) -> Result<(W, PublicKey), NotOurs> {
        if text.len() > LONGEST {
            return Err(NotOurs::Signature);
        }
        let header = jsonwebtoken::decode_header(text).map_err(|_| NotOurs::Signature)?;
        let mut published = self.published(now).into_iter();
        let key = published.find(|key| Some(&key.kid) == header.kid.as_ref()).ok_or(NotOurs::Signature)?;
        if header.typ.as_deref() != Some(kind) {
            return Err(NotOurs::Signature);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&parties.issuer]);
        validation.set_audience(&[&parties.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        // By our own clock, in each kind: the library would take the system's.
        validation.validate_exp = false;
        let decoding = DecodingKey::from_ed_der(&key.public);
        let data = jsonwebtoken::decode::<W>(text, &decoding, &validation).map_err(|error| match error.kind() {
            ErrorKind::InvalidIssuer => NotOurs::Issuer,
            ErrorKind::InvalidAudience => NotOurs::Audience,
            _ => NotOurs::Signature,
        })?;
        Ok((data.claims, key))
    }
}

impl PublicKey {
    /// Whether it still signed at that second: what says that it was signed later is forged by whoever has the old key.
    pub(super) fn signed_at(&self, at_second: i64) -> bool {
        self.retired_at.is_none_or(|at| at_second <= second(at))
    }
}

/// A moment as a NumericDate (RFC 7519), in whole seconds.
pub(super) fn second(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

pub(super) fn seconds(span: Span) -> i64 {
    i64::try_from(span.seconds()).unwrap_or(i64::MAX)
}
