//! Credentials of other issuers: who is an issuer, by which keys, and what a token or a client's certificate says once it
//! is verified. The gate's own tokens are read by the same strict reader ([`own`]).
//!
//! Here everything is still in the issuer's words. Who that is in the bundle's, whether their task goes on, and what is
//! recorded of it, is `app::foreign`'s. No status codes, no SQL, no policy; no token is kept or logged.

mod certificate;
mod chain;
mod claims;
mod config;
mod dpop;
mod fault;
mod jwk;
mod jws;
mod keyring;
pub mod own;
mod signature;
mod source;
mod spiffe;
mod verify;

pub use certificate::ClientCertificates;
pub use config::{IdentitiesError, PointEntry};
pub use dpop::{BoundTo, PROOF_ALGORITHMS, Proofs, Shown};
pub use fault::TokenFault;
pub use jws::LONGEST;
pub use verify::{Identities, Party, VerifiedToken};

use policy_core::time::Timestamp;

/// When something is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// By the wall clock: what a token's times are held against.
    pub now: Timestamp,
    /// By the boot clock, in milliseconds: how old what is kept is.
    pub boot: u64,
}
