//! AuthZEN's three searches on the fixture of its certification scenario, their pages, and their abuse.

use proviso::identity::MintRequest;
use proviso_tests::{Answer, Client};
use reqwest::Method;
use serde_json::{Value, json};

use super::authzen::{Fixture, mint, question, with};
use super::{refusal, refused};

fn names(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    let body = answer.json();
    let results = body["results"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    assert_eq!(body["page"]["count"], results.len(), "{answer:?}");
    let name = |found: &Value| found["id"].as_str().or(found["name"].as_str()).unwrap().to_owned();
    results.iter().map(name).collect()
}

#[tokio::test]
async fn the_scenarios_searches_find_what_they_must() {
    proviso_tests::clauses!("authzen-8.3-a", "authzen-8.3-b", "authzen-8.4.1-b", "authzen-8.5.1-d");
    let fixture = Fixture::begin().await;
    let kind = |name: &str| json!({"type": name});
    let read = json!({"name": "read"});
    let write = json!({"name": "write"});
    let record = |id: &str| json!({"type": "record", "id": id});
    let user = |id: &str| json!({"type": "user", "id": id});
    let bob = json!({"type": "user", "id": "bob", "properties": {"role": "admin"}});
    let archived = json!({"type": "record", "id": "record-2", "properties": {"status": "archived"}});
    let before = fixture.gate.app.record().logs.iter().map(|log| log.size).sum::<u64>();
    let table = [
        (
            "subject",
            json!({"subject": kind("user"), "action": read, "resource": record("record-1")}),
            vec!["alice", "bob"],
        ),
        (
            "subject",
            json!({"subject": {"type": "user", "id": "nobody"}, "action": read, "resource": record("record-1")}),
            vec!["alice", "bob"],
        ),
        ("subject", json!({"subject": kind("user"), "action": write, "resource": archived}), vec!["bob"]),
        (
            "resource",
            json!({"subject": user("alice"), "action": read, "resource": kind("record")}),
            vec!["record-1", "record-2"],
        ),
        (
            "resource",
            json!({"subject": user("alice"), "action": read, "resource": record("ignored")}),
            vec!["record-1", "record-2"],
        ),
        ("resource", json!({"subject": bob, "action": write, "resource": kind("record")}), vec!["record-2"]),
        ("action", json!({"subject": user("alice"), "resource": record("record-1")}), vec!["read", "write"]),
        (
            "action",
            json!({"subject": user("alice"), "resource": record("record-1"), "action": 7}),
            vec!["read", "write"],
        ),
        ("action", json!({"subject": bob, "resource": archived}), vec!["read", "write"]),
        (
            "subject",
            json!({"subject": kind("user"), "action": {"name": "fly"}, "resource": record("record-1")}),
            vec![],
        ),
        ("subject", json!({"subject": kind("martian"), "action": read, "resource": record("record-1")}), vec![]),
        ("resource", json!({"subject": user("nobody"), "action": write, "resource": kind("martian")}), vec![]),
        ("action", json!({"subject": user("nobody"), "resource": record("record-9")}), vec![]),
    ];
    let count = u64::try_from(table.len()).unwrap();
    for (which, body, expected) in table {
        let body = with(body, "/context", json!({"ip": "192.0.2.1"}));
        let answer = fixture.search(which, &body).await;
        assert_eq!(names(&answer), expected, "{which} {body}");
        assert_eq!(answer.json()["page"]["next_token"], "");
        let wanted = if which == "resource" { "record" } else { "user" };
        let of_kind = |found: &Value| which == "action" || found["type"] == wanted;
        assert!(answer.json()["results"].as_array().unwrap().iter().all(of_kind), "{answer:?}");
    }
    let after = fixture.gate.app.record().logs.iter().map(|log| log.size).sum::<u64>();
    assert_eq!(after - before, count, "one record each");
    for (which, body) in [
        ("subject", json!({"action": read, "resource": record("record-1")})),
        ("subject", json!({"subject": {}, "action": read, "resource": record("record-1")})),
        ("resource", json!({"subject": {"type": "user"}, "action": read, "resource": kind("record")})),
        ("action", json!({"subject": user("alice")})),
        ("action", json!({"subject": user("alice"), "resource": record("record-1"), "page": {"limit": 0}})),
    ] {
        assert_eq!(fixture.search(which, &body).await.status.as_u16(), 400, "{which} {body}");
    }
}

#[tokio::test]
async fn a_search_is_about_the_callers_own_subjects() {
    let fixture = Fixture::begin().await;
    let read = json!({"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"}});
    let alone = fixture.gate.client.request(Method::POST, "/access/v1/search/subject").bearer_auth(&fixture.alice);
    assert_eq!(names(&Client::send(alone.json(&read)).await), ["alice"]);
    let through =
        fixture.gate.client.post_for("/access/v1/search/subject", &fixture.harness, &fixture.bob, &read).await;
    assert_eq!(names(&through), ["bob"]);
    // Somebody else's permissions are nobody's business.
    let of_bob = json!({"subject": {"type": "user", "id": "bob"}, "resource": {"type": "record", "id": "record-1"}});
    for request in [
        fixture.gate.client.request(Method::POST, "/access/v1/search/action").bearer_auth(&fixture.alice),
        fixture
            .gate
            .client
            .request(Method::POST, "/access/v1/search/action")
            .bearer_auth(&fixture.harness)
            .header("proviso-subject-token", &fixture.alice),
    ] {
        assert_eq!(refusal(&Client::send(request.json(&of_bob)).await), refused(403, "not_for_this_subject"));
    }
    let narrow = mint(
        &fixture.gate,
        MintRequest::EnforcementPoint {
            name: "narrow".to_owned(),
            subjects: "user::ali*".to_owned(),
            servers: Vec::new(),
            vouches: false,
            resource: None,
        },
    )
    .await;
    let narrow = |path: &str, body: &Value| {
        let request = fixture.gate.client.request(Method::POST, path).bearer_auth(&narrow);
        Client::send(request.json(body))
    };
    assert_eq!(names(&narrow("/access/v1/search/subject", &read).await), ["alice"]);
    assert_eq!(refusal(&narrow("/access/v1/search/action", &of_bob).await), refused(403, "not_for_this_subject"));
    let nobody = fixture.gate.client.request(Method::POST, "/access/v1/search/subject");
    assert_eq!(refusal(&Client::send(nobody.json(&read)).await), refused(401, "no_credential"));
}

#[tokio::test]
async fn pages_follow_each_other_and_their_tokens_are_for_one_search() {
    proviso_tests::clauses!(
        "authzen-8.2-a",
        "authzen-8.2-b",
        "authzen-8.2.1-a",
        "authzen-8.2.1-b",
        "authzen-8.2.1-c",
        "authzen-8.2.2-a",
        "authzen-8.2.2-b"
    );
    let fixture = Fixture::begin().await;
    let search = |limit: u32, token: &str| {
        json!({
            "subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "record", "id": "record-1"},
            "page": {"limit": limit, "token": token},
        })
    };
    let first = fixture.search("subject", &search(1, "")).await;
    assert_eq!(names(&first), ["alice"]);
    let token = first.json()["page"]["next_token"].as_str().unwrap().to_owned();
    assert!(!token.is_empty());
    let second = fixture.search("subject", &search(1, &token)).await;
    assert_eq!(names(&second), ["bob"]);
    assert_eq!(second.json()["page"]["next_token"], "");
    for answer in [&first, &second] {
        let page = answer.json()["page"].clone();
        let known = |name: &String| ["next_token", "count", "total", "properties"].contains(&name.as_str());
        assert!(page.as_object().unwrap().keys().all(known), "{page}");
    }

    let mut altered = token.clone().into_bytes();
    altered[5] = if altered[5] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    let (place, _) = token.split_once('.').unwrap();
    let write = with(search(1, &token), "/action/name", json!("write"));
    let context = with(search(1, &token), "/context", json!({"now": "later"}));
    let resources = json!({"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
        "resource": {"type": "record"}, "page": {"limit": 1, "token": token}});
    for (which, body) in [
        ("subject", search(1, &altered)),
        ("subject", search(1, place)),
        ("subject", search(1, &format!("{place}."))),
        ("subject", search(1, "nonsense")),
        ("subject", search(1, &"x".repeat(5_000))),
        ("subject", search(2, &token)),
        ("subject", write),
        ("subject", context),
        ("resource", resources),
    ] {
        assert_eq!(refusal(&fixture.search(which, &body).await), refused(400, "bad_page_token"), "{body}");
    }
    // Another caller's token.
    let body = search(1, &token);
    let other = fixture.gate.client.post_for("/access/v1/search/subject", &fixture.harness, &fixture.alice, &body);
    assert_eq!(refusal(&other.await), refused(400, "bad_page_token"));
}

#[tokio::test]
async fn a_search_without_a_member_is_a_bad_request() {
    proviso_tests::clauses!(
        "authzen-8.4.1-a",
        "authzen-8.4.1-c",
        "authzen-8.4.1-d",
        "authzen-8.5.1-a",
        "authzen-8.5.1-b",
        "authzen-8.5.1-c",
        "authzen-8.6.1-a",
        "authzen-8.6.1-b"
    );
    let fixture = Fixture::begin().await;
    let whole = question("alice", "read", "record-1");
    let needed = [
        ("subject", vec!["/subject", "/subject/type", "/action", "/resource"]),
        ("resource", vec!["/subject", "/subject/id", "/action", "/resource", "/resource/type"]),
        ("action", vec!["/subject", "/subject/id", "/resource", "/resource/id"]),
    ];
    for (which, pointers) in needed {
        assert_eq!(fixture.search(which, &whole).await.status.as_u16(), 200, "{which}");
        for pointer in pointers {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let mut body = whole.clone();
            body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let answer = fixture.search(which, &body).await;
            assert_eq!(answer.status.as_u16(), 400, "{which} without {pointer}: {answer:?}");
            assert_eq!(answer.json()["results"], Value::Null, "{answer:?}");
        }
    }
}
