//! Facts in, findings out: each kind with its neighbour that is none, and what must not depend on order.

mod kinds;
mod order;

use std::sync::Arc;

use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::time::{Span, Timestamp};
use proviso_api::findings::{EvidenceClass, FindingKind};
use proviso_api::operations::ExecutionPhase;

use super::facts::{Account, CallKind, Decided, Evidence, GrantFact, Reconciled, Rules, Said};

/// Seconds, in milliseconds, since some noon.
pub(super) fn at(seconds: f64) -> Timestamp {
    let millis = (seconds * 1_000.0) as i64;
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

pub(super) fn agent() -> EntityRef {
    EntityRef::new("Agent", "report-writer")
}

/// A permitted call of a file, by the proxy.
pub(super) fn allowed(name: &str, seconds: f64) -> Decided {
    Decided {
        seq: 0,
        evaluation: name.into(),
        at: at(seconds),
        kind: CallKind {
            subject: agent(),
            task: "weekly".to_owned(),
            credential: "pvp_proxy".to_owned(),
            point: Some("proxy".to_owned()),
            server: Some("files".to_owned()),
            action: "write_file".to_owned(),
            tools: Vec::new(),
        }
        .into(),
        call: Some(format!("call-{name}")),
        input_digest: Some(Digest::of(b"a")),
        permitted: true,
        exception: None,
        grant: None,
        allow: name.into(),
    }
}

pub(super) fn denied(name: &str, seconds: f64) -> Decided {
    Decided { permitted: false, ..allowed(name, seconds) }
}

/// The word of a system's log on the same call, which knows nothing of the gate's ids.
pub(super) fn ran(name: &str, seconds: f64) -> Evidence {
    Evidence {
        seq: 0,
        class: EvidenceClass::SystemOfRecord,
        source: "system:files".to_owned(),
        id: name.to_owned(),
        credential: None,
        recorded_at: at(seconds + 20.0),
        said: Said {
            subject: Some(agent()),
            task: None,
            action: Some("write_file".to_owned()),
            server: Some("files".to_owned()),
            input_digest: Some(Digest::of(b"a")),
            evaluation: None,
            call: None,
            grant: None,
            host: None,
            started_at: Some(at(seconds)),
            ended_at: None,
            phase: ExecutionPhase::Executed,
            trace: None,
            parent: None,
        },
    }
}

/// The same by whoever, on an evaluation that it names.
pub(super) fn of(class: EvidenceClass, evaluation: &str, name: &str, seconds: f64) -> Evidence {
    let mut evidence = ran(name, seconds);
    evidence.class = class;
    evidence.source = format!("{class:?}");
    evidence.said.evaluation = Some(evaluation.to_owned());
    evidence
}

pub(super) fn grant(ends: f64) -> GrantFact {
    GrantFact {
        exception: "exc_1".to_owned(),
        grant: "grant_1".to_owned(),
        task: "weekly".to_owned(),
        action: "write_file".to_owned(),
        not_after: at(ends),
        used: true,
        revoked_at: None,
    }
}

/// Everything in one account, numbered in this order.
pub(super) fn account(decided: &[Decided], evidence: &[Evidence]) -> Account {
    let mut account = Account::default();
    let mut seq = 0;
    for one in decided {
        seq += 1;
        account.decided.insert(one.evaluation.clone(), Arc::new(Decided { seq, ..one.clone() }));
    }
    for one in evidence {
        seq += 1;
        account.evidence.insert(seq, Arc::new(Evidence { seq, ..one.clone() }));
    }
    account
}

pub(super) fn rules() -> Rules {
    Rules {
        actions: [(("files".to_owned(), "fs_write".to_owned()), "write_file".to_owned())].into(),
        reports_within: [("proxy".to_owned(), Span::from_seconds(300))].into(),
    }
}

pub(super) fn compare(decided: &[Decided], evidence: &[Evidence], grants: &[GrantFact], now: f64) -> Reconciled {
    super::reconcile(&account(decided, evidence), grants, &rules(), at(now))
}

/// The kinds of what is found, sorted.
pub(super) fn kinds(decided: &[Decided], evidence: &[Evidence], grants: &[GrantFact], now: f64) -> Vec<FindingKind> {
    compare(decided, evidence, grants, now).findings.into_keys().map(|(kind, _)| kind).collect()
}
