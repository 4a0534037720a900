//! Two clocks, a later start, a rate, and uses that are given back (R3, R4, R6).

use super::after;
use crate::digest::Digest;
use crate::fixtures::*;
use crate::grant::{Budget, Rate, Scope};
use crate::lifecycle::grant::granted_scope;
use crate::lifecycle::{Command, Context, Exception, Phase, Rejection, VoteDecision, effective_state};
use crate::outcome::Terms;
use crate::time::{Span, Timestamp};

fn seconds(seconds: u64) -> Span {
    Span::from_seconds(seconds)
}

fn take(evaluation: &str, amounts: Vec<i64>) -> Command {
    Command::Use { call: format!("call of {evaluation}"), evaluation: evaluation.into(), amounts }
}

fn back(person: &str, evaluation: &str) -> Command {
    let (reason, assurance) = ("the proxy crashed".into(), "link".into());
    Command::GiveBack { by: user(person), evaluation: evaluation.into(), reason, assurance }
}

fn granted(scope: Scope, terms: Terms) -> Exception {
    play(scope.clone(), vec![(approve("bob", scope), context(10, terms))])
}

fn next(state: Exception, command: Command, context: &Context) -> Exception {
    step(Some(state), command, context).unwrap().0.unwrap()
}

#[test]
fn validity_counts_from_the_start_and_the_time_to_decide_does_not_eat_it() {
    let floating = |valid_for| Scope { not_after: at(4000), valid_for: Some(seconds(valid_for)), ..exact() };
    for (scope, max_duration, expected) in [
        (floating(60), 3600, Ok(at(70))),
        (floating(3600), 3600, Ok(at(3610))),
        (Scope { not_after: at(65), ..floating(60) }, 3600, Ok(at(65))),
        (Scope { not_before: Some(at(30)), ..floating(60) }, 3600, Ok(at(90))),
        (Scope { not_before: Some(at(5)), ..floating(60) }, 3600, Ok(at(70))),
        (floating(3601), 3600, Err(Rejection::Widens)),
        (floating(0), 3600, Err(Rejection::BadScope)),
    ] {
        let demanded = Terms { max_duration: seconds(max_duration), ..terms(1) };
        let request = Command::Request(Box::new(facts(scope.clone())));
        let asked = step(None, request, &context(0, demanded.clone())).map(|(state, _)| state.unwrap());
        let end = asked.map(|asked| {
            let granted = next(asked, approve("bob", scope.clone()), &context(10, demanded));
            let state = granted.phase.grant().unwrap();
            assert_eq!(state.grant.scope.valid_for, None, "a grant's end is fixed");
            state.grant.scope.not_after
        });
        assert_eq!(end, expected, "{scope:?}");
    }
    // Terms that became shorter since shorten what is granted, and nobody has to narrow for it.
    let asked = play(floating(600), vec![]);
    let shorter = Terms { max_duration: seconds(60), ..terms(1) };
    let short = next(asked, approve("bob", floating(600)), &context(10, shorter));
    assert_eq!(short.phase.grant().unwrap().grant.scope.not_after, at(70));
}

#[test]
fn a_grant_is_never_wider_than_its_scope() {
    let per = |uses, per| Some(Rate { uses, per: seconds(per) });
    let demanded = Terms { max_duration: seconds(100), max_uses: 3, max_rate: per(2, 10), ..terms(1) };
    let scope = Scope { max_uses: 9, ..exact() };
    for (scope, not_after, max_uses, rate) in [
        (scope.clone(), at(150), 3, per(2, 10)),
        (Scope { not_after: at(120), max_uses: 2, ..scope.clone() }, at(120), 2, per(2, 10)),
        (Scope { valid_for: Some(seconds(30)), ..scope.clone() }, at(80), 3, per(2, 10)),
        (Scope { valid_for: Some(seconds(200)), ..scope.clone() }, at(150), 3, per(2, 10)),
        (Scope { not_before: Some(at(70)), ..scope.clone() }, at(170), 3, per(2, 10)),
        (Scope { rate: per(1, 10), ..scope.clone() }, at(150), 3, per(1, 10)),
        (Scope { rate: per(9, 10), ..scope }, at(150), 3, per(2, 10)),
    ] {
        let granted = granted_scope(&scope, &demanded, at(50));
        assert_eq!((granted.not_after, granted.max_uses, granted.rate), (not_after, max_uses, rate), "{scope:?}");
        assert_eq!((granted.valid_for, &granted.resource), (None, &scope.resource));
    }
}

#[test]
fn a_later_start_lies_within_the_lead_time() {
    let lead = |lead| Terms { lead_time: lead, ..terms(1) };
    for (not_before, lead_time, expected) in [
        (Some(at(0)), None, Ok(())),
        (None, None, Ok(())),
        (Some(at(1)), None, Err(Rejection::Widens)),
        (Some(at(60)), Some(seconds(60)), Ok(())),
        (Some(at(61)), Some(seconds(60)), Err(Rejection::Widens)),
    ] {
        let scope = Scope { not_before, ..exact() };
        let request = Command::Request(Box::new(facts(scope)));
        let answer = step(None, request, &context(0, lead(lead_time))).map(|_| ());
        assert_eq!(answer, expected, "{not_before:?} {lead_time:?}");
    }
}

#[test]
fn no_vote_puts_a_start_off_beyond_the_lead_time_of_the_request() {
    let demanded = Terms { lead_time: Some(seconds(60)), ..terms(1) };
    for (asked, voted, second, expected) in [
        (None, None, 100, Ok(vec!["vote_cast", "exception_granted"])),
        (None, Some(60), 50, Ok(vec!["scope_narrowed", "vote_cast", "exception_granted"])),
        (None, Some(61), 50, Err(Rejection::Widens)),
        (Some(30), Some(60), 50, Ok(vec!["scope_narrowed", "vote_cast", "exception_granted"])),
        (Some(30), Some(61), 50, Err(Rejection::Widens)),
        // A start that has come while people decided is no later one.
        (Some(30), Some(30), 100, Ok(vec!["vote_cast", "exception_granted"])),
        (Some(30), Some(100), 100, Ok(vec!["scope_narrowed", "vote_cast", "exception_granted"])),
    ] {
        let begins = |begin: Option<i64>| Scope { not_before: begin.map(at), ..exact() };
        let facts = Box::new(facts(begins(asked)));
        let exception = step(None, Command::Request(facts), &context(0, demanded.clone())).unwrap().0.unwrap();
        let vote = after(&exception, approve("bob", begins(voted)), &context(second, demanded.clone()));
        assert_eq!(vote, expected, "{asked:?} {voted:?} at {second}");
    }
}

#[test]
fn a_grant_that_begins_later_is_judged_again_before_its_first_use() {
    let scope = Scope { not_before: Some(at(100)), max_uses: 3, ..exact() };
    let exception = granted(scope, terms(1));
    let state = exception.phase.grant().unwrap();
    assert_eq!((state.begins(), state.awaits_activation()), (at(100), true));
    let bundle = Digest::of(b"bundle 1");
    for (second, word, judging) in [(99, "not_active", false), (100, "not_active", true), (600, "expired", false)] {
        assert_eq!(effective_state(&exception, at(second)).word, word, "at {second}");
        assert_eq!(exception.needs_judging(bundle, at(second)), judging, "at {second}");
        assert_eq!(
            after(&exception, take("v2", vec![]), &context(second, terms(1))),
            Err(Rejection::NotUsable),
            "at {second}, not judged again"
        );
    }
    // Before its start there is nothing to judge; at it there is, under the same bundle.
    assert_eq!(after(&exception, Command::Rejudge, &context(99, terms(1))), Ok(vec![]));
    assert_eq!(after(&exception, Command::Rejudge, &context(600, terms(1))), Ok(vec![]));
    let active = next(exception.clone(), Command::Rejudge, &context(100, terms(1)));
    let state = active.phase.grant().unwrap();
    assert_eq!((state.activated_at, state.awaits_activation()), (Some(at(100)), false));
    assert_eq!(effective_state(&active, at(100)).word, "granted");
    assert_eq!(effective_state(&active, at(99)).word, "not_active", "a clock run back");
    assert_eq!(after(&active, Command::Rejudge, &context(101, terms(1))), Ok(vec![]), "once");
    assert_eq!(after(&active, take("v2", vec![]), &context(100, terms(1))), Ok(vec!["grant_used"]));
    assert_eq!(after(&active, take("v2", vec![]), &context(99, terms(1))), Err(Rejection::NotUsable), "clock run back");
    // What policy no longer grants is suspended, and nothing brings it back under this bundle.
    let gone = Context { eligible: vec![], ..context(100, terms(1)) };
    let unasked = Context { terms: None, ..context(100, terms(1)) };
    let stricter = context(100, terms(2));
    for (now, reason) in [(gone, "not_enough_votes"), (unasked, "not_requestable"), (stricter, "not_enough_votes")] {
        let suspended = next(exception.clone(), Command::Rejudge, &now);
        assert!(matches!(&suspended.phase, Phase::Suspended { reason: told, .. } if told == reason), "{reason}");
        assert_eq!(effective_state(&suspended, at(100)).word, "suspended");
        assert_eq!(after(&suspended, take("v2", vec![]), &now), Err(Rejection::NotUsable));
        assert_eq!(after(&suspended, Command::Rejudge, &context(101, terms(1))), Ok(vec![]));
    }
}

#[test]
fn a_newer_bundle_judges_a_later_start_only_at_it() {
    let exception = granted(Scope { not_before: Some(at(100)), ..exact() }, terms(1));
    let under = |second| Context { bundle: Digest::of(b"bundle 2"), ..context(second, terms(1)) };
    let early = next(exception.clone(), Command::Rejudge, &under(50));
    assert!(early.phase.grant().unwrap().awaits_activation(), "its start is still to come");
    assert_eq!(after(&early, take("v2", vec![]), &under(100)), Err(Rejection::NotUsable));
    assert_eq!(after(&early, Command::Rejudge, &under(100)), Ok(vec!["grant_activated"]));
    let at_start = next(exception, Command::Rejudge, &under(100));
    assert!(!at_start.phase.grant().unwrap().awaits_activation(), "judged at its start is judged");
    assert_eq!(after(&at_start, take("v2", vec![]), &under(100)), Ok(vec!["grant_used", "grant_exhausted"]));
}

#[test]
fn a_rate_bounds_every_stretch_of_time() {
    let rate = Rate { uses: 2, per: seconds(60) };
    let mut exception = granted(Scope { max_uses: 5, rate: Some(rate), ..exact() }, terms(1));
    let left = |exception: &Exception, second| exception.phase.grant().unwrap().rate_left(at(second));
    assert_eq!(left(&exception, 100), Some(2));
    exception = next(exception, take("v2", vec![]), &context(100, terms(1)));
    exception = next(exception, take("v3", vec![]), &context(130, terms(1)));
    for (second, expected) in
        [(90, Some(0)), (130, Some(0)), (159, Some(0)), (160, Some(1)), (189, Some(1)), (190, Some(2))]
    {
        assert_eq!(left(&exception, second), expected, "at {second}");
        let used = after(&exception, take("v4", vec![]), &context(second, terms(1)));
        let fine = if expected == Some(0) { Err(Rejection::OverRate) } else { Ok(vec!["grant_used"]) };
        assert_eq!(used, fine, "at {second}");
    }
    // What was given back was as fast: it counts.
    let given = next(exception, back("carol", "v3"), &context(131, terms(1)));
    assert_eq!(left(&given, 131), Some(0));
    let backs: Vec<bool> = given.phase.grant().unwrap().taken.iter().map(|taken| taken.given_back.is_some()).collect();
    assert_eq!(backs, [false, true], "the one that was named");
    assert_eq!(granted(exact(), terms(1)).phase.grant().unwrap().rate_left(at(20)), None);
}

#[test]
fn terms_bound_the_rate_that_is_asked_voted_and_kept() {
    let per_minute = |uses| Some(Rate { uses, per: seconds(60) });
    let demanded = Terms { max_rate: per_minute(2), ..terms(1) };
    for (rate, expected) in [(per_minute(2), Ok(())), (per_minute(3), Err(Rejection::Widens)), (None, Ok(()))] {
        let request = Command::Request(Box::new(facts(Scope { rate, ..exact() })));
        assert_eq!(step(None, request, &context(0, demanded.clone())).map(|_| ()), expected, "{rate:?}");
    }
    let with_rate = granted(exact(), demanded.clone());
    assert_eq!(with_rate.phase.grant().unwrap().grant.scope.rate, per_minute(2), "the terms' rate");
    // A newer bundle that demands a rate does not leave a grant without one.
    let under = |terms| Context { bundle: Digest::of(b"bundle 2"), ..context(20, terms) };
    for (exception, terms, kind) in [
        (granted(exact(), terms(1)), demanded.clone(), "grant_suspended"),
        (with_rate.clone(), demanded.clone(), "exception_rejudged"),
        (with_rate.clone(), terms(1), "exception_rejudged"),
        (with_rate, Terms { max_rate: per_minute(1), ..terms(1) }, "grant_suspended"),
    ] {
        assert_eq!(after(&exception, Command::Rejudge, &under(terms)), Ok(vec![kind]));
    }
}

#[test]
fn a_use_that_nobody_reported_is_given_back_once_by_somebody_who_may_vote() {
    let budgets = vec![Budget { at: path(&["rows"]), max: 150 }];
    let scope = Scope { max_uses: 1, budgets, ..exact() };
    let used = next(granted(scope, terms(1)), take("v2", vec![100]), &context(20, terms(1)));
    assert_eq!(used.phase.word(), "exhausted");
    let give = |by: &str, evaluation: &str, reason: &str, assurance: &str| Command::GiveBack {
        by: user(by),
        evaluation: evaluation.into(),
        reason: reason.into(),
        assurance: assurance.into(),
    };
    let long = "x".repeat(2001);
    for (command, second, expected) in [
        (give("carol", "v2", "crashed", "link"), 30, Ok(vec!["use_given_back"])),
        (give("bob", "v2", "crashed", "link"), 599, Ok(vec!["use_given_back"])),
        (give("carol", "v2", "crashed", "link"), 600, Err(Rejection::Closed)),
        (give("carol", "v9", "crashed", "link"), 30, Err(Rejection::NoSuchUse)),
        (give("carol", "v2", " ", "link"), 30, Err(Rejection::ReasonNeeded)),
        (give("carol", "v2", &long, "link"), 30, Err(Rejection::TextTooLong)),
        (give("mallory", "v2", "crashed", "link"), 30, Err(Rejection::NotEligible)),
        (give("rita", "v2", "crashed", "link"), 30, Err(Rejection::IsRequester)),
        (give("olga", "v2", "crashed", "link"), 30, Err(Rejection::IsOwner)),
        (give("alice", "v2", "crashed", "link"), 30, Err(Rejection::InChain)),
    ] {
        assert_eq!(after(&used, command.clone(), &context(second, terms(1))), expected, "{command:?}");
    }
    let given = next(used, back("carol", "v2"), &context(30, terms(1)));
    let state = given.phase.grant().unwrap();
    assert_eq!((given.phase.word(), state.uses, state.spent.as_slice()), ("granted", 0, &[0][..]));
    let told = state.taken[0].given_back.as_ref().unwrap();
    assert_eq!((&told.by, told.reason.as_str(), told.at), (&user("carol"), "the proxy crashed", at(30)));
    assert_eq!(after(&given, back("carol", "v2"), &context(31, terms(1))), Ok(vec![]), "once");
    assert_eq!(after(&given, back("bob", "v2"), &context(31, terms(1))), Ok(vec![]), "once, whoever asks");
    assert_eq!(
        after(&given, take("v3", vec![150]), &context(31, terms(1))),
        Ok(vec!["grant_used", "grant_exhausted"]),
        "its budget is whole again"
    );
    let again = next(given, take("v3", vec![150]), &context(31, terms(1)));
    assert_eq!(after(&again, back("carol", "v2"), &context(32, terms(1))), Ok(vec![]), "the first one is gone");
    assert_eq!(again.phase.word(), "exhausted");
}

#[test]
fn what_is_not_there_or_over_is_not_given_back() {
    let exception = granted(Scope { max_uses: 2, ..exact() }, terms(1));
    let used = next(exception, take("v2", vec![]), &context(20, terms(1)));
    let now = context(30, terms(1));
    assert_eq!(after(&play(exact(), vec![]), back("carol", "v2"), &now), Err(Rejection::NoGrant));
    assert_eq!(after(&used, back("carol", "v2"), &now), Ok(vec!["use_given_back"]), "one of two");
    let revoked = next(used.clone(), Command::Revoke { by: user("dave"), reason: "wrong".into() }, &now);
    assert_eq!(after(&revoked, back("carol", "v2"), &now), Err(Rejection::Closed), "nothing brings it back");
    let weak = Terms { step_up: Some("webauthn".into()), ..terms(1) };
    let strong = Exception { terms: weak, ..used };
    assert_eq!(after(&strong, back("carol", "v2"), &now), Err(Rejection::StepUpNeeded));
}

#[test]
fn the_newest_256_uses_are_remembered_and_all_are_counted() {
    let scope = Scope { max_uses: 400, ..exact() };
    let mut exception = granted(scope, Terms { max_uses: 400, ..terms(1) });
    for number in 0..300 {
        exception = next(exception, take(&format!("v{number}"), vec![]), &context(20, terms(1)));
    }
    let state = exception.phase.grant().unwrap();
    assert_eq!((state.uses, state.taken.len(), state.taken[0].evaluation.as_str()), (300, 256, "v44"));
    let now = context(30, terms(1));
    assert_eq!(after(&exception, back("carol", "v43"), &now), Err(Rejection::NoSuchUse));
    assert_eq!(after(&exception, back("carol", "v44"), &now), Ok(vec!["use_given_back"]));
}

#[test]
fn the_states_that_time_makes_have_words_of_their_own() {
    let later = granted(Scope { not_before: Some(at(100)), ..exact() }, terms(1));
    let lapsed = next(granted(exact(), terms(1)), Command::Lapse, &context(600, terms(1)));
    let undecided = next(play(exact(), vec![]), Command::Lapse, &context(300, terms(1)));
    let used = next(granted(exact(), terms(1)), take("v2", vec![]), &context(20, terms(1)));
    let under = Context { bundle: Digest::of(b"bundle 2"), terms: None, ..context(20, terms(1)) };
    let suspended = next(granted(exact(), terms(1)), Command::Rejudge, &under);
    let rows: &[(&Exception, Timestamp, &str)] = &[
        (&later, at(50), "not_active"),
        (&later, at(600), "expired"),
        (&lapsed, at(601), "expired"),
        (&undecided, at(301), "lapsed"),
        (&used, at(900), "exhausted"),
        (&suspended, at(30), "suspended"),
        (&suspended, at(600), "expired"),
    ];
    for (exception, now, word) in rows {
        assert_eq!(effective_state(exception, *now).word, *word);
    }
    let refused = play(exact(), vec![(vote("bob", VoteDecision::Refuse, exact()), context(10, terms(1)))]);
    assert_eq!(effective_state(&refused, at(900)).word, "denied");
}

#[test]
fn nobody_has_longer_to_decide_than_the_terms_say() {
    for (decide_within, decide_by) in [(None, at(300)), (Some(seconds(299)), at(299)), (Some(seconds(301)), at(300))] {
        let demanded = Terms { decide_within, ..terms(1) };
        let request = Command::Request(Box::new(facts(exact())));
        let asked = step(None, request, &context(0, demanded)).unwrap().0.unwrap();
        assert_eq!((asked.decide_by(), asked.request.decide_by), (decide_by, decide_by), "{decide_within:?}");
    }
    let late = crate::lifecycle::RequestFacts { decide_by: at(90_000), ..facts(exact()) };
    let asked = step(None, Command::Request(Box::new(late)), &context(0, terms(1))).unwrap().0.unwrap();
    assert_eq!(asked.decide_by(), at(8 * 3600), "eight hours where the terms do not say");
}
