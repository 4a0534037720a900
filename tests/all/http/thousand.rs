//! A preview over a thousand different recorded questions: each is tried, and no agent makes one too large to vote on.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use policy_core::json::to_canonical_bytes;
use proviso_api::exceptions::QuestionsReply;
use proviso_tests::{Story, write_file};
use serde_json::json;

/// Has so many different calls refused.
async fn refuse(story: &Story, count: usize, content: &str) {
    let asked = stream::iter(0..count).map(|number| async move {
        let path = format!("/srv/files/reports/{number}.md");
        let mut call = write_file("report-writer", &path, &format!("denied-{number}"));
        call["context"]["input"]["content"] = json!(content);
        story.evaluate(&call).await.json()["decision"].clone()
    });
    let decisions: Vec<_> = asked.buffer_unordered(16).collect().await;
    assert!(decisions.iter().all(|decision| *decision == json!(false)), "{decisions:?}");
}

/// An open request for whatever lies in the folder of all of them, and what its preview evaluates.
async fn asked(story: &Story, mara: &str) -> (String, QuestionsReply) {
    let call = write_file("report-writer", "/srv/files/reports/asked.md", "asked");
    let id = story.ask(&call, Some("/srv/files/reports")).await;
    let answer = story.client.get(&format!("/api/v1/exceptions/{id}/questions"), Some(mara)).await;
    (id, serde_json::from_str(&answer.text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_different_questions_are_tried_and_none_is_left_out() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    refuse(&story, 1_000, "hello").await;
    let (id, questions) = asked(&story, &mara).await;
    let different: BTreeSet<_> = questions.others.iter().map(|other| other.call.input_digest).collect();
    assert_eq!(different.len(), 1_001, "the thousand, and the refusal of this very call");
    assert_eq!(questions.others.len(), 1_001, "each once");
    // The ballot holds what the module said of each: the gate asks its own, and the two agree.
    let voted = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_questions_leave_room_for_the_call_itself() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    refuse(&story, 450, &"x".repeat(10_000)).await;
    let (id, questions) = asked(&story, &mara).await;
    let bytes: usize = questions.others.iter().map(|other| to_canonical_bytes(other).unwrap().len()).sum();
    assert!(questions.others.len() < 450, "{} with {bytes} bytes", questions.others.len());
    assert!((2 << 20..4 << 20).contains(&bytes), "{bytes} bytes: as many as fit, and no more");
    let newest = questions.others.iter().any(|other| other.call.input_digest == questions.question.call.input_digest);
    assert!(newest, "the newest come first");
    let voted = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
}
