//! A snapshot that was gone on from, and of which no end was found to be what the record says, is not gone on from again.

use super::*;
use crate::store::sqlite::snapshot::{seal, sealed};

fn mark(data: &Path) -> std::path::PathBuf {
    data.join("record.snapshot.begun")
}

/// Opens a folder whose start does not go on from what lies there.
fn read_whole(data: &Path, why: &str) {
    let (store, folds) = open(data, ONCE);
    assert_eq!((folds.read(), sorted(folds.kinds())), (12, sorted(all(6))), "{why}");
    assert_eq!(*folds.verified.lock().unwrap(), Some(Verified::Whole), "{why}");
    drop(store);
    assert!(!mark(data).exists(), "{why}");
    assert_eq!(open(data, ONCE).1.read(), 0, "{why}: another one was written");
}

/// Writes a snapshot that this gate sealed, and that does not say what follows from the record.
fn other_form(data: &Path) {
    let (keys, bytes) = (Keys::read(data).unwrap(), std::fs::read(file(data)).unwrap());
    let opened = sealed::open(&keys, &bytes).unwrap();
    let logs = opened.logs(&keys).unwrap();
    let form = String::from_utf8(opened.form.to_vec()).unwrap().replace("ledger_2", "granted_2");
    let other = seal(&keys, &opened.cuts, &logs, form.as_bytes()).unwrap();
    std::fs::write(file(data), other.bytes).unwrap();
}

#[tokio::test]
async fn r9_one_that_was_doubted_and_cannot_be_taken_away_is_gone_on_from_by_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    other_form(&data);
    // Whatever it is to be renamed to, somebody has made a folder of.
    let aside = data.join("record.snapshot.gone-1");
    let in_the_way = aside.clone();
    let happens: Box<dyn FnOnce() + Send> = Box::new(move || std::fs::create_dir(in_the_way).unwrap());
    let (store, folds) =
        try_open_by(&data, ONCE, Folds { at_doubt: Mutex::new(Some(happens)), ..Folds::default() }).unwrap();
    assert!(folds.kinds().contains(&"granted_2".to_owned()), "it is believed until it was looked at");
    assert!(folds.why_doubted().await.contains("is not what follows from it"));
    drop(store);
    assert!(file(&data).exists() && mark(&data).exists());
    std::fs::remove_dir(&aside).unwrap();
    read_whole(&data, "doubted");
}

#[tokio::test]
async fn r9_so_is_one_whose_start_was_cut_short_before_the_rest_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let (store, folds) = open(&data, ONCE);
    assert_eq!(folds.read(), 4);
    folds.whole().await;
    drop(store);
    assert!(!mark(&data).exists(), "all of it has verified");
    // As a process leaves it that is killed.
    std::fs::write(mark(&data), "").unwrap();
    read_whole(&data, "killed");
    // And where what says so cannot be taken away.
    std::fs::remove_file(file(&data)).unwrap();
    std::fs::create_dir(mark(&data)).unwrap();
    drop(open(&data, ONCE));
    assert_eq!(open(&data, ONCE).1.read(), 12);
    std::fs::remove_dir(mark(&data)).unwrap();
}

#[tokio::test]
async fn r9_one_of_which_it_cannot_be_said_that_it_is_gone_on_from_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    // Nobody can write there.
    std::os::unix::fs::symlink(data.join("not/there"), mark(&data)).unwrap();
    let (_store, folds) = open(&data, ONCE);
    assert_eq!(folds.read(), 12);
}

#[tokio::test]
async fn r9_a_reading_that_panics_is_a_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    begun(&data).await;
    let (store, folds) = try_open_by(&data, ONCE, Folds { panics: true, ..Folds::default() }).unwrap();
    assert_eq!(folds.read(), 4);
    assert!(folds.why_doubted().await.contains("panicked"));
    assert_eq!(*folds.verified.lock().unwrap(), Some(Verified::Tail));
    until("it is taken away", async || (!file(&data).exists()).then_some(())).await;
    assert!(store.shared.unread.load(Ordering::Acquire), "and nothing is erased");
    drop(store);
    read_whole(&data, "panicked");
}
