//! One instance of the module: its ABI, and the bounds that it runs in.

use std::time::Duration;

use policy_core::abi::{ABI_VERSION, Op};
use wasmtime::{InstancePre, Memory, ResourceLimiter, Store, Trap, TypedFunc};

use super::module::ticks;
use crate::app::EngineError;

/// What one call may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Fuel for a question, about one for each instruction.
    pub question_fuel: u64,
    /// Fuel for loading a bundle and for a preview, which is hundreds of questions.
    pub long_fuel: u64,
    /// Wall-clock time for a question.
    pub question_time: Duration,
    /// Wall-clock time for loading and for a preview.
    pub long_time: Duration,
    /// Bytes of memory that an instance may grow to.
    pub memory: usize,
    /// Bytes that an answer may have.
    pub answer: usize,
    /// How long a question waits for an instance. A preview waits as long as one may take.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            question_fuel: 500_000_000,
            long_fuel: 20_000_000_000,
            question_time: Duration::from_secs(1),
            long_time: Duration::from_secs(10),
            memory: 256 * 1024 * 1024,
            answer: 16 * 1024 * 1024,
            wait: Duration::from_secs(2),
        }
    }
}

impl Limits {
    const fn of(&self, op: Op) -> (u64, Duration) {
        match op {
            Op::Load | Op::Preview => (self.long_fuel, self.long_time),
            Op::Evaluate | Op::Terms | Op::Eligible | Op::Compile | Op::Console => {
                (self.question_fuel, self.question_time)
            }
        }
    }
}

/// What stands guard over an instance's memory.
pub(super) struct Guard {
    most: usize,
    refused: bool,
}

impl ResourceLimiter for Guard {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.refused |= desired > self.most;
        Ok(desired <= self.most)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.refused |= desired > 100_000;
        Ok(desired <= 100_000)
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    fn tables(&self) -> usize {
        1
    }
}

/// What instances are made from.
pub(super) struct InstanceTemplate {
    pre: InstancePre<Guard>,
}

impl InstanceTemplate {
    pub(super) fn new(pre: InstancePre<Guard>) -> Self {
        Self { pre }
    }

    /// The version of the ABI that it says it speaks.
    pub(super) fn version(&self, limits: &Limits) -> Result<i32, EngineError> {
        let mut store = self.store(limits)?;
        let instance = self.pre.instantiate(&mut store).map_err(|error| failure(&error, &store))?;
        let abi: TypedFunc<(), i32> = typed(instance.get_typed_func(&mut store, "abi"), "abi")?;
        abi.call(&mut store, ()).map_err(|error| failure(&error, &store))
    }

    fn store(&self, limits: &Limits) -> Result<Store<Guard>, EngineError> {
        let guard = Guard { most: limits.memory, refused: false };
        let mut store = Store::new(self.pre.module().engine(), guard);
        store.limiter(|guard| guard);
        budget(&mut store, limits.question_fuel, limits.question_time)?;
        Ok(store)
    }

    /// A new instance of the ABI that this gate speaks.
    pub(super) fn instantiate(&self, limits: &Limits) -> Result<PolicyInstance, EngineError> {
        #[cfg(saboteur)]
        crate::saboteur::plant();
        let mut store = self.store(limits)?;
        let instance = self.pre.instantiate(&mut store).map_err(|error| failure(&error, &store))?;
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| unusable("memory"))?;
        let abi: TypedFunc<(), i32> = typed(instance.get_typed_func(&mut store, "abi"), "abi")?;
        let alloc = typed(instance.get_typed_func(&mut store, "alloc"), "alloc")?;
        let free = typed(instance.get_typed_func(&mut store, "free"), "free")?;
        let call = typed(instance.get_typed_func(&mut store, "call"), "call")?;
        let version = abi.call(&mut store, ()).map_err(|error| failure(&error, &store))?;
        if u32::try_from(version) != Ok(ABI_VERSION) {
            return Err(EngineError::Unusable(format!("it speaks ABI {version}, this gate speaks {ABI_VERSION}")));
        }
        #[cfg(saboteur)]
        sabotage(&instance, &mut store)?;
        Ok(PolicyInstance { store, memory, alloc, free, call })
    }
}

/// Plants the chosen fault in the module, too.
#[cfg(saboteur)]
fn sabotage(instance: &wasmtime::Instance, store: &mut Store<Guard>) -> Result<(), EngineError> {
    let Some(position) = policy_core::saboteur::chosen().and_then(|position| i32::try_from(position).ok()) else {
        return Ok(());
    };
    let sabotage: TypedFunc<i32, ()> = typed(instance.get_typed_func(&mut *store, "sabotage"), "sabotage")?;
    sabotage.call(&mut *store, position).map_err(|error| failure(&error, store))
}

/// A running instance. After an error it is spent: drop it.
pub(super) struct PolicyInstance {
    store: Store<Guard>,
    memory: Memory,
    alloc: TypedFunc<i32, i32>,
    free: TypedFunc<(i32, i32), ()>,
    call: TypedFunc<(i32, i32, i32), i64>,
}

impl PolicyInstance {
    /// One call: canonical JSON in, canonical JSON out.
    pub(super) fn call(&mut self, op: Op, input: &[u8], limits: &Limits) -> Result<Vec<u8>, EngineError> {
        let (fuel, time) = limits.of(op);
        budget(&mut self.store, fuel, time)?;
        let length = i32::try_from(input.len()).map_err(|_| EngineError::Memory)?;
        let at = self.alloc.call(&mut self.store, length).map_err(|error| failure(&error, &self.store))?;
        // The module writes addresses as i32; they are unsigned.
        let start = usize::try_from(at.cast_unsigned()).map_err(|_| EngineError::Trap)?;
        self.memory.write(&mut self.store, start, input).map_err(|_| EngineError::Trap)?;
        let packed = self
            .call
            .call(&mut self.store, (op as i32, at, length))
            .map_err(|error| failure(&error, &self.store))?
            .cast_unsigned();
        if packed == 0 {
            return Err(EngineError::Trap);
        }
        let (answer_at, answer_length) = ((packed >> 32) as u32, (packed & 0xffff_ffff) as u32);
        let answer = self.read(answer_at, answer_length, limits)?;
        self.give_back(at, length)?;
        self.give_back(answer_at.cast_signed(), answer_length.cast_signed())?;
        Ok(answer)
    }

    /// What is gone of the fuel that the last call had. A store that counts none has none left.
    pub(super) fn fuel_taken(&self, op: Op, limits: &Limits) -> u64 {
        limits.of(op).0.saturating_sub(self.store.get_fuel().unwrap_or(0))
    }

    /// Bytes of memory that it has taken.
    pub(super) fn memory(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    fn read(&self, at: u32, length: u32, limits: &Limits) -> Result<Vec<u8>, EngineError> {
        let (Ok(at), Ok(length)) = (usize::try_from(at), usize::try_from(length)) else {
            return Err(EngineError::Trap);
        };
        if length > limits.answer {
            return Err(EngineError::Memory);
        }
        let end = at.checked_add(length).ok_or(EngineError::Trap)?;
        self.memory.data(&self.store).get(at..end).map(<[u8]>::to_vec).ok_or(EngineError::Trap)
    }

    fn give_back(&mut self, at: i32, length: i32) -> Result<(), EngineError> {
        self.free.call(&mut self.store, (at, length)).map_err(|error| failure(&error, &self.store))
    }
}

fn budget(store: &mut Store<Guard>, fuel: u64, time: Duration) -> Result<(), EngineError> {
    store.data_mut().refused = false;
    store.set_epoch_deadline(ticks(time));
    store.set_fuel(fuel).map_err(|error| EngineError::Unusable(format!("{error:#}")))
}

fn typed<T>(found: wasmtime::Result<T>, name: &str) -> Result<T, EngineError> {
    found.map_err(|_| unusable(name))
}

fn unusable(export: &str) -> EngineError {
    EngineError::Unusable(format!("it does not export `{export}` as the ABI says"))
}

/// What a failed call died of. A module whose allocator was refused memory traps in its own way: the guard remembers.
fn failure(error: &wasmtime::Error, store: &Store<Guard>) -> EngineError {
    if store.data().refused {
        return EngineError::Memory;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => EngineError::Fuel,
        Some(Trap::Interrupt) => EngineError::Timeout,
        _ => EngineError::Trap,
    }
}
