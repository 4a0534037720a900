//! What is erased and said, what is erased and not said, and what is said and not erased.

use serde_json::{Value, json};

use super::*;
use crate::run::{Report, verify};
use crate::source::{Each, LogSize, Source, StoredPayload};
use crate::testing::{Record, story};

/// The story, one event of the gate, and the record of an erasure.
fn erased(seqs: std::ops::RangeInclusive<u64>, said: &Value) -> Record {
    let mut record = Record::new(1);
    for (kind, event) in story() {
        record.event(&kind, &event);
    }
    record.event("gate_started", &json!({"gate": {"kind": "gate_started"}}));
    record.event(PAYLOADS_ERASED, &json!({"gate": {"kind": PAYLOADS_ERASED, "erased": said}}));
    record.head();
    for seq in seqs {
        record.change(seq, |stored| stored.payloads = vec![StoredPayload::erased("event")]);
    }
    record
}

fn said(ranges: &[(u64, u64)], payloads: u64) -> Value {
    json!([{"log": "ledger", "name": "event", "ranges": ranges, "payloads": payloads}])
}

fn check(record: &Record) -> Result<Report, (&'static str, u64)> {
    verify(record, &record.trust(), &[], &mut |_| {}).map_err(|fault| (fault.code(), fault.seq))
}

#[test]
fn what_was_erased_and_said_verifies_and_what_is_lost_is_told_in_numbers() {
    let report = check(&erased(0..=8, &said(&[(0, 8)], 9))).unwrap();
    assert_eq!((report.grants, report.votes, report.uses), (0, 0, 0));
    let lost = &report.erased;
    assert_eq!((lost.payloads, lost.grants, lost.votes, lost.uses), (9, 1, 2, 2));
    assert_eq!(lost.returned, None);
    // In two ranges, by one record, it is the same.
    assert_eq!(check(&erased(0..=8, &said(&[(0, 4), (5, 8)], 9))).unwrap().erased, report.erased);
}

#[test]
fn what_was_erased_and_not_said_is_a_fault() {
    for (what, seqs, words, found) in [
        ("no record says so", 0..=8, json!([]), ("erasure_unrecorded", 0)),
        ("the record says less", 0..=8, said(&[(0, 7)], 8), ("erasure_unrecorded", 8)),
        (
            "of another name",
            9..=9,
            json!([{"log": "ledger", "name": "x", "ranges": [[9, 9]], "payloads": 1}]),
            ("erasure_unrecorded", 9),
        ),
        (
            "of another log",
            9..=9,
            json!([{"log": "other", "name": "event", "ranges": [[9, 9]], "payloads": 1}]),
            ("erasure_unrecorded", 9),
        ),
        ("half of what hangs together", 0..=3, said(&[(0, 3)], 4), ("event_out_of_order", 4)),
        ("more payloads than there are", 9..=9, said(&[(9, 9)], 2), ("erasure_unfit", 10)),
        ("what comes after it", 9..=9, said(&[(9, 10)], 1), ("erasure_unfit", 10)),
        ("one payload twice", 9..=9, said(&[(9, 9), (9, 9)], 2), ("erasure_unfit", 10)),
        ("a range that is none", 9..=9, said(&[(9, 8)], 1), ("erasure_unfit", 10)),
    ] {
        assert_eq!(check(&erased(seqs, &words)).err(), Some(found), "{what}");
    }
    // The record that says so cannot take itself out of the record.
    let record = erased(9..=9, &said(&[(9, 9)], 1));
    record.change(10, |stored| stored.payloads = vec![StoredPayload::erased("event")]);
    assert_eq!(check(&record).err(), Some(("erasure_unrecorded", 9)));
}

#[test]
fn what_is_said_and_there_again_is_told_with_the_first_of_it() {
    let record = erased(0..=8, &said(&[(0, 9)], 10));
    let returned = check(&record).unwrap().erased.returned.unwrap();
    assert_eq!((returned.payloads, returned.log.as_str(), returned.seq), (1, "ledger", 9));
    // What is there again must be what was written, all the same.
    record.change(9, |stored| stored.payloads = vec![StoredPayload::new("event", vec![7; 32], b"{}".to_vec())]);
    assert_eq!(check(&record).err(), Some(("payload_altered", 9)));
}

/// A copy that goes on while it is read: of its first look nothing says yet that something was erased.
struct GoesOn {
    first: Record,
    then: Record,
    was_read: std::cell::Cell<bool>,
    has_grown: std::cell::Cell<bool>,
    grows: bool,
}

impl GoesOn {
    fn of(grows: bool) -> Self {
        let (first, then) = (erased(0..=8, &json!([])), erased(0..=8, &said(&[(0, 8)], 9)));
        Self { first, then, was_read: false.into(), has_grown: false.into(), grows }
    }

    fn now(&self) -> &Record {
        if self.has_grown.get() { &self.then } else { &self.first }
    }

    fn check(&self) -> Result<Report, (&'static str, u64)> {
        verify(self, &self.first.trust(), &[], &mut |_| {}).map_err(|fault| (fault.code(), fault.seq))
    }
}

impl Source for GoesOn {
    fn logs(&self) -> Result<Vec<LogSize>, Fault> {
        self.has_grown.set(self.was_read.get() && self.grows);
        let mut sizes = self.now().logs()?;
        sizes.iter_mut().for_each(|size| size.records += u64::from(self.has_grown.get()));
        Ok(sizes)
    }

    fn read(&self, log: &str, each: Each<'_>) -> Result<(), Fault> {
        self.was_read.set(true);
        self.now().read(log, each)
    }

    fn page(&self, log: &str, from: u64) -> Result<Vec<StoredRecord>, Fault> {
        self.now().page(log, from)
    }
}

#[test]
fn a_copy_that_goes_on_while_it_is_read_is_read_again_and_one_that_does_not_is_not_believed() {
    assert_eq!(GoesOn::of(true).check().unwrap().erased.payloads, 9);
    assert_eq!(GoesOn::of(false).check().map(drop), Err(("erasure_unrecorded", 0)));
}
