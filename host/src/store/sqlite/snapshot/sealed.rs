//! A snapshot's bytes: what memory holds of both logs, what was folded from them, and a code over all of it.
//!
//! ```text
//! "proviso snapshot 1\n" · about · erasures · of each log: leaf hashes, kinds, lines · what was folded · code
//! ```
//! Each part stands behind its length in eight bytes, the least significant first; the code is 32 bytes, over all before.
//! `about` is JSON: the build that wrote it, the cuts, and the signed heads that it stands under.

use std::io::{self, Read};
use std::sync::Arc;

use audit_verify::TreeHash;
use policy_core::digest::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Cut;
use crate::store::keys::Keys;
use crate::store::outline::Outline;
use crate::store::sqlite::Logs;
use crate::store::sqlite::log_state::LogState;
use crate::store::types::{FoldError, Head, Log, StoreError};

/// What it begins with.
const MAGIC: &[u8] = b"proviso snapshot 1\n";
/// What its code is for, and nothing else.
const DOMAIN: &[u8] = b"proviso-snapshot-v1\0";
/// How long a code is.
const CODE: usize = 32;
/// The sources that this program was built of: what folds otherwise, or has another form, is another build.
const BUILD: &str = env!("PROVISO_SOURCES");
/// The most bytes that are read of what it says of itself, by who looks for heads alone.
const MOST_ABOUT: u64 = 1 << 24;

/// Why a snapshot is not believed.
#[derive(Debug, Error)]
pub(in crate::store::sqlite) enum Unfit {
    /// It cannot be read, and who wrote it does not matter.
    #[error("it is no snapshot, or not all of one")]
    Shape,
    /// Somebody else wrote it, or changed it.
    #[error("it is not the one that this gate wrote")]
    Foreign,
    /// Another program wrote it.
    #[error("another build wrote it")]
    OtherBuild,
    /// What it holds is not under the heads that it names, or those are none of this gate's.
    #[error("what it holds of the log `{0}` is not under its head")]
    OtherHead(Log),
    /// Something was erased since.
    #[error("something was erased since it was written")]
    Erased,
    /// What was folded cannot be read.
    #[error("what was folded cannot be read: {0}")]
    Form(FoldError),
    /// What comes behind it does not go on from it.
    #[error("the record does not go on from it: {0}")]
    Record(#[from] StoreError),
    /// What says that it is gone on from cannot be written.
    #[error("it cannot be noted that it is gone on from: {0}")]
    Unnoted(StoreError),
}

/// What it says of itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    build: String,
    cuts: Vec<Cut>,
    heads: Vec<AboutHead>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AboutHead {
    log: String,
    size: u64,
    note: String,
}

/// The heads alone, of whichever build wrote it.
#[derive(Deserialize)]
struct Named {
    heads: Vec<NamedHead>,
}

#[derive(Deserialize)]
struct NamedHead {
    log: String,
    note: String,
}

/// The bytes, and their code.
pub(in crate::store::sqlite) struct Sealed {
    pub bytes: Vec<u8>,
    pub code: Digest,
}

/// Seals what both logs are up to the last of these cuts, and what was folded from them.
pub(in crate::store::sqlite) fn seal(
    keys: &Keys,
    cuts: &[Cut],
    logs: &Logs,
    form: &[u8],
) -> Result<Sealed, StoreError> {
    let heads = Log::ALL.into_iter().filter_map(|log| logs.of(log).head.as_ref());
    let heads =
        heads.map(|head| AboutHead { log: head.log.name().to_owned(), size: head.size, note: head.note.clone() });
    let about = About { build: BUILD.to_owned(), cuts: cuts.to_vec(), heads: heads.collect() };
    let mut bytes = MAGIC.to_vec();
    part(&mut bytes, &json(&about)?);
    part(&mut bytes, &json(&*logs.erasures)?);
    for log in Log::ALL {
        let LogState { tree, outline, .. } = logs.of(log);
        let (kinds, lines) = outline.to_bytes();
        let leaves = tree.leaves();
        length(&mut bytes, leaves.len().saturating_mul(32));
        leaves.iter().for_each(|leaf| bytes.extend(leaf.as_bytes()));
        part(&mut bytes, &json(&kinds)?);
        part(&mut bytes, &lines);
    }
    part(&mut bytes, form);
    let code = keys.code(DOMAIN, &bytes);
    bytes.extend(code.as_bytes());
    Ok(Sealed { bytes, code })
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::Database(format!("no snapshot can be made: {error}")))
}

fn length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend(u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
}

fn part(bytes: &mut Vec<u8>, part: &[u8]) {
    length(bytes, part.len());
    bytes.extend(part);
}

/// A snapshot that this gate wrote.
pub(super) struct Opened<'a> {
    pub code: Digest,
    pub cuts: Vec<Cut>,
    /// What was folded.
    pub form: &'a [u8],
    heads: Vec<AboutHead>,
    erasures: &'a [u8],
    /// Of each log: its leaf hashes, kinds and lines.
    logs: [[&'a [u8]; 3]; 2],
}

/// Opens a snapshot.
///
/// INVARIANT (R9): whoever cannot read the gate's keys cannot write one, and nothing of it is believed before that is
/// known; one of another gate has another key.
pub(super) fn open<'a>(keys: &Keys, bytes: &'a [u8]) -> Result<Opened<'a>, Unfit> {
    let (sealed, code) = bytes.split_last_chunk::<CODE>().ok_or(Unfit::Shape)?;
    let mut rest = sealed.strip_prefix(MAGIC).ok_or(Unfit::Shape)?;
    let code = Digest::from_bytes(*code);
    if keys.code(DOMAIN, sealed) != code && !policy_core::sabotaged!("r9_snapshot_of_anybody") {
        return Err(Unfit::Foreign);
    }
    let about: About = read(next(&mut rest)?)?;
    if about.build != BUILD {
        return Err(Unfit::OtherBuild);
    }
    let erasures = next(&mut rest)?;
    let mut log = || -> Result<_, Unfit> { Ok([next(&mut rest)?, next(&mut rest)?, next(&mut rest)?]) };
    let logs = [log()?, log()?];
    let form = next(&mut rest)?;
    let is_whole = rest.is_empty() && !about.cuts.is_empty();
    let opened = Opened { code, cuts: about.cuts, form, heads: about.heads, erasures, logs };
    is_whole.then_some(opened).ok_or(Unfit::Shape)
}

fn next<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Unfit> {
    let (length, behind) = rest.split_first_chunk::<8>().ok_or(Unfit::Shape)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Unfit::Shape)?;
    let (part, behind) = behind.split_at_checked(length).ok_or(Unfit::Shape)?;
    *rest = behind;
    Ok(part)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unfit> {
    serde_json::from_slice(bytes).map_err(|_| Unfit::Shape)
}

/// The heads that a snapshot names, whoever wrote it and however much of it is there: each is a signed note, and stands
/// for itself.
pub(super) fn named_heads(mut from: impl Read) -> io::Result<Vec<(Log, String)>> {
    let (mut magic, mut length) = ([0; MAGIC.len()], [0; 8]);
    from.read_exact(&mut magic)?;
    from.read_exact(&mut length)?;
    if magic != *MAGIC {
        return Ok(Vec::new());
    }
    let mut about = Vec::new();
    from.take(u64::from_le_bytes(length).min(MOST_ABOUT)).read_to_end(&mut about)?;
    let Named { heads } = serde_json::from_slice(&about)?;
    let of = |NamedHead { log, note }| Log::ALL.into_iter().find(|known| known.name() == log).map(|log| (log, note));
    Ok(heads.into_iter().filter_map(of).collect())
}

impl Opened<'_> {
    /// What memory holds of both logs, each under its signed head.
    pub(super) fn logs(&self, keys: &Keys) -> Result<Logs, Unfit> {
        let mut logs = Logs { erasures: Arc::new(read(self.erasures)?), ..Logs::default() };
        for (log, [leaves, kinds, lines]) in Log::ALL.into_iter().zip(self.logs) {
            let (leaves, rest) = leaves.as_chunks::<32>();
            let outline = Outline::from_bytes(read(kinds)?, lines).filter(|outline| outline.len() == leaves.len());
            let outline = outline.filter(|_| rest.is_empty()).ok_or(Unfit::Shape)?;
            let mut state = LogState::of(leaves.iter().copied().map(TreeHash::from_bytes), outline);
            state.head = self.head(log, keys, &state)?;
            *logs.of_mut(log) = state;
        }
        Ok(logs)
    }

    /// The head that a log stands under. INVARIANT (R9): one that this gate signed, over exactly these leaves.
    fn head(&self, log: Log, keys: &Keys, state: &LogState) -> Result<Option<Head>, Unfit> {
        let size = state.tree.size();
        let last = self.cuts.last().map(|cut| cut.of(log));
        let other = || Unfit::OtherHead(log);
        if last != Some(size) {
            return Err(other());
        }
        let Some(AboutHead { size: said, note, .. }) = self.heads.iter().find(|head| head.log == log.name()) else {
            return if size == 0 { Ok(None) } else { Err(other()) };
        };
        let signed = keys.trust().open(log.name(), note).map_err(|_| other())?;
        let is_under = signed.size == size && *said == size && state.tree.root(size) == Some(signed.root);
        is_under.then(|| Some(Head { log, size, note: note.clone() })).ok_or_else(other)
    }
}
