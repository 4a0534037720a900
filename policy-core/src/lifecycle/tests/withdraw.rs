//! Approvals that are taken back while they wait (R4).

use super::after;
use crate::fixtures::*;
use crate::lifecycle::{Actor, Command, Event, May, Phase, Rejection, VoteDecision, allowed, evolve};
use crate::presence::Presence;

fn withdraw(person: &str) -> Command {
    Command::Withdraw { by: user(person) }
}

#[test]
fn an_approval_that_waits_is_taken_back_by_its_voter_alone_and_in_time() {
    let open = play(exact(), vec![]);
    let waiting = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    let taken =
        play(exact(), vec![(approve("bob", exact()), context(10, terms(2))), (withdraw("bob"), context(20, terms(2)))]);
    let asked = play(exact(), vec![(vote("bob", VoteDecision::Ask, exact()), context(10, terms(2)))]);
    let granted = play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]);
    let denied = play(exact(), vec![(vote("bob", VoteDecision::Refuse, exact()), context(10, terms(2)))]);
    let done = || Ok(vec!["vote_withdrawn"]);
    for (what, exception, person, second, expected) in [
        ("its voter", &waiting, "bob", 20, done()),
        ("its voter, at the last moment", &waiting, "bob", 299, done()),
        ("its voter, too late", &waiting, "bob", 300, Err(Rejection::TooLate)),
        ("somebody else", &waiting, "carol", 20, Err(Rejection::NoVote)),
        ("who asked", &waiting, "rita", 20, Err(Rejection::NoVote)),
        ("twice", &taken, "bob", 30, Ok(vec![])),
        ("nobody has voted", &open, "bob", 20, Err(Rejection::NoVote)),
        ("a question is no approval", &asked, "bob", 20, Err(Rejection::NoVote)),
        ("a grant was made", &granted, "bob", 20, Err(Rejection::Closed)),
        ("it was refused", &denied, "bob", 20, Err(Rejection::Closed)),
    ] {
        assert_eq!(after(exception, withdraw(person), &context(second, terms(2))), expected, "{what}");
    }
    assert!(waiting.waits_with(&user("bob")) && !taken.waits_with(&user("bob")) && !granted.waits_with(&user("bob")));
}

#[test]
fn a_vote_that_was_taken_back_counts_for_nothing_and_can_be_cast_again() {
    let now = |second| context(second, terms(2));
    let taken = play(exact(), vec![(approve("bob", exact()), now(10)), (withdraw("bob"), now(20))]);
    assert_eq!((taken.approved_by().len(), taken.votes.len()), (0, 1), "it stays on record");
    assert_eq!(taken.votes[0].withdrawn, Some(at(20)));
    let actor = |person: &str| {
        let person = Box::leak(Box::new(user(person)));
        Actor::Person { person, eligible: true, strong_enough: true, can_show: Presence::Signature }
    };
    assert_eq!(allowed(&taken, actor("bob"), at(30)).approve, May::Yes);
    // The second vote stands alone.
    assert_eq!(after(&taken, approve("carol", exact()), &now(30)), Ok(vec!["vote_cast"]));
    let beside = play(
        exact(),
        vec![(approve("bob", exact()), now(10)), (withdraw("bob"), now(20)), (approve("carol", exact()), now(30))],
    );
    assert_eq!(beside.phase, Phase::Requested);
    // The very ballot that was taken back makes no vote again; one on a sheet of now does.
    assert_eq!(after(&beside, approve("bob", exact()), &now(40)), Ok(vec![]));
    let Command::Vote { person, decision, scope, reason, assurance, inside, proof, .. } = approve("bob", exact())
    else {
        unreachable!("a vote is a vote")
    };
    let sheet = crate::digest::Digest::of(b"another sheet");
    let fresh = Command::Vote { person, decision, scope, sheet, as_of: 9, reason, assurance, inside, proof };
    assert_eq!(after(&beside, fresh, &now(40)), Ok(vec!["vote_cast", "exception_granted"]));
}

#[test]
fn the_approvals_of_others_and_other_votes_of_ones_own_stay_when_one_is_taken_back() {
    let now = |second| context(second, terms(3));
    let asked = (vote("bob", VoteDecision::Ask, exact()), now(10));
    let taken = play(
        exact(),
        vec![
            asked,
            (approve("bob", exact()), now(20)),
            (approve("carol", exact()), now(30)),
            (withdraw("bob"), now(40)),
        ],
    );
    let withdrawn: Vec<_> =
        taken.votes.iter().map(|vote| (vote.person.id.as_str(), vote.decision, vote.withdrawn)).collect();
    let expected = [
        ("bob", VoteDecision::Ask, None),
        ("bob", VoteDecision::Approve, Some(at(40))),
        ("carol", VoteDecision::Approve, None),
    ];
    assert_eq!(withdrawn, expected);
}

#[test]
fn an_approval_of_whatever_lies_inside_is_taken_back_with_all_of_it() {
    let now = |second| context(second, terms(2));
    let Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, proof, .. } =
        approve("bob", with(vec![between(&["rows"], 0, 200)]))
    else {
        unreachable!("a vote is a vote")
    };
    let inside = Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside: true, proof };
    let taken = play(with(vec![between(&["rows"], 0, 200)]), vec![(inside, now(10)), (withdraw("bob"), now(20))]);
    assert_eq!(after(&taken, approve("carol", exact()), &now(30)), Ok(vec!["scope_narrowed", "vote_cast"]));
}

#[test]
fn history_in_which_nothing_waited_is_damaged() {
    let event = Event::VoteWithdrawn { by: user("bob"), at: at(20) };
    for exception in [
        play(exact(), vec![]),
        play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]),
        play(exact(), vec![(approve("carol", exact()), context(10, terms(2)))]),
    ] {
        assert!(evolve(Some(exception), &event).is_err());
    }
}
