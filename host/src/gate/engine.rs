//! The app's [`Engine`] over the Wasm runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use policy_core::abi::{Load, Loaded, Op};
use policy_core::digest::Digest;
use policy_core::json;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::instance::{Limits, PolicyInstance};
use super::module::{ModuleError, PolicyModule};
use super::pool::{Pool, Short};
use super::runner::{Runner, Warm};
use crate::app::{Apart, Engine, EngineError, OtherModule};

/// The longest question, in bytes, that is asked where its caller stands. A thread of its own costs more than the
/// question does: waking it and being woken again take longer than the sandbox.
const SHORT: usize = 32 * 1024;
/// What a question may take there: ten times what one takes, and a few milliseconds. One that wants more is asked again
/// on a thread, with all that it may take.
const SHORT_FUEL: u64 = 10_000_000;
/// The least that one costly question makes of what is short.
const LEAST_SHORT: usize = 1_024;
/// After how many questions that went to a thread for their length alone twice as much is short again: what one agent's
/// costly questions took from all others comes back.
const REGAINED_AFTER: usize = 256;

/// The policy module, sandboxed: at most as many questions at once as there are processors, each on an instance of its
/// own, and beside them half as many previews.
#[derive(Clone)]
pub struct WasmEngine {
    digest: Digest,
    bytes: Arc<[u8]>,
    pool: Arc<Pool>,
    /// An instance is memory: callers wait here, not on the allocator.
    questions: Arc<Semaphore>,
    /// What people look at holds up no agent, and no agent what people stop.
    console: Arc<Semaphore>,
    /// Previews and loads take seconds: they wait for each other, and no question waits for them.
    long: Arc<Semaphore>,
    /// The longest question that is asked where its caller stands, now.
    short: Arc<AtomicUsize>,
    /// How many went to a thread since, that would else have been short.
    spared: Arc<AtomicUsize>,
    limits: Limits,
    calls: Arc<Calls>,
}

/// What calls into the module came to since the gate started.
#[derive(Debug, Default)]
pub struct Calls {
    answered: AtomicU64,
    trap: AtomicU64,
    fuel: AtomicU64,
    memory: AtomicU64,
    timeout: AtomicU64,
    busy: AtomicU64,
    unusable: AtomicU64,
}

impl Calls {
    /// Counts by result: `answered`, or what it died of.
    pub fn counts(&self) -> [(&'static str, u64); 7] {
        [
            ("answered", &self.answered),
            ("trap", &self.trap),
            ("fuel", &self.fuel),
            ("memory", &self.memory),
            ("timeout", &self.timeout),
            ("busy", &self.busy),
            ("unusable", &self.unusable),
        ]
        .map(|(kind, counter)| (kind, counter.load(Ordering::Relaxed)))
    }

    fn count<T>(&self, result: &Result<T, EngineError>) {
        let counter = match result {
            Ok(_) => &self.answered,
            Err(EngineError::Trap) => &self.trap,
            Err(EngineError::Fuel) => &self.fuel,
            Err(EngineError::Memory) => &self.memory,
            Err(EngineError::Timeout) => &self.timeout,
            Err(EngineError::Busy) => &self.busy,
            Err(EngineError::Unusable(_)) => &self.unusable,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl WasmEngine {
    /// An engine over this module, with nothing loaded.
    ///
    /// # Errors
    /// When the module does not export what the ABI says.
    pub fn new(module: &PolicyModule, limits: Limits) -> Result<Self, ModuleError> {
        let at_once = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get).clamp(2, 16);
        let long = at_once / 2;
        Ok(Self {
            digest: module.digest(),
            bytes: module.bytes(),
            pool: Arc::new(Pool::new(module.template()?, limits, at_once.saturating_mul(2).saturating_add(long))),
            questions: Arc::new(Semaphore::new(at_once)),
            console: Arc::new(Semaphore::new(at_once)),
            long: Arc::new(Semaphore::new(long)),
            short: Arc::new(AtomicUsize::new(SHORT)),
            spared: Arc::default(),
            limits,
            calls: Arc::default(),
        })
    }

    /// What its calls came to.
    pub fn calls(&self) -> Arc<Calls> {
        Arc::clone(&self.calls)
    }

    /// Asks a short question where its caller stands. Nothing where it is not short, where no instance waits, or where it
    /// took more than it may take here: it is then asked on a thread, and what is half as long goes there at once, so that
    /// nobody holds up the executor or spends instances again and again.
    fn at_once(&self, bundle: Digest, op: Op, input: &[u8]) -> Option<Result<Vec<u8>, EngineError>> {
        if op != Op::Evaluate || input.len() > SHORT {
            return None;
        }
        if input.len() > self.short.load(Ordering::Relaxed) {
            self.spare();
            return None;
        }
        let _permit = self.questions.try_acquire().ok()?;
        match self.pool.call_short(bundle, op, input, SHORT_FUEL) {
            Short::Answered(answer) => Some(answer),
            Short::NoneWaits => None,
            Short::TooLong => {
                self.short.store(input.len() / 2, Ordering::Relaxed);
                self.spared.store(0, Ordering::Relaxed);
                self.refill(bundle);
                None
            }
        }
    }

    /// One more question goes to a thread for its length alone.
    fn spare(&self) {
        if self.spared.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= REGAINED_AFTER {
            self.spared.store(0, Ordering::Relaxed);
            let twice = self.short.load(Ordering::Relaxed).saturating_mul(2);
            self.short.store(twice.clamp(LEAST_SHORT, SHORT), Ordering::Relaxed);
        }
    }

    /// Replaces what was dropped, behind everybody's back.
    fn refill(&self, bundle: Digest) {
        let pool = Arc::clone(&self.pool);
        drop(spawn_blocking(move || pool.refill(bundle)));
    }

    /// Runs on a blocking thread: loading and previews take long enough to hold up an executor.
    async fn on<T, F>(&self, op: Op, work: F) -> Result<T, EngineError>
    where
        T: Send + 'static,
        F: FnOnce(&Pool) -> Result<T, EngineError> + Send + 'static,
    {
        let (permits, wait) = match op {
            Op::Load | Op::Preview => (&self.long, self.limits.long_time),
            Op::Console => (&self.console, self.limits.wait),
            Op::Evaluate | Op::Terms | Op::Eligible | Op::Compile => (&self.questions, self.limits.wait),
        };
        let permit = match timeout(wait, Arc::clone(permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => return Err(EngineError::Busy),
        };
        let pool = Arc::clone(&self.pool);
        let done = spawn_blocking(move || {
            let result = work(&pool);
            drop(permit);
            result
        });
        done.await.map_err(|_| EngineError::Trap)?
    }
}

impl Engine for WasmEngine {
    fn module(&self) -> Digest {
        self.digest
    }

    fn module_bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    fn load(&self, load: Load) -> BoxFuture<'_, Result<Loaded, EngineError>> {
        async move {
            let bundle = load.bundle;
            let input = json::to_canonical_bytes(&load)
                .map_err(|error| EngineError::Unusable(format!("the bundle has no canonical form: {error}")))?;
            let loaded = self.on(Op::Load, move |pool| pool.load(bundle, input)).await;
            self.short.store(SHORT, Ordering::Relaxed);
            loaded
        }
        .boxed()
    }

    fn call(&self, bundle: Digest, op: Op, input: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>> {
        async move {
            let answer = match self.at_once(bundle, op, &input) {
                Some(answer) => answer,
                None => self.on(op, move |pool| pool.call(bundle, op, &input)).await,
            };
            self.calls.count(&answer);
            if let Err(error) = &answer
                && !matches!(error, EngineError::Busy)
            {
                tracing::warn!(%error, kind = error.kind(), "an instance of the policy module was dropped");
                self.refill(bundle);
            }
            answer
        }
        .boxed()
    }

    fn apart(&self, load: &Load) -> Result<Box<dyn Apart>, EngineError> {
        let input = json::to_canonical_bytes(load)
            .map_err(|error| EngineError::Unusable(format!("the bundle has no canonical form: {error}")))?;
        Ok(Box::new(WasmApart { instance: self.pool.apart(&input)?, limits: self.limits }))
    }

    fn other(&self, bytes: &[u8]) -> Result<OtherModule, EngineError> {
        let unusable = |error: ModuleError| EngineError::Unusable(error.to_string());
        let module = PolicyModule::load(bytes, Digest::of(bytes), None).map_err(unusable)?;
        let runner = Runner::new(&module, self.limits).map_err(unusable)?;
        Ok(Arc::new(move |load: &Load| Ok(Box::new(runner.warm(load)?) as Box<dyn Apart>)))
    }
}

impl Apart for Warm {
    fn call(&mut self, op: Op, input: &[u8]) -> Result<Vec<u8>, EngineError> {
        Self::call(self, op, input)
    }
}

struct WasmApart {
    instance: PolicyInstance,
    limits: Limits,
}

impl Apart for WasmApart {
    fn call(&mut self, op: Op, input: &[u8]) -> Result<Vec<u8>, EngineError> {
        self.instance.call(op, input, &self.limits)
    }
}

#[cfg(test)]
mod tests;
