//! Who is told and when: over restarts, with a clock that is moved, and once.

use policy_core::time::Timestamp;
use tempfile::TempDir;

use super::super::testing::FakeClock;
use super::super::{Channels, Settings};
use super::*;
use crate::clock::Clock as _;

fn told(settings: &mut Settings) {
    settings.channels = Channels { people: ["mara".to_owned()].into(), ..Channels::default() };
}

async fn open() -> Gate {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    reopen(folder, FakeClock::new("2026-11-22T12:00:00Z")).await
}

async fn reopen(folder: Arc<TempDir>, clock: Arc<FakeClock>) -> Gate {
    Gate::open(folder, clock, told).await.unwrap()
}

async fn again(gate: Gate) -> Gate {
    let Gate { app, clock, folder, .. } = gate;
    drop(app);
    reopen(folder, clock).await
}

async fn ask(gate: &Gate) -> (String, i64) {
    let id = caller(&gate.app).await.ask(&gate.app, &tool("write_file", "/srv/files/reports/q3.md", "c1"), None).await;
    let id = id.unwrap();
    let state = gate.app.state();
    let exception = &state.exceptions[&id].exception;
    let span = exception.decide_by().since(exception.request.requested_at).seconds();
    (id.clone(), i64::try_from(span).unwrap())
}

/// What the history says of who was told.
async fn notices(gate: &Gate, id: &str) -> Vec<String> {
    let mara = person(&gate.app, "mara").await;
    let history = gate.app.exception(&mara, id).await.unwrap().history;
    history.into_iter().filter(|line| line.kind == "notification_sent").map(|line| line.sentence).collect()
}

const ASKED: &str = "2 people told that a decision is wanted";
const HALF: &str = "2 people reminded: half of the time to decide has passed";
const LAST: &str = "2 people reminded: nine tenths of the time to decide have passed";
/// The sample's terms name security after the approvers.
const NEXT: &str = "2 people of security told next";

#[tokio::test]
async fn reminders_come_at_half_and_nine_tenths_once_each_over_restarts() {
    let mut gate = open().await;
    let (id, span) = ask(&gate).await;
    let mut passed = 0;
    for (until, expected) in [
        (0, &[ASKED][..]),
        (span / 2 - 1, &[ASKED]),
        (span / 2, &[ASKED, HALF]),
        (span * 9 / 10 - 1, &[ASKED, HALF]),
        (span * 9 / 10, &[ASKED, HALF, LAST, NEXT]),
        (span - 1, &[ASKED, HALF, LAST, NEXT]),
        (span, &[ASKED, HALF, LAST, NEXT]),
    ] {
        gate.clock.advance(until - passed);
        passed = until;
        for _ in 0..2 {
            gate.app.tell_due().await;
            assert_eq!(notices(&gate, &id).await, expected, "{until} of {span}");
            gate = again(gate).await;
        }
    }
    let mara = person(&gate.app, "mara").await;
    assert_eq!(gate.app.exception(&mara, &id).await.unwrap().state, "lapsed");
}

#[tokio::test]
async fn it_says_when_to_look_again() {
    let gate = open().await;
    assert_eq!(gate.app.tell_due().await, None);
    let (_, span) = ask(&gate).await;
    let now = gate.clock.now();
    let after = |seconds: i64| Some(Timestamp::from_millis(now.millis() + seconds * 1000));
    assert_eq!(gate.app.tell_due().await, after(span / 2));
    gate.clock.advance(span / 2);
    assert_eq!(gate.app.tell_due().await, after(span * 9 / 10));
}

#[tokio::test]
async fn a_clock_that_is_set_back_repeats_nothing_and_a_long_pause_is_one_reminder() {
    let gate = open().await;
    let (id, span) = ask(&gate).await;
    gate.clock.advance(span / 2);
    gate.app.tell_due().await;
    assert_eq!(notices(&gate, &id).await, [HALF]);
    gate.clock.shift(-3_600_000, 0);
    gate.app.tell_due().await;
    let gate = again(gate).await;
    gate.app.tell_due().await;
    assert_eq!(notices(&gate, &id).await, [HALF]);
}

#[tokio::test]
async fn who_has_approved_is_not_reminded_and_what_is_decided_is_quiet() {
    let gate = open().await;
    let (id, span) = ask(&gate).await;
    gate.app.tell_due().await;
    approve(&gate.app, "mara", &id, None).await.unwrap().expect("granted");
    gate.clock.advance(span / 2);
    gate.app.tell_due().await;
    assert_eq!(notices(&gate, &id).await, [ASKED]);
}

#[tokio::test]
async fn r1_a_notice_that_cannot_be_recorded_is_told_later_and_fails_nobody() {
    use std::sync::atomic::Ordering;
    let gate = open().await;
    let (id, _) = ask(&gate).await;
    gate.faults.fail.store(true, Ordering::SeqCst);
    assert!(gate.app.tell_due().await.is_some_and(|again| again <= gate.clock.now()), "at once");
    gate.faults.fail.store(false, Ordering::SeqCst);
    assert!(notices(&gate, &id).await.is_empty());
    gate.app.tell_due().await;
    assert_eq!(notices(&gate, &id).await, [ASKED]);
}

#[tokio::test]
async fn a_deputy_is_told_in_the_place_of_who_is_away_and_after_a_hand_over_whom_it_was_handed_to() {
    use proviso_api::routing::{DeputyRequest, HandoverRequest};
    let gate = open().await;
    let app = &gate.app;
    let (mara, ola) = (person(app, "mara").await, person(app, "ola").await);
    let until = gate.clock.now().plus(policy_core::time::Span::from_seconds(60));
    // jun may not decide on files: who stands in decides by the own right or not at all.
    let deputy = DeputyRequest { deputy: EntityRef::new("User", "jun"), from: None, until, reason: "away".to_owned() };
    app.appoint(&mara, deputy).await.unwrap();
    let (id, span) = ask(&gate).await;
    app.tell_due().await;
    assert_eq!(notices(&gate, &id).await, ["1 person told that a decision is wanted"]);
    // The period is over, and ola's request is mara's from here.
    gate.clock.advance(span / 2);
    let to = HandoverRequest { to: EntityRef::new("User", "mara"), reason: "yours".to_owned() };
    app.hand_over(&ola, &id, to).await.unwrap();
    app.tell_due().await;
    let half = "1 person reminded: half of the time to decide has passed";
    assert_eq!(notices(&gate, &id).await, ["1 person told that a decision is wanted", half]);
}
