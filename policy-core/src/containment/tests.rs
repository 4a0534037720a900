//! Containment at, inside and outside each edge.

use super::*;
use crate::fixtures::*;
use crate::grant::{Budget, Condition, ResourceScope, Scalar, Scope};
use crate::question::{Candidate, SealedQuestion};
use crate::time::Span;
use crate::value::Value;

type Change<'a, T> = &'a dyn Fn(&mut T);

fn text(value: &str) -> Scalar {
    Scalar::String(value.into())
}

fn code(result: Result<(), Miss>) -> String {
    match result {
        Ok(()) => "covered".into(),
        Err(Miss::OutOfScope(dimension)) => format!("out_of_scope {}", dimension.word()),
        Err(miss) => miss.code().into(),
    }
}

#[test]
fn a_grant_covers_one_call_and_not_its_neighbour_in_any_dimension() {
    let changes: &[(Change<'_, SealedQuestion>, &str)] = &[
        (&|_| (), "covered"),
        (&|q| q.call.subject.id = "a2".into(), "out_of_scope subject"),
        (&|q| q.call.subject.kind = "Robot".into(), "out_of_scope subject"),
        (&|q| q.task = "T-2".into(), "out_of_scope task"),
        (&|q| q.chain.reverse(), "out_of_scope chain"),
        (&|q| drop(q.chain.pop()), "out_of_scope chain"),
        (&|q| q.chain[0].issuer = "else".into(), "out_of_scope chain"),
        (&|q| q.enforcement_point = Some("other".into()), "out_of_scope enforcement_point"),
        (&|q| q.enforcement_point = None, "out_of_scope enforcement_point"),
        (&|q| q.call.server = Some("files".into()), "out_of_scope server"),
        (&|q| q.call.server = None, "out_of_scope server"),
        (&|q| q.call.tool = None, "out_of_scope tool"),
        (&|q| q.call.tool = Some(q.bundle), "out_of_scope tool"),
        (&|q| q.call.action = "drop".into(), "out_of_scope action"),
        (&|q| q.call.resources = vec![dataset("q4")], "out_of_scope resource"),
        (&|q| q.call.resources = vec![], "out_of_scope resource"),
        (&|q| q.call.resources.push(dataset("q4")), "out_of_scope resource"),
        (&|q| q.call.input_digest = q.bundle, "out_of_scope input"),
        (&|q| q.now = at(599), "covered"),
        (&|q| q.now = crate::time::Timestamp::from_millis(at(600).millis() - 1), "covered"),
        (&|q| q.now = at(600), "expired"),
        (&|q| q.now = at(601), "expired"),
    ];
    for (index, (change, expected)) in changes.iter().enumerate() {
        let mut question = question();
        change(&mut question);
        assert_eq!(code(covers(&candidate(exact()), &question)), *expected, "row {index}");
    }
}

#[test]
fn counters_and_the_window_are_compared() {
    let budget = Budget { at: path(&["rows"]), max: 250 };
    let scope = Scope { not_before: Some(at(10)), budgets: vec![budget], max_uses: 3, ..exact() };
    let changes: &[(Change<'_, Candidate>, i64, &str)] = &[
        (&|_| (), 10, "covered"),
        (&|_| (), 9, "not_yet_active"),
        (&|c| c.uses_left = 1, 10, "covered"),
        (&|c| c.uses_left = 0, 10, "exhausted"),
        (&|c| c.budgets_left = vec![100], 10, "covered"),
        (&|c| c.budgets_left = vec![99], 10, "over_budget"),
        (&|c| c.budgets_left = vec![], 10, "over_budget"),
        (&|c| c.grant.scope.budgets[0].at = path(&["note"]), 10, "over_budget"),
        (&|c| c.grant.scope.budgets[0].at = path(&["missing"]), 10, "over_budget"),
        (&|c| c.grant.scope.budgets[0].at = vec![], 10, "over_budget"),
    ];
    for (index, (change, second, expected)) in changes.iter().enumerate() {
        let mut candidate = candidate(scope.clone());
        change(&mut candidate);
        let question = SealedQuestion { now: at(*second), ..question() };
        assert_eq!(code(covers(&candidate, &question)), *expected, "row {index}");
    }
    let negative = question_with(input(-1, "/reports/q3.csv", "x"));
    assert_eq!(amounts(&scope, &negative.call), Err(Miss::OverBudget(path(&["rows"]))));
    assert_eq!(amounts(&scope, &question().call), Ok(vec![100]));
    assert!(Miss::NotYetActive > Miss::Expired && Miss::Expired > Miss::OutOfScope(Dimension::Argument(vec![])));
}

#[test]
fn conditions_hold_of_arguments_at_inside_and_outside_their_edge() {
    let rows = |value| SealedQuestion { ..question_with(input(value, "/reports/q3.csv", "quarter end")) };
    let file = |value: &str| question_with(input(100, value, "quarter end"));
    let note = |value: &str| question_with(input(100, "/reports/q3.csv", value));
    let between_1_and_200 = || with(vec![between(&["rows"], 1, 200)]);
    let in_reports = || with(vec![inside(&["file"], "/reports")]);
    for (scope, question, covered) in [
        (between_1_and_200(), rows(0), false),
        (between_1_and_200(), rows(1), true),
        (between_1_and_200(), rows(200), true),
        (between_1_and_200(), rows(201), false),
        (between_1_and_200(), rows(-5), false),
        (with(vec![between(&["note"], 0, 9)]), question(), false),
        (with(vec![between(&["missing"], 0, 9)]), question(), false),
        (with(vec![equals(&["rows"], Scalar::Long(100))]), rows(100), true),
        (with(vec![equals(&["rows"], Scalar::Long(100))]), rows(101), false),
        (with(vec![equals(&["rows"], text("100"))]), rows(100), false),
        (with(vec![equals(&["note"], text("a*"))]), note("a*"), true),
        (with(vec![equals(&["note"], text("a*"))]), note("ab"), false),
        (with(vec![equals(&["deep", "flag"], Scalar::Bool(true))]), question(), true),
        (with(vec![equals(&["deep", "flag"], Scalar::Bool(false))]), question(), false),
        (with(vec![equals(&["deep", "gone"], Scalar::Bool(true))]), question(), false),
        (with(vec![equals(&["deep"], Scalar::Bool(true))]), question(), false),
        (with(vec![equals(&["note", "deeper"], text("x"))]), question(), false),
        (with(vec![equals(&[], text("x"))]), question(), false),
        (with(vec![equals(&["owner"], Scalar::Entity(user("carol")))]), question(), true),
        (with(vec![equals(&["owner"], Scalar::Entity(user("bob")))]), question(), false),
        (with(vec![equals(&["tags"], text("a"))]), question(), false),
        (with(vec![one_of(&["note"], vec![text("x"), text("y")])]), note("y"), true),
        (with(vec![one_of(&["note"], vec![text("x"), text("y")])]), note("z"), false),
        (with(vec![one_of(&["note"], vec![])]), note("z"), false),
        (in_reports(), file("/reports/q4.csv"), true),
        (in_reports(), file("/reports/deep/q4.csv"), true),
        (in_reports(), file("/reports"), true),
        (in_reports(), file("/reports2/q4.csv"), false),
        (in_reports(), file("/reports/../etc/passwd"), false),
        (in_reports(), file("/reports//x"), false),
        (in_reports(), file("~/reports/x"), false),
        (in_reports(), file(" /reports/x"), false),
        (in_reports(), file("reports/x"), false),
        (with(vec![inside(&["file"], "/reports/*")]), file("/reports/x"), false),
        (with(vec![inside(&["note"], "/reports")]), note("/reports/x"), false),
        (with(vec![between(&["rows"], 1, 200), inside(&["file"], "/reports")]), file("/reports/x"), true),
        (with(vec![between(&["rows"], 1, 99), inside(&["file"], "/reports")]), file("/reports/x"), false),
    ] {
        let result = covers(&candidate(scope.clone()), &question);
        assert_eq!(result.is_ok(), covered, "{scope:?} on {:?}: {result:?}", question.call.input);
    }
}

#[test]
fn an_added_an_untyped_and_a_missing_argument_are_outside() {
    let scope = || with(vec![between(&["rows"], 0, 200)]);
    let mut added = question();
    if let Some(Value::Record(members)) = &mut added.call.input {
        members.insert("overwrite", Value::Bool(true));
    }
    assert_eq!(code(covers(&candidate(scope()), &added)), "out_of_scope input.overwrite");
    let mut untyped = question();
    untyped.call.typed = false;
    assert_eq!(code(covers(&candidate(scope()), &untyped)), "out_of_scope input");
    assert_eq!(code(covers(&candidate(exact()), &untyped)), "covered");
    let mut without = question();
    without.call.input = None;
    assert_eq!(code(covers(&candidate(scope()), &without)), "out_of_scope input.rows");
    // An argument that was there may be left out where no condition names it.
    let mut fewer = question();
    if let Some(Value::Record(members)) = &mut fewer.call.input {
        members.remove("note");
    }
    assert_eq!(code(covers(&candidate(scope()), &fewer)), "covered");
    assert_eq!(code(covers(&candidate(with(vec![])), &question())), "out_of_scope input");
}

#[test]
fn several_resources_are_covered_only_when_every_one_is() {
    let ask = |ids: &[&str]| {
        let mut question = question();
        question.call.resources = ids.iter().map(|id| dataset(id)).collect();
        question
    };
    let group_scope = Scope { resource: ResourceScope::In(group("quarters")), ..exact() };
    let mut fan_out = candidate(exact());
    fan_out.grant.members = vec![dataset("q3"), dataset("q4")];
    for (candidate, resources, covered) in [
        (candidate(group_scope.clone()), &["q2"][..], true),
        (candidate(group_scope.clone()), &["q2", "q3"], true),
        (candidate(group_scope.clone()), &["q2", "q4"], false),
        (candidate(group_scope.clone()), &["quarters"], false),
        (candidate(group_scope), &[], false),
        (fan_out.clone(), &["q3", "q4"], true),
        (fan_out.clone(), &["q3", "q5"], false),
        (fan_out, &["q5"], false),
        (candidate(exact()), &["q3", "q4"], false),
    ] {
        assert_eq!(covers(&candidate, &ask(resources)).is_ok(), covered, "{resources:?}");
    }
}

#[test]
fn the_narrowest_grant_comes_first() {
    let named = |id: &str, scope: Scope, uses_left: u32| {
        let mut candidate = candidate(scope);
        candidate.grant.id = id.into();
        candidate.uses_left = uses_left;
        candidate
    };
    let open = with(vec![equals(&["rows"], Scalar::Long(100))]);
    let later = Scope { not_after: at(601), ..exact() };
    let mut candidates = vec![
        named("open", open, 1),
        named("later", later, 1),
        named("c", exact(), 2),
        named("b", exact(), 1),
        named("a", exact(), 1),
    ];
    order(&mut candidates);
    let ids: Vec<&str> = candidates.iter().map(|candidate| candidate.grant.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "later", "open"]);
}

#[test]
fn what_a_grant_leaves_open_is_named() {
    let all = ["input.deep", "input.file", "input.note", "input.owner", "input.tags"];
    let with_rows = ["input.deep", "input.file", "input.note", "input.owner", "input.rows", "input.tags"];
    for (scope, expected) in [
        (exact(), vec![]),
        (Scope { resource: ResourceScope::In(group("quarters")), ..exact() }, vec!["resource"]),
        (with(vec![equals(&["rows"], Scalar::Long(1))]), all.to_vec()),
        (with(vec![one_of(&["rows"], vec![Scalar::Long(1)])]), all.to_vec()),
        (with(vec![between(&["rows"], 1, 1)]), all.to_vec()),
        (with(vec![between(&["rows"], 1, 2)]), with_rows.to_vec()),
        (
            with(vec![
                equals(&["deep", "flag"], Scalar::Bool(true)),
                inside(&["file"], "/a"),
                one_of(&["note"], vec![text("a"), text("b")]),
            ]),
            with_rows.to_vec(),
        ),
    ] {
        assert_eq!(open_dimensions(&candidate(scope.clone()).grant), expected, "{scope:?}");
    }
}

#[test]
fn narrowing_goes_by_structure() {
    let long = Scalar::Long;
    let rows = |test: Condition| with(vec![test]);
    let in_group = |id: &str| Scope { resource: ResourceScope::In(group(id)), ..exact() };
    let budget = |max| Scope { budgets: vec![Budget { at: path(&["rows"]), max }], ..exact() };
    for (inner, outer, expected) in [
        (exact(), exact(), Ok(())),
        (exact(), rows(between(&["rows"], 0, 100)), Ok(())),
        (exact(), rows(between(&["rows"], 0, 99)), Err(Widening::Arguments)),
        (exact(), rows(inside(&["file"], "/reports")), Ok(())),
        (exact(), rows(inside(&["file"], "/other")), Err(Widening::Arguments)),
        (rows(equals(&["rows"], long(100))), exact(), Err(Widening::Arguments)),
        (rows(equals(&["rows"], long(5))), rows(between(&["rows"], 0, 5)), Ok(())),
        (rows(equals(&["rows"], long(6))), rows(between(&["rows"], 0, 5)), Err(Widening::Arguments)),
        (rows(one_of(&["rows"], vec![long(1), long(5)])), rows(between(&["rows"], 0, 5)), Ok(())),
        (rows(one_of(&["rows"], vec![long(1), long(6)])), rows(between(&["rows"], 0, 5)), Err(Widening::Arguments)),
        (rows(one_of(&["rows"], vec![long(1)])), rows(one_of(&["rows"], vec![long(1), long(2)])), Ok(())),
        (rows(between(&["rows"], 1, 5)), rows(between(&["rows"], 1, 5)), Ok(())),
        (rows(between(&["rows"], 0, 5)), rows(between(&["rows"], 1, 5)), Err(Widening::Arguments)),
        (rows(between(&["rows"], 1, 6)), rows(between(&["rows"], 1, 5)), Err(Widening::Arguments)),
        (rows(between(&["rows"], 2, 2)), rows(equals(&["rows"], long(2))), Ok(())),
        (rows(between(&["rows"], 2, 3)), rows(one_of(&["rows"], vec![long(2), long(3)])), Err(Widening::Arguments)),
        (rows(equals(&["note"], text("x"))), rows(between(&["rows"], 0, 5)), Err(Widening::Arguments)),
        (rows(inside(&["file"], "/reports/a")), rows(inside(&["file"], "/reports")), Ok(())),
        (rows(inside(&["file"], "/reports2")), rows(inside(&["file"], "/reports")), Err(Widening::Arguments)),
        (rows(inside(&["file"], "/reports")), rows(equals(&["file"], text("/reports"))), Err(Widening::Arguments)),
        (rows(equals(&["file"], text("/reports/x"))), rows(inside(&["file"], "/reports")), Ok(())),
        (rows(equals(&["file"], text("/reports/../x"))), rows(inside(&["file"], "/reports")), Err(Widening::Arguments)),
        (exact(), in_group("quarters"), Ok(())),
        (exact(), in_group("finance"), Ok(())),
        (exact(), in_group("other"), Err(Widening::Resource)),
        (in_group("quarters"), in_group("finance"), Ok(())),
        (in_group("quarters"), exact(), Err(Widening::Resource)),
        (Scope { resource: ResourceScope::Is(dataset("q2")), ..exact() }, exact(), Err(Widening::Resource)),
        (Scope { not_after: at(601), ..exact() }, exact(), Err(Widening::NotAfter)),
        (exact(), Scope { not_before: Some(at(5)), ..exact() }, Err(Widening::NotBefore)),
        (
            Scope { not_before: Some(at(4)), ..exact() },
            Scope { not_before: Some(at(5)), ..exact() },
            Err(Widening::NotBefore),
        ),
        (Scope { not_before: Some(at(5)), ..exact() }, exact(), Ok(())),
        (Scope { max_uses: 2, ..exact() }, exact(), Err(Widening::Uses)),
        (exact(), budget(10), Err(Widening::Budgets)),
        (budget(11), budget(10), Err(Widening::Budgets)),
        (budget(10), budget(10), Ok(())),
        (budget(10), exact(), Ok(())),
    ] {
        assert_eq!(within(&inner, &outer, &question()), expected, "{inner:?} in {outer:?}");
    }
    let mut untyped = question();
    untyped.call.typed = false;
    assert_eq!(within(&exact(), &rows(between(&["rows"], 0, 100)), &untyped), Err(Widening::Arguments));
    let mut no_paths = question();
    no_paths.call.paths.clear();
    let folder = || rows(inside(&["file"], "/reports"));
    assert_eq!(within(&folder(), &folder(), &no_paths), Err(Widening::Arguments));
}

#[test]
fn a_scope_that_makes_no_sense_is_refused() {
    let long = Scalar::Long;
    let max = crate::json::LARGEST_INTEGER;
    let many = |count: i64| (0..count).map(long).collect::<Vec<_>>();
    let budget = |at: &[&str], max| Scope { budgets: vec![Budget { at: path(at), max }], ..exact() };
    for (scope, expected) in [
        (exact(), Ok(())),
        (Scope { not_after: at(0), ..exact() }, Err(BadScope::Window)),
        (Scope { not_before: Some(at(600)), ..exact() }, Err(BadScope::Window)),
        (Scope { not_before: Some(at(599)), ..exact() }, Ok(())),
        (Scope { max_uses: 0, ..exact() }, Err(BadScope::Uses)),
        (Scope { resource: ResourceScope::Is(dataset("q4")), ..exact() }, Err(BadScope::Resource)),
        (Scope { resource: ResourceScope::In(group("quarters")), ..exact() }, Ok(())),
        (Scope { resource: ResourceScope::In(group("")), ..exact() }, Err(BadScope::Resource)),
        (with(vec![]), Err(BadScope::TooMany)),
        (with(vec![equals(&["rows"], long(1))]), Ok(())),
        (with(vec![equals(&["rows"], text("1"))]), Err(BadScope::Argument)),
        (with(vec![equals(&["gone"], long(1))]), Err(BadScope::Argument)),
        (with(vec![equals(&["tags"], text("a"))]), Err(BadScope::Argument)),
        (with(vec![equals(&["deep"], Scalar::Bool(true))]), Err(BadScope::Argument)),
        (with(vec![equals(&["deep", "flag"], Scalar::Bool(true))]), Ok(())),
        (with(vec![equals(&[], long(1))]), Err(BadScope::Argument)),
        (with(vec![equals(&["rows"], long(max + 1))]), Err(BadScope::Range)),
        (with(vec![equals(&["note"], text(&"x".repeat(4097)))]), Err(BadScope::TooMany)),
        (with(vec![one_of(&["rows"], many(64))]), Ok(())),
        (with(vec![one_of(&["rows"], many(65))]), Err(BadScope::TooMany)),
        (with(vec![one_of(&["rows"], vec![])]), Err(BadScope::TooMany)),
        (with(vec![one_of(&["rows"], vec![long(1), long(1)])]), Err(BadScope::Duplicate)),
        (with(vec![one_of(&["rows"], vec![long(1), text("1")])]), Err(BadScope::Argument)),
        (with(vec![between(&["rows"], 5, 5)]), Ok(())),
        (with(vec![between(&["rows"], 6, 5)]), Err(BadScope::Range)),
        (with(vec![between(&["rows"], 0, max + 1)]), Err(BadScope::Range)),
        (with(vec![between(&["note"], 0, 1)]), Err(BadScope::Argument)),
        (with(vec![inside(&["file"], "/reports")]), Ok(())),
        (with(vec![inside(&["file"], "reports")]), Err(BadScope::Path)),
        (with(vec![inside(&["file"], "/reports/")]), Err(BadScope::Path)),
        (with(vec![inside(&["note"], "/reports")]), Err(BadScope::Argument)),
        (with(vec![inside(&["rows"], "/reports")]), Err(BadScope::Argument)),
        (with(vec![between(&["rows"], 0, 5), equals(&["rows"], long(1))]), Err(BadScope::Duplicate)),
        (with(vec![between(&["rows"], 0, 5); 65]), Err(BadScope::TooMany)),
        (budget(&["rows"], 0), Ok(())),
        (budget(&["rows"], -1), Err(BadScope::Range)),
        (budget(&["rows"], max + 1), Err(BadScope::Range)),
        (budget(&["note"], 1), Err(BadScope::Argument)),
        (Scope { budgets: vec![Budget { at: path(&["rows"]), max: 1 }; 2], ..exact() }, Err(BadScope::Duplicate)),
        (Scope { budgets: vec![Budget { at: path(&["rows"]), max: 1 }; 9], ..exact() }, Err(BadScope::TooMany)),
    ] {
        assert_eq!(check_scope(&scope, &question().call, at(0)), expected, "{scope:?}");
    }
    let mut untyped = question().call;
    untyped.typed = false;
    assert_eq!(check_scope(&with(vec![equals(&["rows"], long(1))]), &untyped, at(0)), Err(BadScope::Untyped));
    assert_eq!(check_scope(&budget(&["rows"], 1), &untyped, at(0)), Err(BadScope::Untyped));
    assert_eq!(check_scope(&exact(), &untyped, at(0)), Ok(()));
}

#[test]
fn the_smallest_grant_lets_exactly_this_call_through() {
    let question = question();
    let offered = smallest(&question, &terms(1), at(0), None).unwrap();
    assert_eq!(offered, Scope { not_after: at(900), ..exact() });
    assert_eq!(covers(&candidate(offered), &question), Ok(()));
    let short = crate::outcome::Terms { max_duration: Span::from_seconds(60), ..terms(1) };
    assert_eq!(smallest(&question, &short, at(0), None).unwrap().not_after, at(60));
    // Inside what was requested, in every dimension.
    let requested = Scope {
        resource: ResourceScope::In(group("quarters")),
        not_before: Some(at(100)),
        not_after: at(300),
        budgets: vec![Budget { at: path(&["rows"]), max: 500 }],
        max_uses: 3,
        ..with(vec![between(&["rows"], 0, 200)])
    };
    let offered = smallest(&question, &terms(1), at(0), Some(&requested)).unwrap();
    assert_eq!(within(&offered, &requested, &question), Ok(()));
    assert_eq!((offered.not_before, offered.not_after, offered.max_uses), (Some(at(100)), at(300), 1));
    let mut nothing = question;
    nothing.call.resources.clear();
    assert_eq!(smallest(&nothing, &terms(1), at(0), None), None);
}

#[test]
fn a_scope_holds_so_many_conditions_budgets_and_so_much_text() {
    let mut more = input(100, "/reports/q3.csv", "quarter end");
    more.extend((0..70).map(|number| (format!("n{number:02}"), Value::Long(number))));
    let call = question_with(more).call;
    let numbered = |count: usize| (0..count).map(|number| format!("n{number:02}"));
    let conditions = |count| with(numbered(count).map(|name| between(&[&name], 0, 99)).collect());
    let budgets =
        |count| Scope { budgets: numbered(count).map(|name| Budget { at: vec![name], max: 9 }).collect(), ..exact() };
    let note = |length: usize| with(vec![equals(&["note"], text(&"x".repeat(length)))]);
    let owner = |length: usize| {
        let owner = Scalar::Entity(crate::entity::EntityRef::new("User", "x".repeat(length)));
        with(vec![equals(&["owner"], owner)])
    };
    for (scope, expected) in [
        (conditions(64), Ok(())),
        (conditions(65), Err(BadScope::TooMany)),
        (budgets(8), Ok(())),
        (budgets(9), Err(BadScope::TooMany)),
        (note(11), Ok(())),
        (note(4096), Ok(())),
        (note(4097), Err(BadScope::TooMany)),
        (owner(5), Ok(())),
        (owner(4096), Ok(())),
        (owner(4097), Err(BadScope::TooMany)),
    ] {
        assert_eq!(check_scope(&scope, &call, at(0)), expected);
    }
}

#[test]
fn of_several_resources_the_one_that_was_asked_stays() {
    let mut question = question();
    question.call.resources.push(dataset("q2"));
    for id in ["q3", "q2"] {
        let asked = Scope { resource: ResourceScope::Is(dataset(id)), ..exact() };
        let smallest = smallest(&question, &terms(1), at(0), Some(&asked)).unwrap();
        assert_eq!(smallest.resource, asked.resource);
        assert_eq!(within(&smallest, &asked, &question), Ok(()));
    }
}

#[test]
fn a_group_lies_inside_itself_and_nothing_that_holds_it_not() {
    let within_group = |id: &str| Scope { resource: ResourceScope::In(group(id)), ..exact() };
    for (inner, outer, expected) in [
        ("sales", "sales", Ok(())),
        ("sales", "quarters", Err(Widening::Resource)),
        ("quarters", "sales", Err(Widening::Resource)),
        ("quarters", "finance", Ok(())),
    ] {
        assert_eq!(within(&within_group(inner), &within_group(outer), &question()), expected, "{inner} in {outer}");
    }
}
