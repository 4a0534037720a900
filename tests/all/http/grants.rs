//! An approval used for something else than what was approved (R3, R6, R7).

use proviso_tests::{Parties, Setup, Story, TestGate, post_rows, sample_bundle, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{allowed, denied, exception, granted, refusal, refused, verdict};

const APPROVED: &str = "/srv/files/reports/b.md";

/// How many uses the exception has consumed.
async fn uses(story: &Story, cookie: &str, id: &str) -> Option<u64> {
    proviso_tests::uses(&exception(story, cookie, id).await)
}

#[tokio::test]
async fn an_approval_is_for_one_subject_task_chain_point_and_server() {
    proviso_tests::clauses!(
        "arap-12-m",
        "arap-21.1.2-a",
        "arap-21.1.2-b",
        "arap-21.1.3-a",
        "c4-2-other-call",
        "c4-6-tool-names"
    );
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let other_point = story.gate.point("other-proxy", &["files", "ledger"]).await;
    let planner = story.gate.agent("close-planner", "weekly-report", Some("ines")).await;
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let other_human = story.gate.agent("report-writer", "weekly-report", Some("jun")).await;
    let nobody = story.gate.agent("report-writer", "weekly-report", None).await;
    let call = write_file("report-writer", APPROVED, "c1");
    let of_planner = write_file("close-planner", APPROVED, "c1");
    let mut on_ledger = call.clone();
    on_ledger["context"]["proviso.dev/server"] = json!("ledger");
    let mut other_tool = call.clone();
    other_tool["context"]["proviso.dev/tool"] = json!("ab".repeat(32));
    let mut more_input = call.clone();
    more_input["context"]["input"]["path"] = json!("/srv/files/elsewhere.md");
    for (what, point, agent, body) in [
        ("subject", &story.point, &planner, &of_planner),
        ("task", &story.point, &other_task, &call),
        ("human behind it", &story.point, &other_human, &call),
        ("no human behind it", &story.point, &nobody, &call),
        ("enforcement point", &other_point, &story.agent, &call),
        ("server", &story.point, &story.agent, &on_ledger),
        ("tool definition", &story.point, &story.agent, &other_tool),
        ("path", &story.point, &story.agent, &more_input),
    ] {
        let answer = story.gate.client.post_for("/access/v1/evaluation", point, agent, body).await;
        assert_eq!(verdict(&answer), denied("approval_required"), "another {what}: {answer:?}");
    }
    // The agent alone, round the enforcement point, may ask but never use.
    let request = story.gate.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&story.agent);
    let answer = proviso_tests::Client::send(request.json(&call)).await;
    assert_eq!(answer.json()["context"]["proviso.dev/valid_for"], Value::Null, "{answer:?}");
    assert_eq!(uses(&story, &mara, &id).await, Some(0), "none of these consumed anything");
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
    assert_eq!(uses(&story, &mara, &id).await, Some(1));
}

#[tokio::test]
async fn an_approval_is_for_one_resource() {
    let story = Story::begin().await;
    let bot = story.gate.agent("ledger-bot", "month-end", Some("ines")).await;
    let ask = async |dataset: &str, call: &str| {
        let body = post_rows("ledger-bot", dataset, 100, call);
        story.gate.client.post_for("/access/v1/evaluation", &story.point, &bot, &body).await
    };
    let call = post_rows("ledger-bot", "finance/ledger-eu", 100, "ask");
    let refused = ask("finance/ledger-eu", "ask").await.json();
    let body = story.request_body(&call, &refused, None);
    let request = story.gate.client.post_for("/access/v1/requests", &story.point, &bot, &body).await;
    let id = request.json()["task"]["id"].as_str().expect("a request").to_owned();
    for person in ["mara", "ola"] {
        let cookie = story.gate.person(person).await;
        let vote = story.vote(&cookie, &id, "approve", None).await;
        assert!(vote.status.is_success(), "{person}: {vote:?}");
    }
    assert_eq!(verdict(&ask("finance/ledger-us", "c1").await), denied("approval_required"), "another resource");
    assert_eq!(verdict(&ask("finance/ledger-eu", "c2").await), allowed("exception"));
}

#[tokio::test]
async fn quotes_and_backslashes_in_an_id_are_characters_like_others() {
    let own = r#"a"b\c"#;
    // What unescaping, escaping once more, or cutting at the quote would make of it.
    let others = [r"ab\c", r#"a"bc"#, r#"a\"b\\c"#, r#"a"b\\c"#, "abc", "a", r#""a"b\c""#];
    let mut bundle = sample_bundle();
    let mut entities: Vec<Value> = serde_json::from_str(&bundle["entities.json"]).unwrap();
    entities.extend(
        others
            .iter()
            .chain([&own])
            .map(|id| json!({"uid": {"type": "Dataset", "id": id}, "attrs": {"regulated": false}, "parents": []})),
    );
    bundle.insert("entities.json".to_owned(), json!(entities).to_string());
    let story = Story::on(TestGate::with(Setup { bundle, ..Setup::default() }).await).await;
    let id = story.ask(&post_rows("report-writer", own, 100, "ask"), None).await;
    for (person, state) in [("mara", "requested"), ("jun", "granted")] {
        let cookie = story.gate.person(person).await;
        assert_eq!(story.vote(&cookie, &id, "approve", None).await.json()["state"], state, "{person}");
    }
    for other in others {
        let answer = story.evaluate(&post_rows("report-writer", other, 100, "other")).await;
        assert_eq!(verdict(&answer), denied("approval_required"), "{other}");
    }
    let answer = story.evaluate(&post_rows("report-writer", own, 100, "own")).await;
    assert_eq!(verdict(&answer), allowed("exception"), "{answer:?}");
    let cookie = story.gate.person("mara").await;
    let detail = exception(&story, &cookie, &id).await;
    assert_eq!(detail["exception"]["versions"][0]["scope"]["resource"]["is"]["id"], own, "as people are shown it");
}

#[tokio::test]
async fn exact_means_these_arguments() {
    proviso_tests::clauses!("arap-12-zf", "arap-12-zh", "arap-17-g", "c4-3-arguments");
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let id = story.ask(&call, None).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let mut other = call.clone();
    other["context"]["input"]["content"] = json!("hello!");
    assert_eq!(verdict(&story.evaluate(&other).await), denied("approval_required"));
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
    let mut again = call;
    again["context"]["proviso.dev/call"] = json!("c2");
    assert_eq!(verdict(&story.evaluate(&again).await), denied("approval_required"), "one use, and it is used");
}

#[tokio::test]
async fn a_question_consumes_nothing() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let mut ask = write_file("report-writer", APPROVED, "c1");
    ask["context"]["proviso.dev/ask"] = json!(true);
    for _ in 0..5 {
        let answer = story.evaluate(&ask).await;
        assert_eq!(verdict(&answer), allowed("exception"), "the answer is the same");
        assert_eq!(answer.json()["context"]["proviso.dev/valid_for"], Value::Null, "and allows nothing");
    }
    assert_eq!(uses(&story, &mara, &id).await, Some(0));
}

#[tokio::test]
async fn the_same_call_id_is_one_use_for_ten_seconds() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let call = write_file("report-writer", APPROVED, "c1");
    for repeated in [false, true, true] {
        let answer = story.evaluate(&call).await;
        assert_eq!(verdict(&answer), allowed("exception"));
        assert_eq!(answer.json()["context"]["proviso.dev/repeated"].as_bool().unwrap_or(false), repeated);
    }
    assert_eq!(uses(&story, &mara, &id).await, Some(1));
    // The id with other arguments is another call.
    assert_eq!(
        verdict(&story.evaluate(&write_file("report-writer", "/srv/files/reports/c.md", "c1")).await),
        allowed("exception")
    );
    assert_eq!(uses(&story, &mara, &id).await, Some(2));
    // So is the same call too late.
    story.gate.clock.advance(11);
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
    assert_eq!(exception(&story, &mara, &id).await["state"], "exhausted");
    assert_eq!(
        verdict(&story.evaluate(&write_file("report-writer", APPROVED, "c9")).await),
        denied("approval_required")
    );
}

#[tokio::test]
async fn a_call_id_is_known_for_one_credential_and_one_agent() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let call = write_file("report-writer", APPROVED, "c1");
    // The enforcement point has a second credential, and another agent a grant for the same.
    let second = story.gate.point("proxy", &["files", "ledger"]).await;
    let agent = story.gate.agent("close-planner", "weekly-report", Some("ines")).await;
    let planner = Parties { client: story.client.clone(), point: story.point.clone(), agent };
    let of_planner = write_file("close-planner", APPROVED, "c1");
    let asked = planner.ask(&of_planner, Some("/srv/files/reports")).await;
    assert_eq!(planner.vote(&mara, &asked, "approve", None).await.json()["state"], "granted");
    let again = Parties { client: story.client.clone(), point: second, agent: story.agent.clone() };
    let parties: [(&str, &Parties, &Value); 3] =
        [("the first", &story, &call), ("another credential", &again, &call), ("another agent", &planner, &of_planner)];
    for (who, parties, body) in parties {
        let answer = parties.evaluate(body).await;
        assert_eq!(verdict(&answer), allowed("exception"), "{who}");
        assert_eq!(answer.json()["context"]["proviso.dev/repeated"], Value::Null, "{who}: {answer:?}");
    }
    assert_eq!(uses(&story, &mara, &id).await, Some(2), "one for each credential");
    assert_eq!(uses(&story, &mara, &asked).await, Some(1), "the other agent's own");
    // Each of them knows it again.
    for (who, parties, body) in parties {
        let answer = parties.evaluate(body).await;
        assert_eq!(answer.json()["context"]["proviso.dev/repeated"], json!(true), "{who}: {answer:?}");
    }
    assert_eq!((uses(&story, &mara, &id).await, uses(&story, &mara, &asked).await), (Some(2), Some(1)));
}

#[tokio::test]
async fn a_grant_ends_by_itself() {
    proviso_tests::clauses!("arap-12-n", "arap-18-k", "arap-21.1.5");
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let call = write_file("report-writer", APPROVED, "c1");
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
    let detail = exception(&story, &mara, &id).await;
    let approval = json!({
        "id": detail["exception"]["phase"]["grant"]["id"],
        "approved_until": detail["exception"]["phase"]["grant"]["scope"]["not_after"],
    });
    story.gate.clock.advance(4 * 3_600);
    let mut late = write_file("report-writer", APPROVED, "c2");
    assert_eq!(verdict(&story.evaluate(&late).await), denied("approval_required"));
    late["context"]["approval"] = approval.clone();
    let answer = story.evaluate(&late).await;
    assert_eq!(verdict(&answer), denied("approval_expired"), "{answer:?}");
    assert_eq!(answer.json()["context"]["next_action"], "request");
    // An approval that nobody gave, or with another end, is none.
    for (name, value) in [("id", json!("grant_0")), ("approved_until", json!("2099-01-01T00:00:00Z"))] {
        let mut forged = late.clone();
        forged["context"]["approval"] = approval.clone();
        forged["context"]["approval"][name] = value;
        assert_eq!(verdict(&story.evaluate(&forged).await), denied("approval_unverifiable"));
    }
}

#[tokio::test]
async fn a_clock_that_runs_back_suspends_exceptions() {
    let story = Story::begin().await;
    granted(&story).await;
    let call = write_file("report-writer", APPROVED, "c1");
    story.gate.clock.set_back(31);
    assert_eq!(verdict(&story.evaluate(&call).await), denied("clock_unsafe"));
    let draft = write_file("report-writer", "/srv/files/drafts/a.md", "c2");
    assert_eq!(verdict(&story.evaluate(&draft).await), allowed("scope"), "delegated scope needs no clock");
    // Back again by itself is not enough: an operator says so, on record.
    story.gate.clock.set_back(-31);
    assert_eq!(verdict(&story.evaluate(&call).await), denied("clock_unsafe"));
    let root = proviso::app::Operator { uid: 0, name: "root".to_owned() };
    story.gate.app.trust_clock(&root, "the time server was wrong").await.unwrap();
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
}

#[tokio::test]
async fn after_a_revoke_nothing_passes() {
    proviso_tests::clauses!("arap-12-zc");
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let call = write_file("report-writer", APPROVED, "c1");
    assert_eq!(verdict(&story.evaluate(&call).await), allowed("exception"));
    let grant = exception(&story, &mara, &id).await["exception"]["phase"]["grant"]["id"].clone();
    let path = format!("/api/v1/grants/{}/revoke", grant.as_str().unwrap());
    let answer = story.gate.client.post(&path, &mara, &json!({"reason": ""})).await;
    assert_eq!(refusal(&answer), refused(400, "reason_needed"));
    let answer = story.gate.client.post(&path, &mara, &json!({"reason": "the task is over"})).await;
    assert_eq!(answer.json()["state"], "revoked", "{answer:?}");
    // Not the next call, and not the one that was just allowed either.
    for call in [call, write_file("report-writer", APPROVED, "c2")] {
        assert_eq!(verdict(&story.evaluate(&call).await), denied("approval_required"));
    }
    let answer = story.gate.client.post("/api/v1/grants/grant_0/revoke", &mara, &json!({"reason": "x"})).await;
    assert_eq!(refusal(&answer), refused(404, "unknown_grant"));
}
