//! What was decided against what was used: each side without the other, and each fact that differs.

use serde_json::{Value, json};

use crate::run::{Report, verify};
use crate::testing::{Decided, Record, decided, of, story};

/// What a gate that breaks its rules decides: all of it well signed.
type Lie = fn(&mut Vec<Decided>);

/// The story, and what was decided in it.
fn told(
    events: &[(String, Value)],
    lie: impl FnOnce(&mut Vec<Decided>),
) -> Result<Report, (&'static str, String, u64)> {
    let mut record = Record::new(1);
    events.iter().for_each(|(kind, event)| drop(record.event(kind, event)));
    lie(&mut record.undecided);
    record.head();
    verify(&record, &record.trust(), &[], &mut |_| {}).map_err(|fault| (fault.code(), fault.log, fault.seq))
}

fn decision(decisions: &mut [Decided], place: usize) -> &mut Value {
    decisions[place].decision.as_mut().unwrap()
}

/// The same call asked again, so many seconds into the hour of the first use, after so many ledger records.
fn again(decisions: &mut Vec<Decided>, place: usize, after: u64, at: &str) {
    let mut repeat = decisions[0].clone();
    (repeat.after, repeat.at) = (after, at.to_owned());
    let decision = repeat.decision.as_mut().unwrap();
    (decision["evaluation"], decision["repeated"]) = (json!("eval_r"), json!(true));
    decisions.insert(place, repeat);
}

#[test]
fn every_permit_by_an_exception_has_its_use_and_every_use_its_permit() {
    let lies: [(&str, Lie, (&str, &str, u64)); 20] = [
        ("a use that nothing was permitted by", |d| drop(d.remove(0)), ("use_undecided", "ledger", 5)),
        ("the last use that nothing was permitted by", |d| drop(d.pop()), ("use_undecided", "ledger", 6)),
        ("nothing decided at all", |d| d.clear(), ("use_undecided", "ledger", 5)),
        ("a permit twice", |d| d.insert(1, d[0].clone()), ("use_missing", "decisions/main", 1)),
        ("permits swapped", |d| d.swap(0, 1), ("use_undecided", "ledger", 5)),
        (
            "a permit after the last use",
            |d| d.push(decided(9, &json!({"evaluation": "eval_3", "call": "c", "at": "2026-11-22T12:40:00.000Z"}))),
            ("use_missing", "decisions/main", 2),
        ),
        (
            "a permit before the grant",
            |d| {
                let used = json!({"evaluation": "eval_0", "call": "c", "at": "2026-11-22T12:01:30.000Z"});
                d.insert(0, decided(3, &used));
            },
            ("use_missing", "decisions/main", 0),
        ),
        (
            "another evaluation",
            |d| decision(d, 0)["evaluation"] = json!("eval_9"),
            ("use_missing", "decisions/main", 0),
        ),
        (
            "another exception",
            |d| decision(d, 1)["exception"] = json!("exc_2"),
            ("use_not_granted", "decisions/main", 1),
        ),
        (
            "another grant",
            |d| decision(d, 1)["answer"]["grant"] = json!("grant_2"),
            ("use_not_granted", "decisions/main", 1),
        ),
        ("another subject", |d| decision(d, 0)["subject"]["id"] = json!("b"), ("use_not_granted", "decisions/main", 0)),
        ("another task", |d| decision(d, 0)["task"] = json!("u"), ("use_not_granted", "decisions/main", 0)),
        ("another chain", |d| decision(d, 0)["actors"] = json!([]), ("use_not_granted", "decisions/main", 0)),
        ("another server", |d| decision(d, 0)["server"] = json!("vault"), ("use_not_granted", "decisions/main", 0)),
        ("another action", |d| decision(d, 0)["action"] = json!("delete"), ("use_not_granted", "decisions/main", 0)),
        ("another time", |d| d[0].at = "2026-11-22T12:03:00.001Z".to_owned(), ("use_not_granted", "decisions/main", 0)),
        (
            "a leaf that says less than the decision",
            |d| d[0].outcome = "permitted_by_scope".to_owned(),
            ("use_not_granted", "decisions/main", 0),
        ),
        (
            "a repeat ten seconds later",
            |d| again(d, 1, 6, "2026-11-22T12:03:10.000Z"),
            ("use_missing", "decisions/main", 1),
        ),
        (
            "a repeat of another call",
            |d| {
                again(d, 1, 6, "2026-11-22T12:03:01.000Z");
                decision(d, 1)["call"] = json!("d");
            },
            ("use_missing", "decisions/main", 1),
        ),
        (
            "a question about a grant that is not there yet",
            |d| {
                again(d, 0, 4, "2026-11-22T12:01:30.000Z");
                let asked = decision(d, 0);
                (asked["purpose"], asked["repeated"]) = (json!("question"), json!(false));
            },
            ("use_not_granted", "decisions/main", 0),
        ),
    ];
    for (what, lie, (code, log, seq)) in lies {
        assert_eq!(told(&story(), lie).map(drop), Err((code, log.to_owned(), seq)), "{what}");
    }
}

#[test]
fn what_takes_no_use_needs_none() {
    let counted = |lie: Lie| told(&story(), lie).map(|report| (report.uses, report.decisions));
    assert_eq!(counted(|_| {}), Ok((2, 2)));
    assert_eq!(counted(|d| again(d, 1, 6, "2026-11-22T12:03:09.999Z")), Ok((2, 3)), "a repeat in time");
    // The last use repeated: the grant is used up, and it consumes nothing again.
    let last = |d: &mut Vec<Decided>| {
        again(d, 2, 8, "2026-11-22T13:01:59.999Z");
    };
    assert_eq!(counted(last), Ok((2, 3)), "the last use repeated");
    let question: Lie = |d| {
        again(d, 1, 6, "2026-11-22T12:30:00.000Z");
        let asked = decision(d, 1);
        (asked["purpose"], asked["repeated"]) = (json!("question"), json!(false));
    };
    assert_eq!(counted(question), Ok((2, 3)), "a question");
    // A caller that writes types with the bundle's namespace.
    assert_eq!(counted(|d| decision(d, 0)["subject"]["type"] = json!("Acme::Agent")), Ok((2, 2)));
    // What permitted by scope, and what is no evaluation, is none of this.
    let by_scope: Lie = |d| {
        let (mut scope, mut other) = (d[0].clone(), d[0].clone());
        scope.outcome = "permitted_by_scope".to_owned();
        scope.decision = Some(json!({
            "evaluation": "eval_s", "purpose": "use", "subject": {"type": "Agent", "id": "z"}, "task": "z", "action": "z",
            "answer": {"outcome": "permitted_by_scope"},
        }));
        other.outcome = "denial".to_owned();
        other.decision = None;
        d.insert(0, scope);
        d.insert(2, other);
    };
    assert_eq!(counted(by_scope), Ok((2, 2)));
}

#[test]
fn where_a_decision_was_erased_its_use_is_let_pass_and_no_other() {
    let erased = |d: &mut Vec<Decided>, place: usize| d[place].decision = None;
    assert_eq!(told(&story(), |d| erased(d, 0)).map(|report| report.decisions), Ok(1));
    assert_eq!(told(&story(), |d| (0..2).for_each(|place| erased(d, place))).map(|report| report.decisions), Ok(0));
    // An erased one that stood elsewhere excuses nothing.
    let elsewhere = |d: &mut Vec<Decided>| {
        erased(d, 0);
        d[0].after = 4;
    };
    assert_eq!(told(&story(), elsewhere).map(drop), Err(("use_undecided", "ledger".to_owned(), 5)));
}

#[test]
fn what_was_exactly_granted_is_held_to_its_digest() {
    let mut events = story();
    let mut exact = |place: usize, member: &str| {
        events[place].1["exception"]["event"][member]["scope"]["arguments"] = json!("exact");
    };
    exact(0, "request");
    exact(1, "version");
    exact(4, "grant");
    assert!(told(&events, |_| {}).is_ok());
    let other: Lie = |d| decision(d, 0)["input_digest"] = json!("01");
    assert_eq!(told(&events, other).map(drop), Err(("use_not_granted", "decisions/main".to_owned(), 0)));
    assert!(told(&story(), other).is_ok(), "conditions hold other arguments, too");
}

#[test]
fn what_is_used_up_is_forgotten_a_day_after_its_end() {
    let late = |at: &str| {
        let mut record = Record::new(1);
        story().iter().for_each(|(kind, event)| drop(record.event(kind, event)));
        record.event_at("gate_started", &json!({"gate": {"kind": "gate_started"}}), at);
        let (kind, back) = of("use_given_back", json!({"evaluation": "eval_1", "by": {}, "reason": "r"}));
        record.event(&kind, &back);
        record.head();
        verify(&record, &record.trust(), &[], &mut |_| {}).map_err(|fault| (fault.code(), fault.seq)).map(drop)
    };
    assert_eq!(late("2026-11-23T13:01:59.999Z"), Ok(()));
    assert_eq!(late("2026-11-23T13:02:00.000Z"), Err(("event_out_of_order", 10)));
}
