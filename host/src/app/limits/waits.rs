//! Which requests somebody waits for at this moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many wait for which request. In memory alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits(Arc<Mutex<BTreeMap<String, u32>>>);

/// Somebody waits. It ends when it is dropped.
#[derive(Debug)]
pub(in crate::app) struct Wait {
    waits: Waits,
    request: String,
}

impl Waits {
    /// Somebody begins to wait.
    pub fn begin(&self, request: &str) -> Wait {
        let mut counts = self.counts();
        let count = counts.entry(request.to_owned()).or_default();
        *count = count.saturating_add(1);
        drop(counts);
        Wait { waits: self.clone(), request: request.to_owned() }
    }

    /// Whether somebody waits.
    pub fn is_waited_for(&self, request: &str) -> bool {
        self.counts().contains_key(request)
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut counts = self.waits.counts();
        let left = counts.get(&self.request).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            counts.remove(&self.request);
        } else {
            counts.insert(self.request.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_waited_for_until_the_last_one_has_gone() {
        let waits = Waits::default();
        let (first, second) = (waits.begin("a"), waits.begin("a"));
        assert!(waits.is_waited_for("a") && !waits.is_waited_for("b"));
        drop(first);
        assert!(waits.is_waited_for("a"));
        drop(second);
        assert!(!waits.is_waited_for("a"));
    }
}
