//! Groups that a provider's claim brings: mapped by the operator's file, for as long as the session lasts, and nobody
//! else's.

use std::collections::BTreeMap;
use std::sync::Arc;

use proviso_tests::{Setup, Story, TestClock, TestGate, sample_bundle, write_file};
use serde_json::{Value, json};

use super::browser::{enter, file, person, refused, setup};
use super::provider::Provider;

/// Whom the bundle puts into no group that approves.
const OUTSIDER: &str = "vera";

const MAPPED: &str = "group_claim = \"memberships\"";
const GROUPS: &str = "\n[provider.groups]\n\"acme-approvers\" = \"Group::approvers\"\n\
                      \"acme-gone\" = \"Group::nobody-knows\"\n\"acme-odd\" = \"Agent::spiffe://acme.example/agent/report-writer\"\n";

/// The sample bundle, in which nobody is in the group of approvers but mara.
fn bundle() -> BTreeMap<String, String> {
    let mut files = sample_bundle();
    let entities = files.get_mut("entities.json").unwrap();
    let mut read: Vec<Value> = serde_json::from_str(entities).unwrap();
    for entity in &mut read {
        if entity["uid"]["type"] == "User" && entity["uid"]["id"] != "mara" {
            entity["parents"] = json!([]);
        }
    }
    *entities = serde_json::to_string_pretty(&read).unwrap();
    files
}

async fn world() -> (Story, Provider) {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let file = format!("{}{GROUPS}", file(&provider, "acme", &["mara", OUTSIDER], MAPPED));
    let gate = TestGate::with(Setup { bundle: bundle(), ..setup(&clock, &[file]) }).await;
    (Story::on(gate).await, provider)
}

async fn groups(story: &Story, person: &str) -> Vec<String> {
    let session = story.client.get("/api/v1/session", Some(person)).await.json();
    let groups = session["groups"].as_array().cloned().unwrap_or_default();
    groups.iter().map(|group| group["id"].as_str().unwrap().to_owned()).collect()
}

fn report(call: &str) -> Value {
    write_file("report-writer", &format!("/srv/files/reports/{call}.md"), call)
}

#[tokio::test]
async fn a_session_votes_with_the_groups_that_it_brought_and_they_end_with_it() {
    let (story, provider) = world().await;
    let subject = format!("sub-{OUTSIDER}");
    let sign_in = async |claims: Value| person(&enter(&story.gate, &provider, &subject, claims).await);
    let id = story.ask(&report("a"), None).await;
    let without = sign_in(json!({})).await;
    assert_eq!(groups(&story, &without).await, [""; 0]);
    assert_eq!(refused(&story.vote(&without, &id, "approve", None).await), (403, "not_eligible".to_owned()));
    let with = sign_in(json!({"memberships": ["acme-approvers", "acme-other"]})).await;
    assert_eq!(groups(&story, &with).await, ["approvers"], "and \"You\" shows it");
    // The session of before, and one by a link, have none of it.
    assert_eq!(refused(&story.vote(&without, &id, "approve", None).await), (403, "not_eligible".to_owned()));
    let link = story.gate.person(OUTSIDER).await;
    assert_eq!(refused(&story.vote(&link, &id, "approve", None).await), (403, "not_eligible".to_owned()));
    assert_eq!(story.vote(&with, &id, "approve", None).await.json()["state"], "granted");
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&with)).await.json();
    assert_eq!(detail["exception"]["votes"][0]["groups"], json!(["approvers"]), "{detail}");
    assert_eq!(story.evaluate(&report("a")).await.json()["decision"], true);
    // Whoever comes in without them has none, and neither has the session of before any more.
    let id = story.ask(&report("b"), None).await;
    let later = sign_in(json!({"memberships": []})).await;
    for person in [&later, &with] {
        assert_eq!(refused(&story.vote(person, &id, "approve", None).await), (403, "not_eligible".to_owned()));
    }
}

#[tokio::test]
async fn only_what_the_file_maps_and_the_bundle_knows_is_a_group() {
    let (story, provider) = world().await;
    let subject = format!("sub-{OUTSIDER}");
    let many: Vec<String> =
        std::iter::once("acme-approvers".to_owned()).chain((0..200).map(|n| n.to_string())).collect();
    for (what, claims) in [
        ("none", json!({})),
        ("of another name", json!({"groups": ["acme-approvers"]})),
        ("the bundle's own name", json!({"memberships": ["approvers", "Group::approvers"]})),
        ("one that the bundle does not know", json!({"memberships": ["acme-gone"]})),
        ("what people cannot be in", json!({"memberships": ["acme-odd"]})),
        ("too many to be all", json!({"memberships": many})),
        ("something else among them", json!({"memberships": ["acme-approvers", 7]})),
        ("one text", json!({"memberships": "acme-approvers"})),
        ("an object", json!({"memberships": {"acme-approvers": true}})),
        ("somewhere else (an overlarge claim)", json!({"_claim_names": {"memberships": "src1"}, "memberships": null})),
    ] {
        let person = person(&enter(&story.gate, &provider, &subject, claims).await);
        assert_eq!(groups(&story, &person).await, [""; 0], "{what}");
    }
    // Without a mapping no claim brings anything.
    let clock = Arc::new(TestClock::new());
    let other = Provider::start(&clock).await;
    let plain = setup(&clock, &[file(&other, "acme", &[OUTSIDER], "")]);
    let gate = TestGate::with(Setup { bundle: bundle(), ..plain }).await;
    let answer = enter(&gate, &other, &subject, json!({"memberships": ["acme-approvers"]})).await;
    assert!(answer.json()["session"].get("groups").is_none(), "{answer:?}");
}

#[tokio::test]
async fn a_grant_outlives_the_session_whose_groups_voted_for_it() {
    let (story, provider) = world().await;
    let subject = format!("sub-{OUTSIDER}");
    let sign_in = async |claims: Value| person(&enter(&story.gate, &provider, &subject, claims).await);
    let with = sign_in(json!({"memberships": ["acme-approvers"]})).await;
    let id = story.ask(&report("a"), None).await;
    assert_eq!(story.vote(&with, &id, "approve", None).await.json()["state"], "granted");
    // The session ends; the grant that was made with it stays.
    let request = story.gate.client.request(reqwest::Method::DELETE, "/api/v1/session");
    proviso_tests::Client::send(proviso_tests::as_person(request, &with)).await;
    assert_eq!(story.evaluate(&report("a")).await.json()["context"]["reason"], "exception");
}

#[tokio::test]
async fn whoever_is_an_administrator_by_a_claim_alone_is_none_and_told_why() {
    let clock = Arc::new(TestClock::new());
    let provider = Provider::start(&clock).await;
    let groups = "\n[provider.groups]\n\"acme-admins\" = \"Group::administrators\"\n";
    let file = format!("{}{groups}", file(&provider, "acme", &[OUTSIDER], MAPPED));
    let bundle = crate::console::bundle(crate::console::presets());
    let story = Story::on(TestGate::with(Setup { bundle, ..setup(&clock, &[file]) }).await).await;
    let claims = json!({"memberships": ["acme-admins"]});
    let person = person(&enter(&story.gate, &provider, &format!("sub-{OUTSIDER}"), claims).await);
    assert_eq!(self::groups(&story, &person).await, ["administrators"]);
    for (path, body) in [
        ("/api/v1/people/invitations", json!({"user": "zoe", "reason": "joins"})),
        ("/api/v1/bundles", json!({"files": {"README.md": "x"}, "reason": "a change"})),
    ] {
        let answer = story.client.post(path, &person, &body).await;
        assert_eq!(refused(&answer), (403, "not_permitted_here".to_owned()), "{path}");
        let help = answer.json()["help"].as_str().unwrap_or_default().to_owned();
        assert!(help.contains("entities.json"), "{path}: {help}");
    }
    // So it is in every other answer, too.
    let kit = story.gate.person("kit").await;
    let people = story.client.get("/api/v1/people", Some(&kit)).await.json();
    let line = people["people"].as_array().unwrap().iter().find(|line| line["person"]["id"] == OUTSIDER);
    assert_eq!(line.unwrap_or_else(|| panic!("{people:#}"))["administrator"], false, "{people:#}");
}
