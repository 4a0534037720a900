//! Signed votes: where they are demanded, what one has to be, and what of them counts.

use std::sync::Arc;

use proviso_tests::{AGENTS, Setup, Story, TestClock, TestGate, write_file};
use serde_json::json;

use super::authenticator::Authenticator;
use super::{add, cast, demanding, holder, open, refusal, refused, setup, signed, story, vote, vote_challenge};
use crate::sign_in::{browser, provider::Provider};

#[tokio::test]
async fn terms_that_demand_a_signature_take_no_other_approval() {
    let story = story().await;
    let id = open(&story, "c1").await;
    let ola = story.gate.person("ola").await;
    let detail = async |person: &str| story.client.get(&format!("/api/v1/exceptions/{id}"), Some(person)).await.json();
    assert_eq!(detail(&ola).await["exception"]["terms"]["presence"], "signature");
    // Whoever has no passkey is told so before, and may ask and refuse all the same.
    assert_eq!(detail(&ola).await["allowed"]["approve"], json!({"no": "presence_needed"}));
    assert_eq!(detail(&ola).await["allowed"]["refuse"], "yes");
    assert_eq!(refused(&story.vote(&ola, &id, "approve", None).await), refusal(403, "presence_needed"));
    let challenge = format!("/api/v1/exceptions/{id}/votes/challenge");
    assert_eq!(refused(&story.client.post(&challenge, &ola, &json!(null)).await), refusal(409, "no_passkey"));
    assert_eq!(story.vote(&ola, &id, "ask", None).await.json()["state"], "requested");
    let (mara, mut authenticator) = holder(&story, "mara", 1).await;
    assert_eq!(detail(&mara).await["allowed"]["approve"], "yes");
    assert_eq!(refused(&story.vote(&mara, &id, "approve", None).await), refusal(403, "presence_needed"));
    let voted = vote(&story, (&mara, "mara"), &id, &mut authenticator).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    // The record holds all of it.
    let cast = detail(&mara).await["exception"]["votes"][1].clone();
    let (proof, credential) = (&cast["proof"], authenticator.credential());
    assert_eq!((&proof["by"], &proof["credential"]), (&json!("signature"), &json!(credential)));
    assert_eq!((&cast["assurance"], &proof["rp_id"]), (&json!("webauthn"), &json!("gate.example")));
    let statement: serde_json::Value = serde_json::from_str(proof["statement"].as_str().unwrap()).unwrap();
    assert_eq!((&statement["sheet"], &statement["exception"]), (&cast["sheet"], &json!(id)));
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "use")).await;
    assert_eq!(answer.json()["decision"], true, "{answer:?}");
}

#[tokio::test]
async fn a_refusal_needs_no_signature() {
    let story = story().await;
    let id = open(&story, "c1").await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "refuse", None).await.json()["state"], "denied");
}

#[tokio::test]
async fn a_signature_is_good_once_here_now_and_for_this_vote() {
    let story = story().await;
    let (one, other) = (open(&story, "c1").await, {
        let call = write_file("report-writer", "/srv/files/reports/b.md", "c2");
        story.ask(&call, None).await
    });
    let (mara, mut authenticator) = holder(&story, "mara", 1).await;
    let (ola, mut others) = holder(&story, "ola", 2).await;
    let ballot = story.ballot(&mara, &one, "approve", None).await;
    let begin = async || vote_challenge(&story, &mara, &one).await;
    let state = async || {
        let detail = story.client.get(&format!("/api/v1/exceptions/{one}"), Some(&mara)).await.json();
        (detail["state"].clone(), detail["exception"]["votes"].as_array().unwrap().len())
    };
    let bad = || refusal(403, "bad_assertion");
    // Another page, another name, nobody there, nobody verified.
    type Wrong = fn(&mut Authenticator);
    let wrongs: [Wrong; 5] = [
        |one| one.origin = "https://evil.example".to_owned(),
        |one| one.origin = "https://gate.example:8443".to_owned(),
        |one| one.rp_id = "evil.example".to_owned(),
        |one| one.flags = 0x04,
        |one| one.flags = 0x01,
    ];
    for wrong in wrongs {
        let mut twisted = authenticator.clone();
        wrong(&mut twisted);
        let body = signed(&begin().await, "mara", &one, &ballot, &mut twisted);
        assert_eq!(refused(&cast(&story, &mara, &one, &body).await), bad());
    }
    // A signature of other words: another exception, person, decision, reason, scope, sheet.
    let mut reworded = ballot.clone();
    reworded["reason"] = json!("another reason");
    let mut narrowed = ballot.clone();
    narrowed["grant"]["valid_for"] = json!("10m");
    let mut resheeted = ballot.clone();
    resheeted["sheet"] = json!("0".repeat(64));
    let mut refusing = ballot.clone();
    refusing["decision"] = json!("refuse");
    for (user, id, words) in [
        ("mara", &other, &ballot),
        ("ola", &one, &ballot),
        ("mara", &one, &reworded),
        ("mara", &one, &narrowed),
        ("mara", &one, &resheeted),
        ("mara", &one, &refusing),
    ] {
        let begun = begin().await;
        let mut body = ballot.clone();
        body["signature"] = signed(&begun, user, id, words, &mut authenticator)["signature"].clone();
        assert_eq!(refused(&cast(&story, &mara, &one, &body).await), bad(), "{user} {id} {words}");
    }
    // Another's passkey, also under one's own name; and the other way round.
    let body = signed(&begin().await, "mara", &one, &ballot, &mut others);
    assert_eq!(refused(&cast(&story, &mara, &one, &body).await), refusal(403, "unknown_passkey"));
    let hers = story.ballot(&ola, &one, "approve", None).await;
    let begun = vote_challenge(&story, &ola, &one).await;
    let body = signed(&begun, "ola", &one, &hers, &mut authenticator);
    assert_eq!(refused(&cast(&story, &ola, &one, &body).await), refusal(403, "unknown_passkey"));
    // A challenge of another session, of another exception, of a sign-in, of nobody.
    let elsewhere = story.gate.person("mara").await;
    let signing_in = story.client.post("/api/v1/passkeys/sign_in/challenge", "", &json!(null)).await.json();
    let mut held = vec![json!("x.y"), signing_in["held"].clone()];
    held.push(vote_challenge(&story, &elsewhere, &one).await["held"].clone());
    held.push(vote_challenge(&story, &mara, &other).await["held"].clone());
    for held in held {
        let mut body = signed(&begin().await, "mara", &one, &ballot, &mut authenticator);
        body["signature"]["held"] = held;
        assert_eq!(refused(&cast(&story, &mara, &one, &body).await), refusal(409, "other_challenge"));
    }
    // Another nonce of the same session than the one that was signed.
    let mut body = signed(&begin().await, "mara", &one, &ballot, &mut authenticator);
    body["signature"]["held"] = begin().await["held"].clone();
    assert_eq!(refused(&cast(&story, &mara, &one, &body).await), bad());
    // Five minutes later.
    let late = signed(&begin().await, "mara", &one, &ballot, &mut authenticator);
    story.gate.clock.advance(5 * 60);
    assert_eq!(refused(&cast(&story, &mara, &one, &late).await), refusal(409, "challenge_over"));
    assert_eq!(state().await, (json!("requested"), 0), "none of these was a vote");
    // One that holds is used up also where the sheet is stale: what was signed is signed again.
    let mut stale = ballot.clone();
    stale["as_of"] = json!(stale["as_of"].as_u64().unwrap() - 1);
    let body = signed(&begin().await, "mara", &one, &stale, &mut authenticator);
    assert_eq!(refused(&cast(&story, &mara, &one, &body).await), refusal(409, "stale_sheet"));
    assert_eq!(refused(&cast(&story, &mara, &one, &body).await), refusal(409, "challenge_over"));
    let ballot = story.ballot(&mara, &one, "approve", None).await;
    let body = signed(&begin().await, "mara", &one, &ballot, &mut authenticator);
    assert_eq!(cast(&story, &mara, &one, &body).await.json()["state"], "granted");
    // The very same again, as a click on a slow line sends it: done already.
    assert_eq!(cast(&story, &mara, &one, &body).await.status.as_u16(), 200);
    assert_eq!(state().await, (json!("granted"), 1));
}

#[tokio::test]
async fn a_passkey_that_was_ended_signs_nothing() {
    let story = story().await;
    let id = open(&story, "c1").await;
    let (mara, mut authenticator) = holder(&story, "mara", 1).await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let begun = vote_challenge(&story, &mara, &id).await;
    let listed = story.client.get("/api/v1/passkeys", Some(&mara)).await.json();
    let path = format!("/api/v1/passkeys/{}", listed["passkeys"][0]["id"].as_str().unwrap());
    let request = proviso_tests::as_person(story.client.request(reqwest::Method::DELETE, &path), &mara);
    assert_eq!(proviso_tests::Client::send(request).await.status.as_u16(), 204);
    let body = signed(&begun, "mara", &id, &ballot, &mut authenticator);
    assert_eq!(refused(&cast(&story, &mara, &id, &body).await), refusal(403, "unknown_passkey"));
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    assert_eq!(detail["allowed"]["approve"], json!({"no": "presence_needed"}));
}

#[tokio::test]
async fn a_further_passkey_waits_a_day_before_it_votes_above_the_lowest_tier() {
    // A folder is of the lowest tier: there, too, a vote is signed.
    let mut bundle = demanding(None);
    let files = bundle.get_mut("approval/request/files.cedar").unwrap();
    *files = files.replacen("@presence(\"session\")\n", "", 1);
    let story = Story::on(TestGate::with(Setup { bundle, ..setup() }).await).await;
    let id = open(&story, "c1").await;
    let folder = json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}report-writer")},
        "action": {"name": "create_directory"},
        "resource": {"type": "Volume", "id": "files"},
        "context": {"input": {"path": "/srv/files/new"}, "proviso.dev/server": "files", "proviso.dev/call": "c2"},
    });
    let low = story.ask(&folder, None).await;
    let (mara, _) = holder(&story, "mara", 1).await;
    // Whoever sits at her session adds one of their own.
    let mut added = Authenticator::new(2);
    let list = add(&story, &mara, &mut added, "another").await.json();
    let of_her = list["passkeys"].as_array().unwrap();
    let another = of_her.iter().find(|passkey| passkey["label"] == "another").unwrap();
    assert_ne!(another["counts_from"], another["added_at"]);
    assert_eq!(refused(&vote(&story, (&mara, "mara"), &id, &mut added).await), refusal(403, "passkey_too_new"));
    let voted = vote(&story, (&mara, "mara"), &low, &mut added).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    // A refusal by it is a refusal.
    let ballot = story.ballot(&mara, &id, "refuse", None).await;
    let begun = vote_challenge(&story, &mara, &id).await;
    let body = signed(&begun, "mara", &id, &ballot, &mut added);
    assert_eq!(cast(&story, &mara, &id, &body).await.json()["state"], "denied");
    // A day later it is one like the first.
    story.gate.clock.advance(86_400);
    let (point, agent) = (story.gate.point("proxy", &["files"]).await, {
        story.gate.agent("report-writer", "weekly-report", Some("ines")).await
    });
    let parties = proviso_tests::Parties { client: story.client.clone(), point, agent };
    let story = Story::of(story.gate, parties);
    let call = write_file("report-writer", "/srv/files/reports/later.md", "c3");
    let id = story.ask(&call, None).await;
    let mara = story.gate.person("mara").await;
    let voted = vote(&story, (&mara, "mara"), &id, &mut added).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
}

#[tokio::test]
async fn where_policy_says_so_an_authentication_just_now_will_do_and_is_called_what_it_is() {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = browser::file(&provider, "acme", &["mara", "ola"], "step_up = { phr = \"oidc_step_up\" }");
    let with = browser::setup(&clock, &[file]);
    let with = Setup { bundle: demanding(Some("authentication")), public_url: None, ..with };
    let story = Story::on(TestGate::with(with).await).await;
    let id = open(&story, "c1").await;
    let now = || proviso::clock::Clock::now(&*clock).millis() / 1_000;
    let enter = async |claims| browser::person(&browser::enter(&story.gate, &provider, "sub-mara", claims).await);
    let weak = enter(json!({"acr": "pwd", "auth_time": now()})).await;
    assert_eq!(refused(&story.vote(&weak, &id, "approve", None).await), refusal(403, "presence_needed"));
    let strong = enter(json!({"acr": "phr", "auth_time": now()})).await;
    clock.advance(301);
    assert_eq!(
        refused(&story.vote(&strong, &id, "approve", None).await),
        refusal(403, "presence_needed"),
        "a while ago"
    );
    let strong = enter(json!({"acr": "phr", "auth_time": now()})).await;
    assert_eq!(story.vote(&strong, &id, "approve", None).await.json()["state"], "granted");
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&strong)).await.json();
    let proof = &detail["exception"]["votes"][0]["proof"];
    assert_eq!((&proof["by"], &proof["acr"]), (&json!("authentication"), &json!("phr")));
    // It is spent by that vote: another one takes another authentication.
    let call = write_file("report-writer", "/srv/files/reports/b.md", "c2");
    let other = story.ask(&call, None).await;
    assert_eq!(refused(&story.vote(&strong, &other, "approve", None).await), refusal(403, "presence_needed"), "spent");
    let again = enter(json!({"acr": "phr", "auth_time": now()})).await;
    assert_eq!(story.vote(&again, &other, "approve", None).await.json()["state"], "granted");
}
