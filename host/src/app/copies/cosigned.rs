//! The newest head of each log that witnesses vouch for.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use audit_verify::TreeHash;

use crate::app::App;
use crate::app::epoch::HeadFact;
use crate::app::refusal::Refusal;
use crate::store::{Head, Log};

/// A head with the lines of those who vouch for it, by the witness's name.
#[derive(Debug, Clone)]
pub(super) struct Cosigned {
    size: u64,
    note: String,
    lines: BTreeMap<String, String>,
}

impl Cosigned {
    fn text(&self) -> String {
        let lines: String = self.lines.values().map(|line| format!("{line}\n")).collect();
        format!("{}{lines}", self.note)
    }
}

impl App {
    /// The newest head of a log, and what shows that it goes on from its first `old` records. Absent: it has fewer.
    pub fn grown_from(&self, log: Log, old: u64) -> Option<(Head, Vec<TreeHash>)> {
        self.store().consistency(log, old)
    }

    /// A witness vouches for a head by this line. The head with all lines that it has by now.
    pub fn cosigned(&self, head: &Head, witness: &str, line: &str) -> String {
        let fresh = || Cosigned { size: head.size, note: head.note.clone(), lines: BTreeMap::new() };
        let mut held = self.board().cosigned.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = held.entry(head.log).or_insert_with(fresh);
        if newest.size < head.size {
            *newest = fresh();
        }
        if newest.size == head.size {
            newest.lines.insert(witness.to_owned(), line.to_owned());
        }
        newest.text()
    }

    /// The newest head of a log that a witness vouches for, with the witnesses' lines.
    ///
    /// # Errors
    /// `not_witnessed` where there is none.
    pub(in crate::app) fn witnessed(&self, log: Log) -> Result<String, Refusal> {
        let held = self.board().cosigned.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&log).map(Cosigned::text).ok_or_else(|| {
            Refusal::not_found("not_witnessed", "no witness has vouched for a head of this log since the gate started")
        })
    }

    /// Somebody holds a head over so many records that this record does not lead to, and shows no more of it. Where no
    /// epoch has told of it, one begins (R9).
    ///
    /// # Errors
    /// As [`App::look_at_head`].
    pub async fn size_seen(&self, log: Log, size: u64, place: &str) -> Result<(), Refusal> {
        let place = Some(policy_core::text::visible(place, 200));
        let fact = HeadFact { log: log.name().to_owned(), size, root: String::new(), place };
        self.begin_epoch_where_due(None, &[], vec![fact]).await.map(drop)
    }
}
