//! Starts from snapshots: what is read before the gate is ready, what behind it, and what is refused.

mod ahead;
mod altered;
mod erased;
mod marked;
mod unfit;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use policy_core::time::Timestamp;
use rusqlite::Connection;

use super::*;
use crate::random::SystemRandom;
use crate::store::folding::{Aside, SnapshotRule, Snapshots, Verified};
use crate::store::sqlite::{FILE, SqliteStore};
use crate::store::types::{Fold, FoldError, NewRecord, Record, Store as _, StoreError};
use crate::store::{DataFolder, DataKind, Keys, VersionKey};
use crate::until::until;

const RULE: SnapshotRule = SnapshotRule { least: 4, every: 4, look: Duration::from_millis(5) };
/// The same, and no further one while the test runs.
const ONCE: SnapshotRule = SnapshotRule { look: Duration::from_secs(3_600), ..RULE };

/// What was folded: the kind of each record, one a line.
#[derive(Default)]
struct Kinds(Vec<String>);

/// Who folds once more, and comes to no end.
struct Panics;

impl Aside for Panics {
    fn resume(&mut self, _: &[u8]) -> Result<(), FoldError> {
        Ok(())
    }

    fn history(&mut self, record: &Record) -> Result<(), FoldError> {
        panic!("record {} is one too many", record.leaf.seq)
    }

    fn form(&mut self) -> Result<Vec<u8>, FoldError> {
        Ok(Vec::new())
    }
}

impl Aside for Kinds {
    fn resume(&mut self, form: &[u8]) -> Result<(), FoldError> {
        let text = String::from_utf8(form.to_vec()).map_err(|_| FoldError { message: "no text".to_owned() })?;
        self.0 = text.lines().map(str::to_owned).collect();
        Ok(())
    }

    fn history(&mut self, record: &Record) -> Result<(), FoldError> {
        self.0.push(record.leaf.kind.clone());
        Ok(())
    }

    fn form(&mut self) -> Result<Vec<u8>, FoldError> {
        Ok(self.0.join("\n").into_bytes())
    }
}

/// Who folds.
#[derive(Default)]
struct Folds {
    aside: Mutex<Kinds>,
    kinds: Mutex<Vec<String>>,
    /// How many records of history were handed over.
    read: Mutex<usize>,
    verified: Mutex<Option<Verified>>,
    doubted: Mutex<Option<String>>,
    /// What happens as soon as the record is doubted.
    at_doubt: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// Whether who folds once more panics.
    panics: bool,
    writable: AtomicBool,
}

impl Fold for Folds {
    fn reset(&self, _: u64) {
        *self.aside.lock().unwrap() = Kinds::default();
        *self.read.lock().unwrap() = 0;
    }

    fn history(&self, record: &Record) -> Result<(), FoldError> {
        *self.read.lock().unwrap() += 1;
        self.aside.lock().unwrap().history(record)
    }

    fn folded(&self) {
        *self.kinds.lock().unwrap() = std::mem::take(&mut self.aside.lock().unwrap().0);
    }

    fn admitted(&self, records: &[Record], _: &[(VersionKey, u64)]) -> Result<(), FoldError> {
        self.kinds.lock().unwrap().extend(records.iter().map(|record| record.leaf.kind.clone()));
        Ok(())
    }

    fn writable(&self, writable: bool) {
        self.writable.store(writable, Ordering::SeqCst);
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        Some(self)
    }
}

impl Snapshots for Folds {
    fn resume(&self, _: u64, form: &[u8]) -> Result<(), FoldError> {
        *self.read.lock().unwrap() = 0;
        self.aside.lock().unwrap().resume(form)
    }

    fn form(&self) -> Result<Vec<u8>, FoldError> {
        self.aside.lock().unwrap().form()
    }

    fn aside(&self) -> Box<dyn Aside> {
        if self.panics { Box::new(Panics) } else { Box::<Kinds>::default() }
    }

    fn verified(&self, how: Verified) {
        *self.verified.lock().unwrap() = Some(how);
    }

    fn doubted(&self, why: &str) {
        *self.doubted.lock().unwrap() = Some(why.to_owned());
        if let Some(happens) = self.at_doubt.lock().unwrap().take() {
            happens();
        }
    }
}

impl Folds {
    fn read(&self) -> usize {
        *self.read.lock().unwrap()
    }

    fn kinds(&self) -> Vec<String> {
        self.kinds.lock().unwrap().clone()
    }

    async fn whole(&self) {
        let whole = async || (*self.verified.lock().unwrap() == Some(Verified::Whole)).then_some(());
        until("the whole record is verified", whole).await;
        assert_eq!(*self.doubted.lock().unwrap(), None);
    }

    async fn why_doubted(&self) -> String {
        until("the record is doubted", async || self.doubted.lock().unwrap().clone()).await
    }
}

fn try_open(data: &Path, rule: SnapshotRule) -> Result<(SqliteStore, Arc<Folds>), StoreError> {
    try_open_by(data, rule, Folds::default())
}

fn try_open_by(data: &Path, rule: SnapshotRule, folds: Folds) -> Result<(SqliteStore, Arc<Folds>), StoreError> {
    let folder = DataFolder::open(data, DataKind::Gate)?;
    let keys = Arc::new(Keys::open(&folder, &SystemRandom)?);
    let folds = Arc::new(folds);
    let store = SqliteStore::open_by(folder, keys, Arc::new(SystemRandom), folds.clone(), Some(rule))?;
    Ok((store, folds))
}

fn open(data: &Path, rule: SnapshotRule) -> (SqliteStore, Arc<Folds>) {
    try_open(data, rule).unwrap()
}

/// What opening says.
fn opened(data: &Path) -> Option<&'static str> {
    try_open(data, ONCE).err().map(|error| error.code())
}

fn new(log: Log, kind: &str) -> NewRecord {
    NewRecord {
        log,
        at: Timestamp::from_millis(1_000),
        kind: kind.to_owned(),
        stream: "test".to_owned(),
        outcome: None,
        policies: Vec::new(),
        module: None,
        bundle: None,
        payloads: vec![("event", format!(r#"{{"gate":{{"kind":"{kind}"}}}}"#).into_bytes())],
        touches: Vec::new(),
        urgent: false,
        outbox: Vec::new(),
    }
}

/// Appends so many of both logs, a pair each time.
async fn append(store: &SqliteStore, from: usize, pairs: usize) {
    for number in from..from + pairs {
        let records =
            vec![new(Log::Ledger, &format!("ledger_{number}")), new(Log::Decisions, &format!("decided_{number}"))];
        store.append(Vec::new(), records).await.unwrap();
    }
}

fn file(data: &Path) -> std::path::PathBuf {
    data.join("record.snapshot")
}

/// A folder with six records of each log, of which a snapshot holds four.
async fn begun(data: &Path) {
    let (store, _) = open(data, ONCE);
    append(&store, 0, 4).await;
    drop(store);
    let (store, folds) = open(data, ONCE);
    assert_eq!((folds.read(), *folds.verified.lock().unwrap()), (8, Some(Verified::Whole)));
    assert!(file(data).exists());
    append(&store, 4, 2).await;
}

/// All kinds of such a folder, the ledger's first.
fn all(pairs: usize) -> Vec<String> {
    let names = |word: &'static str| (0..pairs).map(move |number| format!("{word}_{number}"));
    names("ledger").chain(names("decided")).collect()
}

fn sorted(mut kinds: Vec<String>) -> Vec<String> {
    kinds.sort();
    kinds
}

#[tokio::test]
async fn a_start_reads_what_came_behind_the_snapshot_and_the_rest_behind_its_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let (store, folds) = open(&data, ONCE);
    assert_eq!(folds.read(), 4, "two of each log");
    assert_eq!(sorted(folds.kinds()), sorted(all(6)));
    folds.whole().await;
    // All of it is there as if it had been read: records, proofs, tiles, what lists are made of.
    for log in Log::ALL {
        assert_eq!(store.heads().iter().find(|head| head.log == log).unwrap().size, 6);
        for seq in 0..6 {
            let record = store.record(log, seq).unwrap().unwrap();
            assert_eq!(record.leaf.seq, seq);
            assert!(store.inclusion(log, seq).is_some());
        }
        assert_eq!(store.before(log, 9, &crate::store::Sought::default(), 9).len(), 6);
        assert!(store.consistency(log, 2).is_some());
    }
    append(&store, 6, 1).await;
    drop(store);
    let (_store, folds) = open(&data, ONCE);
    assert_eq!(sorted(folds.kinds()), sorted(all(7)));
    crate::store::verify::audited(&data).unwrap();
}

#[tokio::test]
async fn a_short_record_has_no_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, folds) = open(&data, ONCE);
    assert_eq!(*folds.verified.lock().unwrap(), Some(Verified::Whole));
    append(&store, 0, 1).await;
    drop(store);
    let (_store, folds) = open(&data, ONCE);
    assert_eq!((folds.read(), file(&data).exists()), (2, false));
}

#[tokio::test]
async fn while_it_runs_the_next_one_is_made_of_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // The first is made of all that there is, by a gate that began with nothing.
    let (store, _) = open(&data, RULE);
    append(&store, 0, 3).await;
    let written = async || std::fs::read(file(&data)).ok();
    let first = until("a snapshot", written).await;
    append(&store, 3, 3).await;
    let next = async || written().await.filter(|bytes| *bytes != first);
    let second = until("another snapshot", next).await;
    assert!(second.len() > first.len());
    drop(store);
    let (_store, folds) = open(&data, ONCE);
    assert!(folds.read() < 8, "{}", folds.read());
    assert_eq!(sorted(folds.kinds()), sorted(all(6)));
    // Folded anew from cut to cut, it is the same.
    folds.whole().await;
}

#[tokio::test]
async fn a_start_ends_while_the_rest_is_being_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    for _ in 0..20 {
        drop(open(&data, ONCE));
    }
    assert!(file(&data).exists());
    let (_store, folds) = open(&data, ONCE);
    assert_eq!((folds.read(), sorted(folds.kinds())), (4, sorted(all(6))), "nothing spoke against it");
}
