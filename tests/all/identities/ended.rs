//! What an operator ends here, before the issuer does: one token, one credential, whatever names a subject.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use policy_core::entity::EntityRef;
use proviso::app::{ErasureRequest, Operator};
use proviso_tests::{AGENTS, Client, Parties, until, write_file};
use reqwest::Method;
use serde_json::json;

use super::{LOGIN_ISS, MESH, MESH_ISS, World, access_token};

pub(super) fn operator() -> Operator {
    Operator { uid: 4242, name: "tester".to_owned() }
}

fn ended() -> (u16, String) {
    (401, "credential_ended".to_owned())
}

#[tokio::test]
async fn a_token_ends_alone_and_a_subject_with_all_that_names_it() {
    let world = World::begin().await;
    let token = |agent: &str, user: &str, jti: &str| access_token(&world.access(agent, "weekly-report", user, jti));
    let (one, two) = (token("report-writer", "5f0c1e", "j1"), token("report-writer", "5f0c1e", "j2"));
    let (other_user, other_agent) = (token("report-writer", "77aa01", "j3"), token("ledger-bot", "5f0c1e", "j4"));
    let svid = MESH.sign(None, &world.svid("report-writer", "weekly-report"));
    let all = [&one, &two, &other_user, &other_agent, &svid];
    for token in all {
        assert_eq!(world.code(token).await.0, 200);
    }
    let app = &world.gate.app;
    let ledger = world.records()[0];
    app.end_foreign(LOGIN_ISS, None, Some("j1"), &operator()).await.unwrap();
    assert_eq!((world.code(&one).await, world.code(&two).await.0), (ended(), 200));
    // Ended once is ended: nothing more is written.
    app.end_foreign(LOGIN_ISS, None, Some("j1"), &operator()).await.unwrap();
    assert_eq!(world.records()[0], ledger + 1);
    // A human: whatever acts for them under that issuer.
    app.end_foreign(LOGIN_ISS, Some("77aa01"), None, &operator()).await.unwrap();
    assert_eq!((world.code(&other_user).await, world.code(&two).await.0), (ended(), 200));
    // A workload: under its own trust domain, and where another issuer names it.
    app.end_foreign(MESH_ISS, Some(&format!("{AGENTS}report-writer")), None, &operator()).await.unwrap();
    for token in [&two, &svid, &token("report-writer", "5f0c1e", "j9")] {
        assert_eq!(world.code(token).await, ended(), "also one that was issued since");
    }
    assert_eq!(world.code(&other_agent).await.0, 200);
    // By the id that `token list` shows.
    let list = app.tokens();
    let line = list.iter().find(|line| line.what.contains("ledger-bot")).unwrap();
    assert_eq!((line.kind.as_str(), line.state.as_str(), line.by.as_str()), ("agent", "live", LOGIN_ISS));
    app.revoke_token(&line.id, &operator()).await.unwrap();
    assert_eq!(world.code(&other_agent).await, ended());
    for (issuer, subject, jti, code) in [
        ("https://evil.example", Some("x"), None, "unknown_issuer"),
        (LOGIN_ISS, None, None, "bad_target"),
        (LOGIN_ISS, Some("x"), Some("y"), "bad_target"),
        (LOGIN_ISS, Some(""), None, "bad_target"),
    ] {
        assert_eq!(app.end_foreign(issuer, subject, jti, &operator()).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn what_was_ended_stays_ended_after_a_restart() {
    let world = World::begin().await;
    let token = |jti: &str| access_token(&world.access("report-writer", "weekly-report", "5f0c1e", jti));
    let (one, two) = (token("j1"), token("j2"));
    let svid = MESH.sign(None, &world.svid("ledger-bot", "weekly-report"));
    for token in [&one, &two, &svid] {
        assert_eq!(world.code(token).await.0, 200);
    }
    world.gate.app.end_foreign(LOGIN_ISS, None, Some("j1"), &operator()).await.unwrap();
    world.gate.app.end_foreign(MESH_ISS, Some(&format!("{AGENTS}ledger-bot")), None, &operator()).await.unwrap();
    let world = world.again().await;
    assert_eq!((world.code(&one).await, world.code(&svid).await), (ended(), ended()));
    assert_eq!(world.code(&two).await.0, 200);
}

#[tokio::test]
async fn a_credential_that_was_ended_is_not_believed_anew() {
    let world = World::begin().await;
    let token = |world: &World, task: &str| access_token(&world.access("report-writer", task, "5f0c1e", "j1"));
    assert_eq!(world.code(&token(&world, "weekly-report")).await.0, 200);
    let id = world.gate.app.tokens().iter().find(|line| line.by == LOGIN_ISS).unwrap().id.clone();
    // Its record counts no more, and a token that says the same would make another.
    world.gate.clock.advance(25 * 3_600);
    world.gate.app.revoke_token(&id, &operator()).await.unwrap();
    assert_eq!(world.code(&token(&world, "weekly-report")).await, ended());
    let ledger = world.records()[0];
    world.gate.app.revoke_token(&id, &operator()).await.unwrap();
    assert_eq!(world.records()[0], ledger, "ended once is ended");
    // What does not say the same is another credential. By it the gate forgets what nobody showed for long.
    world.gate.clock.advance(20 * 86_400);
    assert_eq!(world.code(&token(&world, "other-task")).await.0, 200);
    assert_eq!(world.code(&token(&world, "weekly-report")).await, ended());
    // Erased is not forgiven.
    let erasure = ErasureRequest {
        agent: Some(EntityRef::new("Agent", format!("{AGENTS}report-writer"))),
        reason: "they asked us to".to_owned(),
        ..ErasureRequest::default()
    };
    world.gate.app.erase(&operator(), &erasure).await.unwrap();
    let world = world.again().await;
    assert_eq!(world.code(&token(&world, "weekly-report")).await, ended());
    assert_eq!(world.code(&token(&world, "other-task")).await.0, 200);
    let unknown = world.gate.app.revoke_token("pvf_x", &operator()).await.unwrap_err();
    assert_eq!(unknown.code, "unknown_token");
}

/// Eight clients ask as fast as they can. Whatever was asked after the acknowledgement is refused.
async fn nothing_is_allowed_after(what: &str, subject: Option<&str>, jti: Option<&str>) {
    let world = Arc::new(World::begin().await);
    let point = world.gate.point("proxy", &["files"]).await;
    let agent = access_token(&world.access("report-writer", "weekly-report", "5f0c1e", "j1"));
    let parties = Arc::new(Parties { client: world.gate.client.clone(), point, agent });
    let (acknowledged, allowed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients = (0..8).map(|client| {
        let (parties, acknowledged, allowed) = (Arc::clone(&parties), Arc::clone(&acknowledged), Arc::clone(&allowed));
        tokio::spawn(async move {
            let (mut late, mut wrong) = (0, Vec::new());
            for number in 0.. {
                let after = acknowledged.load(Ordering::SeqCst);
                let call = write_file("report-writer", "/srv/files/drafts/a.md", &format!("c{client}-{number}"));
                let answer = parties.evaluate(&call).await;
                let is_allowed = answer.json()["decision"] == true;
                allowed.fetch_add(usize::from(is_allowed), Ordering::SeqCst);
                if after && is_allowed {
                    wrong.push(answer);
                }
                late += usize::from(after);
                if late >= 4 {
                    break;
                }
            }
            wrong
        })
    });
    let clients: Vec<_> = clients.collect();
    until("enough is allowed before", async || (allowed.load(Ordering::SeqCst) >= 16).then_some(())).await;
    world.gate.app.end_foreign(LOGIN_ISS, subject, jti, &operator()).await.unwrap();
    acknowledged.store(true, Ordering::SeqCst);
    for client in clients {
        let wrong = client.await.unwrap();
        assert!(wrong.is_empty(), "allowed after the end of {what}: {wrong:?}");
    }
}

#[tokio::test]
async fn no_use_is_allowed_after_its_token_was_ended() {
    nothing_is_allowed_after("the token", None, Some("j1")).await;
}

#[tokio::test]
async fn no_use_is_allowed_after_its_human_was_ended() {
    nothing_is_allowed_after("the human", Some("5f0c1e"), None).await;
}

#[tokio::test]
async fn who_waits_for_a_decision_is_told_nothing_once_its_token_has_ended() {
    let world = World::begin().await;
    let point = world.gate.point("proxy", &["files"]).await;
    let agent = access_token(&world.access("report-writer", "weekly-report", "5f0c1e", "j1"));
    let parties = Parties { client: world.gate.client.clone(), point: point.clone(), agent: agent.clone() };
    let id = parties.ask(&write_file("report-writer", "/srv/files/reports/a.md", "c1"), None).await;
    let mara = world.gate.person("mara").await;
    let waiting = {
        let client = world.gate.client.clone();
        let path = format!("/access/v1/requests/{id}?wait=30");
        tokio::spawn(async move {
            let request = client.request(Method::GET, &path).timeout(Duration::from_secs(40));
            Client::send(request.bearer_auth(point).header("proviso-subject-token", agent)).await
        })
    };
    world.gate.app.end_foreign(LOGIN_ISS, None, Some("j1"), &operator()).await.unwrap();
    // News of the request wakes whoever waits.
    assert_eq!(parties.vote(&mara, &id, "approve", None).await.json()["state"], "granted");
    let told = waiting.await.unwrap();
    assert!(told.status.as_u16() == 401, "{told:?}");
    assert_eq!(told.json()["task"], json!(null));
}
