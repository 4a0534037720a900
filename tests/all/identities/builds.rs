//! What an agent is built of: part of what its grants are bound to, where its issuer says it.

use proviso_tests::{Parties, write_file};
use serde_json::{Value, json};

use super::recorded::payloads;
use super::{World, access_token, with};

const CALL: &str = "/srv/files/reports/a.md";

#[tokio::test]
async fn another_build_uses_no_grant_and_suspends_it() {
    let world = World::with("build = \"agent_build\"").await;
    let point = world.gate.point("proxy", &["files"]).await;
    let by = |agent: String| Parties { client: world.gate.client.clone(), point: point.clone(), agent };
    let token = |task: &str, build: Value, jti: &str| {
        access_token(&with(&world.access("report-writer", task, "5f0c1e", jti), "agent_build", build))
    };
    assert_eq!(world.code(&token("weekly-report", Value::Null, "j0")).await, (401, "token_claim".to_owned()));
    assert_eq!(world.code(&token("weekly-report", json!(7), "j0")).await, (401, "token_claim".to_owned()));
    assert_eq!(world.code(&token("weekly-report", json!("1 2"), "j0")).await, (403, "bad_name".to_owned()));

    let mara = world.gate.person("mara").await;
    let mut ids = Vec::new();
    for task in ["weekly-report", "other-task"] {
        let agent = by(token(task, json!("sha256:one"), task));
        let id = agent.ask(&write_file("report-writer", CALL, "ask"), Some("/srv/files/reports")).await;
        assert_eq!(agent.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
        let used = agent.evaluate(&write_file("report-writer", CALL, "c1")).await;
        assert_eq!(used.json()["decision"], true, "{used:?}");
        ids.push(id);
    }
    let detail = async |id: &str| world.gate.client.get(&format!("/api/v1/exceptions/{id}"), Some(&mara)).await.json();
    let ledger = world.records()[0];
    let changed = by(token("weekly-report", json!("sha256:two"), "j2"));
    let refused = changed.evaluate(&write_file("report-writer", CALL, "c2")).await;
    assert_eq!(refused.json()["decision"], false, "{refused:?}");
    assert_eq!(world.records()[0], ledger + 3, "the new credential, and the two grants that it suspends");
    let last = payloads(&world, "ledger").pop().unwrap();
    assert_eq!(last["identity"]["kind"], "credential_verified", "known once what it ends has ended: {last}");
    for id in &ids {
        let detail = detail(id).await;
        let phase = &detail["exception"]["phase"];
        assert_eq!((&phase["state"], &phase["reason"]), (&json!("suspended"), &json!("build_changed")), "{phase}");
        let told = detail["history"].as_array().unwrap().iter().map(|line| line["sentence"].as_str().unwrap());
        assert!(told.into_iter().any(|sentence| sentence.contains("another build")), "{detail}");
    }
    // The build that was approved does not get it back by itself: what was suspended is judged by people.
    let before = by(token("weekly-report", json!("sha256:one"), "j3"));
    let refused = before.evaluate(&write_file("report-writer", CALL, "c3")).await;
    assert_eq!(refused.json()["decision"], false, "{refused:?}");
    // The new build asks for itself, and a token of the gate's own says no build at all.
    let id = changed.ask(&write_file("report-writer", CALL, "ask"), Some("/srv/files/reports")).await;
    assert_eq!(changed.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let used = changed.evaluate(&write_file("report-writer", CALL, "c4")).await;
    assert_eq!(used.json()["decision"], true, "{used:?}");
    let minted = by(world.gate.agent("report-writer", "weekly-report", Some("ines")).await);
    let refused = minted.evaluate(&write_file("report-writer", CALL, "c5")).await;
    assert_eq!(refused.json()["decision"], false, "{refused:?}");
}
