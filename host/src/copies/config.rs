//! `proviso serve --record FILE`: where the record goes besides.

use std::path::{Path, PathBuf};

use policy_core::text;
use serde::Deserialize;
use thiserror::Error;

use super::address::Address;
use super::cosigner::Cosigner;
use super::sigv4::Credentials;
use crate::notify::{Place, Secret};

/// Why the file cannot be used.
#[derive(Debug, Error)]
pub enum RecordFileError {
    /// It, or a file that it names, cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    File {
        /// Which.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no TOML of this shape.
    #[error("the file of the record's receivers cannot be read: {0}")]
    Shape(String),
    /// A member says what cannot be.
    #[error("{0}")]
    Bad(String),
}

impl RecordFileError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        "bad_record_file"
    }
}

/// Where the record goes besides.
#[derive(Clone, Default)]
pub struct Record {
    pub(super) heads: Vec<(String, HeadTo)>,
    pub(super) copies: Vec<(String, CopyTo)>,
}

/// Who takes heads.
#[derive(Clone)]
pub(super) enum HeadTo {
    /// Files whose names begin so.
    File(PathBuf),
    /// A receiver of signed requests.
    Webhook(Address, Vec<Secret>),
    /// A witness (C2SP tlog-witness) with its key.
    Witness(Address, Cosigner),
}

/// Who takes all of it.
#[derive(Clone)]
pub(super) enum CopyTo {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of an S3-compatible store.
    Bucket(Box<BucketAt>),
    /// A collector, with its bearer token.
    Collector(Address, String),
}

/// Where a bucket is.
#[derive(Clone)]
pub(super) struct BucketAt {
    pub(super) address: Address,
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) region: String,
    pub(super) credentials: Credentials,
}

impl HeadTo {
    /// The word, in the record's reply.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Webhook(..) => "webhook",
            Self::Witness(..) => "witness",
        }
    }
}

impl CopyTo {
    /// The word, in the record's reply.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Folder(_) => "folder",
            Self::Bucket(_) => "s3",
            Self::Collector(..) => "https",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    head: Vec<HeadTable>,
    #[serde(default)]
    copy: Vec<CopyTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadTable {
    name: String,
    file: Option<PathBuf>,
    webhook: Option<WebhookTable>,
    witness: Option<WitnessTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessTable {
    url: String,
    key: String,
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookTable {
    url: String,
    secrets: Vec<Place>,
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyTable {
    name: String,
    folder: Option<PathBuf>,
    s3: Option<BucketTable>,
    https: Option<CollectorTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BucketTable {
    endpoint: String,
    bucket: String,
    #[serde(default)]
    prefix: String,
    region: String,
    credentials: Place,
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectorTable {
    url: String,
    token: Place,
    #[serde(default)]
    allow: Vec<String>,
}

/// The receivers of each kind: the file or folder on this machine, or nothing where it is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Who takes heads.
    pub heads: Vec<Option<PathBuf>>,
    /// Who takes all of it.
    pub copies: Vec<Option<PathBuf>>,
}

impl Record {
    /// Where its receivers lie.
    pub fn places(&self) -> Places {
        let head = |(_, to): &(String, HeadTo)| match to {
            HeadTo::File(path) => Some(path.clone()),
            HeadTo::Webhook(..) | HeadTo::Witness(..) => None,
        };
        let copy = |(_, to): &(String, CopyTo)| match to {
            CopyTo::Folder(path) => Some(path.clone()),
            CopyTo::Bucket(_) | CopyTo::Collector(..) => None,
        };
        Places { heads: self.heads.iter().map(head).collect(), copies: self.copies.iter().map(copy).collect() }
    }

    /// Reads the file and the secrets that it names.
    ///
    /// # Errors
    /// See [`RecordFileError`].
    pub fn read(path: &Path) -> Result<Self, RecordFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RecordFileError::File { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// The same, of the file's text.
    ///
    /// # Errors
    /// See [`RecordFileError`].
    pub fn parse(text: &str) -> Result<Self, RecordFileError> {
        // What TOML's reader says may quote a line; no secret stands in any.
        let file: File = toml::from_str(text).map_err(|error| RecordFileError::Shape(error.to_string()))?;
        let heads = file.head.into_iter().map(head).collect::<Result<Vec<_>, _>>()?;
        let copies = file.copy.into_iter().map(copy).collect::<Result<Vec<_>, _>>()?;
        let names = heads.iter().map(|(name, _)| name).chain(copies.iter().map(|(name, _)| name));
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                return Err(RecordFileError::Bad(format!("two receivers have the name `{name}`")));
            }
        }
        Ok(Self { heads, copies })
    }
}

fn named(name: &str) -> Result<(), RecordFileError> {
    if text::is_identifier(name) {
        return Ok(());
    }
    Err(RecordFileError::Bad(format!("`{}` is no name of a receiver", text::visible(name, 60))))
}

fn about(name: &str, what: impl std::fmt::Display) -> RecordFileError {
    RecordFileError::Bad(format!("the receiver `{name}` {what}"))
}

fn head(table: HeadTable) -> Result<(String, HeadTo), RecordFileError> {
    named(&table.name)?;
    let name = table.name;
    let to = match (table.file, table.webhook, table.witness) {
        (Some(file), None, None) => HeadTo::File(absolute(&name, file)?),
        (None, Some(webhook), None) => {
            let address = Address::read(&webhook.url, &webhook.allow).map_err(|what| about(&name, what))?;
            HeadTo::Webhook(address, secrets(&name, &webhook.secrets)?)
        }
        (None, None, Some(witness)) => {
            let address = Address::read(&witness.url, &witness.allow).map_err(|what| about(&name, what))?;
            let key = witness.key.parse().map_err(|error: super::cosigner::NoCosigner| about(&name, error))?;
            HeadTo::Witness(address, key)
        }
        _ => return Err(about(&name, "needs one of `file`, `webhook` and `witness`")),
    };
    Ok((name, to))
}

fn copy(table: CopyTable) -> Result<(String, CopyTo), RecordFileError> {
    named(&table.name)?;
    let name = table.name;
    let to = match (table.folder, table.s3, table.https) {
        (Some(folder), None, None) => CopyTo::Folder(absolute(&name, folder)?),
        (None, Some(s3), None) => bucket(&name, s3)?,
        (None, None, Some(https)) => {
            let address = Address::read(&https.url, &https.allow).map_err(|what| about(&name, what))?;
            CopyTo::Collector(address, secret(&https.token)?)
        }
        _ => return Err(about(&name, "needs one of `folder`, `s3` and `https`")),
    };
    Ok((name, to))
}

fn bucket(name: &str, table: BucketTable) -> Result<CopyTo, RecordFileError> {
    let address = Address::read(&table.endpoint, &table.allow).map_err(|what| about(name, what))?;
    // What stands in the path is signed as it is written: no letter here is ever encoded.
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'));
    let dots = |text: &str| text.split('/').any(|part| part == "." || part == "..");
    for text in [&table.bucket, &table.prefix, &table.region] {
        if !plain(text) || dots(text) {
            return Err(about(name, "needs bucket, prefix and region of letters, digits, `-`, `_`, `.` and `/`"));
        }
    }
    if table.bucket.is_empty() || table.bucket.contains('/') || table.region.is_empty() {
        return Err(about(name, "needs a bucket and a region"));
    }
    let credentials = Credentials::read(&secret(&table.credentials)?)
        .ok_or_else(|| about(name, "has credentials without `aws_access_key_id` and `aws_secret_access_key`"))?;
    let BucketTable { bucket, prefix, region, .. } = table;
    Ok(CopyTo::Bucket(Box::new(BucketAt { address, bucket, prefix, region, credentials })))
}

fn secret(place: &Place) -> Result<String, RecordFileError> {
    place.read().map_err(|error| RecordFileError::Bad(error.to_string()))
}

/// A gate may be started from anywhere: a place beside where that happens to be is none.
fn absolute(name: &str, path: PathBuf) -> Result<PathBuf, RecordFileError> {
    if path.is_absolute() { Ok(path) } else { Err(about(name, "needs an absolute path")) }
}

fn secrets(name: &str, places: &[Place]) -> Result<Vec<Secret>, RecordFileError> {
    if places.is_empty() || places.len() > 2 {
        return Err(about(name, "needs one secret, or two while one takes over from the other"));
    }
    let read =
        |place: &Place| Secret::read(&secret(place)?).ok_or_else(|| about(name, "has a secret that is not `whsec_…`"));
    places.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_receiver_has_a_name_and_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let webhook = |more: &str| {
            format!(
                "[[head]]\nname = \"h\"\nwebhook = {{ url = \"https://h.example/\", secrets = [{{ file = \"{}\" }}] {more} }}\n",
                secret.display()
            )
        };
        let good = format!(
            "[[head]]\nname = \"shelf\"\nfile = \"/mnt/heads\"\n{}[[copy]]\nname = \"nas\"\nfolder = \"/mnt/copy\"\n",
            webhook("")
        );
        let record = Record::parse(&good).unwrap();
        assert_eq!((record.heads.len(), record.copies.len()), (2, 1));
        assert_eq!(record.heads[1].1.word(), "webhook");
        let bucket = format!(
            "[[copy]]\nname = \"b\"\ns3 = {{ endpoint = \"https://s3.example/\", bucket = \"record\", prefix = \"gate/1\", region = \"eu-1\", credentials = {{ file = \"{}\" }} }}\n",
            secret.display()
        );
        assert_eq!(Record::parse(&bucket).err().map(|error| error.code()), Some("bad_record_file"), "no credentials");
        std::fs::write(&secret, "aws_access_key_id = a\naws_secret_access_key = b\n").unwrap();
        assert_eq!(Record::parse(&bucket).map(|record| record.copies[0].1.word()).ok(), Some("s3"));
        for (from, to) in [("gate/1", "gate/../1"), ("\"record\"", "\"re cord\""), ("https", "http"), ("eu-1", "")] {
            assert!(Record::parse(&bucket.replace(from, to)).is_err(), "{to}");
        }
        std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        for bad in [
            "[[head]]\nname = \"a\"\n",
            "[[head]]\nname = \"a b\"\nfile = \"/x\"\n",
            "[[head]]\nname = \"a\"\nfile = \"x\"\n",
            "[[head]]\nname = \"a\"\nfile = \"/x\"\nmore = 1\n",
            "[[copy]]\nname = \"a\"\n",
            "[[copy]]\nname = \"a\"\nfolder = \"/x\"\n[[head]]\nname = \"a\"\nfile = \"/y\"\n",
            "copy = 1\n",
            &webhook(", more = 1"),
            &webhook("").replace("https", "http"),
            &webhook("").replace("secrets = [", "secrets = [{ env = \"NO_SUCH_VARIABLE\" }, "),
            &good.replace(&secret.display().to_string(), "/nowhere"),
        ] {
            let code = Record::parse(bad).err().map(|error| error.code());
            assert_eq!(code, Some("bad_record_file"), "{bad}");
        }
    }
}
