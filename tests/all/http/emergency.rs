//! What an emergency changes, what it never changes, and what it leaves behind.

use proviso_tests::{AGENTS, Answer, Parties, Story, TestGate, post_rows, write_file};
use serde_json::{Value, json};

use super::{allowed, denied, exception, refusal, refused, verdict};

async fn behind(gate: &TestGate, agent: &str, task: &str) -> Parties {
    let point = gate.point("proxy", &["files", "ledger", "deploy"]).await;
    let agent = gate.agent(agent, task, Some("ines")).await;
    Parties { client: gate.client.clone(), point, agent }
}

fn restart(id: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}release-bot")},
        "action": {"name": "restart_service"},
        "resource": {"type": "Service", "id": "storefront"},
        "context": {"input": {"service": "storefront"}, "proviso.dev/server": "deploy", "proviso.dev/call": id},
    })
}

async fn declare(story: &Story, user: &str, id: &str) -> Answer {
    let cookie = story.gate.person(user).await;
    let body = json!({"reason": "customers cannot pay"});
    story.client.post(&format!("/api/v1/exceptions/{id}/emergency"), &cookie, &body).await
}

async fn approve(story: &Story, user: &str, id: &str) -> Value {
    let cookie = story.gate.person(user).await;
    let vote = story.vote(&cookie, id, "approve", None).await;
    assert!(vote.status.is_success(), "{user}: {vote:?}");
    vote.json()["state"].clone()
}

#[tokio::test]
async fn r4_fewer_people_only_where_that_policy_says_so() {
    let story = Story::begin().await;
    // Two of finance, whatever happens.
    let bot = behind(&story.gate, "ledger-bot", "month-end").await;
    let id = bot.ask(&post_rows("ledger-bot", "finance/sandbox", 100, "ask"), None).await;
    assert_eq!(declare(&story, "mara", &id).await.status.as_u16(), 200);
    assert_eq!(approve(&story, "mara", &id).await, "requested");
    assert_eq!(approve(&story, "jun", &id).await, "granted");

    // Two of operations, and one in an emergency that a person has declared.
    let bot = behind(&story.gate, "release-bot", "release").await;
    let id = bot.ask(&restart("ask"), None).await;
    assert_eq!(approve(&story, "sol", &id).await, "requested");
    // The vote that stands is the one that it takes now.
    assert_eq!(declare(&story, "kit", &id).await.json()["state"], "granted");
    assert_eq!(verdict(&bot.evaluate(&restart("use")).await), allowed("exception"));
}

#[tokio::test]
async fn the_agents_mark_asks_for_attention_and_no_more() {
    let story = Story::begin().await;
    let bot = behind(&story.gate, "release-bot", "release").await;
    let refused_call = bot.evaluate(&restart("ask")).await.json();
    let mut body = bot.request_body(&restart("ask"), &refused_call, None);
    body["requested_access"] = json!({"emergency": true});
    let answer = bot.request(&body).await;
    let id = answer.json()["task"]["id"].as_str().expect("a request").to_owned();
    let sol = story.gate.person("sol").await;
    let found = exception(&story, &sol, &id).await;
    assert_eq!(found["exception"]["request"]["emergency"], json!(true));
    assert_eq!(found["exception"]["terms"]["approvals"], json!(2));
    assert_eq!(approve(&story, "sol", &id).await, "requested", "two, as without the mark");
    // Nor does it declare one, for whoever calls the gate.
    let path = format!("/api/v1/exceptions/{id}/emergency");
    let declared = story.client.post_for(&path, &bot.point, &bot.agent, &json!({"reason": "now"})).await;
    assert_eq!(refusal(&declared), refused(403, "not_a_person"));
    let list = story.client.get("/api/v1/reviews?state=open", Some(&sol)).await.json();
    assert_eq!(list["reviews"], json!([]), "what nobody declared is not reviewed as one");
}

#[tokio::test]
async fn r2_no_emergency_crosses_a_guardrail() {
    let story = Story::begin().await;
    let id =
        story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), Some("/srv/files/reports")).await;
    assert_eq!(declare(&story, "mara", &id).await.status.as_u16(), 200);
    assert_eq!(approve(&story, "mara", &id).await, "granted");
    let hidden = write_file("report-writer", "/srv/files/reports/.env", "c1");
    assert_eq!(verdict(&story.evaluate(&hidden).await), denied("guardrail"));
    let open = write_file("report-writer", "/srv/files/reports/b.md", "c2");
    assert_eq!(verdict(&story.evaluate(&open).await), allowed("exception"));
}

#[tokio::test]
async fn an_overdue_review_stops_that_approver_and_that_subject_until_it_is_closed() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    assert_eq!(declare(&story, "mara", &id).await.status.as_u16(), 200);
    assert_eq!(approve(&story, "mara", &id).await, "granted");
    story.gate.clock.advance(2 * 86_400);

    let folder = |agent: &str| {
        let path = "/srv/files/reports/q4";
        let mut call = write_file(agent, path, "ask");
        call["action"] = json!({"name": "create_directory"});
        call["context"]["input"] = json!({"path": path});
        call
    };
    let writer = behind(&story.gate, "report-writer", "weekly-report").await;
    let same_subject = writer.ask(&folder("report-writer"), None).await;
    let intern = behind(&story.gate, "intern-bot", "filing").await;
    let other_subject = intern.ask(&folder("intern-bot"), None).await;
    for (user, id, expected) in [
        ("mara", &same_subject, Some("emergency_blocked")),
        ("ola", &same_subject, Some("emergency_blocked")),
        ("mara", &other_subject, Some("emergency_blocked")),
        ("ola", &other_subject, None),
    ] {
        let answer = declare(&story, user, id).await;
        match expected {
            Some(code) => assert_eq!(refusal(&answer).1, code, "{user}"),
            None => assert_eq!(answer.status.as_u16(), 200, "{user}: {answer:?}"),
        }
    }

    let ola = story.gate.person("ola").await;
    let open = story.client.get("/api/v1/reviews?state=open", Some(&ola)).await.json();
    let review = open["reviews"].as_array().into_iter().flatten().find(|review| review["exception"] == json!(id));
    let review = review.and_then(|review| review["id"].as_str()).expect("an open review");
    let closing = json!({"outcome": "appropriate", "note": "payments were down"});
    let answer = story.client.post(&format!("/api/v1/reviews/{review}/close"), &ola, &closing).await;
    assert!(answer.status.is_success(), "{answer:?}");
    assert_eq!(declare(&story, "mara", &same_subject).await.status.as_u16(), 200);
}
