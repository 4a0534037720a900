//! Authenticating anew in a session: who does so, how strongly, and what becomes of the session.

use proviso::clock::Clock as _;
use proviso_tests::{Answer, Client, Setup, Story, TestGate, as_person, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Browser, by_link, person, refused};
use super::provider::{Provider, query};
use super::strength::gate_with_words;

/// A browser that is signed in as mara, and her person.
async fn signed_in(gate: &TestGate, provider: &Provider, claims: Value) -> (Browser, String) {
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let back = provider.sign_in_with(&location, "sub-mara", claims);
    let answer = browser.end(&gate.client, "acme", &back).await;
    (browser, person(&answer))
}

/// Begins to authenticate anew: where the browser goes.
async fn step_up(gate: &TestGate, browser: &mut Browser, person: &str) -> Answer {
    let request = as_person(gate.client.request(Method::POST, "/api/v1/session/step_up"), person);
    let answer = Client::send(request.json(&json!({"return_to": "/exceptions/exc_1"}))).await;
    if let Some((name, value)) = answer.header("set-cookie").split(';').next().and_then(|pair| pair.split_once('=')) {
        browser.jar.insert(name.to_owned(), value.to_owned());
    }
    answer
}

fn location(answer: &Answer) -> String {
    answer.json()["location"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn now(gate: &TestGate) -> i64 {
    gate.clock.now().millis() / 1_000
}

#[tokio::test]
async fn a_session_becomes_stronger_under_a_fresh_secret_and_no_longer() {
    let (gate, provider) = gate_with_words().await;
    let (mut browser, mara) = signed_in(&gate, &provider, json!({"acr": "pwd"})).await;
    let before = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!((&before["assurance"], &before["step_up"]), (&json!("oidc"), &json!("oidc_step_up")));
    gate.clock.advance(1_800);
    let location = location(&step_up(&gate, &mut browser, &mara).await);
    let asked = query(&location);
    for (name, value) in [("prompt", "login"), ("max_age", "0"), ("acr_values", "phr")] {
        assert_eq!(asked[name], value, "{location}");
    }
    let back = provider.sign_in_with(&location, "sub-mara", json!({"acr": "phr", "auth_time": now(&gate)}));
    let answer = browser.end(&gate.client, "acme", &back).await;
    assert_eq!(answer.json()["return_to"], "/exceptions/exc_1", "{answer:?}");
    let after = answer.json()["session"].clone();
    assert_eq!((&after["assurance"], &after["step_up"]), (&json!("oidc_step_up"), &json!(null)));
    assert_eq!(after["expires_at"], before["expires_at"], "the day is as long as it was");
    assert_eq!(
        gate.client.get("/api/v1/session", Some(&mara)).await.code(),
        "signed_out",
        "the secret of before is worth nothing"
    );
    let mara = person(&answer);
    assert_eq!(gate.client.get("/api/v1/sessions", Some(&mara)).await.json()["sessions"].as_array().unwrap().len(), 1);
    gate.clock.advance(300);
    let later = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!(
        (&later["assurance"], &later["step_up"]),
        (&json!("oidc"), &json!("oidc_step_up")),
        "it was a while ago"
    );
}

#[tokio::test]
async fn only_whoever_signed_in_makes_a_session_stronger_and_only_anew() {
    let (gate, provider) = gate_with_words().await;
    let (mut browser, mara) = signed_in(&gate, &provider, json!({})).await;
    gate.clock.advance(120);
    for (subject, acr, ago, expected) in [
        ("sub-jun", "phr", 0, (403, "other_account")),
        ("sub-mara", "phr", 61, (401, "bad_id_token")),
        ("sub-mara", "pwd", 0, (401, "bad_id_token")),
    ] {
        let location = location(&step_up(&gate, &mut browser, &mara).await);
        let claims = json!({"acr": acr, "auth_time": now(&gate) - ago});
        let answer = browser.end(&gate.client, "acme", &provider.sign_in_with(&location, subject, claims)).await;
        assert_eq!(refused(&answer), (expected.0, expected.1.to_owned()), "{subject} {acr} {ago}: {answer:?}");
        assert_eq!(
            gate.client.get("/api/v1/session", Some(&mara)).await.json()["assurance"],
            "oidc",
            "she stays as she was"
        );
    }
    // Without `auth_time` nobody knows when that was.
    let location_without = location(&step_up(&gate, &mut browser, &mara).await);
    let back = provider.sign_in_with(&location_without, "sub-mara", json!({"acr": "phr"}));
    assert_eq!(browser.end(&gate.client, "acme", &back).await.code(), "bad_id_token");
    // In a browser that has another session, hers does not go on.
    let mut other = browser.clone();
    let begun = location(&step_up(&gate, &mut other, &mara).await);
    let jun = by_link(&gate, "jun").await;
    other.jar.insert("proviso_session".to_owned(), jun.split(['=', '#']).nth(1).unwrap().to_owned());
    let back = provider.sign_in_with(&begun, "sub-mara", json!({"acr": "phr", "auth_time": now(&gate)}));
    assert_eq!(other.end(&gate.client, "acme", &back).await.code(), "signed_out");
    // Nor does one that was ended meanwhile.
    let begun = location(&step_up(&gate, &mut browser, &mara).await);
    Client::send(as_person(gate.client.request(Method::DELETE, "/api/v1/session"), &mara)).await;
    let back = provider.sign_in_with(&begun, "sub-mara", json!({"acr": "phr", "auth_time": now(&gate)}));
    let answer = browser.end(&gate.client, "acme", &back).await;
    assert!(matches!(answer.code().as_str(), "signed_out" | "other_account"), "{answer:?}");
    assert!(!answer.header("set-cookie").contains("proviso_session="));
}

#[tokio::test]
async fn a_session_by_a_link_has_nothing_to_do_anew() {
    let (gate, _) = gate_with_words().await;
    let mara = by_link(&gate, "mara").await;
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.json()["step_up"], json!(null));
    let answer = step_up(&gate, &mut Browser::default(), &mara).await;
    assert_eq!(refused(&answer), (409, "no_step_up".to_owned()));
}

#[tokio::test]
async fn a_fresh_authentication_is_good_for_one_vote() {
    let clock = std::sync::Arc::new(proviso_tests::TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = super::browser::file(&provider, "acme", &["mara", "ola"], "step_up = { phr = \"oidc_step_up\" }");
    let setup = Setup { bundle: super::strength::demanding(), ..super::browser::setup(&clock, &[file]) };
    let story = Story::on(TestGate::with(setup).await).await;
    let gate = &story.gate;
    let call = |name: &str| write_file("report-writer", &format!("/srv/files/reports/{name}.md"), name);
    let (first, second) = (story.ask(&call("a"), None).await, story.ask(&call("b"), None).await);
    let (mut browser, mut mara) = signed_in(gate, &provider, json!({"acr": "pwd"})).await;
    let vote = async |person: &str, id: &str| story.vote(person, id, "approve", None).await;
    // What is missing is told in the words of RFC 9470.
    let answer = vote(&mara, &first).await;
    assert_eq!(refused(&answer), (403, "step_up_needed".to_owned()));
    let told = answer.header("www-authenticate");
    for part in ["Bearer error=\"insufficient_user_authentication\"", "acr_values=\"phr\"", "max_age=\"0\""] {
        assert!(told.contains(part), "{told}");
    }
    let mut anew = async |mara: &str| {
        let location = location(&step_up(gate, &mut browser, mara).await);
        let claims = json!({"acr": "phr", "auth_time": now(gate)});
        person(&browser.end(&gate.client, "acme", &provider.sign_in_with(&location, "sub-mara", claims)).await)
    };
    mara = anew(&mara).await;
    // To refuse or to look takes none of it.
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.json()["assurance"], "oidc_step_up");
    assert_eq!(vote(&mara, &first).await.json()["state"], "granted");
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.json()["assurance"], "oidc", "it is spent");
    assert_eq!(refused(&vote(&mara, &second).await), (403, "step_up_needed".to_owned()));
    mara = anew(&mara).await;
    assert_eq!(vote(&mara, &second).await.json()["state"], "granted");
    // What weighs as much takes it, too.
    let emergency = story.ask(&call("e"), None).await;
    mara = anew(&mara).await;
    let path = format!("/api/v1/exceptions/{emergency}/emergency");
    assert_eq!(gate.client.post(&path, &mara, &json!({"reason": "it burns"})).await.status.as_u16(), 200);
    assert_eq!(refused(&vote(&mara, &emergency).await), (403, "step_up_needed".to_owned()));
    // Two votes at once by one authentication: one of them.
    let (third, fourth) = (story.ask(&call("c"), None).await, story.ask(&call("d"), None).await);
    mara = anew(&mara).await;
    let ballots =
        (story.ballot(&mara, &third, "approve", None).await, story.ballot(&mara, &fourth, "approve", None).await);
    let cast = async |id: &str, ballot: &Value| {
        let answer = gate.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, ballot).await;
        answer.status.as_u16()
    };
    let (one, other) = futures::join!(cast(&third, &ballots.0), cast(&fourth, &ballots.1));
    assert_eq!([one, other].iter().filter(|status| **status == 200).count(), 1, "{one} {other}");
}
