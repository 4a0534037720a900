//! One request as the gate would send it, for the tests of this folder.

use std::collections::BTreeMap;

use policy_core::abi::Previewed;
use policy_core::digest::Digest;
use policy_core::entity::{EntityRef, Hop};
use policy_core::grant::{ArgumentScope, Condition, Grant, ResourceScope, Scope, Test};
use policy_core::lifecycle::{Exception, Phase, RequestFacts, Version, Vote, VoteDecision};
use policy_core::outcome::{Evaluation, Outcome, Reason, Terms};
use policy_core::presence::Proof;
use policy_core::question::{Call, Purpose, Requested, SEALED_VERSION, SealedQuestion};
use policy_core::record::Record;
use policy_core::sheet::{Argument, BundleFact, DecisionSheet, SHEET_VERSION};
use policy_core::time::{Span, Timestamp};
use policy_core::value::Value;
use proviso_api::exceptions::{ExceptionLine, QuestionsReply, SheetReply};

/// 16:00 on the day of the story, and this many seconds.
pub fn at(seconds: u64) -> Timestamp {
    let base: Timestamp = "2026-11-22T16:00:00Z".parse().expect("an instant");
    base.plus(Span::from_seconds(seconds))
}

pub fn line(id: &str, state: &str, needs_me: bool) -> ExceptionLine {
    ExceptionLine {
        id: id.into(),
        state: state.into(),
        says: "writes a file".into(),
        subject: EntityRef::new("Agent", "scribe"),
        task: "T-1".into(),
        action: "write_file".into(),
        resources: vec![EntityRef::new("Server", "files")],
        tier: "low".into(),
        votes: 0,
        approvals: 1,
        requested_at: at(0),
        decide_by: at(900),
        not_after: None,
        uses: 0,
        max_uses: 1,
        needs_me,
        repeated: 0,
        emergency: false,
        says_emergency: false,
        disposition: None,
        hidden: Vec::new(),
        routed_on: false,
        grant: None,
        last_use: None,
        may_revoke: false,
        waiting: false,
        undo_until: None,
        same: None,
        presence: policy_core::presence::Presence::Session,
    }
}

/// An hour, five uses, anything inside /reports.
pub fn asked_scope() -> Scope {
    let inside = Condition { at: vec!["path".into()], test: Test::Inside { path: "/reports".into() } };
    Scope {
        resource: ResourceScope::Is(EntityRef::new("Server", "files")),
        arguments: ArgumentScope::Conditions(vec![inside]),
        not_before: None,
        not_after: at(3_600),
        max_uses: 5,
        valid_for: None,
        rate: None,
        budgets: vec![],
    }
}

fn terms() -> Terms {
    Terms {
        tier: "low".into(),
        approvals: 1,
        groups: vec![],
        max_duration: Span::from_seconds(7_200),
        max_uses: 10,
        step_up: None,
        presence: policy_core::presence::Presence::Session,
        review_within: None,
        decide_within: None,
        lead_time: None,
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
        policies: vec!["may-ask-to-write".into()],
    }
}

pub fn question() -> SealedQuestion {
    let input = Record::from([
        ("content".to_owned(), Value::String("Q4".into())),
        ("path".to_owned(), Value::String("/reports/q4/a.md".into())),
    ]);
    SealedQuestion {
        v: SEALED_VERSION,
        purpose: Purpose::Use,
        bundle: Digest::of(b"bundle"),
        now: at(0),
        call: Call {
            subject: EntityRef::new("Agent", "scribe"),
            action: "write_file".into(),
            resources: vec![EntityRef::new("Server", "files")],
            input: Some(Value::Record(input)),
            input_digest: Digest::of(b"input"),
            typed: true,
            paths: vec![vec!["path".into()]],
            server: Some("files".into()),
            tool: None,
        },
        task: "T-1".into(),
        chain: vec![Hop { entity: EntityRef::new("User", "Ines"), issuer: "proviso".into() }],
        enforcement_point: Some("desk".into()),
        bound: false,
        vouched: false,
        context: Record::new(),
        entities: vec![],
        claimed: BTreeMap::new(),
        candidates: vec![],
        locks: vec![],
        requested: Requested { duration: Span::from_seconds(3_600), uses: 5, ..Requested::default() },
    }
}

fn refused() -> Evaluation {
    Evaluation {
        outcome: Outcome::RequestableDenial,
        reason: Reason::ApprovalRequired,
        policies: vec![],
        errors: vec![],
        grant: None,
        terms: Some(terms()),
    }
}

fn exception() -> Exception {
    Exception {
        request: RequestFacts {
            id: "x1".into(),
            question: question(),
            evaluation: "e1".into(),
            requester: EntityRef::new("User", "Ines"),
            asker: None,
            owners: vec![],
            scope: asked_scope(),
            justification: "month end".into(),
            emergency: false,
            renews: None,
            requested_at: at(0),
            decide_by: at(900),
        }
        .into(),
        terms: terms(),
        bundle: Digest::of(b"bundle"),
        versions: vec![Version { number: 1, scope: asked_scope(), by: None }],
        votes: vec![],
        phase: Phase::Requested,
        answers: vec![],
        repeats: vec![],
        repeated: 0,
        emergency: None,
        reviews: vec![],
        disposition: None,
        unconfirmed: None,
    }
}

/// Rendered at 16:00; the smallest grant is a quarter of an hour.
pub fn sheet() -> SheetReply {
    SheetReply {
        sheet: DecisionSheet {
            v: SHEET_VERSION,
            as_of: 12,
            at: at(0),
            exception: exception(),
            refused: refused(),
            says: "writes a file".into(),
            effects: vec![],
            arguments: vec![Argument { at: vec!["path".into()], text: "\"/reports/q4/a.md\"".into() }],
            bundle: BundleFact {
                digest: Digest::of(b"bundle"),
                activated_by: "root".into(),
                reason: "first start".into(),
                activated_at: at(0),
                changed: vec![],
            },
            module: Digest::of(b"module"),
            tried: vec![],
            renews: None,
        },
        smallest: Scope { arguments: ArgumentScope::Exact, max_uses: 1, not_after: at(900), ..asked_scope() },
    }
}

pub fn questions() -> QuestionsReply {
    QuestionsReply { question: question(), grant: grant(), others: vec![], groups: vec![] }
}

fn grant() -> Grant {
    let question = question();
    Grant {
        id: "x1".into(),
        exception: "x1".into(),
        version: 1,
        subject: question.call.subject,
        task: question.task,
        chain: question.chain,
        enforcement_point: "desk".into(),
        server: question.call.server,
        tool: None,
        action: question.call.action,
        scope: sheet().smallest,
        members: vec![],
        input_digest: question.call.input_digest,
        input_names: vec!["content".into(), "path".into()],
    }
}

pub fn previewed() -> Previewed {
    Previewed {
        before: refused(),
        after: Evaluation {
            outcome: Outcome::PermittedByException,
            reason: Reason::Exception,
            grant: Some("x1".into()),
            terms: None,
            ..refused()
        },
        edges: vec![],
        open: vec![],
        flips: vec![],
        tried: 0,
        by_others: 0,
        guardrails: vec![],
        ends: at(900),
    }
}

pub fn approval(person: &str, version: u32) -> Vote {
    Vote {
        person: EntityRef::new("User", person),
        decision: VoteDecision::Approve,
        version,
        sheet: Digest::of(b"sheet"),
        as_of: 12,
        reason: String::new(),
        assurance: "link".into(),
        groups: vec![],
        inside: false,
        proof: Proof::Session,
        at: at(60),
        withdrawn: None,
    }
}
