//! What the running gate forgets of what was erased.

use std::collections::btree_map::Entry;

use policy_core::lifecycle::Exception;

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
            if let Some(entry) = self.exceptions.remove(id) {
                self.forget_exception(id, &entry.exception);
            }
            self.routing.forget(id);
            self.ownership.forget(id);
        }
        self.registry.forget(&erasure.credentials);
        self.closed_tasks.extend(erasure.tasks);
    }

    /// Forgets where an exception was found.
    fn forget_exception(&mut self, id: &str, exception: &Exception) {
        self.held.remove(exception);
        let Some(held) = exception.phase.grant() else { return };
        self.grants.remove(held.grant.id.as_str());
        if let Entry::Occupied(mut of) = self.granted.entry((held.grant.subject.clone(), held.grant.task.clone())) {
            of.get_mut().retain(|granted| granted != id);
            if of.get().is_empty() {
                of.remove();
            }
        }
        self.forgotten.push(held.grant.clone());
    }
}
