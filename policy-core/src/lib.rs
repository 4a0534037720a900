//! Proviso's pure core.
//!
//! No I/O, no clock, no randomness, no async and no hash-ordered collection: whatever changes from run to run comes in
//! as an argument. The crate names no web framework, database, Wasm runtime or UI library, and it does not name Cedar:
//! policy is read by `policy-evaluator` alone.

pub mod abi;
pub mod console;
pub mod containment;
pub mod digest;
pub mod entity;
pub mod grant;
pub mod json;
pub mod leaf;
pub mod lifecycle;
pub mod outcome;
mod parsed;
pub mod presence;
pub mod question;
pub mod record;
pub mod saboteur;
pub mod shared;
pub mod sheet;
pub mod text;
pub mod time;
pub mod value;

#[cfg(test)]
mod fixtures;
