//! Where an issuer's keys come from: a file, or an address over TLS.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Method;

use super::jwk::{KeySet, LONGEST, Use};
use crate::copies::Address;

/// How long an issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where keys come from.
#[derive(Clone)]
pub(super) enum Source {
    /// A file that somebody keeps up to date.
    File(PathBuf),
    /// An address. It is guarded as those of webhooks and copies are.
    Address(Address),
}

impl Source {
    /// The keys as they are there now.
    ///
    /// # Errors
    /// Why there are none, in words without an address.
    pub async fn read(&self, wanted: Use) -> Result<KeySet, String> {
        let bytes = match self {
            Self::File(path) => {
                let path = path.clone();
                let reading = tokio::task::spawn_blocking(move || read_file(&path));
                reading.await.map_err(|error| error.to_string())??
            }
            Self::Address(address) => {
                let asking = address.send(address.request(Method::GET, ""));
                let answer = tokio::time::timeout(PATIENCE, asking).await;
                let answer = answer.map_err(|_| "the issuer did not answer in time".to_owned())?;
                answer.and_then(crate::copies::Answer::good).map_err(|error| error.to_string())?.body
            }
        };
        if bytes.len() > LONGEST {
            return Err("the document is too long".to_owned());
        }
        KeySet::read(&bytes, wanted).map_err(|what| format!("the document {what}"))
    }
}

/// A file's bytes, as far as a document may go.
pub(super) fn read_file(path: &std::path::Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX).saturating_add(1);
    let read = std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| error.to_string())
}

/// Without the address: its path may be a secret of its own.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Address(_) => "Address",
        })
    }
}
