//! The abuse list of the issue, as far as it lies below HTTP.

use std::sync::atomic::Ordering;

use policy_core::lifecycle::VoteDecision;

use super::super::testing::Lie;
use super::*;

fn code<T>(result: Result<T, Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code, |_| "ok")
}

#[tokio::test]
async fn r3_a_grant_is_of_no_use_to_another_task_point_or_with_other_arguments() {
    let (gate, caller, _, _) = granted().await;
    let app = &gate.app;
    let path = "/srv/files/reports/q3.md";
    let other_task = Caller { agent: agent(app, "close-q4", Some("ines")).await, point: caller.point.clone() };
    let other_point = Caller { point: point(app, "gateway").await, agent: caller.agent.clone() };
    let nobody = Caller { agent: agent(app, "close-q3", None).await, point: caller.point.clone() };
    for lie in [Lie::None, Lie::Everything, Lie::Nothing] {
        *gate.index.lie.lock().unwrap() = lie;
        for other in [&other_task, &other_point, &nobody] {
            assert!(!other.write(app, path, "x1").await.decision, "{lie:?}");
        }
        assert!(!caller.write(app, "/srv/files/reports/q4.md", "x2").await.decision, "{lie:?}");
        // An agent that calls alone only asks.
        let alone = app.evaluate(&caller.agent, None, tool("write_file", path, "x3")).await.unwrap();
        assert!(!alone.decision && alone.context.access_request.is_none());
    }
    *gate.index.lie.lock().unwrap() = Lie::Everything;
    assert!(caller.write(app, path, "x4").await.decision, "its own call still passes");
}

#[tokio::test]
async fn r3_uses_never_exceed_under_concurrency() {
    let (gate, caller, _, _) = granted().await;
    let calls = (0..16).map(|n| {
        let (app, body) = (gate.app.clone(), tool("write_file", "/srv/files/reports/q3.md", &format!("k{n}")));
        let (point, agent) = (caller.point.clone(), caller.agent.clone());
        tokio::spawn(async move { app.evaluate(&point, Some(&agent), body).await.unwrap().decision })
    });
    let mut allowed = 0;
    for call in calls.collect::<Vec<_>>() {
        allowed += u32::from(call.await.unwrap());
    }
    assert_eq!(allowed, 1);
}

#[tokio::test]
async fn r4_requester_owner_and_stranger_cannot_vote_and_nobody_twice() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let id = caller.ask(app, &tool("write_file", "/srv/files/reports/q3.md", "c1"), None).await.unwrap();
    for (user, expected) in [("ines", "is_requester"), ("tom", "is_owner"), ("jun", "not_eligible")] {
        assert_eq!(code(approve(app, user, &id, None).await), expected, "{user}");
    }
    assert_eq!(code(approve(app, "mara", &id, None).await), "ok");
    assert_eq!(code(approve(app, "mara", &id, None).await), "closed");
}

#[tokio::test]
async fn r4_a_link_minted_under_the_gates_own_user_opens_nothing() {
    let gate = Gate::start().await;
    let own = gate.app.settings().operator.clone();
    let mint = MintRequest::Approver { user: "mara".to_owned() };
    assert_eq!(code(gate.app.mint(mint, &own).await), "single_user_required");
}

#[tokio::test]
async fn a_link_works_once_and_a_revoked_token_not_at_all() {
    let gate = Gate::start().await;
    let app = &gate.app;
    let minted = app.mint(MintRequest::Approver { user: "mara".to_owned() }, &ROOT).await.unwrap();
    let link = minted.secret.split_once('#').unwrap().1.to_owned();
    assert_eq!(code(app.sign_in(&link, Whence::default()).await), "ok");
    assert_eq!(code(app.sign_in(&link, Whence::default()).await), "bad_link");
    let caller = caller(app).await;
    let Credential::Agent(agent) = &caller.agent else { unreachable!() };
    app.revoke_token(&agent.token, &ROOT).await.unwrap();
    let refused = app.evaluate(&caller.point, Some(&caller.agent), tool("read_file", "/srv/files/a", "c")).await;
    assert_eq!(code(refused), "unauthenticated");
}

#[tokio::test]
async fn a_stale_or_altered_sheet_cannot_be_voted_on() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/q3.md", "c1");
    let id = caller.ask(app, &body, Some("/srv/files/reports")).await.unwrap();
    let mara = person(app, "mara").await;
    let good = ballot(app, &mara, &id, VoteDecision::Approve, None).await;
    let mut altered = good.clone();
    altered.grant.max_uses = 2;
    assert_eq!(code(app.vote(&mara, &id, unsigned(altered)).await), "stale_sheet");
    let mut elsewhere = good.clone();
    elsewhere.as_of += 1000;
    assert_eq!(code(app.vote(&mara, &id, unsigned(elsewhere)).await), "stale_sheet");
    // Somebody else's sheet is not one's own.
    let ola = person(app, "ola").await;
    assert_eq!(code(app.vote(&ola, &id, unsigned(good.clone())).await), "stale_sheet");
    // News of others does not void; a lock does.
    person(app, "vera").await;
    let locked = lock(app, &ola, LockTarget::Task("close-q3".into())).await.unwrap();
    app.unlock(&ola, &locked.id, None).await.unwrap();
    assert_eq!(code(app.vote(&mara, &id, unsigned(good)).await), "stale_sheet");
    assert_eq!(code(approve(app, "mara", &id, None).await), "ok");
}

#[tokio::test]
async fn a_request_answers_its_own_unaltered_fresh_requestable_denial_only() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/q3.md", "c1");
    let denied = caller.write(app, "/srv/files/reports/q3.md", "c1").await;
    let offer = denied.context.access_request.clone().unwrap();
    let good = request(&body, &denied.context.evaluation_id, offer.expires_at, None);
    let ask = |request: AccessRequest| app.request(&caller.point, Some(&caller.agent), None, request);

    let mut altered = good.clone();
    altered.context.insert("input".into(), json!({"path": "/srv/files/reports/other.md", "content": "hello"}));
    assert_eq!(code(ask(altered).await), "invalid_denial_binding");
    let mut unknown = good.clone();
    unknown.denial.evaluation_id = Some("eval_00000000000000000000000000000000".to_owned());
    assert_eq!(code(ask(unknown).await), "invalid_denial_binding");
    let other = agent(app, "close-q4", Some("ines")).await;
    assert_eq!(code(app.request(&caller.point, Some(&other), None, good.clone()).await), "invalid_denial_binding");
    let nobody = agent(app, "close-q3", None).await;
    assert_eq!(code(app.request(&caller.point, Some(&nobody), None, good.clone()).await), "no_requester");

    let forbidden = caller.evaluate(app, tool("unheard_of", "/srv/files/a.md", "c2")).await;
    let forbidden =
        request(&tool("unheard_of", "/srv/files/a.md", "c2"), &forbidden.context.evaluation_id, offer.expires_at, None);
    assert_eq!(code(ask(forbidden).await), "not_requestable");

    let first = ask(good.clone()).await.unwrap().task.id;
    assert_eq!(ask(good.clone()).await.unwrap().task.id, first, "the same open request folds into one");
    gate.clock.advance(15 * 60);
    assert_eq!(code(ask(good).await), "expired_denial");
}

#[tokio::test]
async fn a_body_that_says_otherwise_than_the_credential_is_refused() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let base = tool("read_file", "/srv/files/a.md", "c");
    let mut subject = base.clone();
    subject.subject.id = "spiffe://acme.example/agent/other".into();
    let mut task = base.clone();
    task.context.insert("task".into(), json!("other"));
    let mut act = base.clone();
    act.subject.properties.insert("act".into(), json!({"sub": "mara"}));
    for body in [subject, task, act] {
        assert_eq!(code(app.evaluate(&caller.point, Some(&caller.agent), body).await), "claim_conflict");
    }
    let mut server = base.clone();
    server.context.insert("proviso.dev/server".into(), json!("ledger"));
    assert_eq!(code(app.evaluate(&caller.point, Some(&caller.agent), server).await), "not_for_this_server");
    assert_eq!(code(app.evaluate(&caller.point, None, base).await), "no_subject_token");
}

#[tokio::test]
async fn r7_a_revoke_bites_and_holds_in_memory_when_it_cannot_be_recorded() {
    let (gate, caller, _, grant) = granted().await;
    let app = &gate.app;
    let mara = person(app, "mara").await;
    gate.faults.fail.store(true, Ordering::SeqCst);
    assert_eq!(code(app.revoke(&mara, &grant, "wrong file").await), "stop_unrecorded");
    assert_eq!(app.ready(), Err("stop_unrecorded"));
    gate.faults.fail.store(false, Ordering::SeqCst);
    assert!(!caller.write(app, "/srv/files/reports/q3.md", "c2").await.decision);
    assert_eq!(app.ready(), Ok(()), "the next evaluation has recorded it first");
    assert_eq!(app.exceptions(&mara, &in_state("revoked"), &PageWanted::default()).await.unwrap().exceptions.len(), 1);
}

#[tokio::test]
async fn r8_a_limit_is_a_recorded_denial() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    gate.engine.broken.store(true, Ordering::SeqCst);
    let denied = caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c1")).await;
    assert_eq!((denied.decision, denied.context.reason.as_str()), (false, "limit"));
    assert_eq!(app.record().logs.iter().find(|log| log.log == "decisions/main").map(|log| log.size), Some(1));
}
