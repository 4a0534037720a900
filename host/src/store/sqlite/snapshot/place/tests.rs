use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn what_was_begun_before_it_was_taken_away_is_not_put_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    let path = folder.path().join(NAME);
    assert_eq!(place.read().unwrap(), None);
    let begun = place.turn();
    assert!(place.put(b"one", begun).unwrap());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(place.read().unwrap().as_deref(), Some(b"one".as_slice()));
    place.remove().unwrap();
    assert!(!path.exists());
    assert!(!place.put(b"two", begun).unwrap(), "it holds what was there before");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nor is it beside its place");
    assert!(place.put(b"three", place.turn()).unwrap());
}

#[test]
fn what_is_being_written_while_one_is_taken_away_is_overwritten_by_who_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    let begun = place.turn();
    place.turns().is_written = true;
    let beside = whole_file::write_beside(&folder.path().join(NAME), b"words").unwrap();
    let other = folder.path().join("other");
    fs::hard_link(&beside, &other).unwrap();
    place.remove().unwrap();
    assert!(beside.exists(), "whoever writes it goes on writing into it");
    assert!(!place.put(b"words", begun).unwrap());
    assert!(!beside.exists() && !place.turns().is_written);
    place.remove().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_taken_away_was_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    let words = b"the words that nobody is to read any more".repeat(5_000);
    place.put(&words, place.turn()).unwrap();
    // Another name of the same bytes on the disk.
    let other = folder.path().join("other");
    fs::hard_link(folder.path().join(NAME), &other).unwrap();
    place.remove().unwrap();
    let left = fs::read(other).unwrap();
    assert!(left.len() == words.len() && left.iter().all(|byte| *byte == 0));
}

#[test]
fn what_a_writing_left_is_cleared_and_what_it_would_have_replaced_stays() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    place.put(b"one", place.turn()).unwrap();
    whole_file::write_beside(&folder.path().join(NAME), b"tw").unwrap();
    place.clear().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(place.read().unwrap().as_deref(), Some(b"one".as_slice()));
}

#[test]
fn what_cannot_be_set_aside_stays_and_what_was_begun_before_is_still_not_put_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    let begun = place.turn();
    place.put(b"one", begun).unwrap();
    fs::create_dir(folder.path().join("record.snapshot.gone-1")).unwrap();
    assert!(place.set_aside().is_err());
    assert_eq!(place.read().unwrap().as_deref(), Some(b"one".as_slice()));
    assert!(!place.put(b"two", begun).unwrap());
    fs::remove_dir(folder.path().join("record.snapshot.gone-1")).unwrap();
    place.remove().unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn two_that_are_set_aside_one_after_the_other_are_both_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    let mut gone = Vec::new();
    for words in [b"one", b"two"] {
        place.put(words, place.turn()).unwrap();
        fs::hard_link(folder.path().join(NAME), folder.path().join(format!("other-{}", gone.len()))).unwrap();
        gone.push(place.set_aside().unwrap());
    }
    gone.into_iter().rev().for_each(|gone| place.overwrite(gone).unwrap());
    for number in 0..2 {
        assert_eq!(fs::read(folder.path().join(format!("other-{number}"))).unwrap(), [0; 3]);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn what_is_said_of_one_that_is_gone_on_from_is_there_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path());
    assert!(!place.is_begun());
    place.end().unwrap();
    for _ in 0..2 {
        place.begin().unwrap();
        assert!(place.is_begun() && Place::of(folder.path()).is_begun());
    }
    place.end().unwrap();
    assert!(!place.is_begun());
}
