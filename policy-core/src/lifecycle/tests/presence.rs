//! What a vote must be cast with, and what of that counts.

use super::after;
use crate::digest::Digest;
use crate::fixtures::*;
use crate::lifecycle::{Actor, Command, Event, May, Rejection, VoteDecision, allowed, evolve, strictest};
use crate::outcome::Terms;
use crate::presence::{Authentication, Signature};

fn demanding(presence: Presence, approvals: u32) -> Terms {
    Terms { presence, ..terms(approvals) }
}

fn signed() -> Proof {
    Proof::Signature(Box::new(Signature {
        passkey: "key_1".into(),
        key: "a".into(),
        rp_id: "gate.example".into(),
        origin: "https://gate.example".into(),
        nonce: Digest::of(b"nonce"),
        statement: "{}".into(),
        credential: "b".into(),
        authenticator_data: "c".into(),
        client_data: "d".into(),
        signature: "e".into(),
    }))
}

fn fresh() -> Proof {
    Proof::Authentication(Box::new(Authentication {
        issuer: "https://idp.example".into(),
        acr: Some("phr".into()),
        at: at(9),
    }))
}

fn with(mut command: Command, shown: Proof) -> Command {
    if let Command::Vote { proof, .. } | Command::Confirm { proof, .. } | Command::DeclareEmergency { proof, .. } =
        &mut command
    {
        *proof = shown;
    }
    command
}

#[test]
fn what_decides_beside_votes_comes_with_what_the_terms_demand_of_votes() {
    let (by, reason, assurance) = (user("bob"), "needed".to_owned(), "link".to_owned());
    let emergency = Command::DeclareEmergency {
        by: by.clone(),
        reason: reason.clone(),
        assurance: assurance.clone(),
        proof: Proof::Session,
    };
    let confirm = Command::Confirm { by, reason, assurance, proof: Proof::Session };
    let open = play(exact(), vec![]);
    let doubted = Event::ExceptionUnconfirmed { epoch: 2, at: at(5) };
    let doubted = evolve(Some(open.clone()), &doubted).unwrap().unwrap();
    for (what, exception, command) in [("emergency", &open, &emergency), ("confirmation", &doubted, &confirm)] {
        for (demanded, proof, takes) in [
            (Presence::Session, Proof::Session, true),
            (Presence::Authentication, Proof::Session, false),
            (Presence::Authentication, fresh(), true),
            (Presence::Signature, Proof::Session, false),
            (Presence::Signature, fresh(), false),
            (Presence::Signature, signed(), true),
        ] {
            let now = context(10, demanding(demanded, 1));
            let done = after(exception, with(command.clone(), proof.clone()), &now);
            assert_eq!(done.err(), (!takes).then_some(Rejection::PresenceNeeded), "{what} {demanded:?} {proof:?}");
        }
    }
    // One that was confirmed before more was demanded waits for what is demanded now.
    let two = context(10, demanding(Presence::Session, 2));
    let (once, _) = step(Some(doubted), with(confirm.clone(), Proof::Session), &two).unwrap();
    let now = context(20, demanding(Presence::Signature, 2));
    let carol = Command::Confirm {
        by: user("carol"),
        reason: "needed".to_owned(),
        assurance: "link".to_owned(),
        proof: signed(),
    };
    assert_eq!(after(&once.unwrap(), carol, &now), Ok(vec!["confirmation_given"]), "bob's was shown by nothing");
}

#[test]
fn an_approval_comes_with_what_the_terms_demand() {
    let exception = play(exact(), vec![]);
    for (demanded, proof, takes) in [
        (Presence::Session, Proof::Session, true),
        (Presence::Session, signed(), true),
        (Presence::Authentication, Proof::Session, false),
        (Presence::Authentication, fresh(), true),
        (Presence::Authentication, signed(), true),
        (Presence::Signature, Proof::Session, false),
        (Presence::Signature, fresh(), false),
        (Presence::Signature, signed(), true),
    ] {
        let now = context(10, demanding(demanded, 1));
        let approved = after(&exception, with(approve("bob", exact()), proof.clone()), &now);
        assert_eq!(approved.err(), (!takes).then_some(Rejection::PresenceNeeded), "{demanded:?} {proof:?}");
        for decision in [VoteDecision::Refuse, VoteDecision::Ask] {
            assert!(after(&exception, with(vote("bob", decision, exact()), Proof::Session), &now).is_ok());
        }
    }
}

#[test]
fn an_approval_without_a_signature_counts_no_more_once_one_is_demanded() {
    let first = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    let now = context(20, demanding(Presence::Signature, 2));
    let (state, events) = step(Some(first), with(approve("carol", exact()), signed()), &now).unwrap();
    assert_eq!(events.iter().map(|event| event.kind()).collect::<Vec<_>>(), ["exception_rejudged", "vote_cast"]);
    let again = with(vote("bob", VoteDecision::Approve, exact()), signed());
    let Command::Vote { person, decision, scope, as_of, reason, assurance, inside, proof, .. } = again else {
        unreachable!("a vote is a vote")
    };
    let sheet = Digest::of(b"a newer sheet");
    let again = Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside, proof };
    assert_eq!(after(&state.unwrap(), again, &now), Ok(vec!["vote_cast", "exception_granted"]));
}

#[test]
fn a_grant_is_suspended_where_its_votes_lack_what_a_newer_bundle_demands() {
    let granted = play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]);
    let mut now = context(20, demanding(Presence::Signature, 1));
    now.bundle = Digest::of(b"newer");
    assert_eq!(after(&granted, Command::Rejudge, &now), Ok(vec!["grant_suspended"]));
}

#[test]
fn what_nobody_can_show_is_not_allowed_and_the_stronger_demand_counts() {
    let now = context(5, demanding(Presence::Signature, 1));
    let exception = play(exact(), vec![(vote("dave", VoteDecision::Ask, exact()), now)]);
    assert_eq!(exception.terms.presence, Presence::Signature);
    let bob = user("bob");
    for (can_show, expected) in [
        (Presence::Session, May::No(Rejection::PresenceNeeded)),
        (Presence::Authentication, May::No(Rejection::PresenceNeeded)),
        (Presence::Signature, May::Yes),
    ] {
        let actor = Actor::Person { person: &bob, eligible: true, strong_enough: true, can_show };
        let may = allowed(&exception, actor, at(10));
        assert_eq!((may.approve, may.refuse, may.declare_emergency), (expected, May::Yes, expected));
    }
    let (one, other) = (demanding(Presence::Authentication, 1), demanding(Presence::Signature, 1));
    assert_eq!(strictest(&one, &other, &[], &[]).presence, Presence::Signature);
    assert_eq!(strictest(&other, &one, &[], &[]).presence, Presence::Signature);
}

#[test]
fn what_earlier_releases_wrote_is_read_as_a_session() {
    let json = serde_json::to_value(terms(1)).unwrap();
    assert!(json.get("presence").is_none());
    assert_eq!(serde_json::from_value::<Terms>(json).unwrap(), terms(1));
    let granted = play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]);
    let vote = serde_json::to_value(&granted.votes[0]).unwrap();
    assert!(vote.get("proof").is_none());
    let signed = serde_json::to_value(signed()).unwrap();
    assert_eq!(signed["by"], "signature");
    assert_eq!(serde_json::from_value::<Proof>(signed).unwrap().presence(), Presence::Signature);
}
