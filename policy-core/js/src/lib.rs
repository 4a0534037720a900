//! The glue between JavaScript hosts and `policy.wasm`: it loads the very file that the gate runs, holds its digest
//! against the expected one, and carries canonical JSON in and out.
//!
//! [`Engine`] is for Rust in a browser, such as the dashboard's worker. The feature `package` adds the class
//! `PolicyModule` of the npm package over the same engine.
//!
//! Nothing here decides anything: no policy, no default and no repair of an input may live in this crate.

mod engine;
mod error;
mod instance;
#[cfg(feature = "package")]
mod package;
#[cfg(feature = "package")]
mod plain;

pub use engine::Engine;
pub use error::EngineError;
#[cfg(feature = "package")]
pub use package::PolicyModule;
