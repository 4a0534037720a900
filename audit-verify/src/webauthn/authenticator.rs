//! What the authenticator says: `authenticatorData`.

use std::io::Read as _;

use coset::cbor::value::Value;

use super::{AssertionFault, LONGEST_AUTHENTICATOR_DATA, LONGEST_CREDENTIAL};
use crate::hash::sha256;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// The flags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags(u8);

impl Flags {
    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    pub(super) const fn backup_eligible(self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }

    pub(super) const fn backed_up(self) -> bool {
        self.has(BACKED_UP)
    }
}

/// A credential as an authenticator registers it.
#[derive(Debug)]
pub(super) struct Attested {
    /// Its id.
    pub(super) credential: Vec<u8>,
    /// Its public key: COSE in CBOR, the very bytes.
    pub(super) key: Vec<u8>,
}

/// The data, read whole: no byte is left over.
#[derive(Debug)]
pub(super) struct AuthenticatorData {
    rp_id_hash: [u8; 32],
    pub(super) flags: Flags,
    pub(super) counter: u32,
    pub(super) attested: Option<Attested>,
}

impl AuthenticatorData {
    /// Reads it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, AssertionFault> {
        if bytes.len() > LONGEST_AUTHENTICATOR_DATA {
            return Err(AssertionFault::TooLong);
        }
        let mut rest = bytes;
        let data = read(&mut rest).ok_or(AssertionFault::AuthenticatorData)?;
        if rest.is_empty() { Ok(data) } else { Err(AssertionFault::AuthenticatorData) }
    }

    /// Holds name and flags.
    pub(super) fn hold(&self, rp_id: &str) -> Result<(), AssertionFault> {
        if self.rp_id_hash != sha256(rp_id.as_bytes()) {
            return Err(AssertionFault::RpId);
        }
        if !self.flags.has(USER_PRESENT) {
            return Err(AssertionFault::UserAbsent);
        }
        if !self.flags.has(USER_VERIFIED) {
            return Err(AssertionFault::UserUnverified);
        }
        if self.flags.backed_up() && !self.flags.backup_eligible() {
            return Err(AssertionFault::Backup);
        }
        Ok(())
    }
}

fn read(rest: &mut &[u8]) -> Option<AuthenticatorData> {
    let rp_id_hash = take(rest)?;
    let [flags] = take(rest)?;
    let flags = Flags(flags);
    let counter = u32::from_be_bytes(take(rest)?);
    let attested = if flags.has(ATTESTED) { Some(attested(rest)?) } else { None };
    if flags.has(EXTENSIONS) {
        matches!(item(rest)?, Value::Map(_)).then_some(())?;
    }
    Some(AuthenticatorData { rp_id_hash, flags, counter, attested })
}

fn attested(rest: &mut &[u8]) -> Option<Attested> {
    let _model: [u8; 16] = take(rest)?;
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    if length == 0 || length > LONGEST_CREDENTIAL {
        return None;
    }
    let (credential, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    let before = *rest;
    item(rest)?;
    let key = before.get(..before.len() - rest.len())?;
    Some(Attested { credential: credential.to_vec(), key: key.to_vec() })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    rest.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// One item of CBOR. What is read is a few kilobytes at most, and the reader bounds its depth.
fn item(rest: &mut &[u8]) -> Option<Value> {
    coset::cbor::de::from_reader(rest).ok()
}
