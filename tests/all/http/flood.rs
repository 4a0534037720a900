//! One agent that asks without end: people, record and other agents bear no more of it than policy and limits say.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use proviso::app::Allowance;
use proviso_tests::{Answer, Client, Parties, Setup, Story, TestGate, write_file};
use reqwest::Method;
use serde_json::Value;

use super::{denied, refusal, refused, sizes, verdict};

/// Another agent of the house in a task of its own, behind the same enforcement point.
async fn quiet(story: &Story) -> Parties {
    let agent = story.gate.agent("close-planner", "another-task", Some("jun")).await;
    Parties { client: story.client.clone(), point: story.point.clone(), agent }
}

/// A request of the quiet one that a person grants, from the first question to the use.
async fn is_served(story: &Story, quiet: &Parties, number: usize) {
    let file = format!("/srv/files/reports/quiet-{number}.md");
    let id = quiet.ask(&write_file("close-planner", &file, "ask"), None).await;
    let mara = story.gate.person("mara").await;
    let vote = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(vote.json()["state"], "granted", "{vote:?}");
    assert!(verdict(&quiet.evaluate(&write_file("close-planner", &file, &format!("use-{number}"))).await).0);
}

async fn evaluate(client: &Client, point: &str, agent: &str, call: &Value) -> Answer {
    client.post_for("/access/v1/evaluation", point, agent, call).await
}

#[tokio::test]
async fn ten_thousand_requests_of_one_agent_are_twenty_for_people_and_hold_up_nobody() {
    proviso_tests::clauses!("c4-15-flood", "c4-15-others");
    let setup = Setup { allowance: Allowance::default(), ..Setup::default() };
    let story = Story::on(TestGate::with(setup).await).await;
    let (quiet, before) = (quiet(&story).await, sizes(&story));
    let call = |number: usize| write_file("report-writer", &format!("/srv/files/reports/{number}.md"), "c");
    let (mut made, mut refused_by_limit, mut contended, mut sent) = (0, 0, 0, 0);
    // Another file each time, and a request wherever one is offered.
    for round in 0..125 {
        let numbers = (round * 80)..(round * 80 + 80);
        let asking = numbers.map(async |number| {
            let (call, told) = (call(number), story.evaluate(&call(number)).await);
            if told.status.as_u16() == 429 {
                return (told, None);
            }
            let request = story.request(&story.request_body(&call, &told.json(), None)).await;
            (told, Some(request))
        });
        for (evaluation, request) in futures::future::join_all(asking).await {
            sent += 1 + usize::from(request.is_some());
            let last = request.unwrap_or(evaluation);
            if last.status.as_u16() == 201 {
                made += 1;
            } else if refusal(&last) == refused(409, "contended") {
                // Those that it sends at once are in each other's way, and in nobody else's.
                contended += 1;
            } else {
                let (status, code) = refusal(&last);
                assert_eq!(status, 429, "{last:?}");
                assert!(["too_many_evaluations", "too_many_requests"].contains(&code.as_str()), "{code}");
                assert!(last.header("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 1), "{last:?}");
                refused_by_limit += 1;
            }
        }
        if round % 60 == 1 {
            is_served(&story, &quiet, round).await;
        }
    }
    assert!(sent >= 10_000, "{sent}");
    assert_eq!((made, refused_by_limit + contended), (20, 10_000 - 20), "{contended}");
    let mara = story.gate.person("mara").await;
    let queue = story.client.get("/api/v1/exceptions?state=requested", Some(&mara)).await.json();
    assert_eq!(queue["exceptions"].as_array().map(Vec::len), Some(20), "what approvers see of it");
    // Each evaluation that was let through is a line, and all that was refused by a limit is two.
    let after = sizes(&story);
    let grown: u64 = after.iter().zip(&before).map(|(after, before)| after - before).sum();
    let burst = u64::from(Allowance::default().burst);
    assert!(grown < burst + 100, "{before:?} {after:?}");
    is_served(&story, &quiet, 1_000).await;
}

#[tokio::test]
async fn a_subject_has_one_allowance_in_all_its_tasks() {
    proviso_tests::clauses!("c4-15-more-tasks");
    let allowance = Allowance { burst: 6, ..Allowance::each_second(1) };
    let story = Story::on(TestGate::with(Setup { allowance, ..Setup::default() }).await).await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c");
    let mut answered = 0;
    for number in 0..12 {
        let task = format!("task-{number}");
        let agent = story.gate.agent("report-writer", &task, Some("ines")).await;
        let answer = evaluate(&story.client, &story.point, &agent, &call).await;
        if answer.status.is_success() {
            answered += 1;
        } else {
            assert_eq!(refusal(&answer), refused(429, "too_many_evaluations"), "{task}");
        }
    }
    assert_eq!(answered, 6, "twelve tasks give what one gives");
    let quiet = quiet(&story).await;
    let theirs = write_file("close-planner", "/srv/files/reports/a.md", "c");
    assert_eq!(verdict(&quiet.evaluate(&theirs).await), denied("approval_required"));
}

#[tokio::test]
async fn a_task_bears_four_of_its_agents_and_no_one_of_them_uses_it_up() {
    proviso_tests::clauses!("c4-15-more-agents");
    let allowance = Allowance { burst: 6, ..Allowance::each_second(1) };
    let story = Story::on(TestGate::with(Setup { allowance, ..Setup::default() }).await).await;
    let mut answered = Vec::new();
    for name in ["report-writer", "ledger-bot", "close-planner", "intern-bot", "release-bot"] {
        let agent = story.gate.agent(name, "weekly-report", Some("ines")).await;
        let call = write_file(name, "/srv/files/reports/a.md", "c");
        let mut fine = 0;
        for _ in 0..8 {
            let answer = evaluate(&story.client, &story.point, &agent, &call).await;
            fine += u32::from(answer.status.is_success());
            assert!(answer.status.is_success() || refusal(&answer) == refused(429, "too_many_evaluations"));
        }
        answered.push(fine);
    }
    assert_eq!(answered, [6, 6, 6, 6, 0]);
    // The fifth has lost nothing of its own by that.
    let elsewhere = story.gate.agent("release-bot", "release", Some("ines")).await;
    let call = write_file("release-bot", "/srv/files/reports/a.md", "c");
    for _ in 0..6 {
        assert!(evaluate(&story.client, &story.point, &elsewhere, &call).await.status.is_success());
    }
}

async fn look(parties: &Parties, id: &str) -> Answer {
    let path = format!("/access/v1/requests/{id}?wait=60");
    let request = parties.client.request(Method::GET, &path).bearer_auth(&parties.point);
    Client::send(request.header("proviso-subject-token", &parties.agent)).await
}

/// How long something may take that must not wait for a decision.
const AT_ONCE: Duration = Duration::from_secs(50);

#[tokio::test]
async fn one_agent_fills_its_own_waits_and_nobody_elses() {
    proviso_tests::clauses!("c4-15-waits");
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/a.md", "ask"), None).await;
    let mut looks: FuturesUnordered<_> = (0..300).map(|_| look(&story, &id)).collect();
    for _ in 0..300 - 16 {
        let told = tokio::time::timeout(AT_ONCE, looks.next()).await.expect("told at once").expect("an answer");
        assert_eq!(told.json()["task"]["status"], "pending", "{told:?}");
        assert_eq!(told.header("retry-after"), "2", "nobody is refused, and all are told when to look again");
    }
    assert_eq!(looks.len(), 16, "the others wait");
    // Another agent's request is made, waited for and decided meanwhile.
    let quiet = quiet(&story).await;
    let theirs = quiet.ask(&write_file("close-planner", "/srv/files/reports/b.md", "ask"), None).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &theirs, "approve", None).await;
    let path = format!("/api/v1/exceptions/{theirs}/votes");
    let both = async { tokio::join!(look(&quiet, &theirs), story.client.post(&path, &mara, &ballot)) };
    let (told, voted) = tokio::time::timeout(AT_ONCE, both).await.expect("told before the wait is over");
    assert!(voted.status.is_success(), "{voted:?}");
    assert_eq!(told.json()["task"]["status"], "approved", "{told:?}");
    // Those that wait are still told as soon as theirs is decided.
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    while let Some(told) = tokio::time::timeout(AT_ONCE, looks.next()).await.expect("told of the decision") {
        assert_eq!(told.json()["task"]["status"], "approved", "{told:?}");
    }
}
