//! Agents as people look at them: what one may do today, and which record or policy gave each part; and a made-up question.

use proviso_tests::{AGENTS, Answer, Story, write_file};
use serde_json::{Value, json};

use super::{refusal, refused, sizes};

async fn agents(story: &Story, person: &str) -> Value {
    story.client.get("/api/v1/agents", Some(person)).await.json()
}

async fn agent(story: &Story, person: &str, id: &str) -> Answer {
    let id = format!("{AGENTS}{id}").replace(':', "%3A").replace('/', "%2F");
    story.client.get(&format!("/api/v1/agent?type=Agent&id={id}"), Some(person)).await
}

async fn what_if(story: &Story, person: &str, body: &Value) -> Answer {
    story.client.post("/api/v1/what-if", person, body).await
}

#[tokio::test]
async fn an_agents_page_says_what_it_may_do_today_and_by_what() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "g1");
    let id = story.ask(&call, None).await;
    let told = agent(&story, &mara, "report-writer").await.json();
    assert_eq!(told["line"]["requests"], 1, "{told:#}");
    assert_eq!(told["owner"]["owners"].as_array().map(Vec::len), Some(1), "{:#}", told["owner"]);
    assert_eq!(told["owner"]["owners"][0]["id"], "tom");
    assert_eq!(told["calls"].as_array().map(Vec::len), Some(1), "{:#}", told["calls"]);
    assert_eq!(told["calls"][0]["outcome"], "requestable_denial", "{:#}", told["calls"]);
    let policies = told["policies"].as_array().unwrap();
    let of = |folder: &str| policies.iter().filter(|mention| mention["folder"] == folder).count();
    assert!(of("guardrails") > 0 && of("scope") > 0 && of("approval/request") > 0, "{policies:#?}");
    story.vote(&mara, &id, "approve", None).await;
    let told = agent(&story, &mara, "report-writer").await.json();
    let today = &told["calls"][0];
    assert_eq!((&today["outcome"], &today["exception"]), (&json!("permitted_by_exception"), &json!(id)), "{today:#}");
    assert_eq!(today["permitted_then"], false);
    assert_eq!(told["exceptions"][0]["id"], json!(id));
    // A look consumes nothing, and is no record.
    let before = sizes(&story);
    let _ = agent(&story, &mara, "report-writer").await;
    assert_eq!(sizes(&story), before);
    assert_eq!(story.evaluate(&call).await.json()["decision"], true);
    // A lock is told where it bites, and today's answer follows.
    let subject = json!({"type": "Agent", "id": format!("{AGENTS}report-writer")});
    let lock = json!({"target": {"subject": subject}, "reason": "odd"});
    assert!(story.client.post("/api/v1/locks", &mara, &lock).await.status.is_success());
    let told = agent(&story, &mara, "report-writer").await.json();
    assert_eq!((&told["line"]["locked"], &told["calls"][0]["reason"]), (&json!(true), &json!("locked")), "{told:#}");
    assert_eq!(told["locks"][0]["reason"], "odd");
}

#[tokio::test]
async fn agents_are_listed_with_what_is_live_and_of_strangers_nothing_is_said() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    // Each of the bundle's, once, and nobody else.
    let entities: Vec<Value> = serde_json::from_str(&proviso_tests::sample_bundle()["entities.json"]).unwrap();
    let uids = entities.iter().map(|entity| &entity["uid"]).filter(|uid| uid["type"] == "Agent");
    let mut expected: Vec<&str> = uids.map(|uid| uid["id"].as_str().unwrap()).collect();
    expected.sort_unstable();
    let list = agents(&story, &mara).await;
    let lines = list["agents"].as_array().unwrap();
    let mut listed: Vec<&str> = lines.iter().map(|line| line["agent"]["id"].as_str().unwrap()).collect();
    listed.sort_unstable();
    assert_eq!(listed, expected);
    assert!(
        lines.iter().all(|line| line["known"] == true && !line["owners"].as_array().unwrap().is_empty()),
        "{list:#}"
    );
    // What is live of one is counted with it, and of no other.
    let counted = async || {
        let list = agents(&story, &mara).await;
        let lines = list["agents"].as_array().unwrap().iter();
        let live = lines.filter(|line| line["requests"] != 0 || line["grants"] != 0 || line["locked"] != false);
        live.map(|line| json!([line["agent"]["id"], line["requests"], line["grants"], line["locked"]]))
            .collect::<Vec<_>>()
    };
    let writer = format!("{AGENTS}report-writer");
    assert_eq!(counted().await, Vec::<Value>::new());
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "l1"), None).await;
    assert_eq!(counted().await, [json!([writer, 1, 0, false])]);
    story.vote(&mara, &id, "approve", None).await;
    assert_eq!(counted().await, [json!([writer, 0, 1, false])]);
    let lock = json!({"target": {"subject": {"type": "Agent", "id": writer}}, "reason": "odd"});
    assert!(story.client.post("/api/v1/locks", &mara, &lock).await.status.is_success());
    assert_eq!(counted().await, [json!([writer, 0, 1, true])]);
    assert_eq!(refusal(&agent(&story, &mara, "nobody").await), refused(404, "unknown_agent"));
    let user = story.client.get("/api/v1/agent?type=User&id=mara", Some(&mara)).await;
    assert_eq!(refusal(&user), refused(404, "unknown_agent"), "a person is no agent");
}

#[tokio::test]
async fn a_question_is_made_up_from_a_record_and_writes_nothing_down() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "w1");
    story.evaluate(&call).await;
    let told = agent(&story, &mara, "report-writer").await.json();
    let seq = told["calls"][0]["seq"].as_u64().unwrap();
    let before = sizes(&story);
    let same = what_if(&story, &mara, &json!({"record": seq})).await.json();
    assert_eq!(same["asked"]["input"], json!({"path": "/srv/files/reports/a.md", "content": "hello"}), "{same:#}");
    assert_eq!(same["then"]["outcome"], "requestable_denial");
    let other = json!({"record": seq, "input": {"path": "/srv/files/other.md", "content": "x"}});
    let other = what_if(&story, &mara, &other).await.json();
    assert_ne!(other["question"]["call"]["input_digest"], same["question"]["call"]["input_digest"]);
    assert_eq!(other["question"]["chain"], same["question"]["chain"]);
    let typed = json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}close-planner")}, "task": "t", "action": "write_file",
        "resource": {"type": "Volume", "id": "files"}, "server": "files",
        "input": {"path": "/srv/files/x.md", "content": "x"}, "on_behalf": {"type": "User", "id": "ines"},
    });
    let typed = what_if(&story, &mara, &typed).await.json();
    assert_eq!(typed["question"]["chain"][0]["id"], "ines", "{typed:#}");
    for (body, status, code) in [
        (json!({}), 400, "bad_request"),
        (json!({"record": 999_999}), 404, "unknown_record"),
        (json!({"record": seq, "action": "no_such_action"}), 400, "bad_input"),
        (json!({"record": seq, "input": {"path": 7}}), 400, "bad_input"),
    ] {
        assert_eq!(refusal(&what_if(&story, &mara, &body).await), refused(status, code), "{body}");
    }
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn a_made_up_question_tells_nothing_of_what_a_task_of_others_was_permitted() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let drafted = story.evaluate(&write_file("report-writer", "/srv/files/drafts/a.md", "d1")).await;
    assert_eq!(drafted.json()["decision"], true, "{drafted:?}");
    let asked = |agent: &str, task: &str| {
        json!({
            "subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")}, "task": task, "action": "write_file",
            "resource": {"type": "Volume", "id": "files"}, "server": "files",
            "input": {"path": "/srv/files/x.md", "content": "x"},
        })
    };
    for (agent, task, told) in [
        ("report-writer", "weekly-report", true),
        ("close-planner", "weekly-report", false),
        ("report-writer", "another", false),
    ] {
        let answer = what_if(&story, &mara, &asked(agent, task)).await.json();
        let done = answer["question"]["context"]["done"].to_string();
        assert_eq!(done.contains("write_file"), told, "{agent} in {task}: {answer:#}");
    }
}
