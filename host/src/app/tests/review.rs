//! What a review of the gate found, each held by a test.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::append::ATTEMPTS;
use super::super::testing::FakeClock;
use super::super::uses::UseKey;
use super::super::{Activation, OpenError, Settings};
use super::*;
use crate::until::until;

fn person_lock(user: &str) -> LockTarget {
    LockTarget::Person(EntityRef::new("User", user))
}

#[tokio::test]
async fn r7_a_revoke_that_uses_keep_overtaking_holds_all_the_same() {
    let (gate, caller, _, grant) = granted().await;
    let app = &gate.app;
    let mara = person(app, "mara").await;
    gate.faults.conflicts.store(ATTEMPTS, Ordering::SeqCst);
    assert_eq!(app.revoke(&mara, &grant, "wrong file").await.unwrap().state, "revoked");
    assert!(!caller.write(app, "/srv/files/reports/q3.md", "c2").await.decision);

    let (gate, caller, _, grant) = granted().await;
    let app = &gate.app;
    let mara = person(app, "mara").await;
    gate.faults.conflicts.store(2 * ATTEMPTS, Ordering::SeqCst);
    assert_eq!(app.revoke(&mara, &grant, "wrong file").await.unwrap_err().code, "stop_unrecorded");
    assert_eq!(app.ready(), Err("stop_unrecorded"));
    assert!(!caller.write(app, "/srv/files/reports/q3.md", "c2").await.decision);
}

#[tokio::test]
async fn r7_a_lock_that_is_not_recorded_yet_stops_what_scope_permits_as_well() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let mara = person(app, "mara").await;
    gate.faults.conflicts.store(2 * ATTEMPTS, Ordering::SeqCst);
    let locked = lock(app, &mara, LockTarget::Task("close-q3".into())).await;
    assert_eq!(locked.unwrap_err().code, "stop_unrecorded");
    // Its record is overtaken once more; the evaluation's own is not.
    gate.faults.conflicts.store(ATTEMPTS, Ordering::SeqCst);
    let denied = caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c1")).await;
    assert_eq!((denied.decision, denied.context.reason.as_str()), (false, "locked"));
}

#[tokio::test]
async fn r4_who_came_to_own_the_agent_after_it_asked_cannot_vote() {
    let gate = Gate::start().await;
    let caller = caller(&gate.app).await;
    let id = caller.ask(&gate.app, &tool("write_file", "/srv/files/reports/q3.md", "c1"), None).await.unwrap();
    let Gate { app, clock, folder, .. } = gate;
    drop(app);
    let change = |settings: &mut Settings| {
        let entities = settings.bundle.get_mut("entities.json").unwrap();
        *entities = entities.replace("\"id\": \"tom\"}}, \"autonomy\": 2", "\"id\": \"mara\"}}, \"autonomy\": 2");
    };
    let open = |clock: Arc<FakeClock>| Gate::open(folder.clone(), clock, change);
    let Some(OpenError::NotActivated { given, .. }) = open(clock.clone()).await.err() else { unreachable!() };
    let gate = Gate::open(folder.clone(), clock, |settings| {
        change(settings);
        settings.activate = Some(Activation { digest: given, reason: "mara takes over".to_owned() });
    });
    let gate = gate.await.unwrap();
    assert_eq!(approve(&gate.app, "mara", &id, None).await.unwrap_err().code, "not_eligible");
    assert_eq!(approve(&gate.app, "tom", &id, None).await.unwrap_err().code, "is_owner");
    assert!(approve(&gate.app, "ola", &id, None).await.unwrap().is_some());
}

#[tokio::test]
async fn who_is_locked_neither_votes_nor_lifts_locks() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let id = caller.ask(app, &tool("write_file", "/srv/files/reports/q3.md", "c1"), None).await.unwrap();
    let (mara, ola) = (person(app, "mara").await, person(app, "ola").await);
    let task = lock(app, &ola, LockTarget::Task("another".into())).await.unwrap();
    let laptop = lock(app, &ola, person_lock("mara")).await.unwrap();
    assert_eq!(approve(app, "mara", &id, None).await.unwrap_err().code, "not_eligible");
    for locked in [&task, &laptop] {
        assert_eq!(app.unlock(&mara, &locked.id, None).await.unwrap_err().code, "not_yours");
    }
    assert!(app.unlock(&ola, &laptop.id, None).await.unwrap().lifted);
    assert!(approve(app, "mara", &id, None).await.unwrap().is_some());
}

#[tokio::test]
async fn revoking_a_used_link_ends_its_session() {
    let gate = Gate::start().await;
    let app = &gate.app;
    let minted = app.mint(MintRequest::Approver { user: "mara".to_owned() }, &ROOT).await.unwrap();
    let (secret, _) = app.sign_in(minted.secret.split_once('#').unwrap().1, Whence::default()).await.unwrap();
    let other = person(app, "mara").await;
    app.revoke_token(&minted.id, &ROOT).await.unwrap();
    assert_eq!(app.session(&secret).unwrap_err().code, "signed_out");
    assert!(app.state().registry.stands(&other.id, app.now()), "another sign-in stays");
    let gate = gate.again().await.unwrap();
    assert_eq!(gate.app.session(&secret).unwrap_err().code, "signed_out");
}

#[tokio::test]
async fn an_action_that_nobody_knows_is_kept_short() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let mut body = tool("read_file", "/srv/files/a.md", "c1");
    body.action.name = "x".repeat(500_000);
    let denied = caller.evaluate(app, body).await;
    assert_eq!(denied.context.reason, "unknown_action");
    let kept = app.state().denial(&denied.context.evaluation_id).unwrap().kind.action.len();
    assert!(kept < 1_000, "{kept}");
}

#[test]
fn who_holds_the_state_can_ask_for_the_time_while_a_record_waits_for_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let gate = runtime.block_on(Gate::start());
    let app = gate.app.clone();
    let state = app.state();
    // The writer commits this and then waits for the state that is held here.
    let minting = runtime.spawn({
        let app = app.clone();
        async move { app.mint(MintRequest::Approver { user: "mara".to_owned() }, &ROOT).await }
    });
    runtime.block_on(until("a record waits for the state", async || app.0.folded.is_awaited().then_some(())));
    let (told, done) = std::sync::mpsc::channel();
    let asking = app.clone();
    std::thread::spawn(move || told.send(asking.now()));
    assert!(done.recv_timeout(Duration::from_secs(20)).is_ok(), "the time waits for the state");
    drop(state);
    runtime.block_on(minting).unwrap().unwrap();
}

#[tokio::test]
async fn denials_too_large_to_try_are_in_no_sheet() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let mut large = tool("write_file", "/srv/files/reports/large.md", "c1");
    large
        .context
        .insert("input".into(), json!({"path": "/srv/files/reports/large.md", "content": "x".repeat(100_000)}));
    let large = caller.evaluate(app, large).await;
    let small = caller.write(app, "/srv/files/reports/small.md", "c2").await;
    let id = caller.ask(app, &tool("write_file", "/srv/files/reports/q3.md", "c3"), None).await.unwrap();
    let tried = app.sheet(&person(app, "mara").await, &id, None).await.unwrap().sheet.tried;
    let seq = |reply: &EvaluationReply| app.state().denial(&reply.context.evaluation_id).unwrap().seq;
    assert_eq!((tried.contains(&seq(&large)), tried.contains(&seq(&small))), (false, true));
}

#[tokio::test]
async fn a_subject_that_asks_and_takes_back_is_slowed_down() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/q3.md", "c1");
    let mut made = 0;
    let refused = loop {
        match caller.ask(app, &body, None).await {
            Ok(id) => drop(app.cancel(&caller.point, Some(&caller.agent), &id, "never mind").await.unwrap()),
            Err(refusal) => break refusal,
        }
        made += 1;
        assert!(made <= 200, "nobody slows it down");
    };
    assert_eq!((refused.code, made), ("too_many_requests", 200));
    gate.clock.advance(3_601);
    caller.ask(app, &body, None).await.unwrap();
}

#[tokio::test]
async fn r3_only_the_same_action_on_the_same_resources_is_the_same_call() {
    let (gate, caller, ..) = granted().await;
    let app = &gate.app;
    assert!(caller.write(app, "/srv/files/reports/q3.md", "c2").await.decision);
    let state = app.state();
    let (entry, now) = (state.exceptions.values().next().unwrap(), app.now());
    let Credential::EnforcementPoint(point) = &caller.point else { unreachable!() };
    let same = UseKey::new(&point.token, "c2", &entry.exception.request.question);
    assert!(state.uses.repeats(&same, now).is_some());
    let other = UseKey { action: "files/delete_file".into(), ..same.clone() };
    assert!(state.uses.repeats(&other, now).is_none(), "another action");
    let mut other = same.clone();
    other.by.1 = "another-task".into();
    assert!(state.uses.repeats(&other, now).is_none(), "another task");
    let mut other = same.clone();
    other.resources.push(EntityRef::new("File", "/srv/files/reports/q4.md"));
    assert!(state.uses.repeats(&other, now).is_none(), "another resource");
    assert!(state.uses.repeats(&UseKey { resources: Vec::new(), ..same }, now).is_none(), "no resource");
}
