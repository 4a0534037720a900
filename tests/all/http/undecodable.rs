//! Arguments that cannot be shown as what they are: the same request takes a tier more, says why, and is otherwise one
//! like any.

use proviso_tests::{Story, write_file};
use serde_json::{Value, json};

use super::{exception, verdict};

/// A write of this text.
fn write(content: &str, call: &str) -> Value {
    let mut body = write_file("report-writer", "/srv/files/reports/u.md", call);
    body["context"]["input"]["content"] = json!(content);
    body
}

#[tokio::test]
async fn what_cannot_be_shown_takes_a_tier_more_and_says_why() {
    let story = Story::begin().await;
    let mara = story.gate.person("mara").await;
    let plain = story.ask(&write("a report\r\n\twith ❤\u{fe0f} and\u{a0}日本語", "u1"), None).await;
    let detail = exception(&story, &mara, &plain).await;
    let terms = &detail["exception"]["terms"];
    assert_eq!((&terms["tier"], &terms["raised_from"]), (&json!("medium"), &Value::Null), "{terms:#}");
    for (number, hidden) in
        ["a\u{202e}b", "tag\u{e0041}s", "\u{0}", "lost \u{fffd}", "zero\u{200b}width"].into_iter().enumerate()
    {
        let call = write(hidden, &format!("h{number}"));
        let id = story.ask(&call, None).await;
        let detail = exception(&story, &mara, &id).await;
        let terms = &detail["exception"]["terms"];
        assert_eq!((&terms["tier"], &terms["raised_from"]), (&json!("high"), &json!("medium")), "{hidden:?}");
        // Nothing else of the terms is another, and no policy is named that did not match.
        for member in ["approvals", "groups", "max_uses", "max_duration", "policies"] {
            assert_eq!(terms[member], exception(&story, &mara, &plain).await["exception"]["terms"][member], "{member}");
        }
        let told = detail["history"].to_string();
        assert!(told.contains("tier high, one more than medium"), "{told}");
        assert_eq!(detail["friction"]["kind"], json!("name"), "it is as hard to approve as any of that tier");
    }
}

#[tokio::test]
async fn a_request_a_tier_higher_is_previewed_voted_on_and_used_like_any() {
    let story = Story::begin().await;
    let (mara, call) = (story.gate.person("mara").await, write("a\u{202e}b", "v1"));
    let id = story.ask(&call, None).await;
    let sheet = story.client.get(&format!("/api/v1/exceptions/{id}/sheet"), Some(&mara)).await.json();
    assert_eq!(sheet["sheet"]["exception"]["terms"]["raised_from"], json!("medium"), "{sheet:#}");
    assert_eq!(sheet["sheet"]["refused"]["terms"], sheet["sheet"]["exception"]["terms"], "the gate offered the same");
    let arguments = sheet["sheet"]["arguments"].to_string();
    assert!(arguments.contains("U+202E") && !arguments.contains('\u{202e}'), "{arguments}");
    // Who does not name what it is on does not approve it.
    let mut ballot = story.ballot(&mara, &id, "approve", None).await;
    ballot["confirm"] = Value::Null;
    let votes = format!("/api/v1/exceptions/{id}/votes");
    assert_eq!(story.client.post(&votes, &mara, &ballot).await.code(), "name_needed");
    // The ballot commits to a preview that the module made in the reader's place: the server rebuilds the same.
    let voted = story.vote(&mara, &id, "approve", None).await;
    assert_eq!(voted.json()["state"], "granted", "{voted:?}");
    assert_eq!(verdict(&story.evaluate(&call).await), (true, "exception".to_owned()));
    // Another text, also one that looks the same, is another call.
    for (number, other) in ["ab", "a\u{202d}b", "ba"].into_iter().enumerate() {
        let call = write(other, &format!("other-{number}"));
        assert!(!verdict(&story.evaluate(&call).await).0, "{other:?}");
    }
}
