//! The database as a source of records to be checked.

use audit_verify::source::{Each, Entry, LogSize, PAGE, Source, StoredPayload, StoredRecord};
use audit_verify::{Fault, FaultKind};
use rusqlite::{Connection, params};

use crate::store::types::Log;

/// The rows of a database, in the order of the logs.
pub(in crate::store) struct SqliteSource<'a> {
    connection: &'a Connection,
    every_head: bool,
}

impl<'a> SqliteSource<'a> {
    /// The database behind this connection, with every head that was signed or with the newest of each log alone.
    pub(in crate::store) const fn new(connection: &'a Connection, every_head: bool) -> Self {
        Self { connection, every_head }
    }

    /// One record. Absent: there is none.
    pub(in crate::store) fn record(&self, log: Log, seq: u64) -> rusqlite::Result<Option<StoredRecord>> {
        let Ok(stored) = i64::try_from(seq) else { return Ok(None) };
        let mut statement = self.connection.prepare_cached("SELECT bytes FROM leaf WHERE log = ?1 AND seq = ?2")?;
        let mut rows = statement.query(params![log.name(), stored])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let (bytes, payloads) = (row.get(0)?, self.payloads(log.name(), stored)?);
        Ok(Some(StoredRecord { seq, bytes, payloads, listed: None }))
    }

    fn payloads(&self, log: &str, seq: i64) -> rusqlite::Result<Vec<StoredPayload>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, salt, bytes FROM payload WHERE log = ?1 AND seq = ?2 ORDER BY name")?;
        let payloads = statement.query_map(params![log, seq], |row| {
            let (name, salt, bytes): (String, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            // What was erased keeps its row, and neither salt nor bytes.
            let erased = salt.is_empty() && bytes.is_empty();
            Ok(if erased { StoredPayload::erased(name) } else { StoredPayload::new(name, salt, bytes) })
        })?;
        payloads.collect()
    }
}

impl SqliteSource<'_> {
    /// Hands over a log from a position on, as [`Source::read`] does from the first.
    pub(in crate::store) fn read_from(&self, log: &str, from: u64, each: Each<'_>) -> Result<(), Fault> {
        let broken = |error: rusqlite::Error| unreadable(log, from, &error);
        // Whatever stands before the first position is read with it: it belongs to no log.
        let first = if from == 0 { i64::MIN } else { i64::try_from(from).unwrap_or(i64::MAX) };
        // The newest alone, or all, each right behind the last record that it covers.
        let newest = "SELECT max(size) FROM head WHERE log = ?1";
        let heads = format!("SELECT size, note FROM head WHERE log = ?1 AND (?2 OR size = ({newest})) ORDER BY size");
        let mut statement = self.connection.prepare(&heads).map_err(broken)?;
        let mut heads = statement.query(params![log, self.every_head]).map_err(broken)?;
        let mut next_head = || -> Result<Option<(i64, String)>, Fault> {
            let row = heads.next().map_err(broken)?;
            let head = row.map(|row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
            let head = head.transpose().map_err(broken)?;
            // The row says what its head says.
            match head {
                Some((size, note)) if size_of(&note) != u64::try_from(size).ok() => {
                    let size = u64::try_from(size).unwrap_or(0);
                    Err(Fault { log: log.to_owned(), seq: size, kind: FaultKind::HeadMisplaced(size) })
                }
                head => Ok(head),
            }
        };
        let mut head = next_head()?;
        let rows = "SELECT seq, bytes FROM leaf WHERE log = ?1 AND seq >= ?2 ORDER BY seq";
        let mut statement = self.connection.prepare(rows).map_err(broken)?;
        let mut rows = statement.query(params![log, first]).map_err(broken)?;
        while let Some(row) = rows.next().map_err(broken)? {
            let seq: i64 = row.get(0).map_err(broken)?;
            while let Some((_, note)) = head.take_if(|(size, _)| *size <= seq) {
                each(Entry::Head(note))?;
                head = next_head()?;
            }
            let (bytes, payloads) = (row.get(1).map_err(broken)?, self.payloads(log, seq).map_err(broken)?);
            let seq =
                u64::try_from(seq).map_err(|_| Fault { log: log.to_owned(), seq: 0, kind: FaultKind::Misplaced })?;
            each(Entry::Record(StoredRecord { seq, bytes, payloads, listed: None }))?;
        }
        while let Some((_, note)) = head.take() {
            each(Entry::Head(note))?;
            head = next_head()?;
        }
        Ok(())
    }
}

impl Source for SqliteSource<'_> {
    fn logs(&self) -> Result<Vec<LogSize>, Fault> {
        let count = |log: Log| {
            let count = "SELECT count(*) FROM leaf WHERE log = ?1";
            let records: i64 = self.connection.query_row(count, params![log.name()], |row| row.get(0))?;
            Ok(LogSize { log: log.name().to_owned(), records: u64::try_from(records).unwrap_or(0) })
        };
        Log::ALL.into_iter().map(|log| count(log).map_err(|error| unreadable(log.name(), 0, &error))).collect()
    }

    fn read(&self, log: &str, each: Each<'_>) -> Result<(), Fault> {
        self.read_from(log, 0, each)
    }

    fn page(&self, log: &str, from: u64) -> Result<Vec<StoredRecord>, Fault> {
        let broken = |error: rusqlite::Error| unreadable(log, from, &error);
        let (Ok(first), Ok(most)) = (i64::try_from(from), i64::try_from(PAGE)) else { return Ok(Vec::new()) };
        let page = "SELECT seq, bytes FROM leaf WHERE log = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
        let mut statement = self.connection.prepare_cached(page).map_err(broken)?;
        let rows = statement.query_map(params![log, first, most], |row| {
            let seq: i64 = row.get(0)?;
            let (bytes, payloads) = (row.get(1)?, self.payloads(log, seq)?);
            Ok(StoredRecord { seq: u64::try_from(seq).unwrap_or(0), bytes, payloads, listed: None })
        });
        rows.map_err(broken)?.collect::<rusqlite::Result<_>>().map_err(broken)
    }
}

/// The size in a head's text: its second line.
fn size_of(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

fn unreadable(log: &str, seq: u64, error: &rusqlite::Error) -> Fault {
    Fault { log: log.to_owned(), seq, kind: FaultKind::Unreadable(error.to_string()) }
}
