//! The story: denied, asked for, approved, used, over.

use std::time::Duration;

use policy_core::grant::{ArgumentScope, Condition, Test};
use policy_core::lifecycle::VoteDecision;

use super::*;
use crate::store::verify::audited;

#[tokio::test]
async fn an_agent_asks_a_human_approves_and_the_call_goes_through_once() {
    let (gate, caller, id, grant) = granted().await;
    let app = &gate.app;
    let allowed = caller.write(app, "/srv/files/reports/q3.md", "c2").await;
    assert!(allowed.decision, "{:?}", allowed.context);
    assert_eq!(allowed.context.valid_for, Some(super::super::VALID_FOR));
    assert_eq!(allowed.context.approval.map(|approval| approval.id), Some(grant));
    // The same call again is the same call; another one is not covered any more.
    let repeated = caller.write(app, "/srv/files/reports/q3.md", "c2").await;
    assert!(repeated.decision && repeated.context.repeated);
    assert!(!caller.write(app, "/srv/files/reports/q3.md", "c3").await.decision);
    gate.clock.advance(11);
    assert!(!caller.write(app, "/srv/files/reports/q3.md", "c2").await.decision, "ten seconds are over");

    let mara = person(app, "mara").await;
    let detail = app.exception(&mara, &id).await.unwrap();
    assert_eq!(detail.state, "exhausted");
    let kinds: Vec<_> = detail.history.iter().map(|line| line.kind.as_str()).collect();
    for kind in ["evaluation", "exception_requested", "vote_cast", "exception_granted", "grant_used", "grant_exhausted"]
    {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let report = audited(&app.settings().data).unwrap();
    assert!(report.logs.iter().all(|log| log.records > 0 && log.head.is_some()));
}

#[tokio::test]
async fn an_approver_narrows_and_only_the_narrowed_path_passes_until_its_time_ends() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/eu/q3.md", "c1");
    let id = caller.ask(app, &body, Some("/srv/files/reports")).await.unwrap();
    let mara = person(app, "mara").await;
    let mut narrowed = app.sheet(&mara, &id, None).await.unwrap().sheet.exception.request.scope.clone();
    narrowed.arguments = ArgumentScope::Conditions(vec![Condition {
        at: vec!["path".to_owned()],
        test: Test::Inside { path: "/srv/files/reports/eu".to_owned() },
    }]);
    approve(app, "mara", &id, Some(narrowed)).await.unwrap().expect("granted");
    assert!(caller.write(app, "/srv/files/reports/eu/q4.md", "c2").await.decision);
    assert!(!caller.write(app, "/srv/files/reports/us/q4.md", "c3").await.decision);
    gate.clock.advance(3600);
    assert!(!caller.write(app, "/srv/files/reports/eu/q4.md", "c4").await.decision, "the window is over");
    let list = app.exceptions(&mara, &in_state("expired"), &PageWanted::default()).await.unwrap();
    assert_eq!(list.exceptions.len(), 1);
}

#[tokio::test]
async fn scope_passes_and_a_guardrail_cannot_be_requested() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    assert!(caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c1")).await.decision);
    let moved = {
        let mut body = tool("move_file", "/srv/files/a.md", "c2");
        body.context.insert("input".into(), json!({"source": "/srv/files/a.md", "destination": "/srv/files/b.md"}));
        caller.evaluate(app, body).await
    };
    assert!(!moved.decision && moved.context.access_request.is_none());
    assert_eq!(moved.context.reason, "guardrail");
}

#[tokio::test]
async fn a_refusal_and_a_cancel_end_a_request() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let mara = person(app, "mara").await;
    let first = caller.ask(app, &tool("write_file", "/srv/files/reports/1.md", "c1"), None).await.unwrap();
    let refuse = ballot(app, &mara, &first, VoteDecision::Refuse, None).await;
    assert_eq!(app.vote(&mara, &first, unsigned(refuse)).await.unwrap().state, "denied");
    let status = app.request_status(&caller.point, Some(&caller.agent), &first, Duration::ZERO).await.unwrap().reply;
    assert_eq!((status.task.status.as_str(), status.result), ("denied", None));

    let second = caller.ask(app, &tool("write_file", "/srv/files/reports/2.md", "c2"), None).await.unwrap();
    let cancelled = app.cancel(&caller.point, Some(&caller.agent), &second, "no longer").await.unwrap();
    assert_eq!(cancelled.task.status, "cancelled");
}
