//! A start from a snapshot: it is authenticated, and what came behind it is read, verified and folded.

use audit_verify::erasure::Erasures;
use audit_verify::source::Entry;
use audit_verify::{Fault, FaultKind};
use policy_core::digest::Digest;
use rusqlite::Connection;

use super::Cut;
use super::sealed::{self, Unfit};
use crate::store::folding::Snapshots;
use crate::store::keys::Keys;
use crate::store::sqlite::Logs;
use crate::store::sqlite::load::{Seen, hold, said, tampered};
use crate::store::sqlite::reading::{Reading, each_entry};
use crate::store::sqlite::source::SqliteSource;
use crate::store::types::{Fold, Head, Log, StoreError};

/// What was believed, to be verified once the gate is ready.
#[derive(Debug)]
pub(in crate::store::sqlite) struct Believed {
    /// The snapshot's code: whoever folds the record anew comes to the same.
    pub code: Digest,
    pub cuts: Vec<Cut>,
    pub heads: Vec<Head>,
}

/// A start that was made from a snapshot.
pub(in crate::store::sqlite) struct Resumed {
    pub logs: Logs,
    pub believed: Believed,
}

/// Goes on from these bytes. What is folded is left aside, to be taken over by whoever calls this.
///
/// INVARIANT (R9): nothing behind the snapshot is believed that is not under the newest signed head, and its tree leads
/// there from the snapshot's; a log shorter than a head that was seen, or another one, is not gone on from.
pub(in crate::store::sqlite) fn resume(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    bytes: &[u8],
    (fold, snapshots, floor): (&dyn Fold, &dyn Snapshots, u64),
) -> Result<Resumed, Unfit> {
    let opened = sealed::open(keys, bytes)?;
    // The two long parts, side by side.
    let (logs, folded) = std::thread::scope(|scope| {
        let logs = scope.spawn(|| opened.logs(keys));
        let folded = snapshots.resume(floor, opened.form).map_err(Unfit::Form);
        (logs.join().unwrap_or(Err(Unfit::Shape)), folded)
    });
    let mut logs = logs?;
    folded?;
    let heads = Log::ALL.into_iter().filter_map(|log| logs.of(log).head.clone()).collect();
    let believed = Believed { code: opened.code, cuts: opened.cuts, heads };
    let mut erasures = Erasures::clone(&logs.erasures);
    for log in Log::ALL {
        tail(connection, seen, keys, log, &mut logs, &mut erasures, fold)?;
    }
    Ok(Resumed { logs, believed })
}

/// Reads one log on from where it stood.
fn tail(
    connection: &Connection,
    seen: &Seen,
    keys: &Keys,
    log: Log,
    logs: &mut Logs,
    erasures: &mut Erasures,
    fold: &dyn Fold,
) -> Result<(), Unfit> {
    let state = logs.of_mut(log);
    let held = seen.heads(log, keys)?;
    for head in &held {
        let (size, root) = (head.checkpoint.size, head.checkpoint.root);
        // One over more records is held against those behind.
        if state.tree.root(size).is_some_and(|own| own != root) {
            let fault = Fault { log: log.name().to_owned(), seq: size, kind: FaultKind::Forked(size) };
            return Err(Unfit::Record(fault.into()));
        }
    }
    let mut reading = Reading::behind(log, keys, &held, state)?;
    let mut erased = false;
    let read = each_entry(&SqliteSource::new(connection, false), log, reading.size(), &mut |entry| {
        let taken = reading.take(&entry)?;
        let (Some(record), Entry::Record(stored)) = (taken, &entry) else { return Ok(()) };
        erased |= said(&record).iter().any(|said| said.payloads > 0);
        if erased {
            return Err(StoreError::Database(String::new()));
        }
        // What is gone from here was said to be by nobody.
        hold(erasures, log, stored)?;
        fold.history(&record).map_err(|error| tampered(log, stored.seq, error.message))
    });
    match read {
        // INVARIANT (R9): what it holds of that is not to be believed, nor kept.
        Err(_) if erased => return Err(Unfit::Erased),
        read => read?,
    }
    state.extend(reading.end()?);
    Ok(())
}
