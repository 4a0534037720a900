//! Requests, votes and quorum (R4, R5).

use super::after;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::grant::{Budget, ResourceScope, Scope};
use crate::lifecycle::{
    Actor, Allowed, Command, Context, Event, May, Phase, Rejection, RequestFacts, VoteDecision, allowed, decide,
    strictest,
};
use crate::outcome::Terms;
use crate::time::Span;

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::kind).collect()
}

#[test]
fn a_request_is_held_against_terms_scope_and_time() {
    type Change<'a> = &'a dyn Fn(&mut RequestFacts, &mut Context);
    let rows: &[(Change<'_>, Result<&str, Rejection>)] = &[
        (&|_, _| (), Ok("exception_requested")),
        (&|_, context| context.terms = None, Err(Rejection::NotRequestable)),
        (&|facts, _| facts.question.enforcement_point = None, Err(Rejection::NoEnforcementPoint)),
        (&|facts, _| facts.justification = "ü".repeat(2000), Ok("exception_requested")),
        (&|facts, _| facts.justification = "ü".repeat(2001), Err(Rejection::TextTooLong)),
        (&|facts, _| facts.decide_by = at(0), Err(Rejection::TooLate)),
        (&|facts, _| facts.scope.not_after = at(0), Err(Rejection::BadScope)),
        (&|facts, _| facts.scope.max_uses = 5, Ok("exception_requested")),
        (&|facts, _| facts.scope.max_uses = 6, Err(Rejection::Widens)),
        (&|facts, _| facts.scope.not_after = at(3600), Ok("exception_requested")),
        (&|facts, _| facts.scope.not_after = at(3601), Err(Rejection::Widens)),
    ];
    for (index, (change, expected)) in rows.iter().enumerate() {
        let (mut facts, mut context) = (facts(exact()), context(0, terms(1)));
        change(&mut facts, &mut context);
        let events = decide(None, Command::Request(Box::new(facts)), &context);
        assert_eq!(events.map(|events| events[0].kind()), *expected, "row {index}");
    }
    // The same request again is done already; another one under its id is not.
    let exception = play(exact(), vec![]);
    assert_eq!(after(&exception, Command::Request(Box::new(facts(exact()))), &context(1, terms(1))), Ok(vec![]));
    let other = RequestFacts { evaluation: "v2".into(), ..facts(exact()) };
    let again = after(&exception, Command::Request(Box::new(other)), &context(1, terms(1)));
    assert_eq!(again, Err(Rejection::Exists));
    assert_eq!(decide(None, Command::Lapse, &context(0, terms(1))), Err(Rejection::Unknown));
}

#[test]
fn one_eligible_stranger_grants_and_nobody_else_can() {
    let exception = play(exact(), vec![]);
    let context = context(10, terms(1));
    let granted = Ok(vec!["vote_cast", "exception_granted"]);
    for (person, expected) in [
        (user("bob"), granted.clone()),
        (user("dave"), granted),
        (user("rita"), Err(Rejection::IsRequester)),
        (user("alice"), Err(Rejection::InChain)),
        (user("olga"), Err(Rejection::IsOwner)),
        (user("mallory"), Err(Rejection::NotEligible)),
        (EntityRef::new("Agent", "a1"), Err(Rejection::InChain)),
        (EntityRef::new("Agent", "orchestrator"), Err(Rejection::InChain)),
        (EntityRef::new("Service", "bob"), Err(Rejection::NotEligible)),
    ] {
        for decision in [VoteDecision::Approve, VoteDecision::Refuse, VoteDecision::Ask] {
            let Command::Vote { scope, sheet, as_of, reason, assurance, .. } = vote("x", decision, exact()) else {
                unreachable!("a vote is a vote")
            };
            let command = Command::Vote {
                person: person.clone(),
                decision,
                scope,
                sheet,
                as_of,
                reason,
                assurance,
                inside: false,
                proof: Proof::Session,
            };
            let result = after(&exception, command, &context);
            match decision {
                VoteDecision::Approve => assert_eq!(result, expected, "{person}"),
                VoteDecision::Refuse | VoteDecision::Ask => {
                    assert_eq!(result.err(), expected.clone().err(), "{person}")
                }
            }
        }
    }
    // Known to policy, and not permitted by it.
    let mut refused = context.clone();
    refused.eligible.iter_mut().for_each(|eligibility| eligibility.eligible = false);
    assert_eq!(after(&exception, approve("bob", exact()), &refused), Err(Rejection::NotEligible));
}

#[test]
fn the_grant_is_what_was_asked_and_voted() {
    let exception = play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]);
    let Phase::Granted(state) = &exception.phase else { panic!("granted") };
    assert_eq!(*state.grant, grant_of(exact(), vec![], &question()));
    assert_eq!((state.granted_at, state.uses, state.spent.as_slice()), (at(10), 0, &[][..]));
    let cast = &exception.votes[0];
    assert_eq!((&cast.groups, cast.assurance.as_str(), cast.at), (&path(&["finance"]), "link", at(10)));
    // A call with several resources: exactly those.
    let mut facts = facts(exact());
    facts.question.call.resources.push(dataset("q2"));
    let (state, _) = step(None, Command::Request(Box::new(facts)), &context(0, terms(1))).unwrap();
    let (state, _) = step(state, approve("bob", exact()), &context(10, terms(1))).unwrap();
    assert_eq!(state.unwrap().phase.grant().unwrap().grant.members, vec![dataset("q2"), dataset("q3")]);
}

#[test]
fn a_group_is_its_members_when_approved() {
    let scope = Scope { resource: ResourceScope::In(group("quarters")), ..exact() };
    let exception = play(scope.clone(), vec![]);
    let with = |members: Vec<EntityRef>| Context { members, ..context(10, terms(1)) };
    let many = |count: usize| (0..count).map(|n| dataset(&format!("d{n}"))).collect::<Vec<_>>();
    assert_eq!(after(&exception, approve("bob", scope.clone()), &with(vec![])), Err(Rejection::BadGroup));
    assert_eq!(after(&exception, approve("bob", scope.clone()), &with(many(257))), Err(Rejection::BadGroup));
    assert!(after(&exception, approve("bob", scope.clone()), &with(many(256))).is_ok());
    let members = vec![dataset("b"), dataset("a"), dataset("b")];
    let (state, _) = step(Some(exception), approve("bob", scope), &with(members)).unwrap();
    assert_eq!(state.unwrap().phase.grant().unwrap().grant.members, vec![dataset("a"), dataset("b")]);
}

#[test]
fn a_grant_names_the_approvals_that_counted_with_the_groups_they_counted_for() {
    let demanded = Terms { groups: path(&["finance", "security"]), ..terms(2) };
    let counted = |first: &[&str]| {
        let voted = play(exact(), vec![(approve("bob", exact()), context(10, demanded.clone()))]);
        let mut now = context(20, demanded.clone());
        // Policy may see a person in other groups by the time of the last vote: that is what counts, and what is named.
        let bob = now.eligible.iter_mut().find(|eligibility| eligibility.person == user("bob")).unwrap();
        bob.groups = path(first);
        let events = decide(Some(&voted), approve("carol", exact()), &now).unwrap();
        let granted = events.iter().find(|event| event.kind() == "exception_granted").cloned();
        let written = granted.map(|event| serde_json::to_value(event).unwrap()["counted"].clone());
        written.unwrap_or_default()
    };
    let of = |person: &str, groups: &[&str]| serde_json::json!({"person": user(person), "groups": groups});
    // What the terms do not demand is nobody's to count for.
    let both = serde_json::json!([of("bob", &["finance"]), of("carol", &["security"])]);
    assert_eq!(counted(&["finance", "marketing"]), both);
    let twice = serde_json::json!([of("bob", &["finance", "security"]), of("carol", &["security"])]);
    assert_eq!(counted(&["security", "finance"]), twice);
}

#[test]
fn two_different_people_from_the_named_groups_are_needed() {
    let demanded = Terms { groups: path(&["finance", "security"]), ..terms(2) };
    let first = play(exact(), vec![(approve("bob", exact()), context(10, demanded.clone()))]);
    assert_eq!(first.phase, Phase::Requested);
    let now = context(20, demanded.clone());
    // The same vote again changes nothing; the same person with another sheet is not a second person.
    assert_eq!(after(&first, approve("bob", exact()), &now), Ok(vec![]));
    let Command::Vote { person, decision, scope, as_of, reason, assurance, .. } = approve("bob", exact()) else {
        unreachable!("a vote is a vote")
    };
    let sheet = Digest::of(b"another");
    let again = Command::Vote {
        person,
        decision,
        scope,
        sheet,
        as_of,
        reason,
        assurance,
        inside: false,
        proof: Proof::Session,
    };
    assert_eq!(after(&first, again, &now), Err(Rejection::VotedAlready));
    // dave is a second person, but of no group; carol is of the missing one.
    assert_eq!(after(&first, approve("dave", exact()), &now), Ok(vec!["vote_cast"]));
    assert_eq!(after(&first, approve("carol", exact()), &now), Ok(vec!["vote_cast", "exception_granted"]));
    // bob is no longer eligible when the last vote lands: his does not count.
    let mut gone = now.clone();
    gone.eligible.retain(|eligibility| eligibility.person != user("bob"));
    assert_eq!(after(&first, approve("carol", exact()), &gone), Ok(vec!["vote_cast"]));
    // bob has left the group since.
    let mut moved = now;
    moved.eligible.iter_mut().filter(|e| e.person == user("bob")).for_each(|e| e.groups.clear());
    assert_eq!(after(&first, approve("carol", exact()), &moved), Ok(vec!["vote_cast"]));
}

#[test]
fn a_refusal_ends_it_whatever_the_version() {
    let exception = play(exact(), vec![]);
    let mut refused = context(10, terms(2));
    assert_eq!(
        after(&exception, vote("carol", VoteDecision::Refuse, exact()), &refused),
        Ok(vec!["vote_cast", "exception_denied"])
    );
    // Policy that no longer lets anybody request it lets people refuse it.
    refused.terms = None;
    assert!(after(&exception, vote("carol", VoteDecision::Refuse, exact()), &refused).is_ok());
    assert_eq!(after(&exception, approve("carol", exact()), &refused), Err(Rejection::NotRequestable));
    let denied = play(exact(), vec![(vote("carol", VoteDecision::Refuse, exact()), context(10, terms(1)))]);
    assert_eq!(after(&denied, approve("bob", exact()), &context(11, terms(1))), Err(Rejection::Closed));
    assert_eq!(after(&denied, vote("carol", VoteDecision::Refuse, exact()), &context(11, terms(1))), Ok(vec![]));
    // A question stops nothing.
    let asked = play(exact(), vec![(vote("bob", VoteDecision::Ask, exact()), context(10, terms(1)))]);
    assert_eq!(
        after(&asked, approve("bob", exact()), &context(11, terms(1))),
        Ok(vec!["vote_cast", "exception_granted"])
    );
}

#[test]
fn narrowing_makes_a_version_and_earlier_approvals_are_of_another() {
    let wide = with(vec![between(&["rows"], 0, 200)]);
    let narrow = |max| with(vec![between(&["rows"], 0, max)]);
    let first = play(wide.clone(), vec![(approve("bob", wide.clone()), context(10, terms(2)))]);
    let (narrowed, events) = step(Some(first), approve("carol", narrow(150)), &context(20, terms(2))).unwrap();
    assert_eq!(kinds(&events), ["scope_narrowed", "vote_cast"]);
    let narrowed = narrowed.unwrap();
    assert_eq!(narrowed.current().map(|version| version.number), Some(2));
    // bob's approval was of version 1: he may vote on 2, nobody goes back to 1.
    assert_eq!(after(&narrowed, approve("bob", wide.clone()), &context(21, terms(2))), Ok(vec![]), "the same vote");
    assert_eq!(after(&narrowed, approve("dave", wide), &context(21, terms(2))), Err(Rejection::Widens));
    let done = after(&narrowed, approve("bob", narrow(150)), &context(21, terms(2)));
    assert_eq!(done, Ok(vec!["vote_cast", "exception_granted"]));
    // At most five versions.
    let mut state = Some(narrowed);
    for max in [140, 130, 120] {
        state = step(state, approve("carol", narrow(max)), &context(30, terms(2))).unwrap().0;
    }
    let sixth = after(&state.unwrap(), approve("carol", narrow(110)), &context(31, terms(2)));
    assert_eq!(sixth, Err(Rejection::TooManyVersions));
}

#[test]
fn a_vote_is_held_against_scope_terms_and_time() {
    let exception = play(Scope { max_uses: 3, ..exact() }, vec![]);
    let fine = Ok(vec!["scope_narrowed", "vote_cast", "exception_granted"]);
    for (scope, second, expected) in [
        (exact(), 10, fine.clone()),
        (exact(), 299, fine),
        (exact(), 300, Err(Rejection::TooLate)),
        (exact(), 301, Err(Rejection::TooLate)),
        (Scope { max_uses: 4, ..exact() }, 10, Err(Rejection::Widens)),
        (Scope { not_after: at(601), ..exact() }, 10, Err(Rejection::Widens)),
        (Scope { not_after: at(10), ..exact() }, 10, Err(Rejection::BadScope)),
        (Scope { max_uses: 0, ..exact() }, 10, Err(Rejection::BadScope)),
        (Scope { resource: ResourceScope::Is(dataset("q4")), ..exact() }, 10, Err(Rejection::BadScope)),
        (Scope { resource: ResourceScope::In(group("quarters")), ..exact() }, 10, Err(Rejection::Widens)),
        (with(vec![between(&["rows"], 0, 1)]), 10, Err(Rejection::Widens)),
    ] {
        let result = after(&exception, approve("bob", scope.clone()), &context(second, terms(1)));
        assert_eq!(result, expected, "{scope:?} at {second}");
    }
    // Terms that got stricter since the request count.
    let stricter = Terms { max_duration: Span::from_seconds(60), max_uses: 1, ..terms(1) };
    let short = Scope { not_after: at(70), ..exact() };
    assert_eq!(after(&exception, approve("bob", exact()), &context(10, stricter.clone())), Err(Rejection::Widens));
    assert_eq!(
        after(&exception, approve("bob", short.clone()), &context(10, stricter)),
        Ok(vec!["exception_rejudged", "scope_narrowed", "vote_cast", "exception_granted"])
    );
    let two = after(&exception, approve("bob", short), &context(10, terms(2)));
    assert_eq!(two, Ok(vec!["exception_rejudged", "scope_narrowed", "vote_cast"]));
}

#[test]
fn terms_that_get_laxer_change_nothing() {
    let exception = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    assert_eq!(exception.terms.approvals, 2);
    let laxer = context(20, terms(1));
    assert_eq!(after(&exception, approve("carol", exact()), &laxer), Ok(vec!["vote_cast", "exception_granted"]));
    let one = play(exact(), vec![(vote("bob", VoteDecision::Ask, exact()), context(10, terms(2)))]);
    assert_eq!(after(&one, approve("carol", exact()), &laxer), Ok(vec!["vote_cast"]), "still two are needed");
}

#[test]
fn reasons_and_sign_in_strength_are_demanded() {
    let exception = play(exact(), vec![]);
    let ballot = |decision, reason: &str, assurance: &str| Command::Vote {
        person: user("bob"),
        decision,
        scope: exact(),
        sheet: Digest::of(b"sheet"),
        as_of: 1,
        reason: reason.into(),
        assurance: assurance.into(),
        inside: false,
        proof: Proof::Session,
    };
    let strong = |step_up: &str, approvals| Terms { step_up: Some(step_up.into()), ..terms(approvals) };
    let long = "x".repeat(2001);
    for (decision, reason, assurance, terms, expected) in [
        (VoteDecision::Approve, "", "link", terms(1), Ok(())),
        (VoteDecision::Approve, " ", "link", terms(2), Err(Rejection::ReasonNeeded)),
        (VoteDecision::Approve, "x", "link", terms(2), Ok(())),
        (VoteDecision::Approve, &long, "link", terms(1), Err(Rejection::TextTooLong)),
        (VoteDecision::Refuse, " \n", "link", terms(1), Err(Rejection::ReasonNeeded)),
        (VoteDecision::Ask, "", "link", terms(1), Err(Rejection::ReasonNeeded)),
        (VoteDecision::Approve, "x", "link", strong("webauthn", 1), Err(Rejection::StepUpNeeded)),
        (VoteDecision::Approve, "x", "webauthn", strong("webauthn", 1), Ok(())),
        (VoteDecision::Approve, "x", "webauthn", strong("link", 1), Ok(())),
        (VoteDecision::Approve, "x", "unheard", strong("link", 1), Err(Rejection::StepUpNeeded)),
        (VoteDecision::Approve, "x", "webauthn", strong("unheard", 1), Err(Rejection::StepUpNeeded)),
        (VoteDecision::Refuse, "x", "link", strong("webauthn", 1), Ok(())),
        (VoteDecision::Ask, "x", "link", strong("webauthn", 1), Ok(())),
    ] {
        let result = after(&exception, ballot(decision, reason, assurance), &context(10, terms)).map(|_| ());
        assert_eq!(result, expected, "{decision:?} {assurance}");
    }
    // An approval that was strong enough no longer is: it does not count, and the person votes again.
    let first = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    let now = context(20, strong("webauthn", 2));
    let Command::Vote { person, decision, scope, sheet, as_of, reason, .. } = approve("carol", exact()) else {
        unreachable!("a vote is a vote")
    };
    let second = Command::Vote {
        person,
        decision,
        scope,
        sheet,
        as_of,
        reason,
        assurance: "webauthn".into(),
        inside: false,
        proof: Proof::Session,
    };
    let (state, events) = step(Some(first), second, &now).unwrap();
    assert_eq!(kinds(&events), ["exception_rejudged", "vote_cast"]);
    let again = after(&state.unwrap(), ballot(VoteDecision::Approve, "again", "webauthn"), &now);
    assert_eq!(again, Ok(vec!["vote_cast", "exception_granted"]));
}

#[test]
fn the_strictest_of_two_terms_is_the_stricter_in_every_part() {
    let low = Terms { groups: path(&["a"]), ..terms(1) };
    let high = Terms {
        tier: "high".into(),
        approvals: 2,
        groups: path(&["a", "b"]),
        max_duration: Span::from_seconds(7200),
        max_uses: 1,
        step_up: Some("link".into()),
        review_within: Some(Span::from_seconds(60)),
        policies: path(&["other", "request.post"]),
        ..terms(1)
    };
    let both = Terms { max_duration: Span::from_seconds(3600), ..high.clone() };
    let (tiers, step_ups) = (path(&["low", "high"]), path(&["link", "webauthn"]));
    assert_eq!(strictest(&low, &high, &tiers, &step_ups), both);
    assert_eq!(strictest(&high, &low, &tiers, &step_ups), both);
    let stronger =
        Terms { step_up: Some("webauthn".into()), review_within: Some(Span::from_seconds(61)), ..high.clone() };
    let mixed = strictest(&stronger, &high, &tiers, &step_ups);
    assert_eq!((mixed.step_up.as_deref(), mixed.review_within), (Some("webauthn"), Some(Span::from_seconds(60))));
    // Of two words that no list knows the first stays.
    let (one, other) = (Terms { tier: "one".into(), ..low.clone() }, Terms { tier: "other".into(), ..low.clone() });
    assert_eq!(strictest(&one, &other, &tiers, &step_ups).tier, "one");
    // What no list knows is the strongest.
    let unknown = Terms { tier: "unheard".into(), ..low };
    assert_eq!(strictest(&high, &unknown, &tiers, &step_ups).tier, "unheard");
}

#[test]
fn allowed_says_what_decide_would() {
    let exception = play(exact(), vec![(approve("bob", exact()), context(10, terms(2)))]);
    let person = |id: &str, eligible, strong_enough, second| {
        let person = user(id);
        allowed(
            &exception,
            Actor::Person { person: &person, eligible, strong_enough, can_show: Presence::Signature },
            at(second),
        )
    };
    let votes = |allowed: Allowed| [allowed.approve, allowed.refuse, allowed.ask].map(May::why_not);
    assert_eq!(votes(person("carol", true, true, 20)), [None; 3]);
    assert_eq!(votes(person("bob", true, true, 20)), [Some(Rejection::VotedAlready), None, None]);
    assert_eq!(votes(person("carol", false, true, 20)), [Some(Rejection::NotEligible); 3]);
    assert_eq!(votes(person("carol", true, false, 20)), [Some(Rejection::StepUpNeeded), None, None]);
    assert_eq!(votes(person("rita", true, true, 20)), [Some(Rejection::IsRequester); 3]);
    assert_eq!(votes(person("alice", true, true, 20)), [Some(Rejection::InChain); 3]);
    assert_eq!(votes(person("olga", true, true, 20)), [Some(Rejection::IsOwner); 3]);
    assert_eq!(votes(person("carol", true, true, 300)), [Some(Rejection::TooLate); 3]);
    assert_eq!(person("rita", true, true, 20).cancel, May::Yes);
    assert_eq!(person("rita", true, true, 300).cancel, May::No(Rejection::TooLate));
    assert_eq!(person("bob", true, true, 20).cancel, May::No(Rejection::NotYours));
    assert_eq!(person("bob", true, true, 20).revoke, May::No(Rejection::NoGrant));
    let agent = allowed(&exception, Actor::Agent { subject: &question().call.subject }, at(20));
    assert_eq!(votes(agent), [Some(Rejection::NotEligible); 3]);
    assert_eq!((agent.cancel, agent.revoke), (May::Yes, May::No(Rejection::NotEligible)));
    let granted = play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]);
    let carol = user("carol");
    let now = |second| {
        allowed(
            &granted,
            Actor::Person { person: &carol, eligible: true, strong_enough: true, can_show: Presence::Signature },
            at(second),
        )
    };
    assert_eq!((now(20).revoke, now(20).approve), (May::Yes, May::No(Rejection::Closed)));
    assert_eq!(now(600).revoke, May::No(Rejection::Closed));
    assert_eq!(serde_json::to_string(&now(20).approve).unwrap(), r#"{"no":"closed"}"#);
    assert_eq!(serde_json::to_string(&May::Yes).unwrap(), r#""yes""#);
}

#[test]
fn a_budget_that_was_asked_for_stays() {
    let asked = Scope { budgets: vec![Budget { at: path(&["rows"]), max: 200 }], ..exact() };
    let exception = play(asked.clone(), vec![]);
    assert_eq!(after(&exception, approve("bob", exact()), &context(10, terms(1))), Err(Rejection::Widens));
    assert!(after(&exception, approve("bob", asked), &context(10, terms(1))).is_ok());
}
