//! What holds of all scopes: narrowing is an order, and it never lets more calls through.

use proptest::prelude::*;

use super::*;
use crate::fixtures::*;
use crate::grant::{ArgumentScope, Budget, Condition, Rate, ResourceScope, Scalar, Scope, Test};
use crate::question::{Candidate, SealedQuestion};
use crate::time::Span;
use crate::value::Value;

fn text(value: &str) -> Scalar {
    Scalar::String(value.into())
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let number = 0..6i64;
    let file = prop::sample::select(vec!["/a", "/a/b", "/a/b/c", "/ab", "/"]);
    prop_oneof![
        number.clone().prop_map(|value| equals(&["rows"], Scalar::Long(value))),
        prop::collection::btree_set(number.clone(), 1..4)
            .prop_map(|values| one_of(&["rows"], values.into_iter().map(Scalar::Long).collect())),
        (number.clone(), number).prop_map(|(a, b)| between(&["rows"], a.min(b), a.max(b))),
        file.clone().prop_map(|folder| inside(&["file"], folder)),
        file.prop_map(|value| equals(&["file"], text(value))),
        prop::sample::select(vec!["x", "y"]).prop_map(|value| equals(&["note"], text(value))),
    ]
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let arguments = prop_oneof![
        1 => Just(ArgumentScope::Exact),
        4 => prop::collection::vec(any_condition(), 1..4).prop_map(|mut conditions| {
            conditions.sort_by(|a, b| a.at.cmp(&b.at));
            conditions.dedup_by(|a, b| a.at == b.at);
            ArgumentScope::Conditions(conditions)
        }),
    ];
    let budgets = prop::option::of(0..20i64)
        .prop_map(|max| max.map(|max| Budget { at: path(&["rows"]), max }).into_iter().collect::<Vec<_>>());
    let rate = prop::option::of((1..4u32, 1..4u64));
    let rate = rate.prop_map(|rate| rate.map(|(uses, per)| Rate { uses, per: Span::from_seconds(per) }));
    let valid_for = prop::option::of((1..4u64).prop_map(Span::from_seconds));
    (any::<bool>(), arguments, prop::option::of(0..4i64), 4..8i64, 1..4u32, budgets, valid_for, rate).prop_map(
        |(one, arguments, begin, end, max_uses, budgets, valid_for, rate)| Scope {
            resource: if one { ResourceScope::Is(dataset("q3")) } else { ResourceScope::In(group("quarters")) },
            arguments,
            not_before: begin.map(at),
            not_after: at(end),
            max_uses,
            valid_for,
            rate,
            budgets,
        },
    )
}

fn approved() -> SealedQuestion {
    question_with(input(3, "/a/b", "x"))
}

fn any_question() -> impl Strategy<Value = SealedQuestion> {
    let file = prop::sample::select(vec!["/a", "/a/b", "/a/b/c", "/ab", "/a/../b", "b"]);
    let resource = prop::sample::select(vec!["q2", "q3", "q4"]);
    (0..6i64, file, prop::sample::select(vec!["x", "y"]), resource, 0..9i64).prop_map(
        |(rows, file, note, id, second)| {
            let mut question = question_with(input(rows, file, note));
            question.call.resources = vec![dataset(id)];
            question.now = at(second);
            question
        },
    )
}

/// As the votes would make it: the candidate for the approved call.
fn candidate_for(scope: &Scope) -> Candidate {
    let members = match &scope.resource {
        ResourceScope::In(_) => vec![dataset("q2"), dataset("q3")],
        ResourceScope::Is(_) => vec![],
    };
    let budgets_left = scope.budgets.iter().map(|budget| budget.max).collect();
    let grant = grant_of(scope.clone(), members, &approved()).into();
    Candidate { grant, uses_left: scope.max_uses, budgets_left, rate_left: scope.rate.map(|rate| rate.uses) }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn within_is_reflexive(scope in any_scope()) {
        prop_assert_eq!(within(&scope, &scope, &approved()), Ok(()));
    }

    #[test]
    fn within_is_transitive(a in any_scope(), b in any_scope(), c in any_scope()) {
        if within(&a, &b, &approved()).is_ok() && within(&b, &c, &approved()).is_ok() {
            prop_assert_eq!(within(&a, &c, &approved()), Ok(()), "{:?} {:?} {:?}", a, b, c);
        }
    }

    #[test]
    fn what_a_narrower_grant_covers_the_wider_covers(a in any_scope(), b in any_scope(), q in any_question()) {
        if within(&a, &b, &approved()).is_ok() && covers(&candidate_for(&a), &q).is_ok() {
            prop_assert_eq!(covers(&candidate_for(&b), &q), Ok(()), "{:?} in {:?}", a, b);
        }
    }

    #[test]
    fn covers_agrees_with_a_plain_reading_of_the_conditions(scope in any_scope(), q in any_question()) {
        let Some(Value::Record(input)) = &q.call.input else { unreachable!("the question has arguments") };
        let (Some(Value::Long(rows)), Some(Value::String(file)), Some(Value::String(note))) =
            (input.get("rows"), input.get("file"), input.get("note"))
        else { unreachable!("the arguments have these types") };
        let scalar = |condition: &Condition| match condition.at[0].as_str() {
            "rows" => Scalar::Long(*rows),
            "file" => text(file),
            _ => text(note),
        };
        let arguments = match &scope.arguments {
            ArgumentScope::Exact => (*rows, file.as_str(), note.as_str()) == (3, "/a/b", "x"),
            ArgumentScope::Conditions(conditions) => conditions.iter().all(|condition| match &condition.test {
                Test::Equals { value } => *value == scalar(condition),
                Test::OneOf { values } => values.contains(&scalar(condition)),
                Test::Between { min, max } => min <= rows && rows <= max,
                Test::Inside { path } => match file.as_str() {
                    "/a" => path == "/a" || path == "/",
                    "/a/b" => ["/", "/a", "/a/b"].contains(&path.as_str()),
                    "/a/b/c" => ["/", "/a", "/a/b", "/a/b/c"].contains(&path.as_str()),
                    "/ab" => path == "/" || path == "/ab",
                    _ => false,
                },
            }),
        };
        let resource = match &scope.resource {
            ResourceScope::Is(_) => q.call.resources == [dataset("q3")],
            ResourceScope::In(_) => q.call.resources != [dataset("q4")],
        };
        let window = scope.not_before.is_none_or(|begin| begin <= q.now) && q.now < scope.not_after;
        let budget = scope.budgets.iter().all(|budget| *rows <= budget.max);
        let result = covers(&candidate_for(&scope), &q);
        prop_assert_eq!(result.is_ok(), arguments && resource && window && budget, "{:?} {:?}", scope, result);
    }

    #[test]
    fn whoever_keeps_to_an_inner_rate_keeps_to_the_outer(
        (uses, per) in (1..4u32, 1..6u64),
        (most, long) in (1..9u32, 1..12u64),
        mut times in prop::collection::vec(0..30u64, 0..20),
    ) {
        let (inner, outer) = (Rate { uses, per: Span::from_seconds(per) }, Rate { uses: most, per: Span::from_seconds(long) });
        times.sort_unstable();
        // What the inner rate lets through of these.
        let mut used: Vec<u64> = Vec::new();
        for time in times {
            if used.iter().filter(|at| time - **at < per).count() < uses as usize {
                used.push(time);
            }
        }
        let most_at_once = used.iter().map(|from| used.iter().filter(|at| (*from..from + long).contains(at)).count()).max();
        if inner.is_inside(outer) {
            prop_assert!(most_at_once.unwrap_or(0) <= most as usize, "{} in {}: {:?}", inner, outer, used);
        }
    }

    #[test]
    fn what_lies_inside_overlaps_and_what_lets_a_call_through_shares_it(a in any_scope(), b in any_scope(), q in any_question()) {
        let (asked, grant) = (approved(), candidate_for(&b).grant);
        if lies_inside_grant(&a, &asked, &grant) {
            prop_assert!(overlaps_grant(&a, &asked, &grant, &asked), "{:?} in {:?}", a, b);
        }
        // A call that both let through, whatever its time, is one that they share.
        let timeless = |scope: &Scope| Scope { not_before: None, not_after: at(99), rate: None, budgets: vec![], ..scope.clone() };
        if covers(&candidate_for(&timeless(&a)), &q).is_ok() && covers(&candidate_for(&timeless(&b)), &q).is_ok() {
            prop_assert!(overlaps_grant(&a, &asked, &grant, &asked), "{:?} and {:?}", a, b);
        }
    }
}
