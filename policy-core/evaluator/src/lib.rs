//! The evaluator: the only crate that names Cedar. Pure, and the same natively and in `policy.wasm`.
//!
//! A [`bundle`] is read and accepted, a caller's question is sealed with the facts that it needs (`seal`), and a sealed
//! question is evaluated ([`evaluate`]). What crosses the module's boundary goes through [`abi`]. No I/O, no clock, no
//! randomness, no hash-ordered answer. The feature `validate` adds what only a host does: to validate, to seal, to put a
//! call into words, to try a bundle on its author's tables (`tables`), and to tell what another one changes (`change`).

pub mod abi;
mod brought;
pub mod bundle;
mod cedar;
#[cfg(feature = "validate")]
pub mod change;
pub mod compile;
pub mod console;
pub mod eligible;
pub mod evaluate;
mod kept;
#[cfg(feature = "validate")]
pub mod lint;
mod names;
pub mod preview;
#[cfg(feature = "validate")]
pub mod seal;
mod sliced;
pub mod stops;
#[cfg(feature = "validate")]
pub mod tables;
pub mod terms;
#[cfg(feature = "validate")]
mod typed;
#[cfg(feature = "validate")]
pub mod words;

#[cfg(feature = "validate")]
pub use bundle::Bundle;
pub use bundle::{BundleError, Rules};
pub use cedar::{BUNDLE, UNKNOWN};
