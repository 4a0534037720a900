//! Lists: what somebody may not see is taken out before the list is cut, pages go on where the one before ended, and what
//! changed can be asked for alone.

use std::collections::BTreeSet;

use proviso_tests::{Answer, Setup, Story, TestGate, sample_bundle, write_file};
use serde_json::Value;

use super::{refusal, refused};

/// A gate on which jun sees one agent alone, and mara all.
async fn story() -> Story {
    let mut bundle = sample_bundle();
    let console = "@id(\"all\") permit (principal in Group::\"approvers\", action, resource);\n\
                   @id(\"one\") permit (principal == User::\"jun\", action == Proviso::Action::\"view\", \
                   resource == Agent::\"spiffe://acme.example/agent/close-planner\");";
    bundle.insert("console/console.cedar".to_owned(), console.to_owned());
    Story::on(TestGate::with(Setup { bundle, ..Setup::default() }).await).await
}

async fn get(story: &Story, person: &str, query: &str) -> Answer {
    story.client.get(&format!("/api/v1/exceptions{query}"), Some(person)).await
}

fn ids(list: &Value) -> Vec<String> {
    let lines = list["exceptions"].as_array().unwrap_or_else(|| panic!("{list:#}")).iter();
    lines.map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

/// Seven requests of one agent, and one of another before them all.
async fn asked(story: &Story) -> (String, Vec<String>) {
    let other = story.gate.agent("close-planner", "close", Some("ines")).await;
    let parties = proviso_tests::Parties {
        client: story.client.clone(),
        point: story.gate.point("proxy-2", &["files", "ledger"]).await,
        agent: other,
    };
    let old = parties.ask(&write_file("close-planner", "/srv/files/plan.md", "l0"), None).await;
    let mut new = Vec::new();
    for number in 0..7 {
        story.gate.clock.advance(1);
        let path = format!("/srv/files/reports/{number}.md");
        new.push(story.ask(&write_file("report-writer", &path, &format!("l{number}x")), None).await);
    }
    (old, new)
}

#[tokio::test]
async fn what_one_may_not_see_takes_no_place_on_a_page() {
    let story = story().await;
    let (old, new) = asked(&story).await;
    let jun = story.gate.person("jun").await;
    // The oldest of eight, on a page of one: who sees it alone sees it there.
    let list = get(&story, &jun, "?limit=1").await.json();
    assert_eq!(ids(&list), std::slice::from_ref(&old));
    assert_eq!(list.get("next"), None, "{list:#}");
    let mara = story.gate.person("mara").await;
    assert_eq!(ids(&get(&story, &mara, "?limit=1").await.json()), std::slice::from_ref(&new[6]));
}

#[tokio::test]
async fn pages_hold_each_exception_once_newest_first() {
    let story = story().await;
    let (old, mut all) = asked(&story).await;
    all.insert(0, old);
    all.reverse();
    let mara = story.gate.person("mara").await;
    let (mut seen, mut query) = (Vec::new(), "?limit=3".to_owned());
    for _ in 0..3 {
        let list = get(&story, &mara, &query).await.json();
        seen.extend(ids(&list));
        match list["next"].as_str() {
            Some(token) => query = format!("?limit=3&page={token}"),
            None => break,
        }
    }
    assert_eq!(seen, all);
    // A token is of this person's very list.
    let token = get(&story, &mara, "?limit=3").await.json()["next"].as_str().unwrap().to_owned();
    let ola = story.gate.person("ola").await;
    for (person, query) in [
        (&ola, format!("?limit=3&page={token}")),
        (&mara, format!("?limit=3&stage=over&page={token}")),
        (&mara, "?page=made.up".to_owned()),
    ] {
        assert_eq!(refusal(&get(&story, person, &query).await), refused(400, "bad_page_token"), "{query}");
    }
    assert_eq!(refusal(&get(&story, &mara, "?limit=0").await), refused(400, "bad_request"));
    assert_eq!(refusal(&get(&story, &mara, "?stage=soon").await), refused(400, "bad_state"));
}

#[tokio::test]
async fn stages_part_what_is_current_from_what_is_over_and_since_tells_the_rest() {
    let story = story().await;
    let (_, new) = asked(&story).await;
    let mara = story.gate.person("mara").await;
    let before = get(&story, &mara, "").await.json()["position"].as_u64().unwrap();
    story.vote(&mara, &new[0], "refuse", None).await;
    let granted = story.vote(&mara, &new[1], "approve", None).await.json();
    let over = get(&story, &mara, "?stage=over").await.json();
    assert_eq!(ids(&over), [new[0].clone()]);
    let current = ids(&get(&story, &mara, "?stage=current").await.json());
    assert_eq!(current.len(), 7);
    assert!(current.contains(&new[1]) && !current.contains(&new[0]));
    let changed = get(&story, &mara, &format!("?since={before}")).await.json();
    let changed: BTreeSet<String> = ids(&changed).into_iter().collect();
    assert_eq!(changed, BTreeSet::from([new[0].clone(), new[1].clone()]));
    // A live grant is told with what can be done about it.
    let lines = get(&story, &mara, "?state=granted").await.json();
    let line = &lines["exceptions"][0];
    assert_eq!((&line["grant"], &line["may_revoke"]), (&granted["grant"], &Value::Bool(true)), "{line:#}");
    assert_eq!(line.get("last_use"), None);
    let used = story.evaluate(&write_file("report-writer", "/srv/files/reports/1.md", "used")).await.json();
    assert_eq!(used["decision"], true, "{used:#}");
    let lines = get(&story, &mara, &format!("?since={before}")).await.json();
    let lines = lines["exceptions"].as_array().unwrap().clone();
    let line = lines.iter().find(|line| line["id"] == new[1].as_str()).unwrap();
    assert!(line["last_use"].is_string(), "{line:#}");
}

#[tokio::test]
async fn an_agent_that_waits_is_told_of_as_long_as_it_does() {
    let story = Story::begin().await;
    let id = story.ask(&write_file("report-writer", "/srv/files/reports/w.md", "w"), None).await;
    let mara = story.gate.person("mara").await;
    let waits = async || {
        let list = get(&story, &mara, "").await.json();
        list["exceptions"][0]["waiting"].as_bool().unwrap_or(false)
    };
    assert!(!waits().await);
    let status = format!("/access/v1/requests/{id}?wait=60");
    let request = story.client.request(reqwest::Method::GET, &status).bearer_auth(&story.point);
    let waiting = tokio::spawn(request.header("proviso-subject-token", &story.agent).send());
    proviso_tests::until("the agent waits", async || waits().await.then_some(())).await;
    assert_eq!(story.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    assert!(waiting.await.unwrap().unwrap().status().is_success());
    assert!(!waits().await);
}

#[tokio::test]
async fn one_and_the_same_call_is_told_as_such_to_whoever_sees_its_arguments() {
    let story = story().await;
    let point = story.gate.point("proxy-3", &["files", "ledger"]).await;
    let ask = async |task: &str, path: &str, call: &str| {
        let agent = story.gate.agent("close-planner", task, Some("ines")).await;
        let parties = proviso_tests::Parties { client: story.client.clone(), point: point.clone(), agent };
        let asked = parties.ask(&write_file("close-planner", path, call), None).await;
        story.gate.clock.advance(7);
        asked
    };
    let first = ask("close-a", "/srv/files/plan.md", "s1").await;
    let second = ask("close-b", "/srv/files/plan.md", "s2").await;
    let other = ask("close-c", "/srv/files/other.md", "s3").await;
    let mara = story.gate.person("mara").await;
    let list = get(&story, &mara, "").await.json();
    let same = |id: &str| {
        let lines = list["exceptions"].as_array().unwrap();
        lines.iter().find(|line| line["id"] == id).unwrap_or_else(|| panic!("{list:#}"))["same"].clone()
    };
    assert!(same(&first).is_string(), "{list:#}");
    assert_eq!(same(&first), same(&second));
    assert_ne!(same(&first), same(&other));
    // jun does not see arguments, and learns nothing of them by this.
    let jun = story.gate.person("jun").await;
    let list = get(&story, &jun, "").await.json();
    let lines = list["exceptions"].as_array().unwrap();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.get("same").is_none()), "{list:#}");
}
