//! How many questions of agents the gate works on at once. More would not be answered sooner: each waits for an instance
//! of the module and for the disk, so whoever comes past capacity is told to come again, at once, and nobody waits long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Refused;

/// Places for evaluations, batches and searches. Fewer than a listener takes connections: people, and whoever is told to
/// come again, are reached past them.
const PLACES: usize = 128;

/// The places, and who found none.
pub(super) struct Room {
    places: Arc<Semaphore>,
    turned_away: AtomicU64,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), turned_away: AtomicU64::new(0) }
    }

    /// A place until it is dropped.
    ///
    /// # Errors
    /// 503 `overloaded` where none is free: nothing was decided, so nothing is allowed.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "the gate has as many questions as it can take")
        })
    }

    /// How many were told to come again since the gate started.
    pub(super) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}
