//! The gate's keys. They lie beside the database, never in it: whoever can write rows cannot sign a head, make a
//! pseudonym or a token's hash.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};
use policy_core::digest::Digest;
use policy_core::leaf;
use sha2::{Digest as _, Sha256};

use super::folder::{DataFolder, file_error, write_new};
use super::types::{Log, StoreError};
use crate::random::{self, Random};

/// The log's signing key and the key of codes and pseudonyms.
pub struct Keys {
    signing: SigningKey,
    mac: [u8; 32],
}

impl Keys {
    /// Reads the keys, or draws them in a fresh folder.
    ///
    /// # Errors
    /// When they cannot be read, or are missing beside a log that exists.
    pub fn open(folder: &DataFolder, random: &dyn Random) -> Result<Self, StoreError> {
        let keys = folder.path().join("keys");
        let (log, mac) = (keys.join("log.key"), keys.join("mac.key"));
        if !log.exists() && !mac.exists() && !folder.path().join(super::sqlite::FILE).exists() {
            for path in [&log, &mac] {
                let key = random::key(random).map_err(|source| file_error(path, source))?;
                write_new(path, STANDARD.encode(key).as_bytes())?;
            }
        }
        Ok(Self { signing: SigningKey::from_bytes(&read(&log)?), mac: read(&mac)? })
    }

    /// Reads the keys of a data folder that may be in use: for offline verification.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(data: &Path) -> Result<Self, StoreError> {
        let keys = data.join("keys");
        Ok(Self { signing: SigningKey::from_bytes(&read(&keys.join("log.key"))?), mac: read(&keys.join("mac.key"))? })
    }

    /// A keyed pseudonym of an id that must not stand in a leaf.
    pub fn pseudonym(&self, text: &str) -> Digest {
        leaf::pseudonym(&self.mac, text)
    }

    /// A code over these bytes, for a purpose.
    pub fn code(&self, domain: &[u8], bytes: &[u8]) -> Digest {
        leaf::keyed(&self.mac, domain, bytes)
    }

    /// The log's origin: the same for ever, told apart from every other gate's.
    pub fn origin(&self, log: Log) -> String {
        let digest = Digest::of(self.signing.verifying_key().as_bytes()).to_string();
        let short: String = digest.chars().take(16).collect();
        format!("proviso.dev/log/{short}/{log}")
    }

    /// Signs a checkpoint's text as a C2SP signed note: the text, an empty line, one signature line.
    pub fn sign(&self, origin: &str, text: &str) -> String {
        let key = self.signing.verifying_key();
        let mut line = key_hash(origin, &key).to_vec();
        line.extend_from_slice(&self.signing.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(line))
    }

    /// The checkpoint's text of a note that this key has signed under this origin. Absent: it has not.
    pub fn verify(&self, origin: &str, note: &str) -> Option<String> {
        let (text, signatures) = note.rsplit_once("\n\n")?;
        let text = format!("{text}\n");
        let key = self.signing.verifying_key();
        let prefix = format!("\u{2014} {origin} ");
        let signed = signatures.lines().filter_map(|line| line.strip_prefix(&prefix)).any(|encoded| {
            let Ok(bytes) = STANDARD.decode(encoded) else { return false };
            let Some((hash, signature)) = bytes.split_at_checked(4) else { return false };
            let Ok(signature) = Signature::from_slice(signature) else { return false };
            hash == key_hash(origin, &key) && key.verify(text.as_bytes(), &signature).is_ok()
        });
        signed.then_some(text)
    }
}

/// The text of a C2SP checkpoint: origin, size and root, a line each.
pub(super) fn checkpoint(origin: &str, size: u64, root: &Digest) -> String {
    format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()))
}

/// C2SP signed-note: the first four bytes of SHA-256 over name, newline, algorithm (1: Ed25519) and key.
fn key_hash(origin: &str, key: &VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(origin.as_bytes());
    hash.update([b'\n', 1]);
    hash.update(key.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

fn read(path: &Path) -> Result<[u8; 32], StoreError> {
    let bad = || file_error(path, std::io::Error::other("it does not hold a key of 32 bytes in base64"));
    let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
    STANDARD.decode(text.trim()).map_err(|_| bad())?.try_into().map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::store::DataKind;

    #[test]
    fn a_note_is_signed_for_one_origin_and_one_text() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data"), DataKind::Gate).unwrap();
        let keys = Keys::open(&data, &SystemRandom).unwrap();
        let origin = keys.origin(Log::Ledger);
        let text = format!("{origin}\n1\nAAAA\n");
        let note = keys.sign(&origin, &text);
        assert_eq!(keys.verify(&origin, &note), Some(text.clone()));
        assert_eq!(keys.verify(&keys.origin(Log::Decisions), &note), None);
        assert_eq!(keys.verify(&origin, &note.replace("\n1\n", "\n2\n")), None);
        assert_eq!(Keys::read(data.path()).unwrap().verify(&origin, &note), Some(text));
    }

    #[test]
    fn a_log_without_its_keys_does_not_get_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data"), DataKind::Gate).unwrap();
        std::fs::write(data.path().join(crate::store::sqlite::FILE), "rows").unwrap();
        assert!(matches!(Keys::open(&data, &SystemRandom), Err(error) if error.code() == "file_unusable"));
    }
}
