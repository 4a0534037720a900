//! A sign-in under way: whose it is, how long it lasts, and what it cannot be turned into.

use std::sync::Arc;

use proviso_tests::{Setup, TestClock, TestGate};
use serde_json::json;

use super::browser::{Browser, by_link, enter, file, gate, person, refused, setup};
use super::provider::{Back, Provider, Twist, query};

const NOT_HERE: &str = "sign_in_not_begun_here";

#[tokio::test]
async fn only_the_browser_that_began_a_sign_in_ends_it() {
    let (gate, provider) = gate().await;
    let mut mallory = Browser::default();
    let location = mallory.begin(&gate.client, "acme").await;
    // Mallory signs in as himself and sends somebody the address that he was sent back to (CSRF on the callback).
    let answer = provider.sign_in(&location, "sub-jun");
    let mut victim = Browser::default();
    let refused_here = victim.end(&gate.client, "acme", &answer).await;
    assert_eq!(refused(&refused_here), (401, NOT_HERE.to_owned()));
    // Also to a browser that is signing in itself: its own sign-in is not that one.
    let own = victim.begin(&gate.client, "acme").await;
    let refused_here = victim.end(&gate.client, "acme", &answer).await;
    assert_eq!(refused(&refused_here), (401, NOT_HERE.to_owned()));
    // He cannot dress his answer up in the victim's state's beginning either.
    let mut dressed = answer.clone();
    let victims = query(&own)["state"].clone();
    dressed.state = victims.chars().take(16).chain(answer.state.chars().skip(16)).collect();
    let refused_here = victim.end(&gate.client, "acme", &dressed).await;
    assert_eq!(refused(&refused_here), (401, NOT_HERE.to_owned()));
    for state in ["", "x", "../../../../../x", &"0".repeat(64)] {
        let back = Back { state: state.to_owned(), ..answer.clone() };
        assert_eq!(refused(&mallory.end(&gate.client, "acme", &back).await), (401, NOT_HERE.to_owned()), "{state}");
    }
    assert_eq!(mallory.end(&gate.client, "acme", &answer).await.status.as_u16(), 200, "his own browser");
}

#[tokio::test]
async fn what_a_browser_holds_of_a_sign_in_cannot_be_written() {
    let (gate, provider) = gate().await;
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let back = provider.sign_in(&location, "sub-mara");
    let held = browser.jar.clone();
    let (name, value) = held.iter().next().unwrap();
    let (body, code) = value.split_once('.').unwrap();
    let mut other = body.to_owned();
    let last = other.pop();
    other.push(if last == Some('A') { 'B' } else { 'A' });
    for forged in [format!("{other}.{code}"), format!("{body}.{}", "0".repeat(64)), body.to_owned(), String::new()] {
        let mut browser = Browser { jar: [(name.clone(), forged)].into() };
        assert_eq!(refused(&browser.end(&gate.client, "acme", &back).await), (401, NOT_HERE.to_owned()));
    }
    let twice = format!("{name}={value}; {name}={value}");
    let request = gate.client.request(reqwest::Method::POST, "/api/v1/sign-in/finish").header("cookie", twice);
    let body = json!({"provider": "acme", "state": back.state, "code": back.code, "iss": back.iss});
    let answer = proviso_tests::Client::send(request.json(&body)).await;
    assert_eq!(refused(&answer), (401, NOT_HERE.to_owned()), "two cookies of a name: somebody planted one");
}

#[tokio::test]
async fn one_attempt_one_session() {
    let (gate, provider) = gate().await;
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let held = browser.clone();
    let back = provider.sign_in(&location, "sub-mara");
    // Twice at once: one of the two.
    let (mut left, mut right) = (held.clone(), held.clone());
    let both = tokio::join!(left.end(&gate.client, "acme", &back), right.end(&gate.client, "acme", &back));
    let mut codes = [both.0.code(), both.1.code()];
    codes.sort();
    assert_eq!(codes, [String::new(), "sign_in_over".to_owned()]);
    // And never again, also with a fresh code of the provider's.
    let fresh = provider.sign_in(&location, "sub-mara");
    assert_eq!(refused(&held.clone().end(&gate.client, "acme", &fresh).await), (401, "sign_in_over".to_owned()));
}

#[tokio::test]
async fn a_sign_in_takes_ten_minutes_and_one_run_of_the_gate() {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = file(&provider, "acme", &["mara"], "");
    let gate = TestGate::with(setup(&clock, std::slice::from_ref(&file))).await;
    let (mut late, mut in_time, mut restarted) = (Browser::default(), Browser::default(), Browser::default());
    let location = late.begin(&gate.client, "acme").await;
    let back = provider.sign_in(&location, "sub-mara");
    gate.clock.advance(1);
    let in_time_location = in_time.begin(&gate.client, "acme").await;
    gate.clock.advance(599);
    assert_eq!(refused(&late.end(&gate.client, "acme", &back).await), (401, "sign_in_over".to_owned()));
    let back = provider.sign_in(&in_time_location, "sub-mara");
    assert_eq!(in_time.end(&gate.client, "acme", &back).await.status.as_u16(), 200);
    // The gate that is started again has not seen which attempts were made.
    let location = restarted.begin(&gate.client, "acme").await;
    let back = provider.sign_in(&location, "sub-mara");
    let public_url = Some(gate.client.url.clone());
    let gate = gate.again(Setup { public_url, ..setup(&clock, &[file]) }).await;
    let answer = restarted.end(&gate.client, "acme", &back).await;
    assert_eq!(refused(&answer), (401, "sign_in_over".to_owned()), "{answer:?}");
}

#[tokio::test]
async fn another_providers_answer_is_none() {
    let clock = Arc::new(TestClock::new());
    let (acme, other) = (Provider::start(&clock).await, Provider::start(&clock).await);
    let files = [file(&acme, "acme", &["mara"], ""), file(&other, "other", &["jun"], "")];
    let gate = TestGate::with(setup(&clock, &files)).await;
    for (iss, what) in [(Some(other.issuer.clone()), "another's"), (None, "nobody's, where each answer is named")] {
        let mut browser = Browser::default();
        let location = browser.begin(&gate.client, "acme").await;
        let back = Back { iss, ..acme.sign_in(&location, "sub-mara") };
        assert_eq!(
            refused(&browser.end(&gate.client, "acme", &back).await),
            (401, "other_issuer".to_owned()),
            "{what}"
        );
    }
    // It arrives at the other one's address.
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let back = acme.sign_in(&location, "sub-mara");
    assert_eq!(refused(&browser.end(&gate.client, "other", &back).await), (401, NOT_HERE.to_owned()));
    // One that names no issuer at all is told by where the answer arrives.
    other.names_issuer(false);
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "other").await;
    let back = other.sign_in(&location, "sub-jun");
    assert!(back.iss.is_none());
    assert_eq!(browser.end(&gate.client, "other", &back).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_worth_nothing() {
    let (gate, provider) = gate().await;
    let (mut mallory, mut victim) = (Browser::default(), Browser::default());
    let stolen = victim.begin(&gate.client, "acme").await;
    let stolen = provider.sign_in(&stolen, "sub-mara");
    let own = mallory.begin(&gate.client, "acme").await;
    let own = provider.sign_in(&own, "sub-jun");
    // Mallory has seen mara's code, and brings it with his own state. The provider holds it against PKCE.
    let mixed = Back { code: stolen.code.clone(), ..own };
    assert_eq!(refused(&mallory.end(&gate.client, "acme", &mixed).await), (401, "sign_in_refused".to_owned()));
    // And one that does not look is caught by the nonce.
    provider.twist(Twist::NoPkce);
    let stolen = victim.begin(&gate.client, "acme").await;
    let stolen = provider.sign_in(&stolen, "sub-mara");
    let own = mallory.begin(&gate.client, "acme").await;
    let mixed = Back { code: stolen.code, ..provider.sign_in(&own, "sub-jun") };
    let answer = mallory.end(&gate.client, "acme", &mixed).await;
    assert_eq!(refused(&answer), (401, "bad_id_token".to_owned()));
    assert!(answer.json()["detail"].as_str().unwrap().ends_with("`nonce`"), "{answer:?}");
    // A code that was redeemed, or that nobody gave.
    for code in ["code-1", "", "made-up"] {
        let mut browser = Browser::default();
        let location = browser.begin(&gate.client, "acme").await;
        let back = Back { code: Some(code.to_owned()), ..provider.sign_in(&location, "sub-mara") };
        assert_eq!(
            refused(&browser.end(&gate.client, "acme", &back).await),
            (401, "sign_in_refused".to_owned()),
            "{code}"
        );
    }
}

#[tokio::test]
async fn what_the_provider_refused_is_told_as_its_word_and_nothing_more() {
    let (gate, _) = gate().await;
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let state = query(&location)["state"].clone();
    let iss = Some(location.split("/authorize").next().unwrap().to_owned());
    let error = Some("access_denied\u{202e}<b>".to_owned());
    let answer = browser.end(&gate.client, "acme", &Back { state, code: None, iss, error }).await;
    assert_eq!(refused(&answer), (401, "sign_in_refused".to_owned()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("`access_denied⟨U+202E⟩<b>`"), "{answer:?}");
    assert_eq!(browser.under_way(), [""; 0]);
}

#[tokio::test]
async fn two_tabs_sign_in_each_for_itself_and_a_browser_is_not_filled() {
    let (gate, provider) = gate().await;
    let mut browser = Browser::default();
    let first = browser.begin(&gate.client, "acme").await;
    let second = browser.begin(&gate.client, "acme").await;
    assert_eq!(browser.under_way().len(), 2);
    for location in [second, first] {
        let back = provider.sign_in(&location, "sub-mara");
        assert_eq!(browser.end(&gate.client, "acme", &back).await.status.as_u16(), 200);
    }
    for _ in 0..10 {
        browser.begin(&gate.client, "acme").await;
        assert!(browser.under_way().len() <= 4, "{:?}", browser.jar);
    }
}

#[tokio::test]
async fn one_comes_back_to_this_gate_alone() {
    let (gate, _) = gate().await;
    for return_to in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/sign-in#x"]
    {
        let body = json!({"provider": "acme", "return_to": return_to});
        let answer = Browser::default().post(&gate.client, "/api/v1/sign-in/begin", &body).await;
        assert_eq!(refused(&answer), (400, "bad_return_to".to_owned()), "{return_to}");
    }
    let answer = Browser::default().post(&gate.client, "/api/v1/sign-in/begin", &json!({"provider": "nobody"})).await;
    assert_eq!(refused(&answer), (404, "unknown_provider".to_owned()));
    let plain = TestGate::start().await;
    assert_eq!(plain.client.get("/api/v1/sign-in", None).await.json(), json!({"providers": [], "passkeys": false}));
}

#[tokio::test]
async fn another_sites_page_begins_and_ends_nothing() {
    let (gate, _) = gate().await;
    for path in ["/api/v1/sign-in/begin", "/api/v1/sign-in/finish"] {
        for (header, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
            let request = gate.client.request(reqwest::Method::POST, path).header(header, value);
            let body = json!({"provider": "acme", "state": "x"});
            let answer = proviso_tests::Client::send(request.json(&body)).await;
            assert_eq!(answer.status.as_u16(), 403, "{path} {header}");
        }
        // Neither is what a form or a link can send.
        assert_eq!(gate.client.get(path, None).await.status.as_u16(), 405);
        let request = gate.client.request(reqwest::Method::POST, path);
        let form = request.header("content-type", "application/x-www-form-urlencoded").body("provider=acme&state=x");
        assert!(proviso_tests::Client::send(form).await.status.is_client_error());
    }
}

#[tokio::test]
async fn a_planted_session_is_over_once_somebody_signs_in() {
    let (gate, provider) = gate().await;
    // Mallory plants the cookie of his own session in a browser (session fixation).
    let mallory = by_link(&gate, "jun").await;
    let (name, secret) = mallory.split('#').next().unwrap().split_once('=').unwrap();
    let mut victim = Browser { jar: [(name.to_owned(), secret.to_owned())].into() };
    let location = victim.begin(&gate.client, "acme").await;
    let back = provider.sign_in(&location, "sub-mara");
    let answer = victim.end(&gate.client, "acme", &back).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    assert_ne!(victim.jar["proviso_session"], secret, "she has a session of her own");
    assert_eq!(gate.client.get("/api/v1/session", Some(&person(&answer))).await.json()["person"]["id"], "mara");
    assert_eq!(gate.client.get("/api/v1/session", Some(&mallory)).await.code(), "signed_out", "and his is over");
    // By a link it is the same.
    let planted = by_link(&gate, "jun").await;
    let link = gate.mint(proviso::identity::MintRequest::Approver { user: "ola".to_owned() }).await;
    let mut victim =
        Browser { jar: [("proviso_session".to_owned(), planted.split(['=', '#']).nth(1).unwrap().to_owned())].into() };
    let answer = victim.post(&gate.client, "/api/v1/session", &json!({"link": link.rsplit('#').next().unwrap()})).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(gate.client.get("/api/v1/session", Some(&planted)).await.code(), "signed_out");
    // Whoever signs in elsewhere takes nobody's session away.
    let jun = enter(&gate, &provider, "sub-jun", json!({})).await;
    let again = enter(&gate, &provider, "sub-jun", json!({})).await;
    for answer in [jun, again] {
        assert_eq!(gate.client.get("/api/v1/session", Some(&person(&answer))).await.status.as_u16(), 200);
    }
}
