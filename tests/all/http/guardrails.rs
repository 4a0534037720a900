//! What stands above every grant: guardrails, locks, the active bundle, and doubt (R2, R4, R7, R8).

use std::collections::BTreeMap;

use proviso::gate::Limits;
use proviso_tests::{Setup, Story, TestGate, sample_bundle, write_file};
use serde_json::json;

use super::{allowed, denied, exception, granted, verdict};

const APPROVED: &str = "/srv/files/reports/b.md";

/// The sample bundle with one more file.
fn with(path: &str, text: &str) -> BTreeMap<String, String> {
    let mut bundle = sample_bundle();
    bundle.insert(path.to_owned(), text.to_owned());
    bundle
}

/// The story's gate, started again over the same record with another bundle.
async fn restarted(story: Story, bundle: BTreeMap<String, String>) -> Story {
    let setup = Setup { bundle, clock: story.gate.clock.clone(), activate: true, ..Setup::default() };
    Story::on(story.gate.again(setup).await).await
}

#[tokio::test]
async fn a_guardrail_that_errs_denies() {
    proviso_tests::clauses!("c4-16-guardrail-errs");
    // Cedar alone would skip it: the sum leaves what a Long can hold.
    let erring = r#"@id("sums-nobody-can-count")
forbid (principal, action == Action::"write_file", resource)
when { 9223372036854775807 + principal.autonomy > 0 && context.input.path like "*/err/*" };"#;
    let story =
        Story::on(TestGate::with(Setup { bundle: with("guardrails/errs.cedar", erring), ..Setup::default() }).await)
            .await;
    // In delegated scope otherwise.
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c1")).await;
    assert_eq!(verdict(&answer), denied("guardrail_error"), "{answer:?}");
    assert_eq!(answer.json()["context"]["access_request"], json!(null), "nobody can ask for it");
}

#[tokio::test]
async fn no_grant_crosses_a_guardrail() {
    proviso_tests::clauses!("arap-12-x", "arap-17-h");
    let story = Story::begin().await;
    granted(&story).await;
    let call = write_file("report-writer", APPROVED, "c1");
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
    let forbids = r#"@id("reports-are-closed")
forbid (principal, action == Action::"write_file", resource)
when { context.input.path like "/srv/files/reports/*" };"#;
    let story = restarted(story, with("guardrails/closed.cedar", forbids)).await;
    let answer = story.evaluate(&write_file("report-writer", APPROVED, "c2")).await;
    assert_eq!(verdict(&answer), denied("guardrail"), "{answer:?}");
    // Without the guardrail it would still be good.
    let story = restarted(story, sample_bundle()).await;
    let answer = story.evaluate(&write_file("report-writer", APPROVED, "c3")).await;
    assert_eq!(verdict(&answer), allowed("exception"), "{answer:?}");
}

#[tokio::test]
async fn a_newer_bundle_judges_again() {
    proviso_tests::clauses!("c4-1-policy-changed");
    let story = Story::begin().await;
    granted(&story).await;
    let call = write_file("report-writer", APPROVED, "c1");
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
    // Under the next bundle nobody may approve at all.
    let nobody = sample_bundle().into_iter().filter(|(path, _)| !path.starts_with("approval/approve/")).collect();
    let story = restarted(story, nobody).await;
    let answer = story.evaluate(&write_file("report-writer", APPROVED, "c2")).await;
    assert!(!verdict(&answer).0, "a grant that the active bundle would not make is used: {answer:?}");
}

#[tokio::test]
async fn a_lock_stands_above_everything() {
    let story = Story::begin().await;
    granted(&story).await;
    let ola = story.gate.person("ola").await;
    let subject = json!({"type": "Agent", "id": format!("{}report-writer", proviso_tests::AGENTS)});
    let lock = json!({"target": {"subject": subject}, "reason": "it behaves oddly"});
    let answer = story.gate.client.post("/api/v1/locks", &ola, &lock).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    for (path, call) in [(APPROVED, "c1"), ("/srv/files/drafts/a.md", "c2")] {
        let answer = story.evaluate(&write_file("report-writer", path, call)).await;
        assert_eq!(verdict(&answer), denied("locked"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_module_that_gives_no_answer_denies() {
    proviso_tests::clauses!("c4-16-out-of-fuel");
    // Enough to be started, not enough for a question.
    let limits = Limits { question_fuel: 100_000, ..Limits::default() };
    let story = Story::on(TestGate::with(Setup { limits, ..Setup::default() }).await).await;
    let answer = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "c1")).await;
    assert_eq!(verdict(&answer), denied("limit"), "{answer:?}");
}

#[tokio::test]
async fn terms_that_nobody_can_sign_in_for_are_no_terms() {
    let demanding = |step_up: &str| {
        let mut bundle = sample_bundle();
        let policies = bundle.get_mut("approval/request/files.cedar").unwrap();
        let one = "@id(\"writing-a-file-needs-one\")\n";
        assert!(policies.contains(one));
        *policies = policies.replacen(one, &format!("{one}@step_up(\"{step_up}\")\n"), 1);
        if step_up != "link" {
            // What is more than any session is, no session shows.
            let (before, behind) = policies.split_once(one).unwrap();
            let behind = behind.replacen("@presence(\"session\")", "@presence(\"authentication\")", 1);
            *policies = format!("{before}{one}{behind}");
        }
        bundle
    };
    let call = write_file("report-writer", APPROVED, "c1");
    // A link is how people sign in here, so that may be demanded.
    let setup = Setup { bundle: demanding("link"), ..Setup::default() };
    let story = Story::on(TestGate::with(setup).await).await;
    let id = story.ask(&call, None).await;
    let granted_before = granted(&story).await.0;
    // Nothing here signs anybody in more strongly. Offered, it would wait for a vote that nobody can cast.
    let story = restarted(story, demanding("webauthn")).await;
    let answer = story.evaluate(&call).await;
    assert_eq!(verdict(&answer), denied("terms_unavailable"), "{answer:?}");
    assert_eq!(answer.json()["context"]["access_request"], json!(null));
    let mut forged = answer.json();
    forged["context"]["access_request"] = json!({"expires_at": forged["context"]["evaluated_at"]});
    let asked = story.request(&story.request_body(&call, &forged, None)).await;
    assert_eq!(asked.status.as_u16(), 400, "{asked:?}");
    let renewed = format!("/api/v1/exceptions/{granted_before}/renew");
    let why = json!({"justification": "once more"});
    let renewed = story.client.post_for(&renewed, &story.point, &story.agent, &why).await;
    assert_eq!(renewed.code(), "not_requestable", "{renewed:?}");
    // What was asked for and granted before waits for a bundle that demands less.
    let mara = story.gate.person("mara").await;
    for id in [&id, &granted_before] {
        assert_eq!(exception(&story, &mara, id).await["state"], "suspended");
    }
}

#[tokio::test]
async fn a_denial_tells_a_suspended_grant_from_a_revoked_one() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let detail = exception(&story, &mara, &id).await;
    let grant = detail["exception"]["phase"]["grant"]["id"].as_str().expect("a grant").to_owned();
    // One vote is too few for the next bundle.
    let mut bundle = sample_bundle();
    let requests = bundle.get_mut("approval/request/files.cedar").expect("the terms of the files");
    *requests = requests.replace(r#"@approvals("1")"#, r#"@approvals("2")"#);
    let story = restarted(story, bundle).await;
    let held = async |call: &str, state: &str, told: &str| {
        let answer = story.evaluate(&write_file("report-writer", APPROVED, call)).await;
        let context = &answer.json()["context"];
        assert_eq!(context["proviso.dev/grant"], json!({"id": grant, "state": state}), "{answer:?}");
        assert!(context["message"].as_str().is_some_and(|message| message.contains(told)), "{answer:?}");
        assert!(!verdict(&answer).0, "{answer:?}");
    };
    held("c1", "suspended", "the exception that covered it is suspended").await;
    let mara = story.gate.person("mara").await;
    let revoked =
        story.client.post(&format!("/api/v1/grants/{grant}/revoke"), &mara, &json!({"reason": "no more"})).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    held("c2", "revoked", "the exception that covered it was revoked").await;
}
