//! Nothing is lost, nothing is allowed: restarts, lost answers, rows put in by hand, clocks, other bundles.

use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::super::testing::FakeClock;
use super::*;
use crate::store::verify::audited;

#[tokio::test]
async fn r1_without_a_record_nothing_is_allowed() {
    let gate = Gate::start().await;
    let (app, caller) = (&gate.app, caller(&gate.app).await);
    gate.faults.fail.store(true, Ordering::SeqCst);
    let denied = caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c1")).await;
    assert_eq!((denied.decision, denied.context.reason.as_str()), (false, "record_unavailable"));
    gate.faults.fail.store(false, Ordering::SeqCst);
    assert!(caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c1")).await.decision);
}

#[tokio::test]
async fn a_lost_answer_denies_and_what_was_consumed_stays_consumed_after_a_restart() {
    let (gate, caller, _, _) = granted().await;
    gate.faults.lose_answer.store(true, Ordering::SeqCst);
    assert!(!caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await.decision);
    let gate = gate.again().await.unwrap();
    assert!(!caller.write(&gate.app, "/srv/files/reports/q3.md", "c3").await.decision, "its one use is gone");
    // Yet the same call is the same call.
    assert!(caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await.context.repeated);
}

#[tokio::test]
async fn a_restart_keeps_grants_credentials_and_sessions() {
    let (gate, caller, id, _) = granted().await;
    let gate = gate.again().await.unwrap();
    assert!(caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await.decision);
    let mara = person(&gate.app, "mara").await;
    assert_eq!(gate.app.exception(&mara, &id).await.unwrap().state, "exhausted");
}

#[tokio::test]
async fn r9_rows_by_hand_edits_and_cuts_are_found_and_refused() {
    let edits = [
        "INSERT INTO leaf SELECT log, (SELECT max(seq) + 1 FROM leaf WHERE log = 'ledger'), bytes
           FROM leaf WHERE log = 'ledger' AND seq = 0",
        "DROP TRIGGER leaf_no_update; UPDATE leaf SET bytes = CAST(replace(CAST(bytes AS TEXT), '2026', '2027') AS BLOB)
           WHERE log = 'ledger' AND seq = 1",
        "DROP TRIGGER leaf_no_delete; DROP TRIGGER head_no_delete; DELETE FROM head WHERE log = 'ledger' AND size > 2;
           DELETE FROM leaf WHERE log = 'ledger' AND seq > 1",
        "DROP TRIGGER payload_no_update; UPDATE payload SET bytes = CAST(replace(CAST(bytes AS TEXT), 'ines', 'jun') AS BLOB)
           WHERE log = 'ledger'",
        "DROP TRIGGER payload_no_delete; DELETE FROM payload WHERE log = 'ledger' AND seq = 1",
        "INSERT INTO payload VALUES ('ledger', 1, 'grant', zeroblob(32), x'00')",
    ];
    for edit in edits {
        let (gate, ..) = granted().await;
        let Gate { app, clock, folder, .. } = gate;
        let data = app.settings().data.clone();
        drop(app);
        audited(&data).unwrap();
        Connection::open(data.join(crate::store::sqlite::FILE)).unwrap().execute_batch(edit).unwrap();
        let verified = audited(&data).map(drop);
        assert_eq!(verified, Err("log_tampered"), "{edit}");
        let opened = Gate::open(folder, clock, |_| {}).await;
        assert_eq!(opened.err().map(|error| error.code().to_owned()).as_deref(), Some("log_tampered"), "{edit}");
    }
}

#[tokio::test]
async fn r9_a_restored_backup_is_refused() {
    let (gate, caller, ..) = granted().await;
    let data = gate.app.settings().data.clone();
    let Gate { app, clock, folder, .. } = gate;
    drop(app);
    let database = data.join(crate::store::sqlite::FILE);
    Connection::open(&database).unwrap().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let backup = std::fs::read(&database).unwrap();
    let gate = Gate::open(folder, clock, |_| {}).await.unwrap();
    assert!(caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await.decision);
    let Gate { app, clock, folder, .. } = gate;
    drop(app);
    for file in ["record.sqlite-wal", "record.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(file));
    }
    std::fs::write(&database, backup).unwrap();
    let opened = Gate::open(folder, clock, |_| {}).await;
    assert_eq!(opened.err().map(|error| error.code().to_owned()).as_deref(), Some("log_tampered"));
}

#[tokio::test]
async fn r6_a_clock_in_doubt_suspends_exceptions_until_an_operators_act() {
    let (gate, caller, ..) = granted().await;
    let app = &gate.app;
    gate.clock.shift(-40_000, 0);
    let denied = caller.write(app, "/srv/files/reports/q3.md", "c2").await;
    assert_eq!((denied.decision, denied.context.reason.as_str()), (false, "clock_unsafe"));
    assert!(caller.evaluate(app, tool("read_file", "/srv/files/a.md", "c3")).await.decision, "scope still passes");
    gate.clock.shift(40_000, 0);
    assert!(!caller.write(app, "/srv/files/reports/q3.md", "c4").await.decision, "it does not mend by itself");
    app.trust_clock(&ROOT, "the time server was wrong").await.unwrap();
    assert!(caller.write(app, "/srv/files/reports/q3.md", "c5").await.decision);
}

#[tokio::test]
async fn another_bundle_starts_only_by_an_act_with_a_reason() {
    let gate = Gate::start().await;
    let Gate { app, clock, folder, .. } = gate;
    drop(app);
    let change = |settings: &mut super::super::Settings| {
        let text = settings.bundle.get_mut("bundle.toml").unwrap();
        text.push_str("\n# reviewed\n");
    };
    let open = |folder, clock: std::sync::Arc<FakeClock>| Gate::open(folder, clock, change);
    let refused = open(folder.clone(), clock.clone()).await.err().unwrap();
    assert_eq!(refused.code(), "bundle_not_activated");
    let super::super::OpenError::NotActivated { given, .. } = refused else { unreachable!() };
    let gate = Gate::open(folder, clock, |settings| {
        change(settings);
        settings.activate = Some(super::super::Activation { digest: given, reason: "a comment".to_owned() });
    });
    assert_eq!(gate.await.unwrap().app.record().bundle, given);
}

/// The next record takes this long.
fn stall(gate: &Gate, seconds: i64) {
    let clock = gate.clock.clone();
    *gate.faults.meanwhile.lock().unwrap() = Some(Box::new(move || clock.advance(seconds)));
}

#[tokio::test]
async fn r6_an_allow_lapses_while_its_record_waits_for_the_disk() {
    // (the record takes, the allow lasts), in seconds
    for (takes, lasts) in [(0, Some(5)), (2, Some(3)), (4, Some(1)), (5, None), (9, None)] {
        let (gate, caller, ..) = granted().await;
        stall(&gate, takes);
        let reply = caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await;
        assert_eq!((reply.decision, reply.context.valid_for), (lasts.is_some(), lasts), "{takes}");
        assert_eq!(reply.context.reason, if lasts.is_some() { "exception" } else { "limit" });
        assert!(reply.context.approval.is_some() == reply.decision);
        let other = caller.write(&gate.app, "/srv/files/reports/q3.md", "c3").await;
        assert!(!other.decision, "its one use is gone");
        let again = caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await;
        assert!(again.decision && again.context.repeated, "yet the same call is the same call");
    }
    let gate = Gate::start().await;
    let caller = caller(&gate.app).await;
    stall(&gate, 5);
    let read = caller.evaluate(&gate.app, tool("read_file", "/srv/files/a.md", "c1")).await;
    assert_eq!((read.decision, read.context.reason.as_str()), (false, "limit"), "what scope permits lapses as well");
}

#[tokio::test]
async fn r6_no_allow_outlives_its_grant_or_a_clock_in_doubt() {
    // (before the grant's end, the record takes, the allow lasts), in seconds
    for (before, takes, lasts) in [(60, 0, Some(5)), (3, 0, Some(3)), (3, 2, Some(1)), (3, 3, None), (3, 4, None)] {
        let (gate, caller, _, grant) = granted().await;
        let end = gate.app.state().by_grant(&grant).unwrap().exception.phase.grant().unwrap().grant.scope.not_after;
        gate.clock.advance((end.millis() - gate.app.now().millis()) / 1000 - before);
        stall(&gate, takes);
        let reply = caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await;
        assert_eq!((reply.decision, reply.context.valid_for), (lasts.is_some(), lasts), "{before} {takes}");
        assert_eq!(reply.context.reason, if lasts.is_some() { "exception" } else { "not_permitted" });
    }
    let (gate, caller, ..) = granted().await;
    let clock = gate.clock.clone();
    *gate.faults.meanwhile.lock().unwrap() = Some(Box::new(move || clock.shift(31_000, 0)));
    let reply = caller.write(&gate.app, "/srv/files/reports/q3.md", "c2").await;
    assert_eq!((reply.decision, reply.context.reason.as_str()), (false, "clock_unsafe"));
}
