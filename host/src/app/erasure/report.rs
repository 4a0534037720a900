//! What an erasure did, or would do, in numbers.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use serde::{Deserialize, Serialize};

use super::event::Lost;
use super::kept::Kept;
use super::selection::Class;

/// The numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureReport {
    /// The run's id, as its records name it; absent where nothing was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whether it only says what it would do.
    pub dry_run: bool,
    /// How many payloads, by class.
    pub erased: BTreeMap<Class, u64>,
    /// How many records stay that were meant, by reason.
    pub kept: BTreeMap<Kept, u64>,
    /// What is lost.
    pub lost: Lost,
    /// Where the ledger says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<u64>,
    /// Where one record is meant: whom it is about, with all that hangs together with it, whether it goes or stays. Told
    /// to nobody.
    #[serde(skip)]
    pub of: BTreeSet<EntityRef>,
}

impl ErasureReport {
    /// One more kept.
    pub fn keep(&mut self, why: Kept) {
        let count = self.kept.entry(why).or_default();
        *count = count.saturating_add(1);
    }

    /// So many more of a class.
    pub fn count(&mut self, class: Class, payloads: u64) {
        let count = self.erased.entry(class).or_default();
        *count = count.saturating_add(payloads);
    }

    /// For people.
    pub fn lines(&self) -> String {
        let mut lines = Vec::new();
        let done = if self.dry_run { "would be erased" } else { "erased" };
        if self.erased.is_empty() {
            lines.push(format!("nothing {done}"));
        }
        lines.extend(
            self.erased.iter().map(|(class, payloads)| format!("{payloads} payloads of {} {done}", class.word())),
        );
        let Lost { replays, previews, exceptions, findings } = self.lost;
        for (lost, what) in [
            (replays, "outcomes can be replayed no more"),
            (previews, "denials can be tried by no preview any more"),
            (exceptions, "exceptions can be shown, and their grants made anew, no more"),
            (findings, "calls and reports are evidence for no finding any more"),
        ] {
            if lost > 0 {
                lines.push(format!("  {lost} {what}"));
            }
        }
        lines.extend(self.kept.iter().map(|(why, records)| format!("{records} records stay: {}", why.sentence())));
        lines.join("\n")
    }
}

impl Lost {
    /// Both together.
    pub fn add(&mut self, more: Self) {
        self.replays = self.replays.saturating_add(more.replays);
        self.previews = self.previews.saturating_add(more.previews);
        self.exceptions = self.exceptions.saturating_add(more.exceptions);
        self.findings = self.findings.saturating_add(more.findings);
    }
}
