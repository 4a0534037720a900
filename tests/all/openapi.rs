//! The HTTP contract, as a snapshot: a change of it is seen in review. What every test gets by its client is held
//! against it, and the stage `clauses` is red for an operation that answered no test.

use std::path::Path;

use policy_core::digest::Digest;
use proviso_tests::contract::{answered, faults, operation};
use proviso_tests::{Client, Story, TestGate, as_person, module};
use reqwest::{Method, StatusCode};
use serde_json::json;

#[test]
fn the_openapi_document_is_as_it_was_reviewed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let mut now = serde_json::to_string_pretty(&proviso::http::openapi::document()).unwrap();
    now.push('\n');
    if std::env::var_os("PROVISO_BLESS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(reviewed == now, "tests/openapi.json is stale: read the change, then run this test with PROVISO_BLESS=1");
}

/// Each address of the document with each of its methods, whether somebody must be known there, and its id.
fn operations() -> Vec<(Method, String, bool, String)> {
    let document = proviso::http::openapi::document();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            let known = described["security"] != json!([{}]);
            let id = described["operationId"].as_str().unwrap().to_owned();
            operations.push((method.to_ascii_uppercase().parse().unwrap(), path.clone(), known, id));
        }
    }
    operations
}

/// A path of the document with something in each of its places.
fn filled(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_operation_refuses_as_the_document_says() {
    let gate = TestGate::start().await;
    for (method, template, known, id) in operations() {
        let path = filled(&template);
        assert_eq!(operation(&method, &path).map(|(id, _)| id), Some(id), "{path} is another operation's");
        let request = || gate.client.request(method.clone(), &path);
        let answer = Client::send(request().header("host", "evil.example")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "unknown_host"), "{method} {path}");
        assert_eq!(faults("Problem", &answer.json()), "");
        if known {
            let answer = Client::send(request().json(&json!({}))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {answer:?}");
            assert_eq!(faults("Problem", &answer.json()), "");
        }
    }
}

#[tokio::test]
async fn what_anybody_may_read_is_as_the_document_says() {
    let gate = TestGate::start().await;
    for (method, path, known, id) in operations() {
        if method == Method::GET && !known && !path.contains('{') && id != "demo_people" {
            let answer = gate.client.get(&path, None).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        }
    }
    // Its bytes are no text; their digest is their name.
    let path = format!("/policy/{}.wasm", module().digest());
    let served = gate.client.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(served.headers()["content-type"], "application/wasm");
    assert_eq!(Digest::of(&served.bytes().await.unwrap()), module().digest());
    answered("module");
}

#[tokio::test]
async fn who_one_is_and_where_the_record_stands_are_as_the_document_says() {
    let story = Story::begin().await;
    let known = |path: &str| {
        let request = story.client.request(Method::GET, path).bearer_auth(&story.point);
        Client::send(request.header("proviso-subject-token", &story.agent))
    };
    let told = known("/api/v1/whoami").await;
    assert_eq!(told.json()["task"], "weekly-report", "{told:?}");
    let mara = story.gate.person("mara").await;
    for answer in [known("/api/v1/record").await, story.client.get("/api/v1/record", Some(&mara)).await] {
        assert_eq!(answer.json()["module"], json!(module().digest()), "{answer:?}");
    }
    let out = as_person(story.client.request(Method::DELETE, "/api/v1/session"), &mara);
    assert_eq!(Client::send(out).await.status, StatusCode::NO_CONTENT);
    let after = story.client.get("/api/v1/session", Some(&mara)).await;
    assert_eq!((after.status, after.code().as_str()), (StatusCode::UNAUTHORIZED, "signed_out"));
}

#[test]
fn a_member_that_the_document_does_not_tell_and_one_that_is_missing_are_faults() {
    let problem = json!({"type": "about:blank", "title": "t", "status": 400, "detail": "d", "code": "c"});
    assert_eq!(faults("Problem", &problem), "");
    for (member, value) in [("more", json!(1)), ("status", json!("400")), ("code", json!(null))] {
        let mut other = problem.clone();
        other[member] = value;
        assert_ne!(faults("Problem", &other), "", "{other}");
    }
    assert_ne!(faults("Problem", &json!({"type": "about:blank"})), "");
    assert_ne!(faults("NoSuchSchema", &problem), "");
}
