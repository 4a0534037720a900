//! Reads the logs and holds every byte against what was signed.

use policy_core::sabotaged;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use policy_core::digest::Digest;
use policy_core::leaf::{self, LEAF_VERSION, Leaf};
use policy_core::{json, tree};
use rusqlite::{Connection, params};

use super::Logs;
use super::schema::database;
use crate::store::folder::file_error;
use crate::store::keys::{Keys, checkpoint};
use crate::store::types::{FoldError, Head, Log, Record, StoreError};

/// A log as memory holds it.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct LogState {
    pub(super) hashes: Vec<Digest>,
    pub(super) range: tree::CompactRange,
    pub(in crate::store) head: Option<Head>,
}

impl LogState {
    /// How many records.
    pub(in crate::store) fn size(&self) -> u64 {
        self.range.size()
    }

    /// The leaf hash of one record.
    pub(super) fn hash(&self, seq: u64) -> Option<Digest> {
        self.hashes.get(usize::try_from(seq).ok()?).copied()
    }

    /// The same log without what came before: what a batch builds on.
    pub(super) fn tip(&self) -> Self {
        Self { hashes: Vec::new(), range: self.range.clone(), head: self.head.clone() }
    }

    /// Takes over what was built on the tip.
    pub(super) fn extend(&mut self, grown: Self) {
        self.hashes.extend(grown.hashes);
        self.range = grown.range;
        self.head = grown.head;
    }

    /// Appends a leaf.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let hash = tree::leaf_hash(bytes);
        self.hashes.push(hash);
        self.range.append(hash);
    }
}

fn tampered(log: Log, seq: u64, message: impl Into<String>) -> StoreError {
    StoreError::Tampered { log: log.name().to_owned(), seq, message: message.into() }
}

/// Verifies both logs: every leaf and payload, the signed heads, and the heads that were seen. Hands each record over.
///
/// INVARIANT (R9): what is not under a signed head is not believed, and a log shorter than a head that was seen is
/// refused, so that neither a row put in by hand nor a restored backup brings authority.
pub(in crate::store) fn check(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    every_head: bool,
    each: &mut dyn FnMut(&Record) -> Result<(), FoldError>,
) -> Result<Logs, StoreError> {
    let mut logs = Logs::default();
    for log in Log::ALL {
        *logs.of_mut(log) = check_log(connection, seen, keys, log, every_head, each)?;
    }
    let strays: i64 = connection
        .query_row(
            "SELECT (SELECT count(*) FROM leaf WHERE log NOT IN (?1, ?2))
                  + (SELECT count(*) FROM head WHERE log NOT IN (?1, ?2))
                  + (SELECT count(*) FROM payload p WHERE NOT EXISTS
                      (SELECT 1 FROM leaf l WHERE l.log = p.log AND l.seq = p.seq))",
            params![Log::Ledger.name(), Log::Decisions.name()],
            |row| row.get(0),
        )
        .map_err(database)?;
    if strays == 0 { Ok(logs) } else { Err(tampered(Log::Ledger, 0, "there are rows that belong to no record")) }
}

fn check_log(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    log: Log,
    every_head: bool,
    each: &mut dyn FnMut(&Record) -> Result<(), FoldError>,
) -> Result<LogState, StoreError> {
    let origin = keys.origin(log);
    let (newest, mut roots) = signed_heads(connection, seen, keys, log, every_head)?;
    let mut state = LogState { head: newest, ..LogState::default() };
    let mut statement =
        connection.prepare("SELECT seq, bytes FROM leaf WHERE log = ?1 ORDER BY seq").map_err(database)?;
    let mut rows = statement.query(params![log.name()]).map_err(database)?;
    while let Some(row) = rows.next().map_err(database)? {
        let seq = state.size();
        let stored: i64 = row.get(0).map_err(database)?;
        if u64::try_from(stored) != Ok(seq) {
            return Err(tampered(log, seq, "it is missing"));
        }
        let bytes: Vec<u8> = row.get(1).map_err(database)?;
        let record = open_record(connection, log, seq, &bytes)?;
        state.push(&bytes);
        if let Some(root) = roots.remove(&state.size())
            && root != checkpoint(&origin, state.size(), &state.range.root())
            && !sabotaged!("r9_unsigned_believed")
        {
            return Err(tampered(log, seq, "the records up to it are not the ones that were signed"));
        }
        each(&record).map_err(|error| tampered(log, seq, error.message))?;
    }
    let size = state.size();
    if let Some((head, _)) = roots.into_iter().find(|(head, _)| *head > 0)
        && !sabotaged!("r9_shorter_log")
    {
        return Err(tampered(log, size, format!("the log ends here, and a head over {head} records was signed")));
    }
    if state.head.as_ref().map_or(0, |head| head.size) != size && !sabotaged!(any "r9_") {
        return Err(tampered(log, state.head.map_or(0, |head| head.size), "no signed head covers it"));
    }
    Ok(state)
}

/// The newest head in the database, and the checkpoints by size that the log must reproduce: that one, the one in the
/// heads folder, and on demand all.
fn signed_heads(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    log: Log,
    every_head: bool,
) -> Result<(Option<Head>, BTreeMap<u64, String>), StoreError> {
    let origin = keys.origin(log);
    let mut checkpoints = BTreeMap::new();
    let mut newest = None;
    let limit = if every_head { i64::MAX } else { 1 };
    let mut statement = connection
        .prepare("SELECT size, note FROM head WHERE log = ?1 ORDER BY size DESC LIMIT ?2")
        .map_err(database)?;
    let mut rows = statement.query(params![log.name(), limit]).map_err(database)?;
    while let Some(row) = rows.next().map_err(database)? {
        let stored: i64 = row.get(0).map_err(database)?;
        let size = u64::try_from(stored).unwrap_or(0);
        let note: String = row.get(1).map_err(database)?;
        let text = keys.verify(&origin, &note).filter(|text| size_of(text) == Some(size));
        let text = text.ok_or_else(|| tampered(log, size.saturating_sub(1), "its head is not signed by this gate"))?;
        checkpoints.insert(size, text);
        if newest.is_none() {
            newest = Some(Head { log, size, note });
        }
    }
    if let Some(note) = seen.0.get(&log) {
        let text = keys.verify(&origin, note);
        let (text, size) = text
            .and_then(|text| size_of(&text).map(|size| (text, size)))
            .ok_or_else(|| tampered(log, 0, "what is kept beside the database is not a head of this log"))?;
        if checkpoints.insert(size, text.clone()).is_some_and(|other| other != text) {
            return Err(tampered(log, size.saturating_sub(1), "two heads of one size were signed"));
        }
    }
    Ok((newest, checkpoints))
}

/// The size in a checkpoint's text: its second line.
fn size_of(checkpoint: &str) -> Option<u64> {
    checkpoint.lines().nth(1)?.parse().ok()
}

/// Where the newest head is kept outside the database.
pub(super) fn head_file(data: &Path, log: Log) -> PathBuf {
    data.join("heads").join(log.name().replace('/', "-"))
}

/// The newest heads that were kept outside the database. Read them before the database: it may only be newer.
pub(in crate::store) struct Seen(BTreeMap<Log, String>);

impl Seen {
    /// Reads them.
    pub(in crate::store) fn read(data: &Path) -> Result<Self, StoreError> {
        let mut notes = BTreeMap::new();
        for log in Log::ALL {
            let path = head_file(data, log);
            match fs::read_to_string(&path) {
                // What a power cut leaves of a file that was never synced. It says as little as one that is gone.
                Ok(note) if note.is_empty() => {}
                Ok(note) => drop(notes.insert(log, note)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(file_error(&path, source)),
            }
        }
        Ok(Self(notes))
    }

    /// Whether there was never one.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One record whose leaf must have this hash.
pub(super) fn read_record(connection: &Connection, log: Log, seq: u64, hash: &Digest) -> Result<Record, StoreError> {
    let stored = i64::try_from(seq).map_err(|_| tampered(log, seq, "it is missing"))?;
    let bytes: Vec<u8> = connection
        .query_row("SELECT bytes FROM leaf WHERE log = ?1 AND seq = ?2", params![log.name(), stored], |row| row.get(0))
        .map_err(|_| tampered(log, seq, "it is missing"))?;
    if tree::leaf_hash(&bytes) != *hash {
        return Err(tampered(log, seq, "it is not the one that was written"));
    }
    open_record(connection, log, seq, &bytes)
}

/// A leaf with its payloads, each held against its commitment.
fn open_record(connection: &Connection, log: Log, seq: u64, bytes: &[u8]) -> Result<Record, StoreError> {
    let leaf: Leaf = json::read_as(bytes, json::Limits::DEFAULT).map_err(|_| tampered(log, seq, "it is no leaf"))?;
    if leaf.v != LEAF_VERSION || leaf.log != log.name() || leaf.seq != seq {
        return Err(tampered(log, seq, "it says that it is another record"));
    }
    let stored = i64::try_from(seq).unwrap_or(-1);
    let mut statement = connection
        .prepare_cached("SELECT name, salt, bytes FROM payload WHERE log = ?1 AND seq = ?2 ORDER BY name")
        .map_err(database)?;
    let mut rows = statement.query(params![log.name(), stored]).map_err(database)?;
    let mut payloads = Vec::new();
    while let Some(row) = rows.next().map_err(database)? {
        let name: String = row.get(0).map_err(database)?;
        let salt: Vec<u8> = row.get(1).map_err(database)?;
        let payload: Vec<u8> = row.get(2).map_err(database)?;
        let salt = <[u8; 32]>::try_from(salt).map_err(|_| tampered(log, seq, "a salt is not 32 bytes long"))?;
        if leaf.commitments.get(&name) != Some(&leaf::commitment(&salt, &payload)) {
            return Err(tampered(log, seq, format!("its payload `{name}` is not the one that was written")));
        }
        payloads.push((name, payload));
    }
    if payloads.len() != leaf.commitments.len() {
        return Err(tampered(log, seq, "a payload is missing"));
    }
    Ok(Record { log, leaf, payloads })
}
