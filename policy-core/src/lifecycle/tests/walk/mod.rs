//! Breadth first over small models: every state that a few people can reach in a few ticks, each step held to R3 to R6
//! by a reader of its own.

mod reader;

use std::collections::BTreeSet;

use reader::{INVOLVED, Reader};

use crate::digest::Digest;
use crate::fixtures::*;
use crate::grant::{Rate, Scope};
use crate::lifecycle::{
    Command, Context, Disposition, Exception, Renewal, RequestFacts, ReviewOutcome, VoteDecision, decide, evolve,
};
use crate::outcome::Terms;
use crate::time::Span;

/// What is tried, when, and under what.
struct Model {
    request: RequestFacts,
    asked: Context,
    commands: Vec<Command>,
    /// The contexts of each tick; time goes on and does not come back.
    ticks: Vec<Vec<Context>>,
}

impl Model {
    /// Every reachable state's word, and how many there are.
    fn walk(&self) -> (BTreeSet<&'static str>, usize) {
        let first = self.step(None, &Reader::default(), &Command::Request(Box::new(self.request.clone())), &self.asked);
        let (exception, reader) = first.expect("it can be asked");
        let mut words = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut next = vec![(exception, reader, 0)];
        while let Some((exception, reader, tick)) = next.pop() {
            words.insert(exception.phase.word());
            for (later, contexts) in self.ticks.iter().enumerate().skip(tick) {
                let tried = self.commands.iter().flat_map(|command| contexts.iter().map(move |now| (command, now)));
                for (command, context) in tried {
                    let Some((after, read)) = self.step(Some(&exception), &reader, command, context) else { continue };
                    if seen.insert((serde_json::to_string(&after).unwrap(), read.clone(), later)) {
                        next.push((after, read, later));
                    }
                }
            }
        }
        (words, seen.len())
    }

    /// One command. Nothing where it is refused or done already.
    fn step(
        &self,
        before: Option<&Exception>,
        reader: &Reader,
        command: &Command,
        context: &Context,
    ) -> Option<(Exception, Reader)> {
        let events = decide(before, command.clone(), context).ok().filter(|events| !events.is_empty())?;
        let mut reader = reader.clone();
        let mut state = before.cloned();
        for event in &events {
            state = evolve(state, event).expect("what decide emits, evolve accepts");
            reader.read(context, event);
        }
        let state = state.expect("an exception");
        // The same again changes nothing, but for a use, which is another use.
        if !matches!(command, Command::Use { .. }) {
            let again = decide(Some(&state), command.clone(), context);
            assert!(again.as_ref().map_or(true, Vec::is_empty), "{command:?} again made {again:?}");
        }
        Some((state, reader))
    }
}

fn wide() -> Scope {
    Scope { max_uses: 2, ..with(vec![between(&["rows"], 0, 300)]) }
}

fn approve_inside(person: &str, scope: Scope) -> Command {
    let Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, .. } = approve(person, scope) else {
        unreachable!("a vote is a vote")
    };
    Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside: true, proof: Proof::Session }
}

fn declare(by: &str) -> Command {
    Command::DeclareEmergency { by: user(by), reason: "down".into(), assurance: "link".into(), proof: Proof::Session }
}

fn take(evaluation: &str) -> Command {
    Command::Use { call: evaluation.into(), evaluation: evaluation.into(), amounts: vec![] }
}

fn back(by: &str, evaluation: &str) -> Command {
    let (reason, assurance) = ("crashed".into(), "link".into());
    Command::GiveBack { by: user(by), evaluation: evaluation.into(), reason, assurance }
}

fn revoke() -> Command {
    Command::Revoke { by: user("carol"), reason: "why".into() }
}

fn cancel(by: &str) -> Command {
    Command::Cancel { by: user(by), reason: String::new() }
}

fn review(by: &str) -> Command {
    let (review, outcome, note) = ("e1.r1".into(), ReviewOutcome::Appropriate, String::new());
    Command::CloseReview { review, by: user(by), outcome, note }
}

fn dispose(by: &str) -> Command {
    Command::Dispose { by: user(by), disposition: Disposition::OneOff, note: String::new() }
}

fn end_task() -> Command {
    Command::EndTask { by: user("op"), reason: "done".into() }
}

/// A second bundle that lets nobody request it and where `bob` may not vote.
fn other_bundle(second: i64, terms: Option<Terms>) -> Context {
    let mut other = Context { bundle: Digest::of(b"bundle 2"), terms, ..context(second, crate::fixtures::terms(1)) };
    other.eligible.retain(|eligibility| eligibility.person != user("bob"));
    other
}

#[test]
fn every_way_to_vote() {
    let in_emergency = Terms { emergency_approvals: Some(1), ..terms(2) };
    let mut commands =
        vec![cancel("rita"), cancel("bob"), declare("carol"), declare("olga"), Command::Lapse, Command::Rejudge];
    for person in ["bob", "carol"] {
        commands.extend([
            approve(person, wide()),
            approve_inside(person, wide()),
            approve(person, exact()),
            vote(person, VoteDecision::Refuse, exact()),
        ]);
    }
    commands.extend(INVOLVED.map(|person| approve(person, wide())));
    let overdue = Context { overdue_tiers: path(&["low"]), ..context(20, terms(2)) };
    let model = Model {
        request: facts(wide()),
        asked: context(0, terms(2)),
        commands,
        ticks: vec![
            vec![context(20, terms(2)), context(20, in_emergency), other_bundle(20, None), overdue],
            vec![context(300, terms(2))],
        ],
    };
    let (words, count) = model.walk();
    let all = ["cancelled", "denied", "granted", "lapsed", "requested", "suspended"];
    assert_eq!(words.into_iter().collect::<Vec<_>>(), all);
    assert!(count > 300, "only {count}");
}

#[test]
fn every_way_to_use_a_grant() {
    let rate = Some(Rate { uses: 1, per: Span::from_seconds(30) });
    let reviewed = Terms { review_within: Some(Span::from_seconds(60)), ..terms(1) };
    let model = Model {
        request: facts(Scope { rate, max_uses: 2, ..exact() }),
        asked: context(0, reviewed.clone()),
        commands: vec![
            approve("bob", Scope { rate, max_uses: 2, ..exact() }),
            take("v2"),
            take("v3"),
            take("v4"),
            back("carol", "v2"),
            back("rita", "v2"),
            revoke(),
            end_task(),
            Command::Lapse,
            Command::OpenReview,
            review("dave"),
            review("bob"),
            dispose("dave"),
            dispose("olga"),
        ],
        ticks: [20, 40, 50, 600].map(|second| vec![context(second, reviewed.clone())]).into(),
    };
    let (words, count) = model.walk();
    let all = ["cancelled", "exhausted", "granted", "lapsed", "requested", "revoked"];
    assert_eq!(words.into_iter().collect::<Vec<_>>(), all);
    assert!(count > 500, "only {count}");
}

#[test]
fn every_way_to_a_later_start() {
    let scope = Scope { not_before: Some(at(40)), max_uses: 2, ..exact() };
    let nobody = |second| Context { eligible: vec![], ..context(second, terms(1)) };
    let model = Model {
        request: facts(scope.clone()),
        asked: context(0, terms(1)),
        commands: vec![
            approve("bob", scope.clone()),
            approve("carol", scope),
            take("v2"),
            back("carol", "v2"),
            revoke(),
            end_task(),
            Command::Lapse,
            Command::Rejudge,
            dispose("dave"),
        ],
        ticks: vec![
            vec![context(20, terms(1)), other_bundle(20, Some(terms(1)))],
            vec![context(40, terms(1)), nobody(40), other_bundle(40, Some(terms(1)))],
            vec![context(600, terms(1))],
        ],
    };
    let (words, count) = model.walk();
    assert_eq!(words.len(), 7, "{words:?}");
    assert!(count > 500, "only {count}");
}

#[test]
fn every_way_to_talk_about_a_request() {
    let answer = |by: &str| Command::Answer { by: user(by), vote: 0, words: "so".into() };
    let fold = |evaluation: &str| Command::Fold { evaluation: evaluation.into(), justification: "please".into() };
    let model = Model {
        request: facts(exact()),
        asked: context(0, terms(2)),
        commands: vec![
            vote("bob", VoteDecision::Ask, exact()),
            vote("carol", VoteDecision::Refuse, exact()),
            approve("bob", exact()),
            approve("carol", exact()),
            answer("rita"),
            answer("olga"),
            answer("bob"),
            fold("v1"),
            fold("v2"),
            fold("v3"),
            cancel("rita"),
            declare("bob"),
            review("dave"),
            review("bob"),
            Command::Lapse,
        ],
        ticks: vec![vec![context(20, terms(2))], vec![context(299, terms(2))], vec![context(300, terms(2))]],
    };
    let (words, count) = model.walk();
    assert_eq!(words.into_iter().collect::<Vec<_>>(), ["cancelled", "denied", "granted", "lapsed", "requested"]);
    assert!(count > 500, "only {count}");
}

#[test]
fn every_way_to_renew() {
    let earlier = play(wide(), vec![(approve("bob", wide()), context(10, terms(1)))]);
    let capped = Terms { max_renewals: Some(1), ..terms(1) };
    // It was granted at second 10, and as long as that it may be once more.
    let (wide, exact) = (Scope { not_after: at(590), ..wide() }, Scope { not_after: at(590), ..exact() });
    for (scope, declared, number, possible) in [
        (wide.clone(), true, 1, true),
        (exact.clone(), true, 1, true),
        (Scope { max_uses: 3, ..wide.clone() }, true, 1, false),
        (Scope { not_after: at(600), ..wide.clone() }, true, 1, false),
        (Scope { max_uses: 3, ..wide.clone() }, false, 1, true),
        (Scope { not_after: at(600), ..wide.clone() }, false, 1, true),
        (wide.clone(), true, 2, false),
        (wide, false, 2, false),
    ] {
        let renews = Some(Renewal { of: "e1".into(), number, declared });
        let model = Model {
            request: RequestFacts { id: "e2".into(), renews, ..facts(scope.clone()) },
            asked: Context { predecessor: Some(Box::new(earlier.clone())), ..context(0, capped.clone()) },
            commands: vec![
                approve("bob", scope.clone()),
                approve("carol", exact.clone()),
                take("v2"),
                revoke(),
                Command::Lapse,
            ],
            ticks: [20, 600].map(|second| vec![context(second, capped.clone())]).into(),
        };
        let request = Command::Request(Box::new(model.request.clone()));
        assert_eq!(decide(None, request, &model.asked).is_ok(), possible, "{declared} {number}");
        if possible {
            let (_, count) = model.walk();
            assert!(count > 5, "only {count}");
        }
    }
}
