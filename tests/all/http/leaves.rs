//! What stands in a leaf: no text of a person, a tool or an agent, however much was said; and of an evaluation all that
//! its outcome is of.

use policy_core::leaf::Leaf;
use proviso_tests::{Client, Parties, Story, TestGate, as_person, write_file};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::json;

const TASK: &str = "task-of-the-leaves";
const POINT: &str = "point-of-the-leaves";
const PATH: &str = "/srv/files/reports/path-of-the-leaves.md";
const CONTENT: &str = "content of the leaves";
const JUSTIFICATION: &str = "justification of the leaves";
const REASON: &str = "reason of the leaves";

/// Every leaf of both logs, as it is stored and hashed, by log and in order.
pub(crate) fn leaves(gate: &TestGate) -> Vec<(String, Leaf)> {
    let database = Connection::open(gate.data().join("record.sqlite")).unwrap();
    let mut select = database.prepare("SELECT bytes FROM leaf ORDER BY log, seq").unwrap();
    let bytes = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    bytes
        .map(|bytes| {
            let text = String::from_utf8(bytes.unwrap()).unwrap();
            let leaf = serde_json::from_str(&text).unwrap();
            (text, leaf)
        })
        .collect()
}

/// Request, vote, use, report, revoke, lock, with a sign-in and three mints before: everything with words in it.
async fn play() -> Story {
    let gate = TestGate::start().await;
    let point = gate.point(POINT, &["files"]).await;
    let agent = gate.agent("report-writer", TASK, Some("ines")).await;
    let parties = Parties { client: gate.client.clone(), point, agent };
    let story = Story::of(gate, parties);
    let mut call = write_file("report-writer", PATH, "call-of-the-leaves");
    call["context"]["input"]["content"] = json!(CONTENT);
    let denied = story.evaluate(&call).await.json();
    let mut body = story.request_body(&call, &denied, None);
    body["context"]["business_justification"] = json!(JUSTIFICATION);
    let id = story.request(&body).await.json()["task"]["id"].as_str().unwrap().to_owned();
    let mara = story.gate.person("mara").await;
    let mut ballot = story.ballot(&mara, &id, "approve", None).await;
    ballot["reason"] = json!(REASON);
    let vote = story.client.post(&format!("/api/v1/exceptions/{id}/votes"), &mara, &ballot).await;
    assert_eq!(vote.json()["state"], "granted", "{vote:?}");
    let used = story.evaluate(&call).await.json();
    assert_eq!(used["decision"], true, "{used}");
    let report = json!({
        "evaluation_id": used["context"]["evaluation_id"], "call": "call-of-the-leaves", "phase": "executed",
        "digest": used["context"]["proviso.dev/input_digest"],
    });
    let reported = story.client.post_for("/api/v1/executions", &story.point, &story.agent, &report).await;
    assert!(reported.status.is_success(), "{reported:?}");
    let again = write_file("report-writer", "/srv/files/drafts/path-of-the-leaves.md", "c2");
    assert_eq!(story.evaluate(&again).await.json()["decision"], true);
    let grant = used["context"]["approval"]["id"].as_str().unwrap();
    let reason = json!({"reason": REASON});
    let revoked = story.client.post(&format!("/api/v1/grants/{grant}/revoke"), &mara, &reason).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    // What cannot be read is kept, too.
    let mut unread = write_file("report-writer", "/srv/files/../path-of-the-leaves", "c3");
    unread["action"]["properties"] = json!({"claimed": CONTENT});
    assert_eq!(super::verdict(&story.evaluate(&unread).await), super::denied("bad_input"));
    for target in [json!({"subject": call["subject"]}), json!({"task": TASK})] {
        let locked = story.client.post("/api/v1/locks", &mara, &json!({"target": target, "reason": REASON})).await;
        assert!(locked.status.is_success(), "{locked:?}");
    }
    let ended = as_person(story.client.request(Method::DELETE, "/api/v1/session"), &mara);
    assert!(Client::send(ended).await.status.is_success());
    story
}

#[tokio::test]
async fn no_leaf_holds_a_word_of_a_person_a_tool_or_an_agent() {
    let story = play().await;
    let leaves = leaves(&story.gate);
    let kinds: Vec<&str> = leaves.iter().map(|(_, leaf)| leaf.kind.as_str()).collect();
    for kind in ["token_minted", "signed_in", "evaluation", "exception_granted", "locked"] {
        assert!(kinds.contains(&kind), "`{kind}` is among what was played: {kinds:?}");
    }
    // Subject, task, person, enforcement point, path, content, justification, reason, tool and operator.
    let words = [
        "report-writer",
        "acme",
        "mara",
        "ines",
        "tom",
        "User",
        "Agent",
        "of-the-leaves",
        "of the leaves",
        "/srv",
        "write_file",
        "tester",
        "pva_",
        "pvs_",
        "pve_",
    ];
    for (text, leaf) in &leaves {
        for word in words {
            assert!(!text.contains(word), "`{word}` stands in the {} leaf {text}", leaf.kind);
        }
        assert!(!leaf.commitments.is_empty(), "what was said is committed to: {text}");
    }
}

#[tokio::test]
async fn an_evaluations_leaf_says_all_that_its_outcome_is_of() {
    let story = play().await;
    let (module, bundle) = (story.gate.app.record().module, story.gate.app.record().bundle);
    let mut outcomes = Vec::new();
    for (text, leaf) in leaves(&story.gate) {
        if leaf.kind != "evaluation" {
            continue;
        }
        assert_eq!((leaf.module, leaf.bundle), (Some(module), Some(bundle)), "{text}");
        assert!(leaf.after.is_some(), "the ledger position that it was admitted at: {text}");
        let pseudonym = leaf.stream.strip_prefix("subject/").unwrap();
        assert!(pseudonym.len() == 64 && pseudonym.chars().all(|digit| digit.is_ascii_hexdigit()), "{text}");
        outcomes.push((leaf.outcome.unwrap(), leaf.policies));
    }
    let decided =
        |outcome: &str| outcomes.iter().find(|(said, _)| said == outcome).map(|(_, policies)| policies.clone());
    assert_eq!(decided("permitted_by_scope"), Some(vec!["drafts-may-be-written".to_owned()]), "{outcomes:?}");
    assert!(decided("requestable_denial").is_some_and(|policies| !policies.is_empty()), "{outcomes:?}");
    assert!(decided("permitted_by_exception").is_some(), "{outcomes:?}");
    // A question that no policy saw was decided by none.
    assert_eq!(decided("denial"), Some(Vec::new()), "{outcomes:?}");
}
