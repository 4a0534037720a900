//! A batch: several jobs as they will stand once they are committed together.

use std::collections::BTreeMap;

use audit_verify::erasure::Erased;
use policy_core::leaf::{self, LEAF_VERSION, Leaf};

use super::Logs;
use super::log_state::LogTip;
use crate::random::{self, Random};
use crate::store::types::{AppendError, Log, NewRecord, Positions, Record, StoreError, VersionKey};

/// A batch as it will be once committed.
pub(super) struct Batch {
    pub(super) ledger: LogTip,
    pub(super) decisions: LogTip,
    pub(super) versions: BTreeMap<VersionKey, u64>,
    pub(super) counter: u64,
    pub(super) records: Vec<Record>,
    /// What is erased, by the ledger record that says so.
    pub(super) erased: Vec<(u64, Vec<Erased>)>,
    pub(super) answers: Vec<Result<Positions, AppendError>>,
}

impl Batch {
    /// What a batch builds on.
    pub(super) fn new(logs: &Logs, counter: u64) -> Self {
        Self {
            ledger: logs.ledger.tip(),
            decisions: logs.decisions.tip(),
            versions: BTreeMap::new(),
            counter,
            records: Vec::new(),
            erased: Vec::new(),
            answers: Vec::new(),
        }
    }

    pub(super) const fn log(&mut self, log: Log) -> &mut LogTip {
        match log {
            Log::Ledger => &mut self.ledger,
            Log::Decisions => &mut self.decisions,
        }
    }

    /// The rows of one job. Absent when one of its leaves is too large: that job alone cannot be written.
    pub(super) fn rows(&self, records: &[NewRecord], random: &dyn Random) -> Result<Option<Vec<Row>>, StoreError> {
        let (mut ledger, mut decisions) = (self.ledger.size(), self.decisions.size());
        let mut rows = Vec::new();
        for new in records {
            let (seq, after) = match new.log {
                Log::Ledger => (&mut ledger, None),
                Log::Decisions => (&mut decisions, Some(self.ledger.size())),
            };
            let mut salts = Vec::new();
            let mut commitments = BTreeMap::new();
            for (name, payload) in &new.payloads {
                let salt = random::key(random)
                    .map_err(|error| StoreError::Database(format!("no randomness for a salt: {error}")))?;
                commitments.insert((*name).to_owned(), leaf::commitment(&salt, payload));
                salts.push(salt);
            }
            let leaf = Leaf {
                v: LEAF_VERSION,
                log: new.log.name().to_owned(),
                seq: *seq,
                at: new.at,
                kind: new.kind.clone(),
                stream: new.stream.clone(),
                after,
                outcome: new.outcome.clone(),
                policies: new.policies.clone(),
                module: new.module,
                bundle: new.bundle,
                commitments,
            };
            let Ok(bytes) = leaf.to_bytes() else { return Ok(None) };
            *seq += 1;
            rows.push(Row { leaf, bytes, salts });
        }
        Ok(Some(rows))
    }
}

/// One record's rows.
pub(super) struct Row {
    pub(super) leaf: Leaf,
    pub(super) bytes: Vec<u8>,
    pub(super) salts: Vec<[u8; 32]>,
}
