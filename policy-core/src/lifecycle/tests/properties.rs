//! What holds of every history, at random; `walk` holds small models to it exhaustively.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::fixtures::*;
use crate::grant::{Budget, Scope};
use crate::lifecycle::{
    Actor, Command, Context, Disposition, Event, Exception, May, Phase, Rejection, ReviewOutcome, VoteDecision,
    allowed, decide, effective_state, evolve,
};
use crate::outcome::Terms;
use crate::time::{Span, Timestamp};

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
        Command::EndTask { by: user("op"), reason: "done".into() },
        Command::Lapse,
        Command::Rejudge,
        Command::OpenReview,
        Command::Fold { evaluation: "v1".into(), justification: String::new() },
        Command::Fold { evaluation: "v2".into(), justification: "again".into() },
    ];
    for person in ["bob", "carol", "dave", "rita", "alice", "olga", "mallory"] {
        commands.extend(scopes().into_iter().map(|scope| approve(person, scope)));
        commands.push(approve(person, widest()));
        commands.push(vote(person, VoteDecision::Refuse, exact()));
        commands.push(vote(person, VoteDecision::Ask, exact()));
        let by = user(person);
        let (words, assurance) = (String::from("so"), String::from("link"));
        commands.push(Command::Answer { by: by.clone(), vote: 0, words: words.clone() });
        commands.push(Command::Answer { by: by.clone(), vote: 1, words: words.clone() });
        let (reason, outcome) = (words.clone(), ReviewOutcome::Excessive);
        commands.push(Command::DeclareEmergency {
            by: by.clone(),
            reason,
            assurance: assurance.clone(),
            proof: Proof::Session,
        });
        let evaluation = "v".into();
        commands.push(Command::GiveBack { by: by.clone(), evaluation, reason: words.clone(), assurance });
        commands.push(Command::CloseReview { review: "e1.r1".into(), by: by.clone(), outcome, note: words.clone() });
        commands.push(Command::Dispose { by, disposition: Disposition::OneOff, note: words });
    }
    commands
}

fn contexts() -> Vec<Context> {
    let mut contexts = Vec::new();
    for second in [1, 39, 40, 299, 300, 600] {
        let in_emergency = Terms { emergency_approvals: Some(1), ..terms(2) };
        let reviewed = Terms { review_within: Some(Span::from_seconds(5)), ..terms(1) };
        for demanded in [terms(1), terms(2), Terms { groups: path(&["security"]), ..terms(2) }, in_emergency, reviewed]
        {
            let first = context(second, demanded);
            let mut second_bundle = Context { bundle: Digest::of(b"bundle 2"), ..first.clone() };
            second_bundle.eligible.retain(|eligibility| eligibility.person != user("bob"));
            let without = Context { terms: None, ..second_bundle.clone() };
            contexts.extend([first, second_bundle, without]);
        }
    }
    contexts
}

/// What may follow the end: a look back, and a use given back before its grant's time was over.
fn is_afterwards(event: &Event) -> bool {
    matches!(
        event,
        Event::ReviewOpened { .. }
            | Event::ReviewClosed { .. }
            | Event::DispositionSet { .. }
            | Event::UseGivenBack { .. }
    )
}

/// What is used up is not final while a use could be given back: it can still be taken away.
fn is_final(exception: &Exception, now: Timestamp) -> bool {
    let open = matches!(exception.phase, Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. });
    !open && !exception.may_be_used_again(now)
}

/// What must hold of one step, whatever it was.
fn check(before: Option<&Exception>, command: &Command, context: &Context) -> Option<Exception> {
    let Ok(events) = decide(before, command.clone(), context) else { return before.cloned() };
    let folded = events.iter().try_fold(before.cloned(), evolve);
    let after = folded.expect("what decide emits, evolve accepts");
    let Some(exception) = &after else { panic!("a command that is accepted leaves an exception") };

    if before.is_some_and(|before| is_final(before, context.now)) {
        let afterwards = events.iter().all(is_afterwards);
        assert!(afterwards, "terminal stays terminal: {command:?} made {events:?}");
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
    let in_emergency = demanded.emergency_approvals.filter(|_| exception.emergency.is_some());
    assert!(people.len() >= in_emergency.unwrap_or(demanded.approvals) as usize);
    for group in exception.terms.groups.iter().chain(&demanded.groups) {
        assert!(people.values().any(|groups| groups.contains(group)), "no vote from {group}");
    }
    let grant = exception.phase.grant().expect("granted");
    assert_eq!(grant.grant.version, version);
}

/// Where `allowed` says no, `decide` does, and gives the same reason.
fn check_allowed(before: Option<&Exception>, command: &Command, context: &Context) {
    let Some(exception) = before else { return };
    let who = match command {
        Command::Vote { person: by, .. }
        | Command::DeclareEmergency { by, .. }
        | Command::GiveBack { by, .. }
        | Command::CloseReview { by, .. }
        | Command::Dispose { by, .. }
        | Command::Answer { by, .. }
        | Command::Cancel { by, .. } => by,
        _ => return,
    };
    let eligible = context.eligible.iter().any(|e| e.person == *who && e.eligible);
    let actor = Actor::Person { person: who, eligible, strong_enough: true, can_show: Presence::Signature };
    let allowed = allowed(exception, actor, context.now);
    let may = match command {
        Command::Vote { decision: VoteDecision::Approve, .. } => allowed.approve,
        Command::Vote { decision: VoteDecision::Refuse, .. } => allowed.refuse,
        Command::Vote { decision: VoteDecision::Ask, .. } => allowed.ask,
        Command::DeclareEmergency { .. } => allowed.declare_emergency,
        Command::GiveBack { .. } => allowed.give_back,
        Command::CloseReview { .. } => allowed.close_review,
        Command::Dispose { .. } => allowed.dispose,
        Command::Answer { .. } => allowed.answer,
        _ => allowed.cancel,
    };
    if let (May::No(reason), true) = (may, may != May::No(Rejection::VotedAlready)) {
        let decided = decide(Some(exception), command.clone(), context);
        match decided {
            Ok(events) => assert!(events.is_empty(), "{reason:?}, but {events:?}"),
            // Of several reasons the one that counts for a command may be another than the one that is shown.
            Err(rejection) => assert!(rejection == reason || !matches!(command, Command::Vote { .. })),
        }
    }
}

/// A request, and what is tried of it. Time goes on and does not come back.
fn chosen(steps: &[(prop::sample::Index, prop::sample::Index)], demanded: u32) -> Vec<(Command, Context)> {
    let (commands, mut contexts) = (commands(), contexts());
    contexts.sort_by_key(|context| context.now);
    let mut times: Vec<_> = steps.iter().map(|(_, context)| context.index(contexts.len())).collect();
    times.sort_unstable();
    let request = (Command::Request(Box::new(facts(widest()))), context(0, terms(demanded)));
    let later = steps.iter().zip(times).map(|((command, _), time)| (command.get(&commands).clone(), time));
    std::iter::once(request).chain(later.map(|(command, time)| (command, contexts[time].clone()))).collect()
}

/// A state that a reader of a part of the history sees, in the middle of what one decision made, too.
fn check_prefix(exception: &Exception, contexts: &[Context]) {
    for context in contexts {
        let word = effective_state(exception, context.now).word;
        let usable = exception.phase.grant().is_some_and(|grant| context.now < grant.grant.scope.not_after);
        assert!(word != "granted" || usable, "granted at {:?} in {exception:?}", context.now);
        for person in ["bob", "rita", "mallory"] {
            let person = user(person);
            let actor =
                Actor::Person { person: &person, eligible: true, strong_enough: true, can_show: Presence::Signature };
            let may = allowed(exception, actor, context.now);
            assert!(!may.approve.is_yes() || word == "requested", "a vote in the state `{word}`");
        }
        let subject = &exception.request.question.call.subject;
        allowed(exception, Actor::Agent { subject }, context.now);
    }
}

/// How the steps of a random history are drawn.
fn steps() -> impl Strategy<Value = Vec<(prop::sample::Index, prop::sample::Index)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..40)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn every_history_keeps_the_rules(steps in steps(), demanded in 1..3u32) {
        let mut state = None;
        for (command, context) in chosen(&steps, demanded) {
            state = check(state.as_ref(), &command, &context);
        }
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn any_prefix_of_a_history_is_legal(steps in steps(), demanded in 1..3u32, when in any::<prop::sample::Index>()) {
        let (commands, contexts) = (commands(), contexts());
        let mut state = None;
        let mut prefix = None;
        for (command, context) in chosen(&steps, demanded) {
            let Ok(events) = decide(state.as_ref(), command, &context) else { continue };
            state = events.iter().try_fold(state, evolve).expect("what decide emits, evolve accepts");
            for event in &events {
                prefix = evolve(prefix, event).expect("a history folds as far as it goes");
                let exception = prefix.as_ref().expect("an exception from the first event on");
                check_prefix(exception, &contexts);
                // Whatever is tried next, as in any other state.
                let now = when.get(&contexts);
                let from_here = Context { now: now.now.max(context.now), ..now.clone() };
                for command in &commands {
                    check(Some(exception), command, &from_here);
                }
            }
            prop_assert_eq!(&prefix, &state);
        }
    }
}
