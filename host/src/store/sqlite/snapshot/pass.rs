//! Both logs read up to a cut, a page at a time, verified and folded beside what is believed.

use std::sync::Arc;

use audit_verify::erasure::Erasures;
use audit_verify::source::{Entry, Source as _, StoredRecord};
use audit_verify::{Fault, FaultKind};
use rusqlite::{Connection, params};

use super::Cut;
use super::sealed::{Opened, Unfit};
use crate::store::folding::Aside;
use crate::store::keys::Keys;
use crate::store::sqlite::Logs;
use crate::store::sqlite::load::{hold, no_strays, take, tampered};
use crate::store::sqlite::reading::Reading;
use crate::store::sqlite::schema::database;
use crate::store::sqlite::source::SqliteSource;
use crate::store::types::{Head, Log, StoreError};

/// Both logs as they are read.
pub(super) struct Pass<'a> {
    source: SqliteSource<'a>,
    connection: &'a Connection,
    /// What was there before.
    logs: Logs,
    ledger: Reading,
    decisions: Reading,
    erasures: Erasures,
    cuts: Vec<Cut>,
    aside: Box<dyn Aside>,
    /// After each page: lets others work. `false` where there is to be no next one.
    rest: &'a dyn Fn() -> bool,
}

/// What was read.
pub(super) struct Passed {
    pub logs: Logs,
    pub cuts: Vec<Cut>,
    pub form: Vec<u8>,
}

impl<'a> Pass<'a> {
    /// From the first record.
    pub(super) fn from_the_first(
        connection: &'a Connection,
        keys: &Keys,
        aside: Box<dyn Aside>,
        rest: &'a dyn Fn() -> bool,
    ) -> Result<Self, StoreError> {
        Self::begin(connection, keys, (Logs::default(), Vec::new()), aside, rest)
    }

    /// From where a snapshot was made.
    pub(super) fn from_a_snapshot(
        connection: &'a Connection,
        keys: &Keys,
        opened: &Opened<'_>,
        mut aside: Box<dyn Aside>,
        rest: &'a dyn Fn() -> bool,
    ) -> Result<Self, Unfit> {
        aside.resume(opened.form).map_err(Unfit::Form)?;
        let before = (opened.logs(keys)?, opened.cuts.clone());
        Ok(Self::begin(connection, keys, before, aside, rest)?)
    }

    fn begin(
        connection: &'a Connection,
        keys: &Keys,
        (logs, cuts): (Logs, Vec<Cut>),
        aside: Box<dyn Aside>,
        rest: &'a dyn Fn() -> bool,
    ) -> Result<Self, StoreError> {
        let ledger = Reading::behind(Log::Ledger, keys, &[], &logs.ledger)?;
        let decisions = Reading::behind(Log::Decisions, keys, &[], &logs.decisions)?;
        let (source, erasures) = (SqliteSource::new(connection, false), Erasures::clone(&logs.erasures));
        Ok(Self { source, connection, logs, ledger, decisions, erasures, cuts, aside, rest })
    }

    /// Reads on to a cut, the ledger first. `false`: it was told to stop.
    pub(super) fn read_to(&mut self, cut: Cut) -> Result<bool, StoreError> {
        let from = self.ledger.size();
        let mut any_erased = false;
        while let Some(page) = self.page(Log::Ledger, self.ledger.size(), cut.ledger)? {
            for stored in page {
                let seq = stored.seq;
                let entry = Entry::Record(stored);
                if let Some(record) = self.ledger.take(&entry)? {
                    any_erased |= !record.erased.is_empty();
                    take(&mut self.erasures, &record)?;
                    let folded = self.aside.history(&record);
                    folded.map_err(|error| tampered(Log::Ledger, seq, error.message))?;
                }
            }
            if !(self.rest)() {
                return Ok(false);
            }
        }
        // What was erased of the ledger is said behind it.
        let mut next = if any_erased || !self.erasures.is_empty() { from } else { cut.ledger };
        while let Some(page) = self.page(Log::Ledger, next, cut.ledger)? {
            next = next.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
            page.iter().try_for_each(|stored| hold(&mut self.erasures, Log::Ledger, stored))?;
            if !(self.rest)() {
                return Ok(false);
            }
        }
        while let Some(page) = self.page(Log::Decisions, self.decisions.size(), cut.decisions)? {
            for stored in page {
                let seq = stored.seq;
                hold(&mut self.erasures, Log::Decisions, &stored)?;
                if let Some(record) = self.decisions.take(&Entry::Record(stored))? {
                    let folded = self.aside.history(&record);
                    folded.map_err(|error| tampered(Log::Decisions, seq, error.message))?;
                }
            }
            if !(self.rest)() {
                return Ok(false);
            }
        }
        self.cuts.push(cut);
        Ok(true)
    }

    /// The next page before `end`. Absent: nothing is left before it.
    fn page(&self, log: Log, from: u64, end: u64) -> Result<Option<Vec<StoredRecord>>, StoreError> {
        if from >= end {
            return Ok(None);
        }
        let mut page = self.source.page(log.name(), from)?;
        page.truncate(usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX));
        if page.is_empty() {
            return Err(Fault { log: log.name().to_owned(), seq: from, kind: FaultKind::Missing }.into());
        }
        Ok(Some(page))
    }

    /// That there is nothing besides: no row of another log, none before the first record, no payload of nobody's. For who
    /// began at the first record.
    pub(super) fn no_others(&self) -> Result<(), StoreError> {
        no_strays(self.connection)?;
        for (log, size) in [(Log::Ledger, self.ledger.size()), (Log::Decisions, self.decisions.size())] {
            let size = i64::try_from(size).unwrap_or(i64::MAX);
            let rows: i64 = self
                .connection
                .query_row("SELECT count(*) FROM leaf WHERE log = ?1 AND seq < ?2", params![log.name(), size], |row| {
                    row.get(0)
                })
                .map_err(database)?;
            if rows != size {
                return Err(tampered(log, 0, "there are rows that belong to no record"));
            }
        }
        Ok(())
    }

    /// Ends at the last cut, which is under these heads.
    pub(super) fn end(mut self, heads: &[Head]) -> Result<Passed, StoreError> {
        for head in heads {
            let reading = match head.log {
                Log::Ledger => &mut self.ledger,
                Log::Decisions => &mut self.decisions,
            };
            reading.take(&Entry::Head(head.note.clone()))?;
        }
        if let (_, Some(returned)) = self.erasures.end()? {
            let kind = FaultKind::PayloadReturned(returned.name);
            return Err(Fault { log: returned.log, seq: returned.seq, kind }.into());
        }
        let mut logs = self.logs;
        logs.ledger.extend(self.ledger.end()?);
        logs.decisions.extend(self.decisions.end()?);
        logs.erasures = Arc::new(self.erasures);
        let form = self.aside.form().map_err(|error| StoreError::Database(error.message))?;
        Ok(Passed { logs, cuts: self.cuts, form })
    }
}
