//! Signed votes: what the check finds of them, each with the record that is wrong.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::tests::{check, event};
use crate::hash::{TreeHash, sha256};
use crate::testing::{Record, of, story};
use crate::webauthn::soft::{ORIGIN, RP_ID, Soft};

const NONCE: [u8; 32] = [5; 32];

pub(super) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn identity(kind: &str, mut event: Value) -> (String, Value) {
    event["kind"] = json!(kind);
    (kind.to_owned(), json!({"identity": event}))
}

pub(super) fn added(id: &str, person: &str, soft: &Soft) -> (String, Value) {
    identity(
        "passkey_added",
        json!({"passkey": {
            "id": id, "person": {"type": "User", "id": person}, "credential": text(&soft.credential),
            "key": text(&soft.cose()), "rp_id": RP_ID, "origin": ORIGIN, "counter": 0,
        }}),
    )
}

/// What a vote of the story says: all of it in its statement.
fn statement(vote: &Value, grant: &Value) -> Value {
    json!({
        "v": 1, "exception": "exc_1", "person": vote["person"], "decision": vote["decision"], "sheet": vote["sheet"],
        "as_of": vote["as_of"], "grant": grant, "inside": false, "reason": vote["reason"],
    })
}

fn signature(passkey: &str, soft: &Soft, statement: &str, counter: u32) -> Value {
    signed_for(b"proviso-vote-v1\0", (passkey, soft), statement, counter)
}

/// A signature whose challenge begins like this.
pub(super) fn signed_for(domain: &[u8], (passkey, soft): (&str, &Soft), statement: &str, counter: u32) -> Value {
    let challenge = TreeHash::over(&[domain, &NONCE, &sha256(statement.as_bytes())]);
    let parts = soft.assert(challenge.as_bytes(), counter);
    json!({
        "by": "signature", "passkey": passkey, "key": text(&soft.cose()), "rp_id": RP_ID, "origin": ORIGIN,
        "nonce": TreeHash::from_bytes(NONCE).to_string(), "statement": statement,
        "credential": text(&soft.credential), "authenticator_data": text(&parts.authenticator_data),
        "client_data": text(&parts.client_data), "signature": text(&parts.signature),
    })
}

/// The story, where its terms demand signatures and both votes have them. The passkeys are added first.
fn signed() -> (Vec<(String, Value)>, [Soft; 2]) {
    let keys = [Soft::es256(3), Soft::eddsa(4)];
    let mut events = story();
    let narrowed = event(&mut events, 1)["version"]["scope"].clone();
    event(&mut events, 0)["terms"]["presence"] = json!("signature");
    for (place, (id, soft)) in [("key_mara", &keys[0]), ("key_vera", &keys[1])].into_iter().enumerate() {
        let vote = &mut event(&mut events, place + 2)["vote"];
        let said = statement(vote, &narrowed).to_string();
        vote["proof"] = signature(id, soft, &said, 1);
    }
    events.splice(0..0, [added("key_mara", "mara", &keys[0]), added("key_vera", "vera", &keys[1])]);
    (events, keys)
}

fn record(events: &[(String, Value)]) -> Record {
    crate::testing::record(events)
}

#[test]
fn each_signature_is_verified_and_counted() {
    let (events, _) = signed();
    let report = check(&record(&events), &[]).unwrap();
    assert_eq!((report.grants, report.votes, report.signatures), (1, 2, 2));
    // A vote that is signed where nobody demands it is verified all the same.
    let (mut events, _) = signed();
    event(&mut events, 2)["terms"].as_object_mut().unwrap().remove("presence");
    event(&mut events, 5)["vote"].as_object_mut().unwrap().remove("proof");
    assert_eq!(check(&record(&events), &[]).map(|report| report.signatures), Ok(1));
}

/// What a gate that breaks its rules writes: all of it well signed.
type Lie = fn(&mut Vec<(String, Value)>, &[Soft; 2]);

/// Vera's vote, anew: with another word in the statement, or in the vote.
fn resigned(events: &mut [(String, Value)], keys: &[Soft; 2], member: &str, word: Value) {
    let grant = event(events, 3)["version"]["scope"].clone();
    let vote = &mut event(events, 5)["vote"];
    let mut said = statement(vote, &grant);
    said[member] = word;
    vote["proof"] = signature("key_vera", &keys[1], &said.to_string(), 1);
}

#[test]
fn a_grant_without_the_signatures_that_its_terms_demand_is_found() {
    let unsigned = ("vote_not_signed", 6);
    let bad = ("vote_signature_bad", 5);
    let lies: [(&str, Lie, (&str, u64)); 23] = [
        ("no signature", |e, _| drop(event(e, 5)["vote"].as_object_mut().unwrap().remove("proof")), unsigned),
        ("a session", |e, _| event(e, 5)["vote"]["proof"] = json!({"by": "session"}), unsigned),
        (
            "an authentication",
            |e, _| event(e, 5)["vote"]["proof"] = json!({"by": "authentication", "issuer": "x", "at": "2026"}),
            unsigned,
        ),
        (
            "demanded since",
            |e, _| {
                let terms = event(e, 2)["terms"].clone();
                event(e, 2)["terms"].as_object_mut().unwrap().remove("presence");
                event(e, 5)["vote"].as_object_mut().unwrap().remove("proof");
                let at = "2026-11-22T12:01:30.000Z";
                e.insert(5, of("exception_rejudged", json!({"terms": terms, "bundle": "01", "at": at})));
            },
            ("vote_not_signed", 7),
        ),
        ("a passkey that was never added", |e, _| drop(e.remove(1)), ("vote_signature_bad", 4)),
        ("another's passkey", |e, _| e[1].1["identity"]["passkey"]["person"]["id"] = json!("zoe"), bad),
        ("another key", |e, k| e[1].1["identity"]["passkey"]["key"] = json!(text(&k[0].cose())), bad),
        (
            "a passkey that had ended",
            |e, _| e.insert(2, identity("passkey_ended", json!({"id": "key_vera"}))),
            (bad.0, 6),
        ),
        (
            "a passkey that was suspended",
            |e, _| e.insert(2, identity("passkey_suspended", json!({"id": "key_vera", "held": 1, "shown": 1}))),
            (bad.0, 6),
        ),
        (
            "a passkey of somebody who had left",
            |e, _| {
                let left = json!({"kind": "person_departed", "person": {"type": "User", "id": "vera"}, "reason": "x"});
                e.insert(2, ("person_departed".to_owned(), json!({"ownership": left})));
            },
            (bad.0, 6),
        ),
        (
            "a passkey of before a restore",
            |e, _| e.insert(2, ("epoch_begun".to_owned(), json!({"gate": {"kind": "epoch_begun"}}))),
            (bad.0, 5),
        ),
        (
            "a counter that has not grown",
            |e, _| e.insert(2, identity("passkey_used", json!({"id": "key_vera", "counter": 1}))),
            (bad.0, 6),
        ),
        ("another exception's words", |e, k| resigned(e, k, "exception", json!("exc_2")), bad),
        ("another person's words", |e, k| resigned(e, k, "person", json!({"type": "User", "id": "mara"})), bad),
        ("a refusal's words", |e, k| resigned(e, k, "decision", json!("refuse")), bad),
        ("another sheet", |e, k| resigned(e, k, "sheet", json!("01")), bad),
        ("another position", |e, k| resigned(e, k, "as_of", json!(2)), bad),
        ("a narrower grant", |e, k| resigned(e, k, "grant", json!({"max_uses": 1})), bad),
        ("words of what lies inside", |e, k| resigned(e, k, "inside", json!(true)), bad),
        ("another reason", |e, k| resigned(e, k, "reason", json!("other")), bad),
        ("a reason altered afterwards", |e, _| event(e, 5)["vote"]["reason"] = json!("other"), bad),
        ("a page of another name", |e, _| event(e, 5)["vote"]["proof"]["origin"] = json!("https://evil.example"), bad),
        ("a signature of something else", |e, _| event(e, 5)["vote"]["proof"]["nonce"] = json!("06".repeat(32)), bad),
    ];
    for (what, lie, found) in lies {
        let (mut events, keys) = signed();
        lie(&mut events, &keys);
        assert_eq!(check(&record(&events), &[]).map(|report| report.signatures), Err(found), "{what}");
    }
}

#[test]
fn what_is_no_business_of_grants_is_passed_over() {
    let mut events = story();
    for (kind, event) in [
        ("signed_in", json!({"identity": {"kind": "signed_in", "session": {}, "at": "x"}})),
        ("act_refused", json!({"console": {"kind": "act_refused"}})),
    ] {
        events.insert(0, (kind.to_owned(), event));
    }
    assert_eq!(check(&record(&events), &[]).map(|report| report.grants), Ok(1));
}
