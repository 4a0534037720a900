//! The gate's keys. They lie beside the database, never in it: whoever can write rows cannot sign a head, make a
//! pseudonym or a token's hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use audit_verify::TreeHash;
use audit_verify::checkpoint::Checkpoint;
use audit_verify::log::Trust;
use audit_verify::note::{self, VerifierKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use policy_core::digest::Digest;
use policy_core::leaf;

use super::folder::{DataFolder, file_error, replace, sync_folder};
use super::types::{Log, StoreError};
use crate::random::{self, Random};

/// The log's signing key and the key of codes and pseudonyms.
pub struct Keys {
    folder: PathBuf,
    ring: RwLock<Ring>,
    mac: [u8; 32],
}

/// The keys that heads were and are signed by.
struct Ring {
    signing: SigningKey,
    /// Every public key, the oldest first and the one that signs last.
    public: Vec<[u8; 32]>,
}

impl Keys {
    /// Reads the keys, or draws them in a fresh folder.
    ///
    /// # Errors
    /// When they cannot be read, or are missing beside a log that exists.
    pub fn open(folder: &DataFolder, random: &dyn Random) -> Result<Self, StoreError> {
        let keys = folder.path().join("keys");
        let (log, mac) = (keys.join("log.key"), keys.join("mac.key"));
        // Before the first record nothing was signed: what a start that was cut short did not come to is drawn now.
        if !folder.path().join(super::sqlite::FILE).exists() && !has_heads(folder.path()) {
            for path in [&log, &mac].into_iter().filter(|path| !path.exists()) {
                let key = random::key(random).map_err(|source| file_error(path, source))?;
                replace(path, STANDARD.encode(key).as_bytes())?;
            }
        }
        Self::read(folder.path())
    }

    /// Reads the keys of a data folder that may be in use: for offline verification.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(data: &Path) -> Result<Self, StoreError> {
        let folder = data.join("keys");
        let ring = RwLock::new(Ring::read(&folder)?);
        let mac = read(&folder.join("mac.key"))?;
        Ok(Self { folder, ring, mac })
    }

    /// A keyed pseudonym of an id that must not stand in a leaf.
    pub fn pseudonym(&self, text: &str) -> Digest {
        leaf::pseudonym(&self.mac, text)
    }

    /// A code over these bytes, for a purpose.
    pub fn code(&self, domain: &[u8], bytes: &[u8]) -> Digest {
        leaf::keyed(&self.mac, domain, bytes)
    }

    /// The keys that heads of both logs are believed by: all that ever signed.
    pub fn trust(&self) -> Trust {
        self.with(|ring| {
            let keys = Log::ALL.into_iter().flat_map(|log| ring.verifiers(log)).collect();
            Trust { keys, complete: true }
        })
    }

    /// What this gate is called where it issues tokens: the same for ever, as the origin of its logs is.
    pub fn gate_name(&self) -> String {
        self.with(|ring| format!("proviso.dev/gate/{}", ring.short()))
    }

    /// Signs the head of a log: a C2SP checkpoint as a signed note.
    pub fn sign_head(&self, log: Log, size: u64, root: TreeHash) -> String {
        self.with(|ring| {
            let text = Checkpoint { origin: ring.origin(log), size, root }.to_string();
            let signature = ring.signing.sign(text.as_bytes()).to_bytes();
            // The newest of them is the one that signs.
            let line = ring.verifiers(log).last().map(|key| key.line(&signature));
            note::note(&text, line.as_slice())
        })
    }

    /// Draws the key that is to sign heads next, and keeps it aside. Its public half, in base64.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn draw_next(&self, random: &dyn Random) -> Result<String, StoreError> {
        let path = self.folder.join(NEXT);
        let key = random::key(random).map_err(|source| file_error(&path, source))?;
        replace(&path, STANDARD.encode(key).as_bytes())?;
        Ok(STANDARD.encode(SigningKey::from_bytes(&key).verifying_key().as_bytes()))
    }

    /// Lets the key that was kept aside sign from here on, if it is the one with this public half: the record names it
    /// by now. Done already is done.
    ///
    /// # Errors
    /// When the files cannot be written, or that key is gone.
    pub fn promote(&self, public: &str) -> Result<(), StoreError> {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        if ring.public.last().is_some_and(|newest| STANDARD.encode(newest) == public) {
            return Ok(());
        }
        let next = self.folder.join(NEXT);
        let key = SigningKey::from_bytes(&read(&next)?);
        if STANDARD.encode(key.verifying_key().as_bytes()) != public {
            return Err(file_error(&next, std::io::Error::other("it holds another key than the record names")));
        }
        // First what is retired, then what takes over: cut off between them, the newest is listed twice.
        let lines: String = ring.public.iter().map(|key| format!("{}\n", STANDARD.encode(key))).collect();
        replace(&self.folder.join(RETIRED), lines.as_bytes())?;
        let log = self.folder.join(CURRENT);
        fs::rename(&next, &log).map_err(|source| file_error(&log, source))?;
        sync_folder(&log)?;
        *ring = Ring::read(&self.folder)?;
        Ok(())
    }

    fn with<T>(&self, look: impl FnOnce(&Ring) -> T) -> T {
        look(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a head was ever kept beside the database.
fn has_heads(data: &Path) -> bool {
    fs::read_dir(data.join("heads")).is_ok_and(|mut heads| heads.next().is_some())
}

/// The seed that signs.
const CURRENT: &str = "log.key";
/// The seed that is to sign next, until the record names it.
const NEXT: &str = "log.next";
/// The public keys that signed before, the oldest first.
const RETIRED: &str = "log.retired";

impl Ring {
    fn read(folder: &Path) -> Result<Self, StoreError> {
        let signing = SigningKey::from_bytes(&read(&folder.join(CURRENT))?);
        let path = folder.join(RETIRED);
        let mut public = match fs::read_to_string(&path) {
            Ok(lines) => lines.lines().map(|line| key(&path, line)).collect::<Result<Vec<_>, _>>()?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(file_error(&path, source)),
        };
        let own = *signing.verifying_key().as_bytes();
        public.retain(|key| *key != own);
        public.push(own);
        Ok(Self { signing, public })
    }

    /// The log's origin: the same for ever, told apart from every other gate's by the first key.
    fn origin(&self, log: Log) -> String {
        format!("proviso.dev/log/{}/{log}", self.short())
    }

    /// What tells this gate from every other: of its first key.
    fn short(&self) -> String {
        let digest = Digest::of(self.public.first().map_or(&[][..], |key| key)).to_string();
        digest.chars().take(16).collect()
    }

    /// The keys under the log's origin, the one that signs last.
    fn verifiers(&self, log: Log) -> Vec<VerifierKey> {
        let origin = self.origin(log);
        self.public.iter().filter_map(|public| VerifierKey::new(&origin, public).ok()).collect()
    }
}

fn read(path: &Path) -> Result<[u8; 32], StoreError> {
    let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
    key(path, &text)
}

fn key(path: &Path, text: &str) -> Result<[u8; 32], StoreError> {
    let bad = || file_error(path, std::io::Error::other("it does not hold a key of 32 bytes in base64"));
    STANDARD.decode(text.trim()).map_err(|_| bad())?.try_into().map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use crate::store::DataKind;

    fn fresh() -> (tempfile::TempDir, DataFolder, Keys) {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data"), DataKind::Gate).unwrap();
        let keys = Keys::open(&data, &SystemRandom).unwrap();
        (folder, data, keys)
    }

    #[test]
    fn a_head_is_signed_for_one_log_and_one_text() {
        let (_folder, data, keys) = fresh();
        let note = keys.sign_head(Log::Ledger, 1, TreeHash::over(&[b"root"]));
        let opened = keys.trust().open(Log::Ledger.name(), &note).unwrap();
        assert_eq!((opened.size, opened.root), (1, TreeHash::over(&[b"root"])));
        assert!(keys.trust().open(Log::Decisions.name(), &note).is_err());
        assert!(keys.trust().open(Log::Ledger.name(), &note.replace("\n1\n", "\n2\n")).is_err());
        let read = Keys::read(data.path()).unwrap();
        assert_eq!(read.trust().open(Log::Ledger.name(), &note), Ok(opened));
    }

    #[test]
    fn a_log_without_its_keys_does_not_get_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data"), DataKind::Gate).unwrap();
        std::fs::write(data.path().join(crate::store::sqlite::FILE), "rows").unwrap();
        assert!(matches!(Keys::open(&data, &SystemRandom), Err(error) if error.code() == "file_unusable"));
    }

    #[test]
    fn what_a_first_start_did_not_come_to_is_drawn_by_the_next() {
        let (_folder, data, keys) = fresh();
        let head = keys.sign_head(Log::Ledger, 1, TreeHash::over(&[b"root"]));
        let mac = data.path().join("keys/mac.key");
        std::fs::remove_file(&mac).unwrap();
        let again = Keys::open(&data, &SystemRandom).unwrap();
        assert_eq!(again.sign_head(Log::Ledger, 1, TreeHash::over(&[b"root"])), head, "what is there stays");
        // Once a head was signed a key that is gone is not drawn anew.
        std::fs::remove_file(&mac).unwrap();
        std::fs::write(data.path().join("heads/ledger"), &head).unwrap();
        assert!(matches!(Keys::open(&data, &SystemRandom), Err(error) if error.code() == "file_unusable"));
    }

    #[test]
    fn a_key_that_takes_over_keeps_the_origin_and_what_was_signed_before() {
        let (_folder, data, keys) = fresh();
        let root = TreeHash::over(&[b"root"]);
        let before = keys.sign_head(Log::Ledger, 1, root);
        let next = keys.draw_next(&SystemRandom).unwrap();
        assert_eq!(keys.sign_head(Log::Ledger, 1, root), before, "one that is kept aside signs nothing");
        assert!(keys.promote("another").is_err());
        keys.promote(&next).unwrap();
        keys.promote(&next).unwrap();
        let after = keys.sign_head(Log::Ledger, 1, root);
        assert_ne!(after, before);
        for keys in [keys, Keys::open(&data, &SystemRandom).unwrap()] {
            for note in [&before, &after] {
                assert_eq!(keys.trust().open(Log::Ledger.name(), note).map(|head| head.root), Ok(root));
            }
            assert_eq!(keys.sign_head(Log::Ledger, 1, root), after);
        }
        // Cut off between the two files: the old key signs on, and the next try ends it.
        let second = Keys::open(&data, &SystemRandom).unwrap();
        let next = second.draw_next(&SystemRandom).unwrap();
        let both = std::fs::read_to_string(data.path().join("keys/log.retired")).unwrap();
        let own = second.with(|ring| STANDARD.encode(ring.public.last().unwrap()));
        std::fs::write(data.path().join("keys/log.retired"), format!("{both}{own}\n")).unwrap();
        let again = Keys::open(&data, &SystemRandom).unwrap();
        assert_eq!(again.sign_head(Log::Ledger, 1, root), after);
        again.promote(&next).unwrap();
        assert_ne!(again.sign_head(Log::Ledger, 1, root), after);
    }
}
