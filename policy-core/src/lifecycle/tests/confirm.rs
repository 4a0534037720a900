//! After a restore: nothing of before is honoured until as many people as it takes say that it still stands.

use super::after;
use crate::abi::Eligibility;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::lifecycle::{
    Actor, Command, Context, Event, Exception, May, Rejection, VoteDecision, allowed, effective_state, evolve,
};
use crate::outcome::Terms;

/// The same, made before an epoch began.
fn doubted(exception: Exception, epoch: u64) -> Exception {
    evolve(Some(exception), &Event::ExceptionUnconfirmed { epoch, at: at(20) }).unwrap().unwrap()
}

fn granted(approvals: u32) -> Exception {
    let votes = ["bob", "carol"].into_iter().take(approvals as usize);
    play(exact(), votes.map(|person| (approve(person, exact()), context(10, terms(approvals)))).collect())
}

fn take() -> Command {
    Command::Use { call: "c".into(), evaluation: "v2".into(), amounts: vec![] }
}

fn confirm(by: &str) -> Command {
    Command::Confirm {
        by: user(by),
        reason: "it is still needed".into(),
        assurance: "link".into(),
        proof: Proof::Session,
    }
}

fn may(exception: &Exception, person: &str) -> May {
    let person = user(person);
    allowed(
        exception,
        Actor::Person { person: &person, eligible: true, strong_enough: true, can_show: Presence::Signature },
        at(30),
    )
    .confirm
}

#[test]
fn a_grant_of_before_permits_nothing_until_it_is_confirmed() {
    let now = context(30, terms(1));
    let before = granted(1);
    assert_eq!(after(&before, take(), &now), Ok(vec!["grant_used", "grant_exhausted"]));
    let exception = doubted(before, 2);
    assert_eq!(effective_state(&exception, at(30)).word, "unconfirmed");
    assert_eq!(after(&exception, take(), &now), Err(Rejection::Unconfirmed));
    assert_eq!(may(&exception, "carol"), May::Yes);
    assert_eq!(after(&exception, confirm("carol"), &now), Ok(vec!["confirmation_given", "exception_confirmed"]));
    let confirmed = step(Some(exception.clone()), confirm("carol"), &now).unwrap().0.unwrap();
    assert_eq!(effective_state(&confirmed, at(30)).word, "granted");
    assert_eq!(after(&confirmed, take(), &now), Ok(vec!["grant_used", "grant_exhausted"]));
    assert_eq!(after(&confirmed, confirm("dave"), &now), Ok(vec![]), "there is nothing left to confirm");
    // The next epoch asks again.
    let again = doubted(confirmed, 3);
    assert_eq!(after(&again, take(), &now), Err(Rejection::Unconfirmed));
    // It can be taken away all the same.
    let revoke = Command::Revoke { by: user("rita"), reason: "enough".into() };
    assert_eq!(after(&again, revoke, &now), Ok(vec!["grant_revoked"]));
}

#[test]
fn it_takes_as_many_persons_to_confirm_as_to_approve() {
    let now = context(30, terms(2));
    let exception = doubted(granted(2), 2);
    let once = step(Some(exception), confirm("bob"), &now).unwrap().0.unwrap();
    assert_eq!(effective_state(&once, at(30)).word, "unconfirmed");
    assert_eq!(once.unconfirmed.as_ref().map(|unconfirmed| unconfirmed.confirmations.len()), Some(1));
    assert_eq!(after(&once, take(), &now), Err(Rejection::Unconfirmed));
    assert_eq!(after(&once, confirm("bob"), &now), Ok(vec![]), "the same again");
    let other = Command::Confirm {
        by: user("bob"),
        reason: "and again".into(),
        assurance: "link".into(),
        proof: Proof::Session,
    };
    assert_eq!(after(&once, other, &now), Err(Rejection::VotedAlready));
    assert_eq!(may(&once, "bob"), May::No(Rejection::VotedAlready));
    assert_eq!(after(&once, confirm("carol"), &now), Ok(vec!["confirmation_given", "exception_confirmed"]));
    // One who may no longer vote when the last one comes is one too few.
    let mut fewer = now.clone();
    fewer.eligible.retain(|eligibility| eligibility.person != user("bob"));
    assert_eq!(after(&once, confirm("carol"), &fewer), Ok(vec!["confirmation_given"]));
    // And one of each group that the terms demand.
    let grouped = context(30, Terms { groups: path(&["security"]), ..terms(1) });
    let exception = doubted(granted(1), 2);
    assert_eq!(after(&exception, confirm("bob"), &grouped), Ok(vec!["confirmation_given"]));
    assert_eq!(after(&exception, confirm("carol"), &grouped), Ok(vec!["confirmation_given", "exception_confirmed"]));
}

#[test]
fn nobody_confirms_their_own_nor_what_has_ended_nor_without_a_reason() {
    let now = context(30, terms(1));
    let exception = doubted(granted(1), 2);
    for (who, why) in [
        ("rita", Rejection::IsRequester),
        ("olga", Rejection::IsOwner),
        ("alice", Rejection::InChain),
        ("nobody", Rejection::NotEligible),
    ] {
        assert_eq!(after(&exception, confirm(who), &now), Err(why), "{who}");
    }
    assert_eq!(may(&exception, "rita"), May::No(Rejection::IsRequester));
    let silent =
        Command::Confirm { by: user("bob"), reason: " ".into(), assurance: "link".into(), proof: Proof::Session };
    assert_eq!(after(&exception, silent, &now), Err(Rejection::ReasonNeeded));
    let strong = Terms { step_up: Some("webauthn".into()), ..terms(1) };
    assert_eq!(after(&exception, confirm("bob"), &context(30, strong)), Err(Rejection::StepUpNeeded));
    assert_eq!(
        after(&exception, confirm("bob"), &Context { terms: None, ..now.clone() }),
        Err(Rejection::NotRequestable)
    );
    assert_eq!(after(&exception, confirm("bob"), &context(600, terms(1))), Err(Rejection::TooLate));
    let agent = Command::Confirm {
        by: EntityRef::new("Agent", "a1"),
        reason: "mine".into(),
        assurance: "link".into(),
        proof: Proof::Session,
    };
    assert!(after(&exception, agent, &now).is_err());
    let overdue = Context { overdue_tiers: path(&["low"]), ..now.clone() };
    assert_eq!(after(&exception, confirm("bob"), &overdue), Err(Rejection::ReviewOverdue));
    // What had ended before is in no doubt.
    let refused = play(exact(), vec![(vote("bob", VoteDecision::Refuse, exact()), context(10, terms(1)))]);
    assert!(evolve(Some(refused), &Event::ExceptionUnconfirmed { epoch: 2, at: at(20) }).is_err());
}

#[test]
fn an_open_request_of_before_gathers_no_approvals_until_it_is_confirmed() {
    let now = context(30, terms(2));
    let open = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    let exception = doubted(open, 2);
    assert_eq!(after(&exception, approve("carol", exact()), &now), Err(Rejection::Unconfirmed));
    let emergency = Command::DeclareEmergency {
        by: user("carol"),
        reason: "down".into(),
        assurance: "link".into(),
        proof: Proof::Session,
    };
    assert_eq!(after(&exception, emergency, &now), Err(Rejection::Unconfirmed));
    let person = user("carol");
    let actor = Actor::Person { person: &person, eligible: true, strong_enough: true, can_show: Presence::Signature };
    let may = allowed(&exception, actor, at(30));
    assert_eq!((may.approve, may.confirm), (May::No(Rejection::Unconfirmed), May::Yes));
    assert!(may.refuse.is_yes() && may.ask.is_yes());
    assert!(after(&exception, vote("dave", VoteDecision::Refuse, exact()), &now).is_ok(), "a refusal widens nothing");
    let confirmed = ["carol", "dave"]
        .into_iter()
        .fold(exception, |exception, who| step(Some(exception), confirm(who), &now).unwrap().0.unwrap());
    let last = after(&confirmed, approve("carol", exact()), &now).unwrap();
    assert_eq!(last.last(), Some(&"exception_granted"));
}

#[test]
fn a_use_that_is_given_back_revives_no_grant_of_before() {
    let now = context(30, terms(1));
    let used = step(Some(granted(1)), take(), &context(15, terms(1))).unwrap().0.unwrap();
    // A use of it may be given back until its window ends: so long there is something to confirm.
    let exhausted = doubted(used.clone(), 2);
    assert_eq!(after(&exhausted, confirm("carol"), &now), Ok(vec!["confirmation_given", "exception_confirmed"]));
    assert_eq!(after(&exhausted, confirm("carol"), &context(600, terms(1))), Err(Rejection::Closed));
    let back = Command::GiveBack {
        by: user("carol"),
        evaluation: "v2".into(),
        reason: "it never ran".into(),
        assurance: "link".into(),
    };
    let exception = step(Some(doubted(used, 2)), back, &now).unwrap().0.unwrap();
    assert_eq!(after(&exception, take(), &now), Err(Rejection::Unconfirmed));
    assert!(after(&exception, confirm("carol"), &now).is_ok());
    // What a person no longer may is not done by having been allowed before.
    let nobody: Vec<Eligibility> = Vec::new();
    assert_eq!(after(&exception, confirm("carol"), &Context { eligible: nobody, ..now }), Err(Rejection::NotEligible));
}
