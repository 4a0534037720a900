//! A credential as it is registered. Attestation is neither asked for nor believed: what kind of thing an authenticator is
//! says nothing here.

use coset::cbor::value::Value;

use super::authenticator::AuthenticatorData;
use super::client::ClientData;
use super::{AssertionFault, Expected, LONGEST_AUTHENTICATOR_DATA, PublicKey, Verified};

/// A credential that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its id.
    pub credential: Vec<u8>,
    /// Its public key: COSE in CBOR.
    pub key: Vec<u8>,
    /// What it signs with.
    pub algorithm: &'static str,
    /// Counter and flags at its beginning.
    pub verified: Verified,
}

/// Reads a registration: every check of the standard (7.1) that needs no memory, with attestation `none`.
///
/// # Errors
/// The first check that fails.
pub fn register(
    attestation_object: &[u8],
    client_data: &[u8],
    expected: &Expected<'_>,
) -> Result<Registered, AssertionFault> {
    if attestation_object.len() > LONGEST_AUTHENTICATOR_DATA * 2 {
        return Err(AssertionFault::TooLong);
    }
    ClientData::read(client_data)?.hold("webauthn.create", expected)?;
    let data = authenticator_data(attestation_object).ok_or(AssertionFault::AuthenticatorData)?;
    let data = AuthenticatorData::read(&data)?;
    data.hold(expected.rp_id)?;
    let attested = data.attested.ok_or(AssertionFault::AuthenticatorData)?;
    let algorithm = PublicKey::read(&attested.key)?.algorithm();
    let verified = Verified {
        counter: data.counter,
        backup_eligible: data.flags.backup_eligible(),
        backed_up: data.flags.backed_up(),
    };
    Ok(Registered { credential: attested.credential, key: attested.key, algorithm, verified })
}

/// The one member of the object that is looked at, where the object is one.
fn authenticator_data(object: &[u8]) -> Option<Vec<u8>> {
    let mut rest = object;
    let Value::Map(members) = coset::cbor::de::from_reader(&mut rest).ok()? else { return None };
    let member = |name: &str| {
        let mut found = members.iter().filter(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value);
        let value = found.next()?;
        found.next().is_none().then_some(value)
    };
    let format = member("fmt")?.as_text()?;
    let statement = member("attStmt")?.as_map()?;
    let odd = format == "none" && !statement.is_empty();
    (rest.is_empty() && !odd).then(|| member("authData")?.as_bytes().cloned())?
}
