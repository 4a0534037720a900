//! Revokes, locks and the end of a task, by whoever reaches the gate (R7).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proviso_tests::{AGENTS, Client, Setup, Story, TestGate, as_person, until, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{denied, exception, granted, refusal, refused, verdict};
use crate::own_tokens::public_id;

const APPROVED: &str = "/srv/files/reports/b.md";
const IN_SCOPE: &str = "/srv/files/drafts/b.md";

/// A question that the grant answers, or scope does: it consumes nothing, so it can be asked for ever.
fn question(path: &str, call: &str) -> Value {
    let mut body = write_file("report-writer", path, call);
    body["context"]["proviso.dev/ask"] = json!(true);
    body
}

async fn delete(client: &Client, path: &str, person: &str) -> proviso_tests::Answer {
    Client::send(as_person(client.request(Method::DELETE, path), person)).await
}

/// Eight clients ask as fast as they can. Those questions that were asked after the acknowledgement are all refused.
async fn nothing_is_allowed_after(stop: &'static str) {
    let story = Arc::new(Story::begin().await);
    let (id, mara) = granted(&story).await;
    let detail = exception(&story, &mara, &id).await;
    let grant = detail["exception"]["phase"]["grant"]["id"].as_str().unwrap().to_owned();
    // A revoke takes a grant; a lock and a task's end stop delegated scope as well.
    let paths: &[&str] = if stop.starts_with("revoke") { &[APPROVED] } else { &[APPROVED, IN_SCOPE] };
    let (acknowledged, allowed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients = (0..8).map(|client| {
        let (story, acknowledged, allowed) = (Arc::clone(&story), Arc::clone(&acknowledged), Arc::clone(&allowed));
        tokio::spawn(async move {
            let (mut late, mut wrong) = (0, Vec::new());
            for number in 0.. {
                let after = acknowledged.load(Ordering::SeqCst);
                let path = paths[number % paths.len()];
                let call = format!("c{client}-{number}");
                // What scope permits is used at any time; of the grant's few uses each client tries its own afterwards.
                let uses = path == IN_SCOPE || (after && number % 4 < 2);
                let body = if uses { write_file("report-writer", path, &call) } else { question(path, &call) };
                let answer = story.evaluate(&body).await;
                let is_allowed = answer.json()["decision"] == true;
                allowed.fetch_add(usize::from(is_allowed), Ordering::SeqCst);
                if after && is_allowed {
                    wrong.push(answer);
                }
                late += usize::from(after);
                if late >= 6 {
                    break;
                }
            }
            wrong
        })
    });
    let clients: Vec<_> = clients.collect();
    // Else the stop would show nothing.
    let begun = async || (allowed.load(Ordering::SeqCst) >= 16).then_some(());
    until(&format!("enough is allowed before {stop}"), begun).await;
    let subject = json!({"type": "Agent", "id": format!("{AGENTS}report-writer")});
    let user = |id: &str| json!({"type": "User", "id": id});
    let reason = "stop";
    let revoke = |target: Value| ("/api/v1/revocations".to_owned(), json!({"target": target, "reason": reason}));
    let lock = |target: Value| ("/api/v1/locks".to_owned(), json!({"target": target, "reason": reason}));
    let wide = async |kind: &str, name: &str| {
        let reach = format!("/api/v1/locks/reach?{kind}={name}");
        let reach = story.gate.client.get(&reach, Some(&mara)).await.json();
        let body = json!({"target": {kind: name}, "reason": reason, "reach": reach["digest"]});
        ("/api/v1/locks".to_owned(), body)
    };
    let (path, body) = match stop {
        "revoke" => (format!("/api/v1/grants/{grant}/revoke"), json!({"reason": reason})),
        "revoke_subject" => revoke(json!({"subject": subject})),
        "revoke_person" => revoke(json!({"person": user("ines")})),
        "revoke_approver" => revoke(json!({"approver": user("mara")})),
        "revoke_credential" => revoke(json!({"credential": public_id(&story.agent)})),
        "revoke_task" => revoke(json!({"task": "weekly-report"})),
        "lock_subject" => lock(json!({"subject": subject})),
        "lock_person" => lock(json!({"person": user("ines")})),
        "lock_task" => lock(json!({"task": "weekly-report"})),
        "lock_tool" => wide("tool", "write_file").await,
        "lock_server" => wide("server", "files").await,
        _ => ("/api/v1/tasks/weekly-report/end".into(), json!({"reason": reason})),
    };
    let answer = story.gate.client.post(&path, &mara, &body).await;
    assert!(answer.status.is_success(), "{stop}: {answer:?}");
    acknowledged.store(true, Ordering::SeqCst);
    for client in clients {
        let wrong = client.await.unwrap();
        assert!(wrong.is_empty(), "{stop}: allowed after the acknowledgement: {wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r7_after_a_revoke_is_acknowledged_eight_clients_get_nothing_by_it() {
    for stop in ["revoke", "revoke_subject", "revoke_person", "revoke_approver", "revoke_credential", "revoke_task"] {
        nothing_is_allowed_after(stop).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r7_after_a_lock_or_a_tasks_end_is_acknowledged_eight_clients_get_nothing_at_all() {
    for stop in ["lock_subject", "lock_person", "lock_task", "lock_tool", "lock_server", "end_task"] {
        nothing_is_allowed_after(stop).await;
    }
}

#[tokio::test]
async fn a_revoke_by_credential_takes_what_was_asked_for_with_it_and_nothing_else() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let other = story.gate.agent("report-writer", "weekly-report", Some("ines")).await;
    let revoke = async |token: &str| {
        let body = json!({"target": {"credential": public_id(token)}, "reason": "it leaked"});
        let answer = story.client.post("/api/v1/revocations", &mara, &body).await;
        assert!(answer.status.is_success(), "{answer:?}");
        answer.json()["grants"].as_array().map(Vec::len)
    };
    assert_eq!(revoke(&other).await, Some(0), "nothing was asked for with this one");
    assert_eq!(exception(&story, &mara, &id).await["state"], "granted");
    assert_eq!(revoke(&story.agent).await, Some(1));
    assert_eq!(exception(&story, &mara, &id).await["state"], "revoked");
    assert!(!verdict(&story.evaluate(&write_file("report-writer", APPROVED, "u1")).await).0);
}

#[tokio::test]
async fn a_wide_lock_needs_its_reach_ends_by_itself_and_is_lifted_by_two_others() {
    let story = Story::begin().await;
    let client = &story.gate.client;
    let (ola, jun, ines) =
        (story.gate.person("ola").await, story.gate.person("jun").await, story.gate.person("ines").await);
    let lock = |reach: &Value| json!({"target": {"tool": "write_file"}, "reason": "a worm", "reach": reach});
    let answer = client.post("/api/v1/locks", &ola, &lock(&Value::Null)).await;
    assert_eq!(refusal(&answer), refused(400, "reach_needed"));
    let reach = async || client.get("/api/v1/locks/reach?tool=write_file", Some(&ola)).await.json();
    let before = reach().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    story.ask(&call, None).await;
    let answer = client.post("/api/v1/locks", &ola, &lock(&before["digest"])).await;
    assert_eq!(refusal(&answer), refused(409, "stale_reach"));
    let seen = reach().await;
    assert_eq!(seen["reach"]["requests"].as_array().map(Vec::len), Some(1), "{seen}");
    let answer = client.post("/api/v1/locks", &ola, &lock(&seen["digest"])).await;
    assert_eq!(answer.status.as_u16(), 201, "{answer:?}");
    let locked = answer.json();
    assert!(locked["until"].is_string(), "{locked}");
    let path = format!("/api/v1/locks/{}", locked["id"].as_str().unwrap());

    let told = story.evaluate(&write_file("report-writer", IN_SCOPE, "c1")).await;
    assert_eq!(verdict(&told), denied("locked"));
    for hidden in ["ola", "worm", locked["id"].as_str().unwrap()] {
        assert!(!told.text.contains(hidden), "the agent learns `{hidden}`: {told:?}");
    }
    let line = client.get("/api/v1/locks", Some(&jun)).await.json()["locks"][0].clone();
    assert_eq!(
        (&line["by"]["id"], &line["reason"], &line["you_may"]),
        (&json!("ola"), &json!("a worm"), &json!("vote"))
    );
    assert_eq!(delete(client, &path, &jun).await.json(), json!({"lifted": false}));
    assert_eq!(verdict(&story.evaluate(&write_file("report-writer", IN_SCOPE, "c2")).await), denied("locked"));
    assert_eq!(delete(client, &path, &ines).await.json(), json!({"lifted": true}));
    assert!(verdict(&story.evaluate(&write_file("report-writer", IN_SCOPE, "c3")).await).0);

    // Again, and nobody lifts it: renewed once, then over.
    let answer = client.post("/api/v1/locks", &ola, &lock(&reach().await["digest"])).await.json();
    let path = format!("/api/v1/locks/{}", answer["id"].as_str().unwrap());
    let allowed_after = async |hours: u32| {
        story.gate.clock.advance(hours * 3_600);
        let agent = story.gate.agent("report-writer", "weekly-report", None).await;
        let body = write_file("report-writer", IN_SCOPE, &format!("h{hours}"));
        let answer = client.post_for("/access/v1/evaluation", &story.point, &agent, &body).await;
        verdict(&answer).0
    };
    assert!(!allowed_after(23).await);
    let ola = story.gate.person("ola").await;
    let renewed = client.post(&format!("{path}/renew"), &ola, &json!({"reason": "still there"})).await;
    assert!(renewed.status.is_success(), "{renewed:?}");
    assert!(!allowed_after(2).await, "renewed");
    assert!(allowed_after(22).await, "over");
    let ola = story.gate.person("ola").await;
    let late = client.post(&format!("{path}/renew"), &ola, &json!({"reason": "still there"})).await;
    assert_eq!(refusal(&late), refused(404, "unknown_lock"));
}

#[tokio::test]
async fn locks_stack_and_neither_owner_nor_locked_person_lifts_one() {
    let story = Story::begin().await;
    let client = &story.gate.client;
    let (ola, mara, tom) =
        (story.gate.person("ola").await, story.gate.person("mara").await, story.gate.person("tom").await);
    let subject = json!({"type": "Agent", "id": format!("{AGENTS}report-writer")});
    let person = json!({"type": "User", "id": "mara"});
    let mut paths = Vec::new();
    for target in [json!({"subject": subject}), json!({"subject": subject}), json!({"person": person})] {
        let answer = client.post("/api/v1/locks", &ola, &json!({"target": target, "reason": "look first"})).await;
        paths.push(format!("/api/v1/locks/{}", answer.json()["id"].as_str().unwrap()));
    }
    // tom owns the agent and is of ola's group; mara is of it, too, and locked.
    assert_eq!(refusal(&delete(client, &paths[0], &tom).await), refused(403, "not_yours"));
    for path in &paths {
        assert_eq!(refusal(&delete(client, path, &mara).await), refused(403, "not_yours"), "{path}");
    }
    assert_eq!(delete(client, &paths[2], &ola).await.json(), json!({"lifted": true}));
    let still = async || verdict(&story.evaluate(&write_file("report-writer", IN_SCOPE, "c")).await);
    assert_eq!(still().await, denied("locked"));
    assert_eq!(delete(client, &paths[0], &mara).await.json(), json!({"lifted": true}));
    assert_eq!(still().await, denied("locked"), "the other one holds");
    assert_eq!(delete(client, &paths[1], &ola).await.json(), json!({"lifted": true}));
    assert!(still().await.0);
}

#[tokio::test]
async fn a_task_that_has_ended_is_over_for_uses_requests_and_votes() {
    let story = Story::begin().await;
    let client = &story.gate.client;
    let (id, mara) = granted(&story).await;
    let call = write_file("report-writer", "/srv/files/summaries/a.md", "ask");
    let open = story.ask(&call, None).await;
    let later = write_file("report-writer", "/srv/files/summaries/b.md", "ask");
    let refused_call = story.evaluate(&later).await.json();
    let ola = story.gate.person("ola").await;
    let ballot = story.ballot(&ola, &open, "approve", None).await;
    let end = json!({"reason": "the week is over"});
    assert_eq!(refusal(&client.post("/api/v1/tasks/unheard-of/end", &mara, &end).await), refused(404, "no_such_task"));
    let agent = client.post_for("/api/v1/tasks/weekly-report/end", &story.point, &story.agent, &end).await;
    assert_eq!(refusal(&agent), refused(403, "not_a_person"));
    let ended = client.post("/api/v1/tasks/weekly-report/end", &mara, &end).await;
    assert_eq!(ended.json()["requests"], json!([open]), "{ended:?}");
    assert_eq!(ended.json()["grants"].as_array().map(Vec::len), Some(1), "{ended:?}");

    for (path, number) in [(APPROVED, "1"), (IN_SCOPE, "2")] {
        let answer = story.evaluate(&write_file("report-writer", path, number)).await;
        assert_eq!(verdict(&answer), denied("locked"));
    }
    let asked = story.request(&story.request_body(&later, &refused_call, None)).await;
    assert_eq!(refusal(&asked), refused(409, "task_ended"));
    let vote = client.post(&format!("/api/v1/exceptions/{open}/votes"), &ola, &ballot).await;
    assert_eq!(vote.status.as_u16(), 409, "{vote:?}");
    assert_eq!(exception(&story, &mara, &open).await["state"], "cancelled");
    assert_eq!(exception(&story, &mara, &id).await["state"], "revoked");
}

#[tokio::test]
async fn an_enforcement_point_hears_at_once_of_its_own_calls_that_were_stopped() {
    let story = Story::begin().await;
    let client = &story.gate.client;
    let other = story.gate.point("gateway", &["files"]).await;
    let body = write_file("report-writer", IN_SCOPE, "c1");
    let permitted = story.evaluate(&body).await.json();
    let report = json!({"evaluation_id": permitted["context"]["evaluation_id"], "call": "c1", "phase": "sending"});
    let answer = client.post_for("/api/v1/executions", &story.point, &story.agent, &report).await;
    assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
    let stops = |token: &str, wait: u32| {
        let request = client.request(Method::GET, &format!("/api/v1/stops?wait={wait}")).bearer_auth(token);
        tokio::spawn(Client::send(request))
    };
    let waiting = stops(&story.point, 30);
    let ola = story.gate.person("ola").await;
    let lock = json!({"target": {"task": "weekly-report"}, "reason": "look first"});
    let locked = client.post("/api/v1/locks", &ola, &lock).await.json();
    assert_eq!(locked["calls_in_flight"][0]["call"], "c1", "{locked}");
    let heard = waiting.await.unwrap();
    assert_eq!(heard.json()["calls"][0]["evaluation_id"], permitted["context"]["evaluation_id"], "{heard:?}");
    assert!(!heard.text.contains("ola") && !heard.text.contains("look first"), "{heard:?}");
    assert_eq!(stops(&other, 0).await.unwrap().json(), json!({"calls": []}));
    let agent = stops(&story.agent, 0).await.unwrap();
    assert_eq!(refusal(&agent), refused(403, "not_an_enforcement_point"));
}

#[tokio::test]
async fn what_continues_a_call_ends_with_the_grant_that_permitted_it() {
    let story = Story::begin().await;
    let (id, mara) = granted(&story).await;
    let begun = story.evaluate(&write_file("report-writer", APPROVED, "c1")).await.json();
    assert_eq!(begun["decision"], true, "{begun}");
    // A part of the call that delegated scope permits by itself.
    let mut part = write_file("report-writer", IN_SCOPE, "c1");
    let goes_on = async |part: &Value| verdict(&story.evaluate(part).await).0;
    assert!(goes_on(&part).await);
    part["context"]["proviso.dev/continues"] = begun["context"]["evaluation_id"].clone();
    assert!(goes_on(&part).await);
    let mut unknown = part.clone();
    unknown["context"]["proviso.dev/continues"] = json!("eval_0");
    assert!(!goes_on(&unknown).await, "nothing continues what never began");
    let detail = exception(&story, &mara, &id).await;
    let grant = detail["exception"]["phase"]["grant"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/grants/{grant}/revoke");
    assert!(story.gate.client.post(&path, &mara, &json!({"reason": "stop"})).await.status.is_success());
    assert!(!goes_on(&part).await);
    part["context"]["proviso.dev/continues"] = Value::Null;
    let answer = story.evaluate(&part).await;
    assert_eq!(answer.status.as_u16(), 400, "a twisted member is no member: {answer:?}");
}

#[tokio::test]
async fn who_floods_gets_429_and_one_line_and_others_go_on() {
    let allowance = proviso::app::Allowance { burst: 8, ..proviso::app::Allowance::each_second(1) };
    let story = Story::on(TestGate::with(Setup { allowance, ..Setup::default() }).await).await;
    let quiet = story.gate.agent("ledger-bot", "weekly-report", None).await;
    let ledger = || story.gate.app.record().logs.iter().find(|log| log.log == "ledger").map_or(0, |log| log.size);
    let before = ledger();
    let mut statuses = Vec::new();
    for number in 0..20 {
        let answer = story.evaluate(&write_file("report-writer", IN_SCOPE, &format!("c{number}"))).await;
        if answer.status.as_u16() == 429 {
            assert_eq!(refusal(&answer), refused(429, "too_many_evaluations"));
            assert_eq!(answer.header("retry-after"), "1");
            assert_ne!(answer.json()["decision"], true);
        }
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 12, "{statuses:?}");
    assert_eq!(ledger(), before + 1, "one line for all twelve");
    let body = write_file("ledger-bot", IN_SCOPE, "quiet");
    let answer = story.gate.client.post_for("/access/v1/evaluation", &story.point, &quiet, &body).await;
    assert!(verdict(&answer).0, "{answer:?}");
}

#[tokio::test]
async fn two_agents_that_ask_for_the_same_are_two_requests() {
    let story = Story::begin().await;
    let first = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let again = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask-2"), None).await;
    assert_eq!(first, again, "the very same is folded");
    let agent = story.gate.agent("ledger-bot", "weekly-report", Some("ines")).await;
    let body = write_file("ledger-bot", "/srv/files/reports/a.md", "ask");
    let refused_call = story.gate.client.post_for("/access/v1/evaluation", &story.point, &agent, &body).await.json();
    let asked = story.request_body(&body, &refused_call, None);
    let other = story.gate.client.post_for("/access/v1/requests", &story.point, &agent, &asked).await.json();
    assert_ne!(other["task"]["id"], json!(first), "{other}");
    assert!(other["task"]["id"].is_string(), "{other}");
    let mara = story.gate.person("mara").await;
    let detail = exception(&story, &mara, &first).await;
    assert_eq!(detail["exception"]["repeats"].as_array().map(Vec::len), Some(1), "{detail}");
}
