//! The very same request again: its words, its key, and what it counts against.

use proviso::app::Allowance;
use proviso_tests::{Answer, Client, Setup, Story, TestGate, post_rows, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{exception, granted, refusal, refused};

/// Asks again for the same write, in these words and perhaps with a key.
async fn again(story: &Story, words: &str, key: Option<&str>) -> (Value, Answer) {
    let call = write_file("report-writer", "/srv/files/reports/a.md", "again");
    let denied = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denied, None);
    body["context"]["business_justification"] = json!(words);
    let answer = send(story, &body, key).await;
    (body, answer)
}

async fn send(story: &Story, body: &Value, key: Option<&str>) -> Answer {
    let request = story.gate.client.request(Method::POST, "/access/v1/requests").bearer_auth(&story.point);
    let request = request.header("proviso-subject-token", &story.agent);
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    Client::send(request.json(body)).await
}

fn task(answer: &Answer) -> Value {
    answer.json()["task"]["id"].clone()
}

#[tokio::test]
async fn each_repeat_says_whether_its_words_are_new_and_no_agent_says_it() {
    proviso_tests::clauses!("c4-15-repeats");
    let story = Story::begin().await;
    let (_, first) = again(&story, "the report is due", None).await;
    let id = task(&first);
    for words in ["the report is due", "the board is waiting", "the board is waiting", "the report is due"] {
        assert_eq!(task(&again(&story, words, None).await.1), id);
    }
    // What an agent says of it is nothing that anybody knows.
    let call = write_file("report-writer", "/srv/files/reports/a.md", "again");
    let denied = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denied, None);
    body["context"]["business_justification"] = json!("the report is due");
    body["changed"] = json!(true);
    body["context"]["changed"] = json!(true);
    assert_eq!(task(&send(&story, &body, None).await), id);
    let mara = story.gate.person("mara").await;
    let detail = exception(&story, &mara, id.as_str().unwrap()).await;
    let repeats = detail["exception"]["repeats"].as_array().unwrap().clone();
    let told: Vec<(&str, bool)> = repeats
        .iter()
        .map(|repeat| (repeat["justification"].as_str().unwrap(), repeat["changed"].as_bool().unwrap_or(false)))
        .collect();
    let (due, board) = ("the report is due", "the board is waiting");
    assert_eq!(told, [(due, false), (board, true), (board, false), (due, true), (due, false)]);
    // The same after a restart: it is found in the record, which holds every word.
    let gate = story.gate.again(Setup::default()).await;
    let mara = gate.person("mara").await;
    let path = format!("/api/v1/exceptions/{}", id.as_str().unwrap());
    assert_eq!(gate.client.get(&path, Some(&mara)).await.json()["exception"]["repeats"], json!(repeats));
}

#[tokio::test]
async fn the_key_of_a_request_that_folded_is_kept_like_any_other() {
    let story = Story::begin().await;
    let id = task(&again(&story, "the report is due", Some("key-1")).await.1);
    let (body, folded) = again(&story, "the board is waiting", Some("key-2")).await;
    assert_eq!(task(&folded), id);
    let before = super::sizes(&story);
    for _ in 0..3 {
        assert_eq!(task(&send(&story, &body, Some("key-2")).await), id, "the same message, the same answer");
    }
    let mut other = body.clone();
    other["context"]["business_justification"] = json!("another reason");
    assert_eq!(refusal(&send(&story, &other, Some("key-2")).await), refused(409, "duplicate_request"));
    assert_eq!(refusal(&send(&story, &body, Some("key-1")).await), refused(409, "duplicate_request"));
    assert_eq!(super::sizes(&story), before, "nothing came of any of them");
    // A key is its own credential's.
    let other_task = story.gate.agent("report-writer", "another-task", Some("ines")).await;
    let call = write_file("report-writer", "/srv/files/reports/b.md", "b");
    let denied = story.gate.client.post_for("/access/v1/evaluation", &story.point, &other_task, &call).await.json();
    let request = story.gate.client.request(Method::POST, "/access/v1/requests").bearer_auth(&story.point);
    let request = request.header("proviso-subject-token", &other_task).header("idempotency-key", "key-2");
    let answer = Client::send(request.json(&story.request_body(&call, &denied, None))).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    // No restart forgets it, and the end of the request does not free it.
    let (point, agent) = (story.point.clone(), story.agent.clone());
    let gate = story.gate.again(Setup::default()).await;
    let send_on = async |gate: &TestGate, body: &Value| {
        let request = gate.client.request(Method::POST, "/access/v1/requests").bearer_auth(&point);
        Client::send(request.header("proviso-subject-token", &agent).header("idempotency-key", "key-2").json(body))
            .await
    };
    assert_eq!(task(&send_on(&gate, &body).await), id);
    let cancel = format!("/access/v1/requests/{}/cancel", id.as_str().unwrap());
    assert!(gate.client.post_for(&cancel, &point, &agent, &json!({})).await.status.is_success());
    assert_eq!(refusal(&send_on(&gate, &other).await), refused(409, "duplicate_request"));
    assert_eq!(task(&send_on(&gate, &body).await), id);
}

#[tokio::test]
async fn another_server_definition_action_or_resource_is_another_request() {
    proviso_tests::clauses!("c4-15-repeats", "c4-6-tool-names");
    let story = Story::begin().await;
    let write = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let with = |name: &str, value: String| {
        let mut call = write.clone();
        call["context"][name] = json!(value);
        call
    };
    let mut folder = write.clone();
    folder["action"]["name"] = json!("create_directory");
    folder["context"]["input"] = json!({"path": "/srv/files/reports/a.md"});
    let calls = [
        write.clone(),
        with("proviso.dev/server", "ledger".to_owned()),
        with("proviso.dev/tool", "ab".repeat(32)),
        with("proviso.dev/tool", "cd".repeat(32)),
        folder,
        post_rows("report-writer", "finance/sandbox", 5, "ask"),
        post_rows("report-writer", "finance/ledger-us", 5, "ask"),
    ];
    let mut ids = Vec::new();
    for call in &calls {
        ids.push(story.ask(call, None).await);
    }
    for (call, id) in calls.iter().zip(&ids) {
        assert_eq!(story.ask(call, None).await, *id, "the very same folds: {call}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), calls.len(), "each is a request of its own");
}

#[tokio::test]
async fn a_renewal_takes_its_turn_and_is_held_to_the_limits_of_a_request() {
    let allowance = Allowance { burst: 6, ..Allowance::each_second(1) };
    let story = Story::on(TestGate::with(Setup { allowance, ..Setup::default() }).await).await;
    let (id, mara) = granted(&story).await;
    let path = format!("/api/v1/exceptions/{id}/renew");
    let renew = async || {
        let why = json!({"justification": "once more"});
        story.client.post_for(&path, &story.point, &story.agent, &why).await
    };
    let mut refusals = 0;
    for _ in 0..12 {
        let answer = renew().await;
        if answer.status.as_u16() == 201 {
            continue;
        }
        assert_eq!(refusal(&answer), refused(429, "too_many_evaluations"));
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 1), "{answer:?}");
        refusals += 1;
    }
    assert!(refusals >= 6, "{refusals}");
    // Refused twelve times more, it is one line: the record does not grow by what is refused.
    let before = super::sizes(&story);
    for _ in 0..12 {
        assert_eq!(refusal(&renew().await).0, 429);
    }
    assert_eq!(super::sizes(&story), before);
    // A person who renews counts for the agent that it is for; others go on.
    let ines = story.gate.person("ines").await;
    let answer = story.client.post(&path, &ines, &json!({"justification": "once more"})).await;
    assert_eq!(refusal(&answer), refused(429, "too_many_evaluations"));
    assert_eq!(exception(&story, &mara, &id).await["state"], "granted");
    let planner = story.gate.agent("close-planner", "another-task", Some("jun")).await;
    let call = write_file("close-planner", "/srv/files/reports/a.md", "c1");
    assert!(story.client.post_for("/access/v1/evaluation", &story.point, &planner, &call).await.status.is_success());
    // After the interval it may be asked again.
    story.gate.clock.advance(60);
    assert_eq!(renew().await.status.as_u16(), 201);
}

#[tokio::test]
async fn a_refusal_silences_the_call_however_it_is_written() {
    let story = Story::begin().await;
    let (write, post) = (
        write_file("report-writer", "/srv/files/reports/a.md", "again"),
        proviso_tests::post_rows("report-writer", "finance/ledger-eu", 5, "again"),
    );
    let mara = story.gate.person("mara").await;
    for call in [&write, &post] {
        let id = story.ask(call, None).await;
        assert_eq!(story.vote(&mara, &id, "refuse", None).await.json()["state"], "denied");
    }
    let ask = async |call: &Value, arguments: &Value| {
        let denied = story.evaluate(call).await.json();
        let mut scope = denied["context"]["access_request"]["display"]["scope"].clone();
        scope["arguments"] = arguments.clone();
        story.request(&story.request_body(call, &denied, Some(scope))).await
    };
    let is = |at: &str, value: &str| json!({"at": [at], "op": "equals", "value": value});
    let one = |at: &str, value: &str| json!({"at": [at], "op": "one_of", "values": [value]});
    let (path, content) = ("/srv/files/reports/a.md", "hello");
    for (call, arguments) in [
        (&write, json!("exact")),
        (&write, json!([is("path", path), is("content", content)])),
        (&write, json!([one("path", path), is("content", content)])),
        (&write, json!([is("content", content), one("path", path)])),
        (&post, json!([{"at": ["rows"], "op": "between", "min": 5, "max": 5}])),
        (&post, json!([{"at": ["rows"], "op": "equals", "value": 5}])),
    ] {
        let answer = ask(call, &arguments).await;
        assert_eq!(refusal(&answer), refused(429, "refused_recently"), "{arguments}");
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 3_590), "{answer:?}");
    }
    // What it does not cover is another request: people may say something else of it.
    let wider = ask(&post, &json!([{"at": ["rows"], "op": "between", "min": 5, "max": 6}])).await;
    assert_eq!(wider.status.as_u16(), 201, "{wider:?}");
}
