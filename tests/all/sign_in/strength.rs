//! How strong a sign-in is, for how long, and what that is worth at a vote.

use std::sync::Arc;

use proviso::clock::Clock as _;
use proviso_tests::{Setup, Story, TestClock, TestGate, sample_bundle, write_file};
use serde_json::{Value, json};

use super::browser::{enter, file, gate, person, refused, setup};
use super::provider::Provider;

async fn assurance(gate: &TestGate, person: &str) -> Value {
    gate.client.get("/api/v1/session", Some(person)).await.json()["assurance"].clone()
}

#[tokio::test]
async fn a_strong_authentication_counts_for_a_while() {
    let (gate, provider) = gate().await;
    let now = gate.clock.now().millis() / 1_000;
    for (claims, expected) in [
        (json!({"acr": "phr", "auth_time": now}), "oidc_step_up"),
        (json!({"acr": "phr", "auth_time": now - 299}), "oidc_step_up"),
        (json!({"acr": "phr", "auth_time": now - 300}), "oidc"),
        (json!({"acr": "phr"}), "oidc"),
        (json!({"acr": "pwd", "auth_time": now}), "oidc"),
        (json!({"auth_time": now}), "oidc"),
    ] {
        let mara = person(&enter(&gate, &provider, "sub-mara", claims.clone()).await);
        assert_eq!(assurance(&gate, &mara).await, expected, "{claims}");
    }
    let strong = person(&enter(&gate, &provider, "sub-mara", json!({"acr": "phr", "auth_time": now})).await);
    gate.clock.advance(300);
    assert_eq!(assurance(&gate, &strong).await, "oidc", "five minutes later it is a session like any other");
    let answer = enter(&gate, &provider, "sub-mara", json!({"acr": "phr", "auth_time": now + 1_000})).await;
    assert_eq!(refused(&answer), (401, "bad_id_token".to_owned()), "nobody authenticated in the future");
}

/// The sample bundle, where writing a file needs a vote by whoever authenticated so strongly just now.
pub(super) fn demanding() -> std::collections::BTreeMap<String, String> {
    let mut bundle = sample_bundle();
    let config = bundle.get_mut("bundle.toml").unwrap();
    *config = config.replace(r#"["link", "webauthn"]"#, r#"["link", "oidc", "oidc_step_up", "webauthn"]"#);
    let policies = bundle.get_mut("approval/request/files.cedar").unwrap();
    let one = "@id(\"writing-a-file-needs-one\")\n";
    *policies = policies.replacen(one, &format!("{one}@step_up(\"oidc_step_up\")\n"), 1);
    let (before, behind) = policies.split_once(one).unwrap();
    let behind = behind.replacen("@presence(\"session\")", "@presence(\"authentication\")", 1);
    *policies = format!("{before}{one}{behind}");
    bundle
}

/// A gate whose bundle knows how strong a provider can sign in.
pub(super) async fn gate_with_words() -> (TestGate, Provider) {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = file(&provider, "acme", &["mara", "jun"], "step_up = { phr = \"oidc_step_up\" }");
    (TestGate::with(Setup { bundle: demanding(), ..setup(&clock, &[file]) }).await, provider)
}

#[tokio::test]
async fn a_tier_that_demands_a_fresh_authentication_takes_no_other_vote() {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = file(&provider, "acme", &["mara", "ola"], "step_up = { phr = \"oidc_step_up\" }");
    let with_provider = Setup { bundle: demanding(), ..setup(&clock, &[file]) };
    let story = Story::on(TestGate::with(with_provider).await).await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let id = story.ask(&call, None).await;
    let now = clock.now().millis() / 1_000;
    let vote = async |person: &str| story.vote(person, &id, "approve", None).await;
    let link = story.gate.person("mara").await;
    assert_eq!(vote(&link).await.code(), "step_up_needed");
    let weak = person(&enter(&story.gate, &provider, "sub-mara", json!({"acr": "pwd", "auth_time": now})).await);
    assert_eq!(vote(&weak).await.code(), "step_up_needed");
    let strong = person(&enter(&story.gate, &provider, "sub-mara", json!({"acr": "phr", "auth_time": now})).await);
    clock.advance(301);
    assert_eq!(vote(&strong).await.code(), "step_up_needed", "that was a while ago");
    let now = clock.now().millis() / 1_000;
    let strong = person(&enter(&story.gate, &provider, "sub-mara", json!({"acr": "phr", "auth_time": now})).await);
    let answer = vote(&strong).await;
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&strong)).await.json();
    assert_eq!(detail["exception"]["votes"][0]["assurance"], "oidc_step_up", "and the record says how strong it was");
    // A gate where nobody can sign in so strongly offers nothing that would wait for it for ever.
    let without = TestGate::with(Setup { bundle: demanding(), ..Setup::default() }).await;
    let other = Story::on(without).await;
    let answer = other.evaluate(&call).await.json();
    assert_eq!(answer["context"]["reason"], "terms_unavailable", "{answer}");
}
