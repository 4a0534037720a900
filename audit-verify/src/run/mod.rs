//! The whole check: each log by its bytes, and the ledger by what it says.

#[cfg(test)]
mod acts;
#[cfg(test)]
mod derived;
#[cfg(test)]
mod signed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::decisions::{Decisions, UseFault};
use crate::erasure::{Erasures, Returned};
use crate::fault::{Fault, FaultKind};
use crate::grants::{Counts, Ledger};
use crate::log::{Head, LogCheck, Trust};
use crate::source::{Entry, LogSize, Source, StoredPayload};

/// The log whose records say who allowed what.
pub const LEDGER: &str = "ledger";

/// What was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// One for each log.
    pub logs: Vec<LogReport>,
    /// How many grants were made anew from their votes.
    pub grants: u64,
    /// How many votes were read.
    pub votes: u64,
    /// How many signatures of votes were verified, each by the passkey that its person had then.
    pub signatures: u64,
    /// How many uses were held against their grants.
    pub uses: u64,
    /// How many decisions by an exception were held against the uses that they took.
    pub decisions: u64,
    /// How many grants were made by an earlier release, which does not name the groups that each approval counted for:
    /// of those the groups are taken from the votes, and let pass where they may have changed since.
    pub groups_not_recorded: u64,
    /// What cannot be checked any more, since it was erased.
    pub erased: ErasedReport,
}

/// What was erased: said by signed records, and counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ErasedReport {
    /// How many payloads.
    pub payloads: u64,
    /// How many grants cannot be made anew from their votes any more.
    pub grants: u64,
    /// How many votes of those.
    pub votes: u64,
    /// How many uses cannot be held against their grants any more.
    pub uses: u64,
    /// What the record says was erased, and is still here: a copy that was made before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
}

/// A log that is what was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Which.
    pub log: String,
    /// How many records.
    pub records: u64,
    /// The newest head, a C2SP signed note; absent while the log is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// In which log.
    pub log: &'a str,
    /// How many of its records were read.
    pub done: u64,
    /// How many it says it has.
    pub of: u64,
}

/// How often a source is looked at that went on while it was read.
const LOOKS: usize = 8;

/// Checks all logs of a source. `held` are older heads that somebody kept: each must be a beginning of its log.
///
/// A copy goes on while it is read: what is erased in it, or was decided, may stand in the ledger behind the head that was
/// read first, and the other way round. Where that is what seems wrong, and the source has grown, it is read again.
///
/// # Errors
/// The first bad record, and what is wrong with it.
pub fn verify(
    source: &dyn Source,
    trust: &Trust,
    held: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, Fault> {
    for _ in 1..LOOKS {
        let before = source.logs()?;
        let found = verify_once(source, trust, held, progress);
        let between = matches!(&found, Err(fault) if is_between_logs(&fault.kind));
        if !between || source.logs()? == before {
            return found;
        }
    }
    verify_once(source, trust, held, progress)
}

/// Whether two logs of different moments would look like this.
pub const fn is_between_logs(kind: &FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::ErasureUnrecorded(_)
            | FaultKind::ErasureUnfit(_)
            | FaultKind::Use(UseFault::Undecided(_) | UseFault::Missing(_))
    )
}

/// One look.
fn verify_once(
    source: &dyn Source,
    trust: &Trust,
    held: &[String],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, Fault> {
    let mut sizes = source.logs()?;
    sizes.sort_by_key(|size| size.log != LEDGER);
    let names: Vec<&str> = sizes.iter().map(|size| size.log.as_str()).collect();
    let (mut logs, mut trust) = (Vec::new(), trust.for_logs(&names));
    let held = held_by_log(&trust, held, &names)?;
    let (mut ledger, mut erasures, mut any_erased) = (Ledger::default(), Erasures::default(), false);
    let mut decisions = Decisions::new(source);
    for LogSize { log, records } in &sizes {
        let of_this = held.get(log.as_str()).map_or(&[][..], Vec::as_slice);
        let mut check = LogCheck::new(log, trust, of_this)?;
        source.read(log, &mut |entry| {
            let leaf = check.take(&entry)?;
            if let (Some(leaf), Entry::Record(record)) = (leaf, &entry) {
                let fault = |kind| Fault { log: log.clone(), seq: leaf.seq, kind };
                if log == LEDGER {
                    any_erased |= record.payloads.iter().any(StoredPayload::is_erased);
                    let said = ledger.take(&leaf, record).map_err(|kind| fault(kind.into()))?;
                    said.key.into_iter().for_each(|public| check.name_key(public));
                    erasures.take(leaf.seq, &said.erased).map_err(fault)?;
                } else {
                    erasures.hold(log, record).map_err(fault)?;
                    decisions.take(&leaf, record);
                }
                progress(Progress { log, done: check.size(), of: *records });
            }
            Ok(())
        })?;
        if log == LEDGER && (any_erased || !erasures.is_empty()) {
            hold_ledger(source, &mut erasures)?;
        }
        let records = check.size();
        let (head, believed) = check.end()?;
        trust = believed;
        logs.push(LogReport { log: log.clone(), records, head: head.map(|head| head.note) });
    }
    let (payloads, returned) = erasures.end()?;
    let decisions = decisions.end()?;
    let Counts { grants, votes, signatures, uses, groups_not_recorded } = ledger.counts();
    let lost = ledger.lost();
    let erased = ErasedReport { payloads, grants: lost.grants, votes: lost.votes, uses: lost.uses, returned };
    Ok(Report { logs, grants, votes, signatures, uses, decisions, groups_not_recorded, erased })
}

/// Holds the ledger's own payloads against what it says was erased, which stands behind them: its records once more.
fn hold_ledger(source: &dyn Source, erasures: &mut Erasures) -> Result<(), Fault> {
    source.read(LEDGER, &mut |entry| match entry {
        Entry::Record(record) => {
            let held = erasures.hold(LEDGER, &record);
            held.map_err(|kind| Fault { log: LEDGER.to_owned(), seq: record.seq, kind })
        }
        Entry::Head(_) => Ok(()),
    })
}

/// The heads that somebody held, by log.
fn held_by_log<'a>(trust: &Trust, notes: &[String], logs: &[&'a str]) -> Result<BTreeMap<&'a str, Vec<Head>>, Fault> {
    let mut held: BTreeMap<&str, Vec<Head>> = BTreeMap::new();
    for note in notes {
        let opened = logs.iter().map(|log| (*log, trust.open_held(log, note)));
        let mut other = None;
        let mut found = false;
        for (log, opened) in opened {
            match opened {
                Ok(checkpoint) => {
                    held.entry(log).or_default().push(Head { checkpoint, note: note.clone() });
                    found = true;
                }
                Err(kind) => other = Some(Fault { log: log.to_owned(), seq: 0, kind }),
            }
        }
        // A head of none of these logs is nothing to hold them against.
        if let (Some(fault), false) = (other, found) {
            return Err(fault);
        }
    }
    Ok(held)
}
