//! What was taken out of a record on purpose: payloads that a later record of the ledger says were erased.
//!
//! A leaf holds no text, so that a payload can go and the log still verifies. What must not be is a payload that is gone
//! and no signed record that says so, nor a record that says so of a payload that is there. Memory follows the ranges that
//! were erased, and not the log.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, FaultKind};
use crate::run::LEDGER;
use crate::source::StoredRecord;

/// The kind of record that says what was erased.
pub const PAYLOADS_ERASED: &str = "payloads_erased";

/// What a record says was erased of one log under one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Which log.
    pub log: String,
    /// The payloads' name.
    pub name: String,
    /// First and last record of each range, both included: every payload of this name from the one to the other.
    pub ranges: Vec<(u64, u64)>,
    /// How many payloads these are.
    pub payloads: u64,
}

/// The first payload that the record says was erased and that is there, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// How many.
    pub payloads: u64,
    /// The first one's log.
    pub log: String,
    /// Its record.
    pub seq: u64,
    /// Its name.
    pub name: String,
}

/// All that the ledger says was erased, and how much of it was found to be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Erasures {
    said: Vec<Said>,
    /// By log and name.
    places: BTreeMap<String, BTreeMap<String, Ranges>>,
    returned: Option<Returned>,
    met: u64,
}

/// Ranges by their first record, each with its last and which entry says so.
type Ranges = BTreeMap<u64, (u64, usize)>;

/// One entry of one record.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said {
    seq: u64,
    payloads: u64,
    met: u64,
}

impl Erasures {
    /// Whether nothing was erased.
    pub const fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// Takes what the ledger record `seq` says.
    ///
    /// # Errors
    /// When it speaks of records that come after it, or of what was erased before.
    pub fn take(&mut self, seq: u64, erased: &[Erased]) -> Result<(), FaultKind> {
        for Erased { log, name, ranges, payloads } in erased {
            let at = self.said.len();
            self.said.push(Said { seq, payloads: *payloads, met: 0 });
            let of_name = self.places.entry(log.clone()).or_default().entry(name.clone()).or_default();
            for (first, last) in ranges {
                let before = of_name.range(..=*last).next_back();
                if before.is_some_and(|(_, (end, _))| end >= first) {
                    return Err(FaultKind::ErasureUnfit(format!("of `{name}` from {first} to {last}, twice")));
                }
                if first > last || (log == LEDGER && *last >= seq) {
                    return Err(FaultKind::ErasureUnfit(format!("of `{name}` from {first} to {last}")));
                }
                of_name.insert(*first, (*last, at));
            }
        }
        Ok(())
    }

    /// Whether the ledger says that this payload was erased.
    pub fn has(&self, log: &str, name: &str, seq: u64) -> bool {
        self.find(log, name, seq).is_some()
    }

    /// Which record of the ledger says that this payload was erased. Absent: none does.
    pub fn said_by(&self, log: &str, name: &str, seq: u64) -> Option<u64> {
        self.said.get(self.find(log, name, seq)?).map(|said| said.seq)
    }

    fn find(&self, log: &str, name: &str, seq: u64) -> Option<usize> {
        let (_, (last, at)) = self.places.get(log)?.get(name)?.range(..=seq).next_back()?;
        (seq <= *last).then_some(*at)
    }

    /// Holds a record's payloads against all that the whole ledger says.
    ///
    /// # Errors
    /// When one was erased and no record says so. One that is there all the same is told at the end.
    pub fn hold(&mut self, log: &str, record: &StoredRecord) -> Result<(), FaultKind> {
        for payload in &record.payloads {
            let name = &payload.name;
            match (self.find(log, name, record.seq), payload.is_erased()) {
                (None, false) => {}
                (None, true) => return Err(FaultKind::ErasureUnrecorded(name.clone())),
                (Some(at), erased) => {
                    if let Some(said) = self.said.get_mut(at) {
                        said.met = said.met.saturating_add(1);
                    }
                    if erased {
                        self.met = self.met.saturating_add(1);
                    } else {
                        let first =
                            || Returned { payloads: 0, log: log.to_owned(), seq: record.seq, name: name.clone() };
                        let returned = self.returned.get_or_insert_with(first);
                        returned.payloads = returned.payloads.saturating_add(1);
                    }
                }
            }
        }
        Ok(())
    }

    /// After every record of every log: how many payloads are erased, and what is there again that should be.
    ///
    /// # Errors
    /// When a record says of more or fewer payloads than there are that they were erased.
    pub fn end(&self) -> Result<(u64, Option<Returned>), Fault> {
        match self.said.iter().find(|said| said.met != said.payloads) {
            Some(Said { seq, payloads, met }) => {
                let what = format!("it says {payloads} payloads, and there are {met}");
                Err(Fault { log: LEDGER.to_owned(), seq: *seq, kind: FaultKind::ErasureUnfit(what) })
            }
            None => Ok((self.met, self.returned.clone())),
        }
    }
}

/// What an event says was erased. Absent: it cannot be read, or is another.
pub fn read(event: &[u8]) -> Option<Vec<Erased>> {
    #[derive(Deserialize)]
    struct Event {
        gate: Gate,
    }
    #[derive(Deserialize)]
    struct Gate {
        kind: String,
        #[serde(default)]
        erased: Vec<Erased>,
    }
    let Event { gate } = serde_json::from_slice(event).ok()?;
    (gate.kind == PAYLOADS_ERASED).then_some(gate.erased)
}
