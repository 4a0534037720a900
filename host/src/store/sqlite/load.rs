//! Reads the logs and holds every byte against what was signed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit_verify::erasure::{self, Erasures, PAYLOADS_ERASED};
use audit_verify::log::{Head as HeldHead, Trust};
use audit_verify::source::{Entry, StoredPayload, StoredRecord};
use audit_verify::tree::leaf_hash;
use audit_verify::{Fault, FaultKind, TreeHash};
use policy_core::leaf::Leaf;
use policy_core::{json, sabotaged};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Logs;
use super::log_state::LogState;
use super::reading::{Reading, each_entry};
use super::schema::database;
use super::snapshot::named_heads;
use super::source::SqliteSource;
use crate::store::folder::file_error;
use crate::store::keys::Keys;
use crate::store::types::{FoldError, Head, Log, Record, StoreError};
use crate::whole_file;

/// The payload that holds a ledger record's event.
const EVENT: &str = "event";

pub(super) fn tampered(log: Log, seq: u64, message: impl Into<String>) -> StoreError {
    StoreError::Tampered { log: log.name().to_owned(), seq, message: message.into() }
}

/// Verifies both logs: every leaf and payload, the newest signed head, and the heads that were seen. Hands each record
/// over.
///
/// INVARIANT (R9): what is not under a signed head is not believed, and a log shorter than a head that was seen is
/// refused, so that neither a row put in by hand nor a restored backup brings authority.
pub(super) fn check(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    each: &mut dyn FnMut(&Record) -> Result<(), FoldError>,
) -> Result<Logs, StoreError> {
    let (mut logs, mut erasures) = (Logs::default(), Erasures::default());
    for log in Log::ALL {
        *logs.of_mut(log) = check_log(connection, seen, keys, log, &mut erasures, each)?;
    }
    // INVARIANT (R9): nothing is gone but by a record that says so, and what it says is gone is not there again.
    if let (_, Some(returned)) = erasures.end()? {
        let kind = FaultKind::PayloadReturned(returned.name);
        return Err(Fault { log: returned.log, seq: returned.seq, kind }.into());
    }
    no_strays(connection)?;
    logs.erasures = Arc::new(erasures);
    Ok(logs)
}

/// The same for whoever wants the records alone.
pub(in crate::store) fn each_checked(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    each: &mut dyn FnMut(&Record) -> Result<(), FoldError>,
) -> Result<(), StoreError> {
    check(connection, seen, keys, each).map(drop)
}

/// That each row belongs to a record.
pub(in crate::store) fn no_strays(connection: &Connection) -> Result<(), StoreError> {
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
    if strays == 0 { Ok(()) } else { Err(tampered(Log::Ledger, 0, "there are rows that belong to no record")) }
}

fn check_log(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    log: Log,
    erasures: &mut Erasures,
    each: &mut dyn FnMut(&Record) -> Result<(), FoldError>,
) -> Result<LogState, StoreError> {
    let source = SqliteSource::new(connection, false);
    let mut reading = Reading::begin(log, keys, &seen.heads(log, keys)?)?;
    let mut any_erased = false;
    each_entry(&source, log, 0, &mut |entry| {
        let taken = reading.take(&entry)?;
        let (Some(record), Entry::Record(stored)) = (taken, &entry) else { return Ok(()) };
        if log == Log::Ledger {
            any_erased |= !record.erased.is_empty();
        } else {
            hold(erasures, log, stored)?;
        }
        take(erasures, &record)?;
        each(&record).map_err(|error| tampered(log, stored.seq, error.message))
    })?;
    if log == Log::Ledger && (any_erased || !erasures.is_empty()) {
        // What was erased of the ledger is said behind it: its payloads are held against that in a second look.
        each_entry(&source, log, 0, &mut |entry| match entry {
            Entry::Record(stored) => hold(erasures, log, &stored),
            Entry::Head(_) => Ok(()),
        })?;
    }
    let mut state = LogState::default();
    state.extend(reading.end()?);
    Ok(state)
}

/// Holds a record's payloads against what the ledger says was erased.
pub(super) fn hold(erasures: &mut Erasures, log: Log, stored: &StoredRecord) -> Result<(), StoreError> {
    let held = erasures.hold(log.name(), stored);
    held.map_err(|kind| Fault { log: log.name().to_owned(), seq: stored.seq, kind }.into())
}

/// Takes what a record says was erased.
pub(super) fn take(erasures: &mut Erasures, record: &Record) -> Result<(), StoreError> {
    let (log, seq) = (record.log, record.leaf.seq);
    erasures.take(seq, &said(record)).map_err(|kind| Fault { log: log.name().to_owned(), seq, kind }.into())
}

/// What a record of the ledger says was erased.
pub(super) fn said(record: &Record) -> Vec<erasure::Erased> {
    let erases = record.log == Log::Ledger && record.leaf.kind == PAYLOADS_ERASED;
    let event = record.payload(EVENT).filter(|_| erases);
    event.and_then(erasure::read).unwrap_or_default()
}

/// Where the newest head is kept outside the database.
pub(super) fn head_file(data: &Path, log: Log) -> PathBuf {
    data.join("heads").join(log.name().replace('/', "-"))
}

/// The heads that were kept outside the database: the newest of each log, and those of the snapshot. Read them before the
/// database: it may only be newer.
pub(in crate::store) struct Seen {
    beside: BTreeMap<Log, String>,
    /// What the snapshot names. Whoever wrote it: those that this gate signed were seen, and the others say nothing.
    named: Vec<(Log, String)>,
}

impl Seen {
    /// Reads them.
    pub(in crate::store) fn read(data: &Path) -> Result<Self, StoreError> {
        let mut beside = BTreeMap::new();
        for log in Log::ALL {
            let path = head_file(data, log);
            // A gate may be writing it over.
            let read =
                whole_file::read_whole(&path).and_then(|bytes| String::from_utf8(bytes).map_err(std::io::Error::other));
            match read {
                // What a power cut leaves of a file that was never synced. It says as little as one that is gone.
                Ok(note) if note.is_empty() => {}
                Ok(note) => drop(beside.insert(log, note)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(file_error(&path, source)),
            }
        }
        let named = if sabotaged!("r9_snapshot_ahead") { Vec::new() } else { named_heads(data) };
        Ok(Self { beside, named })
    }

    /// Whether there was never one.
    pub(super) fn is_empty(&self) -> bool {
        self.beside.is_empty() && self.named.is_empty()
    }

    /// The signed notes, of those that the snapshot names the ones that are believed by these keys.
    pub(in crate::store) fn notes(&self, trust: &Trust) -> impl Iterator<Item = &String> {
        let named = self.named.iter().filter(|(log, note)| trust.open(log.name(), note).is_ok());
        self.beside.values().chain(named.map(|(_, note)| note))
    }

    /// Those of this log.
    pub(super) fn heads(&self, log: Log, keys: &Keys) -> Result<Vec<HeldHead>, StoreError> {
        let (trust, mut heads) = (keys.trust(), Vec::new());
        if let Some(note) = self.beside.get(&log) {
            let not_one =
                |kind: FaultKind| tampered(log, 0, format!("of the head that is kept beside the database: {kind}"));
            heads.push(HeldHead { checkpoint: trust.open(log.name(), note).map_err(not_one)?, note: note.clone() });
        }
        let named = self.named.iter().filter(|(of, _)| *of == log).filter_map(|(_, note)| {
            let checkpoint = trust.open(log.name(), note).ok()?;
            Some(HeldHead { checkpoint, note: note.clone() })
        });
        heads.extend(named);
        Ok(heads)
    }
}

/// The last head of each key that signed before the newest, by who says that they signed it.
pub(super) fn last_heads_of_keys(connection: &Connection, log: Log) -> Result<Vec<Head>, StoreError> {
    let mut statement =
        connection.prepare("SELECT size, note FROM head WHERE log = ?1 ORDER BY size").map_err(database)?;
    let mut rows = statement.query(params![log.name()]).map_err(database)?;
    let (mut found, mut before) = (Vec::new(), None::<(Option<[u8; 4]>, Head)>);
    while let Some(row) = rows.next().map_err(database)? {
        let (size, note): (i64, String) = (row.get(0).map_err(database)?, row.get(1).map_err(database)?);
        let signer = audit_verify::note::signers(&note).first().copied();
        let head = Head { log, size: u64::try_from(size).unwrap_or(0), note };
        if let Some((_, last)) = before.replace((signer, head)).filter(|(by, _)| *by != signer) {
            found.push(last);
        }
    }
    Ok(found)
}

/// The head over exactly so many records.
pub(super) fn head_over(connection: &Connection, log: Log, size: u64) -> Result<Option<Head>, StoreError> {
    let Ok(stored) = i64::try_from(size) else { return Ok(None) };
    let note = connection
        .prepare_cached("SELECT note FROM head WHERE log = ?1 AND size = ?2")
        .and_then(|mut select| select.query_row(params![log.name(), stored], |row| row.get(0)).optional());
    Ok(note.map_err(database)?.map(|note| Head { log, size, note }))
}

/// One record as it is stored, whose leaf must have this hash.
pub(super) fn read_stored(
    connection: &Connection,
    log: Log,
    seq: u64,
    hash: &TreeHash,
    [erasures, erasing]: &[Arc<Erasures>; 2],
) -> Result<StoredRecord, StoreError> {
    let stored = SqliteSource::new(connection, false).record(log, seq).map_err(database)?;
    let stored = stored.ok_or_else(|| tampered(log, seq, "it is missing"))?;
    if leaf_hash(&stored.bytes) != *hash {
        return Err(tampered(log, seq, "it is not the one that was written"));
    }
    let leaf = audit_verify::leaf::Leaf::read(&stored.bytes).ok_or_else(|| tampered(log, seq, "it is no leaf"))?;
    leaf.hold_payloads(&stored.payloads).map_err(|kind| tampered(log, seq, kind.to_string()))?;
    for payload in &stored.payloads {
        // Which of the two it is while it is being erased, nobody can say.
        if erasing.has(log.name(), &payload.name, seq) {
            continue;
        }
        let kind = match (payload.is_erased(), erasures.has(log.name(), &payload.name, seq)) {
            (true, false) => FaultKind::ErasureUnrecorded(payload.name.clone()),
            (false, true) => FaultKind::PayloadReturned(payload.name.clone()),
            _ => continue,
        };
        return Err(tampered(log, seq, kind.to_string()));
    }
    Ok(stored)
}

/// A record whose bytes were checked.
pub(super) fn open(log: Log, stored: &StoredRecord) -> Result<Record, StoreError> {
    let leaf: Leaf =
        json::read_as(&stored.bytes, json::Limits::DEFAULT).map_err(|_| tampered(log, stored.seq, "it is no leaf"))?;
    let (mut payloads, mut erased) = (Vec::new(), Vec::new());
    for StoredPayload { name, content } in &stored.payloads {
        match content {
            Some(content) => payloads.push((name.clone(), content.bytes.clone())),
            None => erased.push(name.clone()),
        }
    }
    Ok(Record { log, leaf, payloads, erased })
}
