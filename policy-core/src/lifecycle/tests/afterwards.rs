//! Reviews, dispositions, and the end of a task.

use super::after;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::grant::Scope;
use crate::lifecycle::{
    Actor, Allowed, Command, Context, Disposition, Exception, May, Phase, Rejection, ReviewKind, ReviewOutcome,
    VoteDecision, allowed,
};
use crate::outcome::Terms;
use crate::time::Span;

fn reviewed() -> Terms {
    Terms { review_within: Some(Span::from_seconds(100)), ..terms(1) }
}

fn next(state: Exception, command: Command, context: &Context) -> Exception {
    step(Some(state), command, context).unwrap().0.unwrap()
}

fn granted(max_uses: u32, terms: Terms) -> Exception {
    let scope = Scope { max_uses, ..exact() };
    play(scope.clone(), vec![(approve("bob", scope), context(10, terms))])
}

fn take(evaluation: &str) -> Command {
    Command::Use { call: "c".into(), evaluation: evaluation.into(), amounts: vec![] }
}

fn revoke() -> Command {
    Command::Revoke { by: user("carol"), reason: "wrong file".into() }
}

fn close(review: &str, by: EntityRef, outcome: ReviewOutcome, note: &str) -> Command {
    Command::CloseReview { review: review.into(), by, outcome, note: note.into() }
}

fn dispose(by: EntityRef, disposition: Disposition, note: &str) -> Command {
    Command::Dispose { by, disposition, note: note.into() }
}

/// `erin` is eligible, too.
fn with_erin(context: Context) -> Context {
    let eligible = context.eligible.iter().cloned().chain([eligible("erin", &[])]).collect();
    Context { eligible, ..context }
}

/// Used once and used up at second 20: its review is due at 120.
fn used_up() -> Exception {
    next(granted(1, reviewed()), take("v2"), &context(20, reviewed()))
}

#[test]
fn the_end_of_a_used_grant_opens_the_review_that_the_terms_demand() {
    let now = |second| context(second, reviewed());
    let once = next(granted(2, reviewed()), take("v2"), &now(20));
    for (exception, command, second, expected, due) in [
        (granted(1, reviewed()), take("v2"), 20, vec!["grant_used", "grant_exhausted", "review_opened"], Some(120)),
        (granted(2, reviewed()), take("v2"), 20, vec!["grant_used"], None),
        (granted(1, terms(1)), take("v2"), 20, vec!["grant_used", "grant_exhausted"], None),
        (once.clone(), revoke(), 30, vec!["grant_revoked", "review_opened"], Some(130)),
        (once.clone(), Command::Lapse, 650, vec!["exception_lapsed", "review_opened"], Some(700)),
        (granted(2, reviewed()), revoke(), 30, vec!["grant_revoked"], None),
        (granted(2, reviewed()), Command::Lapse, 650, vec!["exception_lapsed"], None),
        (play(exact(), vec![]), Command::Lapse, 650, vec!["exception_lapsed"], None),
    ] {
        assert_eq!(after(&exception, command.clone(), &now(second)), Ok(expected), "{command:?}");
        let ended = next(exception, command, &now(second));
        let review = ended.reviews.first();
        assert_eq!(review.map(|review| review.due), due.map(at));
        assert!(review.is_none_or(|review| review.kind == ReviewKind::AfterUse && review.id == "e1.r1"));
        // Whatever should have opened one has: asking again changes nothing.
        if due.is_some() {
            assert_eq!(after(&ended, Command::OpenReview, &now(second)), Ok(vec![]));
        }
    }
}

#[test]
fn a_review_that_an_older_release_did_not_open_is_opened_once() {
    let now = context(700, reviewed());
    let without = |exception: Exception| Exception { reviews: vec![], ..exception };
    let ended = without(used_up());
    assert_eq!(after(&ended, Command::OpenReview, &now), Ok(vec!["review_opened"]));
    let opened = next(ended, Command::OpenReview, &now);
    assert_eq!(opened.reviews[0].due, at(120));
    assert_eq!(after(&opened, Command::OpenReview, &now), Ok(vec![]));
    let once = next(granted(2, reviewed()), take("v2"), &context(20, reviewed()));
    assert_eq!(after(&once, Command::OpenReview, &context(599, reviewed())), Err(Rejection::NotClosed));
    assert_eq!(after(&once, Command::OpenReview, &now), Ok(vec!["review_opened"]), "over, noticed or not");
    let unused = without(next(granted(2, reviewed()), revoke(), &context(20, reviewed())));
    assert_eq!(after(&unused, Command::OpenReview, &now), Err(Rejection::NoSuchReview));
    let undemanded = Exception { terms: terms(1), ..without(used_up()) };
    assert_eq!(after(&undemanded, Command::OpenReview, &now), Err(Rejection::NoSuchReview));
}

#[test]
fn what_is_used_again_after_a_review_is_reviewed_again() {
    let (reason, assurance) = ("crashed".into(), "link".into());
    let back = Command::GiveBack { by: user("carol"), evaluation: "v2".into(), reason, assurance };
    let given = next(used_up(), back.clone(), &context(30, reviewed()));
    // While the first is open, one is enough.
    let again = after(&given, take("v3"), &context(40, reviewed()));
    assert_eq!(again, Ok(vec!["grant_used", "grant_exhausted"]));
    let closed = next(given, close("e1.r1", user("dave"), ReviewOutcome::Appropriate, ""), &context(35, reviewed()));
    let third = next(closed, take("v3"), &context(40, reviewed()));
    assert_eq!(third.reviews.iter().map(|review| review.id.as_str()).collect::<Vec<_>>(), ["e1.r1", "e1.r2"]);
    assert_eq!(third.reviews[1].due, at(140));
    // A use given back was looked at, or ran: the end of the grant is reviewed.
    let unused =
        next(next(granted(2, reviewed()), take("v2"), &context(20, reviewed())), back, &context(21, reviewed()));
    assert_eq!(unused.phase.grant().map(|state| state.uses), Some(0));
    assert_eq!(after(&unused, revoke(), &context(30, reviewed())), Ok(vec!["grant_revoked", "review_opened"]));
}

#[test]
fn who_neither_asked_nor_decided_closes_a_review() {
    let exception = used_up();
    let now = with_erin(context(50, reviewed()));
    let long = "x".repeat(2001);
    let fine = ReviewOutcome::Appropriate;
    for (command, expected) in [
        (close("e1.r1", user("dave"), fine, ""), Ok(vec!["review_closed"])),
        (close("e1.r1", user("erin"), ReviewOutcome::Abuse, "not hers"), Ok(vec!["review_closed"])),
        (close("e1.r1", user("mallory"), ReviewOutcome::Abuse, "not hers"), Err(Rejection::NotEligible)),
        (close("e1.r2", user("dave"), fine, ""), Err(Rejection::NoSuchReview)),
        (close("e1.r1", user("bob"), fine, ""), Err(Rejection::HasVoted)),
        (close("e1.r1", user("rita"), fine, ""), Err(Rejection::IsRequester)),
        (close("e1.r1", user("olga"), fine, ""), Err(Rejection::IsOwner)),
        (close("e1.r1", user("alice"), fine, ""), Err(Rejection::InChain)),
        (close("e1.r1", EntityRef::new("Agent", "a7"), fine, ""), Err(Rejection::NotEligible)),
        (close("e1.r1", user("dave"), ReviewOutcome::Excessive, " "), Err(Rejection::ReasonNeeded)),
        (close("e1.r1", user("dave"), ReviewOutcome::Abuse, ""), Err(Rejection::ReasonNeeded)),
        (close("e1.r1", user("dave"), fine, &long), Err(Rejection::TextTooLong)),
        (close("e1.r1", user("dave"), ReviewOutcome::Abuse, &long), Err(Rejection::TextTooLong)),
    ] {
        assert_eq!(after(&exception, command.clone(), &now), expected, "{command:?}");
    }
    let closed = next(exception, close("e1.r1", user("dave"), fine, "looked"), &now);
    let closing = closed.reviews[0].closed.as_ref().unwrap();
    assert_eq!(
        (&closing.by, closing.outcome, closing.note.as_str(), closing.at),
        (&user("dave"), fine, "looked", at(50))
    );
    assert_eq!(after(&closed, close("e1.r1", user("dave"), fine, "looked"), &now), Ok(vec![]));
    for again in [
        close("e1.r1", user("erin"), fine, "looked"),
        close("e1.r1", user("dave"), ReviewOutcome::Abuse, "looked"),
        close("e1.r1", user("dave"), fine, "looked twice"),
    ] {
        assert_eq!(after(&closed, again, &now), Err(Rejection::Closed), "what was found stands");
    }
}

#[test]
fn declaring_and_giving_back_are_a_part_in_it() {
    let declare = Command::DeclareEmergency {
        by: user("carol"),
        reason: "down".into(),
        assurance: "link".into(),
        proof: Proof::Session,
    };
    let asked = play(exact(), vec![(declare, context(5, terms(1)))]);
    let granted = next(asked, approve("bob", exact()), &context(10, terms(1)));
    let used = next(granted, take("v2"), &context(20, terms(1)));
    let (reason, assurance) = ("crashed".into(), "link".into());
    let back = Command::GiveBack { by: user("dave"), evaluation: "v2".into(), reason, assurance };
    let given = next(used, back, &context(30, terms(1)));
    let now = with_erin(context(40, terms(1)));
    for (person, expected) in [
        ("bob", Err(Rejection::HasVoted)),
        ("carol", Err(Rejection::HasVoted)),
        ("dave", Err(Rejection::HasVoted)),
        ("erin", Ok(vec!["review_closed"])),
    ] {
        let command = close("e1.r1", user(person), ReviewOutcome::Appropriate, "");
        assert_eq!(after(&given, command, &now), expected, "{person}");
    }
}

#[test]
fn an_overdue_review_stops_the_tier() {
    let exception = used_up();
    assert_eq!(exception.overdue_review(at(119)), None);
    assert_eq!(exception.overdue_review(at(120)).map(|review| review.id.as_str()), Some("e1.r1"));
    let closed = close("e1.r1", user("dave"), ReviewOutcome::Appropriate, "");
    let closed = next(exception.clone(), closed, &context(200, reviewed()));
    assert_eq!(closed.overdue_review(at(300)), None);
    // Of several, the one that waits the longest.
    let mut two = exception;
    two.reviews.push(crate::lifecycle::Review { id: "e1.r2".into(), due: at(110), ..two.reviews[0].clone() });
    assert_eq!(two.overdue_review(at(300)).map(|review| review.id.as_str()), Some("e1.r2"));

    let overdue = |tier: &str| Context { overdue_tiers: path(&[tier]), ..context(0, terms(1)) };
    let request = || Command::Request(Box::new(facts(exact())));
    assert_eq!(step(None, request(), &overdue("low")).map(|_| ()), Err(Rejection::ReviewOverdue));
    assert_eq!(step(None, request(), &overdue("high")).map(|_| ()), Ok(()));
    let asked = play(exact(), vec![]);
    assert_eq!(after(&asked, approve("bob", exact()), &overdue("low")), Err(Rejection::ReviewOverdue));
    assert_eq!(after(&asked, approve("bob", exact()), &overdue("high")), Ok(vec!["vote_cast", "exception_granted"]));
    let refuse = vote("bob", VoteDecision::Refuse, exact());
    assert_eq!(after(&asked, refuse, &overdue("low")), Ok(vec!["vote_cast", "exception_denied"]), "no always goes");
}

#[test]
fn what_is_closed_is_judged_by_somebody_who_did_not_ask_and_the_last_one_stands() {
    let now = context(50, terms(1));
    let mistake = || dispose(user("bob"), Disposition::AskedByMistake, "");
    let open = [play(exact(), vec![]), granted(1, terms(1))];
    for exception in &open {
        assert_eq!(after(exception, mistake(), &now), Err(Rejection::NotClosed));
    }
    let waits = Context { bundle: Digest::of(b"bundle 2"), terms: None, ..context(20, terms(1)) };
    let suspended = next(granted(1, terms(1)), Command::Rejudge, &waits);
    assert_eq!(after(&suspended, mistake(), &now), Err(Rejection::NotClosed));
    for exception in [
        play(exact(), vec![(vote("bob", VoteDecision::Refuse, exact()), context(10, terms(1)))]),
        play(exact(), vec![(Command::Cancel { by: user("rita"), reason: String::new() }, context(10, terms(1)))]),
        used_up(),
        next(granted(1, terms(1)), revoke(), &context(20, terms(1))),
        next(play(exact(), vec![]), Command::Lapse, &context(300, terms(1))),
    ] {
        assert_eq!(after(&exception, mistake(), &now), Ok(vec!["disposition_set"]), "{}", exception.phase.word());
    }
    for (exception, second) in [(&open[0], 300), (&open[1], 600), (&suspended, 600)] {
        let over = context(second, terms(1));
        assert_eq!(after(exception, mistake(), &over), Ok(vec!["disposition_set"]), "over, noticed or not");
    }
    let exception = used_up();
    for (command, expected) in [
        (dispose(user("rita"), Disposition::OneOff, ""), Err(Rejection::IsRequester)),
        (dispose(user("olga"), Disposition::OneOff, ""), Err(Rejection::IsOwner)),
        (dispose(user("alice"), Disposition::OneOff, ""), Err(Rejection::InChain)),
        (dispose(EntityRef::new("Agent", "a7"), Disposition::OneOff, ""), Err(Rejection::NotEligible)),
        (dispose(user("dave"), Disposition::Abuse, &"x".repeat(2001)), Err(Rejection::TextTooLong)),
        (dispose(user("dave"), Disposition::Abuse, &"x".repeat(2000)), Ok(vec!["disposition_set"])),
    ] {
        assert_eq!(after(&exception, command, &now), expected);
    }
    let judged = next(exception, dispose(user("bob"), Disposition::OneOff, "once"), &now);
    assert_eq!(after(&judged, dispose(user("bob"), Disposition::OneOff, "once"), &now), Ok(vec![]));
    for other in [
        dispose(user("bob"), Disposition::OneOff, "twice"),
        dispose(user("carol"), Disposition::OneOff, "once"),
        dispose(user("bob"), Disposition::PolicyTooNarrow, "once"),
    ] {
        let again = next(judged.clone(), other, &context(60, terms(1)));
        let disposed = again.disposition.unwrap();
        assert_eq!(disposed.at, at(60));
        assert_ne!(Some(disposed), judged.disposition);
    }
}

#[test]
fn a_task_ends_what_hangs_on_it() {
    let end = |reason: &str| Command::EndTask { by: user("op"), reason: reason.into() };
    let now = context(50, reviewed());
    let waits = Context { bundle: Digest::of(b"bundle 2"), terms: None, ..context(20, terms(1)) };
    let used = next(granted(2, reviewed()), take("v2"), &context(20, reviewed()));
    for (exception, expected) in [
        (play(exact(), vec![]), vec!["exception_cancelled"]),
        (next(play(exact(), vec![]), Command::Rejudge, &waits), vec!["exception_cancelled"]),
        (granted(1, reviewed()), vec!["grant_revoked"]),
        (next(granted(1, reviewed()), Command::Rejudge, &waits), vec!["grant_revoked"]),
        (used, vec!["grant_revoked", "review_opened"]),
        // Of what is used up a use could be given back.
        (used_up(), vec!["grant_revoked"]),
        (next(granted(1, terms(1)), revoke(), &now), vec![]),
    ] {
        assert_eq!(after(&exception, end("T-1 is done"), &now), Ok(expected), "{}", exception.phase.word());
        let ended = next(exception, end("T-1 is done"), &now);
        assert!(ended.ended_at(at(51)).is_some());
        assert_eq!(after(&ended, take("v9"), &now), Err(Rejection::NotUsable));
        assert_eq!(after(&ended, end("T-1 is done"), &now), Ok(vec![]));
    }
    assert_eq!(after(&play(exact(), vec![]), end(&"x".repeat(2001)), &now), Err(Rejection::TextTooLong));
    let revoked = next(granted(1, reviewed()), end("done"), &now);
    assert!(matches!(&revoked.phase, Phase::Revoked { by, reason, at: when, .. }
        if *by == user("op") && reason == "done" && *when == at(50)));
    assert_eq!(after(&granted(1, terms(1)), end("late"), &context(600, terms(1))), Ok(vec![]), "time was first");
}

#[test]
fn an_end_has_its_instant() {
    let denied = play(exact(), vec![(vote("bob", VoteDecision::Refuse, exact()), context(10, terms(1)))]);
    let lapsed = next(granted(1, terms(1)), Command::Lapse, &context(650, terms(1)));
    let undecided = next(play(exact(), vec![]), Command::Lapse, &context(650, terms(1)));
    let waits = Context { bundle: Digest::of(b"bundle 2"), terms: None, ..context(20, terms(1)) };
    let suspended = next(granted(1, terms(1)), Command::Rejudge, &waits);
    let waiting = next(play(exact(), vec![]), Command::Rejudge, &waits);
    for (exception, second, end) in [
        (&denied, 20, Some(10)),
        (&used_up(), 30, Some(20)),
        (&lapsed, 700, Some(600)),
        (&undecided, 700, Some(300)),
        (&granted(1, terms(1)), 599, None),
        (&granted(1, terms(1)), 600, Some(600)),
        (&suspended, 599, None),
        (&suspended, 600, Some(600)),
        (&waiting, 299, None),
        (&waiting, 300, Some(300)),
        (&play(exact(), vec![]), 299, None),
        (&play(exact(), vec![]), 300, Some(300)),
    ] {
        assert_eq!(exception.ended_at(at(second)), end.map(at), "{} at {second}", exception.phase.word());
    }
}

#[test]
fn allowed_says_what_may_be_done_afterwards() {
    let ask = |exception: &Exception, id: &str, second| {
        let person = user(id);
        let actor = Actor::Person {
            person: &person,
            eligible: id != "mallory",
            strong_enough: id != "weak",
            can_show: Presence::Signature,
        };
        allowed(exception, actor, at(second))
    };
    let told = |allowed: Allowed| {
        [allowed.answer, allowed.declare_emergency, allowed.give_back, allowed.close_review, allowed.dispose]
            .map(|may| may.why_not().map_or("yes", Rejection::code))
    };
    let asked = play(exact(), vec![(vote("bob", VoteDecision::Ask, exact()), context(5, terms(2)))]);
    let quiet = play(exact(), vec![]);
    let declare = Command::DeclareEmergency {
        by: user("carol"),
        reason: "down".into(),
        assurance: "link".into(),
        proof: Proof::Session,
    };
    let declared = next(asked.clone(), declare, &context(6, terms(2)));
    let used = next(granted(2, reviewed()), take("v2"), &context(20, reviewed()));
    let over = used_up();
    for (exception, id, second, expected) in [
        (&asked, "rita", 20, ["yes", "is_requester", "no_grant", "no_such_review", "not_closed"]),
        (&asked, "olga", 20, ["yes", "is_owner", "no_grant", "no_such_review", "not_closed"]),
        (&asked, "carol", 20, ["not_yours", "yes", "no_grant", "no_such_review", "not_closed"]),
        (&asked, "mallory", 20, ["not_yours", "not_eligible", "no_grant", "no_such_review", "not_closed"]),
        (&asked, "rita", 300, ["too_late", "too_late", "no_grant", "no_such_review", "is_requester"]),
        (&quiet, "rita", 20, ["no_question", "is_requester", "no_grant", "no_such_review", "not_closed"]),
        (&declared, "carol", 20, ["not_yours", "closed", "no_grant", "no_such_review", "not_closed"]),
        (&used, "carol", 30, ["no_question", "closed", "yes", "no_such_review", "not_closed"]),
        (&used, "weak", 30, ["no_question", "closed", "step_up_needed", "no_such_review", "not_closed"]),
        (&used, "carol", 600, ["no_question", "closed", "closed", "no_such_review", "yes"]),
        (&over, "carol", 30, ["no_question", "closed", "yes", "yes", "yes"]),
        (&over, "bob", 30, ["no_question", "closed", "yes", "has_voted", "yes"]),
        (&over, "mallory", 30, ["no_question", "closed", "not_eligible", "not_eligible", "not_eligible"]),
        (&over, "olga", 30, ["no_question", "closed", "is_owner", "is_owner", "is_owner"]),
        (&granted(2, terms(1)), "carol", 30, ["no_question", "closed", "no_such_use", "no_such_review", "not_closed"]),
    ] {
        let eligible_weak = told(ask(exception, id, second));
        assert_eq!(eligible_weak, expected, "{id} at {second}, {}", exception.phase.word());
    }
    let agent = allowed(&over, Actor::Agent { subject: &EntityRef::new("Agent", "a1") }, at(30));
    assert_eq!(told(agent), ["no_question", "closed", "not_eligible", "not_eligible", "not_eligible"]);
    let agent = allowed(&asked, Actor::Agent { subject: &EntityRef::new("Agent", "a1") }, at(30));
    assert_eq!((agent.answer, agent.cancel), (May::Yes, May::Yes));
}

#[test]
fn allowed_says_who_takes_a_request_back_and_a_grant_away() {
    let ask = |exception: &Exception, id: &str, second| {
        let person = user(id);
        let allowed = allowed(
            exception,
            Actor::Person { person: &person, eligible: true, strong_enough: true, can_show: Presence::Signature },
            at(second),
        );
        [allowed.cancel, allowed.answer, allowed.revoke, allowed.give_back, allowed.refuse]
            .map(|may| may.why_not().map_or("yes", Rejection::code))
    };
    let waits = Context { bundle: Digest::of(b"bundle 2"), terms: None, ..context(20, terms(1)) };
    let asked = play(exact(), vec![(vote("bob", VoteDecision::Ask, exact()), context(5, terms(1)))]);
    let waiting = next(asked, Command::Rejudge, &waits);
    let used = next(granted(2, terms(1)), take("v2"), &context(20, terms(1)));
    let suspended = next(used.clone(), Command::Rejudge, &waits);
    let revoked = next(used.clone(), revoke(), &context(30, terms(1)));
    let exhausted = next(used.clone(), take("v3"), &context(30, terms(1)));
    for (exception, id, second, expected) in [
        (&waiting, "rita", 299, ["yes", "yes", "no_grant", "no_grant", "closed"]),
        (&waiting, "rita", 300, ["too_late", "too_late", "no_grant", "no_grant", "closed"]),
        (&waiting, "bob", 20, ["not_yours", "not_yours", "no_grant", "no_grant", "closed"]),
        (&used, "rita", 30, ["closed", "no_question", "yes", "is_requester", "closed"]),
        (&used, "carol", 599, ["not_yours", "no_question", "yes", "yes", "closed"]),
        (&used, "carol", 600, ["not_yours", "no_question", "closed", "closed", "closed"]),
        (&suspended, "carol", 30, ["not_yours", "no_question", "yes", "closed", "closed"]),
        (&suspended, "carol", 600, ["not_yours", "no_question", "closed", "closed", "closed"]),
        (&revoked, "carol", 40, ["not_yours", "no_question", "closed", "closed", "closed"]),
        (&exhausted, "carol", 40, ["not_yours", "no_question", "yes", "yes", "closed"]),
        (&exhausted, "carol", 600, ["not_yours", "no_question", "closed", "closed", "closed"]),
    ] {
        assert_eq!(ask(exception, id, second), expected, "{id} at {second}, {}", exception.phase.word());
    }
    let agent = allowed(&used, Actor::Agent { subject: &EntityRef::new("Agent", "a1") }, at(30));
    assert_eq!(agent.revoke, May::No(Rejection::NotEligible));
    assert_eq!((May::Yes.is_yes(), agent.revoke.is_yes(), May::Yes.why_not()), (true, false, None));
}
