//! Acts that the bundle does not let somebody do: refused, on record, and changing nothing.

use proviso::app::Operator;
use proviso_tests::{Setup, Story, TestGate};
use reqwest::Method;
use serde_json::{Value, json};

use super::{bundle, presets, story, write};

/// The ledger's records of refused acts, as an auditor's export tells them.
async fn refused_acts(story: &Story) -> Vec<Value> {
    let vera = story.gate.person("vera").await;
    let export = story.client.get("/api/v1/record/export?format=json", Some(&vera)).await;
    let lines = export.text.lines().filter(|line| line.contains("act_refused"));
    let event = |line: &str| {
        let line: Value = serde_json::from_str(line.trim_end_matches(',')).unwrap();
        serde_json::from_str::<Value>(line["payloads"]["event"]["text"].as_str().unwrap_or("null")).unwrap()
    };
    lines.map(event).collect()
}

#[tokio::test]
async fn a_refused_act_is_on_record_once_an_hour_and_changes_nothing() {
    let story = story().await;
    let zoe = story.gate.person("zoe").await;
    let body = json!({"target": {"task": "weekly-report"}, "reason": "mischief"});
    for _ in 0..5 {
        let answer = story.client.post("/api/v1/locks", &zoe, &body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "not_permitted_here"), "{answer:?}");
        assert!(answer.json()["help"].as_str().unwrap().contains("console/"), "{answer:?}");
    }
    let of = |acts: &[Value]| -> Vec<Value> { acts.iter().map(|act| act["console"]["act"].clone()).collect() };
    let found = refused_acts(&story).await;
    assert_eq!(of(&found), [json!("lock")], "{found:?}");
    assert_eq!(found[0]["console"]["by"], json!({"type": "User", "id": "zoe"}));
    assert_eq!(found[0]["console"]["reason"], "not_permitted_here");
    story.gate.clock.advance(3_700);
    story.client.post("/api/v1/locks", &zoe, &body).await;
    // A look that is refused is no act.
    let looked = story.client.get("/api/v1/owners?agent=nobody", Some(&zoe)).await;
    assert_eq!(looked.code(), "not_permitted_here");
    assert_eq!(of(&refused_acts(&story).await), [json!("lock"), json!("lock")]);
    let sol = story.gate.person("sol").await;
    let locks = story.client.get("/api/v1/locks", Some(&sol)).await.json();
    assert_eq!(locks["locks"], json!([]), "nothing was locked");
}

#[tokio::test]
async fn an_owner_stops_their_own_agent_and_no_other() {
    let story = story().await;
    let id = story.ask(&write("a.md", "o1"), None).await;
    let mara = story.gate.person("mara").await;
    let grant = story.vote(&mara, &id, "approve", None).await.json()["grant"].as_str().unwrap().to_owned();
    let ines = story.gate.person("ines").await;
    let lock = |agent: &str| {
        let subject = json!({"type": "Agent", "id": format!("{}{agent}", proviso_tests::AGENTS)});
        json!({"target": {"subject": subject}, "reason": "look first"})
    };
    // Ines owns the planner, and report-writer asks for her: hers to stop is the planner, and this one request.
    let other = story.client.post("/api/v1/locks", &ines, &lock("report-writer")).await;
    assert_eq!(other.code(), "not_permitted_here", "{other:?}");
    let own = story.client.post("/api/v1/locks", &ines, &lock("close-planner")).await;
    assert!(own.status.is_success(), "{own:?}");
    let revoked = story.client.post(&format!("/api/v1/grants/{grant}/revoke"), &ines, &json!({"reason": "done"})).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    // By what the gate knows of owners, and not by the bundle: what was handed over is the heir's.
    let tom = story.gate.person("tom").await;
    let of = json!({"type": "Agent", "id": format!("{}report-writer", proviso_tests::AGENTS)});
    let given = json!({"of": {"agent": of}, "to": {"type": "User", "id": "zoe"}, "reason": "tom moves on"});
    let given = story.client.post("/api/v1/owners/handover", &tom, &given).await;
    assert!(given.status.is_success(), "{given:?}");
    let zoe = story.gate.person("zoe").await;
    let locked = story.client.post("/api/v1/locks", &zoe, &lock("report-writer")).await;
    assert!(locked.status.is_success(), "{locked:?}");
}

#[tokio::test]
async fn what_takes_two_is_done_by_two_or_not_at_all() {
    let mut console = presets();
    let two = |act: &str| {
        format!(
            "@id(\"two-{act}\") @persons(\"2\") permit (principal, action == Proviso::Action::\"{act}\", resource);"
        )
    };
    console.insert("console/more.cedar".to_owned(), [two("unlock"), two("operate")].concat());
    let gate = TestGate::with(Setup { bundle: bundle(console), ..Setup::default() }).await;
    let story = Story::on(gate).await;
    let (mara, sol) = (story.gate.person("mara").await, story.gate.person("sol").await);
    let body = json!({"target": {"task": "another"}, "reason": "look first"});
    let lock = story.client.post("/api/v1/locks", &mara, &body).await.json()["id"].as_str().unwrap().to_owned();
    let lift = async |person: &str| {
        let request = story.client.request(Method::DELETE, &format!("/api/v1/locks/{lock}"));
        proviso_tests::Client::send(proviso_tests::as_person(request, person)).await
    };
    // Its setter alone would lift it at once.
    assert_eq!(lift(&mara).await.json()["lifted"], false);
    assert_eq!(lift(&mara).await.json()["lifted"], false, "one person twice is one person");
    assert_eq!(lift(&sol).await.json()["lifted"], true);
    // Who asked for it and is no longer there is no second person.
    let lock = story.client.post("/api/v1/locks", &mara, &body).await.json()["id"].as_str().unwrap().to_owned();
    let lift = async |person: &str| {
        let request = story.client.request(Method::DELETE, &format!("/api/v1/locks/{lock}"));
        proviso_tests::Client::send(proviso_tests::as_person(request, person)).await.json()["lifted"].clone()
    };
    assert_eq!(lift(&mara).await, false);
    let operator = Operator { uid: 4242, name: "tester".to_owned() };
    story.gate.app.departed(&operator, "mara", "left the company").await.unwrap();
    assert_eq!(lift(&sol).await, false);
    let kit = story.gate.person("kit").await;
    assert_eq!(lift(&kit).await, true);
    // Where the gate knows no second person, the demand is no yes.
    let answer = story.client.get("/api/v1/deliveries", Some(&sol)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "second_person_needed"), "{answer:?}");
}

#[tokio::test]
async fn without_a_console_it_is_as_it_always_was_for_whom_the_bundle_knows() {
    let story = Story::begin().await;
    let id = story.ask(&write("a.md", "w1"), None).await;
    let ines = story.gate.person("ines").await;
    for path in ["/api/v1/exceptions", "/api/v1/findings", "/api/v1/record/export", "/api/v1/deliveries"] {
        assert!(story.client.get(path, Some(&ines)).await.status.is_success(), "{path}");
    }
    let detail = story.client.get(&format!("/api/v1/exceptions/{id}"), Some(&ines)).await.json();
    assert_eq!(detail.get("hidden"), None);
    let session = story.client.get("/api/v1/session", Some(&ines)).await.json();
    let may: Vec<&str> = session["may"].as_array().unwrap().iter().map(|act| act.as_str().unwrap()).collect();
    assert_eq!(may.len(), 13, "{may:?}");
    assert!(!may.iter().any(|act| ["activate", "erase", "administer"].contains(act)), "{may:?}");
}
