//! The stronger the tier, the more a yes takes, whoever sends it.

use proviso_tests::{Story, post_rows};
use serde_json::{Value, json};

use super::{exception, refusal, refused, sizes};

/// A request of the strongest tier: rows of a regulated journal.
async fn of_a_high_tier(story: &Story) -> String {
    story.ask(&post_rows("report-writer", "finance/ledger-eu", 5, "f1"), None).await
}

async fn cast(story: &Story, person: &str, id: &str, change: impl FnOnce(&mut Value)) -> proviso_tests::Answer {
    let mut ballot = story.ballot(person, id, "approve", None).await;
    change(&mut ballot);
    story.client.post(&format!("/api/v1/exceptions/{id}/votes"), person, &ballot).await
}

#[tokio::test]
async fn in_the_strongest_tier_a_yes_names_what_it_is_on() {
    let story = Story::begin().await;
    let (id, mara) = (of_a_high_tier(&story).await, story.gate.person("mara").await);
    let detail = exception(&story, &mara, &id).await;
    assert_eq!(detail["friction"], json!({"kind": "name", "name": "finance/ledger-eu"}), "{detail:#}");
    let before = sizes(&story);
    for typed in [Value::Null, json!(""), json!("finance/ledger-us"), json!("Finance/Ledger-EU")] {
        let answer = cast(&story, &mara, &id, |ballot| ballot["confirm"] = typed.clone()).await;
        assert_eq!(refusal(&answer), refused(400, "name_needed"), "{typed}");
    }
    assert_eq!(sizes(&story), before, "nothing was voted");
    let answer = cast(&story, &mara, &id, |ballot| ballot["confirm"] = json!(" finance/ledger-eu ")).await;
    assert_eq!(answer.json()["state"], "requested", "{answer:?}");
}

#[tokio::test]
async fn a_refusal_is_never_made_harder() {
    let story = Story::begin().await;
    let (id, mara) = (of_a_high_tier(&story).await, story.gate.person("mara").await);
    let mut ballot = story.ballot(&mara, &id, "refuse", None).await;
    ballot["confirm"] = Value::Null;
    let answer = story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    assert_eq!(answer.json()["state"], "denied", "{answer:?}");
}

#[tokio::test]
async fn in_a_middle_tier_a_yes_has_a_reason_and_in_the_weakest_it_needs_none() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let write = proviso_tests::write_file("report-writer", "/srv/files/reports/f.md", "f2");
    let medium = story.ask(&write, None).await;
    assert_eq!(exception(&story, &mara, &medium).await["friction"], json!({"kind": "reason"}));
    let answer = cast(&story, &mara, &medium, |ballot| ballot["reason"] = json!(" ")).await;
    assert_eq!(refusal(&answer), refused(400, "reason_needed"));
    let mut call = write;
    call["action"]["name"] = json!("create_directory");
    call["context"]["input"] = json!({"path": "/srv/files/reports/new"});
    call["context"]["proviso.dev/call"] = json!("f3");
    let low = story.ask(&call, None).await;
    assert_eq!(exception(&story, &mara, &low).await["friction"], json!({"kind": "one_step"}));
    let answer = cast(&story, &mara, &low, |ballot| ballot["reason"] = json!("")).await;
    assert_eq!(answer.json()["state"], "granted", "{answer:?}");
}
