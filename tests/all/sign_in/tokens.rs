//! Each check of an ID token, where it alone is wrong; keys that rotate; providers that are none.

use proviso_tests::Client;
use reqwest::Method;
use serde_json::json;

use super::browser::{Browser, enter, gate, person, refused};
use super::provider::{SECRET, Twist, query};

#[tokio::test]
async fn a_person_signs_in_by_a_provider() {
    let (gate, provider) = gate().await;
    let ways = gate.client.get("/api/v1/sign-in", None).await.json();
    assert_eq!(ways, json!({"providers": [{"name": "acme", "label": "Acme acme"}], "passkeys": false}));
    let mut browser = Browser::default();
    let begin = json!({"provider": "acme", "return_to": "/exceptions/exc_1?tab=x"});
    let answer = browser.post(&gate.client, "/api/v1/sign-in/begin", &begin).await;
    let mut attributes: Vec<&str> = answer.header("set-cookie").split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=Strict"]);
    let location = answer.json()["location"].as_str().unwrap().to_owned();
    let asked = query(&location);
    assert!(location.starts_with(&format!("{}/authorize?", provider.issuer)), "{location}");
    let redirect = format!("{}/sign-in/acme/callback", gate.client.url);
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", redirect.as_str()),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    let held: Vec<&String> = browser.jar.values().collect();
    for name in ["state", "nonce", "code_challenge"] {
        assert!(asked[name].len() >= 43, "{name}");
        assert!(!held[0].contains(&asked[name]), "the browser's cookie tells the {name}");
    }
    let back = provider.sign_in(&location, "sub-mara");
    let answer = browser.end(&gate.client, "acme", &back).await;
    let body = answer.json();
    assert_eq!(body["return_to"], "/exceptions/exc_1?tab=x", "{answer:?}");
    assert_eq!(body["session"]["person"], json!({"type": "User", "id": "mara"}));
    assert_eq!(body["session"]["assurance"], "oidc");
    assert_eq!(browser.under_way(), [""; 0], "nothing of it is left in the browser");
    let mara = person(&answer);
    let session = gate.client.get("/api/v1/session", Some(&mara)).await.json();
    assert_eq!(session["person"]["id"], "mara");
    // What was learnt of the account is on record as text that can be erased, and no secret of the way there.
    let record =
        std::fs::read_dir(gate.data()).unwrap().flatten().map(|file| std::fs::read(file.path()).unwrap_or_default());
    let record: Vec<u8> = record.flatten().collect();
    let holds = |text: &str| record.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("sub-mara"), "the account");
    for secret in [SECRET, "an-access-token", &back.code.unwrap(), &asked["nonce"]] {
        assert!(!holds(secret), "{secret}");
    }
}

#[tokio::test]
async fn each_check_of_a_token_refuses_alone() {
    let (gate, provider) = gate().await;
    for (twist, word) in [
        (Twist::Signature, "signature"),
        (Twist::UnknownKey, "key"),
        (Twist::SwappedKey, "signature"),
        (Twist::Unsigned, "alg"),
        (Twist::PublicKeyAsSecret, "alg"),
        (Twist::ClientSecret, "alg"),
        (Twist::Issuer, "iss"),
        (Twist::Audience, "aud"),
        (Twist::SecondAudience, "aud"),
        (Twist::Party, "azp"),
        (Twist::Nonce, "nonce"),
        (Twist::NoNonce, "nonce"),
        (Twist::Expired, "time"),
        (Twist::Early, "time"),
        (Twist::Late, "time"),
        (Twist::AccessToken, "at_hash"),
        (Twist::NoToken, "form"),
        (Twist::NoSubject, "form"),
        (Twist::LongSubject, "form"),
    ] {
        provider.twist(twist);
        let answer = enter(&gate, &provider, "sub-mara", json!({})).await;
        assert_eq!(refused(&answer), (401, "bad_id_token".to_owned()), "{twist:?}: {answer:?}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.ends_with(&format!("`{word}`")), "{twist:?}: {detail}");
        assert!(answer.json()["help"].is_string() && !answer.header("set-cookie").contains("proviso_session="));
        provider.twist(Twist::Nothing);
        let answer = enter(&gate, &provider, "sub-mara", json!({})).await;
        assert_eq!(answer.status.as_u16(), 200, "and nothing else was wrong: {answer:?}");
    }
}

#[tokio::test]
async fn nobodys_mail_and_nobodys_name_is_looked_at() {
    let (gate, provider) = gate().await;
    let claims =
        json!({"email": "mara@acme.example", "email_verified": true, "preferred_username": "mara", "name": "mara"});
    let answer = enter(&gate, &provider, "somebody-else", claims).await;
    assert_eq!(refused(&answer), (403, "unknown_account".to_owned()));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("`somebody-else`"), "the operator is told what to write down: {detail}");
    let answer = enter(&gate, &provider, "\u{202e}arem", json!({})).await;
    assert!(answer.json()["detail"].as_str().unwrap().contains("⟨U+202E⟩arem"), "{answer:?}");
}

#[tokio::test]
async fn keys_rotate_and_a_flood_of_forgeries_asks_no_oftener() {
    let (gate, provider) = gate().await;
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    gate.clock.advance(11);
    provider.rotate();
    let back = provider.sign_in(&location, "sub-mara");
    let answer = browser.end(&gate.client, "acme", &back).await;
    assert_eq!(answer.status.as_u16(), 200, "signed by a key that came in between: {answer:?}");
    let before = provider.asked_for_keys();
    provider.twist(Twist::UnknownKey);
    gate.clock.advance(11);
    for _ in 0..5 {
        let answer = enter(&gate, &provider, "sub-mara", json!({})).await;
        assert_eq!(answer.code(), "bad_id_token", "{answer:?}");
    }
    assert_eq!(provider.asked_for_keys(), before + 1, "once in ten seconds");
}

#[tokio::test]
async fn a_provider_that_is_none_signs_nobody_in() {
    for twist in [Twist::MetadataIssuer, Twist::ScriptAddress] {
        let (gate, provider) = gate().await;
        provider.twist(twist);
        let answer = Browser::default().post(&gate.client, "/api/v1/sign-in/begin", &json!({"provider": "acme"})).await;
        assert_eq!(refused(&answer), (503, "provider_unavailable".to_owned()), "{twist:?}");
        assert_eq!(answer.header("set-cookie"), "");
    }
    for twist in [Twist::TokenElsewhere, Twist::Redirects] {
        let (gate, provider) = gate().await;
        provider.twist(twist);
        let answer = enter(&gate, &provider, "sub-mara", json!({})).await;
        assert!(matches!(answer.code().as_str(), "provider_unavailable" | "bad_id_token"), "{twist:?}: {answer:?}");
        assert!(!answer.status.is_success() && !answer.header("set-cookie").contains("proviso_session="));
    }
}

#[tokio::test]
async fn a_provider_that_answers_badly_is_asked_no_oftener_whoever_comes() {
    let (gate, provider) = gate().await;
    provider.twist(Twist::MetadataIssuer);
    let token = provider.logout_token("sub-mara", &json!({}));
    let send = async || {
        let request = gate.client.request(Method::POST, "/api/v1/sign-in/acme/logged_out");
        let form = request.header("content-type", "application/x-www-form-urlencoded");
        Client::send(form.body(format!("logout_token={token}"))).await
    };
    for _ in 0..5 {
        assert_eq!(refused(&send().await), (503, "provider_unavailable".to_owned()));
    }
    assert_eq!(provider.asked_for_metadata(), 1, "once in ten seconds");
    provider.twist(Twist::Nothing);
    gate.clock.advance(11);
    assert_eq!(send().await.status.as_u16(), 200);
    assert_eq!(provider.asked_for_metadata(), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_holds_nobody_up() {
    let (gate, provider) = gate().await;
    let mut browser = Browser::default();
    let location = browser.begin(&gate.client, "acme").await;
    let back = provider.sign_in(&location, "sub-mara");
    provider.stop();
    let answer = browser.end(&gate.client, "acme", &back).await;
    assert_eq!(refused(&answer), (503, "provider_unavailable".to_owned()), "{answer:?}");
    assert!(answer.json()["help"].as_str().unwrap().contains("link"), "links still work: {answer:?}");
    let mara = super::browser::by_link(&gate, "mara").await;
    assert_eq!(gate.client.get("/api/v1/session", Some(&mara)).await.status.as_u16(), 200);
}
