//! Scopes for one call against what was asked or granted for another, and what bounds validity and speed.

use super::*;
use crate::fixtures::*;
use crate::grant::{ArgumentScope, Condition, Grant, Rate, ResourceScope, Scalar, Scope};
use crate::question::Candidate;
use crate::time::Span;

fn seconds(seconds: u64) -> Option<Span> {
    Some(Span::from_seconds(seconds))
}

fn rate(uses: u32, per: u64) -> Option<Rate> {
    Some(Rate { uses, per: Span::from_seconds(per) })
}

fn long(number: i64) -> Scalar {
    Scalar::Long(number)
}

#[test]
fn absent_is_wider_than_any_validity_or_rate() {
    for (inner, outer, expected) in [
        (None, None, Ok(())),
        (seconds(60), None, Ok(())),
        (seconds(60), seconds(60), Ok(())),
        (seconds(59), seconds(60), Ok(())),
        (seconds(61), seconds(60), Err(Widening::ValidFor)),
        (None, seconds(60), Err(Widening::ValidFor)),
    ] {
        let scope = |valid_for| Scope { valid_for, ..exact() };
        assert_eq!(within(&scope(inner), &scope(outer), &question()), expected, "{inner:?} in {outer:?}");
    }
    for (inner, outer, expected) in [
        (None, None, Ok(())),
        (rate(2, 60), None, Ok(())),
        (rate(2, 60), rate(2, 60), Ok(())),
        (rate(3, 60), rate(2, 60), Err(Widening::Rate)),
        (None, rate(2, 60), Err(Widening::Rate)),
    ] {
        let scope = |rate| Scope { rate, ..exact() };
        assert_eq!(within(&scope(inner), &scope(outer), &question()), expected, "{inner:?} in {outer:?}");
    }
}

#[test]
fn a_window_or_rate_that_nobody_can_keep_is_no_scope() {
    let call = question().call;
    for (scope, expected) in [
        (Scope { valid_for: seconds(1), ..exact() }, Ok(())),
        (Scope { valid_for: seconds(0), ..exact() }, Err(BadScope::Window)),
        (Scope { rate: rate(1, 1), ..exact() }, Ok(())),
        (Scope { rate: rate(256, 1), ..exact() }, Ok(())),
        (Scope { rate: rate(0, 1), ..exact() }, Err(BadScope::Rate)),
        (Scope { rate: rate(257, 1), ..exact() }, Err(BadScope::Rate)),
        (Scope { rate: rate(1, 0), ..exact() }, Err(BadScope::Rate)),
    ] {
        assert_eq!(check_scope(&scope, &call, at(0)), expected, "{scope:?}");
    }
}

#[test]
fn a_candidate_that_its_rate_holds_back_covers_nothing() {
    for (rate, left, expected) in [
        (None, None, Ok(())),
        (None, Some(0), Ok(())),
        (rate(2, 60), Some(1), Ok(())),
        (rate(2, 60), Some(0), Err(Miss::OverRate)),
        (rate(2, 60), None, Err(Miss::OverRate)),
    ] {
        let candidate = Candidate { rate_left: left, ..candidate(Scope { rate, ..exact() }) };
        assert_eq!(covers(&candidate, &question()), expected, "{rate:?} {left:?}");
    }
    // What is nearer is told: that its rate holds it back only when nothing else does.
    let over = Candidate { rate_left: Some(0), uses_left: 0, ..candidate(Scope { rate: rate(2, 60), ..exact() }) };
    assert_eq!(covers(&over, &question()), Err(Miss::Exhausted));
    assert!(Miss::OverRate > Miss::NotYetActive && Miss::OverRate.code() == "over_rate");
}

#[test]
fn the_smallest_scope_lies_inside_what_was_asked() {
    let hour = Scope { not_after: at(7200), valid_for: seconds(3600), rate: rate(2, 60), ..exact() };
    for (requested, not_after, valid_for) in [
        (None, at(900), None),
        (Some(Scope { not_after: at(3600), ..exact() }), at(900), None),
        (Some(exact()), at(600), None),
        (Some(hour.clone()), at(7200), seconds(900)),
        (Some(Scope { valid_for: seconds(60), ..hour.clone() }), at(7200), seconds(60)),
        (Some(Scope { not_before: Some(at(100)), ..hour.clone() }), at(7200), seconds(900)),
        (Some(Scope { not_before: Some(at(100)), not_after: at(3600), ..exact() }), at(1000), None),
    ] {
        let scope = smallest(&question(), &terms(1), at(0), requested.as_ref()).unwrap();
        assert_eq!((scope.not_after, scope.valid_for), (not_after, valid_for), "{requested:?}");
        if let Some(requested) = requested {
            assert_eq!(within(&scope, &requested, &question()), Ok(()));
            assert_eq!(scope.rate, requested.rate);
        }
    }
}

/// The grant of a scope for the usual call.
fn granted(scope: Scope) -> Grant {
    (*candidate(scope).grant).clone()
}

#[test]
fn what_cannot_be_shown_to_lie_apart_overlaps() {
    let (near, far) = (question(), question_with(input(300, "/other/a.csv", "other")));
    let rows = |min, max| with(vec![between(&["rows"], min, max)]);
    for (scope, asked, held, expected) in [
        (exact(), &near, exact(), true),
        (exact(), &far, exact(), false),
        (exact(), &near, rows(0, 100), true),
        (exact(), &near, rows(101, 200), false),
        (exact(), &far, rows(0, 300), true),
        (rows(0, 100), &far, exact(), true),
        (rows(0, 99), &far, exact(), false),
        (rows(0, 100), &near, rows(100, 200), true),
        (rows(100, 200), &near, rows(0, 100), true),
        (rows(0, 99), &near, rows(100, 200), false),
        (rows(100, 200), &near, rows(0, 99), false),
        (rows(0, 99), &near, with(vec![inside(&["file"], "/reports")]), true),
        (with(vec![inside(&["file"], "/reports/eu")]), &near, with(vec![inside(&["file"], "/reports")]), true),
        (with(vec![inside(&["file"], "/reports")]), &near, with(vec![inside(&["file"], "/reports/eu")]), true),
        (with(vec![inside(&["file"], "/other")]), &near, with(vec![inside(&["file"], "/reports")]), false),
        (with(vec![equals(&["rows"], long(5))]), &near, rows(0, 5), true),
        (with(vec![equals(&["rows"], long(6))]), &near, rows(0, 5), false),
        (rows(0, 5), &near, with(vec![equals(&["rows"], long(6))]), false),
        (with(vec![one_of(&["rows"], vec![long(6), long(5)])]), &near, rows(0, 5), true),
        (with(vec![one_of(&["rows"], vec![long(6), long(7)])]), &near, rows(0, 5), false),
        (rows(0, 5), &near, with(vec![one_of(&["rows"], vec![long(6), long(7)])]), false),
        (
            with(vec![between(&["rows"], 0, 5), inside(&["file"], "/other")]),
            &near,
            with(vec![between(&["rows"], 5, 9), inside(&["file"], "/reports")]),
            false,
        ),
        // One that no value can meet both of is not one of the same kind.
        (with(vec![inside(&["file"], "/reports")]), &near, with(vec![between(&["file"], 0, 1)]), true),
        (with(vec![between(&["file"], 0, 1)]), &near, with(vec![inside(&["file"], "/reports")]), true),
    ] {
        let overlaps = overlaps_grant(&scope, asked, &granted(held.clone()), &near);
        assert_eq!(overlaps, expected, "{scope:?} and {held:?}");
    }
}

#[test]
fn conditions_that_leave_each_argument_one_value_are_the_call_itself() {
    let mut few = input(100, "/reports/q3.csv", "quarter end");
    few.remove("tags");
    few.remove("note");
    let call = question_with(few).call;
    let rest =
        || vec![equals(&["owner"], Scalar::Entity(user("carol"))), equals(&["deep", "flag"], Scalar::Bool(true))];
    let file = || equals(&["file"], Scalar::String("/reports/q3.csv".into()));
    let pins =
        |conditions: Vec<Condition>| pins_arguments(&with(conditions.into_iter().chain(rest()).collect()), &call);
    assert!(pins_arguments(&exact(), &call));
    for rows in [equals(&["rows"], long(100)), between(&["rows"], 100, 100), one_of(&["rows"], vec![long(100)])] {
        assert!(pins(vec![rows.clone(), file()]), "{rows:?}");
        assert!(!pins(vec![rows.clone()]), "the file is open");
        assert!(!pins(vec![rows, inside(&["file"], "/reports/q3.csv")]), "and so is what lies in it");
    }
    for rows in [
        equals(&["rows"], long(101)),
        between(&["rows"], 100, 101),
        one_of(&["rows"], vec![long(100), long(101)]),
        equals(&["row"], long(100)),
    ] {
        assert!(!pins(vec![rows.clone(), file()]), "{rows:?}");
    }
    // What a condition cannot name stays open, and so do arguments that nobody typed.
    let mut tagged = call.clone();
    if let Some(crate::value::Value::Record(members)) = &mut tagged.input {
        members.insert("tags", crate::value::Value::Set(vec![]));
    }
    let all = with(rest().into_iter().chain([equals(&["rows"], long(100)), file()]).collect());
    assert!(pins_arguments(&all, &call) && !pins_arguments(&all, &tagged));
    assert!(!pins_arguments(&all, &crate::question::Call { input: None, ..call }));
}

#[test]
fn groups_overlap_by_what_is_in_them() {
    let within_group = |id: &str| Scope { resource: ResourceScope::In(group(id)), ..exact() };
    let grant_of = |scope: Scope, members: &[&str]| Grant {
        members: members.iter().map(|id| dataset(id)).collect(),
        ..granted(scope)
    };
    let mut elsewhere = question();
    elsewhere.call.resources = vec![dataset("q9")];
    let mut knows = elsewhere.clone();
    knows.entities.retain(|fact| fact.uid != dataset("q3"));
    for (scope, asked, grant, expected) in [
        // The call's resource is what was granted, or among it.
        (exact(), &question(), grant_of(exact(), &[]), true),
        (exact(), &question(), grant_of(within_group("quarters"), &["q2", "q3"]), true),
        (exact(), &question(), grant_of(within_group("quarters"), &["q2"]), false),
        (exact(), &elsewhere, grant_of(exact(), &[]), false),
        // A group that holds what was granted.
        (within_group("quarters"), &elsewhere, grant_of(exact(), &[]), true),
        (within_group("finance"), &elsewhere, grant_of(exact(), &[]), true),
        (within_group("sales"), &elsewhere, grant_of(exact(), &[]), false),
        (within_group("quarters"), &knows, grant_of(exact(), &[]), true),
        // A group in a group, either way, or with a member in common.
        (within_group("quarters"), &elsewhere, grant_of(within_group("quarters"), &["q2"]), true),
        (within_group("finance"), &elsewhere, grant_of(within_group("quarters"), &["q2"]), true),
        (within_group("quarters"), &elsewhere, grant_of(within_group("finance"), &["q2"]), true),
        (within_group("quarters"), &elsewhere, grant_of(within_group("sales"), &["q3"]), true),
        (within_group("quarters"), &elsewhere, grant_of(within_group("sales"), &["q2"]), false),
    ] {
        let scope = Scope { arguments: ArgumentScope::Exact, ..scope };
        assert_eq!(
            overlaps_grant(&scope, asked, &grant, &question()),
            expected,
            "{scope:?} {:?}",
            grant.scope.resource
        );
    }
}

#[test]
fn a_group_overlaps_the_one_that_it_lies_in_either_way() {
    // Quarters lie in finance, and finance in nothing.
    let mut asked = question();
    asked.call.resources = vec![dataset("q9")];
    asked.entities.iter_mut().filter(|fact| fact.uid == group("finance")).for_each(|fact| fact.parents.clear());
    let within_group = |id: &str| Scope { resource: ResourceScope::In(group(id)), ..exact() };
    for (scope, held, expected) in [
        ("quarters", "finance", true),
        ("finance", "quarters", true),
        ("finance", "finance", true),
        ("sales", "sales", true),
        ("sales", "finance", false),
        ("finance", "sales", false),
    ] {
        let grant = Grant { members: vec![dataset("q8")], ..granted(within_group(held)) };
        assert_eq!(overlaps_grant(&within_group(scope), &asked, &grant, &asked), expected, "{scope} and {held}");
    }
}
