//! Renewal: what an agent calls its request decides none of it (R5).

use super::after;
use crate::digest::Digest;
use crate::entity::{EntityRef, Hop};
use crate::fixtures::*;
use crate::grant::{Budget, Rate, ResourceScope, Scope};
use crate::lifecycle::{Command, Context, Exception, Rejection, Renewal, RequestFacts, renewal_of};
use crate::outcome::Terms;
use crate::time::Span;

fn next(state: Exception, command: Command, context: &Context) -> Exception {
    step(Some(state), command, context).unwrap().0.unwrap()
}

fn granted(scope: Scope) -> Exception {
    play(scope.clone(), vec![(approve("bob", scope), context(10, terms(1)))])
}

/// As long as what was granted at second 10.
fn as_long() -> Scope {
    Scope { not_after: at(590), ..exact() }
}

fn renewing(scope: Scope, number: u32, declared: bool) -> RequestFacts {
    let renews = Some(Renewal { of: "e1".into(), number, declared });
    RequestFacts { id: "e2".into(), renews, ..facts(scope) }
}

fn capped(max_renewals: u32) -> Terms {
    Terms { max_renewals: Some(max_renewals), ..terms(1) }
}

fn request(facts: RequestFacts, predecessor: Option<&Exception>, terms: Terms) -> Result<Exception, Rejection> {
    let predecessor = predecessor.cloned().map(Box::new);
    let now = Context { predecessor, ..context(0, terms) };
    step(None, Command::Request(Box::new(facts)), &now).map(|(state, _)| state.unwrap())
}

#[test]
fn a_chain_of_renewals_is_as_long_as_policy_says() {
    let first = granted(exact());
    let chained = |number| {
        let mut earlier = first.clone();
        earlier.request.renews = Some(Renewal { of: "e0".into(), number, declared: true });
        earlier
    };
    for (predecessor, number, terms, expected) in [
        (&first, 1, capped(1), None),
        (&first, 1, terms(1), Some(Rejection::RenewalCap)),
        (&first, 1, capped(0), Some(Rejection::RenewalCap)),
        (&first, 2, capped(9), Some(Rejection::RenewalCap)),
        (&first, 0, capped(9), Some(Rejection::RenewalCap)),
        (&chained(1), 2, capped(2), None),
        (&chained(1), 2, capped(1), Some(Rejection::RenewalCap)),
        (&chained(1), 1, capped(9), Some(Rejection::RenewalCap)),
        (&chained(u32::MAX), u32::MAX, capped(9), Some(Rejection::RenewalCap)),
    ] {
        for declared in [true, false] {
            let answer = request(renewing(as_long(), number, declared), Some(predecessor), terms.clone());
            assert_eq!(answer.err(), expected, "{number} {declared}");
        }
    }
    // Without the one that it renews, or with another, there is nothing to renew.
    assert_eq!(request(renewing(exact(), 1, true), None, capped(9)).err(), Some(Rejection::Unknown));
    let mut other = first;
    other.request.id = "e9".into();
    assert_eq!(request(renewing(exact(), 1, true), Some(&other), capped(9)).err(), Some(Rejection::Unknown));
    let ungranted = play(exact(), vec![]);
    assert_eq!(request(renewing(exact(), 1, true), Some(&ungranted), capped(9)).err(), Some(Rejection::NoGrant));
}

fn lasts(facts: &mut RequestFacts, begin: Option<i64>, end: i64, valid_for: Option<u64>) {
    facts.scope.not_before = begin.map(at);
    facts.scope.not_after = at(end);
    facts.scope.valid_for = valid_for.map(Span::from_seconds);
}

#[test]
fn a_declared_renewal_lies_inside_its_predecessor_at_another_time() {
    let rate = |uses| Some(Rate { uses, per: Span::from_seconds(60) });
    let budget = |max| vec![Budget { at: path(&["rows"]), max }];
    let held = Scope {
        max_uses: 2,
        rate: rate(2),
        budgets: budget(200),
        not_after: at(60),
        ..with(vec![between(&["rows"], 0, 200)])
    };
    let predecessor = granted(held.clone());
    // It was granted at second 10.
    assert_eq!(predecessor.phase.grant().unwrap().length(), Span::from_seconds(50));
    type Change<'a> = &'a dyn Fn(&mut RequestFacts);
    let rows: &[(Change<'_>, bool)] = &[
        (&|_| (), true),
        (&|facts| facts.scope.not_after = at(51), false),
        (&|facts| facts.scope.not_after = at(900), false),
        (&|facts| facts.scope.not_before = Some(at(0)), true),
        (&|facts| lasts(facts, Some(100), 150, None), true),
        (&|facts| lasts(facts, Some(100), 151, None), false),
        (&|facts| lasts(facts, None, 900, Some(50)), true),
        (&|facts| lasts(facts, None, 900, Some(51)), false),
        (&|facts| lasts(facts, Some(100), 900, Some(50)), true),
        (&|facts| facts.scope.arguments = crate::grant::ArgumentScope::Exact, true),
        (&|facts| facts.scope.max_uses = 1, true),
        (&|facts| facts.scope.max_uses = 3, false),
        (&|facts| facts.scope.rate = rate(3), false),
        (&|facts| facts.scope.rate = None, false),
        (&|facts| facts.scope.budgets = budget(201), false),
        (&|facts| facts.scope.budgets = vec![], false),
        (&|facts| facts.scope.arguments = with(vec![between(&["rows"], 0, 201)]).arguments, false),
        (&|facts| facts.scope.arguments = with(vec![inside(&["file"], "/reports")]).arguments, false),
        (&|facts| facts.scope.resource = ResourceScope::In(group("quarters")), false),
        (&|facts| facts.question.call.subject = EntityRef::new("Agent", "a2"), false),
        (&|facts| facts.question.task = "T-2".into(), false),
        (&|facts| facts.question.chain.reverse(), false),
        (&|facts| facts.question.chain.push(Hop { entity: user("zoe"), issuer: "proviso".into() }), false),
        (&|facts| facts.question.enforcement_point = Some("other".into()), false),
        (&|facts| facts.question.call.server = Some("other".into()), false),
        (&|facts| facts.question.call.tool = Some(Digest::of(b"another definition")), false),
        (&|facts| facts.question.call.action = "export".into(), false),
        (&|facts| facts.question.call.resources.push(dataset("q2")), false),
    ];
    for (number, (change, inside)) in rows.iter().enumerate() {
        let mut facts = renewing(Scope { not_after: at(50), ..held.clone() }, 1, true);
        facts.decide_by = at(50);
        change(&mut facts);
        let answer = request(facts.clone(), Some(&predecessor), capped(1)).err();
        assert_eq!(answer, (!inside).then_some(Rejection::Widens), "row {number}");
        // What is not called a renewal counts as one, and may be another request.
        facts.renews = Some(Renewal { of: "e1".into(), number: 1, declared: false });
        assert_eq!(request(facts, Some(&predecessor), capped(1)).err(), None, "row {number}");
    }
    // Exactly the same arguments, where the grant was for exactly those.
    let exactly = granted(exact());
    assert_eq!(request(renewing(as_long(), 1, true), Some(&exactly), capped(1)).err(), None);
    let mut other = renewing(as_long(), 1, true);
    other.question = question_with(input(101, "/reports/q3.csv", "quarter end"));
    assert_eq!(request(other, Some(&exactly), capped(1)).err(), Some(Rejection::Widens));
    // An argument that the predecessor's call did not have.
    let mut added = renewing(held, 1, true);
    let mut more = input(100, "/reports/q3.csv", "quarter end");
    more.insert("overwrite", crate::value::Value::Bool(true));
    added.question = question_with(more);
    added.scope.not_after = at(50);
    added.decide_by = at(50);
    assert_eq!(request(added, Some(&predecessor), capped(1)).err(), Some(Rejection::Widens));
}

#[test]
fn a_renewed_group_has_the_members_that_it_had() {
    let valid_for = Some(Span::from_seconds(100));
    let scope = Scope { resource: ResourceScope::In(group("quarters")), valid_for, not_after: at(900), ..exact() };
    let with = |members: &[&str], predecessor: Option<&Exception>| Context {
        members: members.iter().map(|id| dataset(id)).collect(),
        predecessor: predecessor.cloned().map(Box::new),
        ..context(10, capped(1))
    };
    let first = next(play(scope.clone(), vec![]), approve("bob", scope.clone()), &with(&["q2", "q3"], None));
    let asked = request(renewing(scope.clone(), 1, true), Some(&first), capped(1)).unwrap();
    let vote = || approve("carol", scope.clone());
    let renewed = next(asked.clone(), vote(), &with(&["q3", "q4", "q5"], Some(&first)));
    assert_eq!(renewed.phase.grant().unwrap().grant.members, vec![dataset("q3")]);
    assert_eq!(after(&asked, vote(), &with(&["q4"], Some(&first))), Err(Rejection::BadGroup), "nothing is left");
    assert_eq!(after(&asked, vote(), &with(&["q3"], None)), Err(Rejection::BadGroup), "nobody knows what it had");
    let mut other = first.clone();
    other.request.id = "e9".into();
    assert_eq!(after(&asked, vote(), &with(&["q3"], Some(&other))), Err(Rejection::BadGroup));
    // One that is not called a renewal is a request of its own.
    let noticed = request(renewing(scope.clone(), 1, false), Some(&first), capped(1)).unwrap();
    let granted = next(noticed, vote(), &with(&["q3", "q4"], Some(&first)));
    assert_eq!(granted.phase.grant().unwrap().grant.members, vec![dataset("q3"), dataset("q4")]);
}

fn again() -> RequestFacts {
    RequestFacts { id: "e2".into(), ..facts(exact()) }
}

fn period(seconds: u64) -> Terms {
    Terms { renewal_period: Some(Span::from_seconds(seconds)), ..terms(1) }
}

#[test]
fn what_overlaps_a_recent_grant_renews_it_whatever_it_is_called() {
    let revoke = Command::Revoke { by: user("carol"), reason: "wrong".into() };
    let ended = next(granted(exact()), revoke, &context(100, terms(1)));
    let renewal = Renewal { of: "e1".into(), number: 1, declared: false };
    for (terms, second, expected) in [(period(50), 149, true), (period(50), 150, false), (terms(1), 101, false)] {
        let found = renewal_of(&again(), &terms, [&ended].into_iter(), at(second));
        assert_eq!(found, expected.then(|| renewal.clone()), "at {second}");
    }
    // One that is live, one that ran out by itself, none that was never granted, none that is itself.
    let live = granted(exact());
    assert_eq!(renewal_of(&again(), &period(50), [&live].into_iter(), at(20)), Some(renewal.clone()));
    assert_eq!(renewal_of(&again(), &period(50), [&live].into_iter(), at(649)), Some(renewal));
    assert_eq!(renewal_of(&again(), &period(50), [&live].into_iter(), at(650)), None);
    assert_eq!(renewal_of(&again(), &period(50), [&play(exact(), vec![])].into_iter(), at(20)), None);
    assert_eq!(renewal_of(&facts(exact()), &period(50), [&live].into_iter(), at(20)), None);
    // Of several the one farthest along.
    let mut second = live.clone();
    second.request.id = "e0".into();
    second.request.renews = Some(Renewal { of: "e1".into(), number: 4, declared: true });
    let found = renewal_of(&again(), &period(50), [&live, &second].into_iter(), at(20));
    assert_eq!(found, Some(Renewal { of: "e0".into(), number: 5, declared: false }));
}

#[test]
fn another_task_or_other_words_are_no_other_call() {
    let live = granted(exact());
    type Change<'a> = &'a dyn Fn(&mut RequestFacts);
    let rows: &[(Change<'_>, bool)] = &[
        (&|facts| facts.justification = "something else entirely".into(), true),
        (&|facts| facts.question.task = "T-2".into(), true),
        (&|facts| facts.question.chain.clear(), true),
        (&|facts| facts.question.call.tool = Some(Digest::of(b"another definition")), true),
        (&|facts| facts.scope.max_uses = 5, true),
        (&|facts| facts.question.call.subject = EntityRef::new("Agent", "a2"), false),
        (&|facts| facts.question.call.action = "export".into(), false),
        (&|facts| facts.question.call.server = Some("other".into()), false),
        (&|facts| facts.question.call.resources = vec![dataset("q4")], false),
        (&|facts| facts.question = question_with(input(1, "/reports/q3.csv", "quarter end")), false),
    ];
    for (number, (change, overlaps)) in rows.iter().enumerate() {
        let mut facts = again();
        change(&mut facts);
        let found = renewal_of(&facts, &period(50), [&live].into_iter(), at(20));
        assert_eq!(found.is_some(), *overlaps, "row {number}");
    }
}
