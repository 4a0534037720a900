//! Callers that say more of themselves than their credentials do.

use proviso_tests::{Client, Setup, Story, TestGate, as_person, cookie_of, post_rows, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{denied, refusal, refused, sizes, verdict};
use crate::own_tokens::twisted;

/// A call with one member set.
fn with(mut body: Value, path: &[&str], value: Value) -> Value {
    let (last, parents) = path.split_last().expect("a path");
    let at = parents.iter().fold(&mut body, |at, name| &mut at[*name]);
    at[*last] = value;
    body
}

#[tokio::test]
async fn nobody_describes_itself_into_more() {
    let story = Story::begin().await;
    let intern = story.gate.agent("intern-bot", "sums", Some("ines")).await;
    let planner = story.gate.agent("close-planner", "close", Some("jun")).await;
    let ask = async |agent: &str, body: &Value| {
        story.gate.client.post_for("/access/v1/evaluation", &story.point, agent, body).await
    };

    // The guardrail for the least autonomous holds, whatever the agent or its proxy says.
    for body in [
        with(post_rows("intern-bot", "finance/sandbox", 5, "c1"), &["subject", "properties"], json!({"autonomy": 4})),
        with(post_rows("intern-bot", "finance/sandbox", 5, "c1"), &["context", "autonomy"], json!(4)),
        with(
            post_rows("intern-bot", "finance/sandbox", 5, "c1"),
            &["action", "properties"],
            json!({"principal": {"autonomy": 4}}),
        ),
    ] {
        assert_eq!(verdict(&ask(&intern, &body).await), denied("guardrail"), "{body}");
    }

    // A very autonomous agent that says it is less so still gets the narrower terms.
    let call = write_file("close-planner", "/srv/files/reports/plan.md", "c2");
    let offers = [call.clone(), with(call, &["subject", "properties"], json!({"autonomy": 1}))];
    for body in offers {
        let answer = ask(&planner, &body).await;
        assert_eq!(verdict(&answer), denied("approval_required"), "{body}");
        let display = answer.json()["context"]["access_request"]["display"].clone();
        assert_eq!(display["max_uses"], 5, "{display}");
        assert_eq!(display["max_duration"], "1h", "{display}");
    }

    // A regulated journal that is said to be none still takes two people.
    let call = post_rows("report-writer", "finance/ledger-eu", 5, "c3");
    let offers = [call.clone(), with(call, &["resource", "properties"], json!({"regulated": false}))];
    for body in offers {
        let answer = story.evaluate(&body).await;
        assert_eq!(answer.json()["context"]["access_request"]["display"]["approvals"], 2, "{body}");
    }
}

#[tokio::test]
async fn the_credential_fixes_subject_task_and_chain() {
    let story = Story::begin().await;
    let call = || write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let before = sizes(&story);
    for body in [
        with(call(), &["subject", "id"], json!("spiffe://acme.example/agent/close-planner")),
        with(call(), &["subject", "type"], json!("User")),
        with(call(), &["context", "task"], json!("another-task")),
        with(call(), &["context", "task"], json!(7)),
        with(call(), &["context", "chain"], json!("User::tom")),
        with(call(), &["subject", "properties"], json!({"act": {"sub": "tom", "iss": "proviso"}})),
        with(call(), &["subject", "properties"], json!({"act": null})),
    ] {
        assert_eq!(refusal(&story.evaluate(&body).await), refused(400, "claim_conflict"), "{body}");
    }
    assert_eq!(sizes(&story), before);
    let same = with(call(), &["context", "task"], json!("weekly-report"));
    assert_eq!(verdict(&story.evaluate(&same).await), super::allowed("scope"), "saying the same is no conflict");
}

#[tokio::test]
async fn without_a_live_credential_nobody_asks() {
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let mara = story.gate.person("mara").await;
    let before = sizes(&story);
    let path = "/access/v1/evaluation";
    let post = || story.gate.client.request(Method::POST, path).json(&call);
    let forged = twisted(&story.agent);
    for (request, code) in [
        (post(), "no_credential"),
        (post().header("authorization", "Basic eDp5"), "no_credential"),
        (as_person(post(), &mara), "no_credential"),
        (post().bearer_auth(""), "no_credential"),
        (post().bearer_auth("x"), "unauthenticated"),
        (post().bearer_auth(&forged), "token_signature"),
        (post().bearer_auth(cookie_of(&mara).rsplit('=').next().unwrap_or_default()), "unauthenticated"),
        (post().bearer_auth(&story.point).header("proviso-subject-token", "x"), "unauthenticated"),
    ] {
        assert_eq!(refusal(&Client::send(request).await), refused(401, code));
    }
    for (request, code) in [
        (post().bearer_auth(&story.point), "no_subject_token"),
        (post().bearer_auth(&story.point).header("proviso-subject-token", &story.point), "claim_conflict"),
        (post().bearer_auth(&story.agent).header("proviso-subject-token", &story.agent), "claim_conflict"),
    ] {
        assert_eq!(refusal(&Client::send(request).await), refused(400, code));
    }
    assert_eq!(sizes(&story), before);
    // A day later the agent's token is over by itself.
    story.gate.clock.advance(86_400);
    assert_eq!(refusal(&story.evaluate(&call).await), refused(401, "token_expired"));
}

#[tokio::test]
async fn an_enforcement_point_asks_for_its_own_subjects_and_servers_only() {
    let gate = TestGate::with(Setup::default()).await;
    let story = Story::on(gate).await;
    let narrow = story
        .gate
        .app
        .mint(
            proviso::identity::MintRequest::EnforcementPoint {
                name: "narrow".to_owned(),
                subjects: "Agent::spiffe://acme.example/agent/ledger-*".to_owned(),
                servers: vec!["ledger".to_owned()],
                vouches: false,
                resource: None,
            },
            &proviso::app::Operator { uid: 0, name: "root".to_owned() },
        )
        .await
        .unwrap()
        .secret;
    let ledger = story.gate.agent("ledger-bot", "month-end", Some("ines")).await;
    let ask = async |agent: &str, body: &Value| {
        story.gate.client.post_for("/access/v1/evaluation", &narrow, agent, body).await
    };
    let before = sizes(&story);
    let answer = ask(&story.agent, &write_file("report-writer", "/srv/files/drafts/a.md", "c1")).await;
    assert_eq!(refusal(&answer), refused(403, "not_for_this_subject"));
    let answer = ask(&ledger, &write_file("ledger-bot", "/srv/files/drafts/a.md", "c1")).await;
    assert_eq!(refusal(&answer), refused(403, "not_for_this_server"));
    assert_eq!(sizes(&story), before);
    let answer = ask(&ledger, &post_rows("ledger-bot", "finance/sandbox", 5, "c1")).await;
    assert_eq!(verdict(&answer), super::allowed("scope"));
}

#[tokio::test]
async fn a_tool_can_be_asked_for_under_its_own_server_only() {
    proviso_tests::clauses!("c4-6-tool-names");
    let story = Story::begin().await;
    let mut body = json!({
        "subject": {"type": "Agent", "id": format!("{}report-writer", proviso_tests::AGENTS)},
        "action": {"name": "tools/call"},
        "resource": {"type": "tool", "id": "write_file"},
        "context": {
            "input": {"path": "/srv/files/drafts/a.md", "content": "x"},
            "proviso.dev/server": "files",
            "proviso.dev/call": "c1",
        },
    });
    assert_eq!(verdict(&story.evaluate(&body).await), super::allowed("scope"));
    body["context"]["proviso.dev/server"] = json!("ledger");
    assert!(!verdict(&story.evaluate(&body).await).0, "another server's tool of the same name is another tool");
}
