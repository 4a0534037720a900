//! How many questions of agents the gate works on at once. More would not be answered sooner: each waits for an instance
//! of the module and for the disk, so whoever comes past capacity is told to come again, at once, and nobody waits long.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::caller::Caller;
use super::problem::Refused;
use crate::identity::Credential;

/// Places for evaluations, batches and searches. Fewer than a listener takes connections: people, and whoever is told to
/// come again, are reached past them.
const PLACES: usize = 128;
/// How many of them one agent has at most: what it asks beyond that holds up nobody but itself.
const OF_ONE: usize = 96;

/// The places, and who found none. Cheap to clone.
#[derive(Clone)]
pub(super) struct Room(Arc<Inner>);

struct Inner {
    places: Arc<Semaphore>,
    by_agent: Mutex<BTreeMap<String, usize>>,
    turned_away: AtomicU64,
}

/// A place in the room, until it is dropped.
pub(super) struct Place {
    room: Room,
    agent: String,
    _place: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn new() -> Self {
        let (places, by_agent) = (Arc::new(Semaphore::new(PLACES)), Mutex::default());
        Self(Arc::new(Inner { places, by_agent, turned_away: AtomicU64::new(0) }))
    }

    /// A place for the agent that asks, or that an enforcement point asks for.
    ///
    /// # Errors
    /// 503 `overloaded` where none is free for it: nothing was decided, so nothing is allowed.
    pub(super) fn enter(&self, caller: &Caller) -> Result<Place, Refused> {
        let agent = match caller.subject.as_ref().unwrap_or(&caller.credential) {
            Credential::Agent(agent) => agent.subject.to_string(),
            Credential::EnforcementPoint(point) => point.name.clone(),
        };
        self.place(agent).ok_or_else(|| {
            self.0.turned_away.fetch_add(1, Ordering::Relaxed);
            Refused::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "the gate has as many questions as it can take")
        })
    }

    fn place(&self, agent: String) -> Option<Place> {
        let mut by_agent = self.0.by_agent.lock().unwrap_or_else(PoisonError::into_inner);
        let held = by_agent.get(&agent).copied().unwrap_or(0);
        if held >= OF_ONE {
            return None;
        }
        let place = Arc::clone(&self.0.places).try_acquire_owned().ok()?;
        by_agent.insert(agent.clone(), held.saturating_add(1));
        Some(Place { room: self.clone(), agent, _place: place })
    }

    /// How many were told to come again since the gate started.
    pub(super) fn turned_away(&self) -> u64 {
        self.0.turned_away.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_agent = self.room.0.by_agent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = by_agent.get_mut(&self.agent) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                by_agent.remove(&self.agent);
            }
        }
    }
}
