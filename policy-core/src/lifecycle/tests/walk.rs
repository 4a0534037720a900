//! Breadth first over small models: every state that a few people can reach in a few ticks, each step held to R3 to R6
//! by a reader who knows the events alone and none of the code that decided them.

use std::collections::BTreeSet;

use crate::abi::Eligibility;
use crate::digest::Digest;
use crate::fixtures::*;
use crate::grant::{Rate, Scope};
use crate::lifecycle::{
    Command, Context, Disposition, Event, Exception, Renewal, RequestFacts, ReviewKind, ReviewOutcome, VoteDecision,
    decide, evolve,
};
use crate::outcome::Terms;
use crate::time::{Span, Timestamp};

/// Who may never vote on, review or judge the request of these models, whatever policy says.
const INVOLVED: [&str; 3] = ["rita", "alice", "olga"];

/// What a reader of the record has noted.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Reader {
    decide_by: i64,
    /// How many persons it takes by the strictest terms since the request, or as policy says for a declared emergency.
    needed: u32,
    emergency: bool,
    /// Whether each version is the wide scope or the exact one, which lies inside it.
    versions: Vec<bool>,
    /// Who said yes, to which version, and whether to what lies inside, too.
    approvals: Vec<(String, usize, bool)>,
    decided: BTreeSet<String>,
    bundle: String,
    grant: Option<Window>,
    suspended: bool,
    ended: Option<String>,
    reviews: Vec<(String, bool)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Window {
    made: i64,
    begin: i64,
    end: i64,
    max_uses: usize,
    /// So many uses in so many milliseconds.
    rate: Option<(usize, i64)>,
    /// When it was last judged.
    judged: i64,
    /// Each use: the evaluation, when, and whether it was given back.
    uses: Vec<(String, i64, bool)>,
}

impl Window {
    fn used(&self) -> usize {
        self.uses.iter().filter(|(_, _, back)| !back).count()
    }
}

fn may_vote(context: &Context, id: &str) -> bool {
    let by_policy = |e: &Eligibility| e.person.id == id && e.eligible;
    !INVOLVED.contains(&id) && context.eligible.iter().any(by_policy)
}

impl Reader {
    /// How many persons it takes by the terms that this context asks, with all that were asked before.
    fn demanded(&self, context: &Context) -> u32 {
        let asked = context.terms.as_ref().expect("nothing is granted without terms");
        let now = if self.emergency { asked.emergency_approvals.unwrap_or(asked.approvals) } else { asked.approvals };
        self.needed.max(now)
    }

    /// R4: distinct persons, each eligible now, each of this version or of whatever lies inside the one voted on.
    fn check_quorum(&self, context: &Context) {
        let counted: BTreeSet<&String> = self
            .approvals
            .iter()
            .filter(|(person, version, inside)| {
                may_vote(context, person) && (*version == self.versions.len() || *inside)
            })
            .map(|(person, _, _)| person)
            .collect();
        let demanded = self.demanded(context);
        assert!(counted.len() >= demanded.max(1) as usize, "{counted:?} of {demanded}");
    }

    fn judged(&mut self, context: &Context) {
        self.needed = self.demanded(context);
        self.bundle = context.bundle.to_string();
        self.suspended = false;
        if self.grant.is_some() {
            self.check_quorum(context);
        }
        if let Some(grant) = &mut self.grant {
            grant.judged = context.now.millis();
        }
    }

    fn end(&mut self, word: &str) {
        assert_eq!(self.ended, None, "it ends once");
        self.ended = Some(word.to_owned());
    }

    /// Whether votes are wanted: nothing was granted or ended, and there is time (R6).
    fn check_open(&self, now: i64) {
        assert!(self.ended.is_none() && self.grant.is_none() && !self.suspended);
        assert!(now < self.decide_by, "after the time to decide");
    }

    fn read(&mut self, context: &Context, event: &Event) {
        let now = context.now.millis();
        match event {
            Event::ExceptionRequested { request, terms, .. } => {
                self.decide_by = request.decide_by.millis();
                self.needed = terms.approvals;
                self.versions = vec![is_wide(&request.scope)];
                self.bundle = context.bundle.to_string();
                if let Some(renewal) = &request.renews {
                    assert!(renewal.number <= terms.max_renewals.unwrap_or(0), "more renewals than policy allows");
                }
                assert!(!context.overdue_tiers.contains(&terms.tier), "a review is overdue");
            }
            Event::ScopeNarrowed { version } => {
                self.check_open(now);
                let before = *self.versions.last().expect("a version");
                let is_wide = is_wide(&version.scope);
                assert!(before && !is_wide, "R5: only from the wide scope to the exact one");
                self.versions.push(is_wide);
                assert!(self.versions.len() <= 5 && self.versions.len() == version.number as usize);
            }
            Event::VoteCast { vote } => {
                self.check_open(now);
                assert!(may_vote(context, &vote.person.id), "{} votes", vote.person);
                self.decided.insert(vote.person.id.clone());
                if vote.decision == VoteDecision::Approve {
                    assert!(!context.overdue_tiers.contains(&"low".to_owned()), "a review is overdue");
                    assert_eq!(vote.version as usize, self.versions.len());
                    self.approvals.push((vote.person.id.clone(), self.versions.len(), vote.inside));
                    self.needed = self.demanded(context);
                }
            }
            Event::EmergencyDeclared { emergency, terms, .. } => {
                self.check_open(now);
                assert!(may_vote(context, &emergency.by.id) && context.emergency_blocked.is_none());
                assert!(emergency.decide_by.millis() <= self.decide_by, "an emergency prolongs nothing");
                let asked = context.terms.as_ref().expect("terms");
                self.needed = asked.emergency_approvals.unwrap_or(self.needed.max(asked.approvals));
                assert_eq!(terms.approvals, self.needed);
                (self.emergency, self.decide_by) = (true, emergency.decide_by.millis());
                self.decided.insert(emergency.by.id.clone());
                self.bundle = context.bundle.to_string();
            }
            Event::ExceptionRejudged { .. } => {
                assert_eq!(self.ended, None);
                self.judged(context);
            }
            Event::GrantActivated { .. } => {
                assert!(self.ended.is_none() && !self.suspended);
                let grant = self.grant.as_ref().expect("a grant");
                assert!(now >= grant.begin && now < grant.end);
                self.judged(context);
            }
            Event::GrantSuspended { .. } => {
                assert_eq!(self.ended, None);
                if let Event::GrantSuspended { terms: Some(terms), .. } = event {
                    self.needed = terms.approvals.max(self.needed);
                }
                (self.suspended, self.bundle) = (true, context.bundle.to_string());
            }
            Event::ExceptionGranted { grant, .. } => {
                self.check_open(now);
                self.check_quorum(context);
                assert_eq!(grant.version as usize, self.versions.len());
                assert_eq!(self.bundle, context.bundle.to_string(), "granted under the active bundle");
                let scope = &grant.scope;
                let begin = scope.not_before.map_or(now, |begin| begin.millis().max(now));
                assert!(scope.not_after.millis() <= begin + 3_600_000, "longer than the terms");
                self.grant = Some(Window {
                    made: now,
                    begin,
                    end: scope.not_after.millis(),
                    max_uses: scope.max_uses as usize,
                    rate: scope.rate.map(|rate| (rate.uses as usize, 1000 * rate.per.seconds() as i64)),
                    judged: now,
                    uses: Vec::new(),
                });
            }
            Event::GrantUsed { evaluation, .. } => {
                assert!(self.ended.is_none() && !self.suspended);
                assert_eq!(self.bundle, context.bundle.to_string(), "R4: used under the bundle that judged it");
                let grant = self.grant.as_mut().expect("R3: a use is of a grant");
                assert!(grant.begin <= now && now < grant.end, "R6: in its window");
                let judged = grant.begin <= grant.made || grant.judged >= grant.begin;
                assert!(judged, "R4: a later start is judged again first");
                if let Some((most, per)) = grant.rate {
                    let recent = grant.uses.iter().filter(|(_, at, _)| now - at < per).count();
                    assert!(recent < most, "R3: faster than its rate");
                }
                grant.uses.push((evaluation.clone(), now, false));
                assert!(grant.used() <= grant.max_uses, "R3: more uses than granted");
            }
            Event::UseGivenBack { evaluation, by, .. } => {
                assert!(may_vote(context, &by.id));
                let grant = self.grant.as_mut().expect("a grant");
                assert!(now < grant.end && (self.ended.is_none() || self.ended.as_deref() == Some("exhausted")));
                let (_, _, back) = grant.uses.iter_mut().find(|(name, _, _)| name == evaluation).expect("a use");
                assert!(!*back, "R3: one use comes back once");
                *back = true;
                self.decided.insert(by.id.clone());
                self.ended = None;
            }
            Event::GrantExhausted { .. } => {
                let grant = self.grant.as_ref().expect("a grant");
                assert_eq!(grant.used(), grant.max_uses);
                self.end("exhausted");
            }
            Event::GrantRevoked { .. } => {
                assert!(self.grant.as_ref().is_some_and(|grant| now < grant.end));
                self.end("revoked");
            }
            Event::ExceptionDenied { .. } => {
                self.check_open(now);
                self.end("denied");
            }
            Event::ExceptionCancelled { .. } => {
                assert!(self.grant.is_none() && now < self.decide_by);
                self.end("cancelled");
            }
            Event::ExceptionLapsed { .. } => {
                let over = self.grant.as_ref().map_or(self.decide_by, |grant| grant.end);
                assert!(now >= over, "R6: not before its time");
                self.end("lapsed");
            }
            Event::ReviewOpened { review } => {
                let grant = self.grant.as_ref().expect("a review is of a grant");
                match review.kind {
                    ReviewKind::Emergency => assert!(self.emergency && grant.made == now),
                    ReviewKind::AfterUse => {
                        assert!(!grant.uses.is_empty() && (self.ended.is_some() || now >= grant.end));
                    }
                }
                assert!(review.due > Timestamp::from_millis(grant.made));
                self.reviews.push((review.id.clone(), false));
            }
            Event::ReviewClosed { id, closing } => {
                assert!(!INVOLVED.contains(&closing.by.id.as_str()) && !self.decided.contains(&closing.by.id));
                let (_, closed) = self.reviews.iter_mut().find(|(name, _)| name == id).expect("a review");
                assert!(!*closed, "a review is closed once");
                *closed = true;
            }
            Event::DispositionSet { disposed } => {
                assert!(!INVOLVED.contains(&disposed.by.id.as_str()));
                let over = self.grant.as_ref().map_or(self.decide_by, |grant| grant.end);
                assert!(self.ended.is_some() || now >= over, "what is open is not judged");
            }
            Event::QuestionAnswered { answer } => {
                assert!(self.ended.is_none() && self.grant.is_none() && now < self.decide_by);
                assert!(["a1", "rita", "olga"].contains(&answer.by.id.as_str()));
            }
            Event::RequestFolded { .. } => {
                assert!(self.ended.is_none() && self.grant.is_none() && now < self.decide_by);
            }
        }
    }
}

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

/// Whether a scope is not yet for exactly the call.
fn is_wide(scope: &Scope) -> bool {
    scope.arguments != exact().arguments
}

fn approve_inside(person: &str, scope: Scope) -> Command {
    let Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, .. } = approve(person, scope) else {
        unreachable!("a vote is a vote")
    };
    Command::Vote { person, decision, scope, sheet, as_of, reason, assurance, inside: true }
}

fn declare(by: &str) -> Command {
    Command::DeclareEmergency { by: user(by), reason: "down".into(), assurance: "link".into() }
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
    for (scope, declared, number, possible) in [
        (wide(), true, 1, true),
        (exact(), true, 1, true),
        (Scope { max_uses: 3, ..wide() }, true, 1, false),
        (Scope { max_uses: 3, ..wide() }, false, 1, true),
        (wide(), true, 2, false),
        (wide(), false, 2, false),
    ] {
        let renews = Some(Renewal { of: "e1".into(), number, declared });
        let model = Model {
            request: RequestFacts { id: "e2".into(), renews, ..facts(scope.clone()) },
            asked: Context { predecessor: Some(Box::new(earlier.clone())), ..context(0, capped.clone()) },
            commands: vec![
                approve("bob", scope.clone()),
                approve("carol", exact()),
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
