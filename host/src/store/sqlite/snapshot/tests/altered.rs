//! A record that is not what was signed: behind the snapshot the start is refused, before it every exception is suspended.

use super::*;
use crate::store::sqlite::snapshot::{seal, sealed};

/// As somebody who owns the file writes.
const UNGUARDED: &str = "DROP TRIGGER leaf_no_update; DROP TRIGGER leaf_no_delete; DROP TRIGGER payload_no_update;
    DROP TRIGGER payload_no_delete; DROP TRIGGER head_no_update; DROP TRIGGER head_no_delete;";

fn alter(data: &Path, change: &str) {
    Connection::open(data.join(FILE)).unwrap().execute_batch(&format!("{UNGUARDED} {change}")).unwrap();
}

#[tokio::test]
async fn r9_what_was_altered_before_the_snapshot_is_found_behind_and_no_start_believes_it_again() {
    let changes = [
        "UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'ledger_1', 'ledger_x') AS BLOB) WHERE seq = 1",
        "UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'decided_3', 'decided_x') AS BLOB) WHERE seq = 3",
        "UPDATE payload SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log = 'ledger' AND seq = 2",
        "UPDATE payload SET bytes = x'', salt = x'' WHERE log = 'decisions/main' AND seq = 2",
        "DELETE FROM payload WHERE log = 'ledger' AND seq = 0",
        "DELETE FROM leaf WHERE log = 'decisions/main' AND seq = 1",
        "INSERT INTO payload VALUES ('ledger', 1, 'grant', zeroblob(32), x'00')",
        "INSERT INTO payload VALUES ('ledger', 99, 'event', zeroblob(32), x'00')",
        "INSERT INTO leaf SELECT 'another', seq, bytes FROM leaf WHERE log = 'ledger' AND seq = 1",
        "INSERT INTO leaf SELECT log, -1, bytes FROM leaf WHERE log = 'ledger' AND seq = 1",
    ];
    for change in changes {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        begun(&data).await;
        alter(&data, change);
        let (store, folds) = open(&data, ONCE);
        assert_eq!(folds.read(), 4, "{change}");
        let why = folds.why_doubted().await;
        assert!(why.contains("is not what was signed"), "{change}: {why}");
        assert_eq!(*folds.verified.lock().unwrap(), Some(Verified::Tail), "{change}");
        until("it is taken away", async || (!file(&data).exists()).then_some(())).await;
        drop(store);
        assert_eq!(opened(&data), Some("log_tampered"), "{change}");
        assert!(!file(&data).exists());
    }
}

#[tokio::test]
async fn r9_what_was_altered_behind_the_snapshot_is_refused_before_the_gate_is_ready() {
    let changes = [
        "UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), 'ledger_5', 'ledger_x') AS BLOB) WHERE seq = 5",
        "UPDATE payload SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log = 'decisions/main' AND seq = 4",
        "UPDATE payload SET bytes = x'', salt = x'' WHERE log = 'ledger' AND seq = 4",
        "DELETE FROM leaf WHERE log = 'ledger' AND seq = 4",
        "DELETE FROM leaf WHERE seq = 5; DELETE FROM payload WHERE seq = 5; DELETE FROM head WHERE size = 6",
        "INSERT INTO leaf SELECT log, 6, bytes FROM leaf WHERE log = 'ledger' AND seq = 5",
        "UPDATE head SET note = replace(note, '6', '7') WHERE size = 6 AND log = 'ledger'",
        "DELETE FROM head WHERE size > 4",
    ];
    for change in changes {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        begun(&data).await;
        alter(&data, change);
        assert_eq!(opened(&data), Some("log_tampered"), "{change}");
    }
}

#[tokio::test]
async fn r9_a_head_that_was_seen_and_is_not_this_records_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    // Signed with the gate's own key, and of another record of that length: shorter than the snapshot, and longer.
    let keys = Keys::read(&data).unwrap();
    for size in [2, 6] {
        let note = keys.sign_head(Log::Ledger, size, audit_verify::TreeHash::over(&[b"another"]));
        std::fs::write(data.join("heads/ledger"), note).unwrap();
        assert_eq!(opened(&data), Some("log_tampered"), "{size}");
    }
}

#[tokio::test]
async fn r9_what_was_believed_and_does_not_follow_from_the_record_is_doubted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    // Under the gate's own code: as a release would write it that folds otherwise, or somebody on the gate's host.
    let (keys, bytes) = (Keys::read(&data).unwrap(), std::fs::read(file(&data)).unwrap());
    let opened = sealed::open(&keys, &bytes).unwrap();
    let logs = opened.logs(&keys).unwrap();
    let form = format!("{}\nlater", String::from_utf8(opened.form.to_vec()).unwrap().replace("ledger_2", "granted_2"));
    let other = seal(&keys, &opened.cuts, &logs, form.as_bytes()).unwrap();
    std::fs::write(file(&data), other.bytes).unwrap();
    let (store, folds) = open(&data, ONCE);
    assert!(folds.kinds().contains(&"granted_2".to_owned()), "it is believed until it was looked at");
    let why = folds.why_doubted().await;
    assert!(why.contains("is not what follows from it"), "{why}");
    until("it is taken away", async || (!file(&data).exists()).then_some(())).await;
    drop(store);
    let (_, folds) = open(&data, ONCE);
    assert_eq!(sorted(folds.kinds()), sorted(all(6)), "the next start reads the record");
}

#[tokio::test]
async fn r9_what_was_altered_while_the_gate_ran_is_found_by_the_next_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let (store, folds) = open(&data, SnapshotRule { every: 8, ..RULE });
    folds.whole().await;
    alter(&data, "UPDATE payload SET bytes = CAST(bytes || x'20' AS BLOB) WHERE log = 'ledger' AND seq = 5");
    append(&store, 6, 3).await;
    assert!(folds.why_doubted().await.contains("record 5"));
}

#[tokio::test]
async fn r9_a_row_that_can_never_be_read_again_is_doubted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    alter(&data, "UPDATE payload SET name = CAST(x'ff' AS TEXT) WHERE log = 'ledger' AND seq = 1");
    let (_store, folds) = open(&data, RULE);
    assert!(folds.why_doubted().await.contains("cannot be read"));
    assert_eq!(*folds.verified.lock().unwrap(), Some(Verified::Tail));
    until("it is taken away", async || (!file(&data).exists()).then_some(())).await;
}
