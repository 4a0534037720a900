//! AuthZEN 1.0 on the fixture of its certification scenario: decisions, batches, discovery, and their abuse.

use std::path::Path;

use policy_core::entity::EntityRef;
use proviso::app::Operator;
use proviso::identity::MintRequest;
use proviso::store::bundle_folder;
use proviso_tests::{Answer, Client, Setup, TestGate};
use reqwest::Method;
use serde_json::{Value, json};

use super::{refusal, refused};

/// The scenario's gate, and who asks it.
pub(super) struct Fixture {
    pub(super) gate: TestGate,
    pub(super) harness: String,
    pub(super) alice: String,
    pub(super) bob: String,
}

impl Fixture {
    pub(super) async fn begin() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/authzen-cert");
        let bundle = bundle_folder::read(&folder).unwrap();
        let gate = TestGate::with(Setup { bundle, ..Setup::default() }).await;
        let harness = mint(
            &gate,
            MintRequest::EnforcementPoint {
                name: "harness".to_owned(),
                subjects: "user::*".to_owned(),
                servers: Vec::new(),
                vouches: false,
                resource: None,
            },
        );
        let harness = harness.await;
        let agent = |user: &str| MintRequest::Agent {
            subject: EntityRef::new("user", user),
            task: "certification".to_owned(),
            via: Vec::new(),
            on_behalf: None,
            resource: None,
        };
        let alice = mint(&gate, agent("alice")).await;
        let bob = mint(&gate, agent("bob")).await;
        Self { gate, harness, alice, bob }
    }

    fn token(&self, body: &Value) -> &str {
        if body["subject"]["id"] == "bob" { &self.bob } else { &self.alice }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.gate.client.post_for(path, &self.harness, self.token(body), body).await
    }

    /// Without an agent's token: about every subject that the harness may ask for.
    pub(super) async fn search(&self, kind: &str, body: &Value) -> Answer {
        let path = format!("/access/v1/search/{kind}");
        let request = self.gate.client.request(Method::POST, &path).bearer_auth(&self.harness);
        Client::send(request.json(body)).await
    }
}

pub(super) async fn mint(gate: &TestGate, request: MintRequest) -> String {
    gate.app.mint(request, &Operator { uid: 4242, name: "tester".to_owned() }).await.unwrap().secret
}

pub(super) fn question(user: &str, action: &str, record: &str) -> Value {
    json!({"subject": {"type": "user", "id": user}, "action": {"name": action}, "resource": {"type": "record", "id": record}})
}

pub(super) fn with(mut question: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    question.pointer_mut(parent).unwrap()[name] = value;
    question
}

/// The scenario's eight rules.
fn rules() -> Vec<(Value, bool)> {
    let archived = with(question("alice", "write", "record-2"), "/resource/properties", json!({"status": "archived"}));
    let admin = with(question("bob", "write", "record-2"), "/subject/properties", json!({"role": "admin"}));
    let admin = with(admin, "/resource/properties", json!({"status": "archived"}));
    let delete =
        |soft: bool| with(question("alice", "delete", "record-1"), "/action/properties", json!({"soft": soft}));
    vec![
        (question("alice", "read", "record-1"), true),
        (question("alice", "write", "record-1"), true),
        (question("bob", "read", "record-1"), true),
        (question("bob", "write", "record-1"), false),
        (archived, false),
        (admin, true),
        (delete(true), true),
        (delete(false), false),
    ]
}

#[tokio::test]
async fn the_scenarios_decisions_are_made() {
    proviso_tests::clauses!(
        "authzen-5.1",
        "authzen-5.2",
        "authzen-5.3",
        "authzen-5.5-a",
        "authzen-10",
        "authzen-10.1-a",
        "authzen-10.1-b",
        "authzen-10.1.1-c",
        "arap-15.3-a",
        "arap-15.3-b"
    );
    let fixture = Fixture::begin().await;
    for (question, expected) in rules() {
        for question in [question.clone(), with(question, "/context", json!({"ip": "192.0.2.1"}))] {
            for again in 0..2 {
                let answer = fixture.post("/access/v1/evaluation", &question).await;
                assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
                assert_eq!(answer.header("content-type"), "application/json");
                assert_eq!(answer.json()["decision"], expected, "{question} {again}: {answer:?}");
            }
        }
    }
    let more = with(question("alice", "read", "record-1"), "/unknown", json!({"a": 1}));
    let more = with(more, "/subject/properties", json!({"department": "Sales", "role": "manager"}));
    let more = with(more, "/subject/flavour", json!("sour"));
    assert_eq!(fixture.post("/access/v1/evaluation", &more).await.json()["decision"], true);
}

#[tokio::test]
async fn what_misses_a_member_is_a_bad_request() {
    proviso_tests::clauses!(
        "authzen-5.1",
        "authzen-5.2",
        "authzen-5.3",
        "authzen-6.1-a",
        "authzen-6.1-b",
        "authzen-6.1-c",
        "authzen-10.1-a",
        "authzen-10.1-b",
        "authzen-10.1.1-a",
        "authzen-10.1.1-b"
    );
    let fixture = Fixture::begin().await;
    let good = question("alice", "read", "record-1");
    for pointer in ["/subject", "/action", "/resource", "/subject/type", "/subject/id", "/action/name", "/resource/id"]
    {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let mut body = good.clone();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        let wrong = [body, with(good.clone(), pointer, json!(7)), with(good.clone(), pointer, json!([]))];
        for body in wrong {
            let answer = fixture.post("/access/v1/evaluation", &body).await;
            assert_eq!(answer.status.as_u16(), 400, "{body}: {answer:?}");
        }
    }
    let raw = |kind: &'static str, text: &'static str| {
        let request = fixture.gate.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&fixture.harness);
        let request = request.header("proviso-subject-token", &fixture.alice).header("content-type", kind);
        Client::send(request.header("x-request-id", "id-1").body(text))
    };
    for (kind, text, status) in [
        ("text/plain", "{}", 415),
        ("application/json", "", 400),
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", r#"{"subject":{"type":"user","id":"alice"},"subject":{}}"#, 400),
    ] {
        let answer = raw(kind, text).await;
        assert_eq!(answer.status.as_u16(), status, "{text}: {answer:?}");
        assert_eq!(answer.header("x-request-id"), "id-1");
    }
}

#[tokio::test]
async fn every_answer_has_the_requests_id() {
    proviso_tests::clauses!("authzen-10.1.3-a", "authzen-10.1.3-b", "authzen-11.3");
    let fixture = Fixture::begin().await;
    let long = "x".repeat(3_000);
    for (path, token, id) in [
        ("/access/v1/evaluation", fixture.harness.as_str(), "a"),
        ("/access/v1/evaluation", "", "b"),
        ("/access/v1/nothing", "", "c"),
        ("/access/v1/search/subject", fixture.harness.as_str(), long.as_str()),
    ] {
        let request = fixture.gate.client.request(Method::POST, path).bearer_auth(token).header("x-request-id", id);
        let answer = Client::send(request.json(&json!({}))).await;
        assert!(answer.status.is_client_error(), "{answer:?}");
        assert_eq!(answer.header("x-request-id"), id, "{path}");
        if token.is_empty() && path.ends_with("evaluation") {
            assert_eq!(answer.status.as_u16(), 401);
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    let answer = fixture.post("/access/v1/evaluation", &question("alice", "read", "record-1")).await;
    assert_eq!(answer.header("x-request-id"), "");
}

#[tokio::test]
async fn a_batch_gives_each_item_its_decision_in_order() {
    proviso_tests::clauses!("authzen-7.1.1");
    let fixture = Fixture::begin().await;
    let post = async |body: &Value| fixture.post("/access/v1/evaluations", body).await;
    let decisions = |answer: &Answer| -> Vec<bool> {
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
        assert_eq!(answer.json()["decision"], Value::Null, "{answer:?}");
        let body = answer.json();
        let items = body["evaluations"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
        items.iter().map(|item| item["decision"].as_bool().unwrap()).collect()
    };
    let record = |id: &str| json!({"resource": {"type": "record", "id": id}});
    let defaults = json!({"subject": {"type": "user", "id": "alice"}, "action": {"name": "write"}});
    let batch = |items: Value, semantic: Option<&str>| {
        let mut body = with(defaults.clone(), "/evaluations", items);
        if let Some(semantic) = semantic {
            body["options"] = json!({"evaluations_semantic": semantic});
        }
        body
    };
    let items = json!([record("record-1"), record("record-2"), record("record-1"), {}, 7,
        {"resource": {"id": "record-1"}}, {"action": {"name": "read"}, "resource": {"type": "record", "id": "record-2"}}]);
    let answer = post(&batch(items.clone(), None)).await;
    assert_eq!(decisions(&answer), [true, false, true, false, false, false, true]);
    let body = answer.json();
    for wrong in [3, 4, 5] {
        let error = &body["evaluations"][wrong]["context"]["error"];
        assert_eq!(
            (error["status"].as_u64(), error["code"].as_str()),
            (Some(400), Some("bad_shape")),
            "{wrong}: {body:#}"
        );
        assert!(error["help"].is_string(), "{wrong}: {body:#}");
    }
    assert_eq!(decisions(&post(&batch(items.clone(), Some("execute_all"))).await).len(), 7);
    assert_eq!(decisions(&post(&batch(items.clone(), Some("deny_on_first_deny"))).await), [true, false]);
    assert_eq!(decisions(&post(&batch(items, Some("permit_on_first_permit"))).await), [true]);

    // Without items it is one evaluation.
    for body in [question("alice", "read", "record-1"), batch(json!([]), None)] {
        let body = with(body, "/resource", json!({"type": "record", "id": "record-1"}));
        let answer = post(&body).await;
        assert_eq!((answer.json()["decision"].as_bool(), answer.json()["evaluations"].is_null()), (Some(true), true));
    }
    // An item about another than the credential's subject is refused alone.
    let bob = json!({"subject": {"type": "user", "id": "bob"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}});
    let answer = post(&batch(json!([bob, record("record-1")]), None)).await;
    assert_eq!(decisions(&answer), [false, true]);
    assert_eq!(answer.json()["evaluations"][0]["context"]["error"]["code"], "claim_conflict");

    for (body, code) in [
        (batch(json!([record("record-1")]), Some("best_effort")), "bad_shape"),
        (batch(json!({}), None), "bad_shape"),
        (with(batch(json!([record("record-1")]), None), "/subject", json!("alice")), "bad_shape"),
        (batch(json!(vec![record("record-1"); 101]), None), "batch_too_large"),
        (with(json!({}), "/evaluations", json!([])), "bad_shape"),
    ] {
        assert_eq!(refusal(&post(&body).await), refused(400, code), "{body}");
    }
}

#[tokio::test]
async fn discovery_says_where_everything_is() {
    proviso_tests::clauses!(
        "authzen-9.1.1-a",
        "authzen-9.1.1-b",
        "authzen-9.2",
        "authzen-9.2.1",
        "authzen-9.2.2-a",
        "authzen-9.2.2-b",
        "authzen-9.2.2-d",
        "authzen-9.2.3-a",
        "authzen-10.1-c",
        "arap-6-a",
        "arap-6-b",
        "arap-6-c",
        "arap-6-d",
        "authzen-9.1.3-a",
        "authzen-9.1.3-b"
    );
    let url = "https://gate.example".to_owned();
    let gate = TestGate::with(Setup { public_url: Some(url.clone()), ..Setup::default() }).await;
    let answer = gate.client.get("/.well-known/authzen-configuration", None).await;
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let body = answer.json();
    assert_eq!(body["policy_decision_point"], url);
    let endpoints = [
        ("access_evaluation_endpoint", "/access/v1/evaluation"),
        ("access_evaluations_endpoint", "/access/v1/evaluations"),
        ("search_subject_endpoint", "/access/v1/search/subject"),
        ("search_resource_endpoint", "/access/v1/search/resource"),
        ("search_action_endpoint", "/access/v1/search/action"),
        ("access_request_endpoint", "/access/v1/requests"),
        ("jwks_uri", "/access/v1/jwks"),
    ];
    for (name, path) in endpoints {
        assert_eq!(body[name], format!("{url}{path}"), "{name}");
    }
    assert_eq!(body["capabilities"], json!(["urn:openid:authzen:capability:access-request"]));
    assert!(body.as_object().unwrap().values().all(|value| !value.is_null()), "what has no value is left out");
    assert_eq!(body.get("signed_metadata"), None, "nothing of it is signed, so nothing is signed wrongly");
    assert_eq!(gate.client.get("/access/v1/jwks", None).await.json()["keys"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_order_of_members_changes_nothing() {
    proviso_tests::clauses!("authzen-10.1.1-d");
    let fixture = Fixture::begin().await;
    let (subject, action) = (r#""subject":{"type":"user","id":"alice"}"#, r#""action":{"name":"read"}"#);
    let turned = r#""subject":{"id":"alice","type":"user"}"#;
    let resource = r#""resource":{"id":"record-1","type":"record"}"#;
    let ask = async |text: String| {
        let request = fixture.gate.client.request(Method::POST, "/access/v1/evaluation").bearer_auth(&fixture.harness);
        let request =
            request.header("proviso-subject-token", &fixture.alice).header("content-type", "application/json");
        let answer = Client::send(request.body(text)).await.json();
        (answer["decision"].clone(), answer["context"]["reason"].clone())
    };
    let first = ask(format!("{{{subject},{action},{resource}}}")).await;
    assert_eq!(first.0, true);
    for members in [[resource, action, turned], [action, turned, resource], [turned, resource, action]] {
        assert_eq!(ask(format!("{{{}}}", members.join(","))).await, first, "{members:?}");
    }
}
