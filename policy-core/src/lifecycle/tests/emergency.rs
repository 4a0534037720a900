//! Emergencies: a person's act that shortens time and never the number of persons, unless policy says so (R4).

use super::after;
use crate::digest::Digest;
use crate::fixtures::*;
use crate::grant::Scope;
use crate::lifecycle::{
    Command, Context, EmergencyBlocked, Event, Exception, Phase, Rejection, ReviewKind, VoteDecision,
};
use crate::outcome::Terms;
use crate::time::Span;

fn declare(by: &str) -> Command {
    let (by, reason, assurance) = (user(by), "the ledger is down".into(), "link".into());
    Command::DeclareEmergency { by, reason, assurance, proof: Proof::Session }
}

fn next(state: Exception, command: Command, context: &Context) -> Exception {
    step(Some(state), command, context).unwrap().0.unwrap()
}

fn blocked(subject: bool, people: &[&str]) -> EmergencyBlocked {
    EmergencyBlocked { subject, people: people.iter().map(|person| user(person)).collect() }
}

fn in_emergency(approvals: u32, emergency_approvals: Option<u32>) -> Terms {
    Terms { emergency_approvals, ..terms(approvals) }
}

#[test]
fn who_may_vote_declares_it_with_a_reason_while_votes_are_wanted() {
    let exception = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), context(5, terms(2)))]);
    let said = |by: &str, reason: &str, assurance: &str| Command::DeclareEmergency {
        by: user(by),
        reason: reason.into(),
        assurance: assurance.into(),
        proof: Proof::Session,
    };
    let long = "x".repeat(2001);
    let strong = Terms { step_up: Some("webauthn".into()), ..terms(2) };
    let declared = Ok(vec!["emergency_declared"]);
    for (command, now, expected) in [
        (declare("bob"), context(20, terms(2)), declared.clone()),
        (declare("bob"), context(299, terms(2)), declared.clone()),
        (declare("bob"), context(300, terms(2)), Err(Rejection::TooLate)),
        (declare("rita"), context(20, terms(2)), Err(Rejection::IsRequester)),
        (declare("olga"), context(20, terms(2)), Err(Rejection::IsOwner)),
        (declare("alice"), context(20, terms(2)), Err(Rejection::InChain)),
        (declare("mallory"), context(20, terms(2)), Err(Rejection::NotEligible)),
        (said("bob", " ", "link"), context(20, terms(2)), Err(Rejection::ReasonNeeded)),
        (said("bob", &long, "link"), context(20, terms(2)), Err(Rejection::TextTooLong)),
        (said("bob", "x", "link"), context(20, strong.clone()), Err(Rejection::StepUpNeeded)),
        (said("bob", "x", "webauthn"), context(20, strong), declared),
        (declare("bob"), Context { terms: None, ..context(20, terms(2)) }, Err(Rejection::NotRequestable)),
        (
            declare("bob"),
            Context { emergency_blocked: blocked(true, &[]), ..context(20, terms(2)) },
            Err(Rejection::EmergencyBlocked),
        ),
        (
            declare("bob"),
            Context { emergency_blocked: blocked(false, &["bob"]), ..context(20, terms(2)) },
            Err(Rejection::EmergencyBlocked),
        ),
        (
            declare("bob"),
            Context { emergency_blocked: blocked(false, &["carol"]), ..context(20, terms(2)) },
            Ok(vec!["emergency_declared"]),
        ),
        (
            declare("bob"),
            Context { overdue_tiers: path(&["low"]), ..context(20, terms(2)) },
            Err(Rejection::ReviewOverdue),
        ),
        (
            declare("bob"),
            Context { overdue_tiers: path(&["high"]), ..context(20, terms(2)) },
            Ok(vec!["emergency_declared"]),
        ),
    ] {
        assert_eq!(after(&exception, command.clone(), &now), expected, "{command:?}");
    }
    let declared = next(exception, declare("bob"), &context(20, terms(2)));
    assert_eq!(after(&declared, declare("bob"), &context(21, terms(2))), Ok(vec![]));
    assert_eq!(after(&declared, declare("carol"), &context(21, terms(2))), Ok(vec![]), "it is one already");
    assert_eq!(
        declared.emergency.as_ref().map(|emergency| (&emergency.by, emergency.at)),
        Some((&user("bob"), at(20)))
    );
    let denied = next(declared, vote("carol", VoteDecision::Refuse, exact()), &context(22, terms(2)));
    assert_eq!(after(&denied, declare("dave"), &context(23, terms(2))), Err(Rejection::Closed));
}

#[test]
fn it_takes_as_many_persons_as_without_one_unless_policy_says_otherwise() {
    // Demanded at the request, demanded in an emergency, what that policy says for one: how many it takes.
    for (before, asked, emergency, needed) in [
        (2, 2, None, 2),
        (2, 1, None, 2),
        (1, 2, None, 2),
        (2, 2, Some(1), 1),
        (1, 1, Some(2), 2),
        (2, 1, Some(2), 2),
        (2, 2, Some(0), 1),
    ] {
        let exception = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), context(5, terms(before)))]);
        let now = context(20, in_emergency(asked, emergency));
        let declared = next(exception, declare("dave"), &now);
        assert_eq!(declared.phase, Phase::Requested);
        assert_eq!(declared.terms.approvals, needed, "{before} {asked} {emergency:?}");
        let one = next(declared, approve("bob", exact()), &now);
        assert_eq!(one.phase.grant().is_some(), needed == 1, "{before} {asked} {emergency:?}");
        if needed == 2 {
            let two = next(one, approve("carol", exact()), &now);
            assert!(two.phase.grant().is_some());
        }
    }
    // Without a declared emergency that annotation lets nobody off.
    let exception = play(exact(), vec![(approve("bob", exact()), context(5, in_emergency(2, Some(1))))]);
    assert_eq!(exception.phase, Phase::Requested);
}

#[test]
fn groups_are_demanded_in_an_emergency_too() {
    let demanded = Terms { groups: path(&["security"]), ..in_emergency(2, Some(1)) };
    let exception = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), context(5, demanded.clone()))]);
    let now = context(20, demanded);
    let declared = next(exception, declare("dave"), &now);
    let by_finance = next(declared, approve("bob", exact()), &now);
    assert_eq!(by_finance.phase, Phase::Requested, "nobody of security");
    assert!(next(by_finance, approve("carol", exact()), &now).phase.grant().is_some());
}

#[test]
fn terms_that_lose_the_annotation_afterwards_demand_all_persons_again() {
    let exception = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), context(5, terms(2)))]);
    let declared = next(exception, declare("dave"), &context(20, in_emergency(2, Some(1))));
    assert_eq!(declared.terms.approvals, 1);
    let later = next(declared, approve("bob", exact()), &context(30, terms(2)));
    assert_eq!((later.phase.word(), later.terms.approvals), ("requested", 2));
}

#[test]
fn it_shortens_what_time_there_is_and_never_prolongs_it() {
    let exception = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), context(5, terms(2)))]);
    for (decide_within, decide_by) in
        [(None, at(300)), (Some(100), at(120)), (Some(280), at(300)), (Some(900), at(300))]
    {
        let demanded = Terms { decide_within: decide_within.map(Span::from_seconds), ..terms(2) };
        let declared = next(exception.clone(), declare("bob"), &context(20, demanded));
        assert_eq!(declared.decide_by(), decide_by, "{decide_within:?}");
        assert_eq!(declared.request.decide_by, at(300), "what was asked stands");
        let last = after(&declared, approve("carol", exact()), &context(119, terms(2)));
        assert_eq!(last, Ok(vec!["vote_cast"]));
        let late = after(&declared, approve("carol", exact()), &context(120, terms(2)));
        assert_eq!(late.is_err(), decide_by == at(120), "{decide_within:?}");
    }
    // Validity, too: what is granted ends by the shorter terms.
    let floating = Scope { not_after: at(4000), valid_for: Some(Span::from_seconds(600)), ..exact() };
    let asked = play(floating.clone(), vec![]);
    let short = Terms { max_duration: Span::from_seconds(60), ..terms(1) };
    let declared = next(asked, declare("bob"), &context(20, short.clone()));
    let granted = next(declared, approve("carol", floating), &context(30, short));
    assert_eq!(granted.phase.grant().unwrap().grant.scope.not_after, at(90));
}

#[test]
fn votes_that_suffice_then_make_the_grant() {
    let voted = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    let now = context(20, in_emergency(2, Some(1)));
    let (state, events) = step(Some(voted.clone()), declare("bob"), &now).unwrap();
    let kinds: Vec<_> = events.iter().map(Event::kind).collect();
    assert_eq!(kinds, ["emergency_declared", "exception_granted", "review_opened"]);
    assert!(state.unwrap().phase.grant().is_some());
    // Not by votes that do not count: bob is no longer eligible.
    let mut gone = now.clone();
    gone.eligible.retain(|eligibility| eligibility.person != user("bob"));
    assert_eq!(after(&voted, declare("carol"), &gone), Ok(vec!["emergency_declared"]));
    // Nor of a scope that the shorter terms do not cover: somebody has to narrow it.
    let short = Terms { max_duration: Span::from_seconds(60), ..in_emergency(2, Some(1)) };
    assert_eq!(after(&voted, declare("carol"), &context(20, short)), Ok(vec!["emergency_declared"]));
}

#[test]
fn who_may_not_declare_one_grants_none_either() {
    let one = in_emergency(2, Some(1));
    let under = |second, subject, people: &[&str]| Context {
        emergency_blocked: blocked(subject, people),
        ..context(second, one.clone())
    };
    let voted = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    // The vote that stood before was on no emergency: it makes none now.
    assert_eq!(after(&voted, declare("carol"), &under(20, false, &["bob"])), Ok(vec!["emergency_declared"]));
    let declared = next(voted, declare("carol"), &under(20, false, &["bob"]));
    let inside = Scope { not_after: at(500), ..exact() };
    for (subject, people, expected) in [
        (false, &["dave"][..], Err(Rejection::EmergencyBlocked)),
        (true, &[][..], Err(Rejection::EmergencyBlocked)),
        (false, &["bob"][..], Ok(vec!["scope_narrowed", "vote_cast", "exception_granted", "review_opened"])),
    ] {
        let now = under(30, subject, people);
        assert_eq!(after(&declared, approve("dave", inside.clone()), &now), expected, "{people:?}");
        let refused = after(&declared, vote("dave", VoteDecision::Refuse, exact()), &now);
        assert_eq!(refused, Ok(vec!["vote_cast", "exception_denied"]), "to refuse widens nothing");
    }
    // Nobody is kept from what is no emergency.
    let quiet = play(exact(), vec![(vote("carol", VoteDecision::Ask, exact()), context(5, terms(1)))]);
    let now = Context { emergency_blocked: blocked(true, &["dave"]), ..context(30, terms(1)) };
    assert_eq!(after(&quiet, approve("dave", exact()), &now), Ok(vec!["vote_cast", "exception_granted"]));
    // What was granted in one stands, whoever's review is overdue afterwards.
    let granted = next(declared, approve("dave", exact()), &under(30, false, &[]));
    let later = Context { bundle: Digest::of(b"bundle 2"), ..under(40, true, &["bob", "dave"]) };
    assert_eq!(after(&granted, Command::Rejudge, &later), Ok(vec!["exception_rejudged"]));
}

#[test]
fn an_emergency_whose_review_is_overdue_stops_its_subject_and_whoever_decided_on_it() {
    let asked = play(exact(), vec![(vote("olaf", VoteDecision::Ask, exact()), with_olaf())]);
    let declared = next(asked, declare("dave"), &context(20, terms(1)));
    let granted = next(declared, approve("bob", exact()), &context(30, terms(1)));
    let due = granted.reviews[0].due;
    let early = crate::time::Timestamp::from_millis(due.millis() - 1);
    let (own, other) = (&granted.request.question.call.subject, &crate::entity::EntityRef::new("Agent", "a2"));
    let of = |subject, now| EmergencyBlocked::of(subject, [&granted].into_iter(), now);
    assert_eq!(of(own, early), EmergencyBlocked::default());
    assert_eq!(of(own, due), blocked(true, &["bob", "dave"]), "who asked something decided nothing");
    assert_eq!(of(other, due), blocked(false, &["bob", "dave"]));
    // A review after use is no emergency's.
    let mut quiet = granted.clone();
    quiet.reviews[0].kind = ReviewKind::AfterUse;
    assert_eq!(EmergencyBlocked::of(own, [&quiet].into_iter(), due), EmergencyBlocked::default());
}

fn with_olaf() -> Context {
    let mut now = context(5, terms(1));
    now.eligible.push(eligible("olaf", &[]));
    now
}

#[test]
fn a_grant_of_an_emergency_is_reviewed_by_somebody_without_a_part_in_it() {
    for (review_within, due) in [(None, at(30 + 86_400)), (Some(60), at(90))] {
        let demanded = Terms { review_within: review_within.map(Span::from_seconds), ..terms(1) };
        let asked = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), context(5, demanded.clone()))]);
        let declared = next(asked, declare("dave"), &context(20, demanded.clone()));
        assert!(declared.reviews.is_empty(), "nothing was granted");
        let granted = next(declared, approve("bob", exact()), &context(30, demanded));
        let review = &granted.reviews[0];
        assert_eq!((review.kind, review.due, review.opened_at), (ReviewKind::Emergency, due, at(30)));
    }
    let quiet = play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]);
    assert!(quiet.reviews.is_empty(), "no emergency, no review");
}

#[test]
fn terms_that_demand_nobody_are_no_terms() {
    let exception = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), context(5, terms(0)))]);
    assert_eq!(after(&exception, declare("dave"), &context(20, terms(0))), Ok(vec!["emergency_declared"]));
    assert_eq!(
        after(&exception, approve("bob", exact()), &context(20, terms(0))),
        Ok(vec!["vote_cast", "exception_granted"])
    );
}
