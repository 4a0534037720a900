//! Runs a module that a record names, for whoever asks its questions again: without the pool, one instance for each
//! thread, and loaded only where its bytes have the digest that the record holds.

use policy_core::abi::{ABI_VERSION, Load, Op};
use policy_core::digest::Digest;
use policy_core::json;

use super::instance::{InstanceTemplate, Limits, PolicyInstance};
use super::module::{ModuleError, PolicyModule};
use super::pool;
use crate::app::EngineError;

/// The versions of the ABI that recorded modules may speak. A version that a log may name is never taken out.
const SPOKEN: [u32; 1] = [ABI_VERSION];

/// A module that warm instances are made from.
pub struct Runner {
    digest: Digest,
    template: InstanceTemplate,
    limits: Limits,
}

/// An instance that holds a bundle. After an error it is spent: drop it.
pub struct Warm {
    instance: PolicyInstance,
    limits: Limits,
}

impl Runner {
    /// A runner of this module.
    ///
    /// # Errors
    /// When the module does not export what the ABI says, or speaks a version that this build does not.
    pub fn new(module: &PolicyModule, limits: Limits) -> Result<Self, ModuleError> {
        let template = module.template()?;
        let version = template.version(&limits).map_err(|error| ModuleError::Compile(error.to_string()))?;
        if !u32::try_from(version).is_ok_and(|version| SPOKEN.contains(&version)) {
            return Err(ModuleError::Abi(version));
        }
        Ok(Self { digest: module.digest(), template, limits })
    }

    /// The module's digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// A new instance that holds this bundle.
    ///
    /// # Errors
    /// When the module does not take it.
    pub fn warm(&self, load: &Load) -> Result<Warm, EngineError> {
        let input = json::to_canonical_bytes(load)
            .map_err(|error| EngineError::Unusable(format!("the bundle has no canonical form: {error}")))?;
        let (instance, loaded) = pool::warm_up(&self.template, &self.limits, &input)?;
        if loaded.bundle != load.bundle {
            return Err(EngineError::Unusable(format!("it says that it holds {}", loaded.bundle)));
        }
        Ok(Warm { instance, limits: self.limits })
    }
}

impl Warm {
    /// One call: canonical JSON in, canonical JSON out.
    ///
    /// # Errors
    /// When the module gives no answer.
    pub fn call(&mut self, op: Op, input: &[u8]) -> Result<Vec<u8>, EngineError> {
        self.instance.call(op, input, &self.limits)
    }

    /// One call, and the fuel that it took: what repeats on any machine, where seconds do not.
    ///
    /// # Errors
    /// When the module gives no answer.
    pub fn call_counted(&mut self, op: Op, input: &[u8]) -> Result<(Vec<u8>, u64), EngineError> {
        let answer = self.instance.call(op, input, &self.limits)?;
        Ok((answer, self.instance.fuel_taken(op, &self.limits)))
    }

    /// Bytes of memory that it has taken.
    pub fn memory(&self) -> usize {
        self.instance.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module that says that it speaks this version, and does nothing else.
    fn speaking(version: i32) -> Result<Runner, ModuleError> {
        let text = format!(
            r#"(module (memory (export "memory") 1)
                (func (export "abi") (result i32) (i32.const {version}))
                (func (export "alloc") (param i32) (result i32) (i32.const 0))
                (func (export "free") (param i32 i32))
                (func (export "call") (param i32 i32 i32) (result i64) (i64.const 0)))"#
        );
        let bytes = wat::parse_str(text).unwrap();
        let module = PolicyModule::load(&bytes, Digest::of(&bytes), None).unwrap();
        Runner::new(&module, Limits::default())
    }

    #[test]
    fn another_version_of_the_abi_is_refused_with_a_code() {
        for version in [0, 2, -1] {
            assert_eq!(speaking(version).map(|_| ()).unwrap_err().code(), "unknown_abi", "{version}");
        }
        assert!(speaking(1).is_ok());
    }

    #[test]
    fn other_bytes_than_the_digest_says_are_not_even_compiled() {
        let error = PolicyModule::load(b"\0asm", Digest::of(b"other"), None).map(|_| ()).unwrap_err();
        assert_eq!(error.code(), "module_digest");
    }
}
