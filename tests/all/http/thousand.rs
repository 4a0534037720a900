//! A preview over a thousand different recorded questions: each is tried, and no agent makes one too large to vote on.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use policy_core::json::to_canonical_bytes;
use proviso::gate::Limits;
use proviso_api::exceptions::QuestionsReply;
use proviso_tests::{Setup, Story, TestGate, sample_bundle, write_file};
use serde_json::json;

/// How many guardrails look through each call, and the fuel that a preview has then: enough for a part of the denials,
/// and for all of them too little.
const HEAVY: usize = 200;
const LONG_FUEL: u64 = 1_200_000_000;

/// Has so many different calls of an agent refused.
async fn refuse(story: &Story, (agent, token): (&str, &str), count: usize, content: &str) {
    let asked = stream::iter(0..count).map(|number| async move {
        let path = format!("/srv/files/reports/{number}.md");
        let mut call = write_file(agent, &path, &format!("denied-{number}"));
        call["context"]["input"]["content"] = json!(content);
        let answer = story.client.post_for("/access/v1/evaluation", &story.point, token, &call).await;
        answer.json()["decision"].clone()
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
    refuse(&story, ("report-writer", &story.agent), 1_000, "hello").await;
    let (id, questions) = asked(&story, &mara).await;
    let different: BTreeSet<_> = questions.others.iter().map(|other| other.call.input_digest).collect();
    assert_eq!(different.len(), 1_001, "the thousand, and the refusal of this very call");
    assert_eq!(questions.others.len(), 1_001, "each once");
    // The ballot holds what the module said of each: the gate asks its own, and the two agree.
    let voted = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_questions_of_another_agent_crowd_out_neither_the_call_nor_what_its_own_agent_asked() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let other = story.gate.agent("close-planner", "close-q4", Some("ines")).await;
    refuse(&story, ("report-writer", &story.agent), 20, "hello").await;
    refuse(&story, ("close-planner", &other), 450, &"x".repeat(10_000)).await;
    let (id, questions) = asked(&story, &mara).await;
    let others = &questions.others;
    let bytes: usize = others.iter().map(|other| to_canonical_bytes(other).unwrap().len()).sum();
    assert!((2 << 20..4 << 20).contains(&bytes), "{} with {bytes} bytes: as many as fit, and no more", others.len());
    assert!(others.len() < 450, "{}", others.len());
    let own = others.iter().filter(|other| other.call.subject == questions.question.call.subject);
    assert_eq!(own.count(), 21, "its agent's own first, though all others are newer");
    let voted = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
}

/// Guardrails that look through a call's content again and again, and forbid nothing here.
fn heavy(number: usize) -> String {
    let policy = |n| {
        format!(
            "@id(\"heavy-{n}\") forbid (principal, action == Action::\"write_file\", resource)\n  \
             when {{ context.input.content like \"*{n}y*z\" }};\n"
        )
    };
    (0..number).map(policy).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_guardrails_make_all_of_them_too_much_for_one_call_each_is_counted_and_the_vote_passes() {
    let mut bundle = sample_bundle();
    bundle.insert("guardrails/heavy.cedar".to_owned(), heavy(HEAVY));
    let limits = Limits { long_fuel: LONG_FUEL, ..Limits::default() };
    let story = Story::on(TestGate::with(Setup { bundle, limits, ..Setup::default() }).await).await;
    let mara = story.gate.person("mara").await;
    refuse(&story, ("report-writer", &story.agent), 150, &"x".repeat(3_000)).await;
    let (id, questions) = asked(&story, &mara).await;
    assert_eq!(questions.others.len(), 151);
    // The ballot binds what the module says of all at once, as in a browser; the gate has no fuel for that in one call.
    let before = out_of_fuel(&story).await;
    let voted = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    assert!(out_of_fuel(&story).await > before, "it was too much for one call");
}

/// How many calls of the module ran out of fuel.
async fn out_of_fuel(story: &Story) -> u64 {
    let told = story.client.get("/metrics", None).await.text;
    let line = told.lines().find(|line| line.starts_with("proviso_module_calls_total{result=\"fuel\"}"));
    line.and_then(|line| line.rsplit(' ').next())
        .and_then(|count| count.parse().ok())
        .unwrap_or_else(|| panic!("{told}"))
}
