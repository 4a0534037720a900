//! Sessions: listed with where and since when, ended by their person and by an operator, idle and over by themselves.

use std::sync::Arc;

use policy_core::time::Span;
use proviso::app::{Ending, Operator, SessionLimits, Ways};
use proviso_tests::{Answer, Binary, Client, Setup, Story, TestGate, as_person, cookie_of, signed_in, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{enter, gate, person, refused};
use super::provider::Twist;

fn root() -> Operator {
    Operator { uid: 0, name: "root".to_owned() }
}

async fn sessions(gate: &TestGate, person: &str) -> Vec<Value> {
    gate.client.get("/api/v1/sessions", Some(person)).await.json()["sessions"].as_array().unwrap().clone()
}

async fn delete(gate: &TestGate, person: &str, path: &str) -> Answer {
    Client::send(as_person(gate.client.request(Method::DELETE, path), person)).await
}

/// Signs in by a link, as this browser.
async fn from(gate: &TestGate, user: &str, browser: &str) -> String {
    let link = gate.mint(proviso::identity::MintRequest::Approver { user: user.to_owned() }).await;
    let request = gate.client.request(Method::POST, "/api/v1/session").header("user-agent", browser);
    signed_in(&Client::send(request.json(&json!({"link": link.rsplit('#').next().unwrap()}))).await).unwrap()
}

#[tokio::test]
async fn a_person_sees_where_they_are_signed_in_and_ends_it() {
    let (gate, provider) = gate().await;
    let desk = from(&gate, "mara", "Desk/1.0").await;
    gate.clock.advance(60);
    let phone = from(&gate, "mara", &format!("Phone {}", "x".repeat(2_000))).await;
    gate.clock.advance(60);
    let third = person(&enter(&gate, &provider, "sub-mara", json!({})).await);
    let jun = from(&gate, "jun", "Desk/1.0").await;
    let list = sessions(&gate, &desk).await;
    let told: Vec<_> =
        list.iter().map(|line| (line["by"].as_str().unwrap(), line["current"].as_bool().unwrap())).collect();
    assert_eq!(
        told,
        [("acme", false), ("link", false), ("link", true)],
        "the newest first, and nobody else's: {list:?}"
    );
    assert_eq!(list[2]["browser"], "Desk/1.0");
    assert!(list[1]["browser"].as_str().is_none_or(|text| text.chars().count() <= 300));
    assert_eq!(
        (&list[2]["since"], &list[2]["last_seen"]),
        (&json!("2026-11-22T12:00:00.000Z"), &json!("2026-11-22T12:02:00.000Z"))
    );
    // Nobody ends what is not theirs, and nobody is told whether it is there.
    let id = |line: usize| list[line]["id"].as_str().unwrap().to_owned();
    for theirs in [id(1), "pvs_00000000000000000000000000000000".to_owned()] {
        let answer = delete(&gate, &jun, &format!("/api/v1/sessions/{theirs}")).await;
        assert_eq!(refused(&answer), (404, "unknown_session".to_owned()));
    }
    // Without the page's key nothing is listed, and nothing ended.
    assert_eq!(gate.client.get("/api/v1/sessions", Some(cookie_of(&desk))).await.code(), "session_key_missing");
    assert_eq!(delete(&gate, cookie_of(&desk), "/api/v1/sessions").await.code(), "session_key_missing");
    // What goes on in a session that is ended hears of it and nothing more.
    let stream = gate.client.request(Method::GET, "/api/v1/events").header("cookie", cookie_of(&phone));
    let stream = stream.send().await.unwrap();
    assert_eq!(delete(&gate, &desk, &format!("/api/v1/sessions/{}", id(1))).await.status.as_u16(), 204);
    assert_eq!(gate.client.get("/api/v1/exceptions", Some(&phone)).await.code(), "signed_out");
    let heard = tokio::time::timeout(std::time::Duration::from_secs(30), stream.text()).await;
    let heard = heard.expect("the stream ends").unwrap();
    assert!(!heard.contains("signed_out"), "{heard}");
    assert_eq!(refused(&delete(&gate, &desk, &format!("/api/v1/sessions/{}", id(1))).await).0, 404, "it is over");
    assert_eq!(delete(&gate, &desk, "/api/v1/sessions").await.json(), json!({"ended": 1}), "all others");
    assert_eq!(gate.client.get("/api/v1/session", Some(&third)).await.code(), "signed_out");
    assert_eq!(delete(&gate, &desk, "/api/v1/sessions").await.json(), json!({"ended": 0}));
    assert_eq!(sessions(&gate, &desk).await.len(), 1);
    assert_eq!(sessions(&gate, &jun).await.len(), 1, "nobody else's");
}

#[tokio::test]
async fn a_vote_and_the_end_of_its_session_never_both_come_first() {
    let story = Story::begin().await;
    for round in 0..5 {
        let call = write_file("report-writer", &format!("/srv/files/reports/{round}.md"), &format!("c{round}"));
        let id = story.ask(&call, None).await;
        let mara = story.gate.person("mara").await;
        let session = sessions(&story.gate, &mara).await.into_iter().find(|line| line["current"] == true).unwrap();
        let ending = Ending::One(session["id"].as_str().unwrap().to_owned());
        let by = root();
        let (address, ballot) =
            (format!("/api/v1/exceptions/{id}/votes"), story.ballot(&mara, &id, "approve", None).await);
        let cast = async || story.client.post(&address, &mara, &ballot).await;
        let (vote, ended) = tokio::join!(cast(), story.gate.app.end_sessions_as(&by, &ending));
        assert_eq!(ended.unwrap().ended, 1);
        let jun = story.gate.person("jun").await;
        let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&jun)).await.json();
        let counted = detail["exception"]["votes"].as_array().unwrap().len();
        assert_eq!(counted, usize::from(vote.status.is_success()), "what was refused does not count: {vote:?}");
        if !vote.status.is_success() {
            assert!(matches!(vote.code().as_str(), "signed_out" | "no_session"), "{vote:?}");
        }
        // Once the end is acknowledged nothing of it votes.
        let late = cast().await;
        assert_eq!(late.code(), "signed_out", "{late:?}");
    }
}

fn idle_after(seconds: u64) -> Ways {
    let sessions = SessionLimits { idle: Span::from_seconds(seconds), absolute: Span::from_seconds(3_600) };
    Ways { sessions, ..Ways::default() }
}

#[tokio::test]
async fn a_session_that_nobody_uses_is_over_and_so_is_one_that_was_used_all_day() {
    let gate = TestGate::with(Setup { ways: idle_after(600), ..Setup::default() }).await;
    let mara = gate.person("mara").await;
    let look = async |unattended: bool| {
        let request = as_person(gate.client.request(Method::GET, "/api/v1/session"), &mara);
        let request = if unattended { request.header("proviso-unattended", "1") } else { request };
        Client::send(request).await
    };
    for _ in 0..3 {
        gate.clock.advance(599);
        assert_eq!(look(false).await.status.as_u16(), 200, "somebody is there");
    }
    gate.clock.advance(300);
    assert_eq!(look(true).await.status.as_u16(), 200);
    let stream = gate.client.request(Method::GET, "/api/v1/events").header("cookie", cookie_of(&mara));
    let stream = stream.send().await.unwrap();
    assert!(stream.status().is_success());
    gate.clock.advance(300);
    // What a page asks by itself, and a stream that it holds open, keep nothing alive.
    for _ in 0..2 {
        assert_eq!(refused(&look(false).await), (401, "session_idle".to_owned()), "and it does not come back");
    }
    let again = gate.client.request(Method::GET, "/api/v1/events").header("cookie", cookie_of(&mara)).send().await;
    assert_eq!(again.unwrap().status().as_u16(), 401);
    // Used without a pause it ends all the same.
    let jun = gate.person("jun").await;
    for _ in 0..7 {
        assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.status.as_u16(), 200);
        gate.clock.advance(510);
    }
    gate.clock.advance(30);
    assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.code(), "signed_out");
}

#[tokio::test]
async fn a_gate_that_was_started_again_has_seen_nobody() {
    let setup = || Setup { ways: idle_after(600), ..Setup::default() };
    let first = setup();
    let clock = Arc::clone(&first.clock);
    let gate = TestGate::with(first).await;
    let (mara, jun) = (gate.person("mara").await, gate.person("jun").await);
    gate.clock.advance(599);
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.status.as_u16(), 200);
    let gate = gate.again(Setup { clock: Arc::clone(&clock), ..setup() }).await;
    assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.status.as_u16(), 200, "ten minutes are not over");
    clock.advance(1);
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.code(), "session_idle", "doubt is deny");
    assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.status.as_u16(), 200, "he was there a second ago");
}

#[tokio::test]
async fn an_operator_lists_and_ends_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let gate = Binary::serve(&data);
    let data = data.display().to_string();
    let run = |arguments: &[&str]| {
        let done = Binary::run(&[arguments, &["--json", "--data", &data]].concat());
        let told: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
        (done.status.code(), told)
    };
    let sign_in = async |user: &str| {
        let (_, minted) = run(&["token", "approver", "--user", user]);
        let link = minted["secret"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
        signed_in(&gate.client.post("/api/v1/session", "", &json!({"link": link})).await).unwrap()
    };
    let (mara, again, jun) = (sign_in("mara").await, sign_in("mara").await, sign_in("jun").await);
    let (exit, told) = run(&["session", "list"]);
    assert_eq!((exit, told["sessions"].as_array().unwrap().len()), (Some(0), 3), "{told}");
    let (_, told) = run(&["session", "list", "--user", "jun"]);
    let (id, by) = (told["sessions"][0]["id"].as_str().unwrap().to_owned(), &told["sessions"][0]["by"]);
    assert_eq!((told["sessions"].as_array().unwrap().len(), by), (1, &json!("link")), "{told}");
    let (exit, told) = run(&["session", "revoke", &id]);
    assert_eq!((exit, told), (Some(0), json!({"ended": 1})));
    assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.code(), "signed_out");
    let (exit, told) = run(&["session", "revoke", "--user", "mara"]);
    assert_eq!((exit, told), (Some(0), json!({"ended": 2})));
    for person in [mara, again] {
        assert_eq!(gate.client.get("/api/v1/session", Some(&person)).await.code(), "signed_out");
    }
    for (arguments, exit, code) in [
        (vec!["session", "revoke", id.as_str()], 65, "unknown_session"),
        (vec!["session", "revoke", "--user", "nobody"], 65, "unknown_person"),
        (vec!["session", "list", "--user", "nobody"], 65, "unknown_person"),
        (vec!["session", "revoke"], 64, "usage"),
        (vec!["session", "revoke", id.as_str(), "--user", "mara"], 64, "usage"),
    ] {
        let (got, told) = run(&arguments);
        assert_eq!((got, &told["error"]["code"]), (Some(exit), &json!(code)), "{arguments:?}: {told}");
    }
    gate.stop();
    let (exit, told) = run(&["audit", "verify"]);
    assert_eq!(exit, Some(0), "{told}");
}

#[tokio::test]
async fn signing_out_tells_where_one_signs_out_of_the_provider() {
    let (gate, provider) = gate().await;
    let mara = person(&enter(&gate, &provider, "sub-mara", json!({})).await);
    let answer = Client::send(as_person(gate.client.request(Method::POST, "/api/v1/session/sign_out"), &mara)).await;
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    assert!(location.starts_with(&format!("{}/end?client_id=proviso-gate&", provider.issuer)), "{location}");
    assert!(location.contains("post_logout_redirect_uri=http%3A%2F%2F127.0.0.1"), "{location}");
    assert!(answer.header("set-cookie").contains("Max-Age=0"), "{answer:?}");
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.code(), "signed_out");
    let link = gate.person("mara").await;
    let answer = Client::send(as_person(gate.client.request(Method::POST, "/api/v1/session/sign_out"), &link)).await;
    assert_eq!(answer.json(), json!({}));
    // Out is out, also where the provider is gone.
    let jun = person(&enter(&gate, &provider, "sub-jun", json!({})).await);
    provider.stop();
    for _ in 0..2 {
        gate.clock.advance(1_850);
        assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.status.as_u16(), 200);
    }
    let answer = Client::send(as_person(gate.client.request(Method::POST, "/api/v1/session/sign_out"), &jun)).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})), "{answer:?}");
    assert_eq!(gate.client.get("/api/v1/session", Some(&jun)).await.code(), "signed_out");
}

#[tokio::test]
async fn whoever_signs_out_of_the_provider_is_out_here() {
    let (gate, provider) = gate().await;
    let mara = async |sid: &str| person(&enter(&gate, &provider, "sub-mara", json!({"sid": sid})).await);
    let (left, right) = (mara("one").await, mara("two").await);
    let (jun, link) = (person(&enter(&gate, &provider, "sub-jun", json!({})).await), gate.person("mara").await);
    let send = async |token: &str| {
        let request = gate.client.request(Method::POST, "/api/v1/sign-in/acme/logged_out");
        let form = request.header("content-type", "application/x-www-form-urlencoded");
        Client::send(form.body(format!("logout_token={token}"))).await
    };
    let in_yet = async |person: &str| gate.client.get("/api/v1/session", Some(person)).await.status.is_success();
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let now = proviso::clock::Clock::now(&*gate.clock).millis() / 1_000;
    for (instead, word) in [
        (json!({"iss": "https://another.example"}), "iss"),
        (json!({"aud": "another-client"}), "aud"),
        (json!({"nonce": "x"}), "nonce"),
        (json!({"events": null}), "form"),
        (json!({"events": {"another": {}}}), "form"),
        (json!({"events": {event: 1}}), "form"),
        (json!({"exp": now - 120}), "time"),
        (json!({"iat": now - 3_600}), "time"),
        (json!({"sub": null}), "form"),
    ] {
        let answer = send(&provider.logout_token("sub-mara", &instead)).await;
        assert_eq!(refused(&answer), (400, "bad_logout_token".to_owned()), "{instead}: {answer:?}");
        assert!(answer.json()["detail"].as_str().unwrap().ends_with(&format!("`{word}`")), "{instead}: {answer:?}");
    }
    provider.twist(Twist::SwappedKey);
    assert_eq!(send(&provider.logout_token("sub-mara", &json!({}))).await.code(), "bad_logout_token");
    provider.twist(Twist::Nothing);
    let good = provider.logout_token("sub-mara", &json!({}));
    for form in ["", "x", &format!("{good}&logout_token={good}"), &format!("{good}%20")] {
        assert_eq!(send(form).await.code(), "bad_logout_token", "{form}");
    }
    assert!(in_yet(&left).await && in_yet(&right).await, "nothing of that signed anybody out");
    assert_eq!(send(&provider.logout_token("sub-mara", &json!({"sid": "one"}))).await.status.as_u16(), 200);
    assert!(!in_yet(&left).await && in_yet(&right).await, "that session of the provider's alone");
    assert_eq!(send(&good).await.status.as_u16(), 200);
    assert!(!in_yet(&right).await, "all of the account");
    assert!(in_yet(&jun).await && in_yet(&link).await, "and nobody else, and by nothing else");
    assert_eq!(send(&provider.logout_token("sub-jun", &json!({"sid": "elsewhere"}))).await.status.as_u16(), 200);
    assert!(!in_yet(&jun).await, "a session without a `sid` may be the one that was meant");
    // The same token once more ends nothing that came after it.
    gate.clock.advance(61);
    let later = mara("three").await;
    assert_eq!(send(&good).await.status.as_u16(), 200);
    assert!(in_yet(&later).await);
    let answer = Client::send(
        gate.client
            .request(Method::POST, "/api/v1/sign-in/nobody/logged_out")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("logout_token=x"),
    )
    .await;
    assert_eq!(refused(&answer), (404, "unknown_provider".to_owned()));
}
