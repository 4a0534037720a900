//! The gate's own tokens for agents and enforcement points: the keys that they are signed with, and how one is written.
//!
//! The public halves are published nowhere, since only this gate takes such a token. What a signature says is that this
//! gate wrote it; whether it still counts, and for whom, the record says.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use policy_core::time::{Span, Timestamp};
use serde::Serialize;
use thiserror::Error;

use super::jws::second;
use super::keys::{FreshKey, KeyRing, PublicKey};
use crate::random::Random;

/// The header's `typ`: what else is signed here is none of these (RFC 8725, 3.11).
pub const CREDENTIAL_KIND: &str = "proviso-credential+jwt";

/// The claim that holds the secret whose code stands in the record.
pub const SECRET_CLAIM: &str = "proviso.dev/secret";

/// The file in the folder of keys.
const FILE: &str = "credentials.json";

/// Whatever a retired key signed stands in the record, with its end.
const UNKNOWN_LIFE: Span = Span::from_seconds(0);

/// The keys of the gate's own tokens.
pub struct CredentialKeys(KeyRing);

/// Why they cannot be used.
#[derive(Debug, Error)]
pub enum CredentialKeyError {
    /// They can be neither read nor written, or are no keys.
    #[error("the keys of the gate's own tokens, `{path}`, cannot be used: {source}")]
    Unusable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Others can read them.
    #[error("the keys of the gate's own tokens, `{path}`, have the mode {mode:o}, so that others can read them")]
    Open {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// They are gone, and tokens live that they signed.
    #[error("the keys of the gate's own tokens, `{path}`, are not there, and tokens live that they signed")]
    Missing {
        /// The file.
        path: String,
    },
}

impl CredentialKeyError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unusable { .. } => "credential_keys_unusable",
            Self::Open { .. } => "credential_keys_open",
            Self::Missing { .. } => "credential_keys_missing",
        }
    }

    /// What to do about it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Unusable { .. } | Self::Missing { .. } => {
                "put the file back as it was; where that is lost, `proviso backup` and `proviso restore` make a folder in \
                 which all credentials are minted anew"
            }
            Self::Open { .. } => {
                "`chmod 600` the file, find out who could read it, and let another key sign by `proviso key rotate \
                 --credentials`"
            }
        }
    }
}

/// What a token says.
pub struct CredentialClaims<'a> {
    /// The gate, by the name that its record has, too.
    pub issuer: &'a str,
    /// Whom it is for.
    pub subject: &'a str,
    /// Where it is to be shown: the gate, or one resource.
    pub audience: &'a str,
    /// Its public id.
    pub id: &'a str,
    /// The secret whose code is on record.
    pub secret: &'a str,
    /// When it was minted.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
struct Wire<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    #[serde(rename = "proviso.dev/secret")]
    secret: &'a str,
}

impl CredentialKeys {
    /// Reads the keys of a data folder. Where there are none, one is drawn that nothing holds yet: [`Self::keep`].
    ///
    /// # Errors
    /// When they cannot be read, or others can.
    pub fn open(data: &Path, random: &dyn Random, now: Timestamp) -> Result<Self, CredentialKeyError> {
        let path = data.join("keys").join(FILE);
        let unusable = |source| CredentialKeyError::Unusable { path: path.display().to_string(), source };
        // INVARIANT (R9): what others may have read is told before anything is believed by it.
        match fs::metadata(&path).map(|facts| facts.permissions().mode() & 0o777) {
            Ok(mode) if mode & 0o077 != 0 => {
                return Err(CredentialKeyError::Open { path: path.display().to_string(), mode });
            }
            _ => {}
        }
        if let Some(ring) = KeyRing::read(path.clone(), UNKNOWN_LIFE).map_err(unusable)? {
            return Ok(Self(ring));
        }
        let fresh = FreshKey::draw(random, now).map_err(unusable)?;
        Ok(Self(KeyRing::begin(path.clone(), UNKNOWN_LIFE, fresh)))
    }

    /// Keeps the first key, where none is kept yet. `needed`: tokens live that a key signed which is gone.
    ///
    /// # Errors
    /// [`CredentialKeyError::Missing`]; when it cannot be written.
    pub fn keep(&self, needed: bool) -> Result<(), CredentialKeyError> {
        if self.0.path().exists() {
            return Ok(());
        }
        let path = self.0.path().display().to_string();
        // A token that lives is not made worthless by a file that somebody may put back.
        if needed {
            return Err(CredentialKeyError::Missing { path });
        }
        self.0.keep().map_err(|source| CredentialKeyError::Unusable { path, source })
    }

    /// Writes a token. Absent: there is no key that can.
    pub fn sign(&self, claims: &CredentialClaims<'_>) -> Option<String> {
        let wire = Wire {
            iss: claims.issuer,
            sub: claims.subject,
            aud: claims.audience,
            iat: second(claims.issued_at),
            exp: second(claims.expires_at),
            jti: claims.id,
            secret: claims.secret,
        };
        self.0.seal(CREDENTIAL_KIND, &wire)
    }

    /// A key that tokens are believed by, by its id.
    pub fn find(&self, kid: &str, now: Timestamp) -> Option<PublicKey> {
        self.0.published(now).into_iter().find(|key| key.kid == kid)
    }

    /// All of them, oldest first; the last one signs.
    pub fn all(&self, now: Timestamp) -> Vec<PublicKey> {
        self.0.published(now)
    }

    /// The keys themselves, for letting another one sign.
    pub const fn ring(&self) -> &KeyRing {
        &self.0
    }

    /// Forgets every key, and lets this one sign.
    ///
    /// # Errors
    /// When the file cannot be written; the keys are as before then.
    pub fn begin_anew(&self, fresh: FreshKey) -> io::Result<()> {
        self.0.begin_anew(fresh)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;
    use crate::random::SystemRandom;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + seconds * 1000)
    }

    fn folder() -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("keys")).unwrap();
        data
    }

    fn open(data: &tempfile::TempDir) -> Result<CredentialKeys, &'static str> {
        CredentialKeys::open(data.path(), &SystemRandom, at(0)).map_err(|error| error.code())
    }

    #[test]
    fn a_first_key_is_kept_but_not_in_the_place_of_one_that_tokens_hang_on() {
        let data = folder();
        let keys = open(&data).unwrap();
        let path = data.path().join("keys").join(FILE);
        assert!(!path.exists(), "nothing is written before it is known that none is missing");
        assert_eq!(keys.keep(true).map_err(|error| error.code()), Err("credential_keys_missing"));
        assert!(!path.exists());
        keys.keep(false).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        // Kept already is kept, whatever is needed, and the next start finds it.
        keys.keep(true).unwrap();
        assert_eq!(open(&data).unwrap().all(at(0)), keys.all(at(0)));
    }

    #[test]
    fn keys_that_others_can_read_or_that_are_none_are_told_and_left_as_they_are() {
        let data = folder();
        let keys = open(&data).unwrap();
        keys.keep(false).unwrap();
        let path = data.path().join("keys").join(FILE);
        let good = fs::read(&path).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(open(&data).err(), Some("credential_keys_open"), "{mode:o}");
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for bad in ["", "{}", r#"{"v":1,"keys":[]}"#] {
            fs::write(&path, bad).unwrap();
            assert_eq!(open(&data).err(), Some("credential_keys_unusable"), "{bad}");
            assert_eq!(fs::read_to_string(&path).unwrap(), bad, "nothing is written over it");
        }
        fs::write(&path, good).unwrap();
        assert_eq!(open(&data).unwrap().all(at(0)), keys.all(at(0)));
    }

    #[test]
    fn a_retired_key_stays_until_the_last_token_that_it_signed_has_ended() {
        let data = folder();
        let keys = open(&data).unwrap();
        let first = keys.all(at(0)).pop().unwrap().kid;
        keys.ring().rotate(FreshKey::draw(&SystemRandom, at(10)).unwrap(), || at(10), |_| Some(at(500))).unwrap();
        for (when, there) in [(10, true), (559, true), (560, false)] {
            assert_eq!(keys.find(&first, at(when)).is_some(), there, "{when}");
        }
        // With nothing that lives it goes at once, but for the minute of a clock that is set back.
        let second = keys.all(at(600)).pop().unwrap().kid;
        keys.ring().rotate(FreshKey::draw(&SystemRandom, at(600)).unwrap(), || at(600), |_| None).unwrap();
        assert!(keys.find(&second, at(660)).is_none() && keys.all(at(660)).len() == 1);
        keys.begin_anew(FreshKey::draw(&SystemRandom, at(700)).unwrap()).unwrap();
        assert_eq!(open(&data).unwrap().all(at(700)).len(), 1);
    }
}
