//! What the check finds, each with the first bad record.

use serde_json::{Value, json};

use super::*;
use crate::fault::FaultKind;
use crate::source::StoredRecord;
use crate::testing::{Record, of, record, story};

pub(super) fn check(record: &Record, held: &[String]) -> Result<Report, (&'static str, u64)> {
    verify(record, &record.trust(), held, &mut |_| {}).map_err(|fault| (fault.code(), fault.seq))
}

#[test]
fn a_record_that_is_whole_is_told_in_numbers() {
    let record = record(&story());
    let mut seen = Vec::new();
    let report = verify(&record, &record.trust(), &[], &mut |at| seen.push((at.done, at.of))).unwrap();
    assert_eq!((report.grants, report.votes, report.uses, report.decisions), (1, 2, 2, 2));
    assert_eq!((report.logs[0].records, report.logs[1].records, report.groups_not_recorded), (9, 2, 0));
    assert_eq!((seen.len(), seen.get(8), seen.last()), (11, Some(&(9, 9)), Some(&(2, 2))));
    assert!(report.logs[0].head.is_some());
}

/// What somebody does to a record that was written.
type Change = fn(&Record);

#[test]
fn whatever_was_changed_is_found_and_the_record_named() {
    let changes: [(&str, Change, (&str, u64)); 10] = [
        ("a byte of a leaf", |record| record.change(3, |r| flip(r, "\"test\"", "\"tesT\"")), ("records_altered", 0)),
        ("a leaf that is none", |record| record.change(3, |r| r.bytes[0] = b'!'), ("no_leaf", 3)),
        ("a byte of a payload", |record| record.change(3, |r| content(r).bytes[9] ^= 1), ("payload_altered", 3)),
        ("a payload's salt", |record| record.change(3, |r| content(r).salt[0] ^= 1), ("payload_altered", 3)),
        ("a payload taken out", |record| record.change(3, |r| r.payloads.clear()), ("payload_missing", 3)),
        ("a record taken out", |record| drop(record.entries.borrow_mut().remove(3)), ("record_missing", 3)),
        ("two records swapped", |record| record.entries.borrow_mut().swap(3, 4), ("record_missing", 3)),
        (
            "a record twice",
            |record| {
                let mut entries = record.entries.borrow_mut();
                let again = entries[3].clone();
                entries.insert(3, again);
            },
            ("record_missing", 4),
        ),
        ("the tail cut", |record| drop(record.entries.borrow_mut().remove(8)), ("log_cut", 8)),
        ("the head taken out", |record| drop(record.entries.borrow_mut().pop()), ("head_missing", 0)),
    ];
    for (what, change, found) in changes {
        let record = record(&story());
        change(&record);
        assert_eq!(check(&record, &[]), Err(found), "{what}");
    }
}

fn content(record: &mut StoredRecord) -> &mut crate::source::Content {
    record.payloads[0].content.as_mut().unwrap()
}

fn flip(record: &mut StoredRecord, from: &str, to: &str) {
    record.bytes = String::from_utf8(record.bytes.clone()).unwrap().replace(from, to).into_bytes();
}

#[test]
fn records_behind_the_last_head_and_heads_of_others_are_not_believed() {
    let mut longer = record(&story());
    longer.event("gate_started", &json!({"gate": {"kind": "gate_started"}}));
    assert_eq!(check(&longer, &[]), Err(("head_missing", 9)));
    // Whoever can write rows, but not sign.
    let mut forged = Record::new(2);
    story().iter().for_each(|(kind, event)| drop(forged.event(kind, event)));
    forged.head();
    let trust = record(&story()).trust();
    let fault = verify(&forged, &trust, &[], &mut |_| {}).unwrap_err();
    assert_eq!(fault.code(), "head_not_signed");
    // By somebody who knows only some of the keys, such a head says nothing, and then nothing covers the records.
    let partly = Trust { complete: false, ..trust };
    assert_eq!(verify(&forged, &partly, &[], &mut |_| {}).unwrap_err().code(), "head_missing");
}

#[test]
fn an_older_head_must_be_a_beginning_of_the_record() {
    let (mut whole, mut other) = (Record::new(1), Record::new(1));
    let mut held = Vec::new();
    let events = story();
    for (place, (kind, event)) in events.iter().enumerate() {
        whole.event(kind, event);
        held.push(whole.head());
        // A gate that tells somebody else another story, from the fourth record on.
        other.event(kind, if place < 3 { event } else { &events[2].1 });
    }
    other.head();
    assert!(check(&whole, &held).is_ok());
    let fork = |head: &String| verify(&other, &other.trust(), std::slice::from_ref(head), &mut |_| {});
    assert_eq!(fork(&held[3]).unwrap_err().kind, FaultKind::Forked(4));
    // A record that was restored from a copy is shorter than a head that somebody saw.
    let restored = record(&story()[..5]);
    assert_eq!(check(&restored, &held[..5]).map(|report| report.grants), Ok(1));
    assert_eq!(check(&restored, &held[8..]), Err(("log_cut", 5)));
    // Another gate's head is nothing to hold this one against.
    let mut foreign = Record::new(3);
    foreign.event("gate_started", &json!({"gate": {"kind": "gate_started"}}));
    assert_eq!(check(&whole, &[foreign.head()]).map_err(|(code, _)| code), Err("head_not_signed"));
}

#[test]
fn a_key_takes_over_only_under_a_head_of_the_one_before() {
    let next = Record::new(9);
    let rotated = |key: &Record| json!({"gate": {"kind": "log_key_rotated", "key": key.public(), "by": "root"}});
    let mut good = Record::new(1);
    let first = good.trust();
    good.event("log_key_rotated", &rotated(&next));
    good.head();
    good.sign_with(&next);
    good.event("gate_started", &json!({"gate": {"kind": "gate_started"}}));
    let newest = good.head();
    // Whoever trusts the first key alone comes to trust the next one.
    for complete in [true, false] {
        let trust = Trust { complete, ..first.clone() };
        assert_eq!(verify(&good, &trust, &[], &mut |_| {}).map(|report| report.logs[0].records), Ok(2));
    }
    // A head of the next key that somebody kept, who knows the first alone.
    let partly = Trust { complete: false, ..first.clone() };
    assert!(verify(&good, &partly, &[newest], &mut |_| {}).is_ok());
    // Whoever brings a key of their own, and signs the record that names it with that very key.
    let mut stolen = Record::new(1);
    stolen.event("log_key_rotated", &rotated(&next));
    stolen.sign_with(&next);
    stolen.head();
    let fault = verify(&stolen, &first, &[], &mut |_| {}).unwrap_err();
    assert_eq!(fault.code(), "head_not_signed");
}

/// The event of an exception at this place.
pub(super) fn event(events: &mut [(String, Value)], place: usize) -> &mut Value {
    &mut events[place].1["exception"]["event"]
}

/// What a gate that breaks its rules writes: all of it well signed.
type Lie = fn(&mut Vec<(String, Value)>);

#[test]
fn a_grant_that_its_votes_do_not_add_up_to_is_found() {
    let lies: [(&str, Lie, (&str, u64)); 35] = [
        ("a vote is missing", |e| drop(e.remove(3)), ("grant_not_voted", 3)),
        ("a vote that was taken back", |e| e.insert(4, withdrawn("vera")), ("grant_not_voted", 5)),
        ("one that was taken back before somebody voted", |e| e.insert(3, withdrawn("mara")), ("grant_not_voted", 5)),
        ("nobody's vote is taken back", |e| e.insert(4, withdrawn("zoe")), ("event_out_of_order", 4)),
        ("a vote is taken back from a grant", |e| e.insert(5, withdrawn("vera")), ("event_out_of_order", 5)),
        ("one person votes twice", |e| event(e, 3)["vote"]["person"]["id"] = json!("mara"), ("grant_not_voted", 4)),
        ("the requester votes", |e| event(e, 3)["vote"]["person"]["id"] = json!("ines"), ("grant_not_voted", 4)),
        ("the owner votes", |e| event(e, 3)["vote"]["person"]["id"] = json!("tom"), ("grant_not_voted", 4)),
        ("nobody of a group", |e| event(e, 4)["counted"][1]["groups"] = json!(["finance"]), ("grant_not_voted", 4)),
        ("a group not voted in", |e| event(e, 3)["vote"]["groups"] = json!(["finance"]), ("grant_not_voted", 4)),
        (
            "one counted for both",
            |e| drop(event(e, 4)["counted"].as_array_mut().unwrap().pop()),
            ("grant_not_voted", 4),
        ),
        (
            "one counted twice",
            |e| event(e, 4)["counted"][1] = json!({"person": {"type": "User", "id": "mara"}, "groups": ["finance"]}),
            ("grant_not_voted", 4),
        ),
        (
            "somebody counted who did not vote",
            |e| event(e, 4)["counted"][1]["person"]["id"] = json!("zoe"),
            ("grant_not_voted", 4),
        ),
        (
            "nobody of a group, told by an earlier release",
            |e| {
                event(e, 4)["counted"] = json!([]);
                event(e, 3)["vote"]["groups"] = json!(["finance"]);
            },
            ("grant_not_voted", 4),
        ),
        ("a vote on the older version", |e| event(e, 3)["vote"]["version"] = json!(1), ("grant_not_voted", 4)),
        ("a vote that refuses", |e| event(e, 3)["vote"]["decision"] = json!("refuse"), ("grant_not_voted", 4)),
        ("a late vote", |e| event(e, 3)["vote"]["at"] = json!("2026-11-22T20:00:00.000Z"), ("vote_too_late", 3)),
        ("a late grant", |e| event(e, 4)["at"] = json!("2026-11-22T20:00:00.000Z"), ("grant_not_voted", 4)),
        ("a wider version", |e| event(e, 1)["version"]["scope"]["max_uses"] = json!(9), ("scope_widened", 1)),
        (
            "a wider grant",
            |e| event(e, 4)["grant"]["scope"]["arguments"][0]["path"] = json!("/srv"),
            ("grant_not_voted", 4),
        ),
        (
            "a longer grant",
            |e| event(e, 4)["grant"]["scope"]["not_after"] = json!("2026-11-22T13:02:00.001Z"),
            ("grant_not_voted", 4),
        ),
        ("more uses", |e| event(e, 4)["grant"]["scope"]["max_uses"] = json!(3), ("grant_not_voted", 4)),
        ("a larger budget", |e| event(e, 4)["grant"]["scope"]["budgets"][0]["max"] = json!(11), ("grant_not_voted", 4)),
        (
            "another resource",
            |e| event(e, 4)["grant"]["scope"]["resource"]["is"]["id"] = json!("vault"),
            ("grant_not_voted", 4),
        ),
        ("another subject", |e| event(e, 4)["grant"]["subject"]["id"] = json!("b"), ("grant_not_voted", 4)),
        ("another task", |e| event(e, 4)["grant"]["task"] = json!("u"), ("grant_not_voted", 4)),
        ("another chain", |e| event(e, 4)["grant"]["chain"] = json!([]), ("grant_not_voted", 4)),
        ("another point", |e| event(e, 4)["grant"]["enforcement_point"] = json!("other"), ("grant_not_voted", 4)),
        ("another server", |e| event(e, 4)["grant"]["server"] = json!("other"), ("grant_not_voted", 4)),
        ("a use before it", |e| event(e, 5)["at"] = json!("2026-11-22T12:01:59.999Z"), ("use_not_granted", 5)),
        ("a use at its end", |e| event(e, 6)["at"] = json!("2026-11-22T13:02:00.000Z"), ("use_not_granted", 6)),
        ("a budget passed", |e| event(e, 6)["amounts"] = json!([7]), ("use_not_granted", 6)),
        ("a negative amount", |e| event(e, 6)["amounts"] = json!([-1]), ("use_not_granted", 6)),
        (
            "one use too many",
            |e| {
                let again =
                    json!({"call": "c", "evaluation": "eval_3", "amounts": [0], "at": "2026-11-22T12:30:00.000Z"});
                e.insert(6, of("grant_used", again));
            },
            ("use_not_granted", 7),
        ),
        ("a use after a revoke", |e| e.insert(5, of("grant_revoked", json!({}))), ("event_out_of_order", 6)),
    ];
    for (what, lie, found) in lies {
        let mut events = story();
        lie(&mut events);
        assert_eq!(check(&record(&events), &[]), Err(found), "{what}");
    }
}

fn withdrawn(person: &str) -> (String, Value) {
    of("vote_withdrawn", json!({"by": {"type": "User", "id": person}, "at": "2026-11-22T12:02:00.000Z"}))
}

#[test]
fn a_vote_that_is_taken_back_and_cast_again_counts_once_and_the_grant_is_made_anew() {
    let mut events = story();
    let again = events[2].clone();
    events.insert(3, withdrawn("mara"));
    events.insert(4, again);
    assert_eq!(check(&record(&events), &[]).map(|report| report.votes), Ok(3));
}

#[test]
fn what_the_rules_admit_is_no_lie() {
    let back = of("use_given_back", json!({"evaluation": "eval_1", "by": {}, "reason": "r"}));
    let third = json!({"call": "c", "evaluation": "eval_3", "amounts": [4], "at": "2026-11-22T12:30:00.000Z"});
    let mut events = story();
    events.truncate(8);
    events.extend([back, of("grant_used", third), of("exception_lapsed", json!({}))]);
    assert_eq!(check(&record(&events), &[]).map(|report| report.uses), Ok(3));
    // An older vote that was for whatever lies inside.
    let mut events = story();
    events.swap(1, 2);
    let vote = &mut events[1].1["exception"]["event"]["vote"];
    (vote["version"], vote["inside"]) = (json!(1), json!(true));
    assert_eq!(check(&record(&events), &[]).map(|report| report.grants), Ok(1));
    // A bundle that came between two votes sees the first voter in another group; what the record holds is the old one.
    let mut events = story();
    let terms = events[0].1["exception"]["event"]["terms"].clone();
    events[2].1["exception"]["event"]["vote"]["groups"] = json!(["finance-eu"]);
    events.insert(3, of("exception_rejudged", json!({"terms": terms, "bundle": "01"})));
    assert_eq!(check(&record(&events), &[]).map(|report| report.groups_not_recorded), Ok(0));
    // What an earlier release wrote names no groups: it is let pass, and told.
    events[5].1["exception"]["event"].as_object_mut().unwrap().remove("counted");
    assert_eq!(check(&record(&events), &[]).map(|report| report.groups_not_recorded), Ok(1));
    // Suspended by a bundle, and granted again by the next.
    let mut events = story();
    let terms = events[0].1["exception"]["event"]["terms"].clone();
    events.insert(6, of("grant_suspended", json!({"reason": "r", "bundle": "00"})));
    events.insert(7, of("exception_rejudged", json!({"terms": terms, "bundle": "00"})));
    assert_eq!(check(&record(&events), &[]).map(|report| report.uses), Ok(2));
}

#[test]
fn after_a_restore_nothing_of_before_is_used_before_people_confirm_it() {
    let epoch = ("epoch_begun".to_owned(), json!({"gate": {"kind": "epoch_begun", "epoch": {"number": 2}}}));
    let confirmed = |who: &str, groups: &[&str]| {
        let by = json!({"type": "User", "id": who});
        let at = "2026-11-22T12:02:30.000Z";
        of("confirmation_given", json!({"confirmation": {"by": by, "reason": "r", "groups": groups, "at": at}}))
    };
    let stands = || of("exception_confirmed", json!({"epoch": 2, "at": "2026-11-22T12:02:30.000Z"}));
    let with = |more: Vec<(String, Value)>| {
        let mut events = story();
        events.splice(5..5, std::iter::once(epoch.clone()).chain(more));
        check(&record(&events), &[]).map(|report| report.uses)
    };
    let (mara, vera) = (|| confirmed("mara", &["finance"]), || confirmed("vera", &["security"]));
    assert_eq!(with(vec![mara(), vera(), stands()]), Ok(2));
    assert_eq!(with(vec![]), Err(("use_not_granted", 6)), "nobody confirmed");
    assert_eq!(with(vec![mara(), vera()]), Err(("use_not_granted", 8)), "and it was not told that it stands");
    for (what, given) in [
        ("one person", vec![mara()]),
        ("one person twice", vec![mara(), mara()]),
        ("who asked", vec![mara(), confirmed("ines", &["security"])]),
        ("who owns the agent", vec![mara(), confirmed("tom", &["security"])]),
        ("a group is missing", vec![mara(), confirmed("paul", &["finance"])]),
    ] {
        let found = with([given.clone(), vec![stands()]].concat());
        assert_eq!(found, Err(("grant_not_voted", 6 + given.len() as u64)), "{what}");
    }
    // A confirmation of what is in no doubt cannot be.
    let mut events = story();
    events.insert(5, mara());
    assert_eq!(check(&record(&events), &[]), Err(("event_out_of_order", 5)));
}
