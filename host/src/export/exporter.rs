//! One export, from its first byte to its last.

use std::str::FromStr;

use audit_verify::TreeHash;
use audit_verify::proved::{ProvedHead, ProvedRecord};
use audit_verify::source::StoredRecord;
use thiserror::Error;

use super::filter::{Filter, Wanted};
use super::told::Told;
use super::{ocsf, table};

/// What an export is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OCSF 1.8.0, one event a line.
    Ocsf,
    /// CSV.
    Csv,
    /// JSON, each record with what proves it.
    Json,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "ocsf" => Ok(Self::Ocsf),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err("one of `ocsf`, `csv` and `json`"),
        }
    }
}

impl Format {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ocsf => "application/jsonl",
            Self::Csv => "text/csv",
            Self::Json => "application/json",
        }
    }

    /// How a file of it is named.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Ocsf => "jsonl",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// A record that cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("record {seq} cannot be told: {why}")]
pub struct Unreadable {
    /// Its position.
    pub seq: u64,
    /// Why.
    pub why: String,
}

/// Makes bytes of records.
#[derive(Debug)]
pub struct Exporter {
    format: Format,
    filter: Filter,
    /// How many records were told.
    told: u64,
}

impl Exporter {
    /// Nothing is told yet.
    pub fn new(format: Format, wanted: Wanted) -> Self {
        Self { format, filter: Filter::new(wanted), told: 0 }
    }

    /// Whether [`Self::look`] has to see the whole ledger before anything is told.
    pub const fn looks_first(&self) -> bool {
        self.filter.looks_first()
    }

    /// Looks at a record of the ledger.
    pub fn look(&mut self, record: &StoredRecord) {
        Told::open(record).iter().for_each(|told| self.filter.look(told));
    }

    /// What stands before the first record. `heads` are those that the proofs lead to.
    pub fn begin(&self, heads: &[ProvedHead]) -> Vec<u8> {
        match self.format {
            Format::Ocsf => Vec::new(),
            Format::Csv => table::header(),
            Format::Json => audit_verify::proved::begin(heads),
        }
    }

    /// A record; nothing where it is not wanted.
    ///
    /// # Errors
    /// When it cannot be told, or not be proved.
    pub fn take(
        &mut self,
        record: &StoredRecord,
        proof: impl FnOnce() -> Option<Vec<TreeHash>>,
    ) -> Result<Vec<u8>, Unreadable> {
        self.take_for(record, proof, |_| true)
    }

    /// A record for somebody who may not see every call: where `sees` says no, it goes without what the call is made
    /// with, and as JSON without all of its payloads. Its leaf still proves it.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_for(
        &mut self,
        record: &StoredRecord,
        proof: impl FnOnce() -> Option<Vec<TreeHash>>,
        sees: impl FnOnce(&StoredRecord) -> bool,
    ) -> Result<Vec<u8>, Unreadable> {
        let unreadable = |why: &str| Unreadable { seq: record.seq, why: why.to_owned() };
        let mut told = Told::open(record).ok_or_else(|| unreadable("its leaf cannot be read"))?;
        if !self.filter.holds(&told) {
            return Ok(Vec::new());
        }
        let sees = sees(record);
        if !sees {
            told.withhold();
        }
        let first = self.told == 0;
        self.told = self.told.saturating_add(1);
        Ok(match self.format {
            Format::Ocsf => format!("{}\n", ocsf::event(&told)).into_bytes(),
            Format::Csv => table::row(&told),
            Format::Json => {
                let proof = proof().ok_or_else(|| unreadable("no head covers it"))?;
                let mut proved = ProvedRecord::new(&told.leaf.log, record, &proof);
                if !sees {
                    proved.iter_mut().for_each(|proved| proved.opened.payloads.clear());
                }
                proved.ok_or_else(|| unreadable("it is no text"))?.line(first)
            }
        })
    }

    /// What stands behind the last record.
    pub fn end(&self) -> Vec<u8> {
        match self.format {
            Format::Ocsf | Format::Csv => Vec::new(),
            Format::Json => audit_verify::proved::end(),
        }
    }

    /// How many records were told.
    pub const fn told(&self) -> u64 {
        self.told
    }
}
