//! A snapshot that does not fit is no error: everything is read, as if there were none.

use super::*;
use crate::store::sqlite::snapshot::sealed::{self, Unfit};

/// Opens a folder whose snapshot is not gone on from, and is one that fits afterwards.
fn read_whole(data: &Path, why: &str) {
    let (store, folds) = open(data, ONCE);
    assert_eq!(folds.read(), 12, "{why}");
    assert_eq!(sorted(folds.kinds()), sorted(all(6)), "{why}");
    assert_eq!(*folds.verified.lock().unwrap(), Some(Verified::Whole), "{why}");
    drop(store);
    let (_store, folds) = open(data, ONCE);
    assert_eq!(folds.read(), 0, "{why}: another one was written");
}

#[tokio::test]
async fn r9_an_altered_byte_anywhere_is_noticed_before_anything_of_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let (keys, bytes) = (Keys::read(&data).unwrap(), std::fs::read(file(&data)).unwrap());
    assert!(sealed::open(&keys, &bytes).is_ok());
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert!(matches!(sealed::open(&keys, &other).err(), Some(Unfit::Foreign | Unfit::Shape)), "{at}");
        assert!(sealed::open(&keys, &bytes[..at]).is_err(), "cut at {at}");
    }
    for (why, bytes) in [
        ("a byte", [&bytes[..bytes.len() / 2], b"x", &bytes[bytes.len() / 2 + 1..]].concat()),
        ("torn", bytes[..bytes.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("longer", [bytes.as_slice(), b"x"].concat()),
        ("something else", b"not a snapshot".to_vec()),
    ] {
        std::fs::write(file(&data), bytes).unwrap();
        read_whole(&data, why);
    }
}

#[tokio::test]
async fn a_writing_that_was_cut_short_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let beside = data.join("record.snapshot.new");
    std::fs::write(&beside, "half of").unwrap();
    let (_store, folds) = open(&data, ONCE);
    assert_eq!((folds.read(), beside.exists()), (4, false));
}

#[tokio::test]
async fn r9_another_gates_is_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    begun(&data).await;
    begun(&other).await;
    std::fs::copy(file(&other), file(&data)).unwrap();
    read_whole(&data, "another gate's");
}

#[tokio::test]
async fn one_of_another_build_is_not_gone_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let (keys, bytes) = (Keys::read(&data).unwrap(), std::fs::read(file(&data)).unwrap());
    let build = env!("PROVISO_SOURCES");
    let at = bytes.windows(build.len()).position(|window| window == build.as_bytes()).unwrap();
    let mut other = bytes[..bytes.len() - 32].to_vec();
    other[at] = b'9';
    let code = keys.code(b"proviso-snapshot-v1\0", &other);
    other.extend(code.as_bytes());
    assert!(matches!(sealed::open(&keys, &other).err(), Some(Unfit::OtherBuild)));
    std::fs::write(file(&data), other).unwrap();
    read_whole(&data, "another build");
}

#[tokio::test]
async fn r9_what_it_holds_must_be_under_the_heads_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other) = (folder.path().join("data"), folder.path().join("other"));
    begun(&data).await;
    // Signed by another key, though under the code of this gate: its leaves lead to no head of this log.
    let (store, _) = open(&other, ONCE);
    append(&store, 0, 4).await;
    drop(store);
    drop(open(&other, ONCE));
    let foreign = std::fs::read(file(&other)).unwrap();
    let mut bytes = foreign[..foreign.len() - 32].to_vec();
    let keys = Keys::read(&data).unwrap();
    let code = keys.code(b"proviso-snapshot-v1\0", &bytes);
    bytes.extend(code.as_bytes());
    let opened = sealed::open(&keys, &bytes).unwrap();
    assert!(matches!(opened.logs(&keys).err(), Some(Unfit::OtherHead(Log::Ledger))));
    std::fs::write(file(&data), &bytes).unwrap();
    read_whole(&data, "another log");
}

#[tokio::test]
async fn an_older_one_is_gone_on_from_and_what_came_behind_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let old = std::fs::read(file(&data)).unwrap();
    let (store, _) = open(&data, ONCE);
    store.append(Vec::new(), vec![new(Log::Ledger, "grant_revoked")]).await.unwrap();
    drop(store);
    std::fs::remove_file(file(&data)).unwrap();
    drop(open(&data, ONCE));
    assert_ne!(std::fs::read(file(&data)).unwrap(), old);
    std::fs::write(file(&data), old).unwrap();
    let (_store, folds) = open(&data, ONCE);
    assert_eq!(folds.read(), 5);
    assert!(folds.kinds().contains(&"grant_revoked".to_owned()));
    folds.whole().await;
}

#[tokio::test]
async fn without_the_gates_keys_it_does_not_start_as_without_a_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    std::fs::remove_file(data.join("keys/mac.key")).unwrap();
    assert_eq!(opened(&data), Some("file_unusable"));
}

#[tokio::test]
async fn a_backup_holds_none() {
    let folder = tempfile::tempdir().unwrap();
    let (data, to) = (folder.path().join("data"), folder.path().join("backup"));
    begun(&data).await;
    crate::store::backup::write(&data, &to, &mut |_| {}).unwrap();
    assert!(to.join(FILE).exists() && !file(&to).exists());
}
