//! What is erased is in no snapshot any more when anybody is told so.

use audit_verify::erasure::Erased;

use super::*;
use crate::store::types::{AppendError, Positions};

const SECRET: &str = "told_by_nobody_again";

async fn erase(store: &SqliteStore, seq: u64) -> Result<Positions, AppendError> {
    let erased = vec![Erased {
        log: Log::Ledger.name().to_owned(),
        name: "event".to_owned(),
        ranges: vec![(seq, seq)],
        payloads: 1,
    }];
    let event = serde_json::json!({"gate": {"kind": "payloads_erased", "erased": erased}});
    let says =
        NewRecord { payloads: vec![("event", event.to_string().into_bytes())], ..new(Log::Ledger, "payloads_erased") };
    store.erase(Vec::new(), vec![says], erased).await
}

/// Where one is until it is overwritten.
fn aside(data: &Path, number: u32) -> std::path::PathBuf {
    data.join(format!("record.snapshot.gone-{number}"))
}

/// A folder with a snapshot of four pairs, one of which tells the secret.
async fn told(data: &Path) {
    let (store, _) = open(data, ONCE);
    append(&store, 0, 2).await;
    store.append(Vec::new(), vec![new(Log::Ledger, SECRET)]).await.unwrap();
    append(&store, 2, 2).await;
    drop(store);
    drop(open(data, ONCE));
    let bytes = std::fs::read(file(data)).unwrap();
    assert!(bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
}

#[tokio::test]
async fn it_is_gone_before_the_erasure_is_acknowledged_and_the_next_one_is_of_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    told(&data).await;
    let (store, folds) = open(&data, RULE);
    folds.whole().await;
    let before = std::fs::read(file(&data)).unwrap();
    erase(&store, 2).await.unwrap();
    assert_ne!(std::fs::read(file(&data)).ok(), Some(before));
    assert!(!aside(&data, 1).exists());
    // The next one is made of the record as it is now.
    until("another snapshot", async || file(&data).exists().then_some(())).await;
    drop(store);
    let (_store, folds) = open(&data, ONCE);
    assert_eq!(folds.read(), 0);
    folds.whole().await;
}

#[tokio::test]
async fn r9_one_of_before_an_erasure_is_not_gone_on_from_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    told(&data).await;
    let before = std::fs::read(file(&data)).unwrap();
    let (store, folds) = open(&data, ONCE);
    folds.whole().await;
    erase(&store, 2).await.unwrap();
    drop(store);
    // Somebody puts it back, or a power cut fell between.
    std::fs::write(file(&data), &before).unwrap();
    let never = SnapshotRule { least: u64::MAX, ..ONCE };
    let (store, folds) = open(&data, never);
    assert_eq!((folds.read(), file(&data).exists()), (10, false), "everything is read, and it is taken away");
    drop(store);
    crate::store::verify::audited(&data).unwrap();
}

#[tokio::test]
async fn r9_nothing_is_erased_before_the_whole_record_is_verified() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    told(&data).await;
    let (store, folds) = open(&data, ONCE);
    folds.whole().await;
    // As in the time before.
    store.shared.unread.store(true, Ordering::Release);
    assert_eq!(erase(&store, 2).await, Err(AppendError::Unavailable));
    store.shared.unread.store(false, Ordering::Release);
    erase(&store, 2).await.unwrap();
}

#[tokio::test]
async fn r9_what_an_alteration_would_have_hidden_is_not_erased() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    told(&data).await;
    let change =
        "DROP TRIGGER payload_no_update; UPDATE payload SET bytes = CAST(bytes || x'20' AS BLOB) WHERE seq = 1";
    Connection::open(data.join(FILE)).unwrap().execute_batch(change).unwrap();
    let (store, folds) = open(&data, ONCE);
    folds.why_doubted().await;
    assert_eq!(erase(&store, 2).await, Err(AppendError::Unavailable));
}

#[tokio::test]
async fn while_one_is_overwritten_others_are_answered_and_who_erased_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    told(&data).await;
    let (store, folds) = open(&data, ONCE);
    folds.whole().await;
    // Whoever overwrites a pipe waits until somebody reads it.
    std::fs::remove_file(file(&data)).unwrap();
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, file(&data), kind, mode, 0).unwrap();
    let store = Arc::new(store);
    let erasing = Arc::clone(&store);
    let erasing = tokio::spawn(async move { erase(&erasing, 2).await });
    until("it is none any more", async || (!file(&data).exists()).then_some(())).await;
    append(&store, 9, 1).await;
    assert!(!erasing.is_finished() && aside(&data, 1).exists());
    // A pipe cannot be brought to a disk: what may still be there is not told to be erased.
    let reader = std::fs::File::open(aside(&data, 1)).unwrap();
    assert_eq!(erasing.await.unwrap(), Err(AppendError::Unavailable));
    drop(reader);
    // Whoever erases next overwrites that as well.
    std::fs::remove_file(aside(&data, 1)).unwrap();
    std::fs::write(aside(&data, 1), SECRET).unwrap();
    erase(&store, 3).await.unwrap();
    assert!(!aside(&data, 1).exists());
}

#[tokio::test]
async fn what_was_set_aside_before_a_crash_is_overwritten_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    told(&data).await;
    // Another name of the same bytes on the disk.
    let other = folder.path().join("other");
    for number in [1, 12] {
        let bytes = std::fs::read(file(&data)).unwrap();
        std::fs::rename(file(&data), aside(&data, number)).unwrap();
        std::fs::hard_link(aside(&data, number), &other).unwrap();
        let (store, folds) = open(&data, ONCE);
        assert_eq!(folds.read(), 9, "nothing was erased, and all of it is read");
        drop(store);
        assert!(!aside(&data, number).exists() && file(&data).exists());
        let left = std::fs::read(&other).unwrap();
        assert!(left.len() == bytes.len() && left.iter().all(|byte| *byte == 0));
        std::fs::remove_file(&other).unwrap();
    }
}

#[tokio::test]
async fn an_erasure_that_cannot_set_it_aside_erases_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    told(&data).await;
    let (store, folds) = open(&data, ONCE);
    folds.whole().await;
    std::fs::create_dir(aside(&data, 1)).unwrap();
    assert_eq!(erase(&store, 2).await, Err(AppendError::Unavailable));
    assert!(store.record(Log::Ledger, 2).unwrap().unwrap().payload("event").is_some());
    std::fs::remove_dir(aside(&data, 1)).unwrap();
    let again = async || erase(&store, 2).await.ok();
    until("the store is open again", again).await;
    assert!(!file(&data).exists());
}
