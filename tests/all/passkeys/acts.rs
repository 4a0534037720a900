//! What decides beside votes on requests is signed as they are: another bundle, what was made before a restore, an
//! emergency, a lock that is taken away.

use std::sync::Arc;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::presence::{ActStatement, SignedAct, act_challenge};
use policy_core::question::Lock;
use policy_core::sheet::DecisionSheet;
use proviso_tests::{Answer, Binary, Setup, Story, TestGate, as_person};
use reqwest::Method;
use serde_json::{Value, json};

use super::authenticator::Authenticator;
use super::{GATE, demanding_of, holder, open, refusal, refused, setup, story, vote, vote_challenge};
use crate::activation;
use crate::restore;

/// A gate with three administrators at which writing a file takes a signed vote, and so does another bundle.
async fn administered() -> Story {
    let bundle = demanding_of(activation::files(), None);
    Story::on(TestGate::with(Setup { bundle, ..setup() }).await).await
}

/// What the page gets the challenge of an act from.
async fn begin(story: &Story, person: &str, act: SignedAct, about: &str) -> Value {
    let body = json!({"act": act, "about": about});
    let answer = story.client.post("/api/v1/acts/challenge", person, &body).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    answer.json()
}

/// What is decided, as the page knows it.
#[derive(Clone)]
struct Decided {
    act: SignedAct,
    user: String,
    about: String,
    shown: Digest,
    reason: String,
}

/// The signature of an act in answer to what was begun.
fn sign(begun: &Value, of: &Decided, authenticator: &mut Authenticator) -> Value {
    let Decided { act, user, about, shown, reason } = of.clone();
    let statement = ActStatement { v: 1, act, person: EntityRef::new("User", user), about, shown, reason };
    let nonce = begun["nonce"].as_str().unwrap().parse().unwrap();
    let assertion = authenticator.get(&act_challenge(&nonce, &statement.text().unwrap()));
    json!({"held": begun["held"], "assertion": assertion})
}

async fn signed(story: &Story, person: &str, of: &Decided, authenticator: &mut Authenticator) -> Value {
    sign(&begin(story, person, of.act, &of.about).await, of, authenticator)
}

/// What the record comes to, verified offline.
fn verified(data: &std::path::Path) -> Value {
    let done = Binary::run(&["audit", "verify", "--data", &data.display().to_string(), "--json"]);
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"))
}

async fn propose(story: &Story, person: &str, files: &std::collections::BTreeMap<String, String>) -> (String, String) {
    let body = json!({"files": files, "reason": "the report is due"});
    let proposed = story.client.post("/api/v1/bundles", person, &body).await.json();
    assert_eq!(proposed["proposal"]["presence"], "signature", "{proposed:#}");
    let text = |name: &str| proposed["proposal"][name].as_str().unwrap().to_owned();
    (text("bundle"), text("list"))
}

async fn activate(story: &Story, person: &str, (bundle, list): (&str, &str), signature: Option<Value>) -> Answer {
    let mut body = json!({"list": list, "reason": "seen"});
    if let Some(signature) = signature {
        body["signature"] = signature;
    }
    story.client.post(&format!("/api/v1/bundles/{bundle}/activate"), person, &body).await
}

#[tokio::test]
async fn an_erasure_is_proposed_and_confirmed_by_signatures_over_its_plan() {
    let story = administered().await;
    story.evaluate(&proviso_tests::write_file("report-writer", "/srv/files/reports/a.md", "asked")).await;
    story.gate.clock.advance(12 * 86_400);
    let (jun, mut of_jun) = holder(&story, "jun", 1).await;
    let (ola, mut of_ola) = holder(&story, "ola", 2).await;
    let what = json!({"older_than": "9d"});
    let looked = story.client.post("/api/v1/erasures/preview", &jun, &what).await.json();
    assert_eq!(looked["presence"], "signature", "{looked:#}");
    let digest: Digest = looked["digest"].as_str().unwrap().parse().unwrap();
    assert_eq!(Digest::of_json(&looked["plan"]).unwrap(), digest, "the page can make it anew");
    let propose = async |signature: Option<Value>| {
        let mut body = json!({"what": what, "reason": "kept long enough", "shown": digest});
        if let Some(signature) = signature {
            body["signature"] = signature;
        }
        story.client.post("/api/v1/erasures", &jun, &body).await
    };
    assert_eq!(refused(&propose(None).await), refusal(403, "presence_needed"));
    let first = Decided {
        act: SignedAct::Erase,
        user: "jun".to_owned(),
        about: digest.to_string(),
        shown: digest,
        reason: "kept long enough".to_owned(),
    };
    for other in [
        Decided { shown: Digest::of(b"another plan"), ..first.clone() },
        Decided { reason: "another".to_owned(), ..first.clone() },
        Decided { act: SignedAct::LiftLock, ..first.clone() },
    ] {
        let begun = begin(&story, &jun, SignedAct::Erase, &first.about).await;
        let answer = propose(Some(sign(&begun, &other, &mut of_jun))).await;
        assert_eq!(refused(&answer), refusal(403, "bad_assertion"));
    }
    let proposed = propose(Some(signed(&story, &jun, &first, &mut of_jun).await)).await.json();
    let id = proposed["proposal"]["id"].as_str().unwrap_or_else(|| panic!("{proposed:#}")).to_owned();
    let confirm = async |signature: Option<Value>| {
        let mut body = json!({"what": what, "shown": digest});
        if let Some(signature) = signature {
            body["signature"] = signature;
        }
        story.client.post(&format!("/api/v1/erasures/{id}/confirm"), &ola, &body).await
    };
    assert_eq!(refused(&confirm(None).await), refusal(403, "presence_needed"));
    let second = Decided { user: "ola".to_owned(), about: id.clone(), reason: String::new(), ..first.clone() };
    // What was signed to propose it confirms nothing.
    let begun = begin(&story, &ola, SignedAct::Erase, &first.about).await;
    let answer =
        confirm(Some(sign(&begun, &Decided { about: first.about.clone(), ..second.clone() }, &mut of_ola))).await;
    assert_eq!(refused(&answer), refusal(409, "other_challenge"));
    let done = confirm(Some(signed(&story, &ola, &second, &mut of_ola).await)).await.json();
    assert_eq!(done["proposal"]["state"], "done", "{done:#}");
    let told = verified(story.gate.data());
    assert_eq!((&told["verified"], &told["signatures"]), (&json!(true), &json!(2)), "{told}");
}

#[tokio::test]
async fn another_bundle_is_activated_by_signatures_over_its_list() {
    let story = administered().await;
    let (jun, mut of_jun) = holder(&story, "jun", 1).await;
    let (ola, mut of_ola) = holder(&story, "ola", 2).await;
    let kit = story.gate.person("kit").await;
    let wider = demanding_of(activation::wider(), None);
    let (bundle, list) = propose(&story, &kit, &wider).await;
    let it = (bundle.as_str(), list.as_str());
    // Sessions alone, of as many people as it takes, activate nothing.
    for person in [&jun, &ola, &kit] {
        let answer = activate(&story, person, it, None).await;
        assert_eq!(refused(&answer), refusal(403, "presence_needed"));
    }
    let of = |user: &str| Decided {
        act: SignedAct::Activate,
        user: user.to_owned(),
        about: bundle.clone(),
        shown: list.parse().unwrap(),
        reason: "seen".to_owned(),
    };
    // A signature of other words is none: of another act, bundle, list, person, reason.
    for other in [
        Decided { about: "0".repeat(64), ..of("jun") },
        Decided { shown: Digest::of(b"another list"), ..of("jun") },
        Decided { reason: "unseen".to_owned(), ..of("jun") },
        Decided { act: SignedAct::Confirm, ..of("jun") },
        of("ola"),
    ] {
        let begun = begin(&story, &jun, SignedAct::Activate, &bundle).await;
        let signature = sign(&begun, &other, &mut of_jun);
        let answer = activate(&story, &jun, it, Some(signature)).await;
        assert_eq!(refused(&answer), refusal(403, "bad_assertion"));
    }
    // What was asked for another act, about something else, or in another session answers nothing here.
    let elsewhere = story.gate.person("jun").await;
    for begun in [
        begin(&story, &jun, SignedAct::Confirm, &bundle).await,
        begin(&story, &jun, SignedAct::Activate, "another").await,
        begin(&story, &elsewhere, SignedAct::Activate, &bundle).await,
        vote_challenge(&story, &ola, &open(&story, "c1").await).await,
    ] {
        let answer = activate(&story, &jun, it, Some(sign(&begun, &of("jun"), &mut of_jun))).await;
        assert_eq!(refused(&answer), refusal(409, "other_challenge"));
    }
    // By another's passkey.
    let signature = signed(&story, &jun, &of("jun"), &mut of_ola).await;
    assert_eq!(refused(&activate(&story, &jun, it, Some(signature)).await), refusal(403, "unknown_passkey"));
    let signature = signed(&story, &jun, &of("jun"), &mut of_jun).await;
    let answer = activate(&story, &jun, it, Some(signature.clone())).await;
    assert_eq!(answer.json()["state"], "waiting", "{answer:?}");
    assert_eq!(refused(&activate(&story, &jun, it, Some(signature)).await), refusal(409, "challenge_over"));
    // One that was added a moment ago, to a session of somebody who has one, decides nothing yet.
    let mut added = Authenticator::new(9);
    assert_eq!(super::add(&story, &ola, &mut added, "another").await.status.as_u16(), 201);
    let signature = signed(&story, &ola, &of("ola"), &mut added).await;
    assert_eq!(refused(&activate(&story, &ola, it, Some(signature)).await), refusal(403, "passkey_too_new"));
    let signature = signed(&story, &ola, &of("ola"), &mut of_ola).await;
    let answer = activate(&story, &ola, it, Some(signature)).await;
    assert_eq!(answer.json()["state"], "active", "{answer:?}");
    let told = verified(story.gate.data());
    assert_eq!((&told["verified"], &told["signatures"]), (&json!(true), &json!(2)), "{told}");
    // A vote against one needs no signature: it changes nothing.
    let narrower = demanding_of(activation::narrower(), None);
    let (bundle, list) = propose(&story, &kit, &narrower).await;
    let body = json!({"list": list, "reason": "not now"});
    let answer = story.client.post(&format!("/api/v1/bundles/{bundle}/refuse"), &kit, &body).await;
    assert_eq!(answer.json()["state"], "refused", "{answer:?}");
}

/// The sheet of an exception as its page shows it, and what a signature over it says.
async fn on_sheet(story: &Story, person: &str, (act, user, id): (SignedAct, &str, &str)) -> (u64, Decided) {
    let sheet = story.client.get(&format!("/api/v1/exceptions/{id}/sheet"), Some(person)).await.json();
    let sheet: DecisionSheet = serde_json::from_value(sheet["sheet"].clone()).unwrap();
    let (user, about, reason) = (user.to_owned(), id.to_owned(), "needed".to_owned());
    (sheet.as_of, Decided { act, user, about, shown: sheet.digest().unwrap(), reason })
}

async fn act_on(story: &Story, person: &str, path: &str, signed: Option<Value>) -> Answer {
    let mut body = json!({"reason": "needed"});
    if let Some(signed) = signed {
        body["signed"] = signed;
    }
    story.client.post(path, person, &body).await
}

#[tokio::test]
async fn an_emergency_is_declared_by_a_signature_over_the_sheet() {
    let story = story().await;
    let id = open(&story, "c1").await;
    let path = format!("/api/v1/exceptions/{id}/emergency");
    let (mara, mut authenticator) = holder(&story, "mara", 1).await;
    assert_eq!(refused(&act_on(&story, &mara, &path, None).await), refusal(403, "presence_needed"));
    let jun = story.gate.person("ola").await;
    let allowed = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&jun)).await.json()["allowed"].clone();
    assert_eq!(allowed["declare_emergency"], json!({"no": "presence_needed"}), "who has no passkey is told before");
    let (as_of, of) = on_sheet(&story, &mara, (SignedAct::DeclareEmergency, "mara", &id)).await;
    let signature = signed(&story, &mara, &of, &mut authenticator).await;
    // Of another position's sheet; of none.
    for (position, status, code) in [(as_of - 1, 403, "bad_assertion"), (as_of + 100, 409, "stale_sheet")] {
        let signature = signed(&story, &mara, &of, &mut authenticator).await;
        let answer = act_on(&story, &mara, &path, Some(json!({"as_of": position, "signature": signature}))).await;
        assert_eq!(refused(&answer), refusal(status, code));
    }
    let answer = act_on(&story, &mara, &path, Some(json!({"as_of": as_of, "signature": signature}))).await;
    assert_eq!(answer.json()["state"], "requested", "{answer:?}");
    let voted = vote(&story, (&mara, "mara"), &id, &mut authenticator).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    let told = verified(story.gate.data());
    assert_eq!((&told["verified"], &told["signatures"]), (&json!(true), &json!(2)), "{told}");
}

#[tokio::test]
async fn what_was_made_before_a_restore_is_confirmed_by_a_signature_over_its_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let before = story().await;
    let id = open(&before, "c1").await;
    let (mara, mut authenticator) = holder(&before, "mara", 1).await;
    assert_eq!(vote(&before, (&mara, "mara"), &id, &mut authenticator).await.json()["state"], "granted");
    restore::back_up(before.gate.data(), &folder.path().join("backup"));
    restore::restored(&folder.path().join("backup"), &folder.path().join("data"), &[]);
    let again = Setup { clock: Arc::clone(&before.gate.clock), public_url: Some(GATE.to_owned()), ..setup() };
    let story = Story::on(TestGate::open(again, &folder.path().join("data")).await.unwrap()).await;
    let path = format!("/api/v1/exceptions/{id}/confirm");
    let (mara, mut authenticator) = holder(&story, "mara", 3).await;
    assert_eq!(refused(&act_on(&story, &mara, &path, None).await), refusal(403, "presence_needed"));
    let (as_of, of) = on_sheet(&story, &mara, (SignedAct::Confirm, "mara", &id)).await;
    // An emergency's signature is none.
    let other = Decided { act: SignedAct::DeclareEmergency, ..of.clone() };
    let begun = begin(&story, &mara, SignedAct::Confirm, &id).await;
    let wrong = json!({"as_of": as_of, "signature": sign(&begun, &other, &mut authenticator)});
    assert_eq!(refused(&act_on(&story, &mara, &path, Some(wrong)).await), refusal(403, "bad_assertion"));
    let signature = signed(&story, &mara, &of, &mut authenticator).await;
    let answer = act_on(&story, &mara, &path, Some(json!({"as_of": as_of, "signature": signature}))).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
    let told = verified(&folder.path().join("data"));
    assert_eq!((&told["verified"], &told["signatures"]), (&json!(true), &json!(2)), "{told}");
}

#[tokio::test]
async fn a_lock_is_lifted_by_a_signature_over_it() {
    let story = story().await;
    let (mara, mut authenticator) = holder(&story, "mara", 1).await;
    let mut ids = Vec::new();
    for task in ["one", "other"] {
        let lock = json!({"target": {"task": task}, "reason": "look first"});
        let locked = story.client.post("/api/v1/locks", &mara, &lock).await.json();
        ids.push(locked["id"].as_str().unwrap_or_else(|| panic!("{locked}")).to_owned());
    }
    let list = story.client.get("/api/v1/locks", Some(&mara)).await.json();
    assert_eq!(list["presence"], "signature", "{list:#}");
    let line = list["locks"].as_array().unwrap().iter().find(|line| line["id"] == json!(ids[0])).unwrap();
    let lock: Lock = serde_json::from_value(json!({"id": line["id"], "target": line["target"]})).unwrap();
    let request = as_person(story.client.request(Method::DELETE, &format!("/api/v1/locks/{}", ids[0])), &mara);
    assert_eq!(refused(&proviso_tests::Client::send(request).await), refusal(403, "presence_needed"));
    let lift = async |id: &str, body: &Value| {
        let request = story.client.request(Method::DELETE, &format!("/api/v1/locks/{id}")).json(body);
        proviso_tests::Client::send(as_person(request, &mara)).await
    };
    assert_eq!(refused(&lift(&ids[0], &json!({})).await), refusal(403, "presence_needed"));
    let of = Decided {
        act: SignedAct::LiftLock,
        user: "mara".to_owned(),
        about: ids[0].clone(),
        shown: Digest::of_json(&lock).unwrap(),
        reason: String::new(),
    };
    // A body that the gate does not read says nothing, and one that it reads in part is none.
    let plain = story.client.request(Method::DELETE, &format!("/api/v1/locks/{}", ids[0])).body("{}");
    let plain = proviso_tests::Client::send(as_person(plain, &mara)).await;
    assert_eq!((plain.status.as_u16(), plain.code().as_str()), (415, "unsupported_media_type"));
    assert_eq!(lift(&ids[0], &json!({"signatures": []})).await.status.as_u16(), 400);
    // What was signed for one lock lifts no other.
    let signature = signed(&story, &mara, &of, &mut authenticator).await;
    assert_eq!(refused(&lift(&ids[1], &json!({"signature": signature})).await), refusal(409, "other_challenge"));
    let begun = begin(&story, &mara, SignedAct::LiftLock, &ids[0]).await;
    let other = Decided { shown: Digest::of(b"another"), ..of.clone() };
    let signature = sign(&begun, &other, &mut authenticator);
    assert_eq!(refused(&lift(&ids[0], &json!({"signature": signature})).await), refusal(403, "bad_assertion"));
    let signature = signed(&story, &mara, &of, &mut authenticator).await;
    let lifted = lift(&ids[0], &json!({"signature": signature})).await;
    assert_eq!(lifted.json()["lifted"], true, "{lifted:?}");
    let told = verified(story.gate.data());
    assert_eq!((&told["verified"], &told["signatures"]), (&json!(true), &json!(1)), "{told}");
}
