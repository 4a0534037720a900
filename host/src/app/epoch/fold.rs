//! What an epoch does to what is believed.

use policy_core::lifecycle::{Event, evolve};

use super::EpochFact;
use crate::app::state::State;

impl State {
    /// Begins an epoch. The record that begins it is an event of every exception that is not over.
    ///
    /// INVARIANT (R9): folded from the one record, so that no exception of before can be left out.
    pub(in crate::app) fn begin_epoch(&mut self, seq: u64, epoch: EpochFact) {
        for entry in self.exceptions.values_mut() {
            let event = Event::ExceptionUnconfirmed { epoch: epoch.number, at: epoch.at };
            // What is over is in no doubt.
            if let Ok(Some(exception)) = evolve(Some(entry.exception.clone()), &event) {
                entry.exception = exception;
                entry.steps.push((seq, epoch.at, event));
            }
        }
        self.registry.begin_epoch();
        self.members.begin_epoch();
        self.erased.proposals.begin_epoch();
        self.uses.forget_repeats(seq.saturating_add(1));
        self.epochs.push((seq, epoch));
    }

    /// The number of the epoch that the gate is in.
    pub(in crate::app) fn epoch(&self) -> u64 {
        self.epochs.last().map_or(1, |(_, epoch)| epoch.number)
    }
}
