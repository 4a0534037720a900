//! The gate's inner machinery: the policy module in its sandbox, and the index of live grants.
//!
//! The only place that names the Wasm runtime. Nothing here knows what a question means: bytes go in, bytes come out,
//! and whatever goes wrong on the way is an error that the app records as a denial (R8).

mod cache;
mod engine;
mod index;
mod instance;
mod module;
mod pool;
mod runner;

pub use cache::Cache;
pub use engine::{Calls, WasmEngine};
pub use index::LiveGrants;
pub use instance::Limits;
pub use module::{ModuleError, PolicyModule};
pub use runner::{Runner, Warm};
