//! What was decided and what was used are the same, as the offline check counts it.

use proviso_tests::{Story, write_file};
use serde_json::{Value, json};

use crate::gate::audit;

async fn decided(story: &Story, call: &Value) -> bool {
    story.evaluate(call).await.json()["decision"] == json!(true)
}

#[tokio::test]
async fn each_permit_by_an_exception_is_held_against_the_use_it_took() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let report = |name: &str, call: &str| write_file("report-writer", &format!("/srv/files/reports/{name}"), call);
    let id = story.ask(&report("a.md", "ask"), Some("/srv/files/reports")).await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let mut question = report("a.md", "q");
    question["context"]["proviso.dev/ask"] = json!(true);
    // Two calls and a repeat, a question, the last use with its repeat, and one too many.
    for (call, allowed) in [
        (report("a.md", "c1"), true),
        (report("a.md", "c1"), true),
        (question, true),
        (report("b.md", "c2"), true),
        (report("a.md", "c3"), true),
        (report("a.md", "c3"), true),
        (report("a.md", "c4"), false),
    ] {
        assert_eq!(decided(&story, &call).await, allowed, "{call}");
    }
    // A grant for these arguments alone.
    let exact = write_file("report-writer", "/srv/files/summaries/b.md", "ask-2");
    let id = story.ask(&exact, None).await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    assert!(decided(&story, &write_file("report-writer", "/srv/files/summaries/b.md", "c5")).await);

    let checked = audit(story.gate.data());
    let report: Value = serde_json::from_slice(&checked.stdout).unwrap_or_default();
    assert!(checked.status.success(), "{report}");
    let counts = ["grants", "votes", "uses", "decisions", "groups_not_recorded"].map(|name| report[name].as_u64());
    assert_eq!(counts, [2, 2, 4, 7, 0].map(Some), "{report}");
}
