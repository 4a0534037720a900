//! How long a session lasts, and who was seen when.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use policy_core::time::{Span, Timestamp};

/// More than this many that were seen are looked through for those that are over.
const MANY: usize = 4_096;

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without anybody there.
    pub idle: Span,
    /// In all.
    pub absolute: Span,
}

impl Default for SessionLimits {
    fn default() -> Self {
        // An hour away from the desk; a working day.
        Self { idle: Span::from_seconds(3_600), absolute: Span::from_seconds(8 * 3_600) }
    }
}

/// When sessions were last used. Kept in memory alone: a gate that was started again has seen nobody, and counts from the
/// sign-in.
#[derive(Debug, Default)]
pub(in crate::app) struct Presence(Mutex<BTreeMap<String, Timestamp>>);

impl Presence {
    /// Somebody is there. Time that runs back makes nobody younger.
    pub(super) fn note(&self, session: &str, now: Timestamp, limits: SessionLimits) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = seen.entry(session.to_owned()).or_insert(now);
        *at = now.max(*at);
        if seen.len() > MANY {
            seen.retain(|_, at| now < at.plus(limits.idle));
        }
    }

    /// When a session was last used, where it was.
    pub(super) fn at(&self, session: &str) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).copied()
    }
}
