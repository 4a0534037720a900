//! Answers, repeats, and agents that ask for another.

use super::after;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::lifecycle::{Command, Context, Exception, Rejection, VoteDecision};
use crate::outcome::Terms;

fn agent(id: &str) -> EntityRef {
    EntityRef::new("Agent", id)
}

fn answer(by: EntityRef, vote: u32, words: &str) -> Command {
    Command::Answer { by, vote, words: words.into() }
}

fn fold(evaluation: &str, justification: &str) -> Command {
    Command::Fold { evaluation: evaluation.into(), justification: justification.into() }
}

/// Two votes: an approval, and a question.
fn asked() -> Exception {
    play(
        exact(),
        vec![
            (approve("bob", exact()), context(10, terms(2))),
            (vote("carol", VoteDecision::Ask, exact()), context(11, terms(2))),
        ],
    )
}

#[test]
fn a_question_is_answered_by_who_asked_and_changes_nothing_else() {
    let exception = asked();
    let long = "x".repeat(2001);
    for (command, second, expected) in [
        (answer(agent("a1"), 1, "for the close"), 20, Ok(vec!["question_answered"])),
        (answer(user("rita"), 1, "for the close"), 20, Ok(vec!["question_answered"])),
        (answer(user("olga"), 1, "for the close"), 299, Ok(vec!["question_answered"])),
        (answer(user("olga"), 1, &"x".repeat(2000)), 20, Ok(vec!["question_answered"])),
        (answer(user("olga"), 1, "late"), 300, Err(Rejection::TooLate)),
        (answer(user("alice"), 1, "not mine"), 20, Err(Rejection::NotYours)),
        (answer(user("carol"), 1, "my own"), 20, Err(Rejection::NotYours)),
        (answer(user("rita"), 0, "nobody asked"), 20, Err(Rejection::NoQuestion)),
        (answer(user("rita"), 2, "no such vote"), 20, Err(Rejection::NoQuestion)),
        (answer(user("rita"), u32::MAX, "no such vote"), 20, Err(Rejection::NoQuestion)),
        (answer(user("rita"), 1, " \n"), 20, Err(Rejection::ReasonNeeded)),
        (answer(user("rita"), 1, &long), 20, Err(Rejection::TextTooLong)),
    ] {
        assert_eq!(after(&exception, command.clone(), &context(second, terms(2))), expected, "{command:?}");
    }
    let (answered, _) = step(Some(exception.clone()), answer(agent("a1"), 1, "why"), &context(20, terms(2))).unwrap();
    let answered = answered.unwrap();
    let kept = &answered.answers[0];
    assert_eq!((kept.vote, &kept.by, kept.words.as_str(), kept.at), (1, &agent("a1"), "why", at(20)));
    // No clock, no term, no vote and no phase is another.
    assert_eq!(Exception { answers: vec![], ..answered.clone() }, exception);
    assert_eq!(after(&answered, answer(agent("a1"), 1, "why"), &context(400, terms(2))), Ok(vec![]), "said already");
    assert_eq!(
        after(&answered, answer(user("rita"), 1, "why"), &context(21, terms(2))),
        Ok(vec!["question_answered"]),
        "somebody else's claim is another"
    );
}

#[test]
fn a_question_is_answered_five_times_at_most_and_never_when_it_is_over() {
    let mut state = Some(asked());
    for number in 0..5 {
        state = step(state, answer(agent("a1"), 1, &number.to_string()), &context(20, terms(2))).unwrap().0;
    }
    let exception = state.unwrap();
    let now = context(21, terms(2));
    assert_eq!(after(&exception, answer(user("rita"), 1, "sixth"), &now), Err(Rejection::TooManyAnswers));
    // Another question is another count.
    let (more, _) = step(Some(exception), vote("dave", VoteDecision::Ask, exact()), &now).unwrap();
    let more = more.unwrap();
    assert_eq!(after(&more, answer(user("rita"), 2, "sixth"), &now), Ok(vec!["question_answered"]));
    let (denied, _) = step(Some(more), vote("dave", VoteDecision::Refuse, exact()), &now).unwrap();
    assert_eq!(after(&denied.unwrap(), answer(user("rita"), 2, "sixth"), &now), Err(Rejection::Closed));
}

#[test]
fn repeats_keep_their_words_and_touch_nothing_else() {
    let exception = asked();
    let now = context(20, terms(1));
    let (folded, _) = step(Some(exception.clone()), fold("v2", "please"), &now).unwrap();
    let folded = folded.unwrap();
    let kept = &folded.repeats[0];
    assert_eq!((kept.evaluation.as_str(), kept.justification.as_str(), kept.at), ("v2", "please", at(20)));
    assert_eq!(folded.repeated, 1);
    assert_eq!(Exception { repeats: vec![], repeated: 0, ..folded.clone() }, exception, "no term, deadline or use");
    for (state, command, second, expected) in [
        (&folded, fold("v2", "please"), 21, Ok(vec![])),
        (&folded, fold("v2", "other words"), 21, Ok(vec![])),
        (&folded, fold("v1", "the first"), 21, Ok(vec![])),
        (&folded, fold("v3", "please"), 299, Ok(vec!["request_folded"])),
        (&folded, fold("v3", "please"), 300, Err(Rejection::TooLate)),
        (&folded, fold("v3", &"ü".repeat(2000)), 21, Ok(vec!["request_folded"])),
        (&folded, fold("v3", &"ü".repeat(2001)), 21, Err(Rejection::TextTooLong)),
    ] {
        assert_eq!(after(state, command, &context(second, terms(2))), expected);
    }
    let granted = play(exact(), vec![(approve("bob", exact()), context(10, terms(1)))]);
    assert_eq!(after(&granted, fold("v3", "again"), &now), Err(Rejection::Closed));
}

#[test]
fn from_the_hundredth_repeat_on_only_the_newest_is_kept_and_all_are_counted() {
    let mut state = Some(asked());
    for number in 0..103 {
        let command = fold(&format!("r{number}"), &format!("words {number}"));
        state = step(state, command, &context(20, terms(2))).unwrap().0;
    }
    let exception = state.unwrap();
    assert_eq!((exception.repeats.len(), exception.repeated), (100, 103));
    assert!(exception.repeats.iter().all(|repeat| repeat.changed), "each says something else than the one before");
    assert_eq!(exception.repeats[0].justification, "words 0");
    assert_eq!(exception.repeats[98].justification, "words 98");
    assert_eq!(exception.repeats[99].justification, "words 102");
}

#[test]
fn a_pending_request_without_terms_is_still_answered_folded_and_taken_back() {
    let waits = Context { bundle: crate::digest::Digest::of(b"bundle 2"), terms: None, ..context(20, terms(2)) };
    let (waiting, events) = step(Some(asked()), Command::Rejudge, &waits).unwrap();
    assert_eq!(events[0].kind(), "grant_suspended");
    let waiting = waiting.unwrap();
    let cancel = Command::Cancel { by: agent("a1"), reason: String::new() };
    for (command, kind) in [
        (answer(user("rita"), 1, "why"), "question_answered"),
        (fold("v2", "please"), "request_folded"),
        (cancel, "exception_cancelled"),
    ] {
        assert_eq!(after(&waiting, command.clone(), &waits), Ok(vec![kind]));
        assert_eq!(after(&waiting, command, &Context { now: at(300), ..waits.clone() }), Err(Rejection::TooLate));
    }
}

#[test]
fn an_agent_asks_for_another_only_where_policy_lets_it_and_counts_as_who_asked() {
    let mut facts = facts(exact());
    let request = |asker: Option<EntityRef>, for_another: bool| {
        let mut facts = facts.clone();
        facts.asker = asker;
        let now = context(0, Terms { for_another, ..terms(1) });
        step(None, Command::Request(Box::new(facts)), &now).map(|(state, _)| state.unwrap())
    };
    assert_eq!(request(Some(agent("helper")), false), Err(Rejection::NotForAnother));
    assert!(request(Some(agent("a1")), false).is_ok(), "itself");
    assert!(request(None, false).is_ok());
    let asked = request(Some(agent("helper")), true).unwrap();
    let now = context(10, terms(1));
    let helper = Command::Cancel { by: agent("helper"), reason: String::new() };
    assert_eq!(after(&asked, helper, &now), Ok(vec!["exception_cancelled"]));
    assert_eq!(
        after(&asked, Command::Cancel { by: agent("other"), reason: String::new() }, &now),
        Err(Rejection::NotYours)
    );
    // Who asked does not vote, whatever policy says of them.
    facts.asker = Some(user("bob"));
    let by_bob = step(None, Command::Request(Box::new(facts)), &context(0, Terms { for_another: true, ..terms(1) }));
    let by_bob = by_bob.unwrap().0.unwrap();
    let still = context(10, Terms { for_another: true, ..terms(1) });
    assert_eq!(after(&by_bob, approve("bob", exact()), &still), Err(Rejection::IsRequester));
    assert_eq!(after(&by_bob, approve("carol", exact()), &still), Ok(vec!["vote_cast", "exception_granted"]));
    // Policy that no longer lets one ask for another grants no such request.
    assert_eq!(after(&by_bob, approve("carol", exact()), &now), Err(Rejection::NotRequestable));
}
