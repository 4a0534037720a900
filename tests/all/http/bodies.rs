//! Bodies that are JSON and still not what they should be. What is no JSON is in `http_bad_input`.

use proviso_tests::{Answer, Client, Story, as_person, post_rows, write_file};
use reqwest::Method;
use serde_json::{Value, json};

use super::{denied, refusal, refused, sizes, verdict};

/// A body as it stands: no library writes its numbers anew.
async fn evaluate_text(story: &Story, body: String) -> Answer {
    let request = story.gate.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&story.point);
    let request = request.header("proviso-subject-token", &story.agent).header("content-type", "application/json");
    Client::send(request.body(body)).await
}

#[tokio::test]
async fn people_are_held_to_the_same_reader() {
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let id = story.ask(&call, None).await;
    let mara = story.gate.person("mara").await;
    let ballot = story.ballot(&mara, &id, "approve", None).await.to_string();
    let twice = ballot.replacen("\"decision\":\"approve\"", "\"decision\":\"ask\",\"decision\":\"approve\"", 1);
    assert_ne!(twice, ballot);
    let before = sizes(&story);
    for (body, code) in [
        (twice, "duplicate_member"),
        (format!("{ballot}{ballot}"), "trailing_text"),
        (ballot.replacen("\"approve\"", "\"APPROVE\"", 1), "bad_shape"),
        (ballot.replacen("\"max_uses\":1", "\"max_uses\":1.5", 1), "bad_shape"),
        (ballot.replacen("\"max_uses\":1", "\"max_uses\":-1", 1), "bad_shape"),
        (ballot.replacen("\"arguments\":\"exact\"", "\"arguments\":\"any\"", 1), "bad_shape"),
        (ballot.replacen("\"arguments\":\"exact\"", "\"arguments\":[]", 1), "bad_shape"),
    ] {
        assert_ne!(body, ballot, "{code}");
        let path = format!("/api/v1/exceptions/{id}/votes");
        let request = as_person(story.gate.client.request(Method::POST, &path), &mara);
        let answer = Client::send(request.header("content-type", "application/json").body(body.clone())).await;
        assert_eq!(refusal(&answer), refused(400, code), "{body}");
    }
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn what_does_not_fit_is_quoted_in_bounds_and_with_its_odd_characters_visible() {
    let story = Story::begin().await;
    let odd = format!("\u{202e}{}", "x".repeat(500_000));
    let whole = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let batch = |semantic: &str, subject: Value| {
        let options = json!({"evaluations_semantic": semantic});
        json!({"options": options, "subject": subject, "evaluations": [whole]})
    };
    let by_subject = json!({"type": "Agent", "id": "a", "properties": odd});
    let question = json!({"subject": by_subject, "action": whole["action"], "resource": whole["resource"]});
    for (path, body, quoted) in [
        ("/access/v1/evaluations", batch(&odd, whole["subject"].clone()), "⟨U+202E⟩xxx"),
        ("/access/v1/evaluation", question.clone(), "\\u{202e}xxx"),
    ] {
        let answer = story.gate.client.post_for(path, &story.point, &story.agent, &body).await;
        assert_eq!(refusal(&answer), refused(400, "bad_shape"), "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.len() < 1_000 && detail.contains(quoted), "{path}: {} bytes", detail.len());
        assert!(!answer.text.contains('\u{202e}'), "{path}");
    }
    // An item of a batch is told the same way.
    let body = json!({"evaluations": [question]});
    let answer = story.gate.client.post_for("/access/v1/evaluations", &story.point, &story.agent, &body).await;
    let told = answer.json()["evaluations"][0]["context"]["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.len() < 1_000 && told.contains("\\u{202e}xxx"), "{} bytes", told.len());
}

#[tokio::test]
async fn our_own_members_have_one_type() {
    let story = Story::begin().await;
    let before = sizes(&story);
    for (name, value) in [
        ("proviso.dev/ask", json!("yes")),
        ("proviso.dev/ask", json!(null)),
        ("proviso.dev/call", json!(1)),
        ("proviso.dev/call", json!("two words")),
        ("proviso.dev/server", json!(["files"])),
        ("proviso.dev/tool", json!("no digest")),
        ("approval", json!("grant_1")),
    ] {
        let mut body = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
        body["context"][name] = value;
        assert_eq!(refusal(&story.evaluate(&body).await), refused(400, "bad_request"), "{body}");
    }
    assert_eq!(sizes(&story), before);
}

#[tokio::test]
async fn unknown_types_actions_and_entities_are_recorded_denials() {
    let story = Story::begin().await;
    let write = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    let post = post_rows("report-writer", "finance/sandbox", 10, "c2");
    for (body, pointer, value, reason) in [
        (&write, "/resource/type", "Spaceship", "unknown_type"),
        (&write, "/resource/type", "no such type", "unknown_type"),
        (&write, "/resource/type", "Volume\" || true || \"", "unknown_type"),
        (&write, "/action/name", "launch", "unknown_action"),
        (&write, "/action/name", "write_file\" || true || \"", "unknown_action"),
        (&post, "/resource/id", "finance/unheard-of", "unknown_entity"),
        (&post, "/resource/id", "finance/sandbox\\\" || true || \\\"", "unknown_entity"),
    ] {
        let mut body = body.clone();
        *body.pointer_mut(pointer).unwrap() = json!(value);
        let before = sizes(&story);
        let answer = story.evaluate(&body).await;
        assert_eq!(verdict(&answer), denied(reason), "{body}");
        let after = sizes(&story);
        assert_eq!(after.iter().sum::<u64>(), before.iter().sum::<u64>() + 1, "one record: {body}");
    }
}

#[tokio::test]
async fn numbers_are_what_the_schema_says_or_refused() {
    let story = Story::begin().await;
    for (rows, reason) in [
        (json!(10), "approval_required"),
        (json!("10"), "bad_input"),
        (json!(1.5), "bad_input"),
        (json!(true), "bad_input"),
        (json!(null), "bad_input"),
        (json!([10]), "bad_input"),
        (json!({"__extn": {"fn": "decimal", "arg": "1.0"}}), "bad_input"),
        (json!(-1), "guardrail"),
        (json!(5001), "guardrail"),
        (json!(9_007_199_254_740_991_i64), "guardrail"),
    ] {
        let mut body = post_rows("report-writer", "finance/sandbox", 10, "c1");
        body["context"]["input"]["rows"] = rows.clone();
        assert_eq!(verdict(&story.evaluate(&body).await), denied(reason), "{rows}");
    }
    let mut body = write_file("report-writer", "/srv/files/drafts/a.md", "c2");
    body["context"]["input"]["overwrite"] = json!(true);
    assert_eq!(verdict(&story.evaluate(&body).await), denied("bad_input"), "an argument that nobody declared");
}

#[tokio::test]
async fn a_number_that_cannot_be_kept_is_refused_and_its_digits_as_a_text_are_no_number() {
    let story = Story::begin().await;
    let with_rows = |rows: &str| {
        let body = post_rows("report-writer", "finance/sandbox", 7, "c1").to_string();
        let changed = body.replacen("\"rows\":7", &format!("\"rows\":{rows}"), 1);
        assert_ne!(changed, body);
        changed
    };
    for digits in [
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "18446744073709551617",
        "1e19",
        "-1e19",
        "1e400",
        "1e-400",
    ] {
        let before = sizes(&story);
        let answer = evaluate_text(&story, with_rows(digits)).await;
        assert_eq!(refusal(&answer), refused(400, "bad_number"), "{digits}");
        assert_eq!(sizes(&story), before, "{digits}: nothing was judged");
        let answer = evaluate_text(&story, with_rows(&format!("\"{digits}\""))).await;
        assert_eq!(verdict(&answer), denied("bad_input"), "{digits} as a text");
    }
    // The same way in, with a number that can be kept.
    assert_eq!(verdict(&evaluate_text(&story, with_rows("10")).await), denied("approval_required"));
}
