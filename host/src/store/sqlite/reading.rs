//! One log as it is read: held against what was signed, and kept as memory holds it.

use audit_verify::log::{Head as HeldHead, LogCheck};
use audit_verify::source::Entry;
use audit_verify::{Fault, FaultKind};
use policy_core::sabotaged;

use super::load;
use super::log_state::{LogState, LogTip};
use super::source::SqliteSource;
use crate::store::keys::Keys;
use crate::store::types::{Head, Log, Record, StoreError};

/// A log as it is read.
pub(super) struct Reading {
    log: Log,
    check: LogCheck,
    tip: LogTip,
}

impl Reading {
    /// Begins at the first record. `held` are heads that were seen of this log.
    pub(super) fn begin(log: Log, keys: &Keys, held: &[HeldHead]) -> Result<Self, StoreError> {
        Self::behind(log, keys, held, &LogState::default())
    }

    /// Begins behind what was verified before.
    pub(super) fn behind(log: Log, keys: &Keys, held: &[HeldHead], state: &LogState) -> Result<Self, StoreError> {
        let mut tip = state.tip();
        tip.head = None;
        let check = LogCheck::behind(log.name(), keys.trust(), held, tip.range.clone())?;
        Ok(Self { log, check, tip })
    }

    /// How many records were read, with those before it.
    pub(super) const fn size(&self) -> u64 {
        self.tip.size()
    }

    /// Takes the next entry; hands back what a record says.
    pub(super) fn take(&mut self, entry: &Entry) -> Result<Option<Record>, StoreError> {
        if let Err(fault) = self.check.take(entry)
            && !forgiven(&fault)
        {
            return Err(fault.into());
        }
        let Entry::Record(stored) = entry else { return Ok(None) };
        let record = load::open(self.log, stored)?;
        self.tip.push(&stored.bytes, &record.leaf);
        Ok(Some(record))
    }

    /// Ends the log: all of it is under its newest head.
    pub(super) fn end(mut self) -> Result<LogTip, StoreError> {
        let log = self.log;
        self.tip.head = match self.check.end() {
            Ok((head, _)) => head.map(|head| Head { log, size: head.checkpoint.size, note: head.note }),
            Err(fault) if forgiven(&fault) => None,
            Err(fault) => return Err(fault.into()),
        };
        Ok(self.tip)
    }
}

/// Hands over a log's entries from a position on, with its newest head at its place.
pub(super) fn each_entry(
    source: &SqliteSource<'_>,
    log: Log,
    from: u64,
    each: &mut dyn FnMut(Entry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut refused = None;
    let read = source.read_from(log.name(), from, &mut |entry| {
        each(entry).map_err(|error| {
            refused = Some(error);
            Fault { log: log.name().to_owned(), seq: 0, kind: FaultKind::NoLeaf }
        })
    });
    read.map_err(|fault| refused.take().unwrap_or_else(|| fault.into()))
}

/// Where a planted fault lets a log pass that is not what was signed.
fn forgiven(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::OtherRoot(..) => sabotaged!("r9_unsigned_believed"),
        FaultKind::Uncovered => sabotaged!(any "r9_"),
        FaultKind::Cut(_) => sabotaged!("r9_shorter_log"),
        _ => false,
    }
}
