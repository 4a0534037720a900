//! What the use cases want of the policy module and of the index of live grants. `gate` implements both.

use std::sync::Arc;

use futures::future::BoxFuture;
use policy_core::abi::{Load, Loaded, Op};
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::Grant;
use policy_core::shared::Shared;
use thiserror::Error;

/// The policy module, sandboxed.
pub trait Engine: Send + Sync + 'static {
    /// The module's digest.
    fn module(&self) -> Digest;

    /// Its bytes: what is kept beside the record, for who asks its questions again.
    fn module_bytes(&self) -> Arc<[u8]>;

    /// Makes ready for a bundle. The bundles that were loaded before stay callable until the process ends or the
    /// engine needs the room.
    fn load(&self, load: Load) -> BoxFuture<'_, Result<Loaded, EngineError>>;

    /// Calls one operation on an instance that holds this bundle: canonical JSON in, canonical JSON out.
    fn call(&self, bundle: Digest, op: Op, input: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, EngineError>>;

    /// An instance apart that holds a bundle, for who tries what is not active: it takes nothing of what the gate's own
    /// questions need. Takes as long as a load.
    ///
    /// # Errors
    /// When the module does not take the bundle.
    fn apart(&self, load: &Load) -> Result<Box<dyn Apart>, EngineError>;

    /// Another module, of these bytes, to be tried apart. Takes as long as compiling it.
    ///
    /// # Errors
    /// When it is no policy module, or speaks another version of the ABI.
    fn other(&self, bytes: &[u8]) -> Result<OtherModule, EngineError>;
}

/// Makes instances of another module, each with a bundle.
pub type OtherModule = Arc<dyn Fn(&Load) -> Result<Box<dyn Apart>, EngineError> + Send + Sync>;

/// An instance apart.
pub trait Apart: Send {
    /// One call: canonical JSON in, canonical JSON out. After an error it is spent.
    ///
    /// # Errors
    /// When it gives no answer.
    fn call(&mut self, op: Op, input: &[u8]) -> Result<Vec<u8>, EngineError>;
}

/// Why the module gave no answer. Each is a recorded denial with the reason `limit` (R8).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// It trapped.
    #[error("the policy module trapped")]
    Trap,
    /// It ran out of fuel.
    #[error("the policy module used up its fuel")]
    Fuel,
    /// It wanted more memory than it may have.
    #[error("the policy module wanted too much memory")]
    Memory,
    /// It took too long.
    #[error("the policy module took too long")]
    Timeout,
    /// No instance was free in time.
    #[error("no instance of the policy module was free")]
    Busy,
    /// It cannot be used at all.
    #[error("the policy module cannot be used: {0}")]
    Unusable(String),
}

impl EngineError {
    /// The kind, as records hold it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Timeout => "timeout",
            Self::Busy => "busy",
            Self::Unusable(_) => "unusable",
        }
    }
}

/// Finds a subject's live grants for a task.
///
/// INVARIANT (R3): the app looks each id up in its own folded state and holds it against subject and task again, so an
/// index that returns too few or too many never allows.
pub trait GrantIndex: Send + Sync + 'static {
    /// A grant is live from here on.
    fn insert(&self, grant: &Shared<Grant>);
    /// A grant is over.
    fn remove(&self, grant: &Shared<Grant>);
    /// All are over: the state is folded again.
    fn clear(&self);
    /// The ids of this subject's live grants for this task.
    fn find(&self, subject: &EntityRef, task: &str) -> Vec<String>;
}
