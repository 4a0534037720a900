//! A snapshot names heads that were signed: a record that does not lead to them was cut, or is another one.

use super::*;
use crate::store::backup::{self, Restore, RestoreMark};
use crate::store::verify::{audited, each_record};

/// The database and the heads beside it: what somebody puts back who has a copy of them.
fn put_back(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("heads")).unwrap();
    assert!(!to.join(format!("{FILE}-wal")).exists(), "nobody has it open");
    std::fs::copy(from.join(FILE), to.join(FILE)).unwrap();
    for entry in std::fs::read_dir(from.join("heads")).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join("heads").join(entry.file_name())).unwrap();
    }
}

/// A folder with eight pairs, whose snapshot is of all of them; and a copy of its database as of six.
async fn ahead(folder: &Path) -> std::path::PathBuf {
    let (data, old) = (folder.join("data"), folder.join("old"));
    begun(&data).await;
    put_back(&data, &old);
    let (store, _) = open(&data, ONCE);
    append(&store, 6, 2).await;
    drop(store);
    std::fs::remove_file(file(&data)).unwrap();
    drop(open(&data, ONCE));
    assert_eq!(open(&data, ONCE).1.read(), 0, "it covers all");
    data
}

#[tokio::test]
async fn r9_a_record_that_was_put_back_with_its_own_old_heads_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = ahead(folder.path()).await;
    put_back(&folder.path().join("old"), &data);
    for _ in 0..2 {
        let refused = try_open(&data, ONCE).err().unwrap();
        assert_eq!(refused.code(), "log_tampered");
        assert!(refused.to_string().contains("a head over 8 records was signed"), "{refused}");
        assert!(file(&data).exists(), "it is what shows that the record was cut");
    }
    // Who looks at the folder hears the same, and who goes on without a snapshot as well.
    assert_eq!(audited(&data).err(), Some("log_tampered"));
    assert_eq!(each_record(&data, &mut |_| Ok(())).unwrap_err().code(), "log_tampered");
    let (lock, keys) = (DataFolder::open(&data, DataKind::Gate).unwrap(), Arc::new(Keys::read(&data).unwrap()));
    let read = SqliteStore::open(lock, keys, Arc::new(SystemRandom), Arc::new(Folds::default()));
    assert_eq!(read.err().map(|error| error.code()), Some("log_tampered"));
    // Where the heads and the database are gone altogether, it does not begin anew.
    std::fs::remove_dir_all(data.join("heads")).unwrap();
    std::fs::remove_file(data.join(FILE)).unwrap();
    assert_eq!(opened(&data), Some("log_tampered"));
}

#[tokio::test]
async fn r9_so_is_another_record_of_the_same_length_and_a_log_that_was_cut_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let data = ahead(folder.path()).await;
    let snapshot = std::fs::read(file(&data)).unwrap();
    // The same gate went on from the old state, in another way.
    put_back(&folder.path().join("old"), &data);
    std::fs::remove_file(file(&data)).unwrap();
    let (store, _) = open(&data, SnapshotRule { least: u64::MAX, ..ONCE });
    append(&store, 70, 3).await;
    drop(store);
    std::fs::write(file(&data), &snapshot).unwrap();
    let refused = try_open(&data, ONCE).err().unwrap();
    assert!(refused.to_string().contains("forked"), "{refused}");

    let other = tempfile::tempdir().unwrap();
    let data = ahead(other.path()).await;
    let cut = "DROP TRIGGER leaf_no_delete; DROP TRIGGER payload_no_delete; DROP TRIGGER head_no_delete;
        DELETE FROM head WHERE size > 6; DELETE FROM leaf WHERE seq > 5; DELETE FROM payload WHERE seq > 5";
    Connection::open(data.join(FILE)).unwrap().execute_batch(cut).unwrap();
    std::fs::remove_dir_all(data.join("heads")).unwrap();
    assert_eq!(opened(&data), Some("log_tampered"));
}

#[tokio::test]
async fn r9_also_by_one_that_is_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let data = ahead(folder.path()).await;
    put_back(&folder.path().join("old"), &data);
    let bytes = std::fs::read(file(&data)).unwrap();
    let build = env!("PROVISO_SOURCES");
    let at = bytes.windows(build.len()).position(|window| window == build.as_bytes()).unwrap();
    let mut other = bytes.clone();
    other[at] = b'9';
    for (why, bytes) in [("another build's", other), ("torn", bytes[..bytes.len() - 40].to_vec())] {
        std::fs::write(file(&data), bytes).unwrap();
        assert_eq!(opened(&data), Some("log_tampered"), "{why}");
    }
    // What no key of this gate signed says nothing.
    let at = bytes.windows(4).position(|window| window == b"\\n8\\").unwrap();
    let mut unsigned = bytes;
    unsigned[at + 2] = b'9';
    std::fs::write(file(&data), unsigned).unwrap();
    assert_eq!(opened(&data), Some("log_tampered"), "the other log's head is still signed");
    std::fs::write(file(&data), "proviso snapshot 1\n").unwrap();
    assert_eq!(open(&data, ONCE).1.read(), 12);
}

#[tokio::test]
async fn an_operator_restores_such_a_record_by_an_act_that_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let data = ahead(folder.path()).await;
    put_back(&folder.path().join("old"), &data);
    assert_eq!(opened(&data), Some("log_tampered"));
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    backup::write(&data, &backup, &mut |_| {}).unwrap();
    let mark = RestoreMark {
        id: "restore_1".to_owned(),
        by: "root".to_owned(),
        reason: "the disk broke".to_owned(),
        at: Timestamp::from_millis(9_000),
        seen: Vec::new(),
    };
    backup::restore(Restore { from: &backup, data: &restored, mark: &mark }, &mut |_| {}).unwrap();
    assert!(!file(&restored).exists());
    let (_store, folds) = open(&restored, ONCE);
    assert_eq!((folds.read(), sorted(folds.kinds())), (12, sorted(all(6))));
}
