//! What decides beside votes, held against what its records do not say themselves: what the active bundle demands, who is
//! in which group, what time ended, and whether it took two.

use serde_json::{Value, json};

use super::acts::{Events, digest, gate, proof, user};
use super::signed::added;
use super::tests::check;
use crate::hash::{TreeHash, sha256};
use crate::testing::Record;
use crate::webauthn::soft::Soft;

fn hash(text: &str) -> String {
    TreeHash::from_bytes(sha256(text.as_bytes())).to_string()
}

/// A bundle that demands this of votes, and in which mara is one of the operators: its digest, and its files.
fn bundle(presence: &str) -> (String, Value) {
    let requests =
        format!("@id(\"a\") @approvals(\"1\") @presence(\"{presence}\") permit (principal, action, resource);");
    let group = json!({"type": "Group", "id": "operators"});
    let entities = json!([
        {"uid": group, "attrs": {}, "parents": []},
        {"uid": user("mara"), "attrs": {}, "parents": [group]},
        {"uid": user("vera"), "attrs": {}, "parents": []},
        {"uid": user("zoe"), "attrs": {}, "parents": []},
    ])
    .to_string();
    let policy = hash(&json!({"approval/request/a.cedar": hash(&requests)}).to_string());
    let of_entities = hash(&json!({"entities.json": hash(&entities)}).to_string());
    let whole = hash(&json!({"entities": of_entities, "policy": policy}).to_string());
    (whole, json!({"approval/request/a.cedar": requests, "entities.json": entities}))
}

/// An activation by an operator, whose files stand beside it.
fn activated(presence: &str) -> (String, Value) {
    let (digest, files) = bundle(presence);
    let (kind, mut event) = gate("bundle_activated", json!({"activation": {"bundle": digest}}));
    event["files"] = files;
    (kind, event)
}

fn locked(more: Value) -> (String, Value) {
    let lock = json!({"id": "lock_1", "target": {"task": "t"}});
    let mut event = json!({"lock": lock, "by": user("zoe"), "reason": "x", "groups": ["operators"]});
    for (name, value) in more.as_object().unwrap() {
        event[name] = value.clone();
    }
    gate("locked", event)
}

fn lift(kind: &str, person: &str) -> (String, Value) {
    gate(kind, json!({"id": "lock_1", "by": user(person)}))
}

/// The same, signed.
fn signed(kind: &str, person: &str, keys: &[Soft; 2], counter: u32) -> (String, Value) {
    let lock = json!({"id": "lock_1", "target": {"task": "t"}});
    let proof = proof(keys, person, ("lift_lock", "lock_1", &digest(&lock), ""), counter);
    gate(kind, json!({"id": "lock_1", "by": user(person), "presence": "signature", "proof": proof}))
}

fn started(acts_shown: bool) -> (String, Value) {
    gate("gate_started", if acts_shown { json!({"acts_shown": true}) } else { json!({}) })
}

/// What the check says of these events: a bundle's files are a payload of their own.
fn checked(events: &Events) -> Result<u64, (&'static str, u64)> {
    let mut record = Record::new(1);
    for (kind, event) in events {
        let mut event = event.clone();
        match event.as_object_mut().unwrap().remove("files") {
            Some(files) => record.activation(&event, &files),
            None => record.event(kind, &event),
        };
    }
    record.head();
    check(&record, &[]).map(|report| report.signatures)
}

#[test]
fn a_lock_is_lifted_by_who_set_it_by_their_group_or_by_two() {
    let keys = [Soft::es256(3), Soft::eddsa(4)];
    let begin = |presence: &str, lock: Value| {
        vec![
            started(true),
            added("key_mara", "mara", &keys[0]),
            added("key_vera", "vera", &keys[1]),
            activated(presence),
            locked(lock),
        ]
    };
    let alone = Err(("lift_not_allowed", 5));
    let second = Err(("lift_not_allowed", 6));
    let on = |person: &str| json!({"lock": {"id": "lock_1", "target": {"person": user(person)}}});
    type Found = Result<u64, (&'static str, u64)>;
    let cases: Vec<(&str, Value, Events, Found)> = vec![
        ("who set it", json!({}), vec![lift("unlocked", "zoe")], Ok(0)),
        ("one of their group", json!({}), vec![lift("unlocked", "mara")], Ok(0)),
        ("one of none", json!({}), vec![lift("unlocked", "vera")], alone),
        ("of another group", json!({"groups": ["finance"]}), vec![lift("unlocked", "mara")], alone),
        ("two of none", json!({}), vec![lift("lift_voted", "tom"), lift("unlocked", "vera")], Ok(0)),
        ("one of none twice", json!({}), vec![lift("lift_voted", "vera"), lift("unlocked", "vera")], second),
        ("what is on oneself", on("mara"), vec![lift("unlocked", "mara")], alone),
        ("what is on oneself, wanted", on("tom"), vec![lift("lift_voted", "tom")], alone),
        ("twice", json!({}), vec![lift("unlocked", "mara"), lift("unlocked", "mara")], second),
        ("what has ended", json!({"until": "2026-11-22T12:00:00.000Z"}), vec![lift("unlocked", "mara")], alone),
        ("what ends later", json!({"until": "2026-11-22T12:00:00.001Z"}), vec![lift("unlocked", "mara")], Ok(0)),
        (
            "what went on",
            json!({"until": "2026-11-22T11:00:00.000Z"}),
            vec![
                gate("lock_renewed", json!({"id": "lock_1", "until": "2026-11-23T11:00:00.000Z"})),
                lift("unlocked", "mara"),
            ],
            Ok(0),
        ),
        (
            "while the clock was in doubt",
            json!({"until": "2026-11-22T11:00:00.000Z"}),
            vec![gate("clock_doubted", json!({"apart": 1})), lift("unlocked", "mara")],
            Ok(0),
        ),
        (
            "once it was right again",
            json!({"until": "2026-11-22T11:00:00.000Z"}),
            vec![
                gate("clock_doubted", json!({"apart": 1})),
                gate("clock_trusted", json!({"by": "root", "reason": "x"})),
                lift("unlocked", "mara"),
            ],
            Err(("lift_not_allowed", 7)),
        ),
    ];
    for (what, lock, lifts, found) in cases {
        let mut events = begin("session", lock);
        events.extend(lifts);
        assert_eq!(checked(&events), found, "{what}");
    }
    // What was wanted with less than is demanded by now is no second yes.
    let mut events = begin("session", json!({}));
    events.extend([lift("lift_voted", "mara"), activated("signature"), signed("unlocked", "vera", &keys, 1)]);
    assert_eq!(checked(&events), Err(("lift_not_allowed", 7)));
    events[5] = signed("lift_voted", "mara", &keys, 1);
    assert_eq!(checked(&events), Ok(2));
    // A gate of before said less, and took a session.
    let mut events = begin("signature", json!({}));
    events[0] = started(false);
    events.push(lift("unlocked", "vera"));
    assert_eq!(checked(&events), Ok(0));
    // Where no files are on record nobody can tell who is in which group.
    let mut events = begin("session", json!({}));
    events[3].1.as_object_mut().unwrap().remove("files");
    events.push(lift("unlocked", "vera"));
    assert_eq!(checked(&events), Ok(0));
}

#[test]
fn what_an_act_is_shown_with_is_told_from_the_bundle_and_not_from_its_own_word() {
    let keys = [Soft::es256(3), Soft::eddsa(4)];
    let vote = |activates: bool| {
        let event = json!({
            "kind": "activation_voted", "bundle": "b2", "list": "list", "by": user("mara"), "assurance": "link",
            "activates": activates, "reason": "seen",
        });
        ("activation_voted".to_owned(), json!({"policy": event}))
    };
    let proposed =
        gate("erasure_proposed", json!({"id": "ers_1", "plan": {"what": "age"}, "by": user("mara"), "reason": "x"}));
    let begin = |presence: &str| {
        let passkeys = [added("key_mara", "mara", &keys[0]), added("key_vera", "vera", &keys[1])];
        let mut events = vec![started(true), activated(presence), locked(json!({}))];
        events.splice(1..1, passkeys);
        events
    };
    for (what, event) in [
        ("a lift", lift("unlocked", "mara")),
        ("a wish", lift("lift_voted", "mara")),
        ("a vote for a bundle", vote(true)),
        ("an erasure", proposed),
    ] {
        for (presence, found) in [
            ("session", Ok(0)),
            ("authentication", Err(("act_not_signed", 5))),
            ("signature", Err(("act_not_signed", 5))),
        ] {
            let mut events = begin(presence);
            events.push(event.clone());
            assert_eq!(checked(&events), found, "{what} where votes take {presence}");
        }
    }
    let mut events = begin("signature");
    events.extend([vote(false), signed("unlocked", "mara", &keys, 1)]);
    assert_eq!(checked(&events), Ok(1), "a vote against a bundle takes nothing");
    // The bundle that is active counts, and not one of before or after.
    let mut events = begin("signature");
    events.extend([activated("session"), lift("unlocked", "mara"), activated("signature")]);
    assert_eq!(checked(&events), Ok(0));
    // What the record itself says was demanded is held, too.
    let mut events = begin("session");
    let (kind, mut event) = lift("unlocked", "mara");
    event["gate"]["presence"] = json!("signature");
    events.push((kind, event));
    assert_eq!(checked(&events), Err(("act_not_signed", 5)));
    // Files of another bundle say nothing of this one.
    let mut events = begin("session");
    events[3].1["gate"]["activation"]["bundle"] = json!(bundle("signature").0);
    assert_eq!(checked(&events), Err(("bundle_unfit", 3)));
}

/// Mara proposes an erasure, vera confirms it, both signed, and it is carried out.
fn erased(keys: &[Soft; 2]) -> Events {
    let plan = json!({"what": "age", "older_than": "400d"});
    let of_plan = digest(&plan);
    let first = proof(keys, "mara", ("erase", &of_plan, &of_plan, "old"), 1);
    let second = proof(keys, "vera", ("erase", "ers_1", &of_plan, ""), 1);
    let proposed = json!({
        "id": "ers_1", "plan": plan, "reason": "old", "by": user("mara"), "assurance": "webauthn",
        "presence": "signature", "proof": first, "until": "2026-11-29T12:00:00.000Z", "at": "2026-11-22T12:00:00.000Z",
    });
    let confirmed = json!({
        "id": "ers_1", "by": user("vera"), "assurance": "webauthn", "presence": "signature", "proof": second,
        "at": "2026-11-22T12:00:00.000Z",
    });
    let done =
        json!({"run": "era_1", "by": "x", "erased": [], "proposal": "ers_1", "people": [user("mara"), user("vera")]});
    vec![
        started(true),
        activated("signature"),
        added("key_mara", "mara", &keys[0]),
        added("key_vera", "vera", &keys[1]),
        gate("erasure_proposed", proposed),
        gate("erasure_confirmed", confirmed),
        gate("payloads_erased", done),
        gate("erasure_ended", json!({"id": "ers_1", "how": "done", "by": user("vera"), "run": "era_1"})),
    ]
}

#[test]
fn what_is_erased_in_the_name_of_two_people_is_what_both_said_in_time() {
    let keys = [Soft::es256(3), Soft::eddsa(4)];
    assert_eq!(checked(&erased(&keys)), Ok(2));
    type Lie = fn(&mut Events, &[Soft; 2]);
    let lies: [(&str, Lie, (&str, u64)); 13] = [
        ("nobody confirmed it", |e, _| drop(e.remove(5)), ("erasure_not_agreed", 5)),
        ("nobody proposed it", |e, _| drop(e.remove(4)), ("erasure_not_agreed", 4)),
        (
            "who proposed it confirmed it",
            |e, k| {
                let plan = digest(&json!({"what": "age", "older_than": "400d"}));
                e[5].1["gate"]["by"] = user("mara");
                e[5].1["gate"]["proof"] = proof(k, "mara", ("erase", "ers_1", &plan, ""), 2);
            },
            ("erasure_not_agreed", 5),
        ),
        (
            "it had lapsed",
            |e, _| e[4].1["gate"]["until"] = json!("2026-11-22T12:00:00.000Z"),
            ("erasure_not_agreed", 5),
        ),
        ("in the name of one", |e, _| e[6].1["gate"]["people"] = json!([user("mara")]), ("erasure_not_agreed", 6)),
        (
            "in another's name",
            |e, _| e[6].1["gate"]["people"] = json!([user("mara"), user("zoe")]),
            ("erasure_not_agreed", 6),
        ),
        ("by another proposal", |e, _| e[6].1["gate"]["proposal"] = json!("ers_2"), ("erasure_not_agreed", 6)),
        ("after it was over", |e, _| e.swap(6, 7), ("erasure_not_agreed", 7)),
        ("before a restore", |e, _| e.insert(6, gate("epoch_begun", json!({}))), ("erasure_not_agreed", 7)),
        ("another plan", |e, _| e[4].1["gate"]["plan"]["older_than"] = json!("9d"), ("act_signature_bad", 4)),
        ("another reason", |e, _| e[4].1["gate"]["reason"] = json!("new"), ("act_signature_bad", 4)),
        (
            "proposed by a session",
            |e, _| drop(e[4].1["gate"].as_object_mut().unwrap().remove("proof")),
            ("act_not_signed", 4),
        ),
        (
            "confirmed by a session",
            |e, _| {
                let gate = e[5].1["gate"].as_object_mut().unwrap();
                gate.remove("proof");
                gate.remove("presence");
            },
            ("act_not_signed", 5),
        ),
    ];
    for (what, lie, found) in lies {
        let mut events = erased(&keys);
        lie(&mut events, &keys);
        assert_eq!(checked(&events), Err(found), "{what}");
    }
    // What names no proposal is an operator's, or retention's.
    let mut events = erased(&keys);
    events.drain(4..6);
    let gate = events[4].1["gate"].as_object_mut().unwrap();
    gate.remove("proposal");
    gate.remove("people");
    assert_eq!(checked(&events), Ok(0));
}
