//! No secret is logged, however much is: a gate at the most talkative level goes through all that it hands secrets out
//! for.

use proviso::clock::{Clock as _, SystemClock};
use proviso_tests::{Binary, Parties, TestClock, as_person, cookie_of, write_file};
use reqwest::Method;
use serde_json::json;

use super::{parties, sign_in};
use crate::own_tokens;
use crate::sign_in::{browser, provider};

/// The secret parts of `name=value`, `cookie#key` and `KIND_ID_SECRET`: what alone would open something. The id is
/// public.
fn parts(text: &str) -> Vec<String> {
    let parts = text.split(['#', '=', ';', '.', ' ', '/', '_']).filter(|part| part.len() >= 40);
    parts.map(str::to_owned).collect()
}

#[tokio::test]
async fn the_most_talkative_log_holds_none_of_the_secrets_that_were_handed_out() {
    let folder = tempfile::tempdir().unwrap();
    let clock = std::sync::Arc::new(TestClock::new());
    // The provider's time is that of the gate's process.
    clock.set_back((clock.now().millis() - SystemClock.now().millis()) / 1_000);
    let provider = provider::Provider::start(&clock).await;
    let file = folder.path().join("sign-in.toml");
    std::fs::write(&file, browser::file(&provider, "acme", &["jun"], "")).unwrap();
    let gate = Binary::serve_talkative(&folder.path().join("data"), &["--sign-in", &file.display().to_string()]);
    let mut secrets: Vec<(&str, String)> = vec![("the client's", provider::SECRET.to_owned())];
    // Tokens, a link, a session.
    let Parties { client, point, agent } = parties(&gate);
    secrets.extend([("the point's token", point.clone()), ("the agent's token", agent.clone())]);
    secrets.extend([&point, &agent].map(|token| ("a token's own secret", own_tokens::secret_of(token))));
    let link = gate.token(&["approver", "--user", "ola"]);
    secrets.push(("a link that nobody used", link.rsplit('#').next().unwrap().to_owned()));
    let mara = sign_in(&gate, "mara").await;
    secrets.push(("mara's session", mara.clone()));
    // A call, a request, a vote, a use.
    let parties = Parties { client, point, agent };
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let id = parties.ask(&call, None).await;
    let path = format!("/api/v1/exceptions/{id}");
    assert_eq!(gate.client.get(&path, Some(&mara)).await.json()["state"], "requested");
    let voted = parties.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    assert_eq!(parties.evaluate(&call).await.json()["decision"], true);
    // A challenge of a passkey: what is held of it opens nothing without the authenticator, and is nobody's but its
    // own.
    let request = as_person(gate.client.request(Method::POST, "/api/v1/passkeys/challenge"), &mara);
    drop(proviso_tests::Client::send(request).await);
    // A sign-in by the provider, and wrong secrets, which are secrets of somebody, too.
    let mut there = browser::Browser::default();
    let location = there.begin(&gate.client, "acme").await;
    let back = provider.sign_in_with(&location, "sub-jun", json!({}));
    secrets.push(("the provider's code", back.code.clone().unwrap()));
    secrets.extend(there.jar.values().map(|cookie| ("the cookie of a sign-in under way", cookie.clone())));
    let entered = there.end(&gate.client, "acme", &back).await;
    assert_eq!(entered.status.as_u16(), 200, "{entered:?}");
    let jun = browser::person(&entered);
    secrets.push(("jun's session", jun.clone()));
    let wrong = format!("{}x", parties.agent);
    let answer = gate.client.post_for("/access/v1/evaluation", &parties.point, &wrong, &call).await;
    assert_eq!(answer.status.as_u16(), 401, "{answer:?}");
    let request = gate.client.request(Method::GET, "/api/v1/exceptions").header("cookie", cookie_of(&jun));
    assert_eq!(proviso_tests::Client::send(request).await.code(), "session_key_missing");
    let request = as_person(gate.client.request(Method::DELETE, "/api/v1/session"), &jun);
    drop(proviso_tests::Client::send(request).await);
    // The gate's own keys, as their files hold them.
    for entry in std::fs::read_dir(gate.data().join("keys")).unwrap() {
        let path = entry.unwrap().path();
        let held = std::fs::read(&path).unwrap_or_default();
        secrets.push(("a key", String::from_utf8_lossy(&held).trim().to_owned()));
        if held.len() == 32 {
            secrets.push(("a key", held.iter().map(|byte| format!("{byte:02x}")).collect()));
        }
    }
    let log = gate.logged();
    assert!(log.contains("TRACE") && log.contains("DEBUG"), "it is talkative: {log:.2000}");
    for (what, secret) in &secrets {
        for part in std::iter::once(secret.clone()).chain(parts(secret)).filter(|part| part.len() >= 20) {
            let at = log.find(&part);
            let near = at.map(|at| log.get(at.saturating_sub(300)..at).unwrap_or_default());
            assert!(at.is_none(), "{what} is in the log, behind: {}", near.unwrap_or_default());
        }
    }
    assert!(secrets.len() > 8, "{} secrets", secrets.len());
    gate.stop();
}
