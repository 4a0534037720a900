//! Revokes, locks and the end of a task (R7): who is stopped, who lifts, what is caught in the middle.

use std::sync::atomic::Ordering;

use policy_core::time::Span;
use proviso_api::operations::{ExecutionPhase, ExecutionReport};
use proviso_api::stops::{CallInFlight, RevocationTarget};

use super::*;

const DAY: i64 = 86_400;

fn user(id: &str) -> EntityRef {
    EntityRef::new("User", id)
}

fn writer() -> EntityRef {
    EntityRef::new("Agent", WRITER)
}

fn ids(calls: &[CallInFlight]) -> Vec<&str> {
    calls.iter().map(|call| call.call.as_deref().unwrap_or_default()).collect()
}

async fn report(app: &App, caller: &Caller, allowed: &EvaluationReply, call: &str, phase: ExecutionPhase) {
    let evaluation_id = allowed.context.evaluation_id.clone();
    let report = ExecutionReport::of_call(evaluation_id, call.to_owned(), phase, None);
    app.report_execution(&caller.point, report).await.unwrap();
}

#[tokio::test]
async fn a_lock_is_lifted_by_its_setters_group_at_once_and_by_two_others_together() {
    // ola: approvers, security · vera: security · jun: finance · mara: approvers, finance · ines: in no group
    let gate = Gate::start().await;
    let app = &gate.app;
    let (ola, vera, jun, ines) =
        (person(app, "ola").await, person(app, "vera").await, person(app, "jun").await, person(app, "ines").await);
    let may = |person: &PersonSession, id: &str| {
        let lines = app.locks(person).locks;
        lines.into_iter().find(|line| line.lock.id == id).map(|line| line.you_may)
    };
    let server = || LockTarget::Subject(EntityRef::new("Agent", "another"));
    let first = lock(app, &ola, server()).await.unwrap().id;
    let second = lock(app, &ola, server()).await.unwrap().id;
    assert_eq!(may(&vera, &first).as_deref(), Some("lift"));
    assert_eq!(may(&jun, &first).as_deref(), Some("vote"));
    assert!(app.unlock(&vera, &first, None).await.unwrap().lifted, "a member of the setter's group");
    assert_eq!(app.unlock(&vera, &first, None).await.unwrap_err().code, "unknown_lock");
    // Locks stack: the other one stays.
    assert_eq!(may(&vera, &second).as_deref(), Some("lift"));

    assert!(!app.unlock(&jun, &second, None).await.unwrap().lifted);
    assert!(!app.unlock(&jun, &second, None).await.unwrap().lifted, "twice the same person is one person");
    assert!(app.unlock(&ines, &second, None).await.unwrap().lifted, "two others together");
    assert!(app.locks(&ola).locks.is_empty());
}

#[tokio::test]
async fn who_is_concerned_by_a_lock_never_lifts_it_and_half_a_lifting_dies_with_its_voter() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let id = caller.ask(app, &tool("write_file", "/srv/files/reports/q3.md", "c1"), None).await.unwrap();
    let grant = approve(app, "mara", &id, None).await.unwrap().unwrap();
    let (ines, tom, jun, mara, ola) = (
        person(app, "ines").await,
        person(app, "tom").await,
        person(app, "jun").await,
        person(app, "mara").await,
        person(app, "ola").await,
    );
    // tom owns the agent and is of the setter's group; ines is whom it acts for.
    let targets = [LockTarget::Subject(writer()), LockTarget::Task("close-q3".into()), LockTarget::Grant(grant)];
    for target in targets {
        let locked = lock(app, &ola, target.clone()).await.unwrap().id;
        for concerned in [&tom, &ines] {
            if matches!((&target, concerned.person.id.as_str()), (LockTarget::Subject(_), "ines")) {
                continue;
            }
            assert_eq!(app.unlock(concerned, &locked, None).await.unwrap_err().code, "not_yours", "{target:?}");
        }
        assert!(app.unlock(&mara, &locked, None).await.unwrap().lifted, "{target:?}");
    }
    // Also who set it: the owner's lock is not the owner's to lift.
    let own = lock(app, &tom, LockTarget::Subject(writer())).await.unwrap().id;
    assert_eq!(app.unlock(&tom, &own, None).await.unwrap_err().code, "not_yours");
    let person_lock = lock(app, &ola, LockTarget::Person(user("jun"))).await.unwrap().id;
    assert_eq!(app.unlock(&jun, &person_lock, None).await.unwrap_err().code, "not_yours");
    assert!(app.unlock(&ola, &person_lock, None).await.unwrap().lifted);

    // jun's half counts no longer once jun is locked.
    let half = lock(app, &ola, LockTarget::Subject(EntityRef::new("Agent", "another"))).await.unwrap().id;
    assert!(!app.unlock(&jun, &half, None).await.unwrap().lifted);
    lock(app, &ola, LockTarget::Person(user("jun"))).await.unwrap();
    assert!(!app.unlock(&ines, &half, None).await.unwrap().lifted);
}

#[tokio::test]
async fn a_wide_lock_names_its_reach_first() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let ola = person(app, "ola").await;
    let target = LockTarget::Server("files".to_owned());
    assert!(caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c0")).await.decision);
    let seen = app.reach(&target).unwrap();
    assert_eq!(seen.reach.subjects, [writer()], "who used it within a day is reached");
    assert_eq!(ids(&seen.calls_in_flight), ["c0"]);
    assert_eq!(lock(app, &ola, target.clone()).await.unwrap_err().code, "reach_needed");

    // Something more lies in its reach now than was looked at.
    let id = caller.ask(app, &tool("write_file", "/srv/files/reports/q3.md", "c1"), None).await.unwrap();
    let wide = |reach| LockRequest { target: target.clone(), reason: "look first".to_owned(), reach: Some(reach) };
    assert_eq!(app.lock(&ola, wide(seen.digest)).await.unwrap_err().code, "stale_reach");
    let seen = app.reach(&target).unwrap();
    assert_eq!(seen.reach.requests, [id]);
    let other = app.reach(&LockTarget::Server("ledger".to_owned())).unwrap();
    assert_eq!(app.lock(&ola, wide(other.digest)).await.unwrap_err().code, "stale_reach", "another lock's reach");
    let locked = app.lock(&ola, wide(seen.digest)).await.unwrap();
    assert_eq!(ids(&locked.calls_in_flight), ["c0"]);
    let denied = caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c2")).await;
    assert_eq!((denied.decision, denied.context.reason.as_str()), (false, "locked"));
    let told = serde_json::to_string(&denied).unwrap();
    assert!(!told.contains("ola") && !told.contains(&locked.id), "nobody tells the agent who: {told}");
}

#[tokio::test]
async fn a_wide_lock_ends_after_a_day_unless_it_is_renewed_and_never_while_the_clock_is_in_doubt() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let set = async || {
        let ola = person(app, "ola").await;
        let target = LockTarget::Tool("read_file".to_owned());
        let reach = Some(app.reach(&target).unwrap().digest);
        (app.lock(&ola, LockRequest { target, reason: "look first".to_owned(), reach }).await.unwrap(), ola)
    };
    let reads = async |call: &str| {
        let agent = agent(app, "close-q3", None).await;
        let body = tool("read_file", "/srv/files/a.md", call);
        app.evaluate(&caller.point, Some(&agent), body).await.unwrap().decision
    };
    let (locked, _) = set().await;
    gate.clock.advance(DAY - 1);
    assert!(!reads("c1").await);
    let vera = person(app, "vera").await;
    assert_eq!(app.renew_lock(&vera, &locked.id, " ").await.unwrap_err().code, "reason_needed");
    let renewed = app.renew_lock(&vera, &locked.id, "still looking").await.unwrap();
    assert_eq!(renewed.until, Some(app.now().plus(Span::from_seconds(86_400))));
    gate.clock.advance(DAY - 1);
    assert!(!reads("c2").await, "renewed");
    gate.clock.advance(1);
    assert!(reads("c3").await, "over");
    let vera = person(app, "vera").await;
    assert_eq!(app.renew_lock(&vera, &locked.id, "too late").await.unwrap_err().code, "unknown_lock");
    assert_eq!(app.unlock(&vera, &locked.id, None).await.unwrap_err().code, "unknown_lock");

    let (_, ola) = set().await;
    let narrow = lock(app, &ola, LockTarget::Task("another".into())).await.unwrap();
    assert_eq!(narrow.until, None);
    assert_eq!(app.renew_lock(&ola, &narrow.id, "why").await.unwrap_err().code, "not_wide");
    gate.clock.shift((DAY + 1) * 1000, 0);
    assert!(!reads("c4").await, "a clock that jumps ends no lock");
}

#[tokio::test]
async fn a_revoke_takes_all_of_a_subject_a_task_a_person_an_approver_or_a_credential() {
    for (name, caught) in
        [("subject", 3), ("task", 2), ("person", 3), ("approver", 1), ("credential", 2), ("nobody", 0)]
    {
        let gate = Gate::start().await;
        let (app, first) = (&gate.app, caller(&gate.app).await);
        let second = Caller { point: first.point.clone(), agent: agent(app, "close-q4", Some("ines")).await };
        let asks = [
            (&first, "/srv/files/reports/a.md", "mara"),
            (&first, "/srv/files/reports/b.md", "ola"),
            (&second, "/srv/files/reports/c.md", "mara"),
        ];
        for (caller, path, approver) in asks {
            let id = caller.ask(app, &tool("write_file", path, path), None).await.unwrap();
            assert!(approve(app, approver, &id, None).await.unwrap().is_some());
        }
        // What is only asked for is left to who decides.
        let open = first.ask(app, &tool("write_file", "/srv/files/reports/d.md", "d"), None).await.unwrap();
        let Credential::Agent(token) = &first.agent else { unreachable!() };
        let target = match name {
            "subject" => RevocationTarget::Subject(writer()),
            "task" => RevocationTarget::Task("close-q3".into()),
            "person" => RevocationTarget::Person(user("ines")),
            "approver" => RevocationTarget::Approver(user("ola")),
            "credential" => RevocationTarget::Credential(token.token.clone()),
            _ => RevocationTarget::Person(user("jun")),
        };
        let mara = person(app, "mara").await;
        assert_eq!(app.revoke_all(&mara, target.clone(), "").await.unwrap_err().code, "reason_needed");
        let done = app.revoke_all(&mara, target.clone(), "a leak").await.unwrap();
        assert_eq!(done.grants.len(), caught, "{name}");
        let revoked =
            app.exceptions(&mara, &in_state("revoked"), &PageWanted::default()).await.unwrap().exceptions.len();
        assert_eq!(revoked, caught, "{name}");
        assert_eq!(app.exception(&mara, &open).await.unwrap().state, "requested", "{name}");
        assert!(app.revoke_all(&mara, target, "again").await.unwrap().grants.is_empty(), "{name}");
        let mut allowed = 0;
        for (caller, path, _) in asks {
            allowed += usize::from(caller.write(app, path, &format!("use {path}").replace(' ', "-")).await.decision);
        }
        assert_eq!(allowed, 3 - caught, "{name}");
    }
}

#[tokio::test]
async fn r7_a_revoke_of_many_and_a_tasks_end_hold_in_memory_when_they_cannot_be_recorded() {
    let path = "/srv/files/reports/q3.md";
    for end in [false, true] {
        let (gate, caller, _, _) = granted().await;
        let app = &gate.app;
        let mara = person(app, "mara").await;
        gate.faults.fail.store(true, Ordering::SeqCst);
        let refused = if end {
            app.end_task(&mara, "close-q3", "done").await.unwrap_err()
        } else {
            app.revoke_all(&mara, RevocationTarget::Task("close-q3".into()), "a leak").await.unwrap_err()
        };
        assert_eq!(refused.code, "stop_unrecorded");
        gate.faults.fail.store(false, Ordering::SeqCst);
        assert!(!caller.write(app, path, "c2").await.decision);
        assert_eq!(app.ready(), Ok(()), "recorded by now");
        assert_eq!(
            app.exceptions(&mara, &in_state("revoked"), &PageWanted::default()).await.unwrap().exceptions.len(),
            1
        );
        let read = caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c3")).await;
        assert_eq!(read.decision, !end, "a task that has ended does nothing more");
        let gate = gate.again().await.unwrap();
        assert!(!caller.write(&gate.app, path, "c4").await.decision, "nor after a restart");
    }
}

#[tokio::test]
async fn a_task_that_has_ended_uses_nothing_asks_for_nothing_and_is_voted_on_no_more() {
    let (gate, caller, granted, grant) = granted().await;
    let app = &gate.app;
    let body = tool("write_file", "/srv/files/reports/q4.md", "c1");
    let denied = caller.evaluate(app, body.clone()).await;
    let open = caller.ask(app, &tool("write_file", "/srv/files/reports/q5.md", "c2"), None).await.unwrap();
    let (mara, ola) = (person(app, "mara").await, person(app, "ola").await);
    let ballot = ballot(app, &ola, &open, VoteDecision::Approve, None).await;
    let other = agent(app, "close-q4", Some("ines")).await;

    assert_eq!(app.end_task(&mara, "no-such-task", "done").await.unwrap_err().code, "no_such_task");
    assert_eq!(app.end_task(&mara, "close-q3", " ").await.unwrap_err().code, "reason_needed");
    let ended = app.end_task(&mara, "close-q3", "the quarter is closed").await.unwrap();
    assert_eq!((ended.grants, ended.requests), (vec![grant], vec![open.clone()]));

    let used = caller.write(app, "/srv/files/reports/q3.md", "c3").await;
    assert_eq!((used.decision, used.context.reason.as_str()), (false, "locked"));
    assert!(used.context.message.contains("its task has ended"), "{used:?}");
    assert!(!caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c4")).await.decision);
    assert_eq!(caller.ask_for(app, &body, &denied, None).await.unwrap_err().code, "task_ended");
    assert_eq!(app.vote(&ola, &open, unsigned(ballot)).await.unwrap_err().code, "closed");
    let mint = MintRequest::Agent {
        subject: writer(),
        task: "close-q3".into(),
        via: Vec::new(),
        on_behalf: Some("ines".into()),
        resource: None,
    };
    assert_eq!(app.mint(mint, &ROOT).await.unwrap_err().code, "task_ended", "its name does not come again");
    assert_eq!(app.exception(&mara, &granted).await.unwrap().state, "revoked");
    assert_eq!(app.exception(&mara, &open).await.unwrap().state, "cancelled");
    let size = app.record().logs[0].size;
    assert!(app.end_task_as(&ROOT, "close-q3", "again").await.unwrap().grants.is_empty());
    assert_eq!(app.record().logs[0].size, size, "it is over once");
    let read = app.evaluate(&caller.point, Some(&other), tool("read_file", "/srv/files/a.md", "c5")).await.unwrap();
    assert!(read.decision, "another task goes on");
}

#[tokio::test]
async fn a_stop_names_the_calls_in_flight_and_their_enforcement_point_hears_of_those_alone() {
    let (gate, caller, _, grant) = granted().await;
    let app = &gate.app;
    let gateway = Caller { point: point(app, "gateway").await, agent: caller.agent.clone() };
    let written = caller.write(app, "/srv/files/reports/q3.md", "c2").await;
    let read = caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c3")).await;
    let done = caller.evaluate(app, tool("read_file", "/srv/files/b.md", "c4")).await;
    let elsewhere = gateway.evaluate(app, tool("read_file", "/srv/files/c.md", "c5")).await;
    for (caller, allowed, call) in [(&caller, &written, "c2"), (&caller, &done, "c4"), (&gateway, &elsewhere, "c5")] {
        assert!(allowed.decision, "{call}");
        report(app, caller, allowed, call, ExecutionPhase::Sending).await;
    }
    report(app, &caller, &done, "c4", ExecutionPhase::Executed).await;
    let stopped = |caller: &Caller| {
        let list = app.stopped_calls(&caller.point).unwrap();
        ids(&list.calls).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(stopped(&caller).is_empty());
    let mara = person(app, "mara").await;
    // The last use was consumed; its bytes are under way, and what is used up could be given back: revoking ends both.
    let revoked = app.revoke(&mara, &grant, "wrong file").await.unwrap();
    assert_eq!((revoked.state.as_str(), ids(&revoked.calls_in_flight)), ("revoked", vec!["c2"]));
    assert_eq!(stopped(&caller), ["c2"]);
    let locked = lock(app, &mara, LockTarget::Grant(grant)).await.unwrap();
    assert_eq!(ids(&locked.calls_in_flight), ["c2"]);
    assert_eq!(stopped(&caller), ["c2"]);
    // The bytes of c3 were never announced: its allow is over.
    gate.clock.advance(6);
    let locked = lock(app, &mara, LockTarget::Task("close-q3".into())).await.unwrap();
    assert_eq!(ids(&locked.calls_in_flight), ["c2", "c5"]);
    assert_eq!((stopped(&caller), stopped(&gateway)), (vec!["c2".to_owned()], vec!["c5".to_owned()]));
    assert!(read.decision);
    report(app, &caller, &written, "c2", ExecutionPhase::OutcomeUnknown).await;
    assert!(stopped(&caller).is_empty());
    assert_eq!(app.stopped_calls(&caller.agent).unwrap_err().code, "not_an_enforcement_point");
    let told = serde_json::to_string(&app.stopped_calls(&gateway.point).unwrap()).unwrap();
    assert!(!told.contains("mara") && !told.contains("look first"), "{told}");
    let gate = gate.again().await.unwrap();
    assert_eq!(ids(&gate.app.stopped_calls(&gateway.point).unwrap().calls), ["c5"], "also after a restart");
}
