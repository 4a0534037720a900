//! Records as JSON, each with what proves it: one document, whose records are checked one by one, in memory that does
//! not grow with their number.
//!
//! ```text
//! {"v":1,"heads":[{"log":…,"size":…,"note":…}],"records":[
//! {"log":…,"index":…,"leaf":…,"payloads":{NAME:{"salt":…,"text":…}},"proof":[…]},
//! …
//! ]}
//! ```
//!
//! Each record stands on a line of its own, and its proof leads to the head of its log in the first line.

use std::collections::BTreeMap;
use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::hash::TreeHash;
use crate::log::Trust;
use crate::receipt::{Opened, OpenedPayload, Receipt, ReceiptError};
use crate::source::StoredRecord;

const VERSION: u32 = 1;
const BETWEEN: &str = r#","records":["#;
const END: &str = "]}";

/// A signed head that proofs lead to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvedHead {
    /// Of which log.
    pub log: String,
    /// Over how many records.
    pub size: u64,
    /// The C2SP signed note.
    pub note: String,
}

/// A record with what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvedRecord {
    /// In which log.
    pub log: String,
    /// The record, and what it says.
    #[serde(flatten)]
    pub opened: Opened,
    /// Its position.
    pub index: u64,
    /// The hashes from the leaf's sibling up, each in base64.
    pub proof: Vec<String>,
}

/// The first line, without what ends it.
#[derive(Debug, Deserialize)]
struct Beginning {
    v: u32,
    heads: Vec<ProvedHead>,
}

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvedReport {
    /// How many records.
    pub records: u64,
    /// The heads that they are under.
    pub heads: Vec<ProvedHead>,
}

/// Why a document proves nothing.
#[derive(Debug, Error)]
pub enum ProvedError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line of it is not what it should be.
    #[error("line {0} is no record of such a document")]
    Shape(u64),
    /// It has no head of a record's log.
    #[error("line {0} is of a log that it has no head of")]
    NoHead(u64),
    /// A record is not proved.
    #[error("line {0}: {1}")]
    Record(u64, ReceiptError),
}

impl ProvedRecord {
    /// Absent: it is no text.
    pub fn new(log: &str, record: &StoredRecord, proof: &[TreeHash]) -> Option<Self> {
        // What was erased is not there to be told.
        let there = record.payloads.iter().filter_map(|payload| Some((&payload.name, payload.content.as_ref()?)));
        let payloads = there.map(|(name, content)| {
            let text = String::from_utf8(content.bytes.clone()).ok()?;
            Some((name.clone(), OpenedPayload { salt: STANDARD.encode(&content.salt), text }))
        });
        let payloads = payloads.collect::<Option<BTreeMap<_, _>>>()?;
        let leaf = String::from_utf8(record.bytes.clone()).ok()?;
        let proof = proof.iter().map(TreeHash::to_base64).collect();
        Some(Self { log: log.to_owned(), opened: Opened { leaf, payloads }, index: record.seq, proof })
    }

    /// Its line, with what stands between it and the one before.
    pub fn line(&self, first: bool) -> Vec<u8> {
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{}\n{text}", if first { "" } else { "," }).into_bytes()
    }
}

/// What stands before the records.
pub fn begin(heads: &[ProvedHead]) -> Vec<u8> {
    let heads = serde_json::to_string(heads).unwrap_or_default();
    format!("{{\"v\":{VERSION},\"heads\":{heads}{BETWEEN}").into_bytes()
}

/// What stands behind them.
pub fn end() -> Vec<u8> {
    format!("\n{END}\n").into_bytes()
}

/// Checks every record of a document.
///
/// # Errors
/// The first line that proves nothing, and why.
pub fn verify(document: impl BufRead, trust: &Trust) -> Result<ProvedReport, ProvedError> {
    let mut lines = (1u64..).zip(document.lines());
    let shape = ProvedError::Shape;
    let (_, first) = lines.next().ok_or(shape(1))?;
    let beginning = first?.strip_suffix(BETWEEN).map(|text| format!("{text}}}")).ok_or(shape(1))?;
    let beginning: Beginning = serde_json::from_str(&beginning).map_err(|_| shape(1))?;
    if beginning.v != VERSION {
        return Err(shape(1));
    }
    let heads = beginning.heads;
    // A gate signs all of its logs with one key, under a name for each.
    let trust = &trust.for_logs(&heads.iter().map(|head| head.log.as_str()).collect::<Vec<_>>());
    let (mut records, mut ended) = (0u64, false);
    for (number, line) in lines {
        let line = line?;
        if ended {
            return Err(shape(number));
        }
        if line == END {
            ended = true;
            continue;
        }
        let text = line.strip_suffix(',').unwrap_or(&line);
        let record: ProvedRecord = serde_json::from_str(text).map_err(|_| shape(number))?;
        let head = heads.iter().find(|head| head.log == record.log).ok_or(ProvedError::NoHead(number))?;
        let proof = record.proof.iter().map(|hash| TreeHash::from_base64(hash)).collect::<Option<Vec<_>>>();
        let proof = proof.ok_or(shape(number))?;
        let receipt = Receipt { opened: record.opened, index: record.index, proof, note: head.note.clone() };
        let proved = receipt.verify(trust).map_err(|error| ProvedError::Record(number, error))?;
        if proved.leaf.log != head.log || proved.checkpoint.size != head.size {
            return Err(shape(number));
        }
        records = records.saturating_add(1);
    }
    if ended { Ok(ProvedReport { records, heads }) } else { Err(shape(records.saturating_add(2))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Entry;
    use crate::testing::{Record, story};
    use crate::tree::{Tree, leaf_hash};

    fn document() -> (String, Trust) {
        let mut record = Record::new(1);
        story().iter().for_each(|(kind, event)| drop(record.event(kind, event)));
        let note = record.head();
        let mut tree = Tree::default();
        let mut stored = Vec::new();
        for entry in record.entries.borrow().iter() {
            if let Entry::Record(one) = entry {
                tree.append(leaf_hash(&one.bytes));
                stored.push(one.clone());
            }
        }
        let heads = [ProvedHead { log: "ledger".to_owned(), size: tree.size(), note }];
        let mut bytes = begin(&heads);
        for one in &stored {
            let proof = tree.inclusion(one.seq, tree.size()).unwrap();
            bytes.extend(ProvedRecord::new("ledger", one, &proof).unwrap().line(one.seq == 0));
        }
        bytes.extend(end());
        (String::from_utf8(bytes).unwrap(), record.trust())
    }

    #[test]
    fn every_record_of_a_document_is_proved_and_the_document_is_json() {
        let (text, trust) = document();
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(whole["records"].as_array().map(Vec::len), Some(9));
        let report = verify(text.as_bytes(), &trust).unwrap();
        assert_eq!((report.records, report.heads[0].size), (9, 9));
    }

    #[test]
    fn whatever_is_altered_cut_or_put_in_is_noticed() {
        let (text, trust) = document();
        let lines: Vec<&str> = text.lines().collect();
        let without = |gone: usize| {
            let kept = lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| *line);
            kept.collect::<Vec<_>>().join("\n")
        };
        // A record that is left out is not missed: an export may tell of a part.
        assert_eq!(verify(without(3).as_bytes(), &trust).unwrap().records, 8);
        for (what, other) in [
            ("a payload", text.replacen("mara", "vera", 1)),
            ("a leaf", text.replacen("exception_granted", "exception_denied", 1)),
            ("a place", text.replacen("\"index\":4", "\"index\":5", 1)),
            ("a head", text.replacen("\\n9\\n", "\\n8\\n", 1)),
            ("a size", text.replacen("\"size\":9", "\"size\":8", 1)),
            ("a log", text.replacen("{\"log\":\"ledger\",\"leaf\"", "{\"log\":\"other\",\"leaf\"", 1)),
            ("a version", text.replacen("\"v\":1", "\"v\":2", 1)),
            ("the end", without(lines.len() - 1)),
            ("more behind the end", format!("{text}x\n")),
            ("nothing", String::new()),
        ] {
            assert_ne!(other, text, "{what}");
            assert!(verify(other.as_bytes(), &trust).is_err(), "{what}");
        }
        assert!(verify(text.as_bytes(), &Record::new(2).trust()).is_err(), "another key");
    }
}
