//! The policy module's bytes, held against their digest and compiled.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use policy_core::digest::Digest;
use thiserror::Error;
use wasmtime::{Config, Engine, Linker, Module};

use super::cache::Cache;
use super::instance::{Guard, InstanceTemplate};

/// How often the clock of the epoch backstop ticks.
const TICK: Duration = Duration::from_millis(10);
/// How much of the native stack the module may use.
const STACK: usize = 1024 * 1024;

/// Why there is no policy module.
#[derive(Debug, Error)]
pub enum ModuleError {
    /// The bytes are others than those that were meant.
    #[error("policy.wasm has the digest `{found}`, not `{expected}`")]
    Digest {
        /// What they should be.
        expected: Digest,
        /// What they are.
        found: Digest,
    },
    /// The module wants something from its host.
    #[error("policy.wasm imports `{0}`, and a policy module imports nothing")]
    Imports(String),
    /// It does not export what the ABI says.
    #[error("policy.wasm does not export `{0}` as the ABI says")]
    Exports(&'static str),
    /// It speaks a version of the ABI that this build does not.
    #[error("policy.wasm speaks version {0} of the ABI, which this build does not")]
    Abi(i32),
    /// It does not compile.
    #[error("policy.wasm cannot be used: {0}")]
    Compile(String),
}

impl ModuleError {
    /// A stable snake_case code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Digest { .. } => "module_digest",
            Self::Abi(_) => "unknown_abi",
            Self::Imports(_) | Self::Exports(_) | Self::Compile(_) => "module_unusable",
        }
    }
}

/// A compiled module that is known to be the one that was meant.
#[derive(Clone)]
pub struct PolicyModule {
    digest: Digest,
    bytes: Arc<[u8]>,
    module: Module,
}

impl PolicyModule {
    /// Compiles these bytes after holding them against their digest, or takes what an earlier start compiled.
    ///
    /// Takes seconds where nothing is cached: not for an async executor.
    ///
    /// # Errors
    /// When the bytes are others, want imports, or do not compile.
    pub fn load(bytes: &[u8], expected: Digest, cache: Option<&Cache<'_>>) -> Result<Self, ModuleError> {
        let found = Digest::of(bytes);
        if found != expected {
            return Err(ModuleError::Digest { expected, found });
        }
        let engine = new_engine()?;
        let module = match cache.and_then(|cache| cache.read(&engine, &found)) {
            Some(module) => module,
            None => Module::new(&engine, bytes).map_err(|error| ModuleError::Compile(format!("{error:#}")))?,
        };
        if let Some(import) = module.imports().next() {
            return Err(ModuleError::Imports(format!("{}.{}", import.module(), import.name())));
        }
        start_ticker(&engine);
        Ok(Self { digest: found, bytes: bytes.into(), module })
    }

    /// Keeps what was compiled for the next start.
    pub fn keep(&self, cache: &Cache<'_>) {
        cache.write(&self.module, &self.digest);
    }

    /// The module's digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The very bytes that were compiled: what `/policy/{sha256}.wasm` serves.
    pub fn bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    /// The runtime that it was compiled for.
    #[cfg(test)]
    pub(super) fn engine(&self) -> &Engine {
        self.module.engine()
    }

    /// What instances are made from.
    pub(super) fn template(&self) -> Result<InstanceTemplate, ModuleError> {
        let linker: Linker<Guard> = Linker::new(self.module.engine());
        let pre = linker.instantiate_pre(&self.module).map_err(|error| ModuleError::Compile(format!("{error:#}")))?;
        for export in ["memory", "abi", "alloc", "free", "call"] {
            if self.module.get_export(export).is_none() {
                return Err(ModuleError::Exports(export));
            }
        }
        Ok(InstanceTemplate::new(pre))
    }
}

/// The sandbox: fuel for a budget that repeats, epochs as the backstop in wall-clock time, and nothing whose result
/// depends on the machine.
fn new_engine() -> Result<Engine, ModuleError> {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_tail_call(false);
    Engine::new(&config).map_err(|error| ModuleError::Compile(format!("{error:#}")))
}

/// Ticks for as long as the engine lives. The thread holds it weakly and ends with it.
fn start_ticker(engine: &Engine) {
    let weak = engine.weak();
    let ticker = move || {
        loop {
            thread::sleep(TICK);
            let Some(engine) = weak.upgrade() else { return };
            engine.increment_epoch();
        }
    };
    if let Err(error) = thread::Builder::new().name("epoch".to_owned()).spawn(ticker) {
        // Fuel bounds every call all the same; the epoch is the second rope.
        tracing::error!(%error, "the epoch ticker did not start");
    }
}

/// How many ticks make this time.
pub(super) fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX).max(1)
}
