//! What came with a vote. Persisted and hashed: every variant and member is for ever.

use serde::{Deserialize, Serialize};

use super::Presence;
use crate::digest::Digest;
use crate::time::Timestamp;

/// What shows that the voter was there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Proof {
    /// A session.
    #[default]
    Session,
    /// An authentication at a provider a moment before: it proves an account there, and no possession of a key.
    Authentication(Box<Authentication>),
    /// A signature of the vote by a passkey, the person verified by the authenticator.
    Signature(Box<Signature>),
}

/// An authentication at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// The provider's issuer identifier.
    pub issuer: String,
    /// In which way the person authenticated, as the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// An assertion of WebAuthn, whole: with the passkey's key it can be verified by anybody, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The passkey's public id here.
    pub passkey: String,
    /// Its public key: COSE in CBOR, in base64url.
    pub key: String,
    /// Whose credentials it is of: the name in the gate's address.
    pub rp_id: String,
    /// The gate's address, as the browser saw it.
    pub origin: String,
    /// What made the challenge unforeseeable.
    pub nonce: Digest,
    /// What was signed: a [`super::Statement`] in canonical JSON.
    pub statement: String,
    /// The credential's id, in base64url.
    pub credential: String,
    /// The authenticator's data, in base64url.
    pub authenticator_data: String,
    /// The browser's data, in base64url.
    pub client_data: String,
    /// The signature over both, in base64url.
    pub signature: String,
}

impl Proof {
    /// What it is worth.
    pub const fn presence(&self) -> Presence {
        match self {
            Self::Session => Presence::Session,
            Self::Authentication(_) => Presence::Authentication,
            Self::Signature(_) => Presence::Signature,
        }
    }

    /// Whether it is a session and nothing more: what is left out where it is written down.
    pub const fn is_session(&self) -> bool {
        matches!(self, Self::Session)
    }
}
