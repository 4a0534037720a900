//! A person's passkeys: added, listed, ended; signing in by one; a copy of one.

use proviso_tests::{Setup, Story, TestGate, signed_in};
use reqwest::Method;
use serde_json::{Value, json};

use super::authenticator::Authenticator;
use super::{add, cast, holder, open, refusal, refused, setup, sign_in, signed, story, vote, vote_challenge};

async fn list(story: &Story, person: &str) -> Value {
    story.client.get("/api/v1/passkeys", Some(person)).await.json()
}

async fn end(story: &Story, person: &str, id: &str) -> (u16, String) {
    let path = format!("/api/v1/passkeys/{id}");
    let request = proviso_tests::as_person(story.client.request(Method::DELETE, &path), person);
    refused(&proviso_tests::Client::send(request).await)
}

#[tokio::test]
async fn a_person_adds_lists_and_ends_passkeys_of_their_own() {
    let story = story().await;
    let (mara, authenticator) = holder(&story, "mara", 1).await;
    let listed = list(&story, &mara).await;
    let line = &listed["passkeys"][0];
    assert_eq!(
        (&listed["rp_id"], &line["label"], &line["state"]),
        (&json!("gate.example"), &json!("laptop"), &json!("live"))
    );
    assert_eq!(
        (&line["algorithm"], &line["counts_from"]),
        (&json!("ES256"), &line["added_at"]),
        "the first counts at once"
    );
    // An authenticator that holds one is asked to make no second.
    let challenge = story.client.post("/api/v1/passkeys/challenge", &mara, &json!(null)).await.json();
    assert_eq!(challenge["exclude"], json!([authenticator.credential()]));
    assert!(!challenge["user"].as_str().unwrap().contains("mara"), "the authenticator is told no name to know her by");
    // Nobody sees or ends another's.
    let jun = story.gate.person("jun").await;
    assert_eq!(list(&story, &jun).await["passkeys"], json!([]));
    let id = line["id"].as_str().unwrap();
    assert_eq!(end(&story, &jun, id).await, refusal(404, "no_such_passkey"));
    // Nor adds what is somebody's.
    let mut same = authenticator.clone();
    assert_eq!(refused(&add(&story, &jun, &mut same, "mine").await), refusal(409, "passkey_taken"));
    assert_eq!(end(&story, &mara, id).await.0, 204);
    assert_eq!(list(&story, &mara).await["passkeys"], json!([]));
    assert_eq!(end(&story, &mara, id).await, refusal(404, "no_such_passkey"), "once");
    // What has ended is nobody's anew.
    let mut same = authenticator.clone();
    assert_eq!(refused(&add(&story, &mara, &mut same, "again").await), refusal(409, "passkey_taken"));
    let kinds = super::record::kinds(&story);
    assert!(kinds.contains(&"passkey_added".to_owned()) && kinds.contains(&"passkey_ended".to_owned()), "{kinds:?}");
}

#[tokio::test]
async fn whoever_has_a_passkey_signs_in_by_it_and_nobody_else() {
    let story = story().await;
    let (_, mut authenticator) = holder(&story, "mara", 1).await;
    let answer = sign_in(&story, &mut authenticator).await;
    let mara = signed_in(&answer).unwrap_or_else(|| panic!("{answer:?}"));
    let session = story.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!((&session["person"]["id"], &session["assurance"]), (&json!("mara"), &json!("webauthn")));
    let sessions = story.client.get("/api/v1/sessions", Some(&mara)).await.json();
    let by = sessions["sessions"].as_array().unwrap().iter().find(|line| line["current"] == true).unwrap();
    assert_eq!(by["by"], "passkey");
    // Each check, with an answer in which only that one is wrong.
    type Wrong = fn(&mut Authenticator);
    let wrongs: [(&str, Wrong); 4] = [
        ("another page", |one| one.origin = "https://evil.example".to_owned()),
        ("another name", |one| one.rp_id = "evil.example".to_owned()),
        ("nobody there", |one| one.flags = 0x04),
        ("not verified", |one| one.flags = 0x01),
    ];
    for (what, wrong) in wrongs {
        let mut twisted = authenticator.clone();
        wrong(&mut twisted);
        assert_eq!(refused(&sign_in(&story, &mut twisted).await), refusal(403, "bad_assertion"), "{what}");
    }
    let mut stranger = Authenticator::new(9);
    assert_eq!(refused(&sign_in(&story, &mut stranger).await), refusal(403, "unknown_passkey"));
    let begin = async || story.client.post("/api/v1/passkeys/sign_in/challenge", "", &json!(null)).await.json();
    let post = async |body: &Value| refused(&story.client.post("/api/v1/passkeys/sign_in", "", body).await);
    // An authenticator that means somebody else.
    let mut body = authenticator.sign_in(&begin().await);
    body["user"] = json!("AAAA");
    assert_eq!(post(&body).await, refusal(403, "unknown_passkey"));
    // An answer to another challenge; the same answer twice; one that comes late.
    let (one, other) = (begin().await, begin().await);
    let mut body = authenticator.sign_in(&one);
    body["held"] = other["held"].clone();
    assert_eq!(post(&body).await, refusal(403, "bad_assertion"));
    let body = authenticator.sign_in(&one);
    assert_eq!(post(&body).await.0, 200);
    assert_eq!(post(&body).await, refusal(409, "challenge_over"), "one challenge, one session");
    let late = authenticator.sign_in(&begin().await);
    story.gate.clock.advance(5 * 60);
    assert_eq!(post(&late).await, refusal(409, "challenge_over"));
    // What somebody made up, or touched.
    let mut body = authenticator.sign_in(&begin().await);
    for held in ["", "x", "a.b", &"x".repeat(5_000)] {
        body["held"] = json!(held);
        assert_eq!(post(&body).await, refusal(409, "other_challenge"), "{held:.20}");
    }
    // A challenge of something else.
    let mara_again = story.gate.person("mara").await;
    let adding = story.client.post("/api/v1/passkeys/challenge", &mara_again, &json!(null)).await.json();
    assert_eq!(post(&authenticator.sign_in(&adding)).await, refusal(409, "other_challenge"));
}

#[tokio::test]
async fn ending_a_passkey_ends_the_sessions_that_it_made() {
    let story = story().await;
    let (link, mut authenticator) = holder(&story, "mara", 1).await;
    let by_passkey = signed_in(&sign_in(&story, &mut authenticator).await).unwrap();
    let id = list(&story, &link).await["passkeys"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(end(&story, &link, &id).await.0, 204);
    let answer = story.client.get("/api/v1/session", Some(&by_passkey)).await;
    assert_eq!(refused(&answer), refusal(401, "signed_out"));
    assert_eq!(story.client.get("/api/v1/session", Some(&link)).await.status.as_u16(), 200, "others stand");
    assert_eq!(refused(&sign_in(&story, &mut authenticator).await), refusal(403, "unknown_passkey"));
}

#[tokio::test]
async fn a_further_passkey_signs_in_no_more_strongly_than_a_link_for_a_day() {
    let story = story().await;
    let (mara, _) = holder(&story, "mara", 1).await;
    let mut added = Authenticator::new(2);
    assert_eq!(add(&story, &mara, &mut added, "another").await.status.as_u16(), 201);
    let assurance = async |authenticator: &mut Authenticator| {
        let session = signed_in(&sign_in(&story, authenticator).await).unwrap();
        story.client.get("/api/v1/session", Some(&session)).await.json()["assurance"].clone()
    };
    assert_eq!(assurance(&mut added).await, "link", "whoever sat at her session a moment ago");
    story.gate.clock.advance(86_400);
    assert_eq!(assurance(&mut added).await, "webauthn");
}

#[tokio::test]
async fn ending_anothers_session_ends_what_it_added_and_an_operator_ends_all() {
    let story = story().await;
    let mara = story.gate.person("mara").await;
    let stranger = story.gate.person("mara").await;
    let mut planted = Authenticator::new(1);
    assert_eq!(add(&story, &stranger, &mut planted, "mine").await.status.as_u16(), 201);
    let request = proviso_tests::as_person(story.client.request(Method::DELETE, "/api/v1/sessions"), &mara);
    assert_eq!(proviso_tests::Client::send(request).await.json()["ended"], 1);
    assert_eq!(list(&story, &mara).await["passkeys"], json!([]));
    assert_eq!(refused(&sign_in(&story, &mut planted).await), refusal(403, "unknown_passkey"));
    // What she adds herself stays when she signs out.
    let mut own = Authenticator::new(2);
    assert_eq!(add(&story, &mara, &mut own, "laptop").await.status.as_u16(), 201);
    let answer = story.client.post("/api/v1/session/sign_out", &mara, &json!({})).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(sign_in(&story, &mut own).await.status.as_u16(), 200);
    let operator = proviso::app::Operator { uid: 0, name: "root".to_owned() };
    story.gate.app.end_sessions_as(&operator, &proviso::app::Ending::AllOf("mara".to_owned())).await.unwrap();
    assert_eq!(refused(&sign_in(&story, &mut own).await), refusal(403, "unknown_passkey"));
}

#[tokio::test]
async fn two_tabs_are_no_copy() {
    let story = story().await;
    let mara = story.gate.person("mara").await;
    let mut authenticator = Authenticator::counting(1);
    assert_eq!(add(&story, &mara, &mut authenticator, "key").await.status.as_u16(), 201);
    let begin = async || story.client.post("/api/v1/passkeys/sign_in/challenge", "", &json!(null)).await.json();
    let post = async |body: &Value| refused(&story.client.post("/api/v1/passkeys/sign_in", "", body).await);
    let (one, other) = (begin().await, begin().await);
    let (first, second) = (authenticator.sign_in(&one), authenticator.sign_in(&other));
    story.gate.clock.advance(1);
    assert_eq!(post(&second).await.0, 200);
    assert_eq!(post(&first).await, refusal(409, "challenge_over"), "it came late, and says nothing of a copy");
    assert_eq!(list(&story, &mara).await["passkeys"][0]["state"], "live");
}

#[tokio::test]
async fn a_passkey_whose_counter_has_not_grown_is_suspended() {
    let story = story().await;
    let mara = story.gate.person("mara").await;
    let mut authenticator = Authenticator::counting(1);
    assert_eq!(add(&story, &mara, &mut authenticator, "key").await.status.as_u16(), 201);
    assert_eq!(sign_in(&story, &mut authenticator).await.status.as_u16(), 200);
    // Somebody copies it, and each of the two goes on.
    let mut copy = authenticator.clone();
    let id = open(&story, "c1").await;
    let voted = vote(&story, (&mara, "mara"), &id, &mut authenticator).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    assert_eq!(list(&story, &mara).await["passkeys"][0]["state"], "live");
    assert_eq!(refused(&sign_in(&story, &mut copy).await), refusal(403, "passkey_cloned"));
    // Nobody knows which of the two is hers: neither signs any more.
    assert_eq!(list(&story, &mara).await["passkeys"][0]["state"], "suspended");
    assert_eq!(refused(&sign_in(&story, &mut authenticator).await), refusal(403, "unknown_passkey"));
    let other = story.ask(&proviso_tests::write_file("report-writer", "/srv/files/reports/b.md", "c2"), None).await;
    let challenge = format!("/api/v1/exceptions/{other}/votes/challenge");
    assert_eq!(refused(&story.client.post(&challenge, &mara, &json!(null)).await), refusal(409, "no_passkey"));
    let findings = story.client.get("/api/v1/findings?kind=cloned_passkey", Some(&mara)).await.json();
    let finding = &findings["findings"][0];
    assert_eq!((&finding["kind"], &finding["subject"]["id"]), (&json!("cloned_passkey"), &json!("mara")), "{findings}");
    // It stays so after a restart, and she ends it herself.
    let story = Story::on(story.gate.again(setup()).await).await;
    let mara = story.gate.person("mara").await;
    let line = list(&story, &mara).await["passkeys"][0].clone();
    assert_eq!(line["state"], "suspended");
    assert_eq!(end(&story, &mara, line["id"].as_str().unwrap()).await.0, 204);
}

#[tokio::test]
async fn a_copy_is_noticed_at_a_vote_and_nothing_is_voted() {
    let story = story().await;
    let mara = story.gate.person("mara").await;
    let mut authenticator = Authenticator::counting(1);
    assert_eq!(add(&story, &mara, &mut authenticator, "key").await.status.as_u16(), 201);
    let mut copy = authenticator.clone();
    assert_eq!(sign_in(&story, &mut authenticator).await.status.as_u16(), 200);
    let id = open(&story, "c1").await;
    let answer = vote(&story, (&mara, "mara"), &id, &mut copy).await;
    assert_eq!(refused(&answer), refusal(403, "passkey_cloned"));
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    assert_eq!((&detail["state"], &detail["exception"]["votes"]), (&json!("requested"), &json!([])));
}

#[tokio::test]
async fn a_gate_without_a_name_takes_none_and_offers_nothing_that_needs_one() {
    let story = Story::on(TestGate::with(Setup { public_url: None, ..setup() }).await).await;
    let mara = story.gate.person("mara").await;
    let post = async |path: &str, person: &str| refused(&story.client.post(path, person, &json!(null)).await);
    assert_eq!(post("/api/v1/passkeys/challenge", &mara).await, refusal(409, "passkeys_unavailable"));
    assert_eq!(post("/api/v1/passkeys/sign_in/challenge", "").await, refusal(409, "passkeys_unavailable"));
    assert_eq!(list(&story, &mara).await.get("rp_id"), None);
    // Offered, it would wait for votes that nobody can cast.
    let call = proviso_tests::write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let answer = story.evaluate(&call).await.json();
    assert_eq!(answer["context"]["reason"], "terms_unavailable", "{answer}");
}

#[tokio::test]
async fn after_a_restart_passkeys_sign_and_challenges_of_before_do_not() {
    let story = story().await;
    let (mara, mut authenticator) = holder(&story, "mara", 1).await;
    let id = open(&story, "c1").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await;
    let begun = vote_challenge(&story, &mara, &id).await;
    let body = signed(&begun, "mara", &id, &ballot, &mut authenticator);
    let story = Story::on(story.gate.again(setup()).await).await;
    assert_eq!(refused(&cast(&story, &mara, &id, &body).await), refusal(409, "challenge_over"));
    let voted = vote(&story, (&mara, "mara"), &id, &mut authenticator).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
}
