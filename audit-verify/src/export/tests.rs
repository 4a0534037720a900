//! A record that is written into a folder, and read from there.

use std::fs;
use std::path::Path;

use super::*;
use crate::log::Trust;
use crate::run::{Report, verify};
use crate::testing::{Record, story};

/// A record of more than one tile.
fn long() -> Record {
    let mut record = Record::new(1);
    for (kind, event) in story() {
        record.event(&kind, &event);
    }
    let other = serde_json::json!({"gate": {"kind": "gate_started"}});
    (0..300).for_each(|_| drop(record.event("gate_started", &other)));
    record.head();
    record
}

fn exported(record: &Record, folder: &Path) {
    write(record, &[record.verifier()], folder, &mut |_| {}).unwrap();
}

fn check(folder: &Path) -> Result<Report, (&'static str, u64)> {
    let export = Export::new(folder);
    let trust = Trust { keys: export.keys().unwrap(), complete: true };
    verify(&export, &trust, &[], &mut |_| {}).map_err(|fault| (fault.code(), fault.seq))
}

#[test]
fn an_export_is_as_good_as_the_record() {
    let (record, folder) = (long(), tempfile::tempdir().unwrap());
    exported(&record, folder.path());
    assert_eq!(check(folder.path()), Ok(verify(&record, &record.trust(), &[], &mut |_| {}).unwrap()));
    for path in ["tile/0/000", "tile/0/001.p/53", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/53"] {
        assert!(folder.path().join("ledger").join(path).is_file(), "{path}");
    }
    assert!(folder.path().join("ledger/payloads/001.jsonl").is_file());
}

#[test]
fn a_part_of_a_tile_is_read_from_the_full_one_where_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    exported(&long(), folder.path());
    let (earlier, log) = (tempfile::tempdir().unwrap(), folder.path().join("ledger"));
    let mut short = Record::new(1);
    story().iter().for_each(|(kind, event)| drop(short.event(kind, event)));
    short.head();
    exported(&short, earlier.path());
    // The head of before, beside tiles that have filled up since.
    fs::copy(earlier.path().join("ledger/checkpoint"), log.join("checkpoint")).unwrap();
    assert_eq!(check(folder.path()).map(|report| (report.logs[0].records, report.grants)), Ok((9, 1)));
    fs::write(log.join("tile/0/000"), [0; 8192]).unwrap();
    assert_eq!(check(folder.path()), Err(("record_altered", 0)));
}

#[test]
fn an_empty_log_is_no_fault() {
    let (record, folder) = (Record::new(1), tempfile::tempdir().unwrap());
    exported(&record, folder.path());
    assert_eq!(check(folder.path()).map(|report| report.logs[0].records), Ok(0));
}

/// What somebody does to the files.
type Change = fn(&Path);

#[test]
fn whatever_is_done_to_the_files_is_found_and_the_record_named() {
    fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    }
    fn replace(path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }
    let changes: [(&str, Change, (&str, u64)); 12] = [
        (
            "a byte of a record",
            |log| rewrite(&log.join("tile/entries/001.p/53"), |b| b[40] ^= 1),
            ("record_altered", 256),
        ),
        ("a byte of a hash", |log| rewrite(&log.join("tile/0/001.p/53"), |b| b[32] ^= 1), ("record_altered", 257)),
        ("a cut tile", |log| rewrite(&log.join("tile/entries/000"), |b| b.truncate(700)), ("no_leaf", 0)),
        ("a tile taken out", |log| fs::remove_file(log.join("tile/entries/000")).unwrap(), ("record_missing", 0)),
        (
            "tiles swapped",
            |log| {
                fs::rename(log.join("tile/entries/001.p/53"), log.join("tile/entries/000")).unwrap();
            },
            ("record_missing", 53),
        ),
        ("a payload altered", |log| replace(&log.join("payloads/000.jsonl"), "mara", "vera"), ("payload_altered", 2)),
        (
            "a payload taken out",
            |log| {
                let path = log.join("payloads/000.jsonl");
                let text = fs::read_to_string(&path).unwrap();
                let lines: Vec<&str> =
                    text.lines().enumerate().filter(|(n, _)| *n != 4).map(|(_, line)| line).collect();
                fs::write(path, lines.join("\n")).unwrap();
            },
            ("payload_missing", 4),
        ),
        (
            "payloads out of order",
            |log| {
                let path = log.join("payloads/000.jsonl");
                let text = fs::read_to_string(&path).unwrap();
                let mut lines: Vec<&str> = text.lines().collect();
                lines.swap(1, 2);
                fs::write(path, lines.join("\n")).unwrap();
            },
            ("payload_missing", 1),
        ),
        ("no payloads", |log| fs::remove_file(log.join("payloads/000.jsonl")).unwrap(), ("payload_missing", 0)),
        ("a head over fewer", |log| replace(&log.join("checkpoint"), "\n309\n", "\n256\n"), ("head_not_signed", 255)),
        ("a head over more", |log| replace(&log.join("checkpoint"), "\n309\n", "\n310\n"), ("record_missing", 256)),
        ("no head", |log| fs::remove_file(log.join("checkpoint")).unwrap(), ("use_missing", 0)),
    ];
    for (what, change, found) in changes {
        let (record, folder) = (long(), tempfile::tempdir().unwrap());
        exported(&record, folder.path());
        change(&folder.path().join("ledger"));
        // Without its head a ledger claims nothing; what was decided by it still does.
        assert_eq!(check(folder.path()).map(drop), Err(found), "{what}");
    }
}

#[test]
fn a_list_of_logs_leads_nowhere_else() {
    for name in ["../ledger", "/etc", "a//b", "", "A"] {
        let folder = tempfile::tempdir().unwrap();
        exported(&long(), folder.path());
        fs::write(folder.path().join(LOGS), format!("{name}\n")).unwrap();
        assert_eq!(check(folder.path()), Err(("record_unreadable", 0)), "{name}");
    }
}
