//! Grants as Cedar's permits, by the whole grant: one that is used again is not compiled again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use policy_core::grant::Grant;

use crate::Rules;
use crate::compile::{CompileError, permit};
use crate::sliced::Judged;

/// How many are kept. One takes 5 to 8 KB.
const MOST: usize = 64;

/// Permits by the id of their grant.
#[derive(Debug, Default)]
pub(crate) struct KeptPermits(Mutex<BTreeMap<String, (Grant, Arc<Judged>)>>);

impl KeptPermits {
    /// The permit of this grant.
    pub(crate) fn of(&self, rules: &Rules, grant: &Grant) -> Result<Arc<Judged>, CompileError> {
        // INVARIANT (R3): the permit of this very grant, whatever else has its id.
        let known = |(kept, permit): &(Grant, Arc<Judged>)| (kept == grant).then(|| Arc::clone(permit));
        let mut permits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = permits.get(&grant.id).and_then(known) {
            return Ok(permit);
        }
        let judged = Arc::new(Judged::of(&permit(rules, grant)?));
        if permits.len() >= MOST {
            permits.clear();
        }
        permits.insert(grant.id.clone(), (grant.clone(), Arc::clone(&judged)));
        Ok(judged)
    }
}
