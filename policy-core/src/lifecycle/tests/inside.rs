//! "This, or anything inside it": an approval that a later narrowing keeps (R4, R5).

use super::after;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::grant::Scope;
use crate::lifecycle::{Actor, Command, Exception, Rejection, VoteDecision, allowed};

fn wide() -> Scope {
    with(vec![between(&["rows"], 0, 200)])
}

fn narrow(max: i64) -> Scope {
    with(vec![between(&["rows"], 0, max)])
}

fn inside(command: Command) -> Command {
    let Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, .. } = command else {
        unreachable!("a vote is a vote")
    };
    Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside: true, proof: Proof::Session }
}

fn next(state: Exception, command: Command) -> Exception {
    step(Some(state), command, &context(20, terms(2))).unwrap().0.unwrap()
}

#[test]
fn a_later_narrowing_keeps_a_vote_for_whatever_lies_inside() {
    let now = context(20, terms(2));
    let asked = play(wide(), vec![(inside(approve("bob", wide())), context(10, terms(2)))]);
    let granted = ["scope_narrowed", "vote_cast", "exception_granted"].to_vec();
    assert_eq!(after(&asked, approve("carol", narrow(150)), &now), Ok(granted.clone()));
    let (state, _) = step(Some(asked), approve("carol", narrow(150)), &now).unwrap();
    let grant = (*state.unwrap().phase.grant().unwrap().grant).clone();
    assert_eq!((grant.version, grant.scope.arguments), (2, narrow(150).arguments), "the narrower one");
    // One for exactly this version is of another.
    let plain = play(wide(), vec![(approve("bob", wide()), context(10, terms(2)))]);
    assert_eq!(after(&plain, approve("carol", narrow(150)), &now), Ok(vec!["scope_narrowed", "vote_cast"]));
    // It is one person however often it counts.
    let twice = next(next(play(wide(), vec![]), inside(approve("bob", wide()))), approve("bob", narrow(150)));
    assert_eq!((twice.phase.word(), twice.versions.len()), ("requested", 2));
    assert_eq!(twice.approved_by(), [&user("bob")]);
    assert_eq!(after(&twice, approve("carol", narrow(100)), &now), Ok(granted), "the first one keeps counting");
}

#[test]
fn who_has_approved_what_is_voted_on_is_told_by_the_votes_alone() {
    let approved = |first: Command, second: Command| {
        let state = next(play(wide(), vec![]), first);
        let (state, _) = step(Some(state), second, &context(20, terms(3))).unwrap();
        state.unwrap().approved_by().into_iter().map(|person| person.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(approved(inside(approve("bob", wide())), approve("carol", narrow(150))), ["bob", "carol"]);
    assert_eq!(
        approved(approve("bob", wide()), approve("carol", narrow(150))),
        ["carol"],
        "his was of another version"
    );
    assert_eq!(
        approved(approve("bob", wide()), vote("carol", VoteDecision::Ask, wide())),
        ["bob"],
        "a question is none"
    );
    let mut owned = next(play(wide(), vec![]), inside(approve("bob", wide())));
    owned.request.owners.push(user("bob"));
    assert!(owned.approved_by().is_empty(), "who owns the agent approves nothing");
}

#[test]
fn a_vote_on_a_narrower_version_is_none_on_a_wider_one() {
    let asked = next(play(wide(), vec![]), inside(approve("bob", narrow(150))));
    let now = context(20, terms(2));
    assert_eq!(after(&asked, approve("carol", wide()), &now), Err(Rejection::Widens));
    assert_eq!(after(&asked, approve("carol", narrow(151)), &now), Err(Rejection::Widens));
    // It does not count where the state says an older version than its own.
    let mut older = asked.clone();
    older.versions.truncate(1);
    assert_eq!(after(&older, approve("carol", wide()), &now), Ok(vec!["vote_cast"]));
}

#[test]
fn who_approved_one_version_may_say_so_of_what_lies_inside_once() {
    let now = context(20, terms(2));
    let plain = play(wide(), vec![(approve("bob", wide()), context(10, terms(2)))]);
    assert_eq!(after(&plain, inside(approve("bob", wide())), &now), Ok(vec!["vote_cast"]));
    let more = next(plain, inside(approve("bob", wide())));
    assert_eq!(after(&more, inside(approve("bob", wide())), &now), Ok(vec![]), "said already");
    let other_sheet = |inside| {
        let Command::Vote { person, decision, scope, as_of, reason, assurance, .. } = approve("bob", wide()) else {
            unreachable!("a vote is a vote")
        };
        let sheet = crate::digest::Digest::of(b"another sheet");
        Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside, proof: Proof::Session }
    };
    for inside in [true, false] {
        assert_eq!(after(&more, other_sheet(inside), &now), Err(Rejection::VotedAlready));
    }
    let bob = user("bob");
    let may = |exception: &Exception| {
        allowed(
            exception,
            Actor::Person { person: &bob, eligible: true, strong_enough: true, can_show: Presence::Signature },
            at(20),
        )
        .approve
        .why_not()
    };
    assert_eq!(may(&more), Some(Rejection::VotedAlready));
    // On a version that somebody else narrowed to it still counts.
    let narrowed = next(more, vote("carol", VoteDecision::Ask, wide()));
    assert_eq!(may(&narrowed), Some(Rejection::VotedAlready));
    let by_carol =
        next(play(wide(), vec![(approve("bob", wide()), context(10, terms(2)))]), approve("carol", narrow(150)));
    assert_eq!(may(&by_carol), None, "his was of another version");
}

#[test]
fn only_an_approval_is_of_what_lies_inside() {
    for decision in [VoteDecision::Ask, VoteDecision::Refuse] {
        let state = next(play(wide(), vec![]), inside(vote("bob", decision, wide())));
        assert!(!state.votes[0].inside);
    }
    assert!(next(play(wide(), vec![]), inside(approve("bob", wide()))).votes[0].inside);
}

#[test]
fn a_vote_for_whatever_lies_inside_counts_only_while_its_person_may_vote() {
    let asked = play(wide(), vec![(inside(approve("bob", wide())), context(10, terms(2)))]);
    let mut gone = context(20, terms(2));
    gone.eligible.retain(|eligibility| eligibility.person != user("bob"));
    assert_eq!(after(&asked, approve("carol", narrow(150)), &gone), Ok(vec!["scope_narrowed", "vote_cast"]));
    let mut came_to_own = asked;
    came_to_own.request.owners.push(EntityRef::new("User", "bob"));
    let now = context(20, terms(2));
    assert_eq!(after(&came_to_own, approve("carol", narrow(150)), &now), Ok(vec!["scope_narrowed", "vote_cast"]));
}
