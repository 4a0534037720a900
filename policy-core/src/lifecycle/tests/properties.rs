//! What holds of every history: random ones, and all of those that two voters can make in two ticks.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::grant::{Budget, Scope};
use crate::lifecycle::{
    Actor, Command, Context, Event, Exception, May, Phase, Rejection, VoteDecision, allowed, decide, evolve,
};
use crate::outcome::Terms;

fn scopes() -> Vec<Scope> {
    let budget = vec![Budget { at: path(&["rows"]), max: 150 }];
    vec![
        with(vec![between(&["rows"], 0, 200)]),
        Scope { budgets: budget, max_uses: 2, ..with(vec![between(&["rows"], 0, 200)]) },
        with(vec![between(&["rows"], 0, 150)]),
        Scope { not_after: at(40), ..exact() },
        exact(),
    ]
}

fn widest() -> Scope {
    Scope { max_uses: 3, ..with(vec![between(&["rows"], 0, 300)]) }
}

/// Everything that anybody might try.
fn commands() -> Vec<Command> {
    let mut commands = vec![
        Command::Request(Box::new(facts(widest()))),
        Command::Cancel { by: user("rita"), reason: String::new() },
        Command::Cancel { by: user("bob"), reason: String::new() },
        Command::Use { call: "c".into(), evaluation: "v".into(), amounts: vec![] },
        Command::Use { call: "c".into(), evaluation: "v".into(), amounts: vec![100] },
        Command::Use { call: "c".into(), evaluation: "v".into(), amounts: vec![-1] },
        Command::Revoke { by: user("carol"), reason: "why".into() },
        Command::Lapse,
        Command::Rejudge,
    ];
    for person in ["bob", "carol", "dave", "rita", "alice", "olga", "mallory"] {
        commands.extend(scopes().into_iter().map(|scope| approve(person, scope)));
        commands.push(approve(person, widest()));
        commands.push(vote(person, VoteDecision::Refuse, exact()));
        commands.push(vote(person, VoteDecision::Ask, exact()));
    }
    commands
}

fn contexts() -> Vec<Context> {
    let mut contexts = Vec::new();
    for second in [1, 39, 40, 299, 300, 600] {
        for demanded in [terms(1), terms(2), Terms { groups: path(&["security"]), ..terms(2) }] {
            let first = context(second, demanded);
            let mut second_bundle = Context { bundle: Digest::of(b"bundle 2"), ..first.clone() };
            second_bundle.eligible.retain(|eligibility| eligibility.person != user("bob"));
            let without = Context { terms: None, ..second_bundle.clone() };
            contexts.extend([first, second_bundle, without]);
        }
    }
    contexts
}

fn is_final(phase: &Phase) -> bool {
    !matches!(phase, Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. })
}

/// What must hold of one step, whatever it was.
fn check(before: Option<&Exception>, command: &Command, context: &Context) -> Option<Exception> {
    let Ok(events) = decide(before, command.clone(), context) else { return before.cloned() };
    let folded = events.iter().try_fold(before.cloned(), evolve);
    let after = folded.expect("what decide emits, evolve accepts");
    let Some(exception) = &after else { panic!("a command that is accepted leaves an exception") };

    if before.is_some_and(|before| is_final(&before.phase)) {
        assert!(events.is_empty(), "terminal stays terminal: {command:?} made {events:?}");
    }
    for event in &events {
        match event {
            Event::ExceptionGranted { .. } => check_quorum(exception, context),
            Event::GrantUsed { .. } => {
                let grant = exception.phase.grant().expect("a use is of a grant");
                assert!(context.now < grant.grant.scope.not_after, "never at or after its end");
                assert!(grant.uses <= grant.grant.scope.max_uses, "never more uses than granted");
                let within = grant.spent.iter().zip(&grant.grant.scope.budgets);
                assert!(within.into_iter().all(|(spent, budget)| *spent <= budget.max), "never over a budget");
            }
            _ => {}
        }
    }
    for pair in exception.versions.windows(2) {
        let inside = crate::containment::within(&pair[1].scope, &pair[0].scope, &exception.request.question);
        assert_eq!(inside, Ok(()), "versions only narrow");
    }
    assert!(exception.versions.len() <= 5);
    // The same command again changes nothing, but for a use, which is another use.
    if !matches!(command, Command::Use { .. })
        && let Ok(again) = decide(Some(exception), command.clone(), context)
    {
        assert!(again.is_empty(), "{command:?} again made {again:?}");
    }
    check_allowed(before, command, context);
    after
}

/// No path to a grant without its quorum of distinct, eligible people, who neither asked nor own nor stand in the chain.
fn check_quorum(exception: &Exception, context: &Context) {
    let version = exception.versions.last().expect("a version").number;
    let people: BTreeMap<EntityRef, Vec<String>> = exception
        .votes
        .iter()
        .filter(|vote| vote.decision == VoteDecision::Approve && vote.version == version)
        .filter(|vote| context.eligible.iter().any(|e| e.person == vote.person && e.eligible))
        .filter(|vote| !["rita", "alice", "olga"].contains(&vote.person.id.as_str()))
        .map(|vote| (vote.person.clone(), vote.groups.clone()))
        .collect();
    assert!(people.len() >= exception.terms.approvals as usize, "granted with {people:?}");
    let demanded = context.terms.as_ref().expect("terms were asked");
    assert!(people.len() >= demanded.approvals as usize);
    for group in exception.terms.groups.iter().chain(&demanded.groups) {
        assert!(people.values().any(|groups| groups.contains(group)), "no vote from {group}");
    }
    let grant = exception.phase.grant().expect("granted");
    assert_eq!(grant.grant.version, version);
}

/// Where `allowed` says no, `decide` does, and gives the same reason.
fn check_allowed(before: Option<&Exception>, command: &Command, context: &Context) {
    let (Some(exception), Command::Vote { person, decision, .. }) = (before, command) else { return };
    let eligible = context.eligible.iter().any(|e| e.person == *person && e.eligible);
    let actor = Actor::Person { person, eligible, strong_enough: true };
    let allowed = allowed(exception, actor, context.now);
    let may = match decision {
        VoteDecision::Approve => allowed.approve,
        VoteDecision::Refuse => allowed.refuse,
        VoteDecision::Ask => allowed.ask,
    };
    if let (May::No(reason), true) = (may, may != May::No(Rejection::VotedAlready)) {
        match decide(Some(exception), command.clone(), context) {
            Ok(events) => assert!(events.is_empty(), "{reason:?}, but {events:?}"),
            Err(rejection) => assert_eq!(rejection, reason),
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn every_history_keeps_the_rules(
        steps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..40),
        demanded in 1..3u32,
    ) {
        let (commands, mut contexts) = (commands(), contexts());
        // Time goes on and does not come back.
        contexts.sort_by_key(|context| context.now);
        let mut chosen: Vec<_> = steps.iter().map(|(_, context)| context.index(contexts.len())).collect();
        chosen.sort_unstable();
        let request = Command::Request(Box::new(facts(widest())));
        let mut state = check(None, &request, &context(0, terms(demanded)));
        for ((command, _), context) in steps.iter().zip(chosen) {
            state = check(state.as_ref(), command.get(&commands), &contexts[context]);
        }
    }
}

/// Breadth first: every state that two agents (each with its own request), two voters and two ticks can reach.
#[test]
fn every_reachable_state_keeps_the_rules() {
    let commands: Vec<Command> = [
        Command::Cancel { by: user("rita"), reason: String::new() },
        Command::Cancel { by: EntityRef::new("Agent", "a2"), reason: String::new() },
        Command::Use { call: "c".into(), evaluation: "v".into(), amounts: vec![] },
        Command::Revoke { by: user("carol"), reason: "why".into() },
        Command::Lapse,
        Command::Rejudge,
    ]
    .into_iter()
    .chain(["bob", "carol"].into_iter().flat_map(|person| {
        [approve(person, widest()), approve(person, exact()), vote(person, VoteDecision::Refuse, exact())]
    }))
    .collect();
    // Two ticks: before everything ends, and after. Two bundles in each: as it was, and one without terms.
    let ticks: Vec<Vec<Context>> = [20, 600]
        .into_iter()
        .map(|second| {
            let first = context(second, terms(2));
            let next = Context { bundle: Digest::of(b"bundle 2"), terms: None, ..first.clone() };
            vec![first, next]
        })
        .collect();
    let agents = ["a1", "a2"].map(|agent| {
        let mut facts = facts(widest());
        facts.id = format!("exception of {agent}");
        facts.question.call.subject.id = agent.into();
        Command::Request(Box::new(facts))
    });
    let mut words = BTreeSet::new();
    for request in agents {
        let mut seen: Vec<Exception> = Vec::new();
        let mut next: Vec<(Exception, usize)> =
            vec![(check(None, &request, &context(0, terms(2))).expect("requested"), 0)];
        while let Some((exception, tick)) = next.pop() {
            words.insert(exception.phase.word());
            for (later, contexts) in ticks.iter().enumerate().skip(tick) {
                for (command, context) in commands.iter().flat_map(|command| contexts.iter().map(move |c| (command, c)))
                {
                    let Some(reached) = check(Some(&exception), command, context) else { continue };
                    if !seen.contains(&reached) {
                        seen.push(reached.clone());
                        next.push((reached, later));
                    }
                }
            }
        }
        assert!(seen.len() > 50, "only {} states were reached", seen.len());
    }
    let all = ["cancelled", "denied", "exhausted", "granted", "lapsed", "requested", "revoked", "suspended"];
    assert_eq!(words.into_iter().collect::<Vec<_>>(), all);
}
