//! Fatigue and flooding: folding, silence, limits, turns.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use policy_core::time::Span;
use tokio::sync::broadcast::Receiver;

use super::super::Allowance;
use super::super::asker::Asker;
use super::super::testing::FakeClock;
use super::*;

const REPORTS: &str = "/srv/files/reports";

/// The kinds of what has been recorded since.
fn kinds(changes: &mut Receiver<proviso_api::operations::Change>) -> Vec<String> {
    let mut kinds = Vec::new();
    while let Ok(change) = changes.try_recv() {
        kinds.push(change.kind);
    }
    kinds
}

const OTHER: &str = "spiffe://acme.example/agent/ledger-bot";

/// An agent of the same owner.
async fn other(app: &App, task: &str) -> Credential {
    let mint = MintRequest::Agent {
        subject: EntityRef::new("Agent", OTHER),
        task: task.to_owned(),
        via: Vec::new(),
        on_behalf: Some("ines".to_owned()),
        resource: None,
    };
    app.authenticate(&app.mint(mint, &ROOT).await.unwrap().secret).unwrap()
}

async fn refuse(app: &App, user: &str, id: &str) {
    let person = person(app, user).await;
    let ballot = ballot(app, &person, id, VoteDecision::Refuse, None).await;
    app.vote(&person, id, unsigned(ballot)).await.unwrap();
}

#[tokio::test]
async fn the_very_same_request_folds_and_every_word_is_kept() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/q3.md", "c1");
    let first = caller.ask(app, &body, Some(REPORTS)).await.unwrap();
    let mara = person(app, "mara").await;
    let before = app.exception(&mara, &first).await.unwrap().exception;
    gate.clock.advance(30);
    for words in ["it is urgent", "it is very urgent"] {
        let denied = caller.evaluate(app, body.clone()).await;
        let offer = denied.context.access_request.clone().unwrap();
        let scope = Scope { not_after: before.request.scope.not_after, ..before.request.scope.clone() };
        let mut again = request(&body, &denied.context.evaluation_id, offer.expires_at, Some(scope));
        again.context.insert("business_justification".into(), json!(words));
        let task = app.request(&caller.point, Some(&caller.agent), None, again).await.unwrap().task;
        assert_eq!(task.id, first);
    }
    let after = app.exception(&mara, &first).await.unwrap();
    let said: Vec<&str> = after.exception.repeats.iter().map(|repeat| repeat.justification.as_str()).collect();
    assert_eq!(said, ["it is urgent", "it is very urgent"]);
    // It gains nothing by it: no time, no use, no place.
    assert_eq!(after.exception.request, before.request);
    assert_eq!(after.exception.terms, before.terms);
    assert_eq!(after.exception.current(), before.current());
    let told = after.history.iter().filter(|line| line.said.as_deref() == Some("it is urgent")).count();
    assert_eq!(told, 1, "{:?}", after.history);
}

#[tokio::test]
async fn what_differs_in_anything_does_not_fold() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let path = "/srv/files/reports/q3.md";
    let body = tool("write_file", path, "c1");
    let first = caller.ask(app, &body, None).await.unwrap();
    let mut ids = vec![first.clone()];
    // Another path, task, person behind it, enforcement point; other arguments, or a wider scope.
    let others = [
        (tool("write_file", "/srv/files/reports/q4.md", "c2"), None, None),
        (body.clone(), Some(agent(app, "close-q4", Some("ines")).await), None),
        (body.clone(), Some(agent(app, "close-q3", Some("jun")).await), None),
        (body.clone(), None, Some(point(app, "gateway").await)),
    ];
    for (body, agent, point) in others {
        let other = Caller {
            agent: agent.unwrap_or_else(|| caller.agent.clone()),
            point: point.unwrap_or_else(|| caller.point.clone()),
        };
        ids.push(other.ask(app, &body, None).await.unwrap());
    }
    let mut content = body.clone();
    content.context.insert("input".into(), json!({"path": path, "content": "other"}));
    ids.push(caller.ask(app, &content, None).await.unwrap());
    ids.push(caller.ask(app, &body, Some(REPORTS)).await.unwrap());
    // A mark of its own does not climb on another's place, either.
    let denied = caller.evaluate(app, body.clone()).await;
    let until = denied.context.access_request.clone().unwrap().expires_at;
    let mut marked = request(&body, &denied.context.evaluation_id, until, None);
    marked.requested_access = Some(RequestedAccess { emergency: true, ..RequestedAccess::default() });
    ids.push(app.request(&caller.point, Some(&caller.agent), None, marked).await.unwrap().task.id);
    let asked = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), asked, "each is a request of its own");
    let mara = person(app, "mara").await;
    assert!(app.exception(&mara, &first).await.unwrap().exception.repeats.is_empty());
}

#[tokio::test]
async fn a_refusal_silences_whatever_lies_inside_it_for_a_while() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/q3.md", "c1");
    let id = caller.ask(app, &body, Some(REPORTS)).await.unwrap();
    refuse(app, "mara", &id).await;
    let denied = caller.evaluate(app, body.clone()).await;
    let offer = denied.context.access_request.clone().unwrap();
    let wide = app.exception(&person(app, "mara").await, &id).await.unwrap().exception.request.scope.clone();
    let ask = async |body: &EvaluationRequest, scope: Option<Scope>| {
        let denied = caller.evaluate(app, body.clone()).await;
        let until = denied.context.access_request.clone().unwrap().expires_at;
        let again = request(body, &denied.context.evaluation_id, until, scope);
        app.request(&caller.point, Some(&caller.agent), None, again).await
    };
    let inside = |folder: &str| {
        let condition = Condition { at: vec!["path".to_owned()], test: Test::Inside { path: folder.to_owned() } };
        ArgumentScope::Conditions(vec![condition])
    };
    let sooner = Scope { not_after: app.now().plus(Span::from_seconds(60)), ..wide.clone() };
    let later = Scope { not_after: wide.not_after.plus(Span::from_seconds(600)), ..wide.clone() };
    let more = Scope { max_uses: wide.max_uses + 1, ..wide.clone() };
    let narrow = Scope { arguments: inside("/srv/files/reports"), max_uses: 1, ..wide.clone() };
    let other = tool("write_file", "/srv/files/reports/other.md", "c2");
    for (name, body, scope) in [
        ("the same", &body, Some(wide.clone())),
        ("for a minute", &body, Some(sooner)),
        ("for longer", &body, Some(later)),
        ("once more", &body, Some(more)),
        ("narrower", &body, Some(narrow)),
        ("exactly the call", &body, Some(offer.display.scope.clone())),
        ("the smallest", &body, None),
        ("another file of the folder", &other, None),
    ] {
        let refused = ask(body, scope).await.unwrap_err();
        assert_eq!((refused.code, refused.kind), ("refused_recently", super::super::RefusalKind::TooMany), "{name}");
        assert!(refused.retry_after.is_some_and(|wait| (3_590..=3_601).contains(&wait)), "{name}: {refused:?}");
    }
    // What lies elsewhere may be asked for.
    assert!(ask(&tool("write_file", "/srv/files/summaries/q3.md", "c3"), None).await.is_ok());
    gate.clock.advance(3_600);
    assert!(ask(&body, None).await.is_ok(), "a silence ends");
}

#[tokio::test]
async fn a_refusal_of_one_call_silences_that_call_and_no_other() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/q3.md", "c1");
    let id = caller.ask(app, &body, None).await.unwrap();
    refuse(app, "mara", &id).await;
    assert_eq!(caller.ask(app, &body, None).await.unwrap_err().code, "refused_recently");
    // The same call in other words: conditions that leave each argument the one value that it had.
    let ask = async |conditions: Vec<Condition>| {
        let denied = caller.evaluate(app, body.clone()).await;
        let offer = denied.context.access_request.clone().unwrap();
        let scope = Scope { arguments: ArgumentScope::Conditions(conditions), ..offer.display.scope };
        let again = request(&body, &denied.context.evaluation_id, offer.expires_at, Some(scope));
        app.request(&caller.point, Some(&caller.agent), None, again).await.map(drop).map_err(|refusal| refusal.code)
    };
    let text = |name: &str| {
        let input = body.context.get("input").and_then(|input| input.get(name)).and_then(serde_json::Value::as_str);
        Scalar::String(input.unwrap().to_owned())
    };
    let is = |name: &str| Condition { at: vec![name.to_owned()], test: Test::Equals { value: text(name) } };
    let one = |name: &str| Condition { at: vec![name.to_owned()], test: Test::OneOf { values: vec![text(name)] } };
    for conditions in [vec![is("path"), is("content")], vec![one("content"), is("path")]] {
        assert_eq!(ask(conditions.clone()).await, Err("refused_recently"), "{conditions:?}");
    }
    assert_eq!(ask(vec![is("path")]).await, Ok(()), "what leaves the content open was not refused");
    let mut content = body.clone();
    content.context.insert("input".into(), json!({"path": "/srv/files/reports/q3.md", "content": "corrected"}));
    assert!(caller.ask(app, &content, None).await.is_ok(), "other arguments are another call");
    let task = Caller { agent: agent(app, "close-q4", Some("ines")).await, point: caller.point.clone() };
    assert!(task.ask(app, &body, None).await.is_ok(), "another task is other work");
}

#[tokio::test]
async fn who_asks_too_much_is_denied_with_one_line_an_interval() {
    let clock = FakeClock::new("2026-11-22T12:00:00Z");
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let gate = Gate::open(folder, clock, |settings| {
        settings.allowance = Allowance { evaluations: 1, burst: 3, ..Allowance::default() }
    });
    let gate = gate.await.unwrap();
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let beside = Caller { agent: agent(app, "close-q4", None).await, point: caller.point.clone() };
    let quiet = Caller { agent: other(app, "close-q3").await, point: caller.point.clone() };
    let read = |call: usize| tool("read_file", "/srv/files/a.md", &format!("c{call}"));
    let mut others = read(0);
    others.subject.id = OTHER.into();
    let flood = async || {
        let mut refused = 0;
        for call in 0..20 {
            match app.evaluate(&caller.point, Some(&caller.agent), read(call)).await {
                Ok(reply) => assert!(reply.decision),
                Err(refusal) => {
                    assert_eq!((refusal.code, refusal.retry_after), ("too_many_evaluations", Some(1)));
                    refused += 1;
                }
            }
        }
        refused
    };
    let mut changes = app.subscribe();
    assert_eq!(flood().await, 17);
    assert_eq!(kinds(&mut changes), ["limited"], "one line for all of them");
    let refused = app.evaluate(&beside.point, Some(&beside.agent), read(0)).await;
    assert_eq!(refused.unwrap_err().code, "too_many_evaluations", "another task gives a subject no more");
    assert_eq!(kinds(&mut changes), ["limited"], "a task has a line of its own");
    assert!(quiet.evaluate(app, others).await.decision, "another agent in the very task is not made to pay");
    gate.clock.advance(2);
    assert_eq!(flood().await, 18);
    assert!(kinds(&mut changes).is_empty(), "still the same interval");
    gate.clock.advance(60);
    assert_eq!(flood().await, 17);
    assert_eq!(kinds(&mut changes), ["limited"]);
    // The end tells what no line stands for yet.
    app.stopped().await.unwrap();
    assert_eq!(kinds(&mut changes), ["limited", "gate_stopped"]);
    assert_eq!(
        app.counters().iter().find(|(word, _)| word == "limited").map(|(_, count)| *count),
        Some(17 + 1 + 18 + 17)
    );
}

#[tokio::test]
async fn one_noisy_agent_does_not_delay_anothers_request() {
    let gate = Gate::start().await;
    let (app, noisy) = (&gate.app, caller(&gate.app).await);
    let asker = Asker::of(&noisy.point, Some(&noisy.agent)).unwrap();
    // Everything that a subject can have at once is under way, and does not end.
    let mut held = Vec::new();
    for _ in 0..super::super::limits::MOST_AT_ONCE {
        held.push(app.turn(&asker).await.unwrap());
    }
    let mut waiting = pin!(noisy.write(app, "/srv/files/reports/q3.md", "c1"));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(waiting.as_mut().poll(&mut context), Poll::Pending));
    let quiet = other(app, "close-q3").await;
    let mut body = tool("write_file", "/srv/files/reports/q3.md", "c2");
    body.subject.id = OTHER.into();
    let denied = app.evaluate(&noisy.point, Some(&quiet), body.clone()).await.unwrap();
    let offer = denied.context.access_request.clone().unwrap();
    let asked = request(&body, &denied.context.evaluation_id, offer.expires_at, None);
    assert!(app.request(&noisy.point, Some(&quiet), None, asked).await.is_ok());
    assert!(matches!(waiting.as_mut().poll(&mut context), Poll::Pending), "it still waits behind its own");
    held.clear();
    assert!(!waiting.await.decision);
}

#[tokio::test]
async fn a_task_has_at_most_twenty_open_requests_whoever_asks() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let mut changes = app.subscribe();
    for n in 0..20 {
        let body = tool("write_file", &format!("/srv/files/reports/{n}.md"), &format!("c{n}"));
        caller.ask(app, &body, None).await.unwrap();
    }
    kinds(&mut changes);
    for (task, expected) in [("close-q3", Err("too_many_requests")), ("close-q4", Ok(()))] {
        let agent = other(app, task).await;
        let mut body = tool("write_file", "/srv/files/reports/more.md", task);
        body.subject.id = OTHER.into();
        let denied = app.evaluate(&caller.point, Some(&agent), body.clone()).await.unwrap();
        let until = denied.context.access_request.clone().unwrap().expires_at;
        let asked = request(&body, &denied.context.evaluation_id, until, None);
        let asked = app.request(&caller.point, Some(&agent), None, asked).await;
        assert_eq!(asked.map(drop).map_err(|refusal| refusal.code), expected, "{task}");
        assert_eq!(kinds(&mut changes).contains(&"limited".to_owned()), expected.is_err(), "{task}");
    }
}

#[tokio::test]
async fn a_task_has_at_most_sixty_grants_live_or_asked_for_whoever_holds_them() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let agents = [(caller.agent.clone(), WRITER), (other(app, "close-q3").await, OTHER)];
    let ask = async |agent: &Credential, subject: &str, n: usize| {
        let mut body = tool("write_file", &format!("/srv/files/reports/{n}.md"), &format!("c{n}"));
        body.subject.id = subject.into();
        let denied = app.evaluate(&caller.point, Some(agent), body.clone()).await.unwrap();
        let until = denied.context.access_request.clone().unwrap().expires_at;
        let asked = request(&body, &denied.context.evaluation_id, until, None);
        app.request(&caller.point, Some(agent), None, asked).await.map(|reply| reply.task.id)
    };
    // Thirty each: neither has more than a subject may.
    for n in 0..60 {
        let (agent, subject) = &agents[n % 2];
        let id = ask(agent, subject, n).await.unwrap();
        assert!(approve(app, "mara", &id, None).await.unwrap().is_some());
    }
    for (agent, subject) in &agents {
        assert_eq!(ask(agent, subject, 60).await.unwrap_err().code, "too_many_grants", "{subject}");
    }
    let elsewhere = other(app, "close-q4").await;
    assert!(ask(&elsewhere, OTHER, 60).await.is_ok(), "another task has room of its own");
}

#[tokio::test]
async fn a_search_that_finds_nobody_and_a_report_of_nothing_take_turns_too() {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let clock = FakeClock::new("2026-11-22T12:00:00Z");
    let gate = Gate::open(folder, clock, |settings| {
        settings.allowance = Allowance { evaluations: 1, burst: 3, ..Allowance::default() }
    });
    let gate = gate.await.unwrap();
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let nobody = || {
        let search = json!({
            "subject": {"type": "Planet"}, "action": {"name": "read_file"}, "resource": {"type": "Volume", "id": "files"},
        });
        super::super::Search::Subject(serde_json::from_value(search).unwrap())
    };
    let report = || {
        let report = json!({"evaluation_id": "eval_0", "call": "c", "phase": "executed"});
        serde_json::from_value::<proviso_api::operations::ExecutionReport>(report).unwrap()
    };
    for _ in 0..3 {
        assert!(app.search(&caller.point, None, nobody()).await.is_ok());
    }
    assert_eq!(app.search(&caller.point, None, nobody()).await.unwrap_err().code, "too_many_evaluations");
    assert_eq!(app.report_execution(&caller.point, report()).await.unwrap_err().code, "too_many_evaluations");
    for expected in ["unknown_evaluation"; 9].into_iter().chain(["too_many_evaluations"]) {
        assert_eq!(app.report_execution(&caller.agent, report()).await.unwrap_err().code, expected);
    }
    // Whoever asks through that enforcement point pays for none of it.
    assert!(caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c")).await.decision);
}
