//! Telling the record to others while the gate runs: piece by piece, so that no more than one piece is in memory.

use audit_verify::proved::ProvedHead;

use super::App;
use super::console::Reading;
use super::refusal::{Refusal, RefusalKind};
use crate::export::{Exporter, Format, Wanted};
use crate::store::Log;

/// How many records one piece looks at.
const RECORDS: u32 = 256;
/// How many bytes one piece has, before it is handed over.
const BYTES: usize = 256 * 1024;

/// An export that is under way.
pub struct Exporting {
    app: App,
    reading: Reading,
    exporter: Exporter,
    /// Up to where it goes: the heads of when it began.
    heads: Vec<(Log, u64)>,
    notes: Vec<ProvedHead>,
    stage: Stage,
    /// Where the next record is, in each log.
    next: Vec<(Log, u64)>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Looks through the ledger for what is wanted, from this record on.
    Look(u64),
    Begin,
    Records,
    Ended,
}

impl App {
    /// Begins an export of what is recorded until now, as somebody may read it.
    pub(super) fn export(&self, format: Format, wanted: Wanted, reading: Reading) -> Exporting {
        let exporter = Exporter::new(format, wanted);
        let heads = self.store().heads();
        let stage = if exporter.looks_first() { Stage::Look(0) } else { Stage::Begin };
        Exporting {
            app: self.clone(),
            reading,
            exporter,
            notes: heads
                .iter()
                .map(|head| ProvedHead { log: head.log.name().to_owned(), size: head.size, note: head.note.clone() })
                .collect(),
            // A log that is empty yet has no head.
            next: Log::ALL.into_iter().map(|log| (log, 0)).collect(),
            heads: heads.into_iter().map(|head| (head.log, head.size)).collect(),
            stage,
        }
    }
}

impl Exporting {
    /// The next bytes, which may be none; absent at the end. Reads the disk: not for an async executor.
    ///
    /// # Errors
    /// `record_unreadable` where a record is not what was written.
    pub fn piece(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        match self.stage {
            Stage::Look(from) => {
                self.look(from)?;
                Ok(Some(Vec::new()))
            }
            Stage::Begin => {
                self.stage = Stage::Records;
                Ok(Some(self.exporter.begin(&self.notes)))
            }
            Stage::Records => {
                let (bytes, more) = self.records()?;
                if more {
                    self.reading.hold()?;
                    return Ok(Some(bytes));
                }
                self.stage = Stage::Ended;
                Ok(Some([bytes, self.exporter.end()].concat()))
            }
            Stage::Ended => Ok(None),
        }
    }

    /// Goes on with what was recorded since it ended. Whether there is anything.
    ///
    /// # Errors
    /// `not_permitted_here`, where that has changed meanwhile.
    pub fn go_on(&mut self) -> Result<bool, Refusal> {
        let before = self.size(Log::Ledger);
        self.heads = self.app.store().heads().into_iter().map(|head| (head.log, head.size)).collect();
        if self.exporter.looks_first() {
            for seq in before..self.size(Log::Ledger) {
                self.look_at(seq)?;
            }
        }
        let more = self.next.iter().any(|(log, next)| *next < self.size(*log));
        if more {
            self.reading.hold()?;
            self.stage = Stage::Records;
        }
        Ok(more)
    }

    fn size(&self, log: Log) -> u64 {
        self.heads.iter().find(|(of, _)| *of == log).map_or(0, |(_, size)| *size)
    }

    fn look(&mut self, from: u64) -> Result<(), Refusal> {
        let end = self.size(Log::Ledger);
        let until = from.saturating_add(RECORDS.into()).min(end);
        for seq in from..until {
            self.look_at(seq)?;
        }
        self.stage = if until < end { Stage::Look(until) } else { Stage::Begin };
        Ok(())
    }

    fn look_at(&mut self, seq: u64) -> Result<(), Refusal> {
        let record = self.app.store().stored(Log::Ledger, seq).map_err(|error| unreadable(&error))?;
        record.iter().for_each(|record| self.exporter.look(record));
        Ok(())
    }

    /// Some records, and whether there are more.
    fn records(&mut self) -> Result<(Vec<u8>, bool), Refusal> {
        let mut bytes = Vec::new();
        for _ in 0..RECORDS {
            let heads = &self.heads;
            let size = |log: Log| heads.iter().find(|(of, _)| *of == log).map_or(0, |(_, size)| *size);
            let Some((log, next)) = self.next.iter_mut().find(|(log, next)| *next < size(*log)) else {
                return Ok((bytes, false));
            };
            let (log, seq, size) = (*log, *next, size(*log));
            *next = next.saturating_add(1);
            let store = self.app.store();
            let record = store.stored(log, seq).map_err(|error| unreadable(&error))?;
            let Some(record) = record else { continue };
            let (reading, proof) = (&mut self.reading, || store.inclusion_under(log, seq, size));
            let told = self.exporter.take_for(&record, proof, |record| reading.sees(record));
            bytes.extend(told.map_err(|error| unreadable(&error))?);
            if bytes.len() >= BYTES {
                break;
            }
        }
        Ok((bytes, true))
    }
}

fn unreadable(error: &dyn std::error::Error) -> Refusal {
    tracing::error!(%error, "a record cannot be exported");
    Refusal::new(RefusalKind::Unavailable, "record_unreadable", "a record cannot be read")
        .help("the operator runs `proviso audit verify`")
}
