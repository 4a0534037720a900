//! A group of resources in a grant: its members when it was approved, and none that came later (R3, R5).

use std::collections::BTreeMap;

use proviso_tests::{Setup, Story, TestGate, post_rows, sample_bundle};
use serde_json::json;

use super::{allowed, denied, exception, refusal, refused, verdict};

/// The sample bundle, in which these journals are in the group `quarters`.
fn quarters(journals: &[&str]) -> BTreeMap<String, String> {
    let mut bundle = sample_bundle();
    let schema = bundle.get_mut("schema.cedarschema").unwrap();
    assert!(schema.contains("entity Dataset = {"));
    *schema = schema.replacen("entity Dataset = {", "entity Dataset in [Group] = {", 1);
    let mut entities: serde_json::Value = serde_json::from_str(&bundle["entities.json"]).unwrap();
    let group = json!({"type": "Group", "id": "quarters"});
    for entity in entities.as_array_mut().unwrap() {
        if entity["uid"]["type"] == "Dataset" && journals.iter().any(|journal| entity["uid"]["id"] == *journal) {
            entity["parents"] = json!([group]);
        }
    }
    entities.as_array_mut().unwrap().push(json!({"uid": group, "attrs": {}, "parents": []}));
    bundle.insert("entities.json".to_owned(), entities.to_string());
    bundle
}

#[tokio::test]
async fn r3_a_group_in_a_grant_is_its_members_when_it_was_approved() {
    let setup = Setup { bundle: quarters(&["finance/ledger-eu", "finance/ledger-us"]), ..Setup::default() };
    let story = Story::on(TestGate::with(setup).await).await;
    let call = |journal: &str, id: &str| post_rows("report-writer", journal, 5, id);
    let asked = call("finance/ledger-eu", "ask");
    let denial = story.evaluate(&asked).await.json();
    let mut scope = denial["context"]["access_request"]["display"]["scope"].clone();
    scope["max_uses"] = json!(4);
    // A group that the refused call's own resource is in, and no other.
    scope["resource"] = json!({"in": {"type": "Group", "id": "finance"}});
    let other = story.request(&story.request_body(&asked, &denial, Some(scope.clone()))).await;
    assert_eq!(refusal(&other), refused(400, "bad_group"));
    scope["resource"] = json!({"in": {"type": "Group", "id": "quarters"}});
    let answer = story.request(&story.request_body(&asked, &denial, Some(scope))).await.json();
    let id = answer["task"]["id"].as_str().unwrap_or_else(|| panic!("no request was made: {answer}")).to_owned();
    let (mara, vera) = (story.gate.person("mara").await, story.gate.person("vera").await);
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "requested");
    assert_eq!(story.vote(&vera, &id, "approve", None).await.json()["state"], "granted");
    let members = exception(&story, &mara, &id).await["exception"]["phase"]["grant"]["members"].clone();
    let dataset = |id: &str| json!({"type": "Dataset", "id": id});
    assert_eq!(members, json!([dataset("finance/ledger-eu"), dataset("finance/ledger-us")]));
    for (journal, expected) in [
        ("finance/ledger-eu", allowed("exception")),
        ("finance/ledger-us", allowed("exception")),
        ("finance/sandbox", denied("approval_required")),
    ] {
        assert_eq!(verdict(&story.evaluate(&call(journal, journal)).await), expected, "{journal}");
    }

    // A later bundle puts one more into the group, and takes one out.
    let setup = Setup {
        bundle: quarters(&["finance/ledger-us", "finance/sandbox"]),
        clock: story.gate.clock.clone(),
        activate: true,
        ..Setup::default()
    };
    let story = Story::on(story.gate.again(setup).await).await;
    let sandbox = story.evaluate(&call("finance/sandbox", "later")).await;
    assert_eq!(verdict(&sandbox), denied("approval_required"), "it was no member when they voted");
    let us = story.evaluate(&call("finance/ledger-us", "later")).await;
    assert_eq!(verdict(&us), allowed("exception"), "{us:?}");
}
