//! What the gate signs for others to verify, each as a compact JWS: the binding token of a requestable denial, and the
//! state of an approval (ARAP); and what it signs for itself, its own tokens for agents and enforcement points.
//!
//! `jsonwebtoken` writes and checks the form; the signature is `ed25519-dalek`'s, which signs the log's heads, too, so
//! that no second library of cryptography is linked. Only EdDSA exists here: a token that names another algorithm, or
//! none, cannot be verified by anything.

mod approval;
mod credential;
mod jws;
mod keys;
mod provider;
mod token;

pub use approval::{ApprovalClaims, StateFault};
pub use credential::{CREDENTIAL_KIND, CredentialClaims, CredentialKeyError, CredentialKeys, SECRET_CLAIM};
pub use jws::Parties;
pub use keys::{BindingKeys, FreshKey, KeyRing, PublicKey};
pub use token::{BindingClaims, TokenError};
