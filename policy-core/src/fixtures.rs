//! What several tests stand on: one call of a typed action, refused, and scopes for it.

use std::collections::BTreeMap;

use proptest::test_runner::Config as ProptestConfig;

use crate::abi::Eligibility;
use crate::digest::Digest;
use crate::entity::{EntityRef, Hop};
use crate::grant::{ArgumentScope, Condition, Grant, ResourceScope, Scalar, Scope, Test};
use crate::lifecycle::{
    Command, Context, EmergencyBlocked, Event, Exception, Rejection, RequestFacts, VoteDecision, decide, evolve,
};
use crate::outcome::Terms;
pub(crate) use crate::presence::{Presence, Proof};
use crate::question::{Call, Candidate, EntityFact, Purpose, Requested, SealedQuestion};
use crate::record::Record;
use crate::time::{Span, Timestamp};
use crate::value::Value;

/// So many cases, scaled as `PROPTEST_CASES` scales the usual 256.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig { cases: usual.saturating_mul(config.cases).div_ceil(256), ..config }
}

/// This many seconds into the story.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + seconds * 1000)
}

pub(crate) fn user(id: &str) -> EntityRef {
    EntityRef::new("User", id)
}

pub(crate) fn dataset(id: &str) -> EntityRef {
    EntityRef::new("Dataset", id)
}

pub(crate) fn group(id: &str) -> EntityRef {
    EntityRef::new("DatasetGroup", id)
}

pub(crate) fn string(text: &str) -> Value {
    Value::String(text.into())
}

pub(crate) fn path(at: &[&str]) -> Vec<String> {
    at.iter().map(|name| (*name).to_owned()).collect()
}

/// The call with these arguments: `rows` (Long), `file` (String, a path), `note` (String), `deep` ({`flag`: Bool}).
pub(crate) fn input(rows: i64, file: &str, note: &str) -> Record {
    Record::from([
        ("rows", Value::Long(rows)),
        ("file", string(file)),
        ("note", string(note)),
        ("deep", Value::Record(Record::from([("flag", Value::Bool(true))]))),
        ("tags", Value::Set(vec![string("a")])),
        ("owner", Value::Entity(user("carol"))),
    ])
}

pub(crate) fn question_with(input: Record) -> SealedQuestion {
    let fact = |uid: EntityRef, parents: Vec<EntityRef>| EntityFact {
        uid,
        attrs: Record::new(),
        parents,
        source: "bundle".into(),
    };
    SealedQuestion {
        v: 1,
        purpose: Purpose::Use,
        bundle: Digest::of(b"bundle 1"),
        now: at(0),
        call: Call {
            subject: EntityRef::new("Agent", "a1"),
            action: "post_journal".into(),
            resources: vec![dataset("q3")],
            input_digest: Digest::of_json(&input).unwrap(),
            input: Some(Value::Record(input)),
            typed: true,
            paths: vec![path(&["file"])],
            server: Some("ledger".into()),
            tool: Some(Digest::of(b"tool")),
        },
        task: "T-1".into(),
        chain: vec![
            Hop { entity: EntityRef::new("Agent", "orchestrator"), issuer: "proviso".into() },
            Hop { entity: user("alice"), issuer: "proviso".into() },
        ],
        enforcement_point: Some("proxy".into()),
        bound: false,
        vouched: false,
        context: Record::new(),
        entities: vec![
            fact(dataset("q3"), vec![group("quarters")]),
            fact(group("quarters"), vec![group("finance")]),
            fact(group("finance"), vec![group("quarters")]),
        ],
        claimed: BTreeMap::new(),
        candidates: vec![],
        locks: vec![],
        requested: Requested { duration: Span::from_seconds(600), uses: 1, ..Requested::default() },
    }
}

pub(crate) fn question() -> SealedQuestion {
    question_with(input(100, "/reports/q3.csv", "quarter end"))
}

/// Exactly the call, on its resource, once, until second 600.
pub(crate) fn exact() -> Scope {
    Scope {
        resource: ResourceScope::Is(dataset("q3")),
        arguments: ArgumentScope::Exact,
        not_before: None,
        not_after: at(600),
        max_uses: 1,
        valid_for: None,
        rate: None,
        budgets: vec![],
    }
}

pub(crate) fn condition(at: &[&str], test: Test) -> Condition {
    Condition { at: path(at), test }
}

pub(crate) fn equals(at: &[&str], value: Scalar) -> Condition {
    condition(at, Test::Equals { value })
}

pub(crate) fn between(at: &[&str], min: i64, max: i64) -> Condition {
    condition(at, Test::Between { min, max })
}

pub(crate) fn inside(at: &[&str], path: &str) -> Condition {
    condition(at, Test::Inside { path: path.into() })
}

pub(crate) fn one_of(at: &[&str], values: Vec<Scalar>) -> Condition {
    condition(at, Test::OneOf { values })
}

pub(crate) fn with(conditions: Vec<Condition>) -> Scope {
    Scope { arguments: ArgumentScope::Conditions(conditions), ..exact() }
}

/// The grant of this scope for the question's call, with this many members.
pub(crate) fn grant_of(scope: Scope, members: Vec<EntityRef>, question: &SealedQuestion) -> Grant {
    Grant {
        id: "g1".into(),
        exception: "e1".into(),
        version: 1,
        subject: question.call.subject.clone(),
        task: question.task.clone(),
        chain: question.chain.clone(),
        enforcement_point: "proxy".into(),
        server: question.call.server.clone(),
        tool: question.call.tool,
        action: question.call.action.clone(),
        members,
        input_digest: question.call.input_digest,
        input_names: crate::containment::input_names(&question.call),
        scope,
    }
}

/// The candidate for a grant of this scope, with nothing consumed.
pub(crate) fn candidate(scope: Scope) -> Candidate {
    let members = match &scope.resource {
        ResourceScope::In(_) => vec![dataset("q2"), dataset("q3")],
        ResourceScope::Is(_) => vec![],
    };
    let budgets_left = scope.budgets.iter().map(|budget| budget.max).collect();
    Candidate {
        uses_left: scope.max_uses,
        budgets_left,
        rate_left: scope.rate.map(|rate| rate.uses),
        grant: grant_of(scope, members, &question()).into(),
    }
}

pub(crate) fn terms(approvals: u32) -> Terms {
    Terms {
        tier: "low".into(),
        approvals,
        groups: vec![],
        max_duration: Span::from_seconds(3600),
        max_uses: 5,
        step_up: None,
        presence: Presence::Session,
        review_within: None,
        decide_within: None,
        lead_time: Some(Span::from_seconds(3600)),
        max_rate: None,
        max_renewals: None,
        renewal_period: None,
        notify: vec![],
        escalate: vec![],
        emergency_approvals: None,
        silence: None,
        for_another: false,
        binding: false,
        raised_from: None,
        policies: vec!["request.post".into()],
    }
}

pub(crate) fn eligible(id: &str, groups: &[&str]) -> Eligibility {
    Eligibility {
        person: user(id),
        eligible: true,
        groups: path(groups),
        policies: vec!["approve".into()],
        errors: vec![],
    }
}

/// At this second, with these terms, `bob` (finance), `carol` (security) and `dave` eligible, and everybody who is not
/// allowed to vote eligible by policy too.
pub(crate) fn context(second: i64, terms: Terms) -> Context {
    Context {
        now: at(second),
        bundle: Digest::of(b"bundle 1"),
        terms: Some(terms),
        eligible: vec![
            eligible("alice", &["finance"]),
            eligible("bob", &["finance"]),
            eligible("carol", &["security"]),
            eligible("dave", &[]),
            eligible("olga", &["finance", "security"]),
            eligible("rita", &["finance"]),
        ],
        step_ups: path(&["link", "webauthn"]),
        tiers: path(&["low", "high"]),
        person_type: "User".into(),
        members: vec![],
        grant_id: "g1".into(),
        predecessor: None,
        overdue_tiers: vec![],
        emergency_blocked: EmergencyBlocked::default(),
    }
}

/// Requested at second 0 by `rita`, the agent owned by `olga`, to be decided by second 300.
pub(crate) fn facts(scope: Scope) -> RequestFacts {
    RequestFacts {
        id: "e1".into(),
        question: question(),
        evaluation: "v1".into(),
        requester: user("rita"),
        asker: None,
        owners: vec![user("olga")],
        scope,
        justification: "quarter end".into(),
        emergency: false,
        renews: None,
        requested_at: at(0),
        decide_by: at(300),
    }
}

pub(crate) fn vote(person: &str, decision: VoteDecision, scope: Scope) -> Command {
    let sheet = Digest::of_json(&(person, &scope)).unwrap();
    let (reason, assurance) = ("seen and checked".into(), "link".into());
    Command::Vote {
        person: user(person),
        decision,
        scope,
        sheet,
        as_of: 1,
        reason,
        assurance,
        inside: false,
        proof: Proof::Session,
    }
}

pub(crate) fn approve(person: &str, scope: Scope) -> Command {
    vote(person, VoteDecision::Approve, scope)
}

/// Decides and folds.
pub(crate) fn step(
    state: Option<Exception>,
    command: Command,
    context: &Context,
) -> Result<(Option<Exception>, Vec<Event>), Rejection> {
    let events = decide(state.as_ref(), command, context)?;
    let state = events.iter().try_fold(state, evolve).expect("what decide emits, evolve accepts");
    Ok((state, events))
}

/// The exception after these commands, all of which must be accepted.
pub(crate) fn play(scope: Scope, commands: Vec<(Command, Context)>) -> Exception {
    let request = Command::Request(Box::new(facts(scope)));
    let first = commands.first().and_then(|(_, context)| context.terms.clone()).unwrap_or_else(|| terms(1));
    let (mut state, _) = step(None, request, &context(0, first)).unwrap();
    for (command, context) in commands {
        state = step(state, command, &context).unwrap().0;
    }
    state.unwrap()
}
