//! Chains of actions: policy sees what a task has done, and several grants add up to what each of them allows.

use proviso_tests::{AGENTS, Answer, Parties, Setup, Story, TestGate, write_file};
use serde_json::{Value, json};

use super::{allowed, denied, exception, verdict};

/// A call of an agent with these arguments.
fn call(agent: &str, (server, action): (&str, &str), (kind, id): (&str, &str), input: Value, call: &str) -> Value {
    json!({
        "subject": {"type": "Agent", "id": format!("{AGENTS}{agent}")},
        "action": {"name": action},
        "resource": {"type": kind, "id": id},
        "context": {"input": input, "proviso.dev/server": server, "proviso.dev/call": call},
    })
}

fn read_journal(agent: &str, id: &str) -> Value {
    call(agent, ("ledger", "read_journal"), ("Dataset", "finance/sandbox"), json!({}), id)
}

#[tokio::test]
async fn what_is_harmless_alone_is_forbidden_together() {
    let story = Story::begin().await;
    let public = |id: &str| write_file("report-writer", "/srv/files/public/notes.md", id);
    let id = story.ask(&public("ask"), Some("/srv/files/public")).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    assert_eq!(verdict(&story.evaluate(&public("c1")).await), allowed("exception"));

    assert_eq!(verdict(&story.evaluate(&read_journal("report-writer", "c2")).await), allowed("scope"));
    let elsewhere = write_file("report-writer", "/srv/files/drafts/notes.md", "c3");
    assert_eq!(verdict(&story.evaluate(&elsewhere).await), allowed("scope"));
    // No approval helps, whenever it was given.
    assert_eq!(verdict(&story.evaluate(&public("c4")).await), denied("guardrail"));
    let found = exception(&story, &mara, &id).await;
    assert_eq!(proviso_tests::uses(&found), Some(1), "what a guardrail stopped consumed nothing");

    // Another task has read nothing, and this one has read it for every agent that acts in it, also after a restart.
    let gate = story.gate.again(Setup::default()).await;
    let point = gate.point("proxy", &["files", "ledger"]).await;
    for (agent, task, expected) in [
        ("report-writer", "another-task", denied("approval_required")),
        ("report-writer", "weekly-report", denied("guardrail")),
        ("ledger-bot", "weekly-report", denied("guardrail")),
    ] {
        let token = gate.agent(agent, task, Some("ines")).await;
        let body = write_file(agent, "/srv/files/public/notes.md", "c5");
        let answer = gate.client.post_for("/access/v1/evaluation", &point, &token, &body).await;
        assert_eq!(verdict(&answer), expected, "{agent} in {task}: {answer:?}");
    }
}

/// release-bot in a task of its own, which may ask for files and for releases.
async fn releasing(gate: &TestGate) -> Parties {
    let point = gate.point("release-proxy", &["files", "deploy"]).await;
    let agent = gate.agent("release-bot", "release", Some("ines")).await;
    Parties { client: gate.client.clone(), point, agent }
}

async fn deploy(parties: &Parties, id: &str) -> Answer {
    let input = json!({"service": "staging", "version": "2.4.1"});
    parties.evaluate(&call("release-bot", ("deploy", "deploy_service"), ("Service", "staging"), input, id)).await
}

#[tokio::test]
async fn what_a_task_wrote_itself_it_releases_by_exception_only() {
    let story = Story::begin().await;
    let bot = releasing(&story.gate).await;
    assert_eq!(verdict(&deploy(&bot, "c1").await), allowed("scope"));
    // What was refused was not done, and what was only asked about neither.
    let refused = write_file("release-bot", "/srv/files/reports/a.md", "c2");
    assert_eq!(verdict(&bot.evaluate(&refused).await), denied("approval_required"));
    let mut asked = write_file("release-bot", "/srv/files/drafts/a.md", "c3");
    asked["context"]["proviso.dev/ask"] = json!(true);
    assert_eq!(verdict(&bot.evaluate(&asked).await), allowed("scope"));
    assert_eq!(verdict(&deploy(&bot, "c4").await), allowed("scope"));

    let written = write_file("release-bot", "/srv/files/drafts/a.md", "c5");
    assert_eq!(verdict(&bot.evaluate(&written).await), allowed("scope"));
    let answer = deploy(&bot, "c6").await;
    assert_eq!(verdict(&answer), denied("approval_required"));
    let body = call(
        "release-bot",
        ("deploy", "deploy_service"),
        ("Service", "staging"),
        json!({"service": "staging", "version": "2.4.1"}),
        "c7",
    );
    let asked = bot.request(&bot.request_body(&body, &answer.json(), None)).await;
    let id = asked.json()["task"]["id"].as_str().expect("a request").to_owned();
    for (person, state) in [("sol", "requested"), ("kit", "granted")] {
        let cookie = story.gate.person(person).await;
        let vote = story.vote(&cookie, &id, "approve", None).await;
        assert_eq!(vote.json()["state"], state, "{person}: {vote:?}");
    }
    assert_eq!(verdict(&deploy(&bot, "c8").await), allowed("exception"));
    assert_eq!(verdict(&deploy(&bot, "c9").await), denied("approval_required"), "one use");
}

#[tokio::test]
async fn grants_add_up_and_the_narrowest_that_fits_is_consumed() {
    let story = Story::begin().await;
    let (inside, outside) = ("/srv/files/reports/a.md", "/srv/files/reports/b.md");
    // Both are asked for before either is there: what a grant covers is not refused any more.
    let wide = story.ask(&write_file("report-writer", inside, "ask1"), Some("/srv/files/reports")).await;
    let exact = story.ask(&write_file("report-writer", inside, "ask2"), None).await;
    let mara = story.gate.person("mara").await;
    let mut one = story.ballot(&mara, &exact, "approve", None).await["grant"].clone();
    one["max_uses"] = json!(1);
    for (id, scope) in [(&wide, None), (&exact, Some(one))] {
        let vote = story.vote(&mara, id, "approve", scope).await;
        assert_eq!(vote.json()["state"], "granted", "{vote:?}");
    }
    let used = async |id: &str| proviso_tests::uses(&exception(&story, &mara, id).await);
    for (n, (path, expected)) in
        [(outside, (1, 0)), (inside, (1, 1)), (inside, (2, 1)), (outside, (3, 1))].into_iter().enumerate()
    {
        let answer = story.evaluate(&write_file("report-writer", path, &format!("c{n}"))).await;
        assert_eq!(verdict(&answer), allowed("exception"), "{path}");
        assert_eq!((used(&wide).await, used(&exact).await), (Some(expected.0), Some(expected.1)), "{path}");
    }
    let answer = story.evaluate(&write_file("report-writer", inside, "last")).await;
    assert_eq!(verdict(&answer), denied("approval_required"), "both are used up");
}
