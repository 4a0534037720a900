//! Terms and bounds: a queue that cannot be flooded, keys that cannot be reused, grants that a new bundle would not give.

use std::sync::Arc;

use super::super::testing::FakeClock;
use super::super::{Activation, OpenError, Settings};
use super::*;

#[tokio::test]
async fn a_subject_has_at_most_twenty_open_requests() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    for n in 0..20 {
        let body = tool("write_file", &format!("/srv/files/reports/{n}.md"), &format!("c{n}"));
        caller.ask(app, &body, None).await.unwrap();
    }
    let more = caller.ask(app, &tool("write_file", "/srv/files/reports/more.md", "more"), None).await;
    assert_eq!(more.unwrap_err().code, "too_many_requests");
    // What is open already can be asked for again.
    caller.ask(app, &tool("write_file", "/srv/files/reports/0.md", "again"), None).await.unwrap();
}

#[tokio::test]
async fn an_idempotency_key_is_for_one_request() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    let body = tool("write_file", "/srv/files/reports/a.md", "c1");
    let denied = caller.evaluate(app, body.clone()).await;
    let until = denied.context.access_request.unwrap().expires_at;
    let first = request(&body, &denied.context.evaluation_id, until, None);
    let ask = |request: AccessRequest| app.request(&caller.point, Some(&caller.agent), Some("key-1"), request);
    let id = ask(first.clone()).await.unwrap().task.id;
    assert_eq!(ask(first.clone()).await.unwrap().task.id, id);
    let mut other = first;
    other.context.insert("business_justification".into(), json!("another reason"));
    assert_eq!(ask(other).await.unwrap_err().code, "duplicate_request");
}

#[tokio::test]
async fn r4_a_grant_that_a_new_bundle_would_not_give_is_suspended_before_its_next_use() {
    let (gate, caller, id, _) = granted().await;
    let Gate { app, clock, folder, .. } = gate;
    drop(app);
    let change = |settings: &mut Settings| {
        settings.bundle.remove("approval/request/files.cedar").unwrap();
    };
    let open = |clock: Arc<FakeClock>| Gate::open(folder.clone(), clock, change);
    let Some(OpenError::NotActivated { given, .. }) = open(clock.clone()).await.err() else { unreachable!() };
    let gate = Gate::open(folder.clone(), clock, |settings| {
        change(settings);
        settings.activate = Some(Activation { digest: given, reason: "no more writes".to_owned() });
    });
    let gate = gate.await.unwrap();
    let denied = caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await;
    assert_eq!((denied.decision, denied.context.reason.as_str()), (false, "not_permitted"));
    let mara = person(&gate.app, "mara").await;
    assert_eq!(gate.app.exception(&mara, &id).await.unwrap().state, "suspended");
}
