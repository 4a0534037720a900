//! One code, one remedy: what HTTP says of a question that is no good, the command line says, too.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proviso_tests::{Answer, Binary, Client, Story, write_file};
use reqwest::Method;
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// What a place says: code, sentence, remedy.
type Said = (Value, Value, Value);

async fn by_http(story: &Story, body: Vec<u8>) -> Answer {
    let request = story.gate.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&story.point);
    let request = request.header("proviso-subject-token", &story.agent).header("content-type", JSON);
    Client::send(request.body(body)).await
}

fn by_check(body: &[u8]) -> Value {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundles/sample").display().to_string();
    let who = ["--task", "weekly-report", "--for", "ines", "--enforcement-point", "proxy"];
    let mut command = Command::new(Binary::path());
    command.args(["check", "--json", "--bundle", &bundle]).args(who);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    // One that has read enough goes.
    let _ = child.stdin.take().unwrap().write_all(body);
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

#[tokio::test]
async fn what_cannot_be_read_has_one_code_and_one_remedy() {
    let story = Story::begin().await;
    let whole = write_file("report-writer", "/srv/files/reports/a.md", "c1").to_string();
    let table: [(&str, Vec<u8>); 10] = [
        ("bad_json", Vec::new()),
        ("bad_json", whole.as_bytes()[..40].to_vec()),
        ("trailing_text", format!("{whole}{{}}").into_bytes()),
        ("duplicate_member", whole.replace(r#""content":"hello""#, r#""content":"a","content":"b""#).into_bytes()),
        ("too_deep", whole.replace(r#""hello""#, &format!("{}1{}", "[".repeat(64), "]".repeat(64))).into_bytes()),
        ("too_large", vec![b' '; (1 << 20) + 1]),
        ("bad_number", whole.replace(r#""hello""#, "9007199254740993").into_bytes()),
        ("bad_string", whole.replace("hello", r"\ud800").into_bytes()),
        ("bad_shape", b"{\"subject\":3}".to_vec()),
        ("bad_shape", br#"{"subject":["Agent","a"],"action":{"name":"x"},"resource":{"type":"a","id":"b"}}"#.to_vec()),
    ];
    for (code, body) in table {
        let (problem, failure) = (by_http(&story, body.clone()).await.json(), by_check(&body)["error"].clone());
        let http: (&Value, &Value) = (&problem["code"], &problem["help"]);
        assert_eq!(http, (&failure["code"], &failure["help"]), "{code}");
        assert_eq!(http.0, code);
        assert!(http.1.is_string(), "{problem}");
    }
}

#[tokio::test]
async fn what_is_refused_has_one_reason_one_sentence_and_one_remedy() {
    let story = Story::begin().await;
    let write = |path: &str| write_file("report-writer", path, "c1");
    let changed = |change: fn(&mut Value)| {
        let mut call = write("/srv/files/drafts/a.md");
        change(&mut call);
        call
    };
    let table = [
        ("bad_input", write("/srv/files/reports/../a")),
        ("bad_input", changed(|call| call["context"]["input"]["content"] = json!(3))),
        ("unknown_action", changed(|call| call["action"]["name"] = json!("write_film"))),
        ("unknown_type", changed(|call| call["resource"]["type"] = json!("Vol ume"))),
        (
            "guardrail",
            changed(|call| {
                call["action"]["name"] = json!("move_file");
                call["context"]["input"] = json!({"source": "/srv/files/a", "destination": "/srv/files/b"});
            }),
        ),
        ("approval_required", write("/srv/files/reports/a.md")),
    ];
    for (code, call) in table {
        let body = call.to_string().into_bytes();
        let context = by_http(&story, body.clone()).await.json()["context"].clone();
        let checked = by_check(&body);
        // An offer adds to the gate's sentence what a check cannot know.
        let sentence = context["message"].as_str().unwrap().trim_end_matches("; nothing ran");
        let gate: Said = (context["reason"].clone(), json!(sentence), context["help"].clone());
        let check: Said = (checked["reason"].clone(), checked["message"].clone(), checked["help"].clone());
        assert_eq!(gate, check, "{code}");
        assert_eq!(gate.0, code, "{context}");
        assert!(gate.2.as_str().is_some_and(|help| !help.is_empty()), "{context}");
    }
    // What is permitted needs no remedy.
    let context = story.evaluate(&write("/srv/files/drafts/a.md")).await.json()["context"].clone();
    assert_eq!((&context["reason"], context.get("help")), (&json!("scope"), None));
}

#[tokio::test]
async fn whoever_cannot_ask_is_told_why_and_what_to_do() {
    let story = Story::begin().await;
    let nobodys = story.gate.agent("report-writer", "weekly-report", None).await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let path = "/access/v1/evaluation";
    let context = story.gate.client.post_for(path, &story.point, &nobodys, &call).await.json()["context"].clone();
    assert_eq!(context["reason"], "approval_required");
    assert!(context["message"].as_str().unwrap().contains("names no human"), "{context}");
    assert_eq!(context["help"].as_str(), proviso::remedies::remedy("no_requester"), "{context}");
}

#[tokio::test]
async fn the_page_tells_a_refusal_with_its_code_and_its_remedy() {
    let story = Story::begin().await;
    let call = write_file("report-writer", "/srv/files/reports/a.md", "ask");
    let said = story.evaluate(&call).await.json()["context"].clone();
    let id = story.ask(&call, None).await;
    let mara = story.gate.person("mara").await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let history = detail["history"].as_array().unwrap();
    let refused = history.iter().filter_map(|line| line["sentence"].as_str()).find(|line| line.starts_with("refused"));
    let refused = refused.unwrap_or_else(|| panic!("{history:?}"));
    assert!(refused.starts_with("refused (approval_required): "), "{refused}");
    assert!(said["help"].as_str().is_some_and(|help| refused.contains(help)), "{refused} against {said}");
}
