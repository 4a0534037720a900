//! A ring of keys: one that signs, and the public halves of those that did, until nothing they signed is valid any more.
//! It lies in one file beside the log's keys, so that a rotation is one rename. There are two: that of binding tokens and
//! approvals, whose public halves are published, and that of the gate's own credentials.

use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, OctetKeyPairParameters,
    OctetKeyPairType, PublicKeyUse,
};
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::provider;
use super::token::LONGEST_LIFE;
use crate::random::{self, Random};
use crate::whole_file;

/// The file of the keys of binding tokens and approvals, in the folder of keys.
const FILE: &str = "binding.json";
/// The version of a file of keys.
const VERSION: u32 = 1;
/// How much longer than its last token a retired key is believed: clocks of others may be behind.
const SKEW: Span = Span::from_seconds(60);

/// A key as it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Row {
    kid: String,
    /// The public half.
    x: String,
    /// The secret half; a retired key has none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
    made_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retired_at: Option<Timestamp>,
    /// When the last ends of what it signed and the record knows; with that it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    needed_until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    v: u32,
    keys: Vec<Row>,
}

/// A key that was drawn and does not sign yet.
#[derive(Clone)]
pub struct FreshKey(Row);

impl FreshKey {
    /// Draws one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn draw(random: &dyn Random, now: Timestamp) -> io::Result<Self> {
        draw(random, now).map(Self)
    }

    /// Its id.
    pub fn kid(&self) -> &str {
        &self.0.kid
    }
}

/// What is published of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id: the RFC 7638 thumbprint.
    pub kid: String,
    /// The public half.
    pub public: [u8; 32],
    /// Since when it signs.
    pub made_at: Timestamp,
    /// When it was retired; the newest is not.
    pub retired_at: Option<Timestamp>,
}

/// A key that signs, and those that did.
pub struct KeyRing {
    path: PathBuf,
    /// How long something is valid at most that the record does not know.
    life: Span,
    rows: RwLock<Vec<Row>>,
}

/// The keys of binding tokens and approvals.
pub struct BindingKeys(KeyRing);

impl BindingKeys {
    /// Reads the keys of a data folder, or draws the first.
    ///
    /// # Errors
    /// When they can be neither read nor written.
    pub fn open(data: &Path, random: &dyn Random, now: Timestamp) -> io::Result<Self> {
        let path = data.join("keys").join(FILE);
        if let Some(ring) = KeyRing::read(path.clone(), LONGEST_LIFE)? {
            return Ok(Self(ring));
        }
        let ring = KeyRing::begin(path, LONGEST_LIFE, FreshKey::draw(random, now)?);
        ring.keep()?;
        Ok(Self(ring))
    }

    /// The published keys as a JWK Set (RFC 7517, RFC 8037).
    pub fn jwks(&self, now: Timestamp) -> JwkSet {
        let keys = self.published(now).into_iter().map(|key| Jwk {
            common: CommonParameters {
                public_key_use: Some(PublicKeyUse::Signature),
                key_algorithm: Some(KeyAlgorithm::EdDSA),
                key_id: Some(key.kid),
                ..CommonParameters::default()
            },
            algorithm: AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: URL_SAFE_NO_PAD.encode(key.public),
            }),
        });
        JwkSet { keys: keys.collect() }
    }
}

impl Deref for BindingKeys {
    type Target = KeyRing;

    fn deref(&self) -> &KeyRing {
        &self.0
    }
}

impl KeyRing {
    /// Reads a file of keys. Absent: there is none.
    pub(super) fn read(path: PathBuf, life: Span) -> io::Result<Option<Self>> {
        provider::install();
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Self { rows: RwLock::new(read(&bytes)?), path, life })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A first key, which is kept nowhere yet.
    pub(super) fn begin(path: PathBuf, life: Span, FreshKey(fresh): FreshKey) -> Self {
        provider::install();
        Self { path, life, rows: RwLock::new(vec![fresh]) }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what there is.
    pub(super) fn keep(&self) -> io::Result<()> {
        write(&self.path, &self.rows.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Retires the key that signs, and lets this one sign. `now` is asked once nothing can be signed by the old key any
    /// more, and so is `needed`, which tells when the last ends of what the record knows that a key signed which is retired
    /// at that instant: so both see whatever was.
    ///
    /// # Errors
    /// When the file cannot be written; the keys are as before then.
    pub fn rotate(
        &self,
        FreshKey(fresh): FreshKey,
        now: impl FnOnce() -> Timestamp,
        needed: impl FnOnce(Timestamp) -> Option<Timestamp>,
    ) -> io::Result<()> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        let needed = needed(now);
        let mut next: Vec<Row> = rows.iter().filter(|row| row.is_published(now, self.life)).cloned().collect();
        for row in &mut next {
            // INVARIANT: from here on nothing can be signed by it, whoever reads the file.
            row.d = None;
            if row.retired_at.is_none() {
                (row.retired_at, row.needed_until) = (Some(now), needed);
            }
        }
        next.push(fresh);
        write(&self.path, &next)?;
        *rows = next;
        Ok(())
    }

    /// Forgets every key, and lets this one sign: nothing that was signed before is believed any more.
    ///
    /// # Errors
    /// When the file cannot be written; the keys are as before then.
    pub fn begin_anew(&self, FreshKey(fresh): FreshKey) -> io::Result<()> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let next = vec![fresh];
        write(&self.path, &next)?;
        *rows = next;
        Ok(())
    }

    /// The keys that something valid may be signed by, oldest first.
    pub fn published(&self, now: Timestamp) -> Vec<PublicKey> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        rows.iter().filter(|row| row.is_published(now, self.life)).filter_map(Row::public).collect()
    }

    /// The key that signs now: its id and its secret half.
    pub(super) fn signing(&self) -> Option<(String, [u8; 32])> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let row = rows.last()?;
        Some((row.kid.clone(), bytes(row.d.as_ref()?)?))
    }
}

impl Row {
    fn is_published(&self, now: Timestamp, life: Span) -> bool {
        self.retired_at.is_none_or(|retired| {
            let tokens = retired.plus(life);
            now < self.needed_until.map_or(tokens, |needed| needed.max(tokens)).plus(SKEW)
        })
    }

    fn public(&self) -> Option<PublicKey> {
        let (kid, made_at, retired_at) = (self.kid.clone(), self.made_at, self.retired_at);
        Some(PublicKey { kid, public: bytes(&self.x)?, made_at, retired_at })
    }
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn draw(random: &dyn Random, now: Timestamp) -> io::Result<Row> {
    let key = SigningKey::from_bytes(&random::key(random)?);
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    // RFC 7638: the required members of the public key, sorted, without spaces.
    let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
    let kid = URL_SAFE_NO_PAD.encode(thumbprint);
    Ok(Row {
        kid,
        x,
        d: Some(URL_SAFE_NO_PAD.encode(key.to_bytes())),
        made_at: now,
        retired_at: None,
        needed_until: None,
    })
}

fn read(text: &[u8]) -> io::Result<Vec<Row>> {
    let bad = || io::Error::other("it does not hold keys that sign");
    let kept: Kept = serde_json::from_slice(text).map_err(|_| bad())?;
    let whole = kept.keys.iter().all(|row| row.public().is_some());
    let signs = kept.keys.last().is_some_and(|row| row.d.as_ref().and_then(|d| bytes(d)).is_some());
    if kept.v == VERSION && whole && signs { Ok(kept.keys) } else { Err(bad()) }
}

fn write(path: &Path, rows: &[Row]) -> io::Result<()> {
    let bytes = serde_json::to_vec(&Kept { v: VERSION, keys: rows.to_vec() }).map_err(io::Error::other)?;
    whole_file::replace(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + seconds * 1000)
    }

    #[test]
    fn a_retired_key_is_published_until_nothing_it_signed_is_valid_and_signs_no_more() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("keys")).unwrap();
        let keys = BindingKeys::open(data.path(), &SystemRandom, at(0)).unwrap();
        let (first, secret) = keys.signing().unwrap();
        let fresh = FreshKey::draw(&SystemRandom, at(100)).unwrap();
        let second = fresh.kid().to_owned();
        keys.rotate(fresh, || at(100), |_| None).unwrap();
        assert_eq!(keys.signing().unwrap().0, second);
        let text = fs::read_to_string(data.path().join("keys").join(FILE)).unwrap();
        assert!(!text.contains(&URL_SAFE_NO_PAD.encode(secret)), "the secret half is gone from the disk");
        let gone = i64::try_from(LONGEST_LIFE.seconds() + SKEW.seconds()).unwrap();
        for (when, expected) in
            [(100, vec![&first, &second]), (99 + gone, vec![&first, &second]), (100 + gone, vec![&second])]
        {
            let kids: Vec<String> = keys.published(at(when)).into_iter().map(|key| key.kid).collect();
            assert_eq!(kids.iter().collect::<Vec<_>>(), expected, "{when}");
        }
        // A start later finds the same keys.
        let again = BindingKeys::open(data.path(), &SystemRandom, at(200)).unwrap();
        assert_eq!(again.published(at(200)), keys.published(at(200)));
        assert_eq!(again.signing(), keys.signing());
    }

    #[test]
    fn a_retired_key_is_published_until_the_last_approval_of_its_time_has_ended() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("keys")).unwrap();
        let keys = BindingKeys::open(data.path(), &SystemRandom, at(0)).unwrap();
        let first = keys.signing().unwrap().0;
        for (when, needed) in [(100, Some(at(500_000))), (200, Some(at(90_000))), (300, None)] {
            keys.rotate(FreshKey::draw(&SystemRandom, at(when)).unwrap(), || at(when), |_| needed).unwrap();
        }
        let again = BindingKeys::open(data.path(), &SystemRandom, at(400)).unwrap();
        for (when, many) in [(400, 4), (60_000, 3), (90_059, 3), (90_060, 2), (500_059, 2), (500_060, 1)] {
            let kids: Vec<String> = again.published(at(when)).into_iter().map(|key| key.kid).collect();
            assert_eq!((kids.len(), kids.contains(&first)), (many, when < 500_060), "{when}");
        }
    }

    #[test]
    fn a_file_that_holds_no_signing_key_is_refused() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join("keys")).unwrap();
        drop(BindingKeys::open(data.path(), &SystemRandom, at(0)).unwrap());
        let path = data.path().join("keys").join(FILE);
        let good = fs::read_to_string(&path).unwrap();
        for bad in [
            "",
            "{}",
            r#"{"v":1,"keys":[]}"#,
            &good.replace("\"v\":1", "\"v\":2"),
            &good.replace("\"d\":\"", "\"d\":\"!"),
        ] {
            fs::write(&path, bad).unwrap();
            assert!(BindingKeys::open(data.path(), &SystemRandom, at(0)).is_err(), "{bad}");
        }
    }
}
