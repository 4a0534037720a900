//! The admission rule, and what happens when the database cannot be written.

use futures::FutureExt as _;
use policy_core::time::Timestamp;

use super::*;
use crate::random::SystemRandom;
use crate::store::{DataKind, FoldError};
use crate::until::until;

mod erasing;
mod flipped;

#[derive(Default)]
struct Seen {
    floor: Mutex<u64>,
    kinds: Mutex<Vec<String>>,
    versions: Mutex<std::collections::BTreeMap<VersionKey, u64>>,
    writable: AtomicBool,
    unfoldable: AtomicBool,
}

impl Fold for Seen {
    fn reset(&self, floor: u64) {
        *self.floor.lock().unwrap() = floor;
        self.kinds.lock().unwrap().clear();
        self.versions.lock().unwrap().clear();
    }

    fn history(&self, record: &Record) -> Result<(), FoldError> {
        self.kinds.lock().unwrap().push(record.leaf.kind.clone());
        Ok(())
    }

    fn folded(&self) {}

    fn admitted(&self, records: &[Record], versions: &[(VersionKey, u64)]) -> Result<(), FoldError> {
        if self.unfoldable.load(Ordering::SeqCst) {
            return Err(FoldError { message: "no rule can have written it".to_owned() });
        }
        self.kinds.lock().unwrap().extend(records.iter().map(|record| record.leaf.kind.clone()));
        self.versions.lock().unwrap().extend(versions.iter().cloned());
        Ok(())
    }

    fn writable(&self, writable: bool) {
        self.writable.store(writable, Ordering::SeqCst);
    }
}

impl Seen {
    fn version(&self, key: &VersionKey) -> (VersionKey, u64) {
        let floor = *self.floor.lock().unwrap();
        (key.clone(), self.versions.lock().unwrap().get(key).copied().unwrap_or(floor))
    }
}

fn open(data: &Path) -> (SqliteStore, Arc<Seen>) {
    let folder = DataFolder::open(data, DataKind::Gate).unwrap();
    let keys = Arc::new(Keys::open(&folder, &SystemRandom).unwrap());
    let seen = Arc::new(Seen { writable: AtomicBool::new(true), ..Seen::default() });
    (SqliteStore::open(folder, keys, Arc::new(SystemRandom), seen.clone()).unwrap(), seen)
}

fn record(kind: &str, touches: Vec<VersionKey>) -> NewRecord {
    NewRecord {
        log: Log::Ledger,
        at: Timestamp::from_millis(1_000),
        kind: kind.to_owned(),
        stream: "test".to_owned(),
        outcome: None,
        policies: Vec::new(),
        module: None,
        bundle: None,
        payloads: vec![("event", format!(r#"{{"gate":{{"kind":"{kind}"}}}}"#).into_bytes())],
        touches,
        urgent: false,
        outbox: Vec::new(),
    }
}

#[tokio::test]
async fn an_outcome_is_admitted_only_if_what_it_read_is_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let (store, seen) = open(&folder.path().join("data"));
    let key = VersionKey::Exception("e".into());
    let read = seen.version(&key);
    let jobs: Vec<_> = (0..20)
        .map(|n| store.append(vec![read.clone()], vec![record(&format!("use_{n}"), vec![key.clone()])]))
        .collect();
    let answers = futures::future::join_all(jobs).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Err(AppendError::Conflict(vec![key.clone()]))).count(), 19);
    // On what stands now, and on what nobody touches, it is.
    assert!(store.append(vec![seen.version(&key)], vec![record("next", vec![])]).await.is_ok());
    assert_eq!(*seen.kinds.lock().unwrap(), ["use_0", "next"]);
}

#[tokio::test]
async fn a_store_that_cannot_write_denies_all_and_comes_back_with_everything_verified() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, seen) = open(&data);
    store.append(Vec::new(), vec![record("first", vec![])]).await.unwrap();
    let before = seen.version(&VersionKey::Bundle);
    let holder = Connection::open(path(&data)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.append(Vec::new(), vec![record("lost", vec![])]).await, Err(AppendError::Unavailable));
    assert!(!seen.writable.load(Ordering::SeqCst));
    holder.execute_batch("ROLLBACK").unwrap();
    until("the store comes back", async || seen.writable.load(Ordering::SeqCst).then_some(())).await;
    // What was evaluated before conflicts: the state was folded again.
    assert!(matches!(store.append(vec![before], vec![record("old", vec![])]).await, Err(AppendError::Conflict(_))));
    store.append(Vec::new(), vec![record("second", vec![])]).await.unwrap();
    assert_eq!(*seen.kinds.lock().unwrap(), ["first", "second"]);
    drop(store);
    let (_, seen) = open(&data);
    assert_eq!(*seen.kinds.lock().unwrap(), ["first", "second"]);
}

#[tokio::test]
async fn what_waits_is_written_in_one_transaction_and_nobody_is_answered_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, seen) = open(&data);
    let holder = Connection::open(path(&data)).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting: Vec<_> =
        (0..20).map(|n| store.append(Vec::new(), vec![record(&format!("waits_{n}"), vec![])])).collect();
    for answer in &mut waiting {
        assert!(answer.now_or_never().is_none(), "nobody is answered while nothing can be written");
    }
    assert_eq!(*seen.kinds.lock().unwrap(), [] as [String; 0], "and nothing is believed");
    holder.execute_batch("ROLLBACK").unwrap();
    for answer in futures::future::join_all(waiting).await {
        let written = answer.unwrap().records;
        let count = "SELECT count(*) FROM leaf WHERE log = 'ledger' AND seq = ?1";
        for (_, seq) in written {
            let stored: i64 = holder.query_row(count, [i64::try_from(seq).unwrap()], |row| row.get(0)).unwrap();
            assert_eq!(stored, 1, "who is answered can read the record");
        }
    }
    let heads: i64 = holder.query_row("SELECT count(*) FROM head", [], |row| row.get(0)).unwrap();
    // The first may have been taken alone, before the others stood in the queue.
    assert!((1..=2).contains(&heads), "{heads} heads over 20 records");
    assert_eq!(seen.kinds.lock().unwrap().len(), 20);
}

#[test]
fn a_commit_that_answers_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let connection = schema::open(&folder.path().join(FILE)).unwrap();
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
    // 2 is FULL: each commit is synced, also in the write-ahead log.
    assert_eq!(pragma("synchronous").unwrap(), rusqlite::types::Value::Integer(2));
    assert_eq!(pragma("journal_mode").unwrap(), rusqlite::types::Value::Text("wal".to_owned()));
}

#[tokio::test]
async fn a_row_put_in_by_hand_while_the_gate_runs_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, seen) = open(&data);
    store.append(Vec::new(), vec![record("first", vec![])]).await.unwrap();
    let forged = "INSERT INTO leaf SELECT log, 1, bytes FROM leaf WHERE log = 'ledger' AND seq = 0";
    Connection::open(path(&data)).unwrap().execute_batch(forged).unwrap();
    for _ in 0..3 {
        assert_eq!(store.append(Vec::new(), vec![record("second", vec![])]).await, Err(AppendError::Unavailable));
    }
    assert!(!seen.writable.load(Ordering::SeqCst));
    assert!(store.record(Log::Ledger, 1).unwrap().is_none(), "memory knows of no second record");
}

#[tokio::test]
async fn a_leaf_that_is_too_large_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, seen) = open(&folder.path().join("data"));
    let mut large = record("large", vec![]);
    large.policies = vec!["p".repeat(70_000)];
    assert_eq!(store.append(Vec::new(), vec![large]).await, Err(AppendError::Unavailable));
    store.append(Vec::new(), vec![record("small", vec![])]).await.unwrap();
    assert_eq!(*seen.kinds.lock().unwrap(), ["small"]);
    assert!(seen.writable.load(Ordering::SeqCst));
}

#[tokio::test]
async fn r8_what_does_not_fold_denies_all_in_its_batch() {
    let folder = tempfile::tempdir().unwrap();
    let (store, seen) = open(&folder.path().join("data"));
    seen.unfoldable.store(true, Ordering::SeqCst);
    assert_eq!(store.append(Vec::new(), vec![record("odd", vec![])]).await, Err(AppendError::Unavailable));
    assert!(!seen.writable.load(Ordering::SeqCst));
    seen.unfoldable.store(false, Ordering::SeqCst);
    // Folded again from what the log holds, it goes on.
    store.append(Vec::new(), vec![record("next", vec![])]).await.unwrap();
    assert_eq!(*seen.kinds.lock().unwrap(), ["odd", "next"]);
}

#[tokio::test]
async fn a_head_that_a_power_cut_emptied_does_not_stop_the_gate_and_a_torn_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = open(&data);
    store.append(Vec::new(), vec![record("first", vec![])]).await.unwrap();
    drop(store);
    let head = load::head_file(&data, Log::Ledger);
    let note = std::fs::read_to_string(&head).unwrap();
    std::fs::write(&head, "").unwrap();
    let (store, seen) = open(&data);
    assert_eq!(*seen.kinds.lock().unwrap(), ["first"]);
    drop((store, seen));
    std::fs::write(&head, note.get(..40).unwrap()).unwrap();
    let folder = DataFolder::open(&data, DataKind::Gate).unwrap();
    let keys = Arc::new(Keys::open(&folder, &SystemRandom).unwrap());
    let opened = SqliteStore::open(folder, keys, Arc::new(SystemRandom), Arc::new(Seen::default()));
    assert_eq!(opened.err().map(|error| error.code()), Some("log_tampered"));
}
