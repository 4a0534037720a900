//! A record holds what its outcome was made of (R10): evaluated again natively, it comes to the same.

use policy_core::digest::Digest;
use policy_core::outcome::Evaluation;
use policy_core::question::SealedQuestion;
use policy_evaluator::{Rules, bundle, evaluate::evaluate};
use proviso_tests::{Story, sample_bundle, write_file};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{granted, verdict};

/// The recorded questions with their recorded answers, oldest first.
fn decisions(story: &Story) -> Vec<(SealedQuestion, Evaluation)> {
    let database = Connection::open(story.gate.data().join("record.sqlite")).expect("the database");
    let mut statement = database
        .prepare(
            "SELECT q.bytes, d.bytes FROM payload q JOIN payload d ON d.log = q.log AND d.seq = q.seq
             WHERE q.log = 'decisions/main' AND q.name = 'question' AND d.name = 'decision' ORDER BY q.seq",
        )
        .expect("the payloads");
    let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let rows: Vec<_> = rows.expect("rows").map(|row| row.expect("a row")).collect();
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("JSON");
    rows.iter()
        .map(|(question, decision)| {
            let question = serde_json::from_value(read(question)).expect("a sealed question");
            let answer = serde_json::from_value(read(decision)["answer"].clone()).expect("an evaluation");
            (question, answer)
        })
        .collect()
}

#[tokio::test]
async fn a_record_replays_to_its_outcome() {
    let story = Story::begin().await;
    granted(&story).await;
    for (path, call) in [
        ("/srv/files/drafts/a.md", "c1"),
        ("/srv/files/reports/b.md", "c2"),
        ("/srv/files/elsewhere.md", "c3"),
        ("/srv/files/.hidden", "c4"),
    ] {
        let answer = story.evaluate(&write_file("report-writer", path, call)).await;
        assert_ne!(verdict(&answer).1, "", "{path}: {answer:?}");
    }
    let files = sample_bundle();
    let digest: Digest = bundle::digests(&files).expect("a bundle").bundle;
    let rules = Rules::read(&files, digest).expect("the sample bundle");
    let recorded = decisions(&story);
    assert!(recorded.len() >= 5, "the denial that was asked for, and these four");
    let mut outcomes: Vec<Value> = Vec::new();
    for (question, answer) in recorded {
        assert_eq!(evaluate(&rules, &question), answer, "{question:?}");
        outcomes.push(json!(answer.outcome));
    }
    for outcome in ["permitted_by_scope", "permitted_by_exception", "requestable_denial", "denial"] {
        assert!(outcomes.contains(&json!(outcome)), "no {outcome} among {outcomes:?}");
    }
}
