//! Uses, budgets, revocation, time and newly active bundles (R3, R4, R6, R7).

use super::after;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::grant::{Budget, Scope};
use crate::lifecycle::{
    Answer, Command, Context, Emergency, Event, Exception, Phase, Rejection, Review, ReviewClosing, ReviewKind,
    ReviewOutcome, VoteDecision, effective_state, evolve,
};
use crate::outcome::Terms;
use crate::time::Span;

fn granted(scope: Scope) -> Exception {
    play(scope.clone(), vec![(approve("bob", scope), context(10, terms(1)))])
}

fn take(amounts: Vec<i64>) -> Command {
    Command::Use { call: "c1".into(), evaluation: "v9".into(), amounts }
}

fn revoke(reason: &str) -> Command {
    Command::Revoke { by: user("carol"), reason: reason.into() }
}

fn under(bundle: &[u8], context: Context) -> Context {
    Context { bundle: Digest::of(bundle), ..context }
}

#[test]
fn a_grant_is_used_in_its_window_and_as_often_as_it_says() {
    let exception = granted(Scope { max_uses: 2, not_before: Some(at(5)), ..exact() });
    for (second, expected) in [
        (9, Err(Rejection::NotUsable)),
        (10, Ok(vec!["grant_used"])),
        (599, Ok(vec!["grant_used"])),
        (600, Err(Rejection::NotUsable)),
        (601, Err(Rejection::NotUsable)),
    ] {
        assert_eq!(after(&exception, take(vec![]), &context(second, terms(1))), expected, "at {second}");
    }
    let (once, _) = step(Some(exception), take(vec![]), &context(30, terms(1))).unwrap();
    let (twice, events) = step(once, take(vec![]), &context(31, terms(1))).unwrap();
    assert_eq!(events.iter().map(Event::kind).collect::<Vec<_>>(), ["grant_used", "grant_exhausted"]);
    let twice = twice.unwrap();
    assert!(matches!(&twice.phase, Phase::Exhausted { grant, .. } if grant.uses == 2));
    assert_eq!(after(&twice, take(vec![]), &context(32, terms(1))), Err(Rejection::NotUsable));
    // What is used up can be taken away while a use could come back, once, and for good (R7).
    assert_eq!(after(&twice, revoke("late"), &context(600, terms(1))), Err(Rejection::Closed));
    let (gone, events) = step(Some(twice), revoke("late"), &context(32, terms(1))).unwrap();
    assert_eq!(events.iter().map(Event::kind).collect::<Vec<_>>(), ["grant_revoked"]);
    let gone = gone.unwrap();
    assert_eq!(after(&gone, revoke("late"), &context(33, terms(1))), Ok(vec![]));
    let (reason, assurance) = ("crashed".into(), "link".into());
    let back = Command::GiveBack {
        by: user("carol"),
        evaluation: gone.phase.grant().unwrap().taken[0].evaluation.clone(),
        reason,
        assurance,
    };
    assert_eq!(after(&gone, back, &context(50, terms(1))), Err(Rejection::Closed));
    // Nothing but a grant is used.
    assert_eq!(after(&play(exact(), vec![]), take(vec![]), &context(32, terms(1))), Err(Rejection::NotUsable));
}

#[test]
fn a_budget_is_never_passed() {
    let budgets = vec![Budget { at: path(&["rows"]), max: 250 }];
    let exception = granted(Scope { max_uses: 5, budgets, ..exact() });
    let now = context(20, terms(1));
    for (amounts, fine) in [
        (vec![0], true),
        (vec![250], true),
        (vec![251], false),
        (vec![-1], false),
        (vec![i64::MAX], false),
        (vec![i64::MIN], false),
        (vec![], false),
        (vec![1, 1], false),
    ] {
        let expected = if fine { Ok(vec!["grant_used"]) } else { Err(Rejection::OverBudget) };
        assert_eq!(after(&exception, take(amounts.clone()), &now), expected, "{amounts:?}");
    }
    let (spent, _) = step(Some(exception), take(vec![200]), &now).unwrap();
    let spent = spent.unwrap();
    assert_eq!(spent.phase.grant().unwrap().spent, vec![200]);
    assert_eq!(after(&spent, take(vec![50]), &now), Ok(vec!["grant_used"]));
    assert_eq!(after(&spent, take(vec![51]), &now), Err(Rejection::OverBudget));
    assert_eq!(after(&spent, take(vec![i64::MAX]), &now), Err(Rejection::OverBudget));
}

#[test]
fn a_revoked_grant_is_over_and_revoking_again_changes_nothing() {
    let exception = granted(exact());
    let now = context(20, terms(1));
    assert_eq!(after(&exception, revoke(" "), &now), Err(Rejection::ReasonNeeded));
    assert_eq!(after(&exception, revoke(&"x".repeat(2001)), &now), Err(Rejection::TextTooLong));
    assert_eq!(after(&exception, revoke("late"), &context(600, terms(1))), Err(Rejection::Closed));
    assert_eq!(after(&play(exact(), vec![]), revoke("why"), &now), Err(Rejection::NoGrant));
    let (revoked, _) = step(Some(exception), revoke("wrong file"), &now).unwrap();
    let revoked = revoked.unwrap();
    assert_eq!(revoked.phase.word(), "revoked");
    assert_eq!(after(&revoked, revoke("wrong file"), &now), Ok(vec![]));
    assert_eq!(after(&revoked, take(vec![]), &now), Err(Rejection::NotUsable));
    let rejudged = after(&revoked, Command::Rejudge, &under(b"bundle 2", now));
    assert_eq!(rejudged, Ok(vec![]), "no bundle brings it back");
}

#[test]
fn only_who_asked_takes_a_request_back() {
    let exception = play(exact(), vec![]);
    let cancel = |by: EntityRef, reason: &str| Command::Cancel { by, reason: reason.into() };
    let agent = EntityRef::new("Agent", "a1");
    for (command, second, expected) in [
        (cancel(user("rita"), ""), 10, Ok(vec!["exception_cancelled"])),
        (cancel(agent.clone(), "not needed"), 10, Ok(vec!["exception_cancelled"])),
        (cancel(user("bob"), ""), 10, Err(Rejection::NotYours)),
        (cancel(agent.clone(), ""), 300, Err(Rejection::TooLate)),
        (cancel(agent.clone(), &"x".repeat(2001)), 10, Err(Rejection::TextTooLong)),
    ] {
        assert_eq!(after(&exception, command, &context(second, terms(1))), expected);
    }
    let cancelled = play(exact(), vec![(cancel(agent.clone(), ""), context(10, terms(1)))]);
    assert_eq!(after(&cancelled, cancel(agent.clone(), ""), &context(11, terms(1))), Ok(vec![]));
    assert_eq!(after(&cancelled, approve("bob", exact()), &context(11, terms(1))), Err(Rejection::Closed));
    assert_eq!(after(&granted(exact()), cancel(agent, ""), &context(11, terms(1))), Err(Rejection::Closed));
}

#[test]
fn time_ends_things_by_itself_and_is_noted_once() {
    let (requested, granted) = (play(exact(), vec![]), granted(Scope { not_before: Some(at(20)), ..exact() }));
    for (exception, second, word, lapse) in [
        (&requested, 299, "requested", Err(Rejection::NotUp)),
        (&requested, 300, "lapsed", Ok(vec!["exception_lapsed"])),
        (&granted, 19, "not_active", Err(Rejection::NotUp)),
        (&granted, 599, "not_active", Err(Rejection::NotUp)),
        (&granted, 600, "expired", Ok(vec!["exception_lapsed"])),
    ] {
        assert_eq!(effective_state(exception, at(second)).word, word, "at {second}");
        assert_eq!(after(exception, Command::Lapse, &context(second, terms(1))), lapse, "at {second}");
    }
    let (lapsed, _) = step(Some(granted), Command::Lapse, &context(600, terms(1))).unwrap();
    let lapsed = lapsed.unwrap();
    assert!(lapsed.phase.grant().is_some());
    assert_eq!(after(&lapsed, Command::Lapse, &context(601, terms(1))), Ok(vec![]));
    assert_eq!(
        after(&lapsed, take(vec![]), &context(20, terms(1))),
        Err(Rejection::NotUsable),
        "not by a clock run back"
    );
    let denied = play(exact(), vec![(vote("bob", VoteDecision::Refuse, exact()), context(10, terms(1)))]);
    assert_eq!(after(&denied, Command::Lapse, &context(900, terms(1))), Err(Rejection::Closed));
    assert_eq!(effective_state(&denied, at(900)).word, "denied");
}

#[test]
fn a_new_bundle_is_asked_before_the_next_use() {
    let exception = granted(exact());
    let now = |terms: Option<Terms>| Context { terms, ..under(b"bundle 2", context(20, crate::fixtures::terms(1))) };
    assert_eq!(after(&exception, take(vec![]), &now(Some(terms(1)))), Err(Rejection::NotUsable), "not judged yet");
    assert_eq!(after(&exception, Command::Rejudge, &context(20, terms(2))), Ok(vec![]), "the same bundle");
    for (terms, kind, reason) in [
        (Some(terms(1)), "exception_rejudged", ""),
        (None, "grant_suspended", "not_requestable"),
        (Some(terms(2)), "grant_suspended", "not_enough_votes"),
        (Some(Terms { groups: path(&["security"]), ..terms(1) }), "grant_suspended", "not_enough_votes"),
        (Some(Terms { step_up: Some("webauthn".into()), ..terms(1) }), "grant_suspended", "not_enough_votes"),
        (Some(Terms { max_duration: Span::from_seconds(589), ..terms(1) }), "grant_suspended", "widens"),
        (Some(Terms { max_duration: Span::from_seconds(590), ..terms(1) }), "exception_rejudged", ""),
        (Some(Terms { max_uses: 0, ..terms(1) }), "grant_suspended", "widens"),
    ] {
        let (state, events) = step(Some(exception.clone()), Command::Rejudge, &now(terms.clone())).unwrap();
        let state = state.unwrap();
        assert_eq!(events.iter().map(Event::kind).collect::<Vec<_>>(), [kind], "{terms:?}");
        assert_eq!(state.bundle, Digest::of(b"bundle 2"));
        assert_eq!(state.phase.grant().and_then(|held| held.activated_at), None, "it began when it was made");
        let usable = after(&state, take(vec![]), &now(terms.clone())).is_ok();
        assert_eq!(usable, kind == "exception_rejudged", "{terms:?}");
        match &state.phase {
            Phase::Suspended { reason: told, .. } => assert_eq!(told, reason),
            phase => assert_eq!(phase.word(), "granted"),
        }
        assert_eq!(after(&state, Command::Rejudge, &now(terms)), Ok(vec![]), "judged once for a bundle");
    }
    // A voter whom the new bundle does not permit does not count.
    let mut gone = now(Some(terms(1)));
    gone.eligible.clear();
    assert_eq!(after(&exception, Command::Rejudge, &gone), Ok(vec!["grant_suspended"]));
    assert_eq!(after(&exception, Command::Rejudge, &Context { now: at(600), ..gone }), Ok(vec![]), "over by time");
}

#[test]
fn what_stands_is_suspended_for_a_reason_and_nothing_else_is() {
    let suspend = || Command::Suspend { reason: "build_changed".into() };
    let exception = granted(exact());
    let now = context(20, terms(1));
    let (state, events) = step(Some(exception.clone()), suspend(), &now).unwrap();
    let state = state.unwrap();
    assert_eq!(events.iter().map(Event::kind).collect::<Vec<_>>(), ["grant_suspended"]);
    assert!(matches!(&state.phase, Phase::Suspended { reason, .. } if reason == "build_changed"));
    assert_eq!(after(&state, take(vec![]), &now), Err(Rejection::NotUsable));
    assert_eq!(after(&state, suspend(), &now), Ok(vec![]), "it is suspended already");
    for (second, kinds) in [(599, vec!["grant_suspended"]), (600, vec![])] {
        assert_eq!(after(&exception, suspend(), &context(second, terms(1))), Ok(kinds), "at {second}");
    }
    assert_eq!(after(&play(exact(), vec![]), suspend(), &now), Ok(vec![]), "nobody granted it yet");
}

#[test]
fn a_suspended_grant_comes_back_only_when_the_strictest_terms_since_are_met() {
    let exception = granted(exact());
    let second = under(b"bundle 2", Context { terms: None, ..context(20, terms(1)) });
    let (gone, _) = step(Some(exception.clone()), Command::Rejudge, &second).unwrap();
    let third = under(b"bundle 3", context(30, terms(1)));
    let (back, _) = step(gone, Command::Rejudge, &third).unwrap();
    assert_eq!(after(&back.unwrap(), take(vec![]), &third), Ok(vec!["grant_used", "grant_exhausted"]));
    // Two were demanded in between: one stays too few.
    let (stricter, _) = step(Some(exception), Command::Rejudge, &under(b"bundle 2", context(20, terms(2)))).unwrap();
    let (still, _) = step(stricter, Command::Rejudge, &third).unwrap();
    let still = still.unwrap();
    assert_eq!((still.phase.word(), still.terms.approvals), ("suspended", 2));
    assert_eq!(after(&still, revoke("no longer"), &third), Ok(vec!["grant_revoked"]));
    assert_eq!(after(&still, Command::Lapse, &Context { now: at(600), ..third }), Ok(vec!["exception_lapsed"]));
}

#[test]
fn a_pending_request_waits_for_a_bundle_that_lets_it_be_asked() {
    let exception = play(exact(), vec![]);
    let second = under(b"bundle 2", Context { terms: None, ..context(20, terms(1)) });
    let (waiting, events) = step(Some(exception.clone()), Command::Rejudge, &second).unwrap();
    assert_eq!(events.iter().map(Event::kind).collect::<Vec<_>>(), ["grant_suspended"]);
    let waiting = waiting.unwrap();
    assert_eq!(after(&waiting, approve("bob", exact()), &second), Err(Rejection::Closed));
    assert_eq!(after(&waiting, revoke("why"), &second), Err(Rejection::NoGrant));
    assert_eq!(effective_state(&waiting, at(300)).word, "lapsed");
    let third = under(b"bundle 3", context(30, terms(1)));
    let (back, _) = step(Some(waiting), Command::Rejudge, &third).unwrap();
    assert_eq!(after(&back.unwrap(), approve("bob", exact()), &third), Ok(vec!["vote_cast", "exception_granted"]));
    // A vote under a new bundle is judged by itself, and says so.
    let voted = after(&exception, approve("bob", exact()), &third);
    assert_eq!(voted, Ok(vec!["exception_rejudged", "vote_cast", "exception_granted"]));
}

#[test]
fn what_was_noted_beside_the_state_cannot_be_noted_out_of_order() {
    let requested = play(exact(), vec![(vote("bob", VoteDecision::Ask, exact()), context(5, terms(1)))]);
    let answered = |vote| {
        let answer = Answer { vote, by: user("rita"), words: "so".into(), at: at(6) };
        Event::QuestionAnswered { answer: Box::new(answer) }
    };
    let declared = Event::EmergencyDeclared {
        emergency: Box::new(Emergency {
            by: user("carol"),
            reason: "down".into(),
            decide_by: at(100),
            proof: Proof::Session,
            at: at(6),
        }),
        terms: terms(1),
        bundle: Digest::of(b"bundle 1"),
    };
    let opened = |id: &str| {
        let (due, opened_at) = (at(90), at(6));
        Event::ReviewOpened {
            review: Review { id: id.into(), kind: ReviewKind::AfterUse, due, opened_at, closed: None },
        }
    };
    let closed = |id: &str| {
        let (by, outcome) = (user("dave"), ReviewOutcome::Appropriate);
        let closing = ReviewClosing { by, outcome, note: String::new(), at: at(7) };
        Event::ReviewClosed { id: id.into(), closing: Box::new(closing) }
    };
    for (history, last, fine) in [
        (vec![], answered(0), true),
        (vec![], answered(1), false),
        (vec![], answered(2), false),
        (vec![], declared.clone(), true),
        (vec![declared.clone()], declared, false),
        (vec![opened("r1")], opened("r2"), true),
        (vec![opened("r1")], opened("r1"), false),
        (vec![opened("r1"), opened("r2")], closed("r2"), true),
        (vec![opened("r1")], closed("r2"), false),
        (vec![opened("r1"), closed("r1")], closed("r1"), false),
    ] {
        let state = history.iter().try_fold(Some(requested.clone()), evolve).unwrap();
        let told = evolve(state, &last);
        assert_eq!(told.is_ok(), fine, "{last:?}");
        let closed = told.ok().flatten().map_or(0, |state| state.reviews.iter().filter(|r| r.closed.is_some()).count());
        assert_eq!(closed, usize::from(fine && matches!(last, Event::ReviewClosed { .. })));
    }
    // The right one of two is closed.
    let two = [opened("r1"), opened("r2"), closed("r2")].iter().try_fold(Some(requested), evolve).unwrap().unwrap();
    assert!(two.reviews[0].closed.is_none() && two.reviews[1].closed.is_some());
}

#[test]
fn a_damaged_history_is_told_by_event_and_state() {
    let (requested, granted) = (play(exact(), vec![]), granted(exact()));
    let used = Event::GrantUsed { call: "c".into(), evaluation: "v".into(), amounts: vec![], at: at(1) };
    let wrong = Event::GrantUsed { call: "c".into(), evaluation: "v".into(), amounts: vec![1], at: at(1) };
    let asked =
        Event::ExceptionRequested { request: facts(exact()).into(), terms: terms(1), bundle: Digest::of(b"bundle 1") };
    let version =
        |number| Event::ScopeNarrowed { version: crate::lifecycle::Version { number, scope: exact(), by: None } };
    for (state, event, told) in [
        (None, used.clone(), "the event `grant_used` cannot follow the state `nothing`"),
        (Some(requested.clone()), used, "the event `grant_used` cannot follow the state `requested`"),
        (Some(granted.clone()), wrong, "the event `grant_used` cannot follow the state `granted`"),
        (Some(granted), asked, "the event `exception_requested` cannot follow the state `granted`"),
        (Some(requested.clone()), version(1), "the event `scope_narrowed` cannot follow the state `requested`"),
        (Some(requested.clone()), version(3), "the event `scope_narrowed` cannot follow the state `requested`"),
        (
            Some(requested),
            Event::GrantExhausted { at: at(1) },
            "the event `grant_exhausted` cannot follow the state `requested`",
        ),
    ] {
        assert_eq!(evolve(state, &event).map_err(|error| error.to_string()).err().as_deref(), Some(told));
    }
}
