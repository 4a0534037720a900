//! Whoever came by an invitation decides on nothing above the lowest tier for a day (R4).

use proviso_tests::{Story, write_file};
use serde_json::{Value, json};

use super::{come, invited, people, said, setup, two};

/// A request of the lowest tier: another folder.
pub(super) fn folder(path: &str, call: &str) -> Value {
    let mut body = write_file("report-writer", path, call);
    body["action"]["name"] = json!("create_directory");
    body["context"]["input"] = json!({"path": path});
    body
}

#[tokio::test]
async fn a_new_person_decides_on_the_lightest_alone_for_a_day() {
    let (gate, jun, kit) = two(setup()).await;
    let link = invited(&gate, (&jun, &kit), "nia").await;
    let story = Story::on(gate).await;
    let nia = come(&story.gate, &link).await;
    let medium = story.ask(&write_file("report-writer", "/srv/files/a.md", "n1"), None).await;
    let detail = story.client.get(&format!("/api/v1/exceptions/{medium}"), Some(&nia)).await.json();
    for act in ["approve", "refuse", "ask", "declare_emergency"] {
        assert_eq!(detail["allowed"][act], json!({"no": "new_person"}), "{act}: {:#}", detail["allowed"]);
    }
    for decision in ["approve", "refuse", "ask"] {
        let answer = story.vote(&nia, &medium, decision, None).await;
        assert_eq!(said(&answer), (403, "new_person".to_owned()), "{answer:?}");
        assert!(answer.json()["help"].as_str().unwrap().contains("day"), "{answer:?}");
    }
    let emergency =
        story.client.post(&format!("/api/v1/exceptions/{medium}/emergency"), &nia, &json!({"reason": "now"})).await;
    assert_eq!(said(&emergency), (403, "new_person".to_owned()));
    let low = story.ask(&folder("/srv/files/new", "n2"), None).await;
    let voted = story.vote(&nia, &low, "approve", None).await;
    assert!(voted.json()["grant"].is_string(), "{voted:?}");
    // A millisecond before the day is over, and then.
    let people = story.client.get("/api/v1/people/nia", Some(&nia)).await.json();
    assert!(people["member"]["new_until"].is_string(), "{people:#}");
    story.gate.clock.advance(86_399);
    let nia = story.gate.person("nia").await;
    let medium = story.ask(&write_file("report-writer", "/srv/files/b.md", "n3"), None).await;
    assert_eq!(story.vote(&nia, &medium, "approve", None).await.code(), "new_person", "by whatever way in");
    story.gate.clock.advance(1);
    let voted = story.vote(&nia, &medium, "approve", None).await;
    assert!(voted.json()["grant"].is_string(), "{voted:?}");
}

#[tokio::test]
async fn whom_the_operator_lets_in_is_known_already() {
    let (gate, _, _) = two(setup()).await;
    let story = Story::on(gate).await;
    let nia = story.gate.person("nia").await;
    let medium = story.ask(&write_file("report-writer", "/srv/files/a.md", "n1"), None).await;
    let voted = story.vote(&nia, &medium, "approve", None).await;
    assert!(voted.json()["grant"].is_string(), "{voted:?}");
}

#[tokio::test]
async fn a_new_administrator_activates_nothing_for_a_day() {
    let (gate, jun, kit) = two(setup()).await;
    let lea = come(&gate, &invited(&gate, (&jun, &kit), "lea").await).await;
    let mut files = people();
    let permit = "@id(\"more\") permit (principal is Agent, action == Action::\"write_file\", resource);";
    files.insert("scope/more.cedar".to_owned(), permit.to_owned());
    let body = json!({"files": files, "reason": "the report is due"});
    let proposal = gate.client.post("/api/v1/bundles", &jun, &body).await.json()["proposal"].clone();
    let path = format!("/api/v1/bundles/{}/activate", proposal["bundle"].as_str().unwrap());
    let vote = json!({"list": proposal["list"], "reason": "I have looked at it"});
    assert_eq!(said(&gate.client.post(&path, &lea, &vote).await), (403, "new_person".to_owned()));
    gate.clock.advance(86_400);
    let lea = gate.person("lea").await;
    let voted = gate.client.post(&path, &lea, &vote).await;
    assert_eq!(voted.json()["state"], "waiting", "{voted:?}");
}
