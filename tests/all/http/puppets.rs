//! One person who would be two: by a hand-over of the agent, another agent, another account (R4).

use std::collections::BTreeMap;

use proviso::app::Operator;
use proviso::identity::MintRequest;
use proviso_tests::{AGENTS, Parties, Setup, Story, sample_bundle, write_file};
use serde_json::json;

use super::{denied, exception, refusal, refused, verdict};

const FILE: &str = "/srv/files/reports/a.md";

/// The sample bundle with report-writer in these hands.
fn owned_by(owner: &str) -> BTreeMap<String, String> {
    let mut bundle = sample_bundle();
    let of = |owner: &str| {
        format!(r#"agent/report-writer"}}, "attrs": {{"owner": {{"__entity": {{"type": "User", "id": "{owner}"}}}}"#)
    };
    let entities = bundle.get_mut("entities.json").unwrap();
    assert!(entities.contains(&of("tom")));
    *entities = entities.replace(&of("tom"), &of(owner));
    bundle
}

/// The gate after a restart with report-writer in these hands.
async fn handed_to(story: Story, owner: &str) -> Story {
    let clock = story.gate.clock.clone();
    let setup = Setup { bundle: owned_by(owner), clock, activate: true, ..Setup::default() };
    Story::on(story.gate.again(setup).await).await
}

#[tokio::test]
async fn an_agent_that_is_handed_over_and_back_has_both_for_its_owners() {
    proviso_tests::clauses!("c4-1-owner-hand-over-and-back");
    let story = Story::begin().await;
    // tom, then ola, then tom again, all within a week: each of them decides on files otherwise.
    story.gate.clock.advance(86_400);
    let story = handed_to(story, "ola").await;
    story.gate.clock.advance(3 * 86_400);
    let story = handed_to(story, "tom").await;
    story.gate.clock.advance(86_400);
    let story = handed_to(story, "tom").await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    for owner in ["tom", "ola"] {
        let cookie = story.gate.person(owner).await;
        for decision in ["approve", "refuse", "ask"] {
            let answer = story.vote(&cookie, &id, decision, None).await;
            assert_eq!(refusal(&answer), refused(403, "is_owner"), "{owner} {decision}");
        }
    }
    let answer = story.evaluate(&write_file("report-writer", FILE, "use")).await;
    assert_eq!(verdict(&answer), denied("approval_required"));
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
}

#[tokio::test]
async fn a_refusal_is_of_every_agent_of_the_same_owner_in_that_task() {
    proviso_tests::clauses!("c4-1-second-agent-of-the-owner");
    let story = Story::begin().await;
    let beside = async |name: &str, task: &str| {
        let agent = story.gate.agent(name, task, Some("ines")).await;
        Parties { client: story.client.clone(), point: story.point.clone(), agent }
    };
    let id = story.ask(&write_file("report-writer", FILE, "ask"), Some("/srv/files/reports")).await;
    let mara = story.gate.person("mara").await;
    assert_eq!(story.vote(&mara, &id, "refuse", None).await.json()["state"], "denied");
    let asks = async |parties: &Parties, name: &str, path: &str| {
        let call = write_file(name, path, "ask");
        let answer = parties.evaluate(&call).await;
        assert_eq!(verdict(&answer), denied("approval_required"), "{name}");
        parties.request(&parties.request_body(&call, &answer.json(), None)).await
    };
    // tom owns both. The agent beside it asks in the same task for what lies inside what was refused.
    let second = beside("ledger-bot", "weekly-report").await;
    for (parties, name) in [(&*story, "report-writer"), (&second, "ledger-bot")] {
        for path in [FILE, "/srv/files/reports/b.md"] {
            let answer = asks(parties, name, path).await;
            assert_eq!(refusal(&answer), refused(429, "refused_recently"), "{name} {path}");
            assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|wait| wait >= 3_500), "{answer:?}");
        }
    }
    // What lies elsewhere, other work, and an agent of somebody else are other needs.
    let elsewhere = asks(&second, "ledger-bot", "/srv/files/summaries/a.md").await;
    assert_eq!(elsewhere.status.as_u16(), 201, "{elsewhere:?}");
    let other_task = beside("ledger-bot", "another-task").await;
    assert_eq!(asks(&other_task, "ledger-bot", FILE).await.status.as_u16(), 201);
    let other_owner = beside("close-planner", "weekly-report").await;
    let theirs = asks(&other_owner, "close-planner", FILE).await;
    assert_eq!(theirs.status.as_u16(), 201, "{theirs:?}");
    // And who owns the second agent decides on what it asks no more than on the first one's.
    let id = elsewhere.json()["task"]["id"].as_str().unwrap().to_owned();
    let tom = story.gate.person("tom").await;
    assert_eq!(refusal(&story.vote(&tom, &id, "approve", None).await), refused(403, "is_owner"));
    // The silence ends for both at once.
    story.gate.clock.advance(3_600);
    assert_eq!(asks(&second, "ledger-bot", FILE).await.status.as_u16(), 201);
}

#[tokio::test]
async fn an_account_is_a_person_of_the_bundle_and_no_other() {
    proviso_tests::clauses!("c4-1-second-account");
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", FILE, "ask"), None).await;
    let operator = Operator { uid: 0, name: "root".to_owned() };
    // Another spelling of tom is nobody, and whom the bundle does not name gets no link at all.
    for user in ["Tom", "tom ", "tom@acme.example", "tom2", "t\u{43e}m", "", AGENTS] {
        let minted = story.gate.app.mint(MintRequest::Approver { user: user.to_owned() }, &operator).await;
        assert!(minted.is_err(), "{user:?} signs in");
    }
    // Nor does the agent make one of itself, or of what it holds.
    for link in [&story.agent, &story.point] {
        let answer = story.client.post("/api/v1/session", "", &json!({"link": link})).await;
        assert_eq!(refusal(&answer), refused(401, "bad_link"));
    }
    let mara = story.gate.person("mara").await;
    assert_eq!(exception(&story, &mara, &id).await["state"], "requested");
}
