//! How much somebody is to decide in a day: the further requests go to others, and nobody is kept from deciding.

use proviso_tests::{Setup, Story, TestGate, write_file};
use serde_json::{Value, json};

use super::exception;

/// A gate on which people are to decide one request a day.
async fn one_a_day() -> Story {
    Story::on(TestGate::with(Setup { attention: Some(1), ..Setup::default() }).await).await
}

async fn ask(story: &Story, name: &str) -> String {
    story.ask(&write_file("report-writer", &format!("/srv/files/reports/{name}.md"), name), None).await
}

/// Whether the queue says that a request waits for somebody, and that it goes to others.
async fn seen(story: &Story, person: &str, id: &str) -> (bool, bool) {
    let list = story.client.get("/api/v1/exceptions", Some(person)).await.json();
    let lines = list["exceptions"].as_array().unwrap();
    let line = lines.iter().find(|line| line["id"] == id).unwrap_or_else(|| panic!("{list:#}"));
    (line["needs_me"].as_bool().unwrap(), line["routed_on"].as_bool().unwrap_or(false))
}

async fn attention(story: &Story, person: &str) -> Value {
    story.client.get("/api/v1/exceptions", Some(person)).await.json()["attention"].clone()
}

#[tokio::test]
async fn who_has_decided_enough_today_is_spared_as_long_as_somebody_else_is_not() {
    let story = one_a_day().await;
    let (mara, ola) = (story.gate.person("mara").await, story.gate.person("ola").await);
    let (first, second) = (ask(&story, "a").await, ask(&story, "b").await);
    assert_eq!(attention(&story, &mara).await["decided"], 0);
    assert_eq!(seen(&story, &mara, &first).await, (true, false));
    story.vote(&mara, &first, "approve", None).await;
    assert_eq!(attention(&story, &mara).await, json!({"limit": 1, "decided": 1, "until": "2026-11-23T00:00:00.000Z"}));
    assert_eq!(seen(&story, &mara, &second).await, (false, true));
    assert_eq!(seen(&story, &ola, &second).await, (true, false));
    assert_eq!(exception(&story, &mara, &second).await["routed_on"], true);
    // It is no rule: she may decide it all the same.
    assert_eq!(exception(&story, &mara, &second).await["allowed"]["approve"], "yes");
    // Nobody is left who has not: then it is everybody's again.
    story.vote(&ola, &second, "refuse", None).await;
    let third = ask(&story, "c").await;
    let rested: Vec<bool> = {
        let mut rested = Vec::new();
        for user in ["mara", "ola", "tom"] {
            let person = story.gate.person(user).await;
            rested.push(seen(&story, &person, &third).await.0);
        }
        rested
    };
    assert_eq!(rested, [true, true, false], "tom owns the agent");
    // Tomorrow is another day.
    story.gate.clock.advance(86_400);
    let mara = story.gate.person("mara").await;
    assert_eq!(attention(&story, &mara).await["decided"], 0);
}

#[tokio::test]
async fn an_emergency_and_what_was_handed_over_come_through() {
    let story = one_a_day().await;
    let (mara, ola) = (story.gate.person("mara").await, story.gate.person("ola").await);
    let (first, second, third) = (ask(&story, "a").await, ask(&story, "b").await, ask(&story, "c").await);
    story.vote(&mara, &first, "refuse", None).await;
    assert_eq!(seen(&story, &mara, &second).await, (false, true));
    let body = json!({"reason": "the auditors are here"});
    let declared = story.client.post(&format!("/api/v1/exceptions/{second}/emergency"), &ola, &body).await;
    assert!(declared.status.is_success(), "{declared:?}");
    assert_eq!(seen(&story, &mara, &second).await, (true, false));
    let body = json!({"to": {"type": "User", "id": "mara"}, "reason": "she knows the file"});
    let handed = story.client.post(&format!("/api/v1/exceptions/{third}/handover"), &ola, &body).await;
    assert!(handed.status.is_success(), "{handed:?}");
    assert_eq!(seen(&story, &mara, &third).await, (true, false));
}

#[tokio::test]
async fn without_a_limit_nobody_counts() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let (first, second) = (ask(&story, "a").await, ask(&story, "b").await);
    story.vote(&mara, &first, "approve", None).await;
    assert_eq!(attention(&story, &mara).await, Value::Null);
    assert_eq!(seen(&story, &mara, &second).await, (true, false));
}
