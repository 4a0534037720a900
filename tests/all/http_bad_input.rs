//! Bodies that are no questions: each is refused with its own code, before anything looks at it.

use proviso_tests::{Client, Story, write_file};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn send(story: &Story, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
    let request = story.gate.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&story.point);
    let request = request.header("proviso-subject-token", &story.agent);
    let request = match content_type {
        Some(kind) => request.header("content-type", kind),
        None => request,
    };
    let answer = Client::send(request.body(body)).await;
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    (answer.status, answer.code())
}

#[tokio::test]
async fn what_is_not_strict_json_is_refused_with_its_code() {
    proviso_tests::clauses!("c4-6-duplicate-members", "c4-6-numbers", "c4-6-surrogates");
    let story = Story::begin().await;
    let whole = write_file("report-writer", "/srv/files/reports/a.md", "c1").to_string();
    let deep = format!("{}1{}", "[".repeat(64), "]".repeat(64));
    let nested = whole.replace(r#""hello""#, &deep);
    let twice = whole.replace(r#""content":"hello""#, r#""content":"hello","content":"other""#);
    let table: [(&str, Vec<u8>, StatusCode, &str); 14] = [
        ("nothing", Vec::new(), StatusCode::BAD_REQUEST, "bad_json"),
        ("half", whole.as_bytes()[..40].to_vec(), StatusCode::BAD_REQUEST, "bad_json"),
        ("no JSON", b"hello".to_vec(), StatusCode::BAD_REQUEST, "bad_json"),
        ("two values", format!("{whole}{{}}").into_bytes(), StatusCode::BAD_REQUEST, "trailing_text"),
        ("a member twice", twice.into_bytes(), StatusCode::BAD_REQUEST, "duplicate_member"),
        ("too deep", nested.into_bytes(), StatusCode::BAD_REQUEST, "too_deep"),
        ("too long", vec![b' '; (1 << 20) + 1], StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        ("not UTF-8", b"{\"subject\": \"\xff\"}".to_vec(), StatusCode::BAD_REQUEST, "bad_string"),
        (
            "a number that cannot be kept",
            whole.replace(r#""hello""#, "9007199254740993").into_bytes(),
            StatusCode::BAD_REQUEST,
            "bad_number",
        ),
        ("half a surrogate", whole.replace("hello", r"\ud800").into_bytes(), StatusCode::BAD_REQUEST, "bad_string"),
        ("an array", b"[]".to_vec(), StatusCode::BAD_REQUEST, "bad_shape"),
        ("a text", b"\"subject\"".to_vec(), StatusCode::BAD_REQUEST, "bad_shape"),
        (
            "a subject as an array",
            br#"{"subject":["Agent","a"],"action":{"name":"x"},"resource":{"type":"a","id":"b"}}"#.to_vec(),
            StatusCode::BAD_REQUEST,
            "bad_shape",
        ),
        ("nothing in it", b"{}".to_vec(), StatusCode::BAD_REQUEST, "bad_shape"),
    ];
    for (what, body, status, code) in table {
        assert_eq!(send(&story, Some("application/json"), body).await, (status, code.to_owned()), "{what}");
    }
}

#[tokio::test]
async fn only_the_json_content_type_is_read() {
    let story = Story::begin().await;
    let body = write_file("report-writer", "/srv/files/a", "c1").to_string();
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")] {
        let (status, code) = send(&story, kind, body.clone()).await;
        assert_eq!((status, code.as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"));
    }
}

#[tokio::test]
async fn members_that_are_missing_empty_or_of_another_type_are_refused() {
    let story = Story::begin().await;
    let whole = write_file("report-writer", "/srv/files/reports/a.md", "c1");
    let wrong = [json!(null), json!(3), json!("x"), json!([]), json!(true)];
    for member in ["subject", "action", "resource"] {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(member);
        assert_eq!(story.evaluate(&without).await.code(), "bad_shape", "without {member}");
        for value in &wrong {
            let mut body = whole.clone();
            body[member] = value.clone();
            let answer = story.evaluate(&body).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "bad_shape"), "{member} {value}");
        }
    }
    for (member, inner) in
        [("subject", "type"), ("subject", "id"), ("action", "name"), ("resource", "type"), ("resource", "id")]
    {
        for value in [json!(""), json!(null), json!(1), json!({})] {
            let mut body = whole.clone();
            body[member][inner] = value.clone();
            assert_eq!(story.evaluate(&body).await.code(), "bad_shape", "{member}.{inner} {value}");
        }
    }
    let mut context = whole.clone();
    context["context"] = json!([1]);
    assert_eq!(story.evaluate(&context).await.code(), "bad_shape");
}

#[tokio::test]
async fn a_member_that_nobody_knows_is_ignored() {
    let story = Story::begin().await;
    let mut body = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
    body["wishes"] = json!({"please": true});
    body["subject"]["nickname"] = json!("R");
    let answer = story.evaluate(&body).await;
    assert_eq!((answer.status, answer.json()["decision"].clone()), (StatusCode::OK, json!(true)), "{answer:?}");
}

#[tokio::test]
async fn arguments_that_do_not_fit_the_action_are_denied_not_guessed() {
    let story = Story::begin().await;
    let denied = async |input: Value| {
        let mut body = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
        body["context"]["input"] = input;
        let answer = story.evaluate(&body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let reply = answer.json();
        assert_eq!(reply["decision"], json!(false), "{reply}");
        assert_eq!(reply["context"].get("access_request"), None, "{reply}");
        reply["context"]["reason"].as_str().unwrap().to_owned()
    };
    let path = |path: &str| json!({"path": path, "content": "x"});
    for input in [
        path("/srv/files/drafts/../x"),
        path("/srv/files/drafts//x"),
        path("~/x"),
        path(" /srv/files/drafts/x"),
        path("drafts/x"),
        json!({"path": 3, "content": "x"}),
        json!({"path": "/srv/files/drafts/a", "content": 1}),
        json!({"path": "/srv/files/drafts/a", "content": "x", "overwrite": true}),
        json!({"path": "/srv/files/drafts/a"}),
        json!("text"),
        json!([]),
    ] {
        assert_eq!(denied(input.clone()).await, "bad_input", "{input}");
    }
}

#[tokio::test]
async fn types_and_actions_that_nobody_knows_are_denied() {
    let story = Story::begin().await;
    for (member, value, reason) in [
        ("action", json!({"name": "format_disk"}), "unknown_action"),
        ("resource", json!({"type": "Planet", "id": "mars"}), "unknown_action"),
        ("resource", json!({"type": "no type!", "id": "mars"}), "unknown_type"),
    ] {
        let mut body = write_file("report-writer", "/srv/files/drafts/a.md", "c1");
        body[member] = value.clone();
        let reply = story.evaluate(&body).await.json();
        assert_eq!(reply["decision"], json!(false), "{reply}");
        let told = reply["context"]["reason"].as_str().unwrap().to_owned();
        assert!(told == reason || told == "unknown_type", "{value}: {reply}");
    }
}
