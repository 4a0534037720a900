//! A record's store without a gate: what no rule of a gate would write, a test can.

use std::path::Path;
use std::sync::Arc;

use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use proviso::random::SystemRandom;
use proviso::store::sqlite::SqliteStore;
use proviso::store::{DataFolder, DataKind, Fold, FoldError, Keys, Log, NewRecord, Record, VersionKey};

/// Nobody believes anything of this record.
struct Nobody;

impl Fold for Nobody {
    fn reset(&self, _: u64) {}

    fn history(&self, _: &Record) -> Result<(), FoldError> {
        Ok(())
    }

    fn folded(&self) {}

    fn admitted(&self, _: &[Record], _: &[(VersionKey, u64)]) -> Result<(), FoldError> {
        Ok(())
    }

    fn writable(&self, _: bool) {}
}

/// The store of a folder that no gate holds.
pub(super) fn store(data: &Path) -> SqliteStore {
    let random = Arc::new(SystemRandom);
    let folder = DataFolder::open(data, DataKind::Gate).unwrap();
    let keys = Arc::new(Keys::open(&folder, &*random).unwrap());
    SqliteStore::open(folder, keys, random, Arc::new(Nobody)).unwrap()
}

/// A record with these payloads.
pub(super) fn record(
    log: Log,
    kind: &str,
    at: Timestamp,
    (module, bundle): (Option<Digest>, Option<Digest>),
    payloads: Vec<(&'static str, Vec<u8>)>,
) -> NewRecord {
    NewRecord {
        log,
        at,
        kind: kind.to_owned(),
        stream: "gate".to_owned(),
        outcome: None,
        policies: Vec::new(),
        module,
        bundle,
        payloads,
        touches: Vec::new(),
        urgent: false,
        outbox: Vec::new(),
    }
}
