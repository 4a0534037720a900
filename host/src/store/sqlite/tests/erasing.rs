//! What is erased is gone from the files, is said by a signed record, and comes back for nobody.

use audit_verify::erasure::Erased;

use super::*;
use crate::store::verify::audited;

const SECRET: &str = "the words that nobody is to read any more";

fn told(words: &str) -> NewRecord {
    let event = format!(r#"{{"gate":{{"kind":"said","words":"{words}"}}}}"#);
    NewRecord { payloads: vec![("event", event.into_bytes())], ..record("said", vec![]) }
}

fn erased(ranges: &[(u64, u64)], payloads: u64) -> Vec<Erased> {
    vec![Erased { log: "ledger".to_owned(), name: "event".to_owned(), ranges: ranges.to_vec(), payloads }]
}

/// The record that says so.
fn says(erased: &[Erased]) -> NewRecord {
    let event = serde_json::json!({"gate": {"kind": "payloads_erased", "erased": erased}});
    NewRecord { payloads: vec![("event", event.to_string().into_bytes())], ..record("payloads_erased", vec![]) }
}

async fn erase(store: &SqliteStore, ranges: &[(u64, u64)], payloads: u64) -> Result<Positions, AppendError> {
    let erased = erased(ranges, payloads);
    store.erase(Vec::new(), vec![says(&erased)], erased).await
}

/// Whether any file of the data folder holds these words.
fn somewhere(data: &Path, words: &str) -> bool {
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => {
                    let bytes = std::fs::read(entry.path()).unwrap();
                    if bytes.windows(words.len()).any(|window| window == words.as_bytes()) {
                        return true;
                    }
                }
                _ => {}
            }
        }
    }
    false
}

#[tokio::test]
async fn what_is_erased_is_in_no_file_any_more_and_the_record_verifies_and_starts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = open(&data);
    store.append(Vec::new(), vec![record("first", vec![]), told(SECRET), record("third", vec![])]).await.unwrap();
    // Large enough for pages of its own.
    store.append(Vec::new(), vec![told(&SECRET.repeat(2_000))]).await.unwrap();
    assert!(somewhere(&data, SECRET));
    // Somebody reads all of the database meanwhile: its log of writes stays until they have ended.
    let reader = Connection::open(path(&data)).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM payload;").unwrap();
    reader.query_row("SELECT count(*) FROM payload", [], |row| row.get::<_, i64>(0)).unwrap();
    erase(&store, &[(1, 1), (3, 3)], 2).await.unwrap();
    let kept = store.record(Log::Ledger, 1).unwrap().unwrap();
    assert_eq!((kept.payload("event"), kept.has_erased("event")), (None, true));
    assert!(!store.record(Log::Ledger, 0).unwrap().unwrap().has_erased("event"));
    reader.execute_batch("COMMIT").unwrap();
    until("the log of writes is emptied", async || (!somewhere(&data, SECRET)).then_some(())).await;
    let report = audited(&data).unwrap();
    assert_eq!((report.logs[0].records, report.erased.payloads), (5, 2));
    drop(store);
    let (store, seen) = open(&data);
    assert_eq!(*seen.kinds.lock().unwrap(), ["first", "said", "third", "said", "payloads_erased"]);
    assert!(store.record(Log::Ledger, 3).unwrap().unwrap().has_erased("event"));
    assert!(!somewhere(&data, SECRET));
}

#[tokio::test]
async fn what_is_gone_already_or_never_was_is_erased_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = open(&data);
    store.append(Vec::new(), vec![told("a"), told("b")]).await.unwrap();
    erase(&store, &[(0, 0)], 1).await.unwrap();
    for (what, ranges, payloads) in [
        ("twice", [(0, 0)], 1),
        ("more than there are", [(1, 1)], 2),
        ("partly twice", [(0, 1)], 2),
        ("none", [(9, 9)], 1),
    ] {
        assert_eq!(erase(&store, &ranges, payloads).await, Err(AppendError::Conflict(Vec::new())), "{what}");
    }
    assert_eq!(store.heads()[0].size, 3, "nothing of it was written");
    assert!(audited(&data).is_ok());
}

#[tokio::test]
async fn r9_nothing_is_gone_without_a_record_and_nothing_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = open(&data);
    store.append(Vec::new(), vec![told("a"), told("b")]).await.unwrap();
    erase(&store, &[(0, 0)], 1).await.unwrap();
    let by_hand = Connection::open(path(&data)).unwrap();
    // The database itself lets a payload go, and nothing else.
    for change in [
        "UPDATE payload SET bytes = x'00' WHERE seq = 1",
        "UPDATE payload SET salt = x'' WHERE seq = 1",
        "UPDATE payload SET seq = 9, salt = x'', bytes = x'' WHERE seq = 1",
        "UPDATE payload SET name = 'x', salt = x'', bytes = x'' WHERE seq = 1",
        "DELETE FROM payload WHERE seq = 1",
        "UPDATE leaf SET bytes = x'' WHERE seq = 1",
    ] {
        let refused = by_hand.execute_batch(change).unwrap_err().to_string();
        assert!(refused.contains("the log only grows"), "{change}: {refused}");
    }
    // Somebody who owns the file erases what no record speaks of.
    by_hand
        .execute_batch("SAVEPOINT one; UPDATE payload SET salt = x'', bytes = x'' WHERE seq = 1; RELEASE one")
        .unwrap();
    let refused = store.record(Log::Ledger, 1).unwrap_err();
    assert_eq!(refused.code(), "log_tampered");
    assert!(refused.to_string().contains("no record says so"), "{refused}");
    assert_eq!(audited(&data).err(), Some("log_tampered"));
    drop((store, by_hand));
    assert_eq!(opened(&data), Some("log_tampered"));
}

#[tokio::test]
async fn r9_a_payload_that_was_put_back_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = open(&data);
    store.append(Vec::new(), vec![told("a"), told("b")]).await.unwrap();
    let copy = "CREATE TABLE kept AS SELECT * FROM payload WHERE seq = 0";
    let by_hand = Connection::open(path(&data)).unwrap();
    by_hand.execute_batch(copy).unwrap();
    erase(&store, &[(0, 0)], 1).await.unwrap();
    let back = "DROP TRIGGER payload_no_update; UPDATE payload SET salt = kept.salt, bytes = kept.bytes FROM kept
        WHERE payload.seq = 0 AND kept.seq = 0 AND payload.log = 'ledger'";
    by_hand.execute_batch(back).unwrap();
    let refused = store.record(Log::Ledger, 0).unwrap_err();
    assert!(refused.to_string().contains("is there again"), "{refused}");
    assert_eq!(audited(&data).err(), Some("log_tampered"));
    drop((store, by_hand));
    assert_eq!(opened(&data), Some("log_tampered"));
}

/// What opening says.
fn opened(data: &Path) -> Option<&'static str> {
    let folder = DataFolder::open(data, DataKind::Gate).unwrap();
    let keys = Arc::new(Keys::open(&folder, &SystemRandom).unwrap());
    SqliteStore::open(folder, keys, Arc::new(SystemRandom), Arc::new(Seen::default())).err().map(|error| error.code())
}

#[tokio::test]
async fn a_database_of_an_earlier_release_learns_to_erase() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, _) = open(&data);
    store.append(Vec::new(), vec![told("a"), told("b")]).await.unwrap();
    drop(store);
    let earlier = "DROP TRIGGER payload_no_update; UPDATE meta SET value = '1' WHERE name = 'format';
        CREATE TRIGGER payload_no_update BEFORE UPDATE ON payload BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;";
    Connection::open(path(&data)).unwrap().execute_batch(earlier).unwrap();
    let (store, _) = open(&data);
    erase(&store, &[(0, 0)], 1).await.unwrap();
    assert_eq!(audited(&data).unwrap().erased.payloads, 1);
}
