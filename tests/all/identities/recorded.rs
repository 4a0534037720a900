//! What is written down of a token: what was believed, which it was, and never the token.

use proviso::app::Allowance;
use proviso::store::SeenHead;
use proviso::trust::Identities;
use proviso_tests::{Client, Parties, Setup, TestGate, copy_folder, post_rows, write_file};
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{LOGIN, LOGIN_ISS, MESH_ISS, World, access_token, with};

/// Events or decisions of a log, in order, as the gate's database holds them.
pub(super) fn payloads(world: &World, log: &str) -> Vec<Value> {
    let database = Connection::open(world.gate.data().join("record.sqlite")).unwrap();
    let mut select = database
        .prepare("SELECT bytes FROM payload WHERE log = ?1 AND name IN ('event', 'decision') ORDER BY seq")
        .unwrap();
    let bytes = select.query_map([log], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    bytes.map(|bytes| serde_json::from_slice(&bytes.unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn a_credential_is_recorded_once_and_each_decision_names_its_token() {
    let world = World::begin().await;
    let call = post_rows("report-writer", "finance/sandbox", 10, "c1");
    let claims =
        with(&world.access("report-writer", "weekly-report", "5f0c1e", "jti-one"), "email", json!("i@x.example"));
    let first = access_token(&claims);
    // A log is told of once it holds a record.
    let own = world.gate.agent("report-writer", "weekly-report", Some("ines")).await;
    assert_eq!(world.ask(&own, &call).await.status.as_u16(), 200);
    let before = world.records();
    assert_eq!(world.ask(&first, &call).await.status.as_u16(), 200);
    assert_eq!(world.records(), [before[0] + 1, before[1] + 1], "the credential, and the decision");
    let second = access_token(&with(&claims, "jti", json!("jti-two")));
    assert_eq!(world.ask(&second, &call).await.status.as_u16(), 200);
    assert_eq!(world.records(), [before[0] + 1, before[1] + 2], "the same credential");

    let events = payloads(&world, "ledger");
    let seen = events.iter().map(|event| &event["identity"]).find(|event| event["kind"] == "credential_verified");
    let credential = &seen.expect("the credential's record")["credential"];
    assert_eq!(credential["issuer"], LOGIN_ISS);
    assert_eq!(credential["parties"][0]["issuer"], MESH_ISS, "{credential}");
    assert_eq!(credential["parties"][1], json!({"issuer": LOGIN_ISS, "subject": "5f0c1e"}), "{credential}");
    assert_eq!(credential["facts"]["agent"]["on_behalf"]["id"], "ines", "{credential}");
    assert_eq!(credential["facts"]["agent"]["task"], "weekly-report", "{credential}");
    assert_eq!(credential["unread"], json!(["email"]), "what was claimed and not believed, by name");
    assert_eq!((&credential["token"]["key"], &credential["token"]["id"]), (&json!(LOGIN.kid), &json!("jti-one")));

    let decisions = payloads(&world, "decisions/main");
    let tokens: Vec<&Value> = decisions.iter().filter_map(|decision| decision["tokens"].get(0)).collect();
    assert_eq!(tokens.iter().map(|token| &token["id"]).collect::<Vec<_>>(), ["jti-one", "jti-two"], "{tokens:?}");
    assert!(decisions.iter().filter(|one| !one["tokens"].is_null()).all(|one| one["credential"] == credential["id"]));

    // No token, and no part of one that would open anything, is written down.
    for token in [&first, &second] {
        let (_, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(crate::http::credentials::files_with(world.gate.data(), signature), [""; 0]);
    }
    assert_eq!(crate::http::credentials::files_with(world.gate.data(), "i@x.example"), [""; 0]);
}

#[tokio::test]
async fn a_person_is_shown_who_acts_for_them_under_another_issuer() {
    let world = World::begin().await;
    let token = access_token(&world.access("report-writer", "weekly-report", "5f0c1e", "j1"));
    assert_eq!(world.code(&token).await.0, 200);
    let ines = world.gate.person("ines").await;
    let session = world.gate.client.get("/api/v1/session", Some(&ines)).await.json();
    let minted = session["minted"].as_array().unwrap();
    assert!(minted.iter().any(|line| line["by"] == LOGIN_ISS && line["kind"] == "agent"), "{session}");
}

#[tokio::test]
async fn a_record_counts_for_a_day_and_is_then_made_anew() {
    let world = World::begin().await;
    let token = || access_token(&world.access("report-writer", "weekly-report", "5f0c1e", "j1"));
    assert_eq!(world.code(&token()).await.0, 200);
    let ledger = world.records()[0];
    world.gate.clock.advance(23 * 3_600);
    assert_eq!((world.code(&token()).await.0, world.records()[0]), (200, ledger));
    world.gate.clock.advance(3_600);
    assert_eq!((world.code(&token()).await.0, world.records()[0]), (200, ledger + 1));
}

#[tokio::test]
async fn an_agent_brings_only_so_many_new_credentials_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    super::publish(folder.path());
    let identities = Identities::parse(&super::file(folder.path(), "")).unwrap();
    let allowance = Allowance { credentials: 3, ..Allowance::each_second(1_000) };
    let gate = TestGate::with(Setup { bundle: super::bundle(), identities, allowance, ..Setup::default() }).await;
    let world = World { gate, folder };
    world.gate.clock.advance(1);
    let token = |agent: &str, task: &str| access_token(&world.access(agent, &format!("task-{task}"), "5f0c1e", "j1"));
    for task in ["a", "b", "c", "a"] {
        assert_eq!(world.code(&token("report-writer", task)).await, (200, String::new()), "{task}");
    }
    let refused = world.who(&token("report-writer", "d")).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "too_many_credentials".to_owned()), "{refused:?}");
    assert_eq!(refused.header("retry-after"), "3600");
    // Whoever it is known by goes on, and so does everybody else.
    assert_eq!(world.code(&token("report-writer", "a")).await.0, 200);
    assert_eq!(world.code(&token("ledger-bot", "d")).await.0, 200);
    world.gate.clock.advance(3_600);
    assert_eq!(world.code(&token("report-writer", "d")).await.0, 200);
}

#[tokio::test]
async fn a_person_is_no_person_by_a_token() {
    let world = World::begin().await;
    let token = access_token(&world.access("report-writer", "weekly-report", "77aa01", "j1"));
    let request = world.gate.client.request(Method::GET, "/api/v1/exceptions").bearer_auth(&token);
    let answer = Client::send(request).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (403, "not_a_person".to_owned()));
    // Nor does an agent become an enforcement point by carrying two tokens.
    let twice = Parties { client: world.gate.client.clone(), point: token.clone(), agent: token };
    let answer = twice.evaluate(&write_file("report-writer", "/srv/files/reports/a.md", "c1")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (400, "claim_conflict".to_owned()));
}

#[tokio::test]
async fn a_restored_gate_believes_no_token_of_before() {
    let world = World::begin().await;
    let token = |jti: &str| access_token(&world.access("report-writer", "weekly-report", "5f0c1e", jti));
    let before = token("j1");
    let call = post_rows("report-writer", "finance/sandbox", 10, "c1");
    assert_eq!(world.ask(&before, &call).await.status.as_u16(), 200);
    // What was ended before the snapshot is known after it, though no credential has its id any more.
    let other = |world: &World| access_token(&world.access("ledger-bot", "weekly-report", "5f0c1e", "j3"));
    assert_eq!(world.code(&other(&world)).await.0, 200);
    let list = world.gate.app.tokens();
    let line = list.iter().find(|line| line.what.contains("ledger-bot")).unwrap();
    world.gate.app.revoke_token(&line.id, &super::ended::operator()).await.unwrap();
    let snapshot = world.folder.path().join("snapshot");
    copy_folder(world.gate.data(), &snapshot).unwrap();
    // After the snapshot the token is ended, which the snapshot cannot know.
    world.gate.app.end_foreign(LOGIN_ISS, None, Some("j1"), &super::ended::operator()).await.unwrap();
    let head = |name: &str| std::fs::read_to_string(world.gate.data().join("heads").join(name)).unwrap();
    let seen = ["ledger", "decisions-main"].map(|name| SeenHead { place: "the shelf".to_owned(), note: head(name) });
    let clock = std::sync::Arc::clone(&world.gate.clock);
    clock.advance(5);
    let identities = Identities::parse(&super::file(world.folder.path(), "")).unwrap();
    let setup = Setup { bundle: super::bundle(), identities, clock, seen: seen.to_vec(), ..Setup::default() };
    let gate = TestGate::open(setup, &snapshot).await.unwrap();
    let world = World { gate, folder: world.folder };
    assert_eq!(world.code(&before).await, (401, "credential_of_earlier_epoch".to_owned()));
    world.gate.clock.advance(5);
    let after = access_token(&world.access("report-writer", "weekly-report", "5f0c1e", "j2"));
    assert_eq!(world.code(&after).await, (200, String::new()), "the same caller, with a token of now");
    assert_eq!(world.code(&other(&world)).await, (401, "credential_ended".to_owned()));
}
