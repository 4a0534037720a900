//! Whom a record is about, for who may read it.

use audit_verify::source::StoredRecord;
use policy_core::entity::EntityRef;

use super::told::Told;
use crate::app::event::{BUNDLE, EVENT};

/// What a record is about, as far as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matter {
    /// The agent.
    pub subject: Option<EntityRef>,
    /// What it did or would do.
    pub action: Option<String>,
    /// The exception.
    pub exception: Option<String>,
    /// The finding that something happened to.
    pub finding: Option<String>,
    /// Whether it holds a call, or a word on one: what is neither an event of the ledger nor a bundle.
    pub calls: bool,
}

/// What a record is about. Of one that cannot be opened nothing but that it may hold anything.
pub fn matter(record: &StoredRecord) -> Matter {
    match Told::open(record) {
        Some(told) => matter_of(record, &told),
        None => Matter { calls: true, ..Matter::default() },
    }
}

/// The same of a record that was opened.
pub(super) fn matter_of(record: &StoredRecord, told: &Told) -> Matter {
    let calls = record.payloads.iter().any(|payload| ![EVENT, BUNDLE].contains(&payload.name.as_str()));
    let text = |name: &str| told.text(name).map(str::to_owned);
    Matter {
        subject: told.subject().and_then(|subject| serde_json::from_value(subject.clone()).ok()),
        action: text("action"),
        exception: told.exception().map(str::to_owned),
        finding: told.finding().map(str::to_owned),
        calls,
    }
}
