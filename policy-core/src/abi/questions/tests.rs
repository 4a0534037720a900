//! What is written with texts that are kept is what is written without any.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::abi::Evaluate;
use crate::entity::EntityRef;
use crate::fixtures::{between, candidate, exact, question, with};
use crate::grant::{Budget, Scope};
use crate::question::{Lock, LockTarget};
use crate::record::Record;
use crate::value::Value;

/// As whoever keeps nothing writes it.
fn anew(question: &SealedQuestion) -> [Vec<u8>; 2] {
    let input = to_canonical_bytes(&Evaluate { v: ABI_VERSION, question: question.clone() }).unwrap();
    [input, to_canonical_bytes(question).unwrap()]
}

fn written(questions: &Questions, question: &SealedQuestion) -> [Vec<u8>; 2] {
    [questions.input(question).unwrap(), questions.question(question).unwrap()]
}

fn named(id: &str) -> Candidate {
    let mut candidate = candidate(exact());
    candidate.grant.id = id.into();
    candidate
}

#[test]
fn a_question_is_written_as_it_is_written_whole() {
    let budget = Budget { at: vec!["rows".to_owned()], max: 250 };
    let mut open = candidate(Scope { budgets: vec![budget], ..with(vec![between(&["rows"], 1, 200)]) });
    open.rate_left = Some(3);
    let bare = SealedQuestion { enforcement_point: None, chain: Vec::new(), ..question() };
    let whole = SealedQuestion {
        bound: true,
        vouched: true,
        context: Record::from([("now", Value::String("\u{202e}\n\"".to_owned()))]),
        // What is not plain: a fraction, and names that are not in the order of their bytes.
        claimed: BTreeMap::from([("s".to_owned(), json!({"\u{fb33}": 0.5, "\u{1f600}": 1e30, "\n": 2}))]),
        candidates: vec![named("a"), open, named("\u{202e}\" \u{e9}")],
        locks: vec![Lock { id: "l".to_owned(), target: LockTarget::Subject(EntityRef::new("Agent", "a")) }],
        ..question()
    };
    let questions = Questions::default();
    for question in [bare, question(), whole] {
        for _ in 0..3 {
            assert_eq!(written(&questions, &question), anew(&question));
        }
    }
    let refused = SealedQuestion { claimed: BTreeMap::from([("n".to_owned(), json!(u64::MAX))]), ..question() };
    assert_eq!(questions.input(&refused).map_err(|error| error.code()), Err("bad_number"));
}

#[test]
fn another_grant_of_the_same_id_is_written_as_it_is() {
    let questions = Questions::default();
    for uses in [1, 2, 1] {
        let mut candidate = named("g");
        candidate.grant.scope.max_uses = uses;
        // The counters are the question's own.
        for uses_left in [uses, 0] {
            let candidates = vec![Candidate { uses_left, ..candidate.clone() }, named("h")];
            let question = SealedQuestion { candidates, ..question() };
            assert_eq!(written(&questions, &question), anew(&question));
        }
    }
}

#[test]
fn few_texts_are_kept_and_a_full_store_changes_nothing() {
    let questions = Questions::default();
    let long = |number: usize| format!("{}{number}", "x".repeat(60_000));
    for number in 0..MOST + 50 {
        let id = if number % 32 == 0 { long(number) } else { number.to_string() };
        let question = SealedQuestion { candidates: vec![named(&id), named("always")], ..question() };
        assert_eq!(questions.question(&question).unwrap(), anew(&question)[1]);
        let texts = questions.0.read().unwrap();
        let bytes: usize = texts.by_id.values().map(|(_, text)| text.len()).sum();
        assert!(texts.by_id.len() <= MOST && bytes <= texts.bytes && texts.bytes <= MOST_BYTES, "{number}");
    }
    // One that is long is written and not kept.
    let question = SealedQuestion { candidates: vec![named(&"y".repeat(LONGEST))], ..question() };
    for _ in 0..2 {
        assert_eq!(written(&questions, &question), anew(&question));
    }
    assert!(questions.0.read().unwrap().by_id.keys().all(|id| !id.starts_with('y')));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_was_written_before(
        asked in prop::collection::vec(prop::collection::vec(("[a-c]", 1_u32..3, 0_u32..3), 0..4), 1..8),
        text in any::<String>(),
    ) {
        let questions = Questions::default();
        for held in asked {
            let candidates = held.into_iter().map(|(id, max_uses, uses_left)| {
                let mut candidate = Candidate { uses_left, ..named(&id) };
                candidate.grant.scope.max_uses = max_uses;
                candidate.grant.exception = text.as_str().into();
                candidate
            });
            let question = SealedQuestion { candidates: candidates.collect(), task: text.as_str().into(), ..question() };
            prop_assert_eq!(written(&questions, &question), anew(&question));
        }
    }
}
