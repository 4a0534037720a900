//! What never becomes active: by one person, by a list that nobody saw, by whom it is about, or for ever.

use std::sync::Arc;

use proviso::app::Operator;
use proviso_tests::{Setup, Story, write_file};
use serde_json::{Value, json};

use super::{
    activate, became, bundles, files, narrower, of, parents, person, propose, story, wider, with_entities, write,
};

#[tokio::test]
async fn a_vote_is_for_the_list_that_stands_and_for_no_other() {
    let story = story().await;
    let first = of(&propose(&story, "kit", &wider()).await);
    // More was asked meanwhile: the list of the same bundle is another one.
    story.evaluate(&write_file("report-writer", "/srv/files/reports/q4.md", "more")).await;
    let second = of(&propose(&story, "kit", &wider()).await);
    assert_eq!(first.0, second.0, "the same bundle");
    assert_ne!(first.1, second.1);
    assert_eq!(became(&activate(&story, "jun", &first).await), "409 stale_list");
    assert_eq!(became(&activate(&story, "jun", &(second.0.clone(), "0".repeat(64))).await), "409 stale_list");
    assert_eq!(became(&activate(&story, "jun", &(second.1.clone(), second.1.clone())).await), "404 unknown_proposal");
    assert_eq!(became(&activate(&story, "jun", &second).await), "waiting");
    // What another bundle changed is not what was looked at.
    let other = of(&propose(&story, "kit", &narrower()).await);
    assert_eq!(became(&activate(&story, "kit", &other).await), "active");
    assert_eq!(became(&activate(&story, "ola", &second).await), "409 stale_list");
    assert_eq!(bundles(&story).await["proposals"][0]["state"], "stale");
    assert_eq!(story.evaluate(&write("stale")).await.json()["decision"], false);
}

#[tokio::test]
async fn nobody_activates_a_change_of_what_they_are_themselves() {
    let story = story().await;
    let about_jun = with_entities(files(), |entities| {
        parents(entities, "jun").push(json!({"type": "Group", "id": "operators"}));
    });
    let proposed = propose(&story, "kit", &about_jun).await;
    assert_eq!(proposed.json()["list"]["named"], json!([{"type": "User", "id": "jun"}]), "{proposed:?}");
    let it = of(&proposed);
    assert_eq!(became(&activate(&story, "jun", &it).await), "403 own_change");
    // But for jun and kit there is one: so it takes kit as well.
    assert_eq!(became(&activate(&story, "ola", &it).await), "waiting");
    assert_eq!(became(&activate(&story, "kit", &it).await), "active");
    // Where it is about all but one of them, nobody could.
    let about_two = with_entities(about_jun, |entities| {
        for id in ["kit", "ola"] {
            person(entities, id)["attrs"]["name"] = json!("Somebody Else");
        }
    });
    assert_eq!(became(&propose(&story, "jun", &about_two).await), "409 too_few_may_activate");
}

#[tokio::test]
async fn whoever_proposes_what_they_grant_themselves_is_not_counted() {
    let story = story().await;
    let mut own = files();
    let permit = "@id(\"jun-erases\") @persons(\"2\") permit (principal == User::\"jun\", \
                  action == Proviso::Action::\"erase\", resource is Proviso::ThisGate);";
    own.insert("console/more.cedar".to_owned(), permit.to_owned());
    let proposed = propose(&story, "jun", &own).await;
    assert_eq!(proposed.json()["you_may_not"], "own_change", "{proposed:?}");
    let it = of(&proposed);
    assert_eq!(became(&activate(&story, "jun", &it).await), "403 own_change");
    assert_eq!(became(&activate(&story, "kit", &it).await), "waiting");
    assert_eq!(became(&activate(&story, "ola", &it).await), "active");
}

#[tokio::test]
async fn whoever_gains_alone_by_a_group_of_one_is_not_counted() {
    let story = story().await;
    let mut own = files();
    let permit = "@id(\"who-asks-for-it\") permit (principal in Group::\"administrators\", \
                  action == Proviso::Action::\"operate\", resource) when { principal.name == \"Jun Park\" };";
    own.insert("console/more.cedar".to_owned(), permit.to_owned());
    let proposed = propose(&story, "kit", &own).await;
    assert_eq!(proposed.json()["list"]["named"], json!([{"type": "User", "id": "jun"}]), "{proposed:?}");
    assert_eq!(became(&activate(&story, "jun", &of(&proposed)).await), "403 own_change");
}

#[tokio::test]
async fn nobody_fills_the_record_with_proposals() {
    let story = story().await;
    let kit = story.gate.person("kit").await;
    let body = |number: u32| {
        let mut files = wider();
        files.insert("README.md".to_owned(), number.to_string());
        json!({"files": files, "reason": "again"})
    };
    for number in 0..20 {
        assert_eq!(story.client.post("/api/v1/bundles", &kit, &body(number)).await.status.as_u16(), 201, "{number}");
    }
    let more = story.client.post("/api/v1/bundles", &kit, &body(20)).await;
    assert_eq!((more.status.as_u16(), more.code().as_str()), (429, "too_many_requests"), "{more:?}");
    story.gate.clock.advance(3_601);
    let kit = story.gate.person("kit").await;
    assert_eq!(story.client.post("/api/v1/bundles", &kit, &body(21)).await.status.as_u16(), 201);
}

#[tokio::test]
async fn what_is_refused_counts_as_proposed_too() {
    let story = story().await;
    let (kit, jun) = (story.gate.person("kit").await, story.gate.person("jun").await);
    let body = json!({"files": {"README.md": "no bundle"}, "reason": "again"});
    for number in 0..20 {
        let refused = story.client.post("/api/v1/bundles", &kit, &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "bad_bundle"), "{number}");
    }
    let more = story.client.post("/api/v1/bundles", &kit, &body).await;
    assert_eq!((more.status.as_u16(), more.code().as_str()), (429, "too_many_requests"), "{more:?}");
    // Each has an hour of their own.
    assert_eq!(story.client.post("/api/v1/bundles", &jun, &body).await.code(), "bad_bundle");
    story.gate.clock.advance(3_601);
    let kit = story.gate.person("kit").await;
    assert_eq!(story.client.post("/api/v1/bundles", &kit, &body).await.code(), "bad_bundle");
}

#[tokio::test]
async fn what_is_refused_before_it_is_compared_counts_as_none() {
    let story = story().await;
    let kit = story.gate.person("kit").await;
    let refused = async |story: &Story, kit: &str, what: &str, body: &Value| {
        let answer = story.client.post(&format!("/api/v1/{what}"), kit, body).await;
        (answer.status.as_u16(), answer.code())
    };
    let (nowhere, no_module) =
        (json!({"revert_to": "0".repeat(64), "reason": "again"}), json!({"module": "?", "reason": "again"}));
    for _ in 0..12 {
        assert_eq!(refused(&story, &kit, "bundles", &nowhere).await, (404, "unknown_bundle".to_owned()));
        assert_eq!(refused(&story, &kit, "modules", &no_module).await, (400, "module_unusable".to_owned()));
    }
    let body = |number: u32| {
        let mut files = wider();
        files.insert("README.md".to_owned(), number.to_string());
        json!({"files": files, "reason": "again"})
    };
    for number in 0..20 {
        assert_eq!(story.client.post("/api/v1/bundles", &kit, &body(number)).await.status.as_u16(), 201, "{number}");
    }
    // A gate that was started again knows them by the record, and what it refuses for them is none more.
    let clock = Arc::clone(&story.gate.clock);
    let gate = story.gate.again(Setup { bundle: files(), clock, ..Setup::default() }).await;
    let story = Story::on(gate).await;
    story.gate.clock.advance(3_000);
    let kit = story.gate.person("kit").await;
    for number in 20..40 {
        assert_eq!(refused(&story, &kit, "bundles", &body(number)).await, (429, "too_many_requests".to_owned()));
    }
    story.gate.clock.advance(601);
    let kit = story.gate.person("kit").await;
    assert_eq!(story.client.post("/api/v1/bundles", &kit, &body(40)).await.status.as_u16(), 201, "the hour is over");
}

#[tokio::test]
async fn a_bundle_that_people_could_not_replace_or_that_makes_two_one_is_not_even_proposed() {
    let story = story().await;
    let mut none = files();
    none.retain(|path, _| !path.starts_with("console/"));
    assert_eq!(became(&propose(&story, "kit", &none).await), "409 nobody_activates");
    let one = with_entities(files(), |entities| {
        for id in ["jun", "ola"] {
            parents(entities, id).retain(|parent| parent["id"] != "administrators");
        }
    });
    // Erasing takes two, and one is left: the bundle itself says that somebody could activate, and the gate that one is not
    // enough.
    assert_eq!(became(&propose(&story, "kit", &one).await), "409 nobody_activates");
    let mut nobody = files();
    nobody.remove("console/administrator.cedar");
    assert_eq!(became(&propose(&story, "kit", &nobody).await), "400 nobody_activates");
    let mut alone = files();
    let text = alone.get_mut("console/administrator.cedar").unwrap();
    *text = text.replace("@persons(\"2\")\n", "");
    assert_eq!(became(&propose(&story, "kit", &alone).await), "409 one_does_alone");
    let mut broken = files();
    broken.insert("scope/broken.cedar".to_owned(), "permit (".to_owned());
    let refused = propose(&story, "kit", &broken).await;
    assert_eq!(became(&refused), "400 bad_bundle");
    assert!(refused.json()["detail"].as_str().unwrap().contains("scope/broken.cedar:1"), "{refused:?}");
    assert_eq!(became(&propose(&story, "kit", &files()).await), "409 already_active");
    assert_eq!(became(&propose(&story, "zoe", &wider()).await), "403 not_permitted_here");
    let kit = story.gate.person("kit").await;
    for body in [
        json!({"reason": "nothing"}),
        json!({"files": files(), "revert_to": "0".repeat(64), "reason": "both"}),
        json!({"files": wider(), "reason": " "}),
        json!({"files": ["a"], "reason": "a list"}),
    ] {
        assert_eq!(story.client.post("/api/v1/bundles", &kit, &body).await.status.as_u16(), 400, "{body}");
    }
    assert_eq!(bundles(&story).await["proposals"], json!([]), "nothing of it is kept");
}

#[tokio::test]
async fn a_guardrail_is_taken_away_by_two_or_not_at_all() {
    let story = story().await;
    let mut less = files();
    less.remove("guardrails/files.cedar");
    let proposed = propose(&story, "kit", &less).await;
    assert_eq!(proposed.json()["proposal"]["needs"], 2, "{proposed:?}");
    assert_eq!(proposed.json()["list"]["narrower"], false);
    let it = of(&proposed);
    assert_eq!(became(&activate(&story, "jun", &it).await), "waiting");
    assert_eq!(became(&activate(&story, "ola", &it).await), "active");
}

#[tokio::test]
async fn who_voted_and_has_left_or_is_locked_is_nobody_any_more() {
    let story = story().await;
    let it = of(&propose(&story, "kit", &wider()).await);
    assert_eq!(became(&activate(&story, "jun", &it).await), "waiting");
    let operator = Operator { uid: 4242, name: "tester".to_owned() };
    story.gate.app.departed(&operator, "jun", "left the company").await.unwrap();
    // Two are left, kit who proposed it among them: without kit there would be one.
    let voted = activate(&story, "ola", &it).await;
    assert_eq!((became(&voted), voted.json()["people"].as_array().map(Vec::len)), ("waiting".to_owned(), Some(1)));
    let mara = story.gate.person("mara").await;
    let lock = json!({"target": {"person": {"type": "User", "id": "kit"}}, "reason": "a stolen laptop"});
    let locked = story.client.post("/api/v1/locks", &mara, &lock).await;
    assert!(locked.status.is_success(), "{locked:?}");
    assert_eq!(became(&activate(&story, "kit", &it).await), "403 locked");
    assert_eq!(story.evaluate(&write("locked")).await.json()["decision"], false);
}

#[tokio::test]
async fn who_does_not_activate_or_read_the_record_sees_no_list() {
    let story = story().await;
    let (bundle, _) = of(&propose(&story, "kit", &wider()).await);
    for (user, expected) in [("vera", 200), ("jun", 200), ("zoe", 403), ("mara", 403)] {
        let person = story.gate.person(user).await;
        let told = story.client.get(&format!("/api/v1/bundles/{bundle}/proposal"), Some(&person)).await;
        assert_eq!(told.status.as_u16(), expected, "{user} {told:?}");
    }
    let vera = story.gate.person("vera").await;
    let told = story.client.get(&format!("/api/v1/bundles/{bundle}/proposal"), Some(&vera)).await.json();
    assert_eq!(told["you_may_not"], "not_permitted_here");
    assert!(!told.to_string().contains("/srv/files/reports"), "no arguments stand in it: {told:#}");
}
