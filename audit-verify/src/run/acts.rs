//! What decides beside votes on requests: what the check finds of it.

use serde_json::{Value, json};

use super::signed::{added, signed_for};
use super::tests::check;
use crate::hash::{TreeHash, sha256};
use crate::testing::{of, record, story};
use crate::webauthn::soft::Soft;

pub(super) type Events = Vec<(String, Value)>;

pub(super) fn user(id: &str) -> Value {
    json!({"type": "User", "id": id})
}

pub(super) fn digest(of: &Value) -> String {
    TreeHash::from_bytes(sha256(of.to_string().as_bytes())).to_string()
}

/// The proof of an act, signed by this person's passkey.
pub(super) fn proof(
    keys: &[Soft; 2],
    person: &str,
    (act, about, shown, reason): (&str, &str, &str, &str),
    counter: u32,
) -> Value {
    let (id, soft) = if person == "mara" { ("key_mara", &keys[0]) } else { ("key_vera", &keys[1]) };
    let statement =
        json!({"v": 1, "act": act, "person": user(person), "about": about, "shown": shown, "reason": reason});
    signed_for(b"proviso-act-v1\0", (id, soft), &statement.to_string(), counter)
}

pub(super) fn gate(kind: &str, mut event: Value) -> (String, Value) {
    event["kind"] = json!(kind);
    (kind.to_owned(), json!({"gate": event}))
}

fn voted(keys: &[Soft; 2], person: &str, counter: u32) -> (String, Value) {
    let proof = proof(keys, person, ("activate", "b2", "list", "seen"), counter);
    let event = json!({
        "kind": "activation_voted", "bundle": "b2", "list": "list", "by": user(person), "assurance": "webauthn",
        "activates": true, "reason": "seen", "presence": "signature", "proof": proof,
    });
    ("activation_voted".to_owned(), json!({"policy": event}))
}

fn proposed() -> (String, Value) {
    let event = json!({"kind": "bundle_proposed", "proposal": {"bundle": "b2", "list": "list"}});
    ("bundle_proposed".to_owned(), json!({"policy": event}))
}

fn activated(people: &[&str], narrower: bool) -> (String, Value) {
    let people: Vec<Value> = people.iter().map(|id| user(id)).collect();
    let by = json!({"from": "b1", "list": "list", "proposed_by": user("zoe"), "people": people, "narrower": narrower});
    gate("bundle_activated", json!({"activation": {"bundle": "b2", "people": by}}))
}

/// A gate at which acts are shown: two vote for a bundle, one locks and lifts, and the story of a grant is confirmed
/// after a restore.
fn acts() -> (Events, [Soft; 2]) {
    let keys = [Soft::es256(3), Soft::eddsa(4)];
    let lock = json!({"id": "lock_1", "target": {"task": "t"}});
    let lift = proof(&keys, "mara", ("lift_lock", "lock_1", &digest(&lock), ""), 2);
    let mut events = vec![
        added("key_mara", "mara", &keys[0]),
        added("key_vera", "vera", &keys[1]),
        gate("gate_started", json!({"acts_shown": true})),
        voted(&keys, "mara", 1),
        voted(&keys, "vera", 1),
        activated(&["mara", "vera"], false),
        gate("locked", json!({"lock": lock, "by": user("mara"), "reason": "x"})),
        gate("unlocked", json!({"id": "lock_1", "by": user("mara"), "presence": "signature", "proof": lift})),
    ];
    let mut open = story();
    open.truncate(1);
    open[0].1["exception"]["event"]["terms"]["presence"] = json!("signature");
    open[0].1["exception"]["event"]["terms"]["approvals"] = json!(1);
    open[0].1["exception"]["event"]["terms"]["groups"] = json!([]);
    let terms = open[0].1["exception"]["event"]["terms"].clone();
    events.extend(open);
    let proof = proof(&keys, "vera", ("declare_emergency", "exc_1", "sheet", "down"), 2);
    let emergency = json!({
        "by": user("vera"), "reason": "down", "decide_by": "2026-11-22T13:00:00.000Z", "proof": proof,
        "at": "2026-11-22T12:00:00.000Z",
    });
    events.push(of("emergency_declared", json!({"emergency": emergency, "terms": terms, "bundle": "01"})));
    (events, keys)
}

fn checked(events: &Events) -> Result<u64, (&'static str, u64)> {
    check(&record(events), &[]).map(|report| report.signatures)
}

#[test]
fn each_signature_of_an_act_is_verified_and_counted() {
    let (events, _) = acts();
    assert_eq!(checked(&events), Ok(4));
    // A gate of before took a session for an emergency, and said so of nothing.
    let (mut events, _) = acts();
    events[2].1["gate"].as_object_mut().unwrap().remove("acts_shown");
    drop(events[9].1["exception"]["event"]["emergency"].as_object_mut().unwrap().remove("proof"));
    for vote in [3, 4] {
        let policy = events[vote].1["policy"].as_object_mut().unwrap();
        policy.remove("proof");
        policy.remove("presence");
    }
    let lifted = events[7].1["gate"].as_object_mut().unwrap();
    lifted.remove("proof");
    lifted.remove("presence");
    assert_eq!(checked(&events), Ok(0));
}

#[test]
fn an_act_that_is_not_shown_as_it_had_to_be_is_found() {
    type Lie = fn(&mut Events, &[Soft; 2]);
    let lies: [(&str, Lie, (&str, u64)); 17] = [
        (
            "a vote for a bundle without a signature",
            |e, _| drop(e[4].1["policy"].as_object_mut().unwrap().remove("proof")),
            ("act_not_signed", 4),
        ),
        ("a vote for another list", |e, _| e[4].1["policy"]["list"] = json!("other"), ("act_signature_bad", 4)),
        ("a vote for another bundle", |e, _| e[4].1["policy"]["bundle"] = json!("b3"), ("act_signature_bad", 4)),
        ("another reason", |e, _| e[4].1["policy"]["reason"] = json!("other"), ("act_signature_bad", 4)),
        ("another's vote", |e, _| e[4].1["policy"]["by"] = user("zoe"), ("act_signature_bad", 4)),
        (
            "a signature of another act",
            |e, k| e[4].1["policy"]["proof"] = proof(k, "vera", ("confirm", "b2", "list", "seen"), 1),
            ("act_signature_bad", 4),
        ),
        ("a passkey that was never added", |e, _| drop(e.remove(1)), ("act_signature_bad", 3)),
        ("activated by one", |e, _| e[5] = activated(&["mara"], false), ("activation_not_voted", 5)),
        ("activated by one twice", |e, _| e[5] = activated(&["mara", "mara"], false), ("activation_not_voted", 5)),
        ("by somebody who did not vote", |e, _| e[5] = activated(&["mara", "zoe"], false), ("activation_not_voted", 5)),
        (
            "by a vote that was taken back",
            |e, _| {
                let policy = e[4].1["policy"].as_object_mut().unwrap();
                policy.insert("activates".to_owned(), json!(false));
            },
            ("activation_not_voted", 5),
        ),
        ("a vote on what was proposed anew since", |e, _| e.insert(4, proposed()), ("activation_not_voted", 6)),
        (
            "a lock lifted without a signature",
            |e, _| drop(e[7].1["gate"].as_object_mut().unwrap().remove("proof")),
            ("act_not_signed", 7),
        ),
        (
            "another lock than was signed",
            |e, _| e[6].1["gate"]["lock"]["target"] = json!({"task": "other"}),
            ("act_signature_bad", 7),
        ),
        (
            "an emergency without a signature",
            |e, _| drop(e[9].1["exception"]["event"]["emergency"].as_object_mut().unwrap().remove("proof")),
            ("act_not_signed", 9),
        ),
        (
            "an emergency for another reason",
            |e, _| e[9].1["exception"]["event"]["emergency"]["reason"] = json!("other"),
            ("act_signature_bad", 9),
        ),
        (
            "a confirmation by a session",
            |e, _| {
                e.push(gate("epoch_begun", json!({})));
                let given = json!({"by": user("vera"), "reason": "due", "assurance": "link", "groups": [], "at": "x"});
                e.push(of("confirmation_given", json!({"confirmation": given})));
            },
            ("act_not_signed", 11),
        ),
    ];
    for (what, lie, found) in lies {
        let (mut events, keys) = acts();
        lie(&mut events, &keys);
        assert_eq!(checked(&events), Err(found), "{what}");
    }
    // One person is enough for what is proved narrower, and an operator's activation names nobody.
    let (mut events, _) = acts();
    events[5] = activated(&["mara"], true);
    assert_eq!(checked(&events), Ok(4));
    events[5] = gate("bundle_activated", json!({"activation": {"bundle": "b2"}}));
    assert_eq!(checked(&events), Ok(4));
    // Votes stand while another bundle comes and goes: they count under what they were proposed against.
    let (mut events, _) = acts();
    events.insert(4, gate("bundle_activated", json!({"activation": {"bundle": "b9"}})));
    events.insert(5, gate("bundle_activated", json!({"activation": {"bundle": "b1"}})));
    assert_eq!(checked(&events), Ok(4));
}
