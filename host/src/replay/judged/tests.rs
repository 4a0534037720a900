//! What a gate may make of an answer, and what nothing makes of it.

use policy_core::digest::Digest;
use policy_core::outcome::{Evaluation, Outcome, Reason};
use serde_json::{Value, json};

use super::*;

/// A decision as it is stored, with these members.
fn decision(answer: &Evaluation, more: &Value) -> DecisionRecord {
    let digest = Digest::of(b"");
    let mut stored = json!({
        "evaluation": "eval_1", "credential": "tok_1", "purpose": "use", "call": "c1",
        "subject": {"type": "Agent", "id": "a"}, "task": "t", "action": "read", "binding": digest, "answer": answer,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        stored[name] = value.clone();
    }
    serde_json::from_value(stored).unwrap()
}

fn answer(outcome: Outcome, reason: Reason) -> Evaluation {
    Evaluation { outcome, reason, ..denial(reason) }
}

/// What comes of a record: its class in a word.
fn class(recorded: &DecisionRecord, said: &Evaluation) -> String {
    match unasked(recorded).unwrap_or_else(|| held(recorded, 0, said)) {
        Class::Agreed { repeated, .. } => if repeated { "repeated" } else { "agreed" }.to_owned(),
        Class::Limit(kind) => kind,
        Class::Gate(what) => what.to_owned(),
        Class::Disagreed { code, .. } => code.to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_outcome_is_what_the_module_says_or_what_the_gate_makes_of_it_and_nothing_else() {
    let (scope, grant) = (Outcome::PermittedByScope, Outcome::PermittedByException);
    let (by_scope, by_grant) = (answer(scope, Reason::Scope), answer(grant, Reason::Exception));
    let refused = answer(Outcome::RequestableDenial, Reason::ApprovalRequired);
    let guarded = denial(Reason::Guardrail);
    let differs = "outcome_differs";
    let (begun, fault) = (json!({"limit": "begun_ended", "continues": "eval_0"}), json!({"state_fault": "signature"}));
    let unverifiable = json!({"limit": "approval_unverifiable", "state_fault": "signature"});
    let limit = |kind: &str| json!({"limit": kind});
    let none = json!({});
    for (recorded, more, said, expected) in [
        (&by_scope, &none, &by_scope, "agreed"),
        (&guarded, &none, &guarded, "agreed"),
        (&by_scope, &none, &guarded, differs),
        (&guarded, &none, &by_scope, differs),
        (&Evaluation { policies: vec!["other".to_owned()], ..by_scope.clone() }, &none, &by_scope, differs),
        // The same call again is a use of a grant, and of a call that has an id.
        (&by_grant, &json!({"repeated": true}), &by_grant, "repeated"),
        (&by_scope, &json!({"repeated": true}), &by_scope, differs),
        (&by_grant, &json!({"repeated": true, "purpose": "question"}), &by_grant, differs),
        // Limits are their kind, and denials.
        (&denial(Reason::Limit), &limit("fuel"), &by_scope, "fuel"),
        (&by_scope, &limit("fuel"), &by_scope, differs),
        (&denial(Reason::NotPermitted), &limit("timeout"), &by_scope, differs),
        (&denial(Reason::Contended), &none, &by_scope, "contended"),
        (&denial(Reason::Contended), &limit("begun_ended"), &by_scope, differs),
        // What the gate makes of a permit, where it has the reason that it says.
        (&denial(Reason::NotPermitted), &begun, &by_scope, "begun_ended"),
        (&denial(Reason::NotPermitted), &begun, &guarded, differs),
        (&denial(Reason::NotPermitted), &limit("begun_ended"), &by_scope, differs),
        (&denial(Reason::NotPermitted), &unverifiable, &by_grant, "approval_unverifiable"),
        (&denial(Reason::NotPermitted), &limit("approval_unverifiable"), &by_grant, differs),
        (&by_scope, &fault, &by_scope, "agreed"),
        (&denial(Reason::NotPermitted), &limit("use_refused"), &by_grant, "use_refused"),
        (&denial(Reason::NotPermitted), &limit("use_refused"), &by_scope, differs),
        (&denial(Reason::Limit), &limit("not_a_candidate"), &by_grant, "not_a_candidate"),
        (&denial(Reason::Limit), &limit("not_a_candidate"), &guarded, differs),
        (&denial(Reason::TermsUnavailable), &limit("step_up"), &refused, differs),
        // A clock that was doubted stands for what nothing permitted, and for nothing else.
        (&denial(Reason::ClockUnsafe), &none, &refused, "clock_unsafe"),
        (&denial(Reason::ClockUnsafe), &none, &denial(Reason::NotPermitted), "clock_unsafe"),
        (&denial(Reason::ClockUnsafe), &none, &by_scope, differs),
        (&denial(Reason::ClockUnsafe), &none, &guarded, differs),
    ] {
        assert_eq!(class(&decision(recorded, more), said), expected, "{recorded:?} {more} {said:?}");
    }
}

#[test]
fn what_could_not_be_sealed_was_refused() {
    let refused = decision(&denial(Reason::UnknownAction), &json!({}));
    assert_eq!(unsealed(&refused), Class::Gate("not_sealed"));
    let permitted = decision(&answer(Outcome::PermittedByScope, Reason::Scope), &json!({}));
    assert!(matches!(unsealed(&permitted), Class::Disagreed { .. }));
}
