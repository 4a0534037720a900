//! A certificate with its private key, as they lie in two files in PEM.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use thiserror::Error;

/// How many bytes such a file may have.
const LONGEST: u64 = 1024 * 1024;
/// The bits of a mode by which everybody reads or writes.
const OTHERS: u32 = 0o007;

/// Where they lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The certificate, and behind it those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why a pair cannot be served.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file that is not there, is no file, or is far too long.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// No certificate, or one that cannot be read.
    #[error("`{0}` holds no certificate in PEM")]
    NoCertificate(String),
    /// No key.
    #[error("`{0}` holds no private key in PEM")]
    NoKey(String),
    /// Everybody on the machine can read or write the key.
    #[error("everybody on this machine can read the private key `{0}`")]
    OpenKey(String),
    /// A key of a kind that is not taken.
    #[error("the private key is of a kind that TLS does not take here: {0}")]
    UnusableKey(String),
    /// They do not belong together.
    #[error("the private key is not the certificate's")]
    KeyOfAnother,
    /// Over.
    #[error("the certificate expired at {0}")]
    Expired(Timestamp),
    /// Not begun.
    #[error("the certificate is not good before {0}")]
    NotYet(Timestamp),
}

impl TlsError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "tls_file_unreadable",
            Self::NoCertificate(_) => "tls_no_certificate",
            Self::NoKey(_) => "tls_no_key",
            Self::OpenKey(_) => "tls_key_open",
            Self::UnusableKey(_) => "tls_key_unusable",
            Self::KeyOfAnother => "tls_key_of_another",
            Self::Expired(_) => "tls_certificate_expired",
            Self::NotYet(_) => "tls_certificate_not_yet",
        }
    }
}

/// A pair that was read and is good.
pub struct Loaded {
    key: Arc<CertifiedKey>,
    leaf: CertificateDer<'static>,
    /// What both files held.
    pub digest: Digest,
    /// Until when it is good.
    pub not_after: Timestamp,
}

impl std::fmt::Debug for Loaded {
    // The key is shown to nobody.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

impl Loaded {
    /// What a handshake takes.
    pub fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    /// Whether the certificate is for this name.
    pub fn covers(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        ParsedCertificate::try_from(&self.leaf).is_ok_and(|leaf| verify_server_name(&leaf, &name).is_ok())
    }
}

/// What tells whether a file is the one that was read: another write, another file or another length.
pub(super) type Stamp = [Option<(u64, u64, i64, i64)>; 2];

impl Pair {
    /// Reads both, and holds them against each other and against the time.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn read(&self, now: Timestamp) -> Result<Loaded, TlsError> {
        let (certificates, _) = read(&self.certificate)?;
        let (key, facts) = read(&self.key)?;
        // A key that everybody has proves nothing.
        if facts.mode() & OTHERS != 0 {
            return Err(TlsError::OpenKey(shown(&self.key)));
        }
        let digest = Digest::of(&[certificates.as_slice(), b"\0", key.as_slice()].concat());
        let no_certificate = || TlsError::NoCertificate(shown(&self.certificate));
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&certificates).collect::<Result<_, _>>().map_err(|_| no_certificate())?;
        let leaf = chain.first().cloned().ok_or_else(no_certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| TlsError::NoKey(shown(&self.key)))?;
        let unusable = |error: rustls::Error| TlsError::UnusableKey(error.to_string());
        let key = ring::default_provider().key_provider.load_private_key(key).map_err(unusable)?;
        let key = CertifiedKey::new(chain, key);
        key.keys_match().map_err(|_| TlsError::KeyOfAnother)?;
        let (not_before, not_after) = validity(&leaf).ok_or_else(no_certificate)?;
        if now < not_before {
            return Err(TlsError::NotYet(not_before));
        }
        if now >= not_after {
            return Err(TlsError::Expired(not_after));
        }
        Ok(Loaded { key: Arc::new(key), leaf, digest, not_after })
    }

    /// Which files lie there now.
    pub(super) fn stamp(&self) -> Stamp {
        let of = |path: &Path| {
            let facts = std::fs::metadata(path).ok()?;
            Some((facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()))
        };
        [of(&self.certificate), of(&self.key)]
    }
}

fn read(path: &Path) -> Result<(Vec<u8>, Metadata), TlsError> {
    let failed = |source| TlsError::File { path: shown(path), source };
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() || facts.len() > LONGEST {
        return Err(failed(std::io::Error::other("it is no file of at most 1 MiB")));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(failed)?;
    Ok((bytes, facts))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// From when until when a certificate is good: it is not any more at that second.
fn validity(leaf: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_millis(time.timestamp().saturating_mul(1000));
    Some((at(parsed.validity.not_before), at(parsed.validity.not_after)))
}
