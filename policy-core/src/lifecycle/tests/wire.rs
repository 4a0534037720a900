//! What was written by the first release is read by every later one, and what it did not have is not written.

use serde_json::{Value, json};

use crate::fixtures::*;
use crate::lifecycle::{Command, Disposition, Event, Exception, Rejection, ReviewOutcome, VoteDecision, evolve};
use crate::outcome::Terms;
use crate::time::Span;

fn digest() -> String {
    "0".repeat(64)
}

fn scope() -> Value {
    json!({
        "resource": {"is": {"type": "Dataset", "id": "q3"}},
        "arguments": "exact",
        "not_before": "2027-01-15T08:00:20.000Z",
        "not_after": "2027-01-15T08:10:00.000Z",
        "max_uses": 2,
        "budgets": [{"at": ["rows"], "max": 200}],
    })
}

/// The events of one exception as the first release wrote them.
fn first_release() -> Vec<Value> {
    let terms = json!({
        "tier": "low", "approvals": 1, "groups": ["finance"], "max_duration": "1h", "max_uses": 5,
        "step_up": "link", "review_within": "1d", "policies": ["request.post"],
    });
    let call = json!({
        "subject": {"type": "Agent", "id": "a1"}, "action": "post_journal",
        "resources": [{"type": "Dataset", "id": "q3"}], "input_digest": digest(), "typed": true,
    });
    let requested = json!({
        "duration": "10m", "uses": 2, "held_grants": 0, "held_uses": 0, "held_sum": 0, "emergency": false,
    });
    let question = json!({
        "v": 1, "purpose": "use", "bundle": digest(), "now": "2027-01-15T08:00:00.000Z", "call": call, "task": "T-1",
        "chain": [], "enforcement_point": "proxy", "context": {}, "entities": [], "candidates": [], "locks": [],
        "requested": requested,
    });
    let request = json!({
        "id": "e1", "question": question, "evaluation": "v1", "requester": {"type": "User", "id": "rita"},
        "owners": [], "scope": scope(), "justification": "quarter end", "emergency": false,
        "requested_at": "2027-01-15T08:00:00.000Z", "decide_by": "2027-01-15T08:05:00.000Z",
    });
    let vote = json!({
        "person": {"type": "User", "id": "bob"}, "decision": "approve", "version": 1, "sheet": digest(), "as_of": 1,
        "reason": "fine", "assurance": "link", "groups": ["finance"], "at": "2027-01-15T08:00:10.000Z",
    });
    let grant = json!({
        "id": "g1", "exception": "e1", "version": 1, "subject": {"type": "Agent", "id": "a1"}, "task": "T-1",
        "chain": [], "enforcement_point": "proxy", "action": "post_journal", "scope": scope(),
        "input_digest": digest(), "input_names": ["rows"],
    });
    vec![
        json!({"kind": "exception_requested", "request": request, "terms": terms, "bundle": digest()}),
        json!({"kind": "vote_cast", "vote": vote}),
        json!({"kind": "exception_granted", "grant": grant, "at": "2027-01-15T08:00:10.000Z"}),
        json!({
            "kind": "grant_used", "call": "c1", "evaluation": "v2", "amounts": [100], "at": "2027-01-15T08:00:30.000Z",
        }),
    ]
}

fn read() -> Vec<Event> {
    first_release().into_iter().map(|event| serde_json::from_value(event).expect("the first release's event")).collect()
}

#[test]
fn the_first_release_is_read_and_written_as_it_was() {
    for (event, written) in read().iter().zip(first_release()) {
        assert_eq!(serde_json::to_value(event).unwrap(), written);
    }
    let state = read().iter().try_fold(None, evolve).unwrap().unwrap();
    let held = state.phase.grant().unwrap();
    assert_eq!((held.uses, held.spent.as_slice(), held.taken.len()), (1, &[100][..], 1));
    assert_eq!((state.repeated, state.votes[0].inside, state.terms.for_another), (0, false, false));
    assert_eq!((state.terms.decide_within(), state.terms.silence()), (Terms::DECIDE_WITHIN, Terms::SILENCE));
}

#[test]
fn a_state_without_what_came_later_is_read() {
    let state = play(exact(), vec![]);
    let written = serde_json::to_value(&state).unwrap();
    let mut members: Vec<&str> = written.as_object().unwrap().keys().map(String::as_str).collect();
    // In the order of the text or of the names: features of the workspace decide.
    members.sort_unstable();
    assert_eq!(members, ["bundle", "phase", "request", "terms", "versions", "votes"]);
    assert_eq!(serde_json::from_value::<Exception>(written).unwrap(), state);
}

/// An exception with everything that can stand in one.
fn full() -> Exception {
    let demanded = Terms {
        review_within: Some(Span::from_seconds(60)),
        decide_within: Some(Span::from_seconds(250)),
        max_rate: "5/1m".parse().ok(),
        max_renewals: Some(2),
        renewal_period: Some(Span::from_seconds(600)),
        notify: path(&["finance"]),
        escalate: path(&["security"]),
        emergency_approvals: Some(1),
        silence: Some(Span::from_seconds(60)),
        for_another: true,
        binding: true,
        raised_from: Some("low".into()),
        ..terms(2)
    };
    let now = |second| context(second, demanded.clone());
    let (reason, assurance) = (String::from("because"), String::from("link"));
    let by = user("carol");
    let Command::Vote { person, decision, scope, sheet, as_of, reason: why, assurance: how, .. } =
        approve("bob", exact())
    else {
        unreachable!("a vote is a vote")
    };
    let take = Command::Use { call: "c".into(), evaluation: "v2".into(), amounts: vec![] };
    play(
        exact(),
        vec![
            (vote("carol", VoteDecision::Ask, exact()), now(5)),
            (Command::Answer { by: user("rita"), vote: 0, words: "so".into() }, now(6)),
            (Command::Fold { evaluation: "v3".into(), justification: "please".into() }, now(7)),
            (
                Command::DeclareEmergency {
                    by: by.clone(),
                    reason: reason.clone(),
                    assurance: assurance.clone(),
                    proof: Proof::Session,
                },
                now(8),
            ),
            (
                Command::Vote {
                    person,
                    decision,
                    scope,
                    sheet,
                    as_of,
                    reason: why,
                    assurance: how,
                    inside: true,
                    proof: Proof::Session,
                },
                now(9),
            ),
            (take.clone(), now(10)),
            (Command::GiveBack { by: by.clone(), evaluation: "v2".into(), reason, assurance }, now(11)),
            (Command::Use { call: "d".into(), evaluation: "v4".into(), amounts: vec![] }, now(12)),
            (
                Command::CloseReview {
                    review: "e1.r1".into(),
                    by: user("dave"),
                    outcome: ReviewOutcome::Excessive,
                    note: "too much".into(),
                },
                now(20),
            ),
            (Command::Dispose { by, disposition: Disposition::PolicyTooNarrow, note: String::new() }, now(21)),
        ],
    )
}

#[test]
fn everything_that_stands_in_an_exception_is_written_and_read() {
    let state = full();
    let written = serde_json::to_value(&state).unwrap();
    assert_eq!(serde_json::from_value::<Exception>(written.clone()).unwrap(), state);
    assert_eq!(written["repeated"], 1);
    assert_eq!(written["votes"][1]["inside"], true);
    assert_eq!(written["terms"]["for_another"], true);
    assert_eq!(written["terms"]["max_rate"], json!({"uses": 5, "per": "1m"}));
    let mut members: Vec<&str> = written.as_object().unwrap().keys().map(String::as_str).collect();
    // In the order of the text or of the names: features of the workspace decide.
    members.sort_unstable();
    let all = [
        "answers",
        "bundle",
        "disposition",
        "emergency",
        "phase",
        "repeated",
        "repeats",
        "request",
        "reviews",
        "terms",
        "versions",
        "votes",
    ];
    assert_eq!(members, all);
}

#[test]
fn a_code_is_the_word_in_json() {
    let words = [
        "unknown",
        "exists",
        "closed",
        "too_late",
        "not_requestable",
        "is_requester",
        "in_chain",
        "is_owner",
        "not_eligible",
        "voted_already",
        "step_up_needed",
        "widens",
        "bad_scope",
        "too_many_versions",
        "reason_needed",
        "text_too_long",
        "bad_group",
        "not_usable",
        "over_budget",
        "not_up",
        "no_enforcement_point",
        "not_yours",
        "no_grant",
        "no_vote",
        "not_enough_votes",
        "over_rate",
        "renewal_cap",
        "not_for_another",
        "emergency_blocked",
        "review_overdue",
        "no_question",
        "too_many_answers",
        "no_such_use",
        "no_such_review",
        "has_voted",
        "not_closed",
        "unconfirmed",
    ];
    for word in words {
        let rejection: Rejection = serde_json::from_value(json!(word)).unwrap();
        assert_eq!((rejection.code(), serde_json::to_value(rejection).unwrap()), (word, json!(word)));
    }
    for word in words {
        let rejection: Rejection = serde_json::from_value(json!(word)).unwrap();
        let (told, help) = (rejection.to_string(), rejection.help());
        assert!(help.contains(' ') && !help.ends_with('.') && help != told, "{word}: {help}");
        assert!(help.starts_with(char::is_lowercase) && told.starts_with(char::is_lowercase), "{word}: {help}");
    }
    for (event, written) in read().iter().zip(first_release()) {
        assert_eq!(event.kind(), written["kind"]);
    }
}
