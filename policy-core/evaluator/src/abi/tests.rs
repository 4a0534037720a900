//! An instance that was asked before is held against the strict reader and an evaluator that keeps nothing and asks every
//! policy: the same bytes, whatever was asked before.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::grant::{ArgumentScope, Condition, Grant, ResourceScope, Scope, Test};
use policy_core::json::read_object_as;
use policy_core::question::{Candidate, Lock, LockTarget, Purpose, SealedQuestion};
use policy_core::time::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Bundle;
use crate::seal::{Ask, Claimed};

const NOW: i64 = 1_795_363_200_000;

fn bundle() -> Bundle {
    let schema = "entity User; entity Agent = { level: Long }; entity File;
        action post appliesTo { principal: [Agent], resource: [File],
            context: { now: datetime, task: String, input_digest: String, input: { rows: Long } } };";
    let config = "tiers = [\"low\"]\nstep_ups = [\"link\"]\n[types]\nperson = \"User\"\nsubjects = [\"Agent\"]\n";
    let entities = json!([
        {"uid": {"type": "Agent", "id": "a"}, "attrs": {"level": 3}, "parents": []},
        {"uid": {"type": "Agent", "id": "b"}, "attrs": {"level": 3}, "parents": []},
    ]);
    let files = [
        ("bundle.toml", config.to_owned()),
        ("schema.cedarschema", schema.to_owned()),
        ("entities.json", entities.to_string()),
        (
            "scope/few.cedar",
            "@id(\"few\") permit(principal, action, resource) when { context.input.rows < 2 };".to_owned(),
        ),
        (
            "guardrails/most.cedar",
            "@id(\"most\") forbid(principal, action, resource) when { context.input.rows > 90 };".to_owned(),
        ),
    ];
    Bundle::accept(&files.map(|(path, text)| (path.to_owned(), text)).into()).unwrap()
}

fn question(bundle: &Bundle, subject: &str, rows: i64) -> SealedQuestion {
    let ask = Ask {
        purpose: Purpose::Use,
        subject: EntityRef::new("Agent", subject),
        task: "t".into(),
        chain: Vec::new(),
        enforcement_point: Some("proxy".into()),
        bound: false,
        vouched: false,
        server: None,
        tool: None,
        action: "post".into(),
        resource: EntityRef::new("File", "f"),
        input: Some(json!({"rows": rows})),
        claims: Claimed::default(),
        now: Timestamp::from_millis(NOW),
        done: BTreeSet::new(),
    };
    bundle.seal(&ask).unwrap()
}

/// What one grant is, and how a text of it differs from that of another one.
#[derive(Debug, Clone)]
struct Held {
    id: usize,
    most: i64,
    uses_left: u32,
    of: Of,
}

#[derive(Debug, Clone, Copy)]
enum Of {
    This,
    AnotherSubject,
    AnotherTask,
    AnotherDigest,
    /// One that compiles to nothing.
    Nothing,
}

fn candidate(bundle: &Bundle, held: &Held) -> Candidate {
    let approved = question(bundle, "a", 50);
    let condition = Condition { at: vec!["rows".to_owned()], test: Test::Between { min: 0, max: held.most } };
    let nothing = Condition { at: vec!["columns".to_owned()], test: Test::Between { min: 0, max: 9 } };
    let arguments = match held.of {
        Of::AnotherDigest => ArgumentScope::Exact,
        Of::Nothing => ArgumentScope::Conditions(vec![nothing]),
        _ => ArgumentScope::Conditions(vec![condition]),
    };
    let scope = Scope {
        resource: ResourceScope::Is(EntityRef::new("File", "f")),
        arguments,
        not_before: None,
        not_after: Timestamp::from_millis(NOW + 1_000),
        max_uses: 5,
        valid_for: None,
        rate: None,
        budgets: Vec::new(),
    };
    let subject = if matches!(held.of, Of::AnotherSubject) { "b" } else { "a" };
    let grant = Grant {
        id: format!("grant-{}", held.id).into(),
        exception: "exception".into(),
        version: 1,
        subject: EntityRef::new("Agent", subject),
        task: if matches!(held.of, Of::AnotherTask) { "u" } else { "t" }.into(),
        chain: Vec::new(),
        enforcement_point: "proxy".into(),
        server: None,
        tool: None,
        action: "post".into(),
        input_digest: approved.call.input_digest,
        input_names: vec!["rows".into()],
        members: Vec::new(),
        scope,
    };
    Candidate { grant: grant.into(), uses_left: held.uses_left, budgets_left: Vec::new(), rate_left: None }
}

fn input(question: SealedQuestion) -> Vec<u8> {
    to_canonical_bytes(&Evaluate { v: ABI_VERSION, question }).unwrap()
}

/// The answer of whoever reads strictly, asks every policy and keeps nothing.
fn alone(rules: &Rules, input: &[u8]) -> String {
    let instance = Instance { rules: Some(rules.unsliced()) };
    // `read` would read a plain text as the instance does: this one never does.
    let strict = read_object_as::<Evaluate>(input, LIMITS, &[]).map_err(|refusal| refused(&refusal));
    let answer = strict.and_then(|input| {
        let rules = instance.rules(input.v, &input.question.bundle)?;
        ok(&evaluate::evaluate(rules, &input.question))
    });
    let answer = answer.unwrap_or_else(|error| bytes(&Answer::<()>::Error(error)).unwrap());
    String::from_utf8(answer).unwrap()
}

fn asked(instance: &mut Instance, input: &[u8]) -> String {
    String::from_utf8(instance.call(Op::Evaluate as i32, input)).unwrap()
}

fn held() -> impl Strategy<Value = Held> {
    let of = prop_oneof![
        4 => Just(Of::This),
        1 => Just(Of::AnotherSubject),
        1 => Just(Of::AnotherTask),
        1 => Just(Of::AnotherDigest),
        1 => Just(Of::Nothing),
    ];
    let most = prop::sample::select(vec![5_i64, 50, 80, 200]);
    (0_usize..3, most, 0_u32..3, of).prop_map(|(id, most, uses_left, of)| Held { id, most, uses_left, of })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_instance_answers_alike_whatever_it_was_asked_before(
        steps in prop::collection::vec(
            (
                prop::sample::select(vec!["a", "b"]),
                prop::sample::select(vec![1_i64, 40, 50, 60, 95]),
                prop::collection::vec(held(), 0..4),
                prop::option::of(0_usize..3),
                (any::<prop::sample::Index>(), any::<u8>()),
            ),
            1..10,
        ),
    ) {
        thread_local! { static BUNDLE: Bundle = bundle(); }
        BUNDLE.with(|bundle| {
            let mut instance = Instance { rules: Some(bundle.rules.clone()) };
            for (subject, rows, held, locked, (at, byte)) in steps {
                let candidates = held.iter().map(|held| candidate(bundle, held)).collect();
                let target = |id| LockTarget::Grant(format!("grant-{id}"));
                let locks = locked.map(|id| Lock { id: "lock".to_owned(), target: target(id) });
                let locks = locks.into_iter().collect();
                let input = input(SealedQuestion { candidates, locks, ..question(bundle, subject, rows) });
                let expected = alone(&bundle.rules, &input);
                prop_assert_eq!(&asked(&mut instance, &input), &expected);
                prop_assert_eq!(&asked(&mut instance, &input), &expected);
                // One byte that differs is another question, or none.
                let mut other = input;
                let place = at.index(other.len());
                other[place] = byte;
                prop_assert_eq!(&asked(&mut instance, &other), &alone(&bundle.rules, &other));
            }
            Ok(())
        })?;
    }
}

#[test]
fn a_grant_that_is_revoked_between_two_questions_permits_the_first_alone() {
    let bundle = bundle();
    let mut instance = Instance { rules: Some(bundle.rules.clone()) };
    let held = |of: Of| candidate(&bundle, &Held { id: 1, most: 80, uses_left: 1, of });
    let with = |subject: &str, candidates: Vec<Candidate>| {
        input(SealedQuestion { candidates, ..question(&bundle, subject, 40) })
    };
    let mut outcome = |input: Vec<u8>| {
        let answer = asked(&mut instance, &input);
        assert_eq!(answer, alone(&bundle.rules, &input));
        answer.contains("permitted_by_exception")
    };
    for _ in 0..2 {
        assert!(outcome(with("a", vec![held(Of::This)])));
        assert!(!outcome(with("a", Vec::new())), "it is a candidate only where the question holds it");
        // The same id, and another text.
        assert!(!outcome(with("a", vec![held(Of::AnotherTask)])));
        assert!(!outcome(with("b", vec![held(Of::This)])), "of another subject");
        // Two that share all but their id, and two that share their id.
        let second = candidate(&bundle, &Held { id: 2, most: 80, uses_left: 1, of: Of::This });
        assert!(outcome(with("a", vec![held(Of::AnotherTask), second])));
        assert!(outcome(with("a", vec![held(Of::AnotherTask), held(Of::This)])));
    }
}

#[test]
fn a_full_store_changes_no_answer() {
    let bundle = bundle();
    let mut instance = Instance { rules: Some(bundle.rules.clone()) };
    let expected: BTreeMap<bool, String> = [true, false]
        .map(|permits| {
            let held = Held { id: 0, most: if permits { 80 } else { 5 }, uses_left: 1, of: Of::This };
            let candidates = vec![candidate(&bundle, &held)];
            (permits, alone(&bundle.rules, &input(SealedQuestion { candidates, ..question(&bundle, "a", 40) })))
        })
        .into();
    for number in 0..1_200 {
        let permits = number % 3 == 0;
        let held = Held { id: number, most: if permits { 80 } else { 5 }, uses_left: 1, of: Of::This };
        let other = Held { id: number / 2, most: 9, uses_left: 1, of: Of::This };
        let candidates = vec![candidate(&bundle, &held), candidate(&bundle, &other)];
        let input = input(SealedQuestion { candidates, ..question(&bundle, "a", 40) });
        let named = expected[&permits].replace("grant-0", &held_id(number));
        assert_eq!(asked(&mut instance, &input), named, "{number}");
    }
}

fn held_id(number: usize) -> String {
    format!("grant-{number}")
}

#[test]
fn a_text_that_is_written_otherwise_is_answered_as_the_strict_reader_has_it() {
    let bundle = bundle();
    let mut instance = Instance { rules: Some(bundle.rules.clone()) };
    let candidates = vec![candidate(&bundle, &Held { id: 1, most: 80, uses_left: 1, of: Of::This })];
    let input = input(SealedQuestion { candidates, ..question(&bundle, "a", 40) });
    let text = String::from_utf8(input).unwrap();
    for (written, otherwise) in [
        ("\"uses_left\":1", "\"uses_left\":0,\"uses_left\":1"),
        ("\"uses_left\":1", "\"uses_left\":1,\"uses_left\":0"),
        ("\"uses_left\":1", "\"uses_left\":1.0"),
        ("\"uses_left\":1", "\"uses_left\":-0"),
        ("\"uses_left\":1", "\"uses_left\":1,\"used\":0"),
        ("\"max\":80", "\"max\":8e1"),
        ("\"max\":80", "\"max\":5"),
        ("\"id\":\"grant-1\"", "\"id\":\"grant\\u002d1\""),
        ("\"candidates\":[", "\"candidates\":[],\"candidates\":["),
        ("\"candidates\":[", "\"candidates\": ["),
        ("\"entities\":[", "\"entities\":[],\"entities\":["),
        ("\"entities\":[", "\"\\u0065ntities\":["),
    ] {
        assert!(text.contains(written), "{written}");
        let other = text.replacen(written, otherwise, 1);
        for asked_of in [text.as_bytes(), other.as_bytes(), other.as_bytes(), text.as_bytes()] {
            assert_eq!(asked(&mut instance, asked_of), alone(&bundle.rules, asked_of), "{otherwise}");
        }
    }
}
