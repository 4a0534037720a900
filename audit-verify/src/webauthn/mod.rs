//! Assertions and registrations of WebAuthn Level 3, verified: the one place for the gate and for whoever checks its record.
//!
//! It knows what a browser sends and which checks there are. Which challenge was meant, whose a key is and what a counter was
//! before is its caller's to say; no clock, no randomness, nothing kept.

mod authenticator;
mod client;
mod key;
mod registration;
#[cfg(test)]
pub(crate) mod soft;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::hash::sha256;
use authenticator::AuthenticatorData;
use client::ClientData;
pub use key::PublicKey;
pub use registration::{Registered, register};

/// The longest client data: those of browsers have some 150 bytes.
pub const LONGEST_CLIENT_DATA: usize = 4 * 1024;
/// The longest authenticator data: 37 bytes, and with a registration id and key.
pub const LONGEST_AUTHENTICATOR_DATA: usize = 4 * 1024;
/// The longest signature.
pub const LONGEST_SIGNATURE: usize = 512;
/// The longest id of a credential, as the standard bounds it.
pub const LONGEST_CREDENTIAL: usize = 1023;

/// What an authenticator answered.
#[derive(Debug, Clone, Copy)]
pub struct Assertion<'a> {
    /// The authenticator's data.
    pub authenticator_data: &'a [u8],
    /// The browser's data: JSON.
    pub client_data: &'a [u8],
    /// The signature over the first and the digest of the second.
    pub signature: &'a [u8],
}

/// What it has to be an answer to.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The challenge.
    pub challenge: &'a [u8; 32],
    /// The page's origin.
    pub origin: &'a str,
    /// Whose credentials.
    pub rp_id: &'a str,
}

/// What an assertion says besides that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How often the authenticator says that the credential was used. Zero: it does not count.
    pub counter: u32,
    /// Whether the credential may be in several places.
    pub backup_eligible: bool,
    /// Whether it is.
    pub backed_up: bool,
}

/// Which check an assertion or a registration fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AssertionFault {
    /// It is longer than any.
    #[error("it is too long")]
    TooLong,
    /// The browser's data cannot be read.
    #[error("the browser's data cannot be read")]
    ClientData,
    /// It was made for something else.
    #[error("it was made for something else")]
    Type,
    /// It answers another challenge.
    #[error("it answers another challenge")]
    Challenge,
    /// Another page made it.
    #[error("a page of another origin made it")]
    Origin,
    /// It was made in a frame of another page.
    #[error("it was made in a frame of another origin's page")]
    CrossOrigin,
    /// The authenticator's data cannot be read.
    #[error("the authenticator's data cannot be read")]
    AuthenticatorData,
    /// It is of credentials for another name.
    #[error("it is of a credential for another name")]
    RpId,
    /// Nobody touched the authenticator.
    #[error("nobody was at the authenticator")]
    UserAbsent,
    /// The authenticator did not verify who was there.
    #[error("the authenticator did not verify who was there")]
    UserUnverified,
    /// It is said to be in several places, and that it never can be.
    #[error("its flags contradict each other")]
    Backup,
    /// The key is of no kind that is taken.
    #[error("its key is neither of ES256 nor of EdDSA")]
    Key,
    /// The key did not sign this.
    #[error("the key did not sign it")]
    Signature,
}

impl AssertionFault {
    /// One stable word for each check.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::ClientData => "client_data",
            Self::Type => "type",
            Self::Challenge => "challenge",
            Self::Origin => "origin",
            Self::CrossOrigin => "cross_origin",
            Self::AuthenticatorData => "authenticator_data",
            Self::RpId => "rp_id",
            Self::UserAbsent => "user_present",
            Self::UserUnverified => "user_verified",
            Self::Backup => "backup",
            Self::Key => "key",
            Self::Signature => "signature",
        }
    }
}

/// Verifies an assertion: every check of the standard (7.2) that needs no memory.
///
/// # Errors
/// The first check that fails.
pub fn verify(assertion: &Assertion<'_>, expected: &Expected<'_>, key: &PublicKey) -> Result<Verified, AssertionFault> {
    let Assertion { authenticator_data, client_data, signature } = *assertion;
    if signature.len() > LONGEST_SIGNATURE {
        return Err(AssertionFault::TooLong);
    }
    ClientData::read(client_data)?.hold("webauthn.get", expected)?;
    let data = AuthenticatorData::read(authenticator_data)?;
    data.hold(expected.rp_id)?;
    if data.attested.is_some() {
        return Err(AssertionFault::AuthenticatorData);
    }
    let signed = [authenticator_data, &sha256(client_data)[..]].concat();
    if !key.verifies(&signed, signature) {
        return Err(AssertionFault::Signature);
    }
    Ok(Verified {
        counter: data.counter,
        backup_eligible: data.flags.backup_eligible(),
        backed_up: data.flags.backed_up(),
    })
}
