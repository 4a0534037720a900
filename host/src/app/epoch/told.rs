//! What people are told of an epoch.

use policy_core::lifecycle::effective_state;
use proviso_api::operations::{EpochLine, Gap};

use crate::app::App;
use crate::store::Log;

impl App {
    /// The number of the epoch that the gate is in, from 1.
    pub fn epoch(&self) -> u64 {
        self.state().epoch()
    }

    /// The number of the epoch in which a record of the ledger was written.
    pub fn epoch_of(&self, seq: u64) -> u64 {
        let state = self.state();
        let begun = state.epochs.iter().rev().find(|(begun, _)| *begun <= seq);
        begun.map_or(1, |(_, epoch)| epoch.number)
    }

    /// The epoch that the gate is in; nothing in the first.
    pub(in crate::app) fn epoch_line(&self) -> Option<EpochLine> {
        let now = self.now();
        let state = self.state();
        let (seq, epoch) = state.epochs.last()?;
        let waiting = |word: &str| word == "unconfirmed";
        let unconfirmed =
            state.exceptions.values().filter(|entry| waiting(effective_state(&entry.exception, now).word)).count();
        let size = |log: Log| epoch.from.iter().find(|head| head.log == log.name()).map_or(0, |head| head.size);
        let gaps = Log::ALL.into_iter().map(|log| Gap {
            log: log.name().to_owned(),
            from: size(log),
            missing: epoch.missing(log.name()),
        });
        Some(EpochLine {
            epoch: epoch.number,
            cause: epoch.cause.word().to_owned(),
            by: epoch.by.clone(),
            reason: epoch.reason.clone(),
            at: epoch.at,
            seq: *seq,
            gaps: gaps.collect(),
            unconfirmed: u64::try_from(unconfirmed).unwrap_or(u64::MAX),
        })
    }
}
