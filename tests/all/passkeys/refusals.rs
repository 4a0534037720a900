//! What is no passkey, and adding one where nobody may.

use reqwest::Method;
use serde_json::json;

use super::authenticator::Authenticator;
use super::{add, add_with, holder, open, refusal, refused, story};

#[tokio::test]
async fn a_registration_is_of_this_challenge_this_page_and_this_session() {
    let story = story().await;
    let mara = story.gate.person("mara").await;
    let begin = async |person: &str| story.client.post("/api/v1/passkeys/challenge", person, &json!(null)).await.json();
    type Wrong = fn(&mut Authenticator);
    let wrongs: [Wrong; 5] = [
        |one| one.origin = "https://evil.example".to_owned(),
        |one| one.origin = "http://gate.example".to_owned(),
        |one| one.rp_id = "evil.example".to_owned(),
        |one| one.flags = 0x04,
        |one| one.flags = 0x01,
    ];
    for wrong in wrongs {
        let mut twisted = Authenticator::new(1);
        wrong(&mut twisted);
        assert_eq!(refused(&add(&story, &mara, &mut twisted, "x").await), refusal(403, "bad_assertion"));
    }
    let mut authenticator = Authenticator::new(1);
    // Of another challenge; of another session; touched; late; twice.
    let (mut one, other) = (begin(&mara).await, begin(&mara).await);
    one["held"] = other["held"].clone();
    let answer = add_with(&story, &mara, &mut authenticator, "x", &one).await;
    assert_eq!(refused(&answer), refusal(403, "bad_assertion"));
    let elsewhere = story.gate.person("mara").await;
    let jun = story.gate.person("jun").await;
    for person in [&elsewhere, &jun] {
        let begun = begin(&mara).await;
        let answer = add_with(&story, person, &mut authenticator, "x", &begun).await;
        assert_eq!(refused(&answer), refusal(409, "other_challenge"), "what was asked elsewhere");
    }
    let begun = begin(&mara).await;
    story.gate.clock.advance(5 * 60);
    let answer = add_with(&story, &mara, &mut authenticator, "x", &begun).await;
    assert_eq!(refused(&answer), refusal(409, "challenge_over"));
    for label in ["", " ", "a\u{7}b", &"x".repeat(65)] {
        assert_eq!(refused(&add(&story, &mara, &mut authenticator, label).await), refusal(400, "bad_label"), "{label}");
    }
    let begun = begin(&mara).await;
    assert_eq!(add_with(&story, &mara, &mut authenticator, "x", &begun).await.status.as_u16(), 201);
    let mut another = Authenticator::new(2);
    let answer = add_with(&story, &mara, &mut another, "x", &begun).await;
    assert_eq!(refused(&answer), refusal(409, "challenge_over"), "one challenge, one passkey");
    for (object, client) in [("", ""), ("!", "!"), ("oA", "e30"), (&*"A".repeat(20_000), "e30")] {
        let body = json!({
            "held": begin(&mara).await["held"], "label": "x", "attestation_object": object, "client_data": client,
        });
        let answer = story.client.post("/api/v1/passkeys", &mara, &body).await;
        assert_eq!(refused(&answer), refusal(403, "bad_assertion"), "{object:.9}");
    }
    let mut seed = 10;
    let full = loop {
        seed += 1;
        let begun = story.client.post("/api/v1/passkeys/challenge", &mara, &json!(null)).await;
        if begun.status.as_u16() != 200 {
            break begun;
        }
        let answer = add_with(&story, &mara, &mut Authenticator::new(seed), "more", &begun.json()).await;
        assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    };
    assert_eq!((refused(&full), seed), (refusal(409, "too_many_passkeys"), 26));
}

#[tokio::test]
async fn neither_tokens_nor_nobody_add_list_end_or_get_a_challenge() {
    let story = story().await;
    let (mara, _) = holder(&story, "mara", 1).await;
    let id = open(&story, "c1").await;
    let listed = story.client.get("/api/v1/passkeys", Some(&mara)).await.json();
    let one = format!("/api/v1/passkeys/{}", listed["passkeys"][0]["id"].as_str().unwrap());
    for (method, path) in [
        (Method::GET, "/api/v1/passkeys".to_owned()),
        (Method::POST, "/api/v1/passkeys/challenge".to_owned()),
        (Method::DELETE, one),
        (Method::POST, format!("/api/v1/exceptions/{id}/votes/challenge")),
    ] {
        let request = || story.client.request(method.clone(), &path);
        for (request, status, code) in [
            (request(), 401, "no_session"),
            (request().bearer_auth(&story.agent), 403, "not_a_person"),
            (request().bearer_auth(&story.point), 403, "not_a_person"),
            (request().header("cookie", proviso_tests::cookie_of(&mara)), 401, "session_key_missing"),
        ] {
            assert_eq!(refused(&proviso_tests::Client::send(request).await), refusal(status, code), "{method} {path}");
        }
    }
    // Another site's page.
    let request = proviso_tests::as_person(story.client.request(Method::POST, "/api/v1/passkeys/challenge"), &mara);
    let answer = proviso_tests::Client::send(request.header("sec-fetch-site", "cross-site")).await;
    assert_eq!(refused(&answer), refusal(403, "cross_site"));
}

#[tokio::test]
async fn whoever_left_signs_in_by_no_passkey() {
    let story = story().await;
    let (_, mut authenticator) = holder(&story, "jun", 1).await;
    let operator = proviso::app::Operator { uid: 0, name: "root".to_owned() };
    super::record::depart(&story, "jun", &operator).await;
    let answer = super::sign_in(&story, &mut authenticator).await;
    assert_eq!(refused(&answer), refusal(403, "unknown_passkey"));
}
