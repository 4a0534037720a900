//! Warm instances, by the bundle that they hold.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use policy_core::abi::{Answer, Loaded, Op};
use policy_core::digest::Digest;
use policy_core::json;

use super::instance::{InstanceTemplate, Limits, PolicyInstance};
use crate::app::EngineError;

/// How many bundles stay callable. The one that was loaded longest ago goes first.
const MOST_BUNDLES: usize = 8;

/// The instances that wait for a call.
pub(super) struct Pool {
    template: InstanceTemplate,
    limits: Limits,
    warm: usize,
    shelves: Mutex<Shelves>,
}

#[derive(Default)]
struct Shelves {
    by_bundle: BTreeMap<Digest, Shelf>,
    order: VecDeque<Digest>,
}

struct Shelf {
    /// The input of `load`, canonical JSON: what a new instance is made warm with.
    load: Arc<[u8]>,
    idle: Vec<PolicyInstance>,
}

/// What became of a call where its caller stands.
pub(super) enum Short {
    Answered(Result<Vec<u8>, EngineError>),
    /// No instance waits, and making one takes long.
    NoneWaits,
    /// It took more than it may take there. The instance is spent.
    TooLong,
}

impl Pool {
    pub(super) fn new(template: InstanceTemplate, limits: Limits, warm: usize) -> Self {
        Self { template, limits, warm, shelves: Mutex::default() }
    }

    /// Makes a bundle callable, and as many instances warm as calls may run at once, and one to spare.
    pub(super) fn load(&self, bundle: Digest, load: Vec<u8>) -> Result<Loaded, EngineError> {
        let load: Arc<[u8]> = load.into();
        let (first, loaded) = self.warm_up(&load)?;
        let mut idle = vec![first];
        while idle.len() <= self.warm {
            idle.push(self.warm_up(&load)?.0);
        }
        let mut shelves = self.shelves();
        shelves.order.retain(|known| *known != bundle);
        shelves.order.push_back(bundle);
        for shelf in shelves.by_bundle.values_mut() {
            // Older bundles are asked rarely: for a sheet of yesterday, not for each call.
            shelf.idle.truncate(1);
        }
        shelves.by_bundle.insert(bundle, Shelf { load, idle });
        while shelves.order.len() > MOST_BUNDLES {
            if let Some(oldest) = shelves.order.pop_front() {
                shelves.by_bundle.remove(&oldest);
            }
        }
        Ok(loaded)
    }

    /// One call. An instance that failed is dropped; another takes its place when the next call needs it.
    pub(super) fn call(&self, bundle: Digest, op: Op, input: &[u8]) -> Result<Vec<u8>, EngineError> {
        let (waiting, load) = {
            let mut shelves = self.shelves();
            let shelf = shelves
                .by_bundle
                .get_mut(&bundle)
                .ok_or_else(|| EngineError::Unusable(format!("the bundle `{bundle}` is not loaded")))?;
            (shelf.idle.pop(), Arc::clone(&shelf.load))
        };
        let mut instance = match waiting {
            Some(instance) => instance,
            None => self.warm_up(&load)?.0,
        };
        let answer = instance.call(op, input, &self.limits)?;
        self.put_back(bundle, instance);
        Ok(answer)
    }

    /// An instance apart, on no shelf.
    pub(super) fn apart(&self, load: &[u8]) -> Result<PolicyInstance, EngineError> {
        Ok(self.warm_up(load)?.0)
    }

    /// One call on an instance that waits, within this fuel.
    pub(super) fn call_short(&self, bundle: Digest, op: Op, input: &[u8], fuel: u64) -> Short {
        let waiting = self.shelves().by_bundle.get_mut(&bundle).and_then(|shelf| shelf.idle.pop());
        let Some(mut instance) = waiting else { return Short::NoneWaits };
        let limits = Limits { question_fuel: fuel.min(self.limits.question_fuel), ..self.limits };
        match instance.call(op, input, &limits) {
            // INVARIANT (R10): too little here is no outcome. The limits of a question are those that it has on a thread.
            Err(EngineError::Fuel) if limits.question_fuel < self.limits.question_fuel => Short::TooLong,
            Err(error) => Short::Answered(Err(error)),
            Ok(answer) => {
                self.put_back(bundle, instance);
                Short::Answered(Ok(answer))
            }
        }
    }

    /// Replaces a dropped instance, so that the next call need not wait for it.
    pub(super) fn refill(&self, bundle: Digest) {
        let load = {
            let shelves = self.shelves();
            match shelves.by_bundle.get(&bundle) {
                Some(shelf) if shelf.idle.is_empty() => Arc::clone(&shelf.load),
                _ => return,
            }
        };
        match self.warm_up(&load) {
            Ok((instance, _)) => self.put_back(bundle, instance),
            Err(error) => tracing::warn!(%error, "no instance of the policy module could be made to spare"),
        }
    }

    fn put_back(&self, bundle: Digest, instance: PolicyInstance) {
        if let Some(shelf) = self.shelves().by_bundle.get_mut(&bundle)
            && shelf.idle.len() <= self.warm
        {
            shelf.idle.push(instance);
        }
    }

    fn warm_up(&self, load: &[u8]) -> Result<(PolicyInstance, Loaded), EngineError> {
        warm_up(&self.template, &self.limits, load)
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        // Nothing in the critical sections leaves the shelves half done, so a panic elsewhere does not spoil them.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A new instance that holds the bundle.
pub(super) fn warm_up(
    template: &InstanceTemplate,
    limits: &Limits,
    load: &[u8],
) -> Result<(PolicyInstance, Loaded), EngineError> {
    let mut instance = template.instantiate(limits)?;
    let answer = instance.call(Op::Load, load, limits)?;
    let read = json::Limits { max_bytes: limits.answer, ..json::Limits::DEFAULT };
    match json::read_as::<Answer<Loaded>>(&answer, read) {
        Ok(Answer::Ok(loaded)) => Ok((instance, loaded)),
        Ok(Answer::Error(error)) => Err(EngineError::Unusable(error.message)),
        Err(error) => Err(EngineError::Unusable(format!("its answer cannot be read: {error}"))),
    }
}
