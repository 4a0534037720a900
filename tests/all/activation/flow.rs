//! The way that a bundle goes: proposed, looked at, voted on, active; refused, or taken back.

use proviso_tests::Setup;
use serde_json::{Value, json};

use super::{activate, became, bundles, files, narrower, of, propose, story, vote, wider, write};

#[tokio::test]
async fn two_others_activate_a_wider_bundle_and_a_restart_changes_nothing() {
    let story = story().await;
    let proposed = propose(&story, "kit", &wider()).await;
    assert_eq!(proposed.status.as_u16(), 201, "{proposed:?}");
    let reply = proposed.json();
    let list = &reply["list"];
    assert_eq!((&list["narrower"], &reply["proposal"]["needs"]), (&json!(false), &json!(2)), "{reply:#}");
    assert_eq!(list["counts"]["new_allow"], 1, "{list:#}");
    let first = &list["changes"][0];
    assert_eq!((&first["kind"], &first["call"]["action"]), (&json!("new_allow"), &json!("write_file")), "{first:#}");
    assert_eq!(list["changes"][0]["after"]["policies"], json!(["writing-is-free"]));
    assert_eq!(list["changes"][0]["before"]["outcome"], "requestable_denial");
    assert_eq!((&list["asked"]["questions"], &list["asked"]["older"]), (&json!(1), &json!(false)), "{list:#}");
    assert_eq!(reply["files"][0]["path"], "scope/writing.cedar");
    assert_eq!(reply["files"][0].get("before"), None);
    assert_eq!(reply["you_may_not"], "not_the_proposer");
    let it = of(&proposed);

    // Who proposed it is no second pair of eyes while two others are there.
    assert_eq!(became(&activate(&story, "kit", &it).await), "403 not_the_proposer");
    assert_eq!(became(&activate(&story, "jun", &it).await), "waiting");
    // One person is one vote, by however many sessions.
    let again = activate(&story, "jun", &it).await;
    assert_eq!(
        (became(&again), &again.json()["people"]),
        ("waiting".to_owned(), &json!([{"type": "User", "id": "jun"}]))
    );
    assert_eq!(story.evaluate(&write("waiting")).await.json()["decision"], false);
    let before = bundles(&story).await;
    assert_eq!(before["proposals"][0]["votes"].as_array().map(Vec::len), Some(1), "{before:#}");

    assert_eq!(became(&activate(&story, "ola", &it).await), "active");
    let allowed = story.evaluate(&write("after")).await.json();
    assert_eq!((&allowed["decision"], &allowed["context"]["reason"]), (&json!(true), &json!("scope")), "{allowed:#}");
    let after = bundles(&story).await;
    assert_eq!((after["active"].as_str(), &after["proposals"]), (Some(it.0.as_str()), &json!([])), "{after:#}");
    let first = &after["history"][0];
    assert_eq!(first["people"], json!([{"type": "User", "id": "jun"}, {"type": "User", "id": "ola"}]));
    assert_eq!((&first["list"], &first["reason"]), (&json!(it.1), &json!("the report is due")));

    // An export names both, and is each one's: no operator's, and not the last one's alone.
    let vera = story.gate.person("vera").await;
    let export =
        async |query: &str| story.client.get(&format!("/api/v1/record/export?{query}"), Some(&vera)).await.text;
    let table = export("format=csv").await;
    let rows: Vec<&str> = table.lines().filter(|row| row.contains(",bundle_activated,")).collect();
    assert!(rows.len() == 2 && rows[1].contains(",User::jun User::ola,"), "{rows:#?}");
    for person in ["jun", "ola"] {
        let text = export(&format!("format=ocsf&approver={person}")).await;
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let event =
            events.iter().find(|event| event["message"] == "bundle_activated").unwrap_or_else(|| panic!("{text}"));
        let uids: Vec<&Value> =
            event["unmapped"]["proviso"]["people"].as_array().unwrap().iter().map(|user| &user["uid"]).collect();
        assert_eq!(uids, ["User::jun", "User::ola"], "{event:#}");
        assert_eq!(event["actor"]["user"]["uid"], "User::ola", "{event:#}");
    }
    let text = export("format=ocsf&approver=kit").await;
    assert!(!text.contains("\"bundle_activated\""), "who proposed it did not activate it: {text}");

    // The folder that the gate is started with is the one from before: it moves nothing back.
    let clock = story.gate.clock.clone();
    let gate = story.gate.again(Setup { bundle: files(), clock, ..Setup::default() }).await;
    let story = proviso_tests::Story::on(gate).await;
    assert_eq!(bundles(&story).await["active"].as_str(), Some(it.0.as_str()));
    assert_eq!(story.evaluate(&write("again")).await.json()["decision"], true);
}

#[tokio::test]
async fn one_person_activates_what_is_proved_narrower_and_a_grant_of_before_ends_with_it() {
    let story = story().await;
    let id = story.ask(&write("asked"), None).await;
    let mara = story.gate.person("mara").await;
    assert!(story.vote(&mara, &id, "approve", None).await.status.is_success());
    let proposed = propose(&story, "kit", &narrower()).await;
    let reply = proposed.json();
    assert_eq!((&reply["list"]["narrower"], &reply["proposal"]["needs"]), (&json!(true), &json!(1)), "{reply:#}");
    assert_eq!(reply["list"]["steps"], json!([{"narrows": true, "kind": "forbid_added", "of": "nobody-writes"}]));
    assert_eq!(reply["list"]["counts"].get("new_allow"), None);
    assert_eq!(reply.get("you_may_not"), None, "{reply:#}");
    assert_eq!(became(&activate(&story, "kit", &of(&proposed)).await), "active");
    // No grant crosses a guardrail, an earlier one neither.
    let denied = story.evaluate(&write("asked")).await.json();
    assert_eq!((&denied["decision"], &denied["context"]["reason"]), (&json!(false), &json!("guardrail")), "{denied:#}");
    assert_eq!(bundles(&story).await["history"][0]["narrower"], true);
}

#[tokio::test]
async fn an_earlier_bundle_is_gone_back_to_by_the_same_rule() {
    let story = story().await;
    let first = bundles(&story).await["active"].as_str().unwrap().to_owned();
    let it = of(&propose(&story, "kit", &wider()).await);
    activate(&story, "jun", &it).await;
    assert_eq!(became(&activate(&story, "ola", &it).await), "active");
    let ola = story.gate.person("ola").await;
    let revert = async |digest: &str| {
        story.client.post("/api/v1/bundles", &ola, &json!({"revert_to": digest, "reason": "too wide"})).await
    };
    let never = revert(&"0".repeat(64)).await;
    assert_eq!((never.status.as_u16(), never.code().as_str()), (404, "unknown_bundle"));
    let back = revert(&first).await;
    assert_eq!(back.json()["proposal"]["revert"], true, "{back:?}");
    // Taking the permit away again is narrower: one does it, also who proposed it.
    assert_eq!(back.json()["list"]["narrower"], true);
    assert_eq!(became(&activate(&story, "ola", &of(&back)).await), "active");
    assert_eq!(story.evaluate(&write("back")).await.json()["decision"], false);
    // And forth again takes two.
    let forth = revert(&it.0).await;
    assert_eq!(forth.json()["proposal"]["needs"], 2, "{forth:?}");
    assert_eq!(became(&activate(&story, "kit", &of(&forth)).await), "waiting");
    assert_eq!(became(&activate(&story, "jun", &of(&forth)).await), "active");
    assert_eq!(story.evaluate(&write("forth")).await.json()["decision"], true);
}

#[tokio::test]
async fn a_vote_against_a_proposal_ends_it_until_it_is_made_again() {
    let story = story().await;
    let it = of(&propose(&story, "kit", &wider()).await);
    assert_eq!(became(&activate(&story, "jun", &it).await), "waiting");
    assert_eq!(became(&vote(&story, "ola", "refuse", &it).await), "refused");
    assert_eq!(became(&activate(&story, "jun", &it).await), "409 proposal_refused");
    assert_eq!(bundles(&story).await["proposals"][0]["state"], "refused");
    story.gate.clock.advance(1);
    let again = of(&propose(&story, "kit", &wider()).await);
    assert_ne!(again.1, it.1, "another list");
    assert_eq!(became(&activate(&story, "ola", &again).await), "waiting", "what jun said was of another list");
    assert_eq!(became(&activate(&story, "jun", &again).await), "active");
}

#[tokio::test]
async fn a_proposal_and_its_votes_outlive_a_restart() {
    let story = story().await;
    let it = of(&propose(&story, "kit", &wider()).await);
    assert_eq!(became(&activate(&story, "jun", &it).await), "waiting");
    let clock = story.gate.clock.clone();
    let gate = story.gate.again(Setup { bundle: files(), clock, ..Setup::default() }).await;
    let story = proviso_tests::Story::on(gate).await;
    let ola = story.gate.person("ola").await;
    let told = story.client.get(&format!("/api/v1/bundles/{}/proposal", it.0), Some(&ola)).await.json();
    assert_eq!((&told["proposal"]["state"], &told["proposal"]["list"]), (&json!("open"), &json!(it.1)), "{told:#}");
    assert_eq!(told["list"]["counts"]["new_allow"], 1, "{told:#}");
    assert_eq!(became(&activate(&story, "ola", &it).await), "active");
    assert_eq!(story.evaluate(&write("later")).await.json()["decision"], true);
}
