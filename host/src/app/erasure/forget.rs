//! What the running gate forgets of what was erased.

use std::collections::BTreeSet;

use super::event::Erasure;
use crate::app::state::State;

impl State {
    /// Forgets what the next start would find no more, as this record of the ledger says.
    pub(in crate::app) fn forget_erased(&mut self, seq: u64, erasure: Erasure) {
        let payloads: u64 = erasure.erased.iter().map(|said| said.payloads).sum();
        if payloads > 0 {
            self.erasures.insert(seq, payloads);
        }
        self.erased.add(&erasure);
        for id in &erasure.exceptions {
            self.exceptions.remove(id);
            self.routing.forget(id);
            self.ownership.forget(id);
        }
        if !erasure.exceptions.is_empty() {
            let gone: BTreeSet<&String> = erasure.exceptions.iter().collect();
            self.grants.retain(|_, exception| !gone.contains(exception));
            self.granted.values_mut().for_each(|of| of.retain(|exception| !gone.contains(exception)));
            self.granted.retain(|_, of| !of.is_empty());
        }
        self.registry.forget(&erasure.credentials);
        self.closed_tasks.extend(erasure.tasks);
    }
}
